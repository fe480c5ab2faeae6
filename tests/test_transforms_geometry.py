"""Where transformations move what an image shows: cells of a colour each go through the exporter's own pixels and must turn up where the matrix says, at every step."""

import cmath
import math

import numpy as np
import pytest
from PIL import Image

from exporter import geometry
from exporter.pixels import Fit, fit_image
from exporter.transforms import apply, matrix, parse_series, zoom
from tests.conftest import make_photo

MOVES = ("rotate", "scale", "translate", "shear")
# Ten values for each of red, green and blue, far enough apart to be told from each other after resampling. None is the grey that fills.
VALUES = np.arange(10) * 27 + 3
COLOURS = np.array([(r, g, b) for r in VALUES for g in VALUES for b in VALUES], np.int64)


class Cells:
    """A picture of cells, each of its own colour, and how a network meets it."""

    def __init__(self, rows, columns, side, fit, box=None):
        self.rows, self.columns, self.fit = rows, columns, fit
        colours = np.random.default_rng(5).permutation(COLOURS)[: rows * columns]
        self.colours = colours.reshape(rows, columns, 3)
        self.picture = Image.fromarray(self.colours.astype(np.uint8).repeat(side, axis=0).repeat(side, axis=1))
        # The part that a network sees, in pixels: left, top, right, bottom.
        self.box = box or (0, 0, *self.picture.size)
        # As much as any cell reaches from its centre, in fractions, however it lies.
        self.margin = 1.5 * side / min(self.box[2] - self.box[0], self.box[3] - self.box[1])
        self.centres = np.stack(np.meshgrid(*((np.arange(count) + 0.5) * side for count in (columns, rows))), axis=-1)

    def fractions(self, points):
        left, top, right, bottom = self.box
        return (points - (left, top)) / (right - left, bottom - top)


CELLS = {
    "14 x 14": lambda: Cells(14, 14, 30, Fit("contain", 224)),
    "28 x 28": lambda: Cells(28, 28, 24, Fit("contain", 448)),
    "wide": lambda: Cells(10, 15, 31, Fit("contain", 240, 16)),
    "tall": lambda: Cells(18, 12, 20, Fit("contain", 288)),
    "small": lambda: Cells(14, 14, 9, Fit("contain", 224)),
    "wide, stretched": lambda: Cells(9, 14, 24, Fit("stretch", 256)),
    "wide, cropped": lambda: Cells(12, 20, 24, Fit("crop", 224), (96, 0, 384, 288)),
    "one size": lambda: Cells(14, 14, 24, Fit("contain", 448, 32, (192, 288))),
    "one size, cropped": lambda: Cells(14, 14, 24, Fit("crop", 448, 32, (192, 288)), (0, 56, 336, 280)),
}


# Of each of 256 values the digit of the nearest of a cell, and whether it is as good as that.
DIGITS = np.abs(np.arange(256)[:, None] - VALUES).argmin(axis=1).astype(np.int16)
EXACT = np.abs(np.arange(256) - VALUES[DIGITS]) <= 2


def codes(pixels):
    """A number for every pixel that is of a cell's colour, -1 for the others."""
    red, green, blue = DIGITS[np.moveaxis(pixels, -1, 0)]
    return np.where(EXACT[pixels].all(axis=-1), 100 * red + 10 * green + blue, -1)


def areas(pixels):
    """The codes of all colours that cover 3 x 3 pixels somewhere: where cells meet, a line of pixels may have the colour of another."""
    found = codes(pixels)
    rows = (found[:-2] == found[1:-1]) & (found[1:-1] == found[2:])
    columns = (found[:, :-2] == found[:, 1:-1]) & (found[:, 1:-1] == found[:, 2:])
    whole = rows[:, :-2] & columns[:-2] & columns[1:-1] & columns[2:]
    return set(np.unique(found[:-2, :-2][whole]).tolist()) - {-1}


def moved(numbers, points):
    """What FORMAT.md says of a matrix."""
    a, b, c, d, e, f = numbers
    x, y = points[..., 0], points[..., 1]
    return np.stack([a * x + b * y + c, d * x + e * y + f], axis=-1)


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("kind", CELLS)
def test_every_cell_is_where_the_matrix_says_and_nowhere_else(kind, name):
    cells = CELLS[kind]()
    (series,) = parse_series([name])
    seen = 0
    for step in range(len(series.steps)):
        pixels = apply(cells.picture, cells.fit, series, step).astype(np.int64)
        height, width = pixels.shape[:2]
        places = moved(matrix(series, step, cells.fit, *cells.picture.size), cells.fractions(cells.centres))
        inside = ((places > 0.01) & (places < 0.99)).all(axis=-1)
        x, y = (places[inside] * (width, height)).astype(int).T
        assert (np.abs(pixels[y, x] - cells.colours[inside]) <= 6).all(), f"step {step}"
        margin = cells.margin * zoom(series, step)
        beyond = ((places < -margin) | (places > 1 + margin)).any(axis=-1)
        assert not areas(pixels) & set(codes(cells.colours[beyond]).tolist()), f"step {step}"
        assert areas(pixels) >= set(codes(cells.colours[inside & ~((places < margin) | (places > 1 - margin)).any(axis=-1)]).tolist())
        seen += inside.sum()
    assert seen > cells.rows * cells.columns / 2


def expected(name, value, x, y):
    """Where a point goes, in pixels from the point that stays, x to the right and y downwards."""
    if name == "rotate":
        turned = complex(x, y) * cmath.exp(1j * math.pi * value / 180)
        return turned.real, turned.imag
    return {"scale": (x * value, y * value), "shear": (x - y * math.tan(math.pi * value / 180), y)}[name]


@pytest.mark.parametrize("spec", ["rotate", "scale", "scale@0.25x0.75", "scale:0.2/0.5/8", "shear"])
@pytest.mark.parametrize("fit", [Fit("contain", 224), Fit("stretch", 224), Fit("crop", 224)], ids=lambda fit: fit.mode)
def test_angles_and_factors_are_those_of_the_picture(spec, fit):
    (series,) = parse_series([spec])
    width, height = 300, 200
    left, right = (50, 250) if fit.mode == "crop" else (0, width)
    at_x, at_y = (0.25, 0.75) if "@" in spec else (0.5, 0.5)
    for step, one in enumerate(series.steps):
        for x, y in ((10, 20), (-35, 60), (0, 0)):
            goes_x, goes_y = expected(series.transform, one.value, x, y)
            point = np.array([at_x + x / (right - left), at_y + y / height])
            found = moved(matrix(series, step, fit, width, height), point)
            assert found == pytest.approx([at_x + goes_x / (right - left), at_y + goes_y / height], abs=1e-6)


def test_shifts_are_shares_of_the_width():
    (series,) = parse_series(["translate:10/-25"])
    for step, value in enumerate([-0.25, 0, 0.1]):
        assert matrix(series, step, Fit("contain", 224), 300, 200) == (1, 0, value, 0, 1, 0)


@pytest.fixture
def photo(tmp_path):
    return Image.open(make_photo(tmp_path / "photo.png", 3, (224, 224)))


def of(picture, spec, step, size=224, mode="contain", fill="grey"):
    (series,) = parse_series([spec], fill)
    return apply(picture, Fit(mode, size), series, step).astype(int)


@pytest.mark.parametrize(("degrees", "turns"), [(90, -1), (180, 2), (270, 1)])
def test_quarter_turns_are_clockwise(photo, degrees, turns):
    found, turned = of(photo, f"rotate:0/{degrees}", 1), np.rot90(np.asarray(photo), turns).astype(int)
    assert np.abs(found - turned).mean() < 1


def test_a_shear_leans_to_the_right_and_a_shift_goes_there(photo):
    pixels = np.zeros((224, 224, 3), np.uint8)
    pixels[:, 100:124] = 255
    bar = Image.fromarray(pixels)
    for row, column in ((10, 112 + 102), (112, 112), (213, 112 - 101)):
        assert (of(bar, "shear:0/45", 1)[row, column] > 200).all()
    assert (of(bar, "translate:0/25", 1)[:, 112 + 56] > 200).all()


def test_zooming_in_shows_what_the_network_did_not_see_before():
    """Stripes of one pixel of the photo, of which it sees a quarter of the pixels: zoomed by 4 they are all there."""
    stripes = np.zeros((896, 896, 3), np.uint8)
    stripes[:, ::2] = 255
    picture = Image.fromarray(stripes)
    assert fit_image(picture, Fit("contain", 224)).std() < 20
    assert of(picture, "scale:1/4", 1).std() > 50


def test_zooming_out_averages():
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (224, 224, 3), dtype=np.uint8))
    found = of(noise, "scale:0.1/1", 0)
    assert found[102:122, 102:122].std() < 25
    assert (found[:90] == geometry.GREY).all() and (found[:, 134:] == geometry.GREY).all()


FILLED = {
    "grey": lambda pixels: np.full((224, 3), 127),
    "black": lambda pixels: np.zeros((224, 3)),
    "white": lambda pixels: np.full((224, 3), 255),
    "mean": lambda pixels: np.broadcast_to(pixels.mean(axis=(0, 1)).round(), (224, 3)),
    "edge": lambda pixels: pixels[:, 0],
    "reflect": lambda pixels: pixels[:, 67],
}


@pytest.mark.parametrize("fill", FILLED)
def test_what_stands_beyond_the_edge(photo, fill):
    """Shifted by 112 pixels; looked at 68 pixels beyond the edge."""
    pixels = np.asarray(photo).astype(int)
    found = of(photo, "translate:0/50", 1, fill=fill)

    wanted = FILLED[fill](pixels)
    assert np.abs(found[:, 44] - wanted).mean() < 2
    assert np.abs(found[:, 112:] - pixels[:, :112]).mean() < 1


@pytest.mark.parametrize("fill", geometry.FILLS)
@pytest.mark.parametrize("size", [(1, 1), (3, 400), (500, 2)], ids=str)
def test_pictures_of_any_shape_can_be_moved(size, fill):
    picture = Image.new("RGB", size, (10, 200, 60))
    for series in parse_series(["rotate:90", "scale:0.1/32", "shear:80", "translate:95"], fill):
        for step in range(len(series.steps)):
            found = apply(picture, Fit("contain", 64), series, step)
            assert found.shape == fit_image(picture, Fit("contain", 64)).shape and found.dtype == np.uint8


def test_a_crop_shows_what_lies_beside_it():
    pixels = np.zeros((100, 300, 3), np.uint8)
    pixels[:, 200:] = (255, 0, 0)
    found = of(Image.fromarray(pixels), "translate:-50/0", 0, size=96, mode="crop")
    assert (np.abs(found[:, 52:] - (255, 0, 0)) < 20).all() and (found[:, :44] < 20).all()
