"""Several networks in one bundle: ids and order, images published once, the same codes as each network's own export."""

import hashlib
import json
from itertools import combinations

import numpy as np
import pytest

import exporter
from exporter import page
from exporter.errors import ExportError, ModelError, UsageError
from exporter.verify import measure_error
from tests.conftest import contents, invoke, make_photo, recorded_progress
from tests.onnx_graphs import build, conv, helper, tiny

LAYERS = ["shallow", "deep"]


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """{name: path}: `one` and `two` of free size, `wide` and `square` of a fixed one."""
    folder = tmp_path_factory.mktemp("networks")
    shapes = {"one": ("n", 3, "h", "w"), "two": ("n", 3, "h", "w"), "wide": (1, 3, 48, 96), "square": (1, 3, 48, 48)}
    return {name: tiny(folder / f"{name}.onnx", seed, shape) for seed, (name, shape) in enumerate(shapes.items())}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Five photos of four shapes."""
    folder = tmp_path_factory.mktemp("pictures")
    for seed, size in enumerate([(96, 64), (64, 96), (200, 150), (80, 80), (96, 64)]):
        make_photo(folder / f"p{seed}.png", seed, size)
    return folder


def export(pictures, networks, names, output, **options):
    options = {"layers": LAYERS, "size": 64, **options}
    return exporter.export(pictures, output, model=[networks[name] for name in names], **options)


@pytest.fixture(scope="module")
def three(pictures, networks, tmp_path_factory):
    """A site of three networks, one of them of fixed size."""
    site = tmp_path_factory.mktemp("three") / "site"
    export(pictures, networks, ["one", "wide", "two"], site)
    return site


@pytest.fixture(scope="module")
def alone(pictures, networks, tmp_path_factory):
    """{name: bundle} of each network's own export."""
    folder = tmp_path_factory.mktemp("alone")
    return {name: exporter.load_bundle(export(pictures, networks, [name], folder / name).output) for name in networks}


def test_ids_and_order(three, networks):
    content = exporter.load_bundle(three).manifest
    assert [(network.id, network.name, network.source) for network in content.networks] == [(name, name, f"{name}.onnx") for name in ("one", "wide", "two")]
    assert [network.weights_sha256 for network in content.networks] == [hashlib.sha256(networks[name].read_bytes()).hexdigest() for name in ("one", "wide", "two")]
    assert [(layer.id, layer.network, layer.module) for layer in content.layers] == [
        (f"{name}/{layer}", name, layer) for name in ("one", "wide", "two") for layer in LAYERS
    ]
    files = [shard.file for layer in content.layers for shard in layer.shards]
    assert files[0] == "features/0-one-shallow-0000.bin" and files[5] == "features/5-two-deep-0000.bin"
    assert sorted(files) == sorted(name for name in contents(three) if name.startswith("features/"))
    assert content.selection.layer == "two/deep"


def test_within_a_network_from_shallow_to_deep_whatever_the_order_asked_for(pictures, networks, tmp_path):
    report = export(pictures, networks, ["two", "one"], tmp_path / "site", layers=["deep", "shallow"])
    assert [layer.id for layer in report.manifest.layers] == ["two/shallow", "two/deep", "one/shallow", "one/deep"]
    assert report.manifest.selection.layer == "one/deep"


def test_codes_are_those_of_each_network_alone(three, alone):
    bundle = exporter.load_bundle(three)
    for layer in bundle.layers:
        own = alone[layer.network]
        own_layer = next(one for one in own.layers if one.id == layer.module)
        assert (layer.range, layer.error, layer.grids, layer.signed, layer.stride) == (own_layer.range, own_layer.error, own_layer.grids, own_layer.signed, own_layer.stride)
        for image in bundle.images:
            assert np.array_equal(bundle.codes(image, layer), own.codes(image.id, own_layer))
    assert set(bundle.layers[2].grids) == {(12, 24)} and len(set(bundle.layers[0].grids)) == 4
    assert not np.array_equal(bundle.codes("p3", "one/deep"), bundle.codes("p3", "two/deep"))


def test_similarities_stay_within_a_layer(three, alone):
    scores = exporter.load_bundle(three).similarity("p2", "two/deep", 3, 4)
    own = alone["two"].similarity("p2", "deep", 3, 4)
    assert list(scores) == list(own) and all(np.array_equal(scores[id], own[id]) for id in own)


@pytest.mark.parametrize("names", [["one", "wide"], ["wide", "one"], ["one", "two"]], ids=" ".join)
def test_images_are_published_once_the_same_whatever_the_networks(pictures, networks, three, tmp_path, names):
    report = export(pictures, networks, names, tmp_path / "two")
    assert report.manifest.images == exporter.load_bundle(three).manifest.images
    two, all_three = ({name: data for name, data in contents(folder).items() if name.startswith("images/")} for folder in (tmp_path / "two", three))
    assert len(two) == 5 and two == all_three


def test_only_networks_of_fixed_size_say_so(pictures, networks, tmp_path):
    report = export(pictures, networks, ["one", "wide", "square"], tmp_path / "site")
    assert report.warnings == (
        "wide.onnx takes only images of 48 x 96 pixels (height x width): they were brought to that shape, --size 64 was not used",
        "square.onnx takes only images of 48 x 48 pixels (height x width): they were brought to that shape, --size 64 was not used",
    )
    stated = [json.loads(contents(tmp_path / "site")["bundle.json"])["networks"][i].get("input_size") for i in range(3)]
    assert stated == [None, [48, 96], [48, 48]]


def test_crops_of_one_shape_go_together(pictures, networks, tmp_path):
    report = export(pictures, networks, ["one", "square"], tmp_path / "site", fit="crop", display_size=72)
    assert {(image.width, image.height) for image in report.manifest.images} == {(64, 64), (72, 72)}
    assert [set(layer.grids) for layer in report.manifest.layers] == [{(16, 16)}, {(8, 8)}, {(12, 12)}, {(6, 6)}]


@pytest.mark.parametrize("names", [["one", "wide"], ["wide", "one"], ["one", "square", "wide"]], ids=" ".join)
def test_crops_of_several_shapes_do_not(pictures, networks, tmp_path, names):
    other = "wide" if names[0] == "one" else "one"
    with pytest.raises(UsageError, match=f"^--fit crop cuts another shape for {other} than for {names[0]}: expected networks of one input shape; use --fit stretch") as caught:
        export(pictures, networks, names, tmp_path / "site", fit="crop")
    assert caught.value.exit_code == 2 and not list(tmp_path.iterdir())
    for fit in ("stretch", "contain"):
        assert len(export(pictures, networks, names, tmp_path / fit, fit=fit).manifest.networks) == len(names)


def test_progress_is_told_for_each_network(pictures, networks, tmp_path):
    progress, told = recorded_progress()
    export(pictures, networks, ["two", "wide"], tmp_path / "site", progress=progress)
    layers = [layer.id for layer in exporter.load_bundle(tmp_path / "site").layers]
    assert told == [("Checking images", 5, 5), ("Running two", 5, 5), ("Running wide", 5, 5), *((f"Writing {layer}", 5, 5) for layer in layers)]


def test_one_file_holds_the_same(three, pictures, networks, tmp_path):
    export(pictures, networks, ["one", "wide", "two"], tmp_path / "page.html")
    found, bundle = exporter.load_bundle(tmp_path / "page.html"), exporter.load_bundle(three)
    assert found.manifest == bundle.manifest
    assert all(np.array_equal(found.codes(image, layer), bundle.codes(image, layer)) for image in bundle.images for layer in bundle.layers)
    assert invoke("overlay-verify", tmp_path / "page.html").exit_code == 0


def test_the_limit_of_one_file_is_for_all_networks_together(pictures, networks, tmp_path, monkeypatch):
    sizes = [layer.shards[0].bytes for layer in export(pictures, networks, ["one", "two"], tmp_path / "site").manifest.layers]
    monkeypatch.setattr(page, "MAX_FEATURE_BYTES", sum(sizes) - 1000)
    assert export(pictures, networks, ["one"], tmp_path / "one.html").output.is_file()
    with pytest.raises(ExportError, match=r"^the features of \d of 5 images already take 0 MB, a single-file page may hold 0 MB; write a folder"):
        export(pictures, networks, ["one", "two"], tmp_path / "two.html")
    assert {path.name for path in tmp_path.iterdir() if not path.name.startswith(".")} == {"site", "one.html"}


@pytest.mark.parametrize("options", [{"threads": 1}, {"threads": 4}, {"batch_size": 3}, {"threads": 2, "batch_size": 100}], ids=str)
def test_bytes_do_not_depend_on_threads_and_batches(three, pictures, networks, tmp_path, options):
    export(pictures, networks, ["one", "wide", "two"], tmp_path / "site", **options)
    assert contents(tmp_path / "site") == contents(three)


def test_a_second_network_that_fails_leaves_the_target_as_it_was(three, pictures, networks, tmp_path):
    nodes = [conv("image", "first", "first.weight"), helper.make_node("Log", ["first"], ["shallow"]), helper.make_node("Neg", ["first"], ["deep"])]
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(build(nodes, outputs=["shallow", "deep"]).SerializeToString())
    export(pictures, networks, ["one"], tmp_path / "site")
    before = contents(tmp_path / "site")
    with pytest.raises(ModelError, match=r"p\d.png: Layer 'shallow' of bad gave NaN or infinity"):
        export(pictures, {**networks, "bad": bad}, ["one", "bad"], tmp_path / "site", force=True)
    assert contents(tmp_path / "site") == before and {path.name for path in tmp_path.iterdir() if not path.name.startswith(".")} == {"bad.onnx", "site"}


def test_opened_networks(three, pictures, networks, tmp_path):
    models = [exporter.open_model(networks[name]) for name in ("one", "wide", "two")]
    exporter.export(pictures, tmp_path / "site", model=models, layers=LAYERS, size=64)
    assert contents(tmp_path / "site") == contents(three)
    for mixed in ({"model": [models[0], str(networks["two"])]}, {"model": models[:2], "weights": "random"}, {"model": models[0], "checkpoints": ["x.pt"]}):
        with pytest.raises(UsageError, match="an opened Model goes with other opened ones only, and with no weights or checkpoints; pass specs instead"):
            exporter.export(pictures, tmp_path / "other", layers=LAYERS, **mixed)
    with pytest.raises(UsageError, match="two networks have the label 'one'"):
        exporter.export(pictures, tmp_path / "other", model=[models[0], models[0]], layers=LAYERS)
    assert not (tmp_path / "other").exists()


def test_the_true_error_is_measured_for_each_network(three, pictures, networks):
    """So few patches that the export measured all of them."""
    bundle = exporter.load_bundle(three)
    found = measure_error(bundle, [pictures], [networks[name] for name in ("one", "wide", "two")])
    assert list(found) == [layer.id for layer in bundle.layers]
    sampled = [layer for layer in bundle.layers if layer.error.patches == sum(rows * cols for rows, cols in layer.grids)]
    assert len(sampled) == len(bundle.layers)
    assert all(found[layer.id] == layer.error for layer in bundle.layers)
    assert all(found[a.id] != found[b.id] for a, b in combinations(bundle.layers, 2))
