"""Own code that keeps things on itself, hands out one network twice, ends itself, changes the folder, or is random."""

import json
import os
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from exporter import export
from exporter.errors import ModelError, UsageError
from exporter.models import from_torchvision, open_model
from exporter.models.recipe import choose_weights
from tests.conftest import cli, refused, run_python
from tests.models_help import noise

HEAD = "import threading, os, sys\nimport torch\nfrom torch import nn\n"
STASH = HEAD + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 4, 4, 4), nn.Conv2d(4, 4, 3, 1, 1), nn.Conv2d(4, 4, 2, 2)
        {more}
    def forward(self, images):
        self.skip = self.a(images)
        deep = torch.relu(self.b(self.skip))
        return self.c(deep + self.skip)
def net():
    return Net()
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A function that writes code to own.py, in the working directory, and gives the spec of its `net`."""
    monkeypatch.chdir(tmp_path)

    def write(code, name="own.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(code)
        return f"{name}:net"

    return write


@pytest.mark.parametrize("more", ["pass", "self.lock = threading.Lock()"])
def test_images_do_not_mix_in_a_network_that_keeps_them_on_itself(own, more):
    """The second cannot be copied for each thread: it serves one at a time."""
    model = open_model(own(STASH.format(more=more)))
    model.prepare(["c"])
    images = noise(24, 64, 96)
    alone = [model.run(images[i : i + 1])["c"] for i in range(len(images))]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda i: model.run(images[i : i + 1])["c"], range(len(images))))
    assert all((one == other).all() for one, other in zip(alone, together, strict=True))
    assert len({one.tobytes() for one in alone}) == len(images)


def test_copies_share_their_parameters(own):
    model = open_model(own(STASH.format(more="pass")))
    model.prepare(["c"])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: model.run(noise(1, 64, 64)), range(16)))
    recorders = model._prepared._all
    assert len({id(recorder.built.network) for recorder in recorders}) == len(recorders)
    assert len({recorder.built.network.a.weight.data_ptr() for recorder in recorders}) == 1


def test_a_network_is_let_go_of(own):
    model = open_model(own(STASH.format(more="pass")))
    model.prepare(["c"])
    model.run(noise(1, 64, 64))
    copy = weakref.ref(model._prepared._all[0].built.network)
    model.release()
    assert copy() is None
    with pytest.raises(RuntimeError, match=r"call prepare\(\)"):
        model.run(noise(1, 64, 64))
    model.prepare(["a"])
    assert list(model.run(noise(1, 64, 64))) == ["a"]


SHARED = STASH.format(more="{more}") + "ONE = Net()\ndef net():\n    return ONE\n"


def test_one_network_handed_out_twice_is_copied(own, tmp_path):
    spec, states = own(SHARED.replace("{more}", "pass"), "shared.py"), []
    for seed in (0, 1):
        torch.manual_seed(seed)
        states.append(tmp_path / f"{seed}.pt")
        torch.save({f"{name}.{part}": torch.randn(shape) for name, shape in (("a", (4, 3, 4, 4)), ("b", (4, 4, 3, 3)), ("c", (4, 4, 2, 2))) for part, shape in (("weight", shape), ("bias", shape[:1]))}, states[-1])
    models = [open_model(spec, weights=path) for path in states]
    maps = []
    for model in models:
        model.prepare(["a"])
    for model in models:
        maps.append(model.run(noise(1, 64, 64))["a"])
    assert not np.allclose(*maps)


def test_one_network_that_cannot_be_copied_is_refused_the_second_time(own, tmp_path):
    (tmp_path / "again.py").write_text(SHARED.replace("{more}", "self.lock = threading.Lock()"))
    code = "import sys; sys.path.insert(0, '.')\nfrom exporter.models import open_model\nopen_model('again:net')\nopen_model('again:net')"
    process = run_python(code, tmp_path / "cache")
    assert "again:net returned the same network as before, which cannot be copied" in process.stderr and "make it inside the function" in process.stderr


def test_helpers_of_the_same_name_are_each_files_own(own):
    for folder, channels in (("first", 4), ("second", 7)):
        own(f"CHANNELS = {channels}\n", f"{folder}/parts.py")
    specs = [own("from parts import CHANNELS\nfrom torch import nn\ndef net():\n    return nn.Conv2d(3, CHANNELS, 8, 8)\n", f"{folder}/net.py") for folder in ("first", "second")]
    assert [open_model(spec).layers()[0].channels for spec in specs] == [4, 7]
    own("CHANNELS = 9\n", "first/parts.py")
    os.utime("first/parts.py", (1, 1))
    assert open_model(specs[0]).layers()[0].channels == 9


def test_the_working_directory_stays(own, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    open_model(own(HEAD + "os.chdir('elsewhere')\ndef net():\n    os.chdir('/')\n    return nn.Conv2d(3, 2, 8, 8)\n"))
    assert os.getcwd() == str(tmp_path)


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        ("sys.exit(0)", r"own.py:net cannot be run \(0\): expected it to take images"),
        ("return images.sum()", "own.py:net has no layer with a spatial grid"),
        ("return nn.functional.adaptive_avg_pool2d(images, 1)", "own.py:net has no layer with a spatial grid"),
    ],
)
def test_forwards_that_give_nothing(own, forward, message):
    with pytest.raises(ModelError, match=message):
        open_model(own(HEAD + f"class Net(nn.Module):\n    def forward(self, images):\n        {forward}\ndef net():\n    return Net()\n"))


def test_a_forward_that_catches_everything_still_stops_at_the_deepest_layer(own):
    code = HEAD + "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.a, self.b = nn.Conv2d(3, 2, 4, 4), nn.Conv2d(2, 2, 2, 2)\n"
    code += "    def forward(self, images):\n        try:\n            first = self.a(images)\n        except Exception:\n            first = images\n        return self.b(first)\ndef net():\n    return Net()\n"
    model = open_model(own(code))
    model.prepare(["a"])
    assert model.run(noise(1, 32, 32))["a"].shape == (1, 2, 8, 8)


@pytest.mark.parametrize("make", ["nn.LazyConv2d(2, 4, 4)", "nn.Conv2d(3, 2, 4, 4, device='meta')"])
def test_weights_without_values(own, make):
    with pytest.raises(ModelError, match="has no values for .*weight.*expected whole weights; run it once in the function that makes it, or pass --weights"):
        open_model(own(HEAD + f"def net():\n    return nn.Sequential({make})\n"))


@pytest.mark.parametrize("kind", ["half", "double"])
def test_other_precisions_run_in_float32(own, kind):
    model = open_model(own(HEAD + f"def net():\n    return nn.Sequential(nn.Conv2d(3, 2, 4, 4)).{kind}()\n"))
    model.prepare(["0"])
    assert model.run(noise(1, 32, 32))["0"].dtype == np.float32


def test_values_that_change_from_run_to_run_are_told(own):
    body = "def net():\n    return nn.Sequential(nn.Conv2d(3, 2, 4, 4), Noise())\n"
    noisy = "class Noise(nn.Module):\n    def forward(self, values):\n        return nn.functional.dropout(values)\n"
    (note,) = open_model(own(HEAD + noisy + body)).notes
    assert note.startswith("own.py:net gives other values each time it runs, first at '1': is there dropout or noise in its forward?")
    assert open_model(own(HEAD + noisy.replace("dropout(values)", "dropout(values, training=self.training)") + body)).notes == ()


def test_random_weights_are_the_functions_matter(own):
    with pytest.raises(UsageError, match="own.py:net takes no weights 'random', it comes with those its function gives it: expected a file for --weights, 'own', or none"):
        open_model(own(HEAD + "def net():\n    return nn.Conv2d(3, 2, 4, 4)\n"), weights="random")


def test_a_bundle_does_not_say_what_code_is_run(own, tmp_path, photos):
    own(HEAD + "def net():\n    return nn.Conv2d(3, 2, 8, 8)\n", "handmade.py")
    export(photos, "site", model="handmade:net", layers="output", size=64)
    (tmp_path / "payload.py").write_text("open('ran', 'w')\ndef run():\n    open('ran', 'w')\n")
    manifest = json.loads((tmp_path / "site" / "bundle.json").read_text())
    manifest["networks"][0]["source"] = "payload:run"
    (tmp_path / "site" / "bundle.json").write_text(json.dumps(manifest))
    refused(cli("overlay-verify", "site", "--images", photos, "--quiet"), 2, "made with files or own code; pass those again with --model payload:run")
    assert not (tmp_path / "ran").exists()
    assert cli("overlay-verify", "site", "--images", photos, "--model", "handmade:net").returncode == 0


@pytest.mark.parametrize("size", [200, (224, 225)])
def test_a_size_that_the_stride_does_not_divide(own, size):
    spec = own(HEAD + "def net():\n    return nn.Sequential(nn.Conv2d(3, 2, 8, 8), nn.Conv2d(2, 2, 2, 2))\n")
    with pytest.raises(UsageError, match="--input-size is .* for own.py:net, whose deepest layer has a stride of 16 pixels: expected multiples of it, such as (192|208)|such as 224"):
        open_model(spec, input_size=size)
    model = open_model(spec, input_size=(48, 64))
    assert (model.fixed_size, {layer.stride for layer in model.layers()}) == ((48, 64), {8, 16})


def test_a_published_set_is_recognised_in_a_file(tmp_path, monkeypatch):
    """GoogLeNet's published sets normalise the input once more, wherever the file came from."""
    import torchvision

    path = tmp_path / "mine.pth"
    torch.save(torchvision.models.googlenet(init_weights=False, aux_logits=False).state_dict(), path)
    assert not from_torchvision.build("googlenet", choose_weights(str(path)), None).network.transform_input
    published = torchvision.models.get_model_weights("googlenet").DEFAULT
    monkeypatch.setitem(vars(published.value), "url", f"https://example.org/googlenet-{choose_weights(str(path)).key[:8]}.pth")
    assert from_torchvision.build("googlenet", choose_weights(str(path)), None).network.transform_input


def test_tensors_beside_other_entries_are_a_state_dict(tmp_path, own):
    torch.save({"weight": torch.ones(2, 3, 4, 4), "bias": torch.zeros(2), "epoch": 3}, tmp_path / "mixed.pt")
    model = open_model(own(HEAD + "def net():\n    return nn.Conv2d(3, 2, 4, 4)\n"), weights=tmp_path / "mixed.pt")
    assert model.weights == "mixed.pt"
