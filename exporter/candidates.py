"""The ways to make integers of feature vectors that an export chooses from. `FORMAT.md` ("How the integers are made") documents them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from exporter.encodings import LIMITS
from exporter.quantise import CODE_MAX, by_peak, by_step
from exporter.rotation import Rotation

_KINDS = {"max-abs": by_peak, "step": by_step}


def _falling(most: int, least: int, count: int) -> tuple[int, ...]:
    """About `count` whole numbers from the greatest to the least, in even proportions."""
    return tuple(dict.fromkeys(np.geomspace(most, least, count).round().astype(int).tolist()))


_PEAKS, _STEPS, _DIMS = _falling(CODE_MAX, 3, 64), _falling(2048, 4, 432), 24


@dataclass(frozen=True)
class Coder:
    """One way to make integers: max-abs or step, its level, and the rotation before it, which may have fewer dims."""

    kind: str
    level: int
    rotation: Rotation | None = None

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """float (patches, channels) -> int8 (patches, dims)."""
        return self.integers(features if self.rotation is None else self.rotation(features))

    def integers(self, values: np.ndarray) -> np.ndarray:
        """The same of vectors that are rotated already, as far as they are to be; they may have more dims than are kept."""
        return _KINDS[self.kind](values if self.rotation is None else values[:, : self.rotation.columns.shape[1]], self.level)

    @property
    def text(self) -> str:
        return f"{'rotated, ' if self.rotation else ''}{self.kind} {self.level}"


PLAIN = Coder("max-abs", CODE_MAX)


@dataclass(frozen=True, eq=False)
class Family:
    """Coders that differ in one number, from the most exact to the coarsest, and how their codes may be stored: as they are, or deflated."""

    levels: Sequence[int]
    coder: Callable[[int], Coder]
    raw: str

    @property
    def encodings(self) -> tuple[str, str]:
        return self.raw, f"{self.raw}-deflate"


def plain_families() -> list[Family]:
    """Those that leave the vectors as the network made them."""
    fewest = LIMITS["int4"]
    return [
        Family(_PEAKS, lambda level: replace(PLAIN, level=level), "int8"),
        Family(_STEPS, lambda level: Coder("step", level), "int8"),
        Family((fewest,), lambda level: replace(PLAIN, level=level), "int4"),
    ]


def rotated_families(rotation: Rotation, values: np.ndarray) -> list[Family]:
    """Those of rotated vectors. values: a sample of them, float64 (patches, dims): a step leaves out the last dims, which it makes zero on all of these."""
    most = rotation.columns.shape[1]

    def step(level: int) -> Coder:
        used = np.flatnonzero(by_step(values, level).any(axis=0))
        return Coder("step", level, rotation.cut(int(used[-1]) + 1 if len(used) else 1))

    def truncated(limit: int) -> Callable[[int], Coder]:
        return lambda dims: Coder("max-abs", limit, rotation.cut(dims))

    dims = _falling(most, 1, _DIMS)
    return [Family(_STEPS, step, "int8"), *(Family(dims, truncated(LIMITS[raw]), raw) for raw in ("int8", "int4"))]
