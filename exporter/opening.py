"""The patch that a page opens with, so that the first glance shows what the page is about."""

import numpy as np

from exporter.bundle import Bundle
from exporter.manifest import Layer, Selection
from exporter.quantise import similarity
from exporter.sample import SamplePlan, spread

_CANDIDATES = 1024
_COMPARED = 64


def strongest_patch(bundle: Bundle, layer: Layer) -> Selection | None:
    """Of a sample of patches, the one whose best matches on the other images are strongest.

    Patches at the border are left out: zero padding makes borders of all images alike. None where no patch has a
    non-zero code. At most `_COMPARED` images, evenly spread, are compared.
    """
    compared = spread(len(bundle.images), _COMPARED)
    plan = SamplePlan(len(compared), _CANDIDATES)
    positions = [_inside(plan, i, layer.grids[image]) for i, image in enumerate(compared)]
    owner = np.repeat(np.arange(len(compared)), [len(at) for at in positions])
    flat = [_flat(bundle, i, layer) for i in compared]
    queries = np.concatenate([codes[at] for codes, at in zip(flat, positions, strict=True)])
    best = np.stack([similarity(queries, codes).max(axis=1) for codes in flat], axis=1)
    strength = _strength(best, owner)
    if not len(strength) or not queries.any():
        return None
    winner = int(np.argmax(strength))
    place = int(np.concatenate(positions)[winner])
    image = compared[owner[winner]]
    return Selection(bundle.images[image].id, layer.id, *divmod(place, layer.grids[image][1]))


def _flat(bundle: Bundle, image: int, layer: Layer) -> np.ndarray:
    codes = bundle.codes(bundle.images[image], layer)
    return codes.reshape(-1, codes.shape[-1])


def _inside(plan: SamplePlan, image: int, grid: tuple[int, int]) -> np.ndarray:
    rows, cols = grid
    positions = plan.positions(image, rows * cols)
    row, col = np.divmod(positions, cols)
    inner = (row > 0) & (row < rows - 1) & (col > 0) & (col < cols - 1)
    return positions[inner] if inner.any() else positions


def _strength(best: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Mean of the best matches on the other images; best: (patches, images), owner: each patch's own image."""
    if best.shape[1] == 1:
        return best[:, 0]
    others = np.arange(best.shape[1])[None] != owner[:, None]
    return np.where(others, best, 0).sum(axis=1) / others.sum(axis=1)
