"""How the values of a tensor lie on an image: layout, stride and border, told from its shape at one or two image sizes."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt

import numpy as np

Size = tuple[int, int]
Shape = tuple[int, ...]

# Two sizes at which grids tell their stride: both sides differ, and all are multiples of the largest stride there is, so
# that cells grow by exactly (difference of the sides) / stride whatever the padding. The second pair is for patches of 14.
PAIRS: tuple[tuple[Size, Size], ...] = (((256, 320), (320, 448)), ((224, 280), (280, 392)))

NCHW, NHWC, TOKENS = "NCHW", "NHWC", "tokens"
_AXES = {NCHW: (1, 2, 3), NHWC: (3, 1, 2)}
# No network puts more class and register tokens in front of its patches, and few pad or cut a grid by more cells: where the stride is only guessed.
_MOST_PREFIX = 16
_MOST_BORDER = 4


@dataclass(frozen=True)
class Layout:
    """kind: NCHW, NHWC or tokens (n, prefix + rows * cols, channels); stride and border as in `LayerInfo`."""

    kind: str
    channels: int
    stride: int
    border: tuple[int, int] = (0, 0)
    prefix: int = 0


def find_layout(shapes: Sequence[Shape], sizes: Sequence[Size], batch: int, prefix: int | None = None) -> Layout | str:
    """The layout of a tensor that has these shapes for `batch` images of these sizes (height, width); else why it has none.

    prefix: tokens before those of the patches, None to find out.
    """
    none = f"has no spatial grid: output shape {(1, *shapes[0][1:]) if shapes[0][:1] == (batch,) else shapes[0]}"
    if any(shape[:1] != (batch,) for shape in shapes) or len({len(shape) for shape in shapes}) > 1 or 0 in shapes[0]:
        return none
    if len(shapes[0]) == 3:
        return _tokens(shapes, sizes, prefix) or none
    if len(shapes[0]) != 4:
        return none
    found = [layout for kind in _kinds(shapes[0], sizes) if (layout := _map(kind, shapes, sizes))]
    if found:
        return found[0]
    if all(shape[2] * shape[3] < 2 for shape in shapes):
        return none
    return f"has no grid that follows the image: output shape {shapes[0]} for {sizes[0][0]}x{sizes[0][1]} pixels"


def _kinds(shape: Shape, sizes: Sequence[Size]) -> tuple[str, ...]:
    """Which layouts to try, the likelier first: at one size, the one whose grid has the image's proportions."""
    height, width = sizes[0]
    proportional = [kind for kind, (_, row, col) in _AXES.items() if shape[row] * width == shape[col] * height]
    return (NHWC, NCHW) if len(sizes) == 1 and proportional == [NHWC] else (NCHW, NHWC)


def _map(kind: str, shapes: Sequence[Shape], sizes: Sequence[Size]) -> Layout | None:
    channel, row, col = _AXES[kind]
    grids = [(shape[row], shape[col]) for shape in shapes]
    if len({shape[channel] for shape in shapes}) > 1 or any(rows * cols < 2 for rows, cols in grids):
        return None
    fit = fit_grid(sizes, grids)
    return Layout(kind, shapes[0][channel], *fit) if fit else None


def fit_grid(sizes: Sequence[Size], grids: Sequence[Size]) -> tuple[int, tuple[int, int]] | None:
    """(stride, border) of `LayerInfo` from grids at these sizes; None where no stride explains them.

    One size: the nearest stride, and the border that makes it right there.
    """
    (height, width), (rows, cols) = sizes[0], grids[0]
    if len(sizes) == 1:
        stride = max(1, round(height / rows))
        border = (rows + -height // stride, cols + -width // stride)
        # A pooled vector is no grid of one column.
        likely = all(abs(more) <= min(_MOST_BORDER, cells / 3) for more, cells in zip(border, (rows, cols), strict=True))
        return (stride, border) if likely else None
    growth = [divmod(sizes[1][axis] - sizes[0][axis], grids[1][axis] - grids[0][axis] or sizes[1][axis]) for axis in (0, 1)]
    stride = growth[0][0]
    if growth != [(stride, 0)] * 2 or stride < 1:
        return None
    return stride, (rows + -height // stride, cols + -width // stride)


def _tokens(shapes: Sequence[Shape], sizes: Sequence[Size], prefix: int | None) -> Layout | str | None:
    if len({shape[2] for shape in shapes}) > 1:
        return None
    counts, channels = [shape[1] for shape in shapes], shapes[0][2]
    fits = [(stride, lead) for stride, lead in _token_grids(counts, sizes) if prefix is None or lead == prefix]
    if len(fits) == 1:
        return Layout(TOKENS, channels, fits[0][0], prefix=fits[0][1])
    if counts[0] < 2 or (len(counts) > 1 and counts[0] == counts[1]):
        return None
    if prefix is not None:
        return f"is a sequence of {counts[0]} tokens, which is no grid of patches after {prefix} other tokens; see --prefix-tokens"
    return f"is a sequence of {counts[0]} tokens, of which it is not clear how many stand before those of the patches; say so with --prefix-tokens"


def _token_grids(counts: Sequence[int], sizes: Sequence[Size]) -> list[tuple[int, int]]:
    """(stride, prefix) of all grids of square patches that explain these numbers of tokens."""
    strides = range(1, min(map(min, sizes)) + 1)
    if len(sizes) > 1:
        areas, more = [height * width for height, width in sizes], counts[1] - counts[0]
        strides = [isqrt((areas[1] - areas[0]) // more)] if more > 0 else []
    found = []
    for stride in strides:
        cells = [(height // stride) * (width // stride) for height, width in sizes]
        whole = all(side % stride == 0 for size in sizes for side in size)
        leads = {count - cell for count, cell in zip(counts, cells, strict=True)}
        if whole and cells[0] > 1 and len(leads) == 1 and 0 <= (lead := leads.pop()) <= _MOST_PREFIX:
            found.append((stride, lead))
    return found


def channels_first(values: np.ndarray, kind: str, prefix: int, grid: Size) -> np.ndarray:
    """A tensor of that layout as (n, channels, rows, cols); tokens that are not of that grid stay as they are."""
    if kind == NHWC:
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2))
    if kind != TOKENS or values.ndim != 3 or values.shape[1] != prefix + grid[0] * grid[1]:
        return values
    patches = values[:, prefix:].transpose(0, 2, 1)
    return np.ascontiguousarray(patches).reshape(len(values), -1, *grid)


def probe_images(height: int, width: int) -> np.ndarray:
    """Seeded noise and gradients, uint8 (2, height, width, 3): enough to make a signed layer show it."""
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    down, across = np.meshgrid(np.linspace(0, 255, height), np.linspace(0, 255, width), indexing="ij")
    gradient = np.stack([down, across, 255 - down], axis=2).astype(np.uint8)
    return np.stack([noise, gradient])
