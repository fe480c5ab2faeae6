"""What the rest of the package sees of a network: its layers, its preprocessing, and feature maps for images."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import lcm

import numpy as np

from exporter.errors import ModelError, UsageError
from exporter.models import grids, naming
from exporter.models.preprocessing import Preprocessing


@dataclass(frozen=True)
class LayerInfo:
    """A layer with a spatial grid.

    module: its name in the network; stride: input pixels from one cell to the next; channels: features of a cell;
    signed: whether its values can be negative; border: cells (rows, columns) its grid has beyond ceil(side / stride),
    as padding adds them and unpadded convolutions take them away; layout, prefix: how the network lays its values out
    (see `grids.Layout`).
    """

    module: str
    aliases: tuple[str, ...]
    stride: int
    channels: int
    signed: bool
    border: tuple[int, int] = (0, 0)
    layout: str = grids.NCHW
    prefix: int = 0

    @classmethod
    def of(cls, module: str, layout: grids.Layout, signed: bool, aliases: tuple[str, ...] = ()) -> "LayerInfo":
        """The layer of a module whose values have that layout."""
        return cls(module, aliases, layout.stride, layout.channels, signed, layout.border, layout.kind, layout.prefix)

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """(rows, cols) for an image of height x width pixels, sides as `Model.multiple` or `fixed_size` wants them."""
        rows, cols = (-(-side // self.stride) for side in (height, width))
        return rows + self.border[0], cols + self.border[1]


@dataclass(frozen=True)
class Found:
    """Layers in forward order, and (name, reason) of modules and tensors that are not layers."""

    layers: tuple[LayerInfo, ...]
    unavailable: tuple[tuple[str, str], ...]


def agreed_size(found: Found, size: tuple[int, int] | None, label: str) -> tuple[int, int] | None:
    """The size that was asked for of a network that takes any; UsageError where its strides do not divide it."""
    whole = multiple(found.layers)
    if size and any(side % whole for side in size):
        near = " and ".join(str(max(1, round(side / whole)) * whole) for side in dict.fromkeys(size))
        raise UsageError(f"--input-size is {size[0]}x{size[1]} for {label}, whose deepest layer has a stride of {whole} pixels: expected multiples of it, such as {near}.")
    return size


def multiple(layers: tuple[LayerInfo, ...]) -> int:
    """What the sides of images must be multiples of, in pixels, so that every grid is laid evenly over them."""
    return lcm(*(layer.stride for layer in layers))


@dataclass(frozen=True)
class RequestedLayer:
    """A layer somebody asked for: `id` is the name as asked for (globs: the module's name)."""

    id: str
    info: LayerInfo


@dataclass(kw_only=True, eq=False)
class Model(ABC):
    """A network that can be run. Get one from `exporter.open_model`.

    name: for people; id: a short label; source: what opens it again, without folders; weights, prefix_tokens: as they were asked for
    (weights without folders, "" for the network's own); weights_sha256: of the file the weights came from, else of their bytes; multiple: input sides must be multiples of it (pixels); fixed_size: the only (height, width) it
    takes, or None; layer_table: in forward order; unavailable: (name, reason) of what cannot be a layer here; notes:
    sentences for the user about how it was opened.
    """

    name: str
    id: str
    source: str
    weights_sha256: str
    preprocessing: Preprocessing
    layer_table: tuple[LayerInfo, ...]
    unavailable: tuple[tuple[str, str], ...] = ()
    multiple: int = 1
    fixed_size: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()
    weights: str = ""
    prefix_tokens: int | None = None

    def layers(self) -> tuple[LayerInfo, ...]:
        """All layers with a spatial grid, in forward order."""
        return self.layer_table

    def resolve(self, names: Sequence[str]) -> tuple[RequestedLayer, ...]:
        """Find layers by module name, alias or glob (a glob becomes module names in forward order).

        The order is that of `names`; a name met again is dropped. Raises UsageError for an unknown name, a glob that
        matches nothing, or a layer that is not available, with the reason.
        """
        found = naming.resolve(self, names)
        return tuple(RequestedLayer(name, info) for name, info in found.items())

    def info(self, module: str) -> LayerInfo:
        """The layer of that module name; ValueError for a name that is not in `layers()`."""
        for layer in self.layer_table:
            if layer.module == module:
                return layer
        raise ValueError(f"{self.name} has no layer {module!r}: pass the module of a layer from resolve()")

    @abstractmethod
    def prepare(self, modules: Sequence[str]) -> None:
        """Load the network for these modules, cut off after the deepest of them. Call once before `run`."""

    @abstractmethod
    def release(self) -> None:
        """Let go of what `prepare` loaded; it may be called again."""

    @abstractmethod
    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        """Feature maps of images: uint8 (n, height, width, 3), RGB -> {module: float32 (n, channels, rows, cols)}.

        Threads may call it at once. An image's values do not depend on the images beside it, the batch size or the
        number of threads. Raises ModelError where a layer gives NaN or infinity, RuntimeError before `prepare`.
        """

    def check_batch(self, batch: np.ndarray) -> None:
        """ValueError unless `batch` is what `run` takes."""
        if batch.dtype != np.uint8 or batch.ndim != 4 or batch.shape[3] != 3 or not len(batch):
            raise ValueError(f"expected uint8 (n, height, width, 3), got {batch.dtype} {batch.shape}")
        size = batch.shape[1:3]
        if self.fixed_size is not None and size != self.fixed_size:
            raise ValueError(f"{self.name} takes images of {self.fixed_size} (height, width) only, got {size}")
        if self.fixed_size is None and any(side == 0 or side % self.multiple for side in size):
            raise ValueError(f"{self.name} takes sides that are multiples of {self.multiple}, got {size}")

    def finished(self, outputs: dict[str, np.ndarray], size: tuple[int, int]) -> dict[str, np.ndarray]:
        """Outputs of modules for images of that size (height, width), as `run` returns them; ModelError where one cannot be."""
        maps = {}
        for name, values in outputs.items():
            info = self.info(name)
            maps[name] = grids.channels_first(values, info.layout, info.prefix, info.grid(*size))
            self._check(info, maps[name], size)
        return maps

    def _check(self, info: LayerInfo, values: np.ndarray, size: tuple[int, int]) -> None:
        expected = (info.channels, *info.grid(*size))
        if values.shape[1:] != expected:
            raise ModelError(
                f"Layer '{info.module}' of {self.name} gave a map of {values.shape[1:]} (channels, rows, columns) for an "
                f"image of {size[0]}x{size[1]} pixels, expected {expected}; choose another layer or size."
            )
        if not np.isfinite(values).all():
            raise ModelError(
                f"Layer '{info.module}' of {self.name} gave NaN or infinity, expected finite numbers; "
                "check --mean, --std and --input-range, or the network's weights."
            )
