"""Conversion to ONNX: what is right at every size becomes a graph, everything else runs in torch and says so."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from exporter.errors import ModelError
from exporter.models import build, cache, convert, session
from exporter.models.preprocessing import IMAGENET
from exporter.models.recipe import Built, Options, Recipe, Weights
from tests.models_help import distance, noise, normalised


class Net(nn.Module):
    """Two convolutions (stride 4 and 8), and what a test puts between them."""

    def __init__(self, between, patch=4):
        super().__init__()
        self.first, self.second, self.between = nn.Conv2d(3, 6, patch, patch), nn.Conv2d(6, 8, 2, 2), between

    def forward(self, images):
        return self.second(self.between(self.first(images)))


def by_size(x):
    return x * 2 if x.shape[2] > 55 else x * 3


def by_twos(x):
    return x * 2


def by_content(x):
    return x * 2 if x.mean() > 0 else x * 3


def no_small_ones(x):
    if x.shape[2] < 50:
        raise ValueError("too small")
    return x * 2


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Opens a network as `open_model` opens those that are no own code; and how often it was built, and what was told."""
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(tmp_path))

    def open_network(make, size=None, threads=None):
        def made():
            opened.builds += 1
            torch.manual_seed(3)
            return Built(make().eval(), "Net, tested", "0" * 64, IMAGENET, size=size)

        recipe = Recipe("Net", "net", made, ("tests", repr(size)))
        return build.open_recipe(recipe, Options(Weights(), size), lambda own: own, threads, told.append)

    told = []
    opened = open_network
    opened.builds, opened.told = 0, told
    return opened


def check(model, network, *sizes):
    model.prepare(["first", "second"])
    for size in sizes:
        images = noise(1, *size)
        maps = model.run(images)
        with torch.inference_mode():
            first = network.first(normalised(model, images))
            second = network.second(network.between(first.clone()))
        assert distance(first, maps["first"]) < 1e-3 and distance(second, maps["second"]) < 1e-3


def seeded(between, **options):
    torch.manual_seed(3)
    return Net(between, **options).eval()


SIZES = ((64, 96), (256, 320), (192, 416), (160, 96), (288, 32))


@pytest.mark.parametrize("between", [nn.Identity(), nn.ReLU(inplace=True), by_size, by_content], ids=["plain", "in place", "size", "content"])
def test_values_are_those_of_torch_at_every_size(opened, between):
    model = opened(lambda: Net(between))
    converted = isinstance(between, nn.Module)
    assert type(model).__name__ == ("OnnxModel" if converted else "TorchModel")
    assert (model.fixed_size, model.multiple, len(model.notes)) == (None, 8, 0 if converted else 1)
    check(model, seeded(between), *SIZES)


@pytest.mark.parametrize(
    ("between", "why"),
    [
        (by_size, "the values of its graph differ from torch's at 160x96 pixels, first at second$"),
        (by_content, "it could not be converted to ONNX: .+"),
    ],
)
def test_what_has_no_graph_says_why_every_time(opened, between, why):
    first, second = opened(lambda: Net(between)), opened(lambda: Net(between))
    assert first.notes == second.notes
    (note,) = first.notes
    prefix = "Net runs in torch, which is slower: "
    assert note.startswith(prefix) and "\n" not in note
    assert re.match(why, note.removeprefix(prefix)), note


@pytest.mark.parametrize(("size", "at"), [(None, (224, 224)), ((64, 96), (64, 96))])
@pytest.mark.parametrize(("fails", "why"), [(True, "its graph fails at {}x{} pixels"), (False, "the values of its graph differ from torch's at {}x{} pixels, first at second")])
def test_a_graph_that_is_not_right_at_one_size(opened, monkeypatch, size, at, fails, why):
    whole = session.execute

    def narrow(running, names, pixels, label):
        first, second, *more = whole(running, names, pixels, label)
        if pixels.shape[2:] == at:
            if fails:
                raise ModelError("no such index")
            second = second + 0.01 * np.abs(second).max()
        return [first, second, *more]

    monkeypatch.setattr(session, "execute", narrow)
    model = opened(lambda: Net(by_twos), size=size)
    assert model.notes == (f"Net runs in torch, which is slower: {why.format(*at)}",)
    check(model, seeded(by_twos), at)


def test_the_table_of_what_has_no_graph_is_kept(opened):
    first = opened(lambda: Net(by_size))
    assert opened.told == ["Converting Net to ONNX (once) ..."]
    second = opened(lambda: Net(by_size))
    assert (opened.builds, len(opened.told)) == (1, 1)
    assert first.layers() == second.layers() and first.unavailable == second.unavailable
    assert not list(cache.folder().glob("*.onnx"))
    check(second, seeded(by_size), (64, 96))
    assert opened.builds == 2


def test_a_size_that_the_network_itself_refuses_is_not_held_against_the_graph(opened):
    model = opened(lambda: Net(no_small_ones))
    assert type(model).__name__ == "OnnxModel"
    check(model, seeded(no_small_ones), (224, 96))


def test_a_graph_of_one_size(opened):
    model = opened(lambda: Net(by_size), size=(96, 64))
    assert (type(model).__name__, model.fixed_size, model.notes) == ("OnnxModel", (96, 64), ())
    check(model, seeded(by_size), (96, 64))


def test_patches_of_14_need_no_large_images(opened):
    seen = []

    def watched(x):
        seen.append(tuple(x.shape[2:]))
        return x + 0

    model = opened(lambda: Net(watched, patch=14))
    assert type(model).__name__ == "OnnxModel" and model.multiple == 28
    assert max(max(map(int, size)) for size in seen) * 14 < 800
    check(model, seeded(watched, patch=14), (280, 140))


def test_conversion_is_silent_and_leaves_torch_as_it_was(opened, capfd, recwarn):
    before, seen, monitor = torch.get_num_threads(), [], nn.Identity()
    monitor.register_forward_hook(lambda *arguments: seen.append(torch.get_num_threads()))
    torch.set_num_threads(2)
    try:
        opened(lambda: Net(monitor), threads=1)
        assert set(seen) == {1} and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert tuple(capfd.readouterr()) == ("", "") and not recwarn.list
    assert torch.is_grad_enabled()


def test_what_is_not_finite_must_be_so_in_both():
    one, two = np.array([1.0, -4.0, np.nan, np.inf]), np.array([1.0, -4.0, np.nan, np.inf])
    assert convert.difference(one, two) == 0
    two[1] = -3
    assert convert.difference(one, two) == 0.25
    for place, value in ((2, 0.0), (0, np.nan), (3, 1.0)):
        other = one.copy()
        other[place] = value
        assert convert.difference(one, other) == convert.difference(other, one) == float("inf")
    assert convert.difference(np.zeros(3), np.zeros(3)) == 0
    assert convert.difference(np.zeros(3), np.full(3, 0.5)) == 0.5
    assert convert.difference(np.zeros((2, 1)), np.zeros((1, 2))) == float("inf")
