"""A stated sample of patches, and what is measured on it: the error that codes cost, and the range worth showing."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from exporter.manifest import SimilarityError
from exporter.parallel import ordered_map
from exporter.quantise import similarity, unit

SAMPLE_PATCHES = 2048
_BLOCK = 256
_DIGITS = 6


class SamplePlan:
    """Which patches are sampled: about `limit` of them, the same number on every image, at seeded random places.

    With more than `limit` images, `limit` of them, evenly spread, give one patch each.
    """

    def __init__(self, images: int, limit: int = SAMPLE_PATCHES) -> None:
        self._chosen = frozenset(spread(images, limit))
        self._each = max(1, limit // images)

    def positions(self, image: int, cells: int) -> np.ndarray:
        """Sorted flat indices (row * cols + col) of the sampled patches on the image with this index."""
        count = self._each if image in self._chosen else 0
        return np.sort(np.random.default_rng(image).permutation(cells)[:count])


def spread(count: int, limit: int) -> list[int]:
    """At most `limit` of the indices 0 .. count - 1, evenly spread."""
    return np.linspace(0, count - 1, min(count, limit)).round().astype(int).tolist()


class ErrorMeter:
    """Maximum and root mean square of similarity errors, fed in parts."""

    def __init__(self) -> None:
        self._max = self._squares = 0.0
        self._pairs = 0

    def add(self, errors: np.ndarray) -> None:
        """errors: float64 of any shape, similarity from codes minus cosine of the features."""
        self._max = max(self._max, float(np.abs(errors).max(initial=0.0)))
        self._squares += float(np.square(errors).sum())
        self._pairs += errors.size

    def result(self, patches: int) -> SimilarityError:
        """The figures to state, to six decimals (so that they do not depend on the order of summation)."""
        rms = (self._squares / max(self._pairs, 1)) ** 0.5
        return SimilarityError(round(self._max, _DIGITS), round(rms, _DIGITS), patches, self._pairs)


class Maps(Protocol):
    """The feature maps of one layer on all images. read(image): float32 (rows * cols, channels) of the image with that index."""

    @property
    def grids(self) -> Sequence[tuple[int, int]]: ...
    @property
    def channels(self) -> int: ...
    def read(self, image: int) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class PatchSample:
    """The sampled patches of one layer: float (patches, channels), unquantised, and the index of each one's image."""

    features: np.ndarray
    images: np.ndarray

    def error(self, codes: np.ndarray, threads: int = 1) -> SimilarityError:
        """The similarity error over every pair of sampled patches. codes: those of the patches, int8 (patches, dims)."""

        def compare(start: int) -> tuple[np.ndarray, np.ndarray]:
            """Errors of a block of patches with those from its first on, so that no pair comes twice: within the block, and with all after it."""
            errors = similarity(codes[start : start + _BLOCK], codes[start:]) - self._cosines[start]
            return errors[np.triu_indices(len(errors), 1)], errors[:, len(errors) :]

        meter = ErrorMeter()
        for within, after in ordered_map(compare, range(0, len(codes), _BLOCK), threads):
            meter.add(within)
            meter.add(after)
        return meter.result(len(codes))

    def display(self, codes: np.ndarray, threads: int = 1) -> tuple[float, float]:
        """The display range (see `display_range`) of the similarities of patches of different images, or of all where there is one image."""
        alone = len(np.unique(self.images)) == 1

        def across(start: int) -> np.ndarray:
            block, rest = slice(start, start + _BLOCK), slice(start, None)
            coded = similarity(codes[block], codes[rest])
            return coded[np.triu(alone | (self.images[block, None] != self.images[None, rest]), 1)]

        return display_range(np.concatenate(list(ordered_map(across, range(0, len(codes), _BLOCK), threads))))

    @cached_property
    def _cosines(self) -> dict[int, np.ndarray]:
        """{first patch of a block: float64 cosines of its patches with all from that one on}; kept, for several codes are measured on one sample."""
        units = unit(self.features)
        return {start: units[start : start + _BLOCK] @ units[start:].T for start in range(0, len(units), _BLOCK)}


def take_sample(maps: Maps, count: int | None = None) -> PatchSample:
    """The patches that a SamplePlan states, of all images or of the first `count`."""
    grids = maps.grids[:count]
    plan = SamplePlan(len(grids))
    places = {image: found for image, (rows, cols) in enumerate(grids) if len(found := plan.positions(image, rows * cols))}
    features = np.concatenate([maps.read(image)[found] for image, found in places.items()])
    return PatchSample(features, np.repeat(list(places), [len(found) for found in places.values()]))


def display_range(similarities: np.ndarray) -> tuple[float, float]:
    """From about the median to the 99.9th percentile, to two decimals, at least 0.05 wide.

    Similarities across images are small: a fixed range of 0 to 1 would hide them.
    """
    low, high = np.percentile(similarities, [50, 99.9]) if len(similarities) else (0.0, 1.0)
    low = min(round(float(low), 2), 0.95)
    return low, max(round(float(high), 2), round(low + 0.05, 2))
