"""Own architectures: how they are named, imported, called and run, and what is said where that fails."""

import re
import sys

import numpy as np
import pytest
import torch

from exporter.errors import ModelError, UsageError
from exporter.models import Preprocessing, open_model
from exporter.models.from_code import is_code
from tests.conftest import refused, invoke
from tests.models_help import distance, noise, normalised

HEAD = "import torch\nfrom torch import nn\n"
PLAIN = "def net():\n    return nn.Sequential(nn.Conv2d(3, 4, 4, 4), nn.ReLU(), nn.Conv2d(4, 6, 2, 2))\n"


@pytest.fixture
def code(tmp_path, monkeypatch):
    """Writes a Python file into the working directory; what tests import is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)

    def write(text, name="mine.py", head=HEAD):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(head + text)
        return path

    yield write
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def maps(model, images, *names):
    model.prepare(names or [layer.module for layer in model.layers()])
    return model.run(images)


@pytest.mark.parametrize("spec", ["mine.py:net", "./mine.py:net", "{}/mine.py:net", "mine:net", "pack.inner:net"])
def test_a_function_of_a_file_or_a_module(code, tmp_path, spec):
    code(PLAIN)
    code(PLAIN, "pack/inner.py")
    model = open_model(spec.format(tmp_path), notify=pytest.fail)
    assert (type(model).__name__, model.id, model.multiple, model.fixed_size, model.notes) == ("TorchModel", "net", 8, None, ())
    place = "mine.py" if ".py" in spec else spec.partition(":")[0]
    assert (model.source, model.name) == (f"{place}:net", f"{place}:net, its own weights")
    layers = [("0", 4, 4, True), ("1", 4, 4, False), ("2", 8, 6, True), ("output", 8, 6, True)]
    assert [(layer.module, layer.stride, layer.channels, layer.signed) for layer in model.layers()] == layers
    assert model.preprocessing == Preprocessing((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), (0, 1))


def test_what_is_taken_for_own_code():
    assert all(map(is_code, ["a:b", "a.b.c:d", "folder/a.py:b", "C:\\folder\\a.py:b", "/x y/a-1.py:b", "a.PY:b"]))
    assert not any(map(is_code, ["a", "a:", ":b", "a:b-c", "a/b:c", "a b:c", "x.onnx", "a.py", "a..b:c", ""]))


def test_files_beside_it_can_be_imported_from_anywhere(code, tmp_path, monkeypatch):
    code("from layers_beside import conv\ndef net():\n    return nn.Sequential(conv())\n", "far/mine.py")
    code("def conv():\n    return nn.Conv2d(3, 5, 2, 2)\n", "far/layers_beside.py")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert open_model("../far/mine.py:net").layers()[0].channels == 5


def test_two_files_of_one_name_are_two_modules(code):
    code(PLAIN, "one/mine.py")
    code("from dataclasses import dataclass\n@dataclass\nclass Options:\n    channels: 'int' = 9\n" + "def net():\n    return nn.Conv2d(3, Options().channels, 2, 2)\n", "two/mine.py")
    assert [open_model(f"{name}/mine.py:net").layers()[0].channels for name in ("one", "two")] == [4, 9]


@pytest.mark.parametrize(
    ("text", "spec", "kind", "message"),
    [
        (PLAIN, "mine.py:nett", UsageError, "mine.py has no function 'nett': expected one that returns the network; it has net"),
        ("net = 3\n", "mine.py:net", UsageError, "mine.py has no function 'net': .*it has none"),
        (PLAIN, "other.py:net", UsageError, "No such file: 'other.py', expected a Python file with the function net; check the path given to --model"),
        (PLAIN, "no_such.module:net", UsageError, r"no_such.module:net cannot be imported \(No module named 'no_such'\): expected module:function or file.py:function; check the name"),
        ("import no_such_package\n" + PLAIN, "mine.py:net", UsageError, r"mine.py:net cannot be imported \(No module named 'no_such_package'\).*install what it needs"),
        ("def net():\n    return 1 / 0\n", "mine.py:net", ModelError, r"mine.py:net raised ZeroDivisionError at mine.py:4 \(division by zero\): expected a function without arguments.*mend it"),
        ("def net():\n    raise RuntimeError\n", "mine.py:net", ModelError, r"mine.py:net raised RuntimeError at mine.py:4 \(RuntimeError\)"),
        ("def net():\n    return nn.Conv2d(3, 4, 'x')\n", "mine.py:net", ModelError, r"mine.py:net raised TypeError at mine.py:4 \("),
        ("def net(width):\n    return nn.Identity()\n", "mine.py:net", ModelError, r"mine.py:net raised TypeError.*expected a function without arguments"),
        ("x = undefined\n" + PLAIN, "mine.py:net", ModelError, r"mine.py:net raised NameError at mine.py:3 \(name 'undefined' is not defined\)"),
        ("def net(:\n", "mine.py:net", ModelError, r"mine.py:net raised SyntaxError.*\(.*\(mine.py, line 3\)\)"),
        ("def net():\n    return {'a': 1}\n", "mine.py:net", ModelError, "mine.py:net returned a dict: expected a torch.nn.Module; return the network from the function"),
        ("def net():\n    pass\n", "mine.py:net", ModelError, "mine.py:net returned a NoneType"),
        ("def net():\n    return nn.Conv2d\n", "mine.py:net", ModelError, "mine.py:net returned a type: expected a torch.nn.Module"),
        ("def net():\n    return nn.Sequential(nn.Conv2d(5, 4, 1))\n", "mine.py:net", ModelError, r"mine.py:net cannot be run \(.*channels.*\): expected it to take images .*; pass the size it takes with --input-size"),
        ("def net():\n    return nn.Sequential(nn.Flatten())\n", "mine.py:net", ModelError, "mine.py:net has no layer with a spatial grid, expected a network with feature maps or patch tokens"),
        ("import json\ndef net():\n    return json.loads('x')\n", "mine.py:net", ModelError, r"mine.py:net raised JSONDecodeError at mine.py:5 \("),
        ("def net():\n    raise SystemExit(3)\n", "mine.py:net", ModelError, r"mine.py:net raised SystemExit at mine.py:4 \(3\)"),
        ("def net():\n    import sys\n    sys.exit()\n", "mine.py:net", ModelError, r"mine.py:net raised SystemExit at mine.py:5 \("),
    ],
)
def test_code_that_gives_no_network(code, text, spec, kind, message):
    code(text)
    with pytest.raises(kind, match=message) as caught:
        open_model(spec)
    assert type(caught.value) is kind and "\n" not in str(caught.value)


def test_the_command_says_it_in_one_line(code):
    code("def net():\n    return 1 / 0\n")
    refused(invoke("overlay-layers", "--model", "mine.py:net"), 1, r"^Error: mine.py:net raised ZeroDivisionError at mine.py:4 \(division by zero\)[^\n]*\n$")
    refused(invoke("overlay-layers", "--model", "mine.py:nett"), 2, r"^Error: mine.py has no function 'nett'[^\n]*\n$")


def test_weights_that_nobody_published(code):
    code(PLAIN)
    with pytest.raises(UsageError, match="mine.py:net takes no weights 'IMAGENET1K_V1', it comes with those its function gives it: expected a file for --weights, 'own', or none"):
        open_model("mine.py:net", weights="IMAGENET1K_V1")


RETURNS = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Conv2d(3, 4, 4, 4)
    def forward(self, images):
        x = self.body(images)
        return {}
def net():
    return Net()
"""


@pytest.mark.parametrize(("returned", "layers"), [("x, x.mean()", ["body"]), ("{'map': x}", ["body"]), ("None", ["body"]), ("x + 1", ["body", "output"]), ("x.mean((2, 3))", ["body"])])
def test_what_the_network_itself_returns(code, returned, layers):
    code(RETURNS.format(returned if "{" not in returned else "{'map': x}"))
    model = open_model("mine.py:net")
    assert [layer.module for layer in model.layers()] == layers
    found = maps(model, noise(2, 16, 24))
    assert found["body"].shape == (2, 4, 4, 6)
    if "output" in layers:
        assert (found["output"] == found["body"] + 1).all()


def test_a_size_of_its_own(code):
    code("class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.body, self.head = nn.Conv2d(3, 4, 8, 8), nn.Linear(256, 2)\n    def forward(self, x):\n        return self.head(self.body(x).flatten(1))\ndef net():\n    return Net()\n")
    with pytest.raises(ModelError, match=r"mine.py:net cannot be run \(.*mat1 and mat2.*of 224x224 pixels, say, as float32; pass the size it takes with --input-size"):
        open_model("mine.py:net")
    model = open_model("mine.py:net", input_size=64)
    assert (model.fixed_size, model.multiple, [layer.module for layer in model.layers()]) == ((64, 64), 1, ["body"])
    assert maps(model, noise(1, 64, 64))["body"].shape == (1, 4, 8, 8)
    assert [open_model("mine.py:net", input_size=given).fixed_size for given in ((32, 128), [64])] == [(32, 128), (64, 64)]


BRANCHES = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.bright, self.dark, self.last = nn.Conv2d(3, 4, 4, 4), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)
    def forward(self, x):
        stem = self.stem(x)
        if x.mean() > 0:
            return self.last(self.bright(stem) * 2)
        return self.last(self.dark(stem) * 3)
def net():
    return Net()
"""


def test_both_branches_of_a_network_that_looks_at_its_image(code):
    code(BRANCHES)
    model = open_model("mine.py:net", mean=[0], std=[1], input_range=(-1, 1))
    reasons = dict(model.unavailable)
    assert "is never run" in reasons.values()
    network = model.built().network
    images = np.concatenate([np.full((1, 16, 16, 3), 40, np.uint8), np.full((1, 16, 16, 3), 220, np.uint8)])
    with torch.inference_mode():
        stems = [network.stem(normalised(model, images[i : i + 1])) for i in (0, 1)]
        expected = torch.cat([network.last(network.dark(stems[0]) * 3), network.last(network.bright(stems[1]) * 2)])
    model.prepare(["stem", "last"])
    assert distance(expected, model.run(images)["last"]) < 1e-5
    assert (model.run(images)["last"] == np.concatenate([model.run(images[i : i + 1])["last"] for i in (0, 1)])).all()


def test_a_layer_that_one_branch_leaves_out(code):
    code(BRANCHES)
    model = open_model("mine.py:net", mean=[0], std=[1], input_range=(-1, 1))
    taken = next(name for name in ("bright", "dark") if name not in dict(model.unavailable))
    model.prepare(["stem", taken])
    values = {"bright": (220, 40), "dark": (40, 220)}[taken]
    assert model.run(np.full((1, 16, 16, 3), values[0], np.uint8))[taken].shape == (1, 4, 4, 4)
    with pytest.raises(ModelError, match=f"Layer '{taken}' of mine.py:net, its own weights was not run for an image of 16x16 pixels: expected .*choose another layer"):
        model.run(np.full((1, 16, 16, 3), values[1], np.uint8))


ORDER = "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.a, self.b = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)\n    def forward(self, x):\n        first, second = (self.a, self.b) if x.shape[2] > 100 else (self.b, self.a)\n        return second(first(x))\ndef net():\n    return Net()\n"


def test_layers_that_change_their_order(code):
    code(ORDER)
    model = open_model("mine.py:net")
    assert [layer.module for layer in model.layers()] == ["a", "b", "output"]
    network, images = model.built().network, noise(1, 16, 16)
    with torch.inference_mode():
        b = network.b(normalised(model, images))
        a = network.a(b)
    found = maps(model, images, "a", "b")
    assert distance(b, found["b"]) < 1e-5 and distance(a, found["a"]) < 1e-5


def test_one_module_under_two_names(code):
    code("def net():\n    shared = nn.Conv2d(3, 3, 1)\n    return nn.Sequential(shared, nn.ReLU(), shared)\n")
    model = open_model("mine.py:net")
    assert dict(model.unavailable) == {"0": "is called 2 times", "2": "is called 2 times"}


def test_a_module_that_hands_out_one_network_again_and_again(code, tmp_path):
    code("NET = nn.Conv2d(3, 4, 4, 4)\ndef net():\n    return NET\n", "handing.py")
    files = [tmp_path / f"{fill}.pt" for fill in (1, 2)]
    for fill, file in enumerate(files, 1):
        torch.save({"weight": torch.full((4, 3, 4, 4), float(fill)), "bias": torch.zeros(4)}, file)
    first, second = (open_model("handing:net", weights=file) for file in files)
    before = maps(first, noise(1, 16, 16))["output"]
    assert np.allclose(maps(second, noise(1, 16, 16))["output"], 2 * before, rtol=1e-5, atol=1e-4)
    assert (first.run(noise(1, 16, 16))["output"] == before).all()


def test_a_network_that_cannot_be_copied(code):
    code("def net():\n    net = nn.Conv2d(3, 4, 4, 4)\n    net.extra = net.weight * 2\n    return net\n")
    assert maps(open_model("mine.py:net"), noise(1, 16, 16))["output"].shape == (1, 4, 4, 4)


def test_it_is_evaluated_not_trained(code):
    code("def net():\n    return nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.Dropout(0.9))\n")
    found = maps(open_model("mine.py:net"), noise(1, 16, 16))
    assert (found["0"] == found["1"]).all()


def test_weights_that_the_function_draws_are_the_same_every_time(code):
    code(PLAIN)
    state = torch.random.get_rng_state()
    models = [open_model("mine.py:net")]
    assert (torch.random.get_rng_state() == state).all()
    torch.rand(1)
    models.append(open_model("mine.py:net"))
    assert models[0].weights_sha256 == models[1].weights_sha256
    first, second = (maps(model, noise(1, 16, 16)) for model in models)
    assert all((first[name] == second[name]).all() for name in first)
    code(PLAIN.replace("return", "torch.manual_seed(5); return"))
    assert open_model("mine.py:net").weights_sha256 != models[0].weights_sha256


def test_an_edited_forward_counts_at_once_and_nothing_is_cached(code, tmp_path):
    text = "class Net(nn.Conv2d):\n    def forward(self, x):\n        return super().forward(x) * 1\ndef net():\n    return Net(3, 4, 4, 4)\n"
    code(text)
    before = maps(open_model("mine.py:net"), noise(1, 16, 16))["output"]
    code(text.replace("* 1", "* 2"))
    after = maps(open_model("mine.py:net"), noise(1, 16, 16))["output"]
    assert (after == 2 * before).all()
    assert not (tmp_path / "cache").exists()


def test_numbers_of_the_preprocessing(code):
    code("def net():\n    return nn.Sequential(nn.Identity())\n")
    images = noise(1, 8, 8)
    model = open_model("mine.py:net", mean=[1, 2, 3], std=[4], input_range=(0, 255))
    found = maps(model, images)["0"]
    assert np.abs(found - (images.transpose(0, 3, 1, 2).astype(float) - np.array([1, 2, 3])[:, None, None]) / 4).max() < 1e-4
    assert model.preprocessing == Preprocessing((1, 2, 3), (4, 4, 4), (0, 255))


def test_a_patch_of_14_behind_a_layer_of_the_images_own_size(code):
    code("def net():\n    return nn.Sequential(nn.Identity(), nn.Conv2d(3, 4, 14, 14), nn.ReLU())\n")
    # At 256 x 320 pixels nothing but the first follows the image.
    model = open_model("mine.py:net")
    assert [(layer.module, layer.stride) for layer in model.layers()] == [("0", 1), ("1", 14), ("2", 14), ("output", 14)]
    assert model.multiple == 14


@pytest.mark.parametrize("given", [7, 5000, [], [64, 64, 64], "224", [224.0, 224]])
def test_sizes_that_cannot_be_meant(given):
    with pytest.raises(UsageError, match=re.escape("--input-size is ") + ".*expected one number, or height,width, of 8 to 4096 pixels, like --input-size 224"):
        open_model("mine.py:net", input_size=given)
