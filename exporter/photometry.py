"""Transformations that change colours where they are: of a network's input, uint8 (height, width, 3), so that it and a reader see exactly the same."""

import io

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from exporter.geometry import GREY

# Of a series with an end that no number names: the whole image, not compressed.
WHOLE = 100.0
SEED = 0


def brightness(pixels: np.ndarray, factor: float) -> np.ndarray:
    """Every value times a factor. By default 9 steps from 1/3 to 3, each the same multiple of the one before; VALUE is the greatest factor. One of
    the corruptions of Hendrycks and Dietterich 2019 (ImageNet-C, arXiv 1903.12261), who add instead.
    """
    return np.asarray(ImageEnhance.Brightness(Image.fromarray(pixels)).enhance(factor))


def contrast(pixels: np.ndarray, factor: float) -> np.ndarray:
    """The distance of every value from the image's mean grey, times a factor. By default 9 steps from 1/4 to 4, each the same multiple of the one
    before; VALUE is the greatest factor. As in Hendrycks and Dietterich 2019 (arXiv 1903.12261); Geirhos et al. 2018 (arXiv 1808.08750) take mid grey.
    """
    return np.asarray(ImageEnhance.Contrast(Image.fromarray(pixels)).enhance(factor))


def greyscale(pixels: np.ndarray, percent: float) -> np.ndarray:
    """The share of the colour that is taken away, in per cent; at 100 the image is grey, of the same luma. By default 6 steps from 0 to 100; VALUE is
    the greatest share. As in Geirhos et al. 2018 (arXiv 1808.08750), there all of it at once.
    """
    return np.asarray(ImageEnhance.Color(Image.fromarray(pixels)).enhance(1 - percent / 100))


def blur(pixels: np.ndarray, percent: float) -> np.ndarray:
    """A Gaussian blur, which leaves low frequencies: its standard deviation in per cent of the longer side. By default 7 steps, 0 and then from 0.25,
    doubled, to 8; VALUE is the greatest. The low-pass filter of Geirhos et al. 2018 (arXiv 1808.08750), a corruption of Hendrycks and Dietterich 2019.
    """
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(percent / 100 * max(pixels.shape[:2]))))


def highpass(pixels: np.ndarray, percent: float) -> np.ndarray:
    """The image minus its Gaussian blur, plus mid grey, which leaves high frequencies: the standard deviation in per cent of the longer side. By
    default 7 steps, from 0.25, doubled, to 8, and then the whole image; VALUE is the greatest. The high-pass filter of Geirhos et al. 2018 (arXiv 1808.08750).
    """
    if percent == WHOLE:
        return pixels
    return _whole(pixels.astype(np.float64) - blur(pixels, percent) + GREY)


def noise(pixels: np.ndarray, percent: float) -> np.ndarray:
    """Gaussian noise, independent for every value: its standard deviation in per cent of the range of values. By default 9 steps from 0 to 40; VALUE is
    the greatest. A corruption of Hendrycks and Dietterich 2019 (arXiv 1903.12261), who go to 38 per cent. Seeded: every image of one size, and every step, has the same noise, more or less of it.
    """
    return _whole(pixels + np.random.default_rng(SEED).standard_normal(pixels.shape) * (percent / 100 * 255))


def saltpepper(pixels: np.ndarray, percent: float) -> np.ndarray:
    """Pixels made white or black, each as likely: their share in per cent. By default 9 steps from 0 to 40; VALUE is the greatest. As in Geirhos et al.
    2018 (arXiv 1808.08750), who go to 95. Seeded: on every image of one size the same pixels, and at a greater share those of the smaller ones and more.
    """
    drawn, found = np.random.default_rng(SEED).random(pixels.shape[:2]), pixels.copy()
    found[drawn < percent / 200] = 0
    found[drawn >= 1 - percent / 200] = 255
    return found


def jpeg(pixels: np.ndarray, quality: float) -> np.ndarray:
    """JPEG compression, by its quality from 1 to 95 as Pillow counts it. By default 7 steps, the image as it is, then qualities from 80 down to 5, each
    the same share of the one before; VALUE is the lowest. A corruption of Hendrycks and Dietterich 2019 (arXiv 1903.12261), who go from 25 to 7.
    """
    if quality == WHOLE:
        return pixels
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=int(quality))
    with Image.open(stream, formats=["JPEG"]) as image:
        return np.asarray(image)


def occlude(pixels: np.ndarray, percent: float, point: tuple[float, float] = (0.5, 0.5)) -> np.ndarray:
    """A mid-grey square about a point: its side in per cent of the image's shorter side. By default 9 steps from 0 to 80; VALUE is the greatest side. After
    Zeiler and Fergus 2014 (Visualizing and Understanding Convolutional Networks), who move a grey square over the image.
    """
    found, side = pixels.copy(), round(percent / 100 * min(pixels.shape[:2]))
    columns, rows = (slice(max(start, 0), max(start + side, 0)) for start in (round(at * length - side / 2) for at, length in zip(point, pixels.shape[1::-1], strict=True)))
    found[rows, columns] = GREY
    return found


def _whole(values: np.ndarray) -> np.ndarray:
    """Values as pixels have them."""
    return values.round().clip(0, 255).astype(np.uint8)
