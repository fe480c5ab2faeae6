"""Weights: which files and names are taken, what does not fit, and that nothing in a file is ever run."""

import hashlib
import os
import pickle
import re

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from exporter import export
from exporter.errors import ModelError, UsageError
from exporter.models import from_torchvision, open_model
from exporter.models.recipe import choose_weights
from exporter.models.weights import read_state_dict, state_sha256, stripped
from tests.conftest import invoke, make_photo, refused
from tests.models_help import noise, unconverted  # a fixture

CODE = "from torch import nn\ndef net():\n    return nn.Sequential(nn.Conv2d(3, 4, 4, 4), nn.BatchNorm2d(4), nn.Conv2d(4, 5, 2, 2))\n"
SAVE = r"save torch.save\(model.state_dict\(\), 'weights.pt'\)"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The spec of a small network of own code, in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "own.py").write_text(CODE)
    return "own.py:net"


def state(fill=0.5):
    made = nn.Sequential(nn.Conv2d(3, 4, 4, 4), nn.BatchNorm2d(4), nn.Conv2d(4, 5, 2, 2)).state_dict()
    return {name: torch.full_like(value, fill) if value.is_floating_point() else value for name, value in made.items()}


def prefixed(*prefixes):
    return {"".join(prefixes) + name: value for name, value in state().items()}


def halved():
    return {name: value.half() if value.is_floating_point() else value for name, value in state().items()}


def without_counters():
    return {name: value for name, value in state().items() if "num_batches" not in name}


class Other:
    """Neither a mapping of tensors nor harmless to read for who runs what a pickle names."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return os.system, (f"touch '{self.file}'",)


@pytest.mark.parametrize(
    "saved",
    [
        state,
        halved,
        without_counters,
        lambda: {"state_dict": state(), "epoch": 3},
        lambda: {"model": state(), "optimizer": {"state": {}, "param_groups": []}, "lr": [0.1]},
        lambda: {"epoch": 3, "model_state_dict": state()},
        lambda: {"state_dict": {"model": state(), "step": 1}},
        lambda: prefixed("module."),
        lambda: prefixed("_orig_mod."),
        lambda: prefixed("module.", "_orig_mod."),
        lambda: {"state_dict": prefixed("model.", "module.")},
    ],
    ids=["plain", "half", "no counters", "state_dict", "model", "model_state_dict", "nested", "module.", "_orig_mod.", "both", "wrapped and prefixed"],
)
@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_a_state_dict_however_it_was_saved(own, tmp_path, saved, new):
    path = tmp_path / "weights.pt"
    torch.save(saved(), path, _use_new_zipfile_serialization=new)
    model = open_model(own, weights=path)
    model.prepare(["2"])
    network = model._prepared._built.network
    assert all((value == 0.5).all() for name, value in network.state_dict().items() if "num_batches" not in name)
    assert (model.name, model.weights) == ("own.py:net, weights.pt", "weights.pt")
    assert model.weights_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["weights.safetensors", "WEIGHTS.SAFETENSORS"])
def test_safetensors(own, tmp_path, name):
    save_file(prefixed("module."), tmp_path / name)
    model = open_model(own, weights=tmp_path / name)
    assert (model.built().network.state_dict()["2.bias"] == 0.5).all()


def test_prefixes_stay_where_the_network_has_them_itself():
    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = nn.Linear(2, 2)

    own = {f"model.{name}": torch.zeros(2) for name in ("weight", "bias")}
    assert stripped(own, Wrapped()) == own
    assert stripped({f"module.{name}": value for name, value in own.items()}, Wrapped()) == own
    assert stripped({**own, "head": torch.zeros(2)}, nn.Linear(2, 2)).keys() == {*own, "head"}


def test_random_weights_are_seeded_and_told_by_their_bytes(own):
    models = [open_model(own) for _ in range(3)]
    assert {model.name for model in models} == {"own.py:net, its own weights"}
    assert len({model.weights_sha256 for model in models}) == 1
    digest = hashlib.sha256()
    for name, value in models[0].built().network.state_dict().items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode() + value.numpy().tobytes())
    assert models[0].weights_sha256 == digest.hexdigest()


def test_the_digest_sees_names_shapes_types_and_values():
    nets = [nn.Linear(2, 3), nn.Linear(3, 2), nn.Linear(2, 3, bias=False), nn.Linear(2, 3).half(), nn.Sequential(nn.Linear(2, 3))]
    assert len({state_sha256(net) for net in nets}) == len(nets)
    with torch.no_grad():
        before = state_sha256(nets[0])
        nets[0].bias[1] += 1
    assert state_sha256(nets[0]) != before
    assert len(state_sha256(nn.BatchNorm2d(2))) == 64


HARM = [
    ("zip", lambda path, harm: torch.save({"state_dict": state(), "more": harm}, path)),
    ("legacy", lambda path, harm: torch.save(harm, path, _use_new_zipfile_serialization=False)),
    ("pickle2", lambda path, harm: path.write_bytes(pickle.dumps(harm, protocol=2))),
    ("pickle5", lambda path, harm: path.write_bytes(pickle.dumps(harm))),
]


@pytest.mark.parametrize(("form", "save"), HARM, ids=[form for form, _ in HARM])
def test_what_a_pickle_names_is_never_run(own, tmp_path, form, save, capfd, recwarn):
    path, ran = tmp_path / "evil.pt", tmp_path / "ran"
    save(path, Other(ran))
    if form.startswith("pickle"):  # the trap is a working one
        pickle.loads(path.read_bytes())
        ran.unlink()
    with pytest.raises(ModelError) as caught:
        open_model(own, weights=path)
    assert not ran.exists()
    refusal = r"evil.pt is refused: it is a pickle that names code \(\w+\.system\), which could do anything on this machine when read; expected tensors only. Where you trust it, .*" + SAVE
    damage = "evil.pt cannot be read: expected whole weights .*it is damaged or something else"
    assert re.search(damage if form == "pickle5" else refusal, str(caught.value))
    assert tuple(capfd.readouterr()) == ("", "") and not recwarn.list


def script(path):
    torch.jit.trace(nn.ReLU(), torch.zeros(1)).save(str(path))


def shortened(by, **options):
    def save(path):
        torch.save(state(), path, **options)
        path.write_bytes(path.read_bytes()[:-by])

    return save


UNREADABLE = r"(weights.pt|weights.safetensors) cannot be read( \([^.]+\))?: expected whole weights \(a state dict or .safetensors\), it is damaged or something else; copy or save it again\.$"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(
    ("save", "message"),
    [
        (lambda path: torch.save(nn.Linear(2, 2), path), r"weights.pt is refused: it is a pickle that names code \(torch.nn.modules.linear.Linear\).*" + SAVE),
        (lambda path: torch.save({"model": state(), "best": np.float64(0.5)}, path), r"names code \(numpy\S+scalar\)"),
        (shortened(100), UNREADABLE),
        (shortened(10, _use_new_zipfile_serialization=False), UNREADABLE),
        (lambda path: path.write_bytes(b""), UNREADABLE),
        (lambda path: path.write_text("hello\n"), UNREADABLE),
        (lambda path: path.write_bytes(b"\xff\xd8\xff\xe0" + bytes(100)), UNREADABLE),
        (lambda path: path.write_bytes(b"PK\x03\x04" + bytes(100)), UNREADABLE),
        (script, r"weights.pt is a TorchScript archive, which is a program: expected its tensors only; load it in Python and " + SAVE),
        (lambda path: torch.save({}, path), "weights.pt holds no state dict but nothing: expected names and tensors, or those under a key such as state_dict; " + SAVE),
        (lambda path: torch.save({"a": 1, "b": "c"}, path), "holds no state dict but the keys a, b: expected"),
        (lambda path: torch.save({"model": {"a": 1}}, path), "holds no state dict but the keys a: expected"),
        (lambda path: torch.save([torch.zeros(1)], path), "holds no state dict but a list: expected"),
        (lambda path: torch.save(torch.zeros(1), path), "holds no state dict but a Tensor: expected"),
    ],
)
def test_files_that_are_no_weights(own, tmp_path, save, message, capfd, recwarn):
    path = tmp_path / "weights.pt"
    save(path)
    capfd.readouterr()
    recwarn.clear()
    with pytest.raises(ModelError, match=message) as caught:
        open_model(own, weights=path)
    assert "\n" not in str(caught.value) and type(caught.value) is ModelError
    assert tuple(capfd.readouterr()) == ("", "") and not recwarn.list


@pytest.mark.parametrize("damage", [lambda data: data[:-3], lambda data: b"", lambda data: b"hello, this is text", lambda data: data[:20]])
def test_damaged_safetensors(own, tmp_path, damage):
    path = tmp_path / "weights.safetensors"
    save_file(state(), path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelError, match=UNREADABLE):
        read_state_dict(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: {"x.weight": torch.zeros(1), "x.bias": torch.zeros(1)}, "w.pt does not fit the network: 8 missing keys, the first 0.weight; 2 unexpected keys, the first x.weight. Expected the state dict of just this network; check --model and --weights."),
        (lambda s: {name: value for name, value in s.items() if name != "2.bias"}, "w.pt does not fit the network: 1 missing key, the first 2.bias. Expected"),
        (lambda s: {**s, "3.weight": torch.zeros(1)}, "w.pt does not fit the network: 1 unexpected key, the first 3.weight. Expected"),
        (lambda s: {**s, "2.weight": torch.zeros(7, 4, 2, 2), "2.bias": torch.zeros(7)}, "w.pt does not fit the network: 2.weight is (7, 4, 2, 2), expected (5, 4, 2, 2) (2 of another shape). Expected"),
    ],
)
def test_weights_of_another_network(own, tmp_path, change, message):
    torch.save(change(state()), tmp_path / "w.pt")
    with pytest.raises(ModelError) as caught:
        open_model(own, weights=tmp_path / "w.pt")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "googlenet"])
def test_another_number_of_classes(unconverted, tmp_path, name):
    options = {"aux_logits": True, "init_weights": False} if name == "googlenet" else {}
    network = torchvision.models.get_model(name, num_classes=10, **options)
    torch.save({"state_dict": {f"module.{key}": value for key, value in network.state_dict().items()}}, tmp_path / "ten.pth")
    model = open_model(name, weights=tmp_path / "ten.pth")
    built = model.built().network.state_dict()
    assert all((value == built[key]).all() for key, value in network.state_dict().items())
    assert (model.name, model.id, model.source, model.weights) == (f"{name}, ten.pth", name, name, "ten.pth")
    assert model.weights_sha256 == hashlib.sha256((tmp_path / "ten.pth").read_bytes()).hexdigest()


def test_another_number_of_classes_of_a_head_without_bias(tmp_path):
    network = torchvision.models.maxvit_t(num_classes=10)
    torch.save(network.state_dict(), tmp_path / "ten.pth")
    built = from_torchvision.build("maxvit_t", choose_weights(str(tmp_path / "ten.pth")), None)
    assert built.network.classifier[5].weight.shape == (10, 512)


def test_weights_of_another_family(unconverted, tmp_path):
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "eighteen.pth")
    with pytest.raises(ModelError, match=r"eighteen.pth does not fit the network: \d+ missing keys, the first features.0.weight; 122 unexpected keys, the first conv1.weight\. Expected"):
        open_model("vgg11", weights=tmp_path / "eighteen.pth")
    with pytest.raises(ModelError, match=r"eighteen.pth does not fit the network: \d+ missing keys, the first _conv_stem.weight; 122 unexpected"):
        open_model(weights=tmp_path / "eighteen.pth")


NOT_HERE = "No such file: '{}', expected weights (a state dict or .safetensors), or 'random'; check the path given to --weights."


@pytest.mark.parametrize(
    ("model", "weights", "message"),
    [
        ("resnet18", "IMAGENET1K_V9", "resnet18 has no published weights 'IMAGENET1K_V9': expected IMAGENET1K_V1, 'random', or a file; see --weights."),
        ("resnet50", "IMAGENET1K", "resnet50 has no published weights 'IMAGENET1K': expected IMAGENET1K_V1, IMAGENET1K_V2, 'random', or a file; see --weights."),
        ("resnet18", "imagenet1k_v1", NOT_HERE.format("imagenet1k_v1")),
        ("resnet18", "none/weights.pth", NOT_HERE.format("none/weights.pth")),
        ("resnet18", ".", NOT_HERE.format(".")),
        ("resnet18", "", NOT_HERE.format("")),
        ("efficientnet-lite0", "IMAGENET1K_V1", "efficientnet-lite0 has no weights 'IMAGENET1K_V1': expected 'random' or a file; leave --weights out for ImageNet's."),
    ],
)
def test_weights_that_do_not_exist(unconverted, model, weights, message):
    with pytest.raises(UsageError) as caught:
        open_model(model, weights=weights)
    assert str(caught.value) == message
    refused(invoke("overlay-layers", "--model", model, "--weights", weights), 2, "^Error: " + re.escape(message))


def test_weights_that_are_not_numbers(own, tmp_path):
    torch.save({**state(), "2.bias": torch.full((5,), torch.nan)}, tmp_path / "w.pt")
    model = open_model(own, weights=tmp_path / "w.pt")
    model.prepare(["1", "2"])
    with pytest.raises(ModelError, match="^Layer '2' of own.py:net, w.pt gave NaN or infinity, expected finite numbers; check --mean.*or the network's weights"):
        model.run(noise(1, 16, 16))
    model.prepare(["1"])
    assert np.isfinite(model.run(noise(1, 16, 16))["1"]).all()


def test_weights_that_are_not_numbers_through_an_export(own, tmp_path):
    torch.save({**state(), "2.bias": torch.full((5,), torch.inf)}, tmp_path / "w.pt")
    photo = make_photo(tmp_path / "photos" / "a.png", 1)
    with pytest.raises(ModelError, match=f"^{re.escape(str(photo))}: Layer '2' of own.py:net, w.pt gave NaN or infinity"):
        export(photo.parent, tmp_path / "site", model=own, weights=str(tmp_path / "w.pt"), layers=["2"], size=64)
    assert not (tmp_path / "site").exists()
    result = invoke("overlay-export", photo.parent, "-o", tmp_path / "site", "--model", own, "--weights", tmp_path / "w.pt", "--layers", "2", "--size", 64)
    refused(result, 1, r"^Error: \S*a.png: Layer '2' of own.py:net, w.pt gave NaN or infinity")
