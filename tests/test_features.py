"""Feature maps are streamed in order, whatever the batch size and the threads; what goes wrong names its image."""

import numpy as np
import pytest

from exporter.errors import ModelError
from exporter.features import extract
from exporter.images import find_images
from exporter.models import open_model
from exporter.pixels import BadImage, Fit, decode, fit_image
from tests.conftest import make_photo

FIT = Fit("contain", 64, 8)


@pytest.fixture
def model(tiny_network):
    opened = open_model(tiny_network)
    opened.prepare(["shallow", "deep"])
    return opened


def size_of(index, picture, pixels):
    return picture.size


def keep(index, size, maps):
    return index, size, maps


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 100])
def test_order_and_values_do_not_depend_on_batches_or_threads(photos, model, batch_size, threads):
    images = find_images([photos]).images
    usual = list(extract(images, model, FIT, keep, threads=1, show=size_of))
    found = list(extract(images, model, FIT, keep, threads=threads, batch_size=batch_size, show=size_of))
    assert [index for index, _, _ in found] == [0, 1, 2, 3, 4]
    for (_, size, maps), (_, usual_size, usual_maps) in zip(found, usual, strict=True):
        assert size == usual_size and len(size) == 2 and list(maps) == ["shallow", "deep"]
        for module in maps:
            assert maps[module].dtype == np.float32 and maps[module].flags.c_contiguous
            assert (maps[module] == usual_maps[module]).all()
    assert [maps["deep"].shape for _, _, maps in found] == [(5, 8, 10), (8, 8, 10), (5, 8, 10), (8, 5, 10), (5, 8, 10)]


@pytest.mark.parametrize("fixed", [(256, 512), (512, 256)])
def test_a_network_of_one_size_larger_than_asked_for_gets_all_its_pixels(tmp_path, model, fixed):
    path = make_photo(tmp_path / "big.jpg", 5, (2048, 1536))
    fit = Fit("contain", 32, 8, fixed)
    ((_, size, maps),) = extract(find_images([path]).images, model, fit, keep, threads=1)
    sharp, coarse = (model.run(fit_image(decode(path, least=least), fit)[None])["deep"] for least in (512, 32))
    assert (maps["deep"] == sharp[0].transpose(1, 2, 0)).all() and (sharp != coarse).any()
    assert size is None


def test_only_images_of_one_shape_run_together(photos, model, monkeypatch):
    shapes = []
    run = model.run
    monkeypatch.setattr(model, "run", lambda batch: shapes.append(batch.shape) or run(batch))
    make_photo(photos / "second.png", 8)
    list(extract(find_images([photos]).images, model, FIT, keep, threads=1, batch_size=6))
    assert shapes == [(1, 40, 64, 3), (1, 64, 64, 3), (1, 40, 64, 3), (1, 64, 40, 3), (2, 40, 64, 3)]


def test_nothing_runs_far_ahead(tmp_path, model, monkeypatch):
    for number in range(12):
        make_photo(tmp_path / f"{number:02}.png", number)
    calls = []
    run = model.run
    monkeypatch.setattr(model, "run", lambda batch: calls.append(1) or run(batch))
    stream = extract(find_images([tmp_path]).images, model, FIT, keep, threads=1)
    next(stream)
    stream.close()
    assert 1 <= len(calls) <= 3


def test_an_image_that_vanishes_is_named(photos, model):
    images = find_images([photos]).images
    images[2].path.unlink()
    stream = extract(images, model, FIT, keep, threads=2)
    assert [next(stream)[0], next(stream)[0]] == [0, 1]
    with pytest.raises(BadImage, match="fido.png: there is no such file"):
        next(stream)


@pytest.mark.parametrize(("batch_size", "where"), [(1, "tom.png: bad"), (3, "kit.jpg to .*fido.png: bad")])
def test_a_network_that_fails_names_the_images(photos, model, monkeypatch, batch_size, where):
    def fail(batch):
        if batch.shape[1:3] == (64, 64):
            raise ModelError("bad")
        return run(batch)

    run = model.run
    monkeypatch.setattr(model, "run", fail)
    with pytest.raises(ModelError, match=where):
        list(extract(find_images([photos]).images, model, FIT, keep, threads=1, batch_size=batch_size))
