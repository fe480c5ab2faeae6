"""Which networks an export runs: labels, weights, checkpoints and layers, in whatever number."""

from pathlib import Path

import pytest
import torch
from torch import nn

from exporter import export, load_bundle
from exporter.errors import ModelError, UsageError
from exporter.models import LayerInfo, open_model
from exporter.models.preprocessing import IMAGENET
from exporter.models.session import OnnxModel
from exporter.networks import NetworkRequest, open_networks, requested_networks
from tests.conftest import invoke, make_photo, refused
from tests.models_help import unconverted  # a fixture


def labels(*arguments):
    return [one.label for one in requested_networks(*arguments)]


def stand_in(label, *layers):
    """A model that is never run, of layers {name: alias}."""
    table = tuple(LayerInfo(name, (alias,) if alias else (), 16, 8, True) for name, alias in layers)
    return OnnxModel(name=f"{label}, tested", id=label, source=f"{label}.onnx", weights_sha256="0" * 64, preprocessing=IMAGENET, layer_table=table, read=None)


A, B = stand_in("a", ("x", ""), ("y", "block3"), ("z", "block4")), stand_in("b", ("x", ""), ("q", "block3"))


def test_without_a_model_it_is_the_default_network():
    assert requested_networks([]) == requested_networks(()) == [NetworkRequest("efficientnet-lite0", "efficientnet-lite0", None)]


@pytest.mark.parametrize(
    ("spec", "label", "opens"),
    [
        ("resnet50", "resnet50", "resnet50"),
        ("mine=resnet50", "mine", "resnet50"),
        (" my net =resnet50", "my net", "resnet50"),
        ("folder/net.onnx", "net", "folder/net.onnx"),
        ("folder/NET.V2.ONNX", "NET.V2", "folder/NET.V2.ONNX"),
        ("late=folder/net.onnx", "late", "folder/net.onnx"),
        ("timm:vit_base_patch16_224.dino", "vit_base_patch16_224.dino", "timm:vit_base_patch16_224.dino"),
        ("a=timm:resnet18", "a", "timm:resnet18"),
        ("code/net.py:make", "make", "code/net.py:make"),
        ("first=package.net:make", "first", "package.net:make"),
        ("a=b=c.onnx", "a", "b=c.onnx"),
        ("folder=x/net.onnx", "folder", "x/net.onnx"),
        ("runs/lr=3/net.onnx", "net", "runs/lr=3/net.onnx"),
        ("=net.onnx", "=net", "=net.onnx"),
        (" =net.onnx", " =net", " =net.onnx"),
    ],
)
def test_labels_and_specs(spec, label, opens):
    assert requested_networks([spec]) == requested_networks(spec) == [NetworkRequest(label, opens, None)]


def test_a_file_whose_name_holds_an_equals_sign(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("epoch=3.onnx", "epoch=3-step=9.ckpt"):
        (tmp_path / name).write_bytes(b"")
    assert requested_networks(["epoch=3.onnx"]) == [NetworkRequest("epoch=3", "epoch=3.onnx", None)]
    assert labels(["resnet18"], [], ["epoch=3-step=9.ckpt"]) == ["epoch=3-step=9"]
    assert requested_networks(["late=epoch=3.onnx"]) == [NetworkRequest("late", "epoch=3.onnx", None)]


def test_paths_are_taken_as_text():
    assert requested_networks(Path("a/b.onnx")) == [NetworkRequest("b", "a/b.onnx", None)]
    assert requested_networks("resnet18", Path("w.pt"))[0].weights == "w.pt"


@pytest.mark.parametrize(
    ("models", "weights", "expected"),
    [
        (["a", "b"], [], [None, None]),
        (["a", "b"], ["random"], ["random", "random"]),
        (["a", "b"], ["one.pt", "two.pt"], ["one.pt", "two.pt"]),
        (["a"], ["one.pt"], ["one.pt"]),
        ([], "random", ["random"]),
    ],
)
def test_weights_once_for_all_or_once_for_each(models, weights, expected):
    assert [one.weights for one in requested_networks(models, weights)] == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a"], ["1", "2"]), "--weights is given 2 times for 1 network: expected it once for all, or once for each --model in order."),
        ((["a", "b", "c"], ["1", "2"]), "--weights is given 2 times for 3 networks: expected it once for all, or once for each --model in order."),
        (([], ["1", "2"]), "--weights is given 2 times for 1 network: expected"),
        ((["a", "b"], [], ["1.pt"]), "--checkpoint goes with one --model and no --weights: expected one architecture, whose weights the checkpoints are."),
        ((["a"], ["random"], ["1.pt"]), "--checkpoint goes with one --model and no --weights: expected"),
        ((["a", "a"],), "two networks have the label 'a': expected a different one for each; give labels, as in --model first=a or --checkpoint epoch1=FILE."),
        ((["one/net.onnx", "two/net.onnx"],), "two networks have the label 'net': expected"),
        ((["x=a", "x=b"],), "two networks have the label 'x': expected"),
        ((["timm:resnet18", "resnet18"],), "two networks have the label 'resnet18': expected"),
        ((["a"], [], ["one/last.pt", "two/last.pt"]), "two networks have the label 'last': expected"),
    ],
)
def test_what_does_not_go_together(arguments, message):
    with pytest.raises(UsageError) as caught:
        requested_networks(*arguments)
    assert str(caught.value).startswith(message)


def test_the_command_refuses_it_too(tmp_path):
    photo = make_photo(tmp_path / "a.png", 1)
    common = ("overlay-export", photo, "-o", tmp_path / "site")
    refused(invoke(*common, "--model", "resnet18", "--model", "resnet18"), 2, r"^Error: two networks have the label 'resnet18'[^\n]*\n$")
    refused(invoke(*common, "--weights", "random", "--weights", "random"), 2, "^Error: --weights is given 2 times for 1 network")
    refused(invoke(*common, "--model", "a", "--model", "b", "--checkpoint", "c.pt"), 2, "^Error: --checkpoint goes with one --model")


def test_checkpoints_are_networks_of_one_architecture():
    assert requested_networks(["own.py:net"], [], ["runs/epoch-1.pt", "last=runs/epoch-9.pt"]) == [
        NetworkRequest("epoch-1", "own.py:net", "runs/epoch-1.pt"),
        NetworkRequest("last", "own.py:net", "runs/epoch-9.pt"),
    ]
    with pytest.raises(UsageError, match="--model x=own.py:net has a label, but its checkpoints are the networks: expected labels there, as in --checkpoint x=FILE"):
        requested_networks(["x=own.py:net"], [], ["e.pt"])
    assert requested_networks([], [], "w.pt") == [NetworkRequest("w", "efficientnet-lite0", "w.pt")]


def ids(networks):
    return [[(layer.id, layer.info.module) for layer in network.layers] for network in networks]


def test_layers_of_one_network_keep_their_names():
    assert ids(open_networks([A], None)) == [[("block3", "y"), ("block4", "z")]]
    assert ids(open_networks([A], [["z", "block3"]])) == [[("z", "z"), ("block3", "y")]]


def test_layers_of_several_are_named_by_network():
    assert ids(open_networks([A, B], None)) == [[("a/block3", "y"), ("a/block4", "z")], [("b/block3", "q")]]
    assert ids(open_networks([A, B], [["block3"]])) == [[("a/block3", "y")], [("b/block3", "q")]]
    assert ids(open_networks([A, B], [["y", "z"], ["[xq]"]])) == [[("a/y", "y"), ("a/z", "z")], [("b/x", "x"), ("b/q", "q")]]


@pytest.mark.parametrize(
    ("networks", "layers", "message"),
    [
        ([A, B], [["x"]] * 3, "--layers is given 3 times for 2 networks: expected it once for all, or once for each network in order."),
        ([A], [["x"]] * 2, "--layers is given 2 times for 1 network: expected"),
        ([A, A], None, "two networks have the label 'a': expected"),
        ([A, B], [["y"]], "b.onnx has no layer 'y': overlay-layers with the same --model lists all."),
        ([A, B], [["x"], []], "No layer was named: expected names, aliases or globs; overlay-layers with the same --model lists all."),
        ([A, B], [["a/x"]], "a.onnx has no layer 'a/x'"),
        ([stand_in("vit", ("1", ""), ("2", ""), ("3", ""), ("4", ""))], None, "vit.onnx has no block3 or block4, which are shown where --layers is left out: expected --layers; its deepest are 2, 3, 4, overlay-layers with the same --model lists all."),
        ([A, stand_in("vit", ("1", "block1"))], None, "vit.onnx has no block3 or block4, which are shown where --layers is left out: expected --layers; its deepest are 1, overlay-layers with"),
    ],
)
def test_layers_that_cannot_be_had(networks, layers, message):
    with pytest.raises(UsageError) as caught:
        open_networks(networks, layers)
    assert str(caught.value).startswith(message)


def test_default_layers_of_real_networks(unconverted):
    squeeze, vit = requested_networks(["squeezenet1_1", "vit_b_32"], "random")
    assert ids(open_networks([squeeze], None)) == [[("block3", "features.12")]]
    with pytest.raises(UsageError, match=r"vit_b_32 has no block3 or block4.*its deepest are encoder.layers, encoder.ln, encoder, overlay-layers with the same --model lists all"):
        open_networks([vit], None)


def test_options_and_weights_reach_every_network(tmp_path, monkeypatch, unconverted):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text("from torch import nn\ndef net():\n    return nn.Conv2d(3, 2, 8, 8)\n")
    for fill in (1, 2):
        torch.save(nn.Conv2d(3, 2, 8, 8).state_dict() | {"bias": torch.full((2,), float(fill))}, tmp_path / f"epoch{fill}.pt")
    requests = requested_networks("own.py:net", (), ["epoch1.pt", "late=epoch2.pt"])
    opened = open_networks(requests, [["output"]], mean=[0.5], input_size=64, threads=1)
    assert [(one.label, one.model.id, one.model.weights, one.layers[0].id) for one in opened] == [("epoch1", "net", "epoch1.pt", "epoch1/output"), ("late", "net", "epoch2.pt", "late/output")]
    assert all(one.model.fixed_size == (64, 64) and one.model.preprocessing.mean == (0.5,) * 3 for one in opened)
    for fill, one in enumerate(opened, 1):
        one.model.prepare(["output"])
        assert (one.model.built().network.bias == fill).all()
    with pytest.raises(ModelError, match="does not fit the network"):
        open_networks(requested_networks("squeezenet1_1", (), "epoch1.pt"), None)


def test_notify_hears_of_every_conversion(tmp_path, monkeypatch, unconverted):
    told = []
    open_networks(requested_networks(["squeezenet1_1", "b=squeezenet1_0"], "random"), [["block3"]], told.append, input_size=64)
    assert told == ["Converting squeezenet1_1 to ONNX (once) ...", "Converting squeezenet1_0 to ONNX (once) ..."]


def test_checkpoints_through_an_export(tmp_path, monkeypatch, unconverted):
    """Each checkpoint's similarities are those of its own weights."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text("from torch import nn\nNET = nn.Conv2d(3, 4, 16, 16)\ndef net():\n    return NET\n")
    for seed in (1, 2):
        torch.manual_seed(seed)
        torch.save(nn.Conv2d(3, 4, 16, 16).state_dict(), tmp_path / f"epoch{seed}.pt")
        make_photo(tmp_path / "photos" / f"{seed}.png", seed, (64, 64))
    export("photos", "both", model="own.py:net", checkpoints=["epoch1.pt", "epoch2.pt"], layers=["output"], size=64)
    both = load_bundle("both")
    assert [layer.id for layer in both.layers] == ["epoch1/output", "epoch2/output"]
    for seed in (1, 2):
        export("photos", f"one{seed}", model="own.py:net", weights=f"epoch{seed}.pt", layers=["output"], size=64)
        alone = load_bundle(f"one{seed}")
        for image in ("1", "2"):
            assert (both.codes(image, f"epoch{seed}/output") == alone.codes(image, "output")).all()
    assert (both.codes("1", "epoch1/output") != both.codes("1", "epoch2/output")).any()
    assert open_model("own.py:net", weights="epoch1.pt").weights_sha256 == both.manifest.networks[0].weights_sha256
