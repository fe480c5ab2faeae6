"""Networks from ONNX files: any float tensor with a spatial grid is a layer, by the tensor's name."""

import hashlib
from pathlib import Path

import onnx

from exporter.errors import ModelError, UsageError
from exporter.models import graph, probe
from exporter.models.model import LayerInfo
from exporter.models.preprocessing import Preprocessing
from exporter.models.session import OnnxModel

# Tried where a graph that calls its sides dynamic fails at the usual sizes: many were traced at this one.
_TRACED = (224, 224)


def open_file(path: str, pixels: Preprocessing, threads: int | None) -> OnnxModel:
    """A network from a single ONNX file with one input, float32 (N, 3, H, W).

    Its layers are found by running it on seeded images. Raises UsageError (no such file) and ModelError (damaged,
    another kind of input, operators that ONNX Runtime does not know).
    """
    file = Path(path)
    data = _read(file)
    model = graph.parse(data, file.name)
    batch, fixed = _input(model, file.name)
    found, fixed = _find(model, fixed, pixels, file.name, batch or 1, threads)
    if not found.layers:
        raise ModelError(
            f"{file.name} has no layer with a spatial grid, expected a convolutional network; export one with its "
            "feature maps, not only its classifier."
        )
    return OnnxModel(
        name=file.stem,
        id=file.stem,
        source=file.name,
        weights_sha256=hashlib.sha256(data).hexdigest(),
        preprocessing=pixels,
        layer_table=found.layers,
        unavailable=found.unavailable,
        multiple=1 if fixed else _multiple(found.layers),
        fixed_size=fixed,
        proto=model,
        batch=batch,
    )


def _read(file: Path) -> bytes:
    if not file.is_file():
        raise UsageError(f"No such file: '{file}', expected an ONNX file; check the path given to --model.")
    try:
        return file.read_bytes()
    except OSError as error:
        raise ModelError(f"{file.name} cannot be read ({error.strerror}); check its permissions.") from error


def _input(model: onnx.ModelProto, label: str) -> tuple[int | None, tuple[int, int] | None]:
    """The batch size and the image size the graph is bound to; None for each that is free."""
    values = graph.inputs(model)
    if len(values) != 1:
        names = ", ".join(value.name for value in values) or "none"
        raise ModelError(f"{label} has {len(values)} inputs ({names}), expected one image; export it with one input.")
    tensor = values[0].type.tensor_type
    sides = tuple(dim.dim_value if dim.dim_value > 0 else None for dim in tensor.shape.dim)
    if tensor.elem_type != onnx.TensorProto.FLOAT or len(sides) != 4 or sides[1] not in (3, None) or _channels_last(sides):
        raise ModelError(f"{label} takes {_described(tensor, sides)}, expected float32 (N, 3, H, W); {_remedy(sides)}.")
    batch, _, height, width = sides
    if (height is None) != (width is None):
        raise ModelError(
            f"{label} takes {_described(tensor, sides)}, with one side fixed: expected both or neither; export it again."
        )
    return batch, (height, width) if height and width else None


def _channels_last(sides: tuple[int | None, ...]) -> bool:
    return sides[1] is None and sides[3] == 3


def _described(tensor: onnx.TypeProto.Tensor, sides: tuple[int | None, ...]) -> str:
    kind = onnx.TensorProto.DataType.Name(tensor.elem_type).lower()
    return f"{'float32' if kind == 'float' else kind} ({', '.join(str(side or '?') for side in sides)})"


def _remedy(sides: tuple[int | None, ...]) -> str:
    if len(sides) == 4 and sides[3] == 3:
        return "put a transpose in front of it, or convert it with channels first (tf2onnx: --inputs-as-nchw)"
    return "export it for one RGB image, channels first"


def _find(
    model: onnx.ModelProto,
    fixed: tuple[int, int] | None,
    pixels: Preprocessing,
    label: str,
    batch: int,
    threads: int | None,
) -> tuple[probe.Found, tuple[int, int] | None]:
    names = graph.image_tensors(model)
    if not names:
        return probe.Found((), ()), fixed
    inspected = probe.Probe(model, names, pixels, label=label, batch=batch, threads=threads)
    if fixed:
        return inspected.find([fixed]), fixed
    try:
        return inspected.find(probe.SIZES), None
    except ModelError as error:
        try:
            return inspected.find([_TRACED]), _TRACED
        except ModelError:
            raise error from None


def _multiple(layers: tuple[LayerInfo, ...]) -> int:
    # All strides divide the probed sizes' differences, so they are powers of two up to 64 and divide the largest.
    return max(layer.stride for layer in layers)
