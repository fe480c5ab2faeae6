"""Which patches a channel's value is greatest on, how long every feature vector was, and what turns rotated codes back into channels."""

from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from exporter.candidates import Coder
from exporter.manifest import Activations
from exporter.progress import Progress
from exporter.sample import Maps
from exporter.tables import Table

# Of each channel so many images give the patch with its greatest value.
PEAKS = 24


def measure_activations(maps: Maps, originals: int, coder: Coder, layer: str, write: Callable[[str, np.ndarray, str], Table], progress: Progress) -> Activations:
    """Read the features of the first `originals` images once, and write peaks, norms and, where codes are rotated, the basis."""
    values, rows, norms, start = [], [], [], 0
    with threadpool_limits(1), progress(f"Channels of {layer}", originals) as advance:
        for image in range(originals):
            features = maps.read(image)
            at = features.argmax(axis=0)
            values.append(np.take_along_axis(features, at[None], axis=0)[0])
            rows.append(start + at)
            norms.append(np.linalg.norm(features.astype(np.float64), axis=1).astype(np.float32))
            start += len(features)
            advance()
        basis = _basis(coder, write)
    found, places = np.stack(values, axis=1), np.stack(rows, axis=1)
    first = np.argsort(-found, axis=1, kind="stable")[:, :PEAKS]
    peaks = write("peaks", np.take_along_axis(places, first, axis=1), "u32")
    written = write("peak-values", np.take_along_axis(found, first, axis=1), "f32")
    return Activations(peaks, written, write("norms", np.concatenate(norms)[None], "f32"), basis)


def _basis(coder: Coder, write: Callable[[str, np.ndarray, str], Table]) -> Table | None:
    """The columns of the rotation, of which a code is a multiple of the coordinates: orthonormal to what float32 holds, not only to what they were rounded to."""
    if coder.rotation is None:
        return None
    columns, triangle = np.linalg.qr(coder.rotation.columns)
    return write("basis", columns * np.sign(np.diag(triangle)), "f32")
