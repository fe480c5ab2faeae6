"""From pixels to what a network was trained on: a range, a mean and a standard deviation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exporter.errors import UsageError


@dataclass(frozen=True)
class Preprocessing:
    """Pixel values 0..255 are mapped linearly to `input_range`, then (x - mean) / std per channel (RGB)."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    input_range: tuple[float, float]

    def apply(self, image: np.ndarray) -> np.ndarray:
        """uint8 (height, width, 3) -> float32 (1, 3, height, width)."""
        low, high = self.input_range
        out = np.empty((1, 3, *image.shape[:2]), np.float32)
        for channel, (mean, std) in enumerate(zip(self.mean, self.std, strict=True)):
            plane = out[0, channel]
            np.copyto(plane, image[..., channel])
            plane *= np.float32((high - low) / 255 / std)
            plane += np.float32((low - mean) / std)
        return out


# The reference implementation of the lite models: (x - 127) / 128 on 0..255.
EFFICIENTNET_LITE = Preprocessing(mean=(127.0,) * 3, std=(128.0,) * 3, input_range=(0.0, 255.0))

# What torchvision's and most other ImageNet networks were trained on.
IMAGENET = Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), input_range=(0.0, 1.0))


def preprocessing(
    own: Preprocessing,
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
    input_range: Sequence[float] | None,
) -> Preprocessing:
    """A network's own preprocessing with the given parts replaced; UsageError for numbers that cannot be meant.

    With `input_range` given, a mean or std left out is 0 or 1: the network's own would be in the units of another range.
    """
    if input_range is not None:
        own = Preprocessing((0.0,) * 3, (1.0,) * 3, _range(input_range))
    return Preprocessing(
        own.mean if mean is None else _channels("--mean", mean),
        own.std if std is None else _positive(_channels("--std", std)),
        own.input_range,
    )


def _numbers(option: str, values: Sequence[float], counts: tuple[int, ...]) -> tuple[float, ...]:
    expected = " or ".join(map(str, counts)) + " finite numbers"
    try:
        numbers = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) not in counts or not all(map(math.isfinite, numbers)):
        raise UsageError(f"{option} is {values!r}: expected {expected}; give them like {_EXAMPLES[option]}.")
    return numbers


_EXAMPLES = {
    "--mean": "--mean 0.485,0.456,0.406",
    "--std": "--std 0.229,0.224,0.225",
    "--input-range": "--input-range 0,255",
}


def _channels(option: str, values: Sequence[float]) -> tuple[float, float, float]:
    numbers = _numbers(option, values, (1, 3))
    return numbers * 3 if len(numbers) == 1 else numbers


def _positive(std: tuple[float, float, float]) -> tuple[float, float, float]:
    if min(std) <= 0:
        raise UsageError(f"--std is {min(std):g} for a channel: expected numbers above 0; leave it out for the default.")
    return std


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = _numbers("--input-range", values, (2,))
    if low >= high:
        raise UsageError(f"--input-range runs from {low:g} to {high:g}: expected the lower number first, like 0,255.")
    return low, high
