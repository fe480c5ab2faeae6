"""Networks from ONNX files: what is a layer, what is refused, and the cut."""

import hashlib

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from exporter.errors import ModelError, UsageError
from exporter.models import LayerInfo, Preprocessing, graph, open_model
from exporter.models.grids import fit_grid
from tests.onnx_graphs import FREE, NODES, build, conv, images, reference


def test_a_file_of_free_size(saved):
    path = saved(build())
    model = open_model(path)
    assert (model.name, model.id, model.source) == ("tiny", "tiny", "tiny.onnx")
    assert model.weights_sha256 == hashlib.sha256(open(path, "rb").read()).hexdigest()
    assert model.preprocessing == Preprocessing((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), (0, 1))
    assert (model.multiple, model.fixed_size) == (4, None)
    assert model.layers() == (
        LayerInfo("first", (), 2, 4, True),
        LayerInfo("first.relu", (), 2, 4, False),
        LayerInfo("second", (), 4, 6, True),
    )
    assert model.unavailable == (
        ("pooled", "has no spatial grid: output shape (1, 6, 1, 1)"),
        ("logits", "has no spatial grid: output shape (1, 6)"),
    )


def test_values_are_those_of_the_whole_graph(saved):
    model = open_model(saved(build()))
    model.prepare(["second", "first.relu", "second"])
    batch = images(3, 36, 20)
    maps = model.run(batch)
    expected = reference(model.read(), batch, ["second", "first.relu"])
    assert list(maps) == ["second", "first.relu"]
    for values, other in zip(maps.values(), expected, strict=True):
        np.testing.assert_allclose(values, other, rtol=1e-4, atol=1e-4)


def test_names_and_globs(saved):
    model = open_model(saved(build()))
    assert [request.id for request in model.resolve(["f*", "second"])] == ["first", "first.relu", "second"]
    with pytest.raises(UsageError, match=r"'logits' has no spatial grid: output shape \(1, 6\).*overlay-layers with the same --model"):
        model.resolve(["logits"])
    with pytest.raises(UsageError, match="no layer 'block3'"):
        model.resolve(["block3"])


@pytest.mark.parametrize("batch", ["n", 1, 2, 3])
def test_fixed_batch_sizes(saved, batch):
    model = open_model(saved(build(shape=(batch, 3, "h", "w"))))
    model.prepare(["second"])
    photos = images(5, 16, 24)
    together = model.run(photos)["second"]
    assert together.shape == (5, 6, 4, 6)
    assert (together == np.concatenate([model.run(photos[i : i + 1])["second"] for i in range(5)])).all()


def test_a_file_of_fixed_size(saved):
    model = open_model(saved(build(shape=(1, 3, 45, 30))))
    assert (model.fixed_size, model.multiple) == ((45, 30), 1)
    assert model.layers()[2].grid(45, 30) == (12, 8)
    model.prepare(["second"])
    assert model.run(images(2, 45, 30))["second"].shape == (2, 6, 12, 8)
    with pytest.raises(ValueError, match=r"\(45, 30\) \(height, width\) only"):
        model.run(images(1, 48, 32))


def test_borders_of_unpadded_and_padded_networks(saved):
    nodes = [
        conv("image", "thin", "first.weight", pads=[0] * 4, strides=[1, 1]),
        conv("thin", "thick", "second.weight", pads=[4] * 4),
    ]
    model = open_model(saved(build(nodes, outputs=["thick"])))
    assert [(layer.stride, layer.border) for layer in model.layers()] == [(1, (-2, -2)), (2, (2, 2))]
    model.prepare(["thin", "thick"])
    maps = model.run(images(1, 20, 32))
    assert [values.shape[2:] for values in maps.values()] == [(18, 30), (12, 18)]


def test_grids_that_do_not_follow_the_image_are_no_layers(saved):
    sizes = numpy_helper.from_array(np.array([1, 4, 7, 7]), "sizes")
    nodes = [*NODES, helper.make_node("Resize", ["first", "", "", "sizes"], ["seven"], mode="linear")]
    model = open_model(saved(build(nodes, more=[sizes])))
    reason = dict(model.unavailable)["seven"]
    assert reason == "has no grid that follows the image: output shape (1, 4, 7, 7) for 256x320 pixels"


@pytest.mark.parametrize(
    ("sizes", "grids", "fit"),
    [
        ([(64, 128), (128, 192)], [(4, 8), (8, 12)], (16, (0, 0))),
        ([(64, 128), (128, 192)], [(2, 6), (6, 10)], (16, (-2, -2))),
        ([(64, 128), (128, 192)], [(5, 9), (9, 13)], (16, (1, 1))),
        ([(64, 128), (128, 192)], [(4, 8), (4, 8)], None),
        ([(64, 128), (128, 192)], [(4, 8), (9, 13)], None),
        ([(64, 128), (128, 192)], [(4, 8), (8, 10)], None),
        ([(64, 128), (128, 192)], [(8, 12), (4, 8)], None),
        ([(64, 128), (128, 192)], [(128, 256), (256, 384)], None),
        ([(227, 227)], [(13, 13)], (17, (-1, -1))),
        ([(12, 12)], [(16, 16)], (1, (4, 4))),
        ([(4, 4)], [(8, 8)], None),
        ([(4, 4)], [(9, 9)], None),
    ],
)
def test_stride_and_border_from_grids(sizes, grids, fit):
    assert fit_grid(sizes, grids) == fit
    if fit:
        layer = LayerInfo("x", (), fit[0], 1, False, fit[1])
        assert [layer.grid(*size) for size in sizes] == grids


def test_constants_other_types_and_unnamed_outputs_are_no_layers(saved):
    nodes = [
        helper.make_node("Relu", ["first.weight"], ["constant"]),
        conv("image", "first", "constant"),
        helper.make_node("Cast", ["first"], ["halves"], to=TensorProto.FLOAT16),
        helper.make_node("Dropout", ["first"], ["dropped", ""]),
    ]
    model = open_model(saved(build(nodes, outputs=["dropped"])))
    assert [layer.module for layer in model.layers()] == ["first", "dropped"]
    assert model.unavailable == (("halves", "has no feature map: it is a tensor(float16), not a tensor(float)"),)


def test_weights_listed_among_the_inputs(saved):
    listed = [helper.make_tensor_value_info("first.weight", TensorProto.FLOAT, [4, 3, 3, 3])]
    model = open_model(saved(build(inputs=listed, ir_version=3, opset=8)))
    model.prepare(["second"])
    assert model.run(images(1, 16, 16))["second"].shape == (1, 6, 4, 4)


def test_cut_leaves_out_nodes_and_weights(saved):
    part = graph.cut(build(), ["first.relu"])
    assert [node.output[0] for node in part.graph.node] == ["first", "first.relu"]
    assert [tensor.name for tensor in part.graph.initializer] == ["first.weight"]


def test_cut_keeps_what_a_branch_reads_from_outside(saved):
    """The branches read `first` without an input of the If node naming it."""
    branches = [
        helper.make_graph(
            [helper.make_node(kind, ["first"], [kind])], kind, [], [helper.make_tensor_value_info(kind, 1, None)]
        )
        for kind in ("Relu", "Neg")
    ]
    yes = numpy_helper.from_array(np.array(True), "yes")
    nodes = [NODES[0], helper.make_node("If", ["yes"], ["either"], then_branch=branches[0], else_branch=branches[1])]
    model = open_model(saved(build(nodes, outputs=["either"], more=[yes])))
    model.prepare(["either"])
    photo = images(1, 16, 16)
    (first,) = reference(model.read(), photo, ["first"])
    np.testing.assert_allclose(model.run(photo)["either"], np.maximum(first, 0), rtol=1e-4, atol=1e-4)


def test_nan_names_the_layer(saved):
    nodes = [conv("image", "first", "first.weight"), helper.make_node("Log", ["first"], ["logged"])]
    model = open_model(saved(build(nodes, outputs=["logged"])))
    model.prepare(["first", "logged"])
    with pytest.raises(ModelError, match="Layer 'logged' of tiny gave NaN or infinity.*check --mean"):
        model.run(images(1, 16, 16))


def test_a_map_of_another_shape_than_promised_is_an_error(saved):
    model = open_model(saved(build()))
    model.layer_table = (LayerInfo("first", (), 4, 4, True),)
    model.prepare(["first"])
    with pytest.raises(ModelError, match=r"'first' of tiny gave a map of \(4, 8, 8\).*expected \(4, 4, 4\)"):
        model.run(images(1, 16, 16))


SECOND_INPUT = helper.make_tensor_value_info("mask", TensorProto.FLOAT, FREE)
ODD = numpy_helper.from_array(np.array([7, 11]), "odd")
NEVER = helper.make_node("Reshape", ["image", "odd"], ["odder"])
MINE = helper.make_node("Mine", ["second"], ["x"], domain="nowhere")
NOT_THIS_INPUT = r"expected float32 \(N, 3, H, W\)"


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (b"", r"tiny.onnx is not a readable ONNX file \(0 bytes\)"),
        (b"garbage" * 50, "not a readable ONNX file"),
        (build().SerializeToString()[:-40], "not a readable ONNX file .*truncated"),
        (build(inputs=[SECOND_INPUT]), r"tiny.onnx has 2 inputs \(image, mask\), expected one image"),
        (build(shape=(1, 64, 64, 3)), rf"takes float32 \(1, 64, 64, 3\), {NOT_THIS_INPUT}; put a transpose"),
        (build(shape=("n", "h", "w", 3)), rf"takes float32 \(\?, \?, \?, 3\), {NOT_THIS_INPUT}; put a transpose"),
        (build(shape=("n", 1, "h", "w")), rf"takes float32 \(\?, 1, \?, \?\), {NOT_THIS_INPUT}; export it"),
        (build(shape=("n", 3)), NOT_THIS_INPUT),
        (build(kind=TensorProto.UINT8), rf"takes uint8 .*{NOT_THIS_INPUT}"),
        (build(shape=(1, 3, 64, "w")), "with one side fixed: expected both or neither"),
        (build([*NODES, MINE]), "ONNX Runtime cannot load tiny.onnx .*Mine.*; export it again without custom ones"),
        (build([*NODES, MINE], shape=(1, 3, 64, 64)), "ONNX Runtime cannot load tiny.onnx .*Mine"),
        (build([conv("image", "logits", "second.weight")]), "ONNX Runtime cannot load tiny.onnx|cannot be run on"),
        (build([NEVER, *NODES], more=[ODD]), "tiny.onnx cannot be run on an image of 256x320 pixels .*; pass the size it takes with --input-size, or export it"),
        (build([helper.make_node("Shape", ["image"], ["x"])], outputs=[]), "has no layer with a spatial grid"),
        (build([helper.make_node("Relu", ["first.weight"], ["logits"])]), "has no layer with a spatial grid"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_files_that_are_refused(saved, made, message, capfd):
    with pytest.raises(ModelError, match=message) as caught:
        open_model(saved(made))
    assert "\n" not in str(caught.value)
    assert tuple(capfd.readouterr()) == ("", "")


@pytest.mark.parametrize("name", ["none.onnx", "folder.onnx"])
def test_no_such_file(tmp_path, name):
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(UsageError, match=f"No such file: '.*{name}'"):
        open_model(tmp_path / name)
