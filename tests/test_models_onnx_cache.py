"""What is found out about an ONNX file is remembered, for just this file and these options."""

import numpy as np
import pytest

from exporter.models import open_model, probe
from tests.conftest import invoke
from tests.onnx_graphs import build, images, tiny, transformer


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A fresh cache folder."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(folder))
    return folder


@pytest.fixture
def looks(cache, monkeypatch):
    """Counts how often a network was run to find its layers."""
    found = []
    find = probe.Probe.find
    monkeypatch.setattr(probe.Probe, "find", lambda self, sizes: found.append(sizes) or find(self, sizes))
    return found


def count(looks):
    """The looks since the last count."""
    number = len(looks)
    looks.clear()
    return number


def facts(model):
    return model.name, model.weights_sha256, model.layers(), model.unavailable, model.multiple, model.fixed_size, model.prefix_tokens, model.preprocessing


@pytest.mark.parametrize("made", [build(), build(shape=(2, 3, 45, 30)), transformer(positions=197), transformer(14)], ids=["free", "fixed", "bound", "tokens"])
def test_a_second_opening_does_not_look_again(saved, looks, made):
    path = saved(made)
    first = open_model(path)
    assert count(looks) >= 1
    second = open_model(path)
    assert count(looks) == 0
    assert facts(second) == facts(first)
    size = first.fixed_size or (first.multiple * 4, first.multiple * 6)
    for model in (first, second):
        model.prepare([layer.module for layer in model.layers()])
    for name, values in first.run(images(1, *size)).items():
        assert (second.run(images(1, *size))[name] == values).all()


def test_another_file_or_another_option_is_looked_at(tmp_path, looks):
    path = tiny(tmp_path / "net.onnx")
    usual = open_model(path)
    for options in ({"mean": [0.1]}, {"std": [2]}, {"input_range": [0, 255]}, {"input_size": 96}, {"prefix_tokens": 1}):
        count(looks)
        open_model(path, **options)
        assert count(looks) >= 1, options
        open_model(path, **options)
        assert count(looks) == 0, options
    tiny(path, seed=8)
    assert open_model(path).weights_sha256 != usual.weights_sha256
    assert count(looks) >= 1


def test_the_same_file_by_another_name_is_known(tmp_path, looks):
    open_model(tiny(tmp_path / "one.onnx"))
    count(looks)
    assert open_model(tiny(tmp_path / "two.onnx")).name == "two"
    assert count(looks) == 0


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-20], lambda data: data.replace(b'"stride": 4', b'"stride": 5')], ids=["empty", "cut", "altered"])
def test_a_damaged_entry_is_made_again(saved, looks, cache, damage):
    path = saved(build())
    first = open_model(path)
    (entry,) = cache.iterdir()
    whole = entry.read_bytes()
    entry.write_bytes(damage(whole))
    assert entry.read_bytes() != whole
    count(looks)
    assert facts(open_model(path)) == facts(first)
    assert count(looks) >= 1
    assert entry.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, photos, looks, cache):
    cache.write_text("a file, where the folder would be")
    path = tiny(tmp_path / "net.onnx")
    for _ in range(2):
        model = open_model(path)
        assert [layer.module for layer in model.layers()] == ["conv", "shallow", "deep"] and not model.notes
        assert count(looks) >= 1
    run = invoke("overlay-export", photos, "-o", tmp_path / "site", "--model", path, "--layers", "deep", "--size", 64, "--quiet")
    assert (run.exit_code, run.output) == (0, "")
    assert cache.read_text() == "a file, where the folder would be"


def test_what_a_file_holds_is_not_stored(tmp_path, cache):
    """The cache keeps the table alone: the file itself stays where it is."""
    path = tmp_path / "net.onnx"
    path.write_bytes(build(more=[probe.onnx.numpy_helper.from_array(np.zeros(100_000, np.float32), "ballast")]).SerializeToString())
    open_model(path)
    assert [entry.suffix for entry in cache.iterdir()] == [".json"]
    assert sum(entry.stat().st_size for entry in cache.iterdir()) < 10_000


def test_a_file_that_is_refused_leaves_nothing(saved, cache, photos, tmp_path):
    run = invoke("overlay-export", photos, "-o", tmp_path / "site", "--model", saved(b"garbage"))
    assert run.exit_code == 1 and not cache.exists()
