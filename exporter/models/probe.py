"""Which tensors of a graph are layers, found by running it once on seeded images: stride, channels, sign."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from exporter.models import graph, session
from exporter.models.model import LayerInfo
from exporter.models.preprocessing import Preprocessing

# Both sides differ between the sizes, and all are multiples of the largest stride there is: so cells grow by exactly
# (difference of the sides) / stride whatever the padding, and stride and border follow without rounding.
SIZES = ((256, 320), (320, 448))


@dataclass(frozen=True)
class Found:
    """Layers in forward order, and (name, reason) of tensors that are not layers."""

    layers: tuple[LayerInfo, ...]
    unavailable: tuple[tuple[str, str], ...]


class Probe:
    """A graph whose every tensor in `names` can be looked at.

    batch: how often the image is repeated, for graphs of a fixed batch size; label: how errors call the network.
    """

    def __init__(
        self,
        model: onnx.ModelProto,
        names: Sequence[str],
        pixels: Preprocessing,
        *,
        label: str,
        batch: int = 1,
        threads: int | None = None,
    ):
        self.pixels, self.label, self.batch = pixels, label, batch
        self.session = session.load(graph.cut(model, names), label, threads or 0)
        self.types = {value.name: value.type for value in self.session.get_outputs()}

    def find(self, sizes: Sequence[tuple[int, int]]) -> Found:
        """Look at one size (height, width), or at two to tell how grids follow the size; ModelError if a run fails."""
        names = [name for name, kind in self.types.items() if kind == "tensor(float)"]
        if not names:  # ONNX Runtime takes no names for all of them
            return Found((), ())
        looks = [self._look(names, size) for size in sizes]
        layers, unavailable = [], []
        for name, kind in self.types.items():
            found = [shapes[name] for shapes, _ in looks] if name in names else kind
            layer, reason = _layer(name, found, sizes, name in looks[0][1])
            if layer is None:
                unavailable.append((name, reason))
            else:
                layers.append(layer)
        return Found(tuple(layers), tuple(unavailable))

    def _look(self, names: list[str], size: tuple[int, int]) -> tuple[dict[str, tuple[int, ...]], set[str]]:
        shapes, signed = {}, set()
        for image in probe_images(*size):
            pixels = np.repeat(self.pixels.apply(image), self.batch, axis=0)
            values = dict(zip(names, session.execute(self.session, names, pixels, self.label), strict=True))
            shapes = {name: array.shape for name, array in values.items()}
            signed.update(name for name, array in values.items() if (array < 0).any())
        return shapes, signed


def probe_images(height: int, width: int) -> np.ndarray:
    """Seeded noise and gradients, uint8 (2, height, width, 3): enough to make a signed layer show it."""
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    down, across = np.meshgrid(np.linspace(0, 255, height), np.linspace(0, 255, width), indexing="ij")
    gradient = np.stack([down, across, 255 - down], axis=2).astype(np.uint8)
    return np.stack([noise, gradient])


def _layer(
    name: str, found: list[tuple[int, ...]] | str, sizes: Sequence[tuple[int, int]], signed: bool
) -> tuple[LayerInfo | None, str]:
    if isinstance(found, str):
        return None, f"has no feature map: it is a {found}, not a tensor(float)"
    shape = found[0]
    if len(shape) != 4 or shape[2] * shape[3] < 2:
        return None, f"has no spatial grid: output shape {shape}"
    fit = fit_grid(sizes, [shape[2:] for shape in found])
    if fit is None or any(other[:2] != shape[:2] for other in found):
        return None, f"has no grid that follows the image: output shape {shape} for {sizes[0][0]}x{sizes[0][1]} pixels"
    return LayerInfo(name, (), fit[0], shape[1], signed, fit[1]), ""


def fit_grid(
    sizes: Sequence[tuple[int, int]], grids: Sequence[tuple[int, int]]
) -> tuple[int, tuple[int, int]] | None:
    """(stride, border) of `LayerInfo` from grids at these sizes; None where no stride explains them.

    One size: the nearest stride, and the border that makes it right there.
    """
    (height, width), (rows, cols) = sizes[0], grids[0]
    stride = max(1, round(height / rows))
    if len(sizes) > 1:
        growth = [
            divmod(sizes[1][axis] - sizes[0][axis], grids[1][axis] - grids[0][axis] or sizes[1][axis])
            for axis in (0, 1)
        ]
        stride = growth[0][0]
        if growth != [(stride, 0)] * 2 or stride < 1:
            return None
    return stride, (rows + -height // stride, cols + -width // stride)
