"""Which tensors of a graph are layers, found by running it once on seeded images: stride, channels, sign."""

from collections.abc import Sequence

import numpy as np
import onnx

from exporter.models import graph, grids, session
from exporter.models.model import Found, LayerInfo
from exporter.models.preprocessing import Preprocessing


class Probe:
    """A graph whose every tensor in `names` can be looked at.

    batch: how often the image is repeated, for graphs of a fixed batch size; label: how errors call the network; prefix:
    tokens before those of the patches, None to find out.
    """

    def __init__(
        self,
        model: onnx.ModelProto,
        names: Sequence[str],
        pixels: Preprocessing,
        *,
        label: str,
        batch: int = 1,
        prefix: int | None = None,
        threads: int | None = None,
    ):
        self.pixels, self.label, self.batch, self.prefix = pixels, label, batch, prefix
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
            if name not in names:
                unavailable.append((name, f"has no feature map: it is a {kind}, not a tensor(float)"))
                continue
            layout = grids.find_layout([shapes[name] for shapes, _ in looks], sizes, self.batch, self.prefix)
            if isinstance(layout, str):
                unavailable.append((name, layout))
            else:
                layers.append(LayerInfo.of(name, layout, signed=name in looks[0][1]))
        return Found(tuple(layers), tuple(unavailable))

    def _look(self, names: list[str], size: tuple[int, int]) -> tuple[dict[str, tuple[int, ...]], set[str]]:
        shapes, signed = {}, set()
        for image in grids.probe_images(*size):
            pixels = np.repeat(self.pixels.apply(image), self.batch, axis=0)
            values = dict(zip(names, session.execute(self.session, names, pixels, self.label), strict=True))
            shapes = {name: array.shape for name, array in values.items()}
            signed.update(name for name, array in values.items() if (array < 0).any())
        return shapes, signed
