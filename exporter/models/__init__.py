"""Networks: `open_model` is the one way in, `Model` is what everything else sees of a network."""

import difflib
import os
from collections.abc import Callable, Sequence

from exporter.errors import UsageError
from exporter.models.model import LayerInfo, Model, RequestedLayer
from exporter.models.preprocessing import EFFICIENTNET_LITE, IMAGENET, Preprocessing, preprocessing

__all__ = ["DEFAULT_MODEL", "LayerInfo", "Model", "Preprocessing", "RequestedLayer", "open_model"]

DEFAULT_MODEL = "efficientnet-lite0"


def open_model(
    spec: str | os.PathLike = DEFAULT_MODEL,
    *,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    input_range: Sequence[float] | None = None,
    threads: int | None = None,
    notify: Callable[[str], None] | None = None,
) -> Model:
    """Open a network by name or file; nothing is loaded for inference before `Model.prepare`.

    spec: `DEFAULT_MODEL`, or the path of a file ending in .onnx.
    input_range: (low, high), what pixel values 0..255 are mapped to linearly; mean, std: 1 or 3 numbers in its units;
    the network is given (x - mean) / std. What is left out is the network's own (ONNX files: 0..1, ImageNet's mean
    and std), except that with `input_range` given the mean is 0 and the std 1: pixels arrive in just that range.
    threads: how many CPU threads conversion and probing may use (`Model.run` itself uses one for each call).
    notify: called with one line of text where opening takes long.

    Raises UsageError (unknown network, no such file, bad numbers) and ModelError (damaged file, failed conversion).
    """
    spec = os.fspath(spec)
    tell = notify or (lambda line: None)
    if spec == DEFAULT_MODEL:
        from exporter.models import default

        return default.open_default(preprocessing(EFFICIENTNET_LITE, mean, std, input_range), threads, tell)
    if spec.lower().endswith(".onnx"):
        from exporter.models import onnx_file

        return onnx_file.open_file(spec, preprocessing(IMAGENET, mean, std, input_range), threads)
    raise UsageError(_unknown(spec))


def _unknown(spec: str) -> str:
    near = difflib.get_close_matches(spec.lower(), [DEFAULT_MODEL])
    hint = f"did you mean '{near[0]}'?" if near else "use one of these."
    return f"Unknown network '{spec}': known are '{DEFAULT_MODEL}' and files ending in .onnx; {hint}"
