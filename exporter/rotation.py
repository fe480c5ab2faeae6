"""An orthonormal rotation that gathers what unit vectors have in common in their first dimensions; it leaves every cosine as it is.

Codes come from it, and codes must be the same however sums are ordered (threads, batches, BLAS). So all that is summed are integers, small enough that every
partial sum is exact in float64 (below 2^53), and the eigenvectors are found by one thread and rounded.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from exporter.quantise import norms

MOST_CHANNELS = 2048
MOST_PATCHES = 2**14
# Second moments: 2^14 patches x (2^12)^2 = 2^38. Rotated vectors: |vector| 2^16 x |column| 2^20 = 2^36 bounds every partial sum but for rounding.
_MOMENT_BITS, _VECTOR_BITS, _COLUMN_BITS = 12, 16, 20


@dataclass(frozen=True, eq=False)
class Rotation:
    """columns: float64 (channels, dims), integers in units of 2^-20, in order of falling energy."""

    columns: np.ndarray

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Rotate float (patches, channels), any scale -> float64 (patches, dims), integers; all vectors get about the same norm, zero stays zero."""
        return _unit_integers(features, _VECTOR_BITS) @ self.columns

    def cut(self, dims: int) -> "Rotation":
        """The same without its last dimensions."""
        return Rotation(np.ascontiguousarray(self.columns[:, :dims]))


def find_rotation(blocks: Iterable[np.ndarray]) -> Rotation:
    """The eigenvectors of the second moments of unit vectors, given as blocks of float (patches, channels), at most MOST_PATCHES in all."""
    moments = sum((units.T @ units for units in (_unit_integers(block, _MOMENT_BITS) for block in blocks)), start=np.float64(0))
    with threadpool_limits(1):
        _, vectors = np.linalg.eigh(moments)
    vectors = vectors[:, ::-1]
    # The sign of an eigenvector is anyone's choice: its largest component is positive here.
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
    return Rotation(np.rint(np.where(largest < 0, -vectors, vectors) * 2.0**_COLUMN_BITS))


def _unit_integers(features: np.ndarray, bits: int) -> np.ndarray:
    """Unit vectors rounded to integers in units of 2^-bits, float64; a zero vector stays zero."""
    sizes = norms(features)[:, None]
    scale = np.divide(2.0**bits, sizes, out=np.zeros_like(sizes), where=sizes > np.finfo(np.float32).tiny)
    return np.rint(features * scale)
