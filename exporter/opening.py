"""The patch that a page opens with, so that the first glance shows what the page is about."""

from functools import partial

import numpy as np

from exporter.bundle import Bundle
from exporter.manifest import Layer, Selection
from exporter.parallel import ordered_map
from exporter.quantise import similarity
from exporter.sample import SamplePlan, spread

_COMPARED_IMAGES = 64
_MOST_CANDIDATES, _FEWEST_CANDIDATES = 1024, 64
_MOST_PAIRS = 30_000_000
_BLOCK = 64


def strongest_patch(bundle: Bundle, layer: Layer, threads: int = 1) -> Selection:
    """Of a sample of patches, the one whose best matches on the other images are strongest, as a reader would judge it. Versions do not count.

    A match counts by its similarity times how far it stands out from its image (above the 90th percentile there), over the best third of
    the other images; and a patch counts less the more of its own image resembles it. Plain similarity would pick empty sky, which
    is like all sky everywhere. Patches at the border are left out, where zero padding makes all images alike. Where nothing stands
    out (grids of one patch, flat images), it is one in the middle of the first image.
    """
    originals = [i for i, image in enumerate(bundle.images) if image.version is None]
    compared = [originals[i] for i in spread(len(originals), _COMPARED_IMAGES)]
    flat = [_flat(bundle, image, layer) for image in compared]
    count = min(_MOST_CANDIDATES, max(_FEWEST_CANDIDATES, _MOST_PAIRS // sum(map(len, flat))))
    places = _candidates(layer, compared, count)
    queries = np.stack([flat[i][place] for i, place in places])
    strength = _strengths(queries, np.array([i for i, _ in places]), flat, threads)
    if strength.max() > 0:
        i, place = places[int(np.argmax(strength))]
    else:
        i, place = 0, len(flat[0]) // 2
    return Selection(bundle.images[compared[i]].id, layer.id, *divmod(place, layer.grids[compared[i]][1]))


def _flat(bundle: Bundle, image: int, layer: Layer) -> np.ndarray:
    codes = bundle.codes(bundle.images[image], layer)
    return codes.reshape(-1, codes.shape[-1]).copy()  # a view would keep the whole shard


def _candidates(layer: Layer, compared: list[int], count: int) -> list[tuple[int, int]]:
    """(index into `compared`, row * cols + col) of sampled patches that do not touch the border."""
    plan = SamplePlan(len(compared), count)
    found = []
    for i, image in enumerate(compared):
        rows, cols = layer.grids[image]
        places = plan.positions(i, rows * cols)
        row, col = np.divmod(places, cols)
        inner = (row > 0) & (row < rows - 1) & (col > 0) & (col < cols - 1)
        found += [(i, int(place)) for place in (places[inner] if inner.any() else places)]
    return found


def _strengths(queries: np.ndarray, own: np.ndarray, flat: list[np.ndarray], threads: int) -> np.ndarray:
    """queries: int8 (n, dims), own: the image of each, flat: the codes of all compared images -> float (n,)."""
    best, percentile = np.stack(list(ordered_map(partial(_best_and_percentile, queries), flat, threads)), axis=-1)
    others = (np.arange(len(flat)) != own[:, None]) | (len(flat) == 1)
    matches = np.sort(np.where(others, best.clip(0) * (best - percentile), -np.inf), axis=1)
    third = -(-max(1, len(flat) - 1) // 3)
    return matches[:, -third:].mean(axis=1) * (1 - percentile[np.arange(len(own)), own])


def _best_and_percentile(queries: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The greatest similarity of each query with an image's patches and their 90th percentile: (2, n)."""
    at = int(0.9 * (len(codes) - 1))
    ordered = (np.partition(similarity(queries[start : start + _BLOCK], codes), (at, -1)) for start in range(0, len(queries), _BLOCK))
    return np.concatenate([block[:, [-1, at]] for block in ordered]).T
