"""Features on disk between the passes: what is added is read back, part by part."""

import json
import resource

import numpy as np
import pytest

from exporter import spool
from exporter.spool import NetworkSpool, Spooled, has_parts


@pytest.fixture(autouse=True)
def short_parts(monkeypatch):
    monkeypatch.setattr(spool, "PART_IMAGES", 3)


def features(image):
    """Maps of two layers on an image: 5 and 2 channels, grids that differ between images."""
    random = np.random.default_rng(image)
    return [random.normal(size=(2 + image % 3, 4, 5)).astype(np.float32), random.normal(size=(1, 1 + image % 2, 2)).astype(np.float32)]


def filled(folder, images=8, made_by="network"):
    found = NetworkSpool(folder, 0, 2, images, made_by)
    for image in found.missing():
        found.add(image, Spooled(f"source {image}", {"id": str(image)}, {f"site/{image}.jpg": "0" * 64}, features(image)))
    return found


def test_what_is_added_is_read_back_in_any_order(tmp_path):
    found = filled(tmp_path)
    for layer, channels in enumerate((5, 2)):
        maps = found.maps(layer, channels)
        assert maps.grids == [features(image)[layer].shape[:2] for image in range(8)]
        for image in (7, 0, 5, 3, 2, 6, 4, 1):
            read = maps.read(image)
            assert read.dtype == np.float32 and (read == features(image)[layer].reshape(-1, channels)).all()
    assert [entry["id"] for entry in found.entries()] == list("01234567") and found.missing() == []


def test_a_mean_is_subtracted(tmp_path):
    maps = filled(tmp_path).maps(1, 2)
    maps.mean = np.array([1, -2], np.float32)
    assert (maps.read(4) == features(4)[1].reshape(-1, 2) - maps.mean).all()


def test_a_part_is_finished_with_its_last_image(tmp_path):
    found = NetworkSpool(tmp_path, 0, 2, 4, "network")
    for image in range(3):
        assert not has_parts(tmp_path) and found.missing() == [0, 1, 2, 3]
        found.add(image, Spooled("", None, {}, features(image)))
    assert has_parts(tmp_path) and found.missing() == [3]
    (record,) = (json.loads(path.read_text()) for path in (tmp_path / "spool").glob("*.json"))
    assert len(record["sources"]) == 3 and len(record["files"]) == 2


def test_a_map_stays_until_no_layer_needs_it(tmp_path):
    """Map 2 is of no layer and needed for both, map 1 for itself and layer 0."""
    for beside, after in (({0: 2, 1: 2}, [[1, 2], []]), ({0: 1, 1: 2}, [[1, 2], []]), ({1: 2}, [[1, 2], []]), ({0: 2}, [[1], []]), ({1: 0}, [[0, 1], []])):
        maps = [np.ones((1, 1, 1), np.float32)] * (1 + max(1, *beside.values()))
        found = NetworkSpool(tmp_path, 0, 2, 1, "network", beside)
        found.add(0, Spooled("", None, {}, maps))
        for layer in (0, 1):
            found.finish_layer(layer, "coding", {}, {})
            assert sorted(path.name for path in (tmp_path / "spool").glob("*.f32")) == [f"0-00000-{number}.f32" for number in after[layer]]
            again = NetworkSpool(tmp_path, 0, 2, 1, "network", beside)
            again.take_over(lambda image: "", "coding")
            assert again.missing() == [] and again.finished_layer(layer) == {}
        for path in (tmp_path / "spool").iterdir():
            path.unlink()


def test_more_layers_than_files_that_may_be_open(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    maps = [np.full((1, 2, 3), layer, np.float32) for layer in range(200)]
    found = NetworkSpool(tmp_path, 0, len(maps), 4)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, limits[1]))
    try:
        for image in range(4):
            found.add(image, Spooled("", None, {}, maps))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert all((found.maps(layer, 3).read(image) == layer).all() for layer in (0, 199) for image in range(4))


def test_what_cannot_be_taken_over_is_not_worth_keeping(tmp_path):
    found = filled(tmp_path, made_by="")
    found.finish_layer(0, "coding", {"id": "first"}, {})
    assert not has_parts(tmp_path) and not list((tmp_path / "spool").glob("*.json"))
    assert (found.maps(1, 2).read(7) == features(7)[1].reshape(-1, 2)).all()


def test_a_finished_layer_leaves_the_others(tmp_path):
    found = filled(tmp_path)
    found.finish_layer(0, "coding", {"id": "first"}, {})
    assert found.finished_layer(0) is None, "only what is taken over is not written again"
    assert sorted(path.name for path in (tmp_path / "spool").glob("*.f32")) == [f"0-0000{part}-1.f32" for part in range(3)]
    assert (found.maps(1, 2).read(7) == features(7)[1].reshape(-1, 2)).all()
