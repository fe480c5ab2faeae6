"""Converting networks from torch to ONNX, with every layer's value as an output of the graph, and checking the result.

Imports torch: only for what is not in the cache.
"""

import contextlib
import io
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from exporter.errors import ModelError, first_line
from exporter.models import graph, grids, session
from exporter.models.model import Found, multiple
from exporter.models.recipe import Built
from exporter.models.tap import Taps

# Largest difference to torch, relative to the map's largest value; rounding alone makes about 1e-6.
TOLERANCE = 1e-3
# What most networks are made for; patches of 14 pixels or cells of 7 take 42 and 35, their common multiple with 32 would take much memory.
_LEAST = 32
# Sizes to check at, in multiples of the network's: smaller, larger and of another shape than the one the graph is made at.
_CHECKED = ((5, 3), (7, 7), (6, 13))
_MADE_AT = (8, 10)


class NoGraph(Exception):
    """A network of which no graph can be made, or none that is right at every size; the text says why."""


def convert(built: Built, found: Found, size: tuple[int, int] | None, label: str) -> bytes:
    """The network as an ONNX graph with the layers of `found` as outputs, for images of any size, or of that size only.

    Raises NoGraph where torch cannot export it, or where the graph's values are not those of torch.
    """
    names = [layer.module for layer in found.layers]
    taps = Taps(built, names)
    whole = multiple(found.layers)
    unit = whole * -(-_LEAST // whole)
    made_at = size or tuple(unit * count for count in _MADE_AT)
    try:
        with quiet(), torch.no_grad():
            data = _export(taps, names, made_at, dynamic=size is None)
        run = session.load(graph.parse(data, label), label, threads=torch.get_num_threads())
    except Exception as error:  # whatever torch, its exporter or ONNX Runtime raise
        raise NoGraph(f"it could not be converted to ONNX: {first_line(error)}") from error
    for checked in [size] if size else [tuple(unit * count for count in counts) for counts in _CHECKED]:
        _compare(taps, run, names, checked, label)
    return data


def _export(taps: Taps, names: Sequence[str], size: tuple[int, int], dynamic: bool) -> bytes:
    any_size = torch.export.Dim.DYNAMIC
    # A batch of two where it may vary: exporters take one for a constant.
    example = torch.randn((2 if dynamic else 1, 3, *size), generator=torch.Generator().manual_seed(0))
    program = torch.onnx.export(
        taps,
        (example,),
        dynamo=True,
        verbose=False,
        input_names=["image"],
        output_names=list(names),
        dynamic_shapes={"image": {0: any_size, 2: any_size, 3: any_size}} if dynamic else None,
    )
    return program.model_proto.SerializeToString()


def _compare(taps: Taps, run: "session.ort.InferenceSession", names: Sequence[str], size: tuple[int, int], label: str) -> None:
    image = taps.built.preprocessing.apply(grids.probe_images(*size)[0])
    try:
        with torch.no_grad():
            wanted = taps(torch.from_numpy(image))
    except Exception:  # a size that is too small for the network itself
        return
    where = f"{size[0]}x{size[1]} pixels"
    try:
        outputs = session.execute(run, names, image, label)
    except ModelError as error:
        raise NoGraph(f"its graph fails at {where}") from error
    for name, expected, found in zip(names, wanted, outputs, strict=True):
        if difference(expected.numpy(), found) >= TOLERANCE:
            raise NoGraph(f"the values of its graph differ from torch's at {where}, first at {name}")


def difference(expected: np.ndarray, found: np.ndarray) -> float:
    """The largest difference relative to the largest expected value; infinite where the shapes differ, or NaN and infinity stand elsewhere."""
    finite = np.isfinite(expected)
    if expected.shape != found.shape or (finite != np.isfinite(found)).any():
        return float("inf")
    expected, found = expected[finite], found[finite]
    largest = float(np.abs(expected).max(initial=0))
    return float(np.abs(expected - found).max(initial=0)) / (largest or 1.0)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """torch's exporter talks on stdout and stderr."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def bounded(threads: int | None) -> Iterator[None]:
    """torch on that many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
