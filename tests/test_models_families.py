"""A network of every family with seeded random weights: every layer, at several sizes, against hooks of the tests' own in torch."""

import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from exporter.models import from_torchvision, open_model
from exporter.models.recipe import choose_weights
from tests.conftest import run_python
from tests.models_help import distance, noise, normalised, outputs

FREE, FIXED = ((224, 224), (160, 96), (224, 352)), ((224, 224),)
# Where a module's rows and columns stand before its channels.
NHWC = {"convnext_tiny": lambda name: re.search(r"\.block\.[1-5]$", name), "swin_t": lambda name: name not in ("features.0.0", "permute", "avgpool")}
# (network, --input-size, sizes it is run at); the first two take as long to convert as the others. densenet121 would take as long as three of
# them: its blocks concatenate as those of googlenet do, and its aliases are checked in test_models_aliases.py.
ON_ONNX = [
    ("googlenet", None, FREE),
    ("convnext_tiny", None, FREE),
    ("mobilenet_v3_small", None, FREE),
    ("resnet18", None, FREE),
    ("vgg11", None, FREE),
    ("vit_b_16", None, FIXED),
]
IN_TORCH = [("swin_t", None, FREE)]
CONVERT = """
import sys
from exporter.models import open_model
for one in sys.argv[1:]:
    name, _, size = one.partition("@")
    open_model(name, weights="random", input_size=int(size) if size else None, threads=1)
"""


@pytest.fixture(scope="session")
def families(tmp_path_factory):
    """A cache folder with all networks, converted by two processes at once."""
    folder = tmp_path_factory.mktemp("families")
    wanted = [f"{name}@{size or ''}" for name, size, _ in ON_ONNX]
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda part: run_python(CONVERT, folder, *part), (wanted[:2], wanted[2:])))
    assert [(run.returncode, run.stdout, run.stderr) for run in runs] == [(0, "", "")] * 2
    return folder


@pytest.fixture
def opened(families, monkeypatch):
    """Opens a network of that cache; nothing is converted any more."""
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(families))
    return lambda name, size=None: open_model(name, weights="random", input_size=size, notify=pytest.fail)


def eager(name, size=None):
    return from_torchvision.build(name, choose_weights("random"), (size, size) if size else None).network


def as_map(name, module, value):
    """A module's output as (n, channels, rows, cols), or None for what lies on no grid."""
    if value.ndim == 3 and value.shape[1] == 197:  # vit_b_16 at 224: a class token and 14 x 14 patches
        return value[:, 1:].permute(0, 2, 1).unflatten(2, (14, 14))
    if value.ndim == 4 and NHWC.get(name, lambda module: False)(module):
        return value.permute(0, 3, 1, 2)
    return value if value.ndim == 4 else None


def expected_maps(name, seen):
    """{module: map} of modules that ran once and returned a tensor on a grid."""
    once = {module: calls[0] for module, calls in seen.items() if len(calls) == 1 and isinstance(calls[0], torch.Tensor)}
    maps = {module: as_map(name, module, value) for module, value in once.items()}
    return {module: values for module, values in maps.items() if values is not None and values.shape[2] * values.shape[3] > 1}


@pytest.mark.parametrize(("name", "size", "sizes"), ON_ONNX + IN_TORCH)
def test_every_module_equals_torch_or_comes_with_the_reason(opened, name, size, sizes):
    model, network = opened(name, size), eager(name, size)
    assert type(model).__name__ == ("OnnxModel" if (name, size, sizes) in ON_ONNX else "TorchModel")
    assert model.fixed_size == (None if sizes is FREE else (224, 224))
    listed = [layer.module for layer in model.layers()]
    model.prepare(listed)
    grids = {}
    for height, width in sizes:
        images = noise(1, height, width)
        seen, found = outputs(network, normalised(model, images)), model.run(images)
        expected = expected_maps(name, seen)
        assert max((distance(expected[module], found[module]), module) for module in listed) < (1e-3,)
        for module, values in expected.items():
            grids.setdefault(module, set()).add(values.shape[2:])
    # A grid that is the same for images of other shapes does not lie on them.
    assert sorted(listed) == sorted(module for module, shapes in grids.items() if len(shapes) == len(sizes))
    check_reasons(dict(model.unavailable), {module: calls for module, calls in seen.items() if module not in listed})


def check_reasons(reasons, seen):
    """Modules that are no layers, all of them, and why."""
    assert reasons.keys() == seen.keys()
    for module, reason in reasons.items():
        calls = seen[module]
        if len(calls) != 1:
            assert reason == (f"is called {len(calls)} times" if calls else "is never run")
        elif not isinstance(calls[0], torch.Tensor):
            assert reason == f"returns a {type(calls[0]).__name__}"
        else:
            assert re.match(r"has no (spatial grid: output shape \(1, \d+(, 1, 1)?\)$|grid that follows the image: output shape \(2, \d+, 7, 7\) for 256x320)", reason), (module, reason)


def test_reasons_of_all_kinds_are_met(opened):
    resnet, vit, vgg = (dict(opened(name).unavailable) for name in ("resnet18", "vit_b_16", "vgg11"))
    assert resnet["layer1.0.relu"] == "is called 2 times"
    assert resnet["avgpool"] == "has no spatial grid: output shape (1, 512, 1, 1)"
    assert vit["encoder.layers.encoder_layer_0.self_attention"] == "returns a tuple"
    assert vit["encoder.layers.encoder_layer_0.self_attention.out_proj"] == "is never run"
    assert vgg["avgpool"] == "has no grid that follows the image: output shape (2, 512, 7, 7) for 256x320 pixels"


def test_a_relu_in_place_leaves_what_came_before_it(opened):
    model, network, images = opened("resnet18"), eager("resnet18"), noise(1, 96, 64)
    model.prepare(["bn1", "relu"])
    maps = model.run(images)
    with torch.inference_mode():
        before = network.bn1(network.conv1(normalised(model, images))).numpy()
    assert distance(before, maps["bn1"]) < 1e-3
    assert before.min() < 0 and next(layer for layer in model.layers() if layer.module == "bn1").signed
    assert (maps["relu"] == np.maximum(maps["bn1"], 0)).all()


def test_layers_are_in_forward_order(opened):
    names = [layer.module for layer in opened("resnet18").layers()]
    assert names[:5] == ["conv1", "bn1", "relu", "maxpool", "layer1.0.conv1"]
    assert names.index("layer1.1") < names.index("layer1") < names.index("layer2.0.conv1") < names.index("layer4")


@pytest.mark.parametrize(("name", "blocks"), [("resnet18", 4), ("googlenet", 3), ("vgg11", 3), ("mobilenet_v3_small", 4), ("convnext_tiny", 4), ("swin_t", 4), ("vit_b_16", 0)])
def test_aliases_have_their_strides(opened, name, blocks):
    found = {alias: layer.stride for layer in opened(name).layers() for alias in layer.aliases if alias.startswith("block")}
    assert found == {f"block{place}": 2 << place for place in range(1, 5) if place > 1 or name != "googlenet" if place < 4 or name != "vgg11"} if blocks else not found
    assert len(found) == blocks
