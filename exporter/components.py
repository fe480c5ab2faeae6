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
# Of the values of a component, this part at either end is as dark, or as bright, as a colour gets.
_CLIPPED = 1
_DIGITS = 6


def color_components(maps: Maps, originals: int, layer: str, write: Callable[[str, np.ndarray, str], Table], progress: Progress) -> Components:
    """Find the components on a sample of the patches, and write the colours of all patches of the first `originals` images.

    Signs are fixed: of the values of a component, those farthest from its mean are bright. A component without variance is mid grey.
    """
    import sklearn.decomposition  # noqa: F401 - before the limit: it holds only for libraries that are loaded

    with threadpool_limits(1), progress(f"Components of {layer}", originals) as advance:
        mean, axes, explained = find_components(sampled(maps, originals, MOST_PATCHES), COUNT)
        values = []
        for image in range(originals):
            values.append((unit(maps.read(image)) - mean) @ axes.T)
            advance()
    return Components(explained, write("components", _bytes(np.concatenate(values).T), "u8"))


def find_components(features: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, tuple[float, ...]]:
    """The mean of unit vectors (n, channels), the first `count` principal components (count, channels) and the part of the variance that each explains.

    By scikit-learn's PCA in double precision. Where there are fewer, rows of zeros stand for the others. The sign of a component is the one that makes
    the third moment of its values positive: the longer tail is on the positive side.
    """
    from sklearn.decomposition import PCA

    mean, axes, explained = features.mean(axis=0), np.zeros((count, features.shape[1])), np.zeros(count)
    found = min(count, *features.shape)
    if len(features) > 1 and np.ptp(features, axis=0).any():
        pca = PCA(found, svd_solver="full").fit(features)
        axes[:found], explained[:found] = pca.components_, pca.explained_variance_ratio_
    values = (features - mean) @ axes.T
    signs = np.where((values**3).sum(axis=0) < 0, -1.0, 1.0)
    return mean, axes * signs[:, None], tuple(round(float(part), _DIGITS) for part in explained)


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


def _bytes(values: np.ndarray) -> np.ndarray:
    """Each row (of a component) from its low to its high percentile onto 0..255."""
    low, high = np.percentile(values, [_CLIPPED, 100 - _CLIPPED], axis=1, keepdims=True)
    scaled = np.divide(values - low, high - low, out=np.full_like(values, 0.5), where=high - low > 1e-9)
    return np.rint(255 * scaled.clip(0, 1)).astype(np.uint8)
