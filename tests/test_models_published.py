"""Weights that torchvision publishes, without any network but this machine's own."""

import hashlib
import os
import re
import shutil
import sys
import urllib.request

import numpy as np
import pytest
import torch
import torchvision
from torchvision.models import SqueezeNet1_1_Weights

from exporter.errors import ModelError
from exporter.models import open_model
from tests.conftest import cli, invoke, refused, run_python
from tests.models_help import PROXIES, closed_port, noise, offline, served, unconverted  # a fixture

NAME = "squeezenet1_1"
PUBLISHED = SqueezeNet1_1_Weights.IMAGENET1K_V1
FILE = PUBLISHED.url.rpartition("/")[2]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file as torchvision publishes it, the first digits of its SHA-256 in its name."""
    folder = tmp_path_factory.mktemp("published")
    torch.manual_seed(9)
    torch.save(torchvision.models.get_model(NAME).state_dict(), folder / "made.pth")
    digest = hashlib.sha256((folder / "made.pth").read_bytes()).hexdigest()
    return (folder / "made.pth").rename(folder / f"{NAME}-{digest[:8]}.pth")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """torch's cache folder and ours, both empty; no proxy."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(urllib.request, "_opener", None)  # it remembers the proxies of the first request
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "torch" / "hub" / "checkpoints"


def publish(monkeypatch, url):
    monkeypatch.setattr(PUBLISHED.value, "url", url)


def by_hand(home, weights, name=None):
    home.mkdir(parents=True)
    return shutil.copy(weights, home / (name or weights.name))


def test_a_download_that_fails_is_one_error(home, tmp_path):
    environment = {**os.environ, **offline(), "TORCH_HOME": str(tmp_path / "torch"), "OVERLAY_EXPORT_CACHE": str(tmp_path / "cache")}
    result = cli("overlay-layers", "--model", NAME, env=environment)
    words = f"^Error: The weights {FILE} could not be downloaded (<urlopen error [Errno 111] Connection refused>): put the file of {PUBLISHED.url} into {home} by hand, or leave out --model {NAME}: the default network needs no download."
    refused(result, 1, re.escape(words).replace(r"\^", "^", 1))
    assert result.stderr.count("\n") == 1
    assert list(home.iterdir()) == []


def test_a_set_that_is_named_is_the_one_downloaded(home, monkeypatch):
    for name, value in offline().items():
        monkeypatch.setenv(name, value)
    for given, file in ((None, "resnet50-11ad3fa6.pth"), ("IMAGENET1K_V1", "resnet50-0676ba61.pth"), ("IMAGENET1K_V2", "resnet50-11ad3fa6.pth")):
        with pytest.raises(ModelError, match=f"The weights {file} could not be downloaded"):
            open_model("resnet50", weights=given)


def test_a_file_that_is_not_there_any_more(home, monkeypatch, tmp_path, unconverted):
    (tmp_path / "empty").mkdir()
    with served(tmp_path / "empty") as address:
        publish(monkeypatch, f"{address}/gone-01234567.pth")
        with pytest.raises(ModelError, match=r"The weights gone-01234567.pth could not be downloaded \(HTTP Error 404: File not found\): put the file of http\S+ into"):
            open_model(NAME)
    publish(monkeypatch, f"http://127.0.0.1:{closed_port()}/gone-01234567.pth")
    with pytest.raises(ModelError, match="gone-01234567.pth could not be downloaded"):
        open_model(NAME)


def test_a_folder_that_cannot_be_made(home, monkeypatch, weights, tmp_path):
    (tmp_path / "torch").write_text("")
    with pytest.raises(ModelError, match=rf"The weights {FILE} could not be downloaded \(.*Not a directory.*\): put the file"):
        open_model(NAME)


def test_a_download(home, monkeypatch, weights, unconverted, capfd):
    with served(weights.parent) as address:
        publish(monkeypatch, f"{address}/{weights.name}")
        model = open_model(NAME)
    assert [path.name for path in home.iterdir()] == [weights.name]
    assert (home / weights.name).read_bytes() == weights.read_bytes()
    assert (model.name, model.id, model.source, model.weights) == (f"{NAME}, ImageNet (IMAGENET1K_V1)", NAME, NAME, "")
    assert model.weights_sha256 == hashlib.sha256(weights.read_bytes()).hexdigest()
    expected = torch.load(weights, weights_only=True)
    assert all((value == expected[name]).all() for name, value in model.built().network.state_dict().items())
    assert tuple(capfd.readouterr()) == ("", "")


def test_a_download_that_is_not_what_was_published(home, monkeypatch, weights, tmp_path):
    (tmp_path / "wrong").mkdir()
    shutil.copy(weights, tmp_path / "wrong" / f"{NAME}-01234567.pth")
    with served(tmp_path / "wrong") as address:
        publish(monkeypatch, f"{address}/{NAME}-01234567.pth")
        with pytest.raises(ModelError, match=rf'The weights {NAME}-01234567.pth could not be downloaded \(invalid hash value \(expected "01234567", got "[0-9a-f]+"\)\): put the file of'):
            open_model(NAME)
    assert list(home.iterdir()) == []


def test_a_file_put_there_by_hand(home, monkeypatch, weights, unconverted):
    by_hand(home, weights)
    publish(monkeypatch, f"http://127.0.0.1:{closed_port()}/{weights.name}")
    assert open_model(NAME).weights_sha256 == hashlib.sha256(weights.read_bytes()).hexdigest()


def test_another_file_put_there_by_hand(home, monkeypatch, weights):
    path = by_hand(home, weights, f"{NAME}-01234567.pth")
    publish(monkeypatch, f"http://127.0.0.1:{closed_port()}/{path.name}")
    with pytest.raises(ModelError) as caught:
        open_model(NAME)
    assert str(caught.value) == f"The weights {path} are damaged: expected a SHA-256 that begins with 01234567; delete the file, and it is downloaded again."
    refused(invoke("overlay-layers", "--model", NAME), 1, "^Error: The weights .* are damaged")


def test_a_damaged_file_whose_name_holds_no_digits(home, monkeypatch, weights):
    path = by_hand(home, weights, "plain.pth")
    path.write_bytes(path.read_bytes()[:1000])
    publish(monkeypatch, f"http://127.0.0.1:{closed_port()}/plain.pth")
    with pytest.raises(ModelError, match=r"^plain.pth cannot be read \(.*expected whole weights"):
        open_model(NAME)


AGAIN = f"""
import sys, numpy as np
from exporter.models import open_model
model = open_model("{NAME}", notify=print)
model.prepare([request.info.module for request in model.resolve(["block3"])])
image = np.load(sys.argv[1])
np.save(sys.argv[2], model.run(image)["features.12"])
print(model.name, model.weights_sha256)
assert not {{"torch", "torchvision", "onnxscript"}} & set(sys.modules)
"""


def test_a_second_run_needs_neither_torch_nor_the_file_nor_a_network(home, monkeypatch, weights, tmp_path):
    by_hand(home, weights)
    publish(monkeypatch, f"http://127.0.0.1:{closed_port()}/{weights.name}")
    told = []
    model = open_model(NAME, notify=told.append)
    assert told == [f"Converting {NAME} to ONNX (once) ..."] and model.notes == ()
    model.prepare(["features.12"])
    np.save(tmp_path / "image.npy", noise(1, 96, 128))
    shutil.rmtree(home.parent)
    for name, value in offline().items():
        monkeypatch.setenv(name, value)
    run = run_python(AGAIN, tmp_path / "cache", str(tmp_path / "image.npy"), str(tmp_path / "map.npy"))
    assert (run.stdout, run.stderr) == (f"{model.name} {model.weights_sha256}\n", "")
    assert (np.load(tmp_path / "map.npy") == model.run(noise(1, 96, 128))["features.12"]).all()
    assert "torch" in sys.modules
