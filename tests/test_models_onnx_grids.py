"""How the tensors of an ONNX file lie on an image: patch tokens, channels last, strides, and the sizes a file takes."""

import numpy as np
import pytest
from onnx import helper, numpy_helper

from exporter.errors import ModelError, UsageError
from exporter.models import open_model
from tests.conftest import contents, invoke, refused
from tests.onnx_graphs import CHANNELS, FREE, NODES, build, conv, images, reference, transformer

FIXED = (1, 3, 64, 96)
NAMES = ["patches", "tokens", "last"]


def layer(model, name):
    return next((one for one in model.layers() if one.module == name), None)


@pytest.mark.parametrize("prefix", [0, 1, 5])
@pytest.mark.parametrize("shape", [FREE, FIXED], ids=["free", "fixed"])
def test_tokens_and_channels_last_are_layers(saved, shape, prefix):
    made = transformer(prefix=prefix, shape=shape)
    model = open_model(saved(made))
    assert (model.fixed_size, model.multiple) == ((None, 16) if shape is FREE else ((64, 96), 1))
    found = {one.module: (one.stride, one.channels, one.layout, one.prefix) for one in model.layers()}
    assert found["patches"] == (16, CHANNELS, "NCHW", 0)
    assert found["last"] == (16, CHANNELS, "NHWC", 0)
    assert found["tokens"] == (16, CHANNELS, "tokens", prefix)
    model.prepare(NAMES)
    for height, width in ((64, 96), (112, 32))[: 2 if shape is FREE else 1]:
        photo = images(2, height, width)
        maps = model.run(photo)
        (expected,) = reference(made, photo, ["patches"])
        assert expected.shape == (2, CHANNELS, height // 16, width // 16)
        for name in NAMES:
            assert maps[name].flags.c_contiguous
            np.testing.assert_allclose(maps[name], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [FREE, FIXED], ids=["free", "fixed"])
def test_attention_maps_are_no_layers(saved, shape):
    reasons = dict(open_model(saved(transformer(shape=shape))).unavailable)
    tokens = 25 if shape is FIXED else 321
    for name in ("scores", "attention"):
        assert reasons[name].startswith(f"has no grid that follows the image: output shape (1, 2, {tokens}, {tokens}) for ")
    for name in ("heads", "queries", "keys"):
        assert reasons[name].startswith("has no grid that follows the image")


def test_tokens_of_which_two_grids_can_be_made_need_their_prefix(saved):
    """17 tokens of 32 x 32 pixels: 1 + 4 x 4 or 13 + 2 x 2."""
    path = saved(transformer(8, prefix=1, shape=(1, 3, 32, 32)))
    reason = dict(open_model(path).unavailable)["tokens"]
    assert reason == "is a sequence of 17 tokens, of which it is not clear how many stand before those of the patches; say so with --prefix-tokens"
    one, thirteen, two = (open_model(path, prefix_tokens=prefix) for prefix in (1, 13, 2))
    assert [(layer(model, "tokens").stride, layer(model, "tokens").prefix) for model in (one, thirteen)] == [(8, 1), (16, 13)]
    assert layer(thirteen, "tokens").grid(32, 32) == (2, 2)
    assert dict(two.unavailable)["tokens"] == "is a sequence of 17 tokens, which is no grid of patches after 2 other tokens; see --prefix-tokens"
    one.prepare(["patches", "tokens"])
    maps = one.run(images(1, 32, 32))
    assert (maps["tokens"] == maps["patches"]).all()


@pytest.mark.parametrize("prefix", [0, 2])
def test_a_wrong_prefix_of_a_file_of_free_size(saved, prefix):
    path = saved(transformer(prefix=1))
    assert layer(open_model(path, prefix_tokens=1), "tokens").prefix == 1
    model = open_model(path, prefix_tokens=prefix)
    assert layer(model, "tokens") is None and layer(model, "patches").stride == 16
    assert dict(model.unavailable)["tokens"] == f"is a sequence of 321 tokens, which is no grid of patches after {prefix} other tokens; see --prefix-tokens"


def test_prefix_tokens_on_the_command_line(saved, photos, tmp_path):
    path = saved(transformer(8, prefix=1, shape=(1, 3, 32, 32)))
    run = invoke("overlay-layers", "--model", path)
    assert "tokens: not available, is a sequence of 17 tokens, of which it is not clear" in run.stdout
    run = invoke("overlay-layers", "--model", path, "--prefix-tokens", 1)
    assert "tokens 8 4 x 4 16 signed".split() in [line.split() for line in run.stdout.splitlines()]
    export = ["overlay-export", photos, "-o", tmp_path / "site", "--model", path, "--layers", "tokens", "--quiet"]
    refused(invoke(*export), 2, "Layer 'tokens' is a sequence of 17 tokens.*say so with --prefix-tokens", "overlay-layers with the same --model lists all")
    assert not (tmp_path / "site").exists()
    assert invoke(*export, "--prefix-tokens", 1).exit_code == 0
    before = contents(tmp_path / "site")
    refused(invoke(*export, "--force", "--prefix-tokens", 2), 2, "which is no grid of patches after 2 other tokens; see --prefix-tokens")
    refused(invoke(*export, "--force", "--prefix-tokens", -1), 2, "--prefix-tokens", "-1 is not in the range x>=0")
    assert contents(tmp_path / "site") == before
    assert invoke("overlay-verify", tmp_path / "site", "--images", photos, "--model", path).exit_code == 0


@pytest.mark.parametrize("before", [[], [helper.make_node("Neg", ["image"], ["turned"])]], ids=["alone", "after a map of every pixel"])
def test_patches_of_14_pixels_at_free_size(saved, before):
    made = transformer(14, prefix=1, nodes=before, source="turned" if before else "image")
    model = open_model(saved(made))
    assert [layer(model, name).stride for name in NAMES] == [14] * 3
    assert (model.multiple, model.fixed_size) == (14, None)
    model.prepare(["tokens"])
    photo = images(1, 42, 98)
    (expected,) = reference(made, photo, ["patches"])
    np.testing.assert_allclose(model.run(photo)["tokens"], expected, rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match=r"multiples of 14, got \(48, 96\)"):
        model.run(images(1, 48, 96))


def bound_classifier():
    """A classifier that was traced at 224 behind two convolutions; the file says that any size will do."""
    flat = numpy_helper.from_array(np.array([1, 6 * 56 * 56]), "flat")
    return build([*NODES[:3], helper.make_node("Reshape", ["second", "flat"], ["logits"])], more=[flat])


def test_a_classifier_bound_to_a_size_binds_no_layer(saved):
    model = open_model(saved(bound_classifier()))
    assert (model.fixed_size, model.multiple) == (None, 4)
    assert [one.module for one in model.layers()] == ["first", "first.relu", "second"]
    assert model.unavailable == (("logits", "cannot be computed at every size, as the graph says it can (see --input-size)"),)
    model.prepare(["second"])
    photo = images(1, 36, 20)
    (expected,) = reference(build(), photo, ["second"])
    np.testing.assert_allclose(model.run(photo)["second"], expected, rtol=1e-4, atol=1e-4)


def test_positions_bound_to_224_bind_the_network(saved):
    model = open_model(saved(transformer(positions=197)))
    assert (model.fixed_size, model.multiple) == ((224, 224), 1)
    assert (layer(model, "placed").stride, layer(model, "placed").prefix) == (16, 1)
    model.prepare(["placed"])
    assert model.run(images(1, 224, 224))["placed"].shape == (1, CHANNELS, 14, 14)


def test_positions_bound_to_another_size_need_it_said(saved, photos, tmp_path):
    path = saved(transformer(positions=37))
    model = open_model(path)
    assert (model.fixed_size, layer(model, "placed")) == (None, None)
    with pytest.raises(UsageError, match=r"'placed' cannot be computed at every size, .* \(see --input-size\)"):
        model.resolve(["placed"])
    told = open_model(path, input_size=96)
    assert told.fixed_size == (96, 96) and layer(told, "placed").grid(96, 96) == (6, 6)
    run = invoke("overlay-export", photos, "-o", tmp_path / "site", "--model", path, "--layers", "placed", "--input-size", 96)
    assert (run.exit_code, run.stderr) == (0, "")  # it was asked for
    assert invoke("overlay-verify", tmp_path / "site", "--images", photos, "--model", path).exit_code == 0


def test_an_input_size_at_which_a_network_fails_says_so(saved):
    path = saved(build([conv("image", "first", "first.weight", strides=[1, 1]), helper.make_node("Add", ["first", "bias"], ["sum"])], outputs=["sum"], more=[numpy_helper.from_array(np.ones((1, 4, 40, 40), np.float32), "bias")]))
    assert layer(open_model(path, input_size=40), "sum").stride == 1
    with pytest.raises(ModelError, match=r"cannot be run on an image of 48x48 pixels \(height x width\): .*; pass the size it takes with --input-size"):
        open_model(path, input_size=48)


@pytest.mark.parametrize(("given", "size"), [(96, (96, 96)), ((48, 80), (48, 80)), ([48], (48, 48))], ids=str)
def test_an_input_size_makes_a_free_file_one_of_that_size(saved, given, size):
    model = open_model(saved(build()), input_size=given)
    assert (model.fixed_size, model.multiple) == (size, 1)
    assert layer(model, "second").grid(*size) == (size[0] // 4, size[1] // 4)
    model.prepare(["second"])
    photo = images(1, *size)
    (expected,) = reference(build(), photo, ["second"])
    np.testing.assert_allclose(model.run(photo)["second"], expected, rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match=r"\(height, width\) only"):
        model.run(images(1, 32, 32))


def test_an_input_size_that_a_fixed_file_does_not_take(saved, photos, tmp_path):
    path = saved(build(shape=(1, 3, 45, 30)))
    assert open_model(path, input_size=(45, 30)).fixed_size == (45, 30)
    with pytest.raises(UsageError, match=r"tiny.onnx takes images of 45x30 pixels \(height x width\) only, --input-size says 30x45; leave it out"):
        open_model(path, input_size=(30, 45))
    export = ["overlay-export", photos, "-o", tmp_path / "site", "--model", path, "--layers", "second", "--quiet"]
    assert invoke(*export, "--input-size", "45,30").exit_code == 0
    before = contents(tmp_path / "site")
    refused(invoke(*export, "--force", "--input-size", 224), 2, "^Error: tiny.onnx takes images of 45x30 pixels .* only, --input-size says 224x224; leave it out")
    assert contents(tmp_path / "site") == before
