"""The first three principal components of a layer's unit feature vectors as red, green and blue, the same for all images."""

from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from exporter.manifest import Components
from exporter.progress import Progress
from exporter.quantise import unit
from exporter.sample import Maps, SamplePlan
from exporter.tables import Table

COUNT = 3
# They are found on about so many patches.
MOST_PATCHES = 2**14
# Of the values of a component, this per cent at either end is as dark, or as bright, as a colour gets: a few strange patches leave the others their contrast.
_CLIPPED = 2
_STEPS = 255
_DIGITS = 6
# A component with a range below this, or whose two tails differ by less, has none that rounding did not make.
_LEAST = 1e-6


def color_components(maps: Maps, originals: int, layer: str, write: Callable[[str, np.ndarray, str], Table], progress: Progress) -> Components:
    """Find the components on a sample of the patches, and write the colours of all patches of the first `originals` images.

    Signs are fixed, see `find_components`. A component without variance is mid grey.
    """
    import sklearn.decomposition  # noqa: F401 - before the limit: it holds only for libraries that are loaded

    with threadpool_limits(1), progress(f"Components of {layer}", originals) as advance:
        mean, axes, explained = find_components(sampled(maps, originals, MOST_PATCHES), COUNT)
        found = []
        for image in range(originals):
            found.append(axes @ (unit(maps.read(image)) - mean).T)
            advance()
    values = np.concatenate(found, axis=1)
    ranges = np.percentile(values, [_CLIPPED, 100 - _CLIPPED], axis=1).T.round(_DIGITS)
    return Components(explained, tuple(map(tuple, ranges.tolist())), write("components", _bytes(values, ranges), "u8"))


def find_components(features: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, tuple[float, ...]]:
    """The mean of unit vectors (n, channels), the first `count` principal components (count, channels) and the part of the variance that each explains.

    By scikit-learn's PCA in double precision. Where there are fewer, rows of zeros stand for the others. Of the two signs of a component the one is taken
    whose values have the longer tail on the positive side (a positive third moment); where both are alike, that of its greatest channel.
    """
    from sklearn.decomposition import PCA

    mean, axes, explained = features.mean(axis=0), np.zeros((count, features.shape[1])), np.zeros(count)
    found = min(count, *features.shape)
    if len(features) > 1 and np.ptp(features, axis=0).any():
        pca = PCA(found, svd_solver="full").fit(features)
        axes[:found], explained[:found] = pca.components_, pca.explained_variance_ratio_
    signs = _signs((features - mean) @ axes.T, axes)
    return mean, axes * signs[:, None], tuple(round(float(part), _DIGITS) for part in explained)


def _signs(values: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """1 or -1 for each component. values: (n, count)."""
    tails = (values**3).sum(axis=0)
    greatest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)[:, 0]
    alike = np.abs(tails) <= _LEAST * (np.abs(values) ** 3).sum(axis=0)
    return np.where(np.where(alike, greatest, tails) < 0, -1.0, 1.0)


def sampled(maps: Maps, images: int, limit: int) -> np.ndarray:
    """Unit vectors, float64 (patches, channels), of about `limit` patches of the first images, as `SamplePlan` says; of all where they are fewer."""
    return np.concatenate([unit(maps.read(image)[places]) for image, places in enumerate(sample_places(maps, images, limit)) if len(places)])


def sample_places(maps: Maps, images: int, limit: int) -> list[np.ndarray]:
    """Of each of the first images the sorted indices of its sampled patches."""
    cells = [rows * cols for rows, cols in maps.grids[:images]]
    if sum(cells) <= limit:
        return [np.arange(count) for count in cells]
    plan = SamplePlan(images, limit)
    return [plan.positions(image, count) for image, count in enumerate(cells)]


def _bytes(values: np.ndarray, ranges: np.ndarray) -> np.ndarray:
    """Each row (of a component) from the low to the high end of its range onto 0..255; where there is no range, onto the middle."""
    low, high = ranges.T[..., None]
    scaled = np.divide(values - low, high - low, out=np.full_like(values, 0.5), where=high - low > _LEAST)
    return np.rint(_STEPS * scaled.clip(0, 1)).astype(np.uint8)
