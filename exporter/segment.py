"""Masks from few examples, without training: how similar every patch is to the foreground of support images, and where that exceeds a threshold.

After "Visualizing Image Similarities" (2021). `site_template/js/segment/` computes the same in the browser.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from exporter.errors import UsageError
from exporter.quantise import similarity, squared_norms

SCORES = ("mean", "nearest")
# Levels at which a threshold may stand, from the least score to the greatest.
LEVELS = 256
# A cell whose foreground is just half of it is none, however sums are rounded.
_HALF = 0.5 + 1e-9
_BLOCK = 512


def support_cells(mask: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """The cells of a grid, bool (rows, cols), of which more than half is foreground. mask: bool (height, width) over the whole image, of any resolution."""
    rows, cols = (_overlaps(cells, pixels) for cells, pixels in zip(grid, mask.shape, strict=True))
    return rows @ mask.astype(np.float64) @ cols.T > _HALF


def _overlaps(cells: int, pixels: int) -> np.ndarray:
    """What part of each cell each pixel is, along one side: float64 (cells, pixels), rows of sum 1."""
    edges = np.arange(cells + 1) * pixels / cells
    start = np.arange(pixels)
    shared = np.minimum(edges[1:, None], start + 1) - np.maximum(edges[:-1, None], start)
    return shared.clip(0) * cells / pixels


def patch_scores(codes: np.ndarray, foreground: np.ndarray, background: np.ndarray | None, score: str) -> np.ndarray:
    """How much patches look like foreground: float32 (patches,).

    codes, foreground, background: int8 (n, dims) of the patches, and of the support's, of which there is at least one each. score: `mean`, the mean cosine similarity with
    the foreground, or `nearest`, the greatest. background: the same of it is subtracted; None: nothing is.
    """
    measure = _mean if score == "mean" else _nearest
    found = measure(codes, foreground)
    return (found if background is None else found - measure(codes, background)).astype(np.float32)


def _mean(codes: np.ndarray, support: np.ndarray) -> np.ndarray:
    return _unit(codes) @ _unit(support).mean(axis=0)


def _nearest(codes: np.ndarray, support: np.ndarray) -> np.ndarray:
    blocks = (similarity(codes, support[start : start + _BLOCK]).max(axis=1) for start in range(0, len(support), _BLOCK))
    return np.max(list(blocks), axis=0).astype(np.float64)


def _unit(codes: np.ndarray) -> np.ndarray:
    norms = np.sqrt(squared_norms(codes).astype(np.float64))[:, None]
    return np.divide(codes, norms, out=np.zeros(codes.shape), where=norms > 0)


def upsample(scores: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Scores (rows, cols) at the centres of their cells, between them bilinear and beyond them as at the edge: float64 of a shape (height, width)."""
    tall = _along(scores.astype(np.float64), shape[0])
    return _along(tall.T, shape[1]).T


def _along(values: np.ndarray, size: int) -> np.ndarray:
    place = ((np.arange(size) + 0.5) * len(values) / size - 0.5).clip(0, len(values) - 1)
    below = np.minimum(place.astype(int), max(len(values) - 2, 0))
    above = np.minimum(below + 1, len(values) - 1)
    part = (place - below)[:, None]
    return values[below] + (values[above] - values[below]) * part


def otsu(scores: np.ndarray) -> float:
    """The level that best parts scores in two: the one of greatest variance between the classes (Otsu, 1979), of LEVELS from the least to the greatest; the first of equals."""
    values = scores.astype(np.float64).ravel()
    low, high = float(values.min()), float(values.max())
    if low == high:
        return low
    bins = np.minimum(((values - low) / (high - low) * LEVELS).astype(int), LEVELS - 1)
    counts = np.bincount(bins, minlength=LEVELS).astype(np.float64)
    sums = np.cumsum(counts * np.arange(LEVELS))[:-1]
    below = np.cumsum(counts)[:-1]
    above = len(values) - below
    between = np.divide((sums * len(values) - below * (counts * np.arange(LEVELS)).sum()) ** 2, below * above, out=np.zeros(LEVELS - 1), where=below * above > 0)
    return low + (int(between.argmax()) + 1) * (high - low) / LEVELS


def iou(mask: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of two masks; 1 where both are empty."""
    union = np.count_nonzero(mask | truth)
    return np.count_nonzero(mask & truth) / union if union else 1.0


def check_support(support: Mapping[str, np.ndarray], sizes: Mapping[str, tuple[int, int]], score: str) -> dict[str, np.ndarray]:
    """The masks as bool arrays. sizes: (height, width) of the images. Raises UsageError for none, one of another shape, or an unknown score."""
    if score not in SCORES:
        raise UsageError(f'score is "{score}", expected one of {", ".join(SCORES)}')
    if not support:
        raise UsageError("support is empty, expected {image id: mask}; name at least one image and its foreground")
    masks = {id: np.asarray(mask) for id, mask in support.items()}
    for id, mask in masks.items():
        if mask.shape != sizes[id]:
            raise UsageError(f'the mask of "{id}" has the shape {mask.shape}, expected {sizes[id]}, the height and width of the image; resize it')
    return {id: mask > 0 for id, mask in masks.items()}


def split_support(cells: Sequence[tuple[np.ndarray, np.ndarray]], ids: Sequence[str], background: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """The codes of foreground and, where it is wanted, background. cells: of each support image its codes, int8 (rows, cols, dims), and its foreground, bool (rows, cols). Raises UsageError where there are none."""
    inside = np.concatenate([codes[mask] for codes, mask in cells])
    outside = np.concatenate([codes[~mask] for codes, mask in cells])
    if not len(inside):
        raise UsageError(f"the support has no foreground: on {', '.join(ids)} no patch is more than half foreground; mark more, or take a layer of a finer grid")
    if background and not len(outside):
        raise UsageError(f"the support has no background to subtract: on {', '.join(ids)} every patch is more than half foreground; mark less, or pass background=False")
    return inside, outside if background else None
