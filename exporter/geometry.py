"""Transformations that move what an image shows: an exact affine map, drawn from the decoded picture's own pixels at what a network reads."""

from math import cos, hypot, radians, sin, tan

import numpy as np
from PIL import Image

from exporter.pixels import Fit, crop_box, fit_image, network_size

FILLS = ("grey", "black", "white", "mean", "edge", "reflect")
# What most networks make 0, or nearly so.
GREY = 127
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
Matrix = tuple[float, float, float, float, float, float]

_COLOURS = {"grey": GREY, "black": 0, "white": 255}
# Drawn at this many times the network's input, then brought to it as an image is that was not moved.
_FINER = 2
# Pixels around what is drawn that bicubic sampling reads.
_MARGIN = 3


def rotate(degrees: float) -> Matrix:
    """Rotation about the centre, in degrees clockwise, of the picture's own pixels, so that right angles stay right whatever its shape. By
    default 24 steps of 15 degrees; VALUE is the step, which must divide 360. As in Zeiler and Fergus 2014 (Visualizing and Understanding
    Convolutional Networks, Fig. 5), Geirhos et al. 2018 (arXiv 1808.08750) in quarter turns, and the article by Fong et al. 2021.
    """
    angle = radians(degrees)
    return cos(angle), -sin(angle), 0.0, sin(angle), cos(angle), 0.0


def scale(factor: float) -> Matrix:
    """Zoom by a factor on a point, which stays where it is. By default 9 steps from 1 to 4, each the same multiple of the one before; VALUE is the
    greatest factor. Lists may zoom out as well. As in Zeiler and Fergus 2014 and the article by Fong et al. 2021.
    """
    return factor, 0.0, 0.0, 0.0, factor, 0.0


def translate(percent: float) -> Matrix:
    """A shift to the right, in per cent of the width. By default 17 steps from -40 to 40; VALUE is the greatest shift. As in Zeiler and Fergus
    2014, who shift vertically.
    """
    return 1.0, 0.0, percent / 100, 0.0, 1.0, 0.0


def shear(degrees: float) -> Matrix:
    """A horizontal shear about the centre: the angle, in degrees, by which upright lines lean to the right. By default 9 steps from -40 to 40;
    VALUE is the greatest angle. An affine map that keeps areas, beside those of Zeiler and Fergus 2014.
    """
    return 1.0, -tan(radians(degrees)), 0.0, 0.0, 1.0, 0.0


def about(linear: Matrix, point: tuple[float, float], aspect: float) -> Matrix:
    """A map of pixels, its shift in fractions, made one of fractions of a picture (width / height: aspect) about a point of it."""
    a, b, shift_x, d, e, shift_y = linear
    b, d, (x, y) = b / aspect, d * aspect, point
    found = (a, b, x - a * x - b * y + shift_x, d, e, y - d * x - e * y + shift_y)
    # Adding 0 makes -0 of 0: two ways to write the same.
    return tuple(round(number, 9) + 0.0 for number in found)


def seen(fit: Fit, width: int, height: int) -> tuple[float, float, float, float]:
    """The part of a picture that is published, in pixels: left, top, right, bottom. Matrices are in fractions of it."""
    return crop_box(fit, width, height) or (0.0, 0.0, float(width), float(height))


def warp(picture: Image.Image, fit: Fit, matrix: Matrix, fill: str) -> np.ndarray:
    """The network's input of a picture whose published part went through a matrix, uint8 (height, width, 3).

    A crop shows what lies beside it in the picture; fill, one of `FILLS`, stands beyond the picture itself.
    """
    if matrix == IDENTITY:
        return fit_image(picture, fit)
    rows, columns = network_size(fit, *picture.size)
    left, top, right, bottom = seen(fit, *picture.size)
    size = (_FINER * columns, _FINER * rows)
    to_fractions = np.array([[1 / (right - left), 0, -left / (right - left)], [0, 1 / (bottom - top), -top / (bottom - top)], [0, 0, 1]])
    drawn = np.diag([*size, 1.0]) @ np.array([matrix[:3], matrix[3:], (0, 0, 1)]) @ to_fractions
    source = _reduced(picture, hypot(drawn[0, 0], drawn[1, 0]), hypot(drawn[0, 1], drawn[1, 1]))
    back = np.diag([source.width / picture.width, source.height / picture.height, 1.0]) @ np.linalg.inv(drawn)
    corners = back[:2] @ np.array([[0, size[0], 0, size[0]], [0, 0, size[1], size[1]], [1, 1, 1, 1]])
    first, last = np.floor(corners.min(axis=1)).astype(int) - _MARGIN, np.ceil(corners.max(axis=1)).astype(int) + _MARGIN
    canvas = _extended(np.asarray(source), first, last, fill)
    back[:2, 2] -= first
    moved = Image.fromarray(canvas).transform(size, Image.Transform.AFFINE, back[:2].ravel().tolist(), Image.Resampling.BICUBIC)
    return np.array(moved.resize((columns, rows), Image.Resampling.BICUBIC))


def _reduced(picture: Image.Image, across: float, down: float) -> Image.Image:
    """The picture with as many pixels as are drawn of it, where it has more: sampling alone would alias."""
    size = tuple(max(1, round(side * min(1.0, drawn))) for side, drawn in zip(picture.size, (across, down), strict=True))
    return picture if size == picture.size else picture.resize(size, Image.Resampling.BICUBIC)


def _extended(pixels: np.ndarray, first: np.ndarray, last: np.ndarray, fill: str) -> np.ndarray:
    """What lies between two points (x, y), in pixels of a picture, the last one excluded, with what stands beyond the picture."""
    (height, width), (xs, ys) = pixels.shape[:2], (np.arange(start, end) for start, end in zip(first, last, strict=True))
    found = pixels[_folded(ys, height, fill)][:, _folded(xs, width, fill)]
    if fill in ("edge", "reflect"):
        return found
    colour = pixels.mean(axis=(0, 1)).round().astype(np.uint8) if fill == "mean" else _COLOURS[fill]
    found[(ys < 0) | (ys >= height)] = colour
    found[:, (xs < 0) | (xs >= width)] = colour
    return found


def _folded(places: np.ndarray, length: int, fill: str) -> np.ndarray:
    """Places along a side as those of pixels that are there."""
    if fill != "reflect":
        return places.clip(0, length - 1)
    turned = places % (2 * length)
    return np.minimum(turned, 2 * length - 1 - turned)
