"""Which patches a channel's value is greatest on, how long every feature vector was, and what turns rotated codes back into channels."""

from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from exporter.candidates import Coder
from exporter.manifest import Activations
from exporter.progress import Progress
from exporter.sample import Maps
from exporter.tables import Table

# Of each channel so many images give the patch with its greatest value, or with its least.
PEAKS = 24
Write = Callable[[str, np.ndarray, str], Table]


class _Ends:
    """Of each channel the patches with the greatest values, times a sign, one of each image. Fed image by image."""

    def __init__(self, sign: int) -> None:
        self._sign, self._values, self._rows = sign, [], []

    def add(self, features: np.ndarray, start: int) -> None:
        """features: float32 (patches, channels); start: the row of the first patch."""
        at = (self._sign * features).argmax(axis=0)
        self._values.append(np.take_along_axis(features, at[None], axis=0)[0])
        self._rows.append(start + at)

    def write(self, name: str, write: Write) -> tuple[Table, Table]:
        """Write rows and values, (channels, patches)."""
        values, rows = np.stack(self._values, axis=1), np.stack(self._rows, axis=1)
        first = np.argsort(-self._sign * values, axis=1, kind="stable")[:, :PEAKS]
        taken = [np.take_along_axis(one, first, axis=1) for one in (rows, values)]
        return write(f"{name}s", taken[0], "u32"), write(f"{name}-values", taken[1], "f32")


def measure_activations(maps: Maps, originals: int, coder: Coder, signed: bool, layer: str, write: Write, progress: Progress) -> Activations:
    """Read the features of the first `originals` images once, and write peaks, norms, where there are negative values also lows, and where codes are rotated the basis."""
    peaks, lows, norms, start = _Ends(1), _Ends(-1), [], 0
    with threadpool_limits(1), progress(f"Channels of {layer}", originals) as advance:
        for image in range(originals):
            features = maps.read(image)
            for ends in (peaks, lows):
                ends.add(features, start)
            norms.append(np.linalg.norm(features.astype(np.float64), axis=1).astype(np.float32))
            start += len(features)
            advance()
        basis = _basis(coder, write)
    low, low_values = lows.write("low", write) if signed else (None, None)
    return Activations(*peaks.write("peak", write), write("norms", np.concatenate(norms)[None], "f32"), basis, low, low_values)


def _basis(coder: Coder, write: Write) -> Table | None:
    """The columns of the rotation, of which a code is a multiple of the coordinates: orthonormal to what float32 holds, not only to what they were rounded to."""
    if coder.rotation is None:
        return None
    columns, triangle = np.linalg.qr(coder.rotation.columns)
    return write("basis", columns * np.sign(np.diag(triangle)), "f32")
