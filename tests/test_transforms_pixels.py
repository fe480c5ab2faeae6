"""What transformations do to colours, and that an image at its own step is what the network reads of it anyway."""

import numpy as np
import pytest
from PIL import Image

from exporter.pixels import Fit, fit_image
from exporter.transforms import KINDS, apply, matrix, parse_series
from tests.conftest import make_photo

FIT = Fit("contain", 224)


@pytest.fixture
def photo(tmp_path):
    return Image.open(make_photo(tmp_path / "photo.png", 11, (300, 200)))


def under(photo, spec, fit=FIT):
    """(the image as it is, {value: the image at that step}), as float."""
    (series,) = parse_series([spec])
    return fit_image(photo, fit).astype(float), {one.value: apply(photo, fit, series, step).astype(float) for step, one in enumerate(series.steps)}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("fit", [FIT, Fit("stretch", 224), Fit("crop", 224), Fit("contain", 224, 32, (96, 160))], ids=str)
def test_every_series_leaves_the_image_as_it_is_at_its_original(photo, name, fit):
    (series,) = parse_series([name])
    assert apply(photo, fit, series, series.original).tobytes() == fit_image(photo, fit).tobytes()
    assert matrix(series, series.original, fit, *photo.size) == (1, 0, 0, 0, 1, 0)


@pytest.mark.parametrize("name", KINDS)
def test_every_other_step_changes_it_and_is_the_same_every_time(photo, name):
    (series,) = parse_series([name])
    before, found = fit_image(photo, FIT), [apply(photo, FIT, series, step) for step in range(len(series.steps))]
    assert {(one.shape, one.dtype.name) for one in found} == {(before.shape, "uint8")}
    assert len({one.tobytes() for one in found}) == len(series.steps)
    assert [one.tobytes() for one in found] == [apply(photo, FIT, series, step).tobytes() for step in range(len(series.steps))]
    if not KINDS[name].moves:
        assert {matrix(series, step, FIT, *photo.size) for step in range(len(series.steps))} == {(1, 0, 0, 0, 1, 0)}


def test_brightness_is_a_factor(photo):
    usual, found = under(photo, "brightness:0/0.5/2")
    for factor, pixels in found.items():
        assert np.abs(pixels - (usual * factor).clip(0, 255)).max() <= 1


def test_contrast_is_a_factor_about_the_mean(photo):
    usual, found = under(photo, "contrast:0/0.5/0.9")
    grey = found[0].mean()
    assert (found[0] == grey).all() and grey == pytest.approx((usual @ (0.299, 0.587, 0.114)).mean(), abs=1)
    for factor, pixels in found.items():
        assert np.abs(pixels - (grey + (usual - grey) * factor)).max() <= 1


def test_greyscale_takes_colour_away(photo):
    usual, found = under(photo, "greyscale:50/100")
    assert (found[100] == found[100][..., :1]).all()
    assert np.abs(found[100][..., 0] - usual @ (0.299, 0.587, 0.114)).max() <= 1
    assert np.abs(found[50] - (usual + found[100]) / 2).max() <= 1


def test_a_blur_leaves_ever_less_and_keeps_the_mean(photo):
    _, found = under(photo, "blur")
    edges = [np.abs(np.diff(pixels, axis=1)).mean() for pixels in found.values()]
    assert edges == sorted(edges, reverse=True) and edges[-1] < 0.4 * edges[0]
    assert np.ptp([pixels.mean() for pixels in found.values()]) < 3


def test_the_deviation_of_a_blur_is_a_share_of_the_longer_side():
    dot = np.zeros((128, 256, 3), np.uint8)
    dot[54:74, 118:138] = 255
    _, found = under(Image.fromarray(dot), "blur:0/4", Fit("contain", 256, 16))
    row, place = found[4][64, :, 0], np.arange(256)
    deviation = np.sqrt((row * (place - 127.5) ** 2).sum() / row.sum())
    # The square has a deviation of its own; squares of deviations add up.
    assert np.sqrt(deviation**2 - (20**2 - 1) / 12) == pytest.approx(0.04 * 256, rel=0.06)


def test_a_high_pass_is_what_the_blur_takes_away(photo):
    usual, blurred = under(photo, "blur:0/2")
    _, found = under(photo, "highpass:0.5/2")
    assert (found[2] == (usual - blurred[2] + 127).clip(0, 255)).all()
    assert abs(found[0.5].mean() - 127) < 3 and found[0.5].std() < found[2].std()
    assert list(found) == [0.5, 2, 100]


def test_noise_has_its_deviation_and_is_the_same_on_every_image(photo):
    grey = Image.new("RGB", (224, 160), (128, 128, 128))
    _, found = under(grey, "noise:5/10")
    noise = {percent: found[percent] - 128 for percent in (5, 10)}
    for percent, values in noise.items():
        assert values.std() == pytest.approx(percent / 100 * 255, rel=0.02) and abs(values.mean()) < 0.5
    assert np.abs(noise[10] - 2 * noise[5]).max() <= 1.5
    usual, of_photo = under(photo, "noise:0/5")
    inside = (usual > 80) & (usual < 175)
    assert inside.any() and (of_photo[5] - usual == noise[5])[inside].all()


def test_salt_and_pepper_take_their_share_of_whole_pixels(photo):
    usual, found = under(photo, "saltpepper:10/30")
    taken = {}
    for percent in (10, 30):
        changed = (found[percent] != usual).any(axis=-1)
        assert changed.mean() == pytest.approx(percent / 100, abs=0.02)
        assert np.isin(found[percent][changed], (0, 255)).all() and np.ptp(found[percent][changed], axis=-1).max() == 0
        assert (found[percent][changed] == 255).mean() == pytest.approx(0.5, abs=0.05)
        taken[percent] = changed
    assert (taken[10] <= taken[30]).all()


def test_jpeg_gets_worse_with_its_quality(photo):
    usual, found = under(photo, "jpeg")
    errors = [np.abs(pixels - usual).mean() for pixels in found.values()]
    assert list(found) == sorted(found, reverse=True) and next(iter(found)) == 100
    assert errors == sorted(errors) and errors[0] == 0 and errors[-1] > 3


@pytest.mark.parametrize(("place", "top", "left"), [("", 60, 92), ("@0.25x0.5", 60, 36), ("@1x0", -20, 204)])
def test_a_square_of_its_side_stands_about_its_place(place, top, left):
    photo = Image.new("RGB", (224, 160), (200, 10, 10))
    _, found = under(photo, f"occlude:0/25{place}")
    grey = (found[25] == 127).all(axis=-1)
    wanted = np.zeros_like(grey)
    wanted[max(top, 0) : top + 40, left : left + 40] = True
    assert (grey == wanted).all() and (found[25][~grey] == (200, 10, 10)).all()
