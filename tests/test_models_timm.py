"""Networks of timm, with seeded random weights: layers, tokens, aliases, and what is said where one cannot be had."""

import re
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from exporter.errors import ModelError, UsageError
from exporter.models import Preprocessing, from_timm, open_model
from tests.conftest import invoke, refused, run_python
from tests.models_help import distance, noise, normalised, offline, outputs, unconverted  # a fixture

# Of every family its smallest, so that nothing takes long.
REGISTERS, DINO, VIT, SMALL = "vit_small_patch14_reg4_dinov2", "vit_small_patch14_dinov2", "vit_tiny_patch16_224", "test_vit2"


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def in_torch(unconverted):
    """Opens networks without converting them."""
    return lambda name, **options: open_model(f"timm:{name}", weights="random", **options)


def eager(name, **options):
    torch.manual_seed(0)
    return timm.create_model(name, **options).eval()


def check_tokens(model, network, height, width, patch, prefix):
    """Every output of as many tokens as there are patches, with or without those before them, is a layer of its values."""
    images, rows, cols = noise(1, height, width), height // patch, width // patch
    seen = {name: calls[0] for name, calls in outputs(network, normalised(model, images)).items() if len(calls) == 1 and isinstance(calls[0], torch.Tensor)}
    counts = {rows * cols: 0, rows * cols + prefix: prefix}
    expected = {
        name: values[:, counts[values.shape[1]] :].permute(0, 2, 1).reshape(1, -1, rows, cols)
        for name, values in seen.items()
        if values.ndim == 3 and values.shape[1] in counts
    }
    model.prepare(expected)
    found = model.run(images)
    assert len(expected) > 12 * len(network.blocks) and f"blocks.{len(network.blocks) - 1}" in expected
    assert max(distance(expected[name], found[name]) for name in expected) < 1e-3
    assert {layer.module: (layer.layout, layer.prefix, layer.stride) for layer in model.layers() if layer.module in expected} == {
        name: ("tokens", counts[seen[name].shape[1]], patch) for name in expected
    }


def test_a_graph_with_registers_on_an_image_that_is_no_square():
    model = open_model(f"timm:{SMALL}", weights="random", input_size=(96, 160))
    assert (type(model).__name__, model.fixed_size, model.multiple, model.notes) == ("OnnxModel", (96, 160), 1, ())
    assert (model.name, model.id, model.source) == (f"{SMALL} (timm), random weights", SMALL, f"timm:{SMALL}")
    check_tokens(model, eager(SMALL, img_size=(96, 160)), 96, 160, 16, 1)


@pytest.mark.parametrize(
    ("name", "size", "patch", "prefix"),
    [(DINO, (98, 98), 14, 1), (REGISTERS, (98, 70), 14, 5), (VIT, None, 16, 1), ("deit_tiny_distilled_patch16_224", None, 16, 2)],
)
def test_class_tokens_and_registers_stand_before_the_patches(in_torch, name, size, patch, prefix):
    model = in_torch(name, input_size=size)
    assert model.fixed_size == (size or (224, 224))
    check_tokens(model, eager(name, **({"img_size": size} if size else {})), *model.fixed_size, patch, prefix)
    assert not any(layer.aliases for layer in model.layers())


def test_prefix_tokens_can_be_said(in_torch):
    right, wrong = (in_torch(DINO, input_size=98, prefix_tokens=given) for given in (1, 4))
    assert "blocks.11" in [layer.module for layer in right.layers()] and right.prefix_tokens == 1
    reason = "is a sequence of 50 tokens, which is no grid of patches after 4 other tokens; see --prefix-tokens"
    assert dict(wrong.unavailable)["blocks.11"] == reason
    with pytest.raises(UsageError, match=f"Layer 'blocks.11' {reason}, so there is no one map to overlay"):
        wrong.resolve(["blocks.11"])
    with pytest.raises(UsageError, match="--prefix-tokens is -1: expected 0 or more"):
        in_torch(DINO, prefix_tokens=-1)


def test_a_network_of_any_size(in_torch):
    model, network = in_torch("resnet18"), eager("resnet18")
    assert (model.fixed_size, model.multiple) == (None, 32)
    assert model.preprocessing == Preprocessing((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), (0, 1))
    names = [layer.module for layer in model.layers()]
    model.prepare(names)
    for size in ((224, 224), (160, 96)):
        images = noise(1, *size)
        seen, found = outputs(network, normalised(model, images)), model.run(images)
        maps = {name: calls[0] for name, calls in seen.items() if len(calls) == 1 and calls[0].ndim == 4 and calls[0].shape[2] > 1}
        assert maps.keys() == set(names)
        assert max(distance(maps[name], found[name]) for name in names) < 1e-3
    assert np.array_equal(found["bn1"].clip(0), found["act1"])


def test_a_size_is_passed_on_or_taken_as_it_is(in_torch):
    assert in_torch("resnet18", input_size=(64, 96)).fixed_size == (64, 96)
    assert in_torch(VIT, input_size=64).layers()[0].grid(64, 64) == (4, 4)


def test_numbers_of_the_preprocessing_are_timms(in_torch):
    assert in_torch(VIT).preprocessing == Preprocessing((0.5,) * 3, (0.5,) * 3, (0, 1))
    assert in_torch(VIT, mean=[0]).preprocessing == Preprocessing((0,) * 3, (0.5,) * 3, (0, 1))


# The ends of the last blocks with a path around them; those of torchvision's are these under other names.
@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("resnet18", "layer1 layer2 layer3 layer4"),
        ("convnext_atto", "stages.0 stages.1 stages.2 stages.3"),
        ("swin_tiny_patch4_window7_224", "layers.0 layers.1 layers.2 layers.3"),
        ("efficientnet_lite0", "blocks.1 blocks.2 blocks.4 blocks.5.3"),
        ("efficientnet_b1", "blocks.1 blocks.2 blocks.4 blocks.6"),
        ("mobilenetv2_100", "blocks.1 blocks.2 blocks.4 blocks.5.2"),
        ("mobilenetv3_small_100", "blocks.0 blocks.1 blocks.3 blocks.4.2"),
        ("vgg11", "features.9 features.14 features.19"),
        ("vit_tiny_patch16_224", ""),
        ("hrnet_w18_small", "stage1 stage2 stage3 stage4"),
    ],
)
def test_aliases(name, blocks):
    with torch.device("meta"):
        found = from_timm._aliases(timm.create_model(name))
    assert found == {f"block{place}": module for place, module in enumerate(blocks.split(), 1)}


def test_networks_without_a_list_of_their_maps_have_no_aliases():
    assert from_timm._aliases(torch.nn.Conv2d(3, 3, 1)) == {}


def test_weights_from_a_file(in_torch, tmp_path):
    network = timm.create_model("resnet18")
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    model = open_model("timm:resnet18", weights=tmp_path / "w.safetensors")
    assert model.name == "resnet18 (timm), w.safetensors"
    assert all((value == model.built().network.state_dict()[name]).all() for name, value in network.state_dict().items())
    with pytest.raises(ModelError, match=r"w.safetensors does not fit the network: \d+ missing keys, the first cls_token; 122 unexpected keys, the first bn1"):
        open_model(f"timm:{VIT}", weights=tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    ("spec", "options", "message"),
    [
        ("timm:resnet19", {}, r"timm knows no network 'resnet19': did you mean resnet1\d\w*.* or .*\? timm.list_models\(\) lists all"),
        ("timm:zzzz", {}, r"timm knows no network 'zzzz': timm.list_models\(\) lists all"),
        ("timm:", {}, "timm knows no network ''"),
        ("timm:resnet18", {"weights": "IMAGENET1K_V1"}, "timm has no weights 'IMAGENET1K_V1' for resnet18: expected 'random' or a file; timm's own sets are part of the name"),
    ],
)
def test_what_timm_does_not_have(spec, options, message):
    with pytest.raises(UsageError, match=message):
        open_model(spec, **{"weights": "random", **options})


def test_without_timm(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(from_timm, "version", missing)
    message = 'timm:resnet18 needs the package timm, which is not installed: pip install "overlay-export[timm]".'
    refused(invoke("overlay-layers", "--model", "timm:resnet18"), 2, "^Error: " + re.escape(message) + "$")


def test_the_extra_is_one_of_the_package():
    from importlib.metadata import metadata

    import tomllib
    from tests.conftest import ROOT

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert extras["timm"] == ["timm"] and metadata("timm")["Name"] == "timm"


LAYERS = """
import sys, time
time.sleep = lambda seconds: None  # between the tries of a download
from exporter.cli import layers_command as run
run(["--model", "timm:resnet18"], prog_name="overlay-layers")
"""


def test_a_download_that_fails_is_one_error(monkeypatch, tmp_path):
    for name, value in {**offline(), "HF_HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    run = run_python(LAYERS, tmp_path / "cache")
    message = r"Error: timm could not make resnet18 \([^\n]+\): expected its weights to be in the hub's cache or to be downloaded; [^\n]*or leave out --model: the default network needs no download\.\n"
    refused(run, 1, f"^{message}$")
    assert run.stderr.count("\n") == 1
