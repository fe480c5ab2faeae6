"""Layers by names, aliases and globs, and networks by name."""

import pytest

from exporter.errors import UsageError
from exporter.models import open_model
from tests.models_help import model  # a fixture


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
        ("blok3", "has no layer 'blok3': near names are .*block3.*; overlay-layers with the same --model lists all."),
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


@pytest.mark.parametrize(
    ("spec", "near"),
    [("resnet-50", "'resnet50'"), ("ResNet18", "'resnet18'"), ("vgg-16", "'vgg16'"), ("googLeNet", "'googlenet'"), ("vit_b16", "'vit_b_16'")],
)
def test_unknown_network_names_near_ones_of_torchvision(spec, near):
    with pytest.raises(UsageError, match=f"Unknown network '{spec}'.*; did you mean .*{near}"):
        open_model(spec)


@pytest.mark.parametrize("spec", ["", "zzz", "photo.jpg", "fasterrcnn_resnet50_fpn", "raft_small", "r3d_18", "a/b:c"])
def test_unknown_network_says_what_is_known(spec):
    known = "known are 'efficientnet-lite0', torchvision's classification networks such as 'resnet50', timm:NAME, files ending in .onnx, and module:function or file.py:function for your own; "
    with pytest.raises(UsageError) as caught:
        open_model(spec)
    assert str(caught.value).startswith(f"Unknown network '{spec}': {known}")
    assert str(caught.value).endswith(("use one of these.", "?"))
