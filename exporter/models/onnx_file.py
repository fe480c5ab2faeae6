"""Networks from ONNX files: any float tensor with a spatial grid is a layer, by the tensor's name."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

import onnx

import exporter
from exporter.errors import ModelError, UsageError
from exporter.models import cache, external, graph, grids, probe
from exporter.models.grids import Size
from exporter.models.model import Found, agreed_size, multiple
from exporter.models.preprocessing import Preprocessing
from exporter.models.recipe import short_name
from exporter.models.session import OnnxModel

# Tried where a graph that calls its sides dynamic fails at the usual sizes: many were traced at this one.
_TRACED = (224, 224)
# Part of the cache's key: count it up whenever the same file gives another table.
_PROBING = 2


def open_file(path: str, pixels: Preprocessing, size: Size | None = None, prefix: int | None = None, threads: int | None = None) -> OnnxModel:
    """A network from an ONNX file, with or without external data, with one input, float32 (N, 3, H, W).

    Its layers are found by running it on seeded images, which is remembered in the model cache. size, prefix: as for `open_model`. Raises
    UsageError (no such file, a size it does not take) and ModelError (damaged, another kind of input, operators that ONNX Runtime does not know).
    """
    file = Path(path)
    data = _read(file)
    model = graph.parse(data, file.name)
    digest = external.sha256(data, external.load(model, file))
    batch, fixed = _input(model, file.name)
    _check_size(size, fixed, file.name)
    table = _cached(cache.key("onnx", digest, pixels, size, prefix, _PROBING, exporter.__version__), lambda: _table(model, fixed, size, pixels, file.name, batch or 1, prefix, threads))
    if not table.layers:
        raise ModelError(
            f"{file.name} has no layer with a spatial grid, expected a convolutional network or patch tokens; export one with its "
            "feature maps, not only its classifier."
        )
    fixed = table.facts["size"] and tuple(table.facts["size"])
    return OnnxModel(
        name=file.stem,
        id=short_name(path),
        source=file.name,
        weights_sha256=digest,
        prefix_tokens=prefix,
        preprocessing=pixels,
        layer_table=table.layers,
        unavailable=table.unavailable,
        multiple=1 if fixed else multiple(table.layers),
        fixed_size=fixed,
        read=lambda: model,
        batch=batch,
    )


def _check_size(size: Size | None, fixed: Size | None, label: str) -> None:
    if size and fixed and size != fixed:
        raise UsageError(f"{label} takes images of {fixed[0]}x{fixed[1]} pixels (height x width) only, --input-size says {size[0]}x{size[1]}; leave it out.")


def _cached(key: str, make: Callable[[], cache.Entry]) -> cache.Entry:
    entry = cache.load(key)
    if entry is None:
        entry = make()
        with contextlib.suppress(OSError):  # then it is found out again each time
            cache.store(key, entry)
    return entry


def _read(file: Path) -> bytes:
    if not file.is_file():
        raise UsageError(f"No such file: '{file}', expected an ONNX file; check the path given to --model.")
    try:
        return file.read_bytes()
    except OSError as error:
        raise ModelError(f"{file.name} cannot be read ({error.strerror}); check its permissions.") from error


def _input(model: onnx.ModelProto, label: str) -> tuple[int | None, Size | None]:
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


def _table(
    model: onnx.ModelProto, fixed: Size | None, wanted: Size | None, pixels: Preprocessing, label: str, batch: int, prefix: int | None, threads: int | None
) -> cache.Entry:
    names = graph.image_tensors(model)

    def look(names: Sequence[str]) -> probe.Probe:
        return probe.Probe(model, names, pixels, label=label, batch=batch, prefix=prefix, threads=threads)

    if not names:
        found, size = Found((), ()), fixed
    elif fixed:
        found, size = look(names).find([fixed]), fixed
    else:
        found, size = _find_free(names, look, wanted)
        size = agreed_size(found, wanted, label) if size is None else size
    return cache.Entry(None, found.layers, found.unavailable, {"size": size})


def _find_free(names: list[str], look: Callable[[Sequence[str]], probe.Probe], wanted: Size | None) -> tuple[Found, Size | None]:
    """The layers of a graph that says it takes any size, and the only size that it does take, if so.

    look: makes a probe of some of its tensors; wanted: the only size it is to be run at, if any.
    """
    whole = look(names)
    try:
        # Both pairs: patches of 14 pixels follow the second only, and what is computed of single pixels follows either.
        return _most(whole.find(grids.PAIRS[0]), _unless_it_fails(whole, grids.PAIRS[1])), None
    except ModelError as error:
        if wanted:
            return whole.find([wanted]), wanted
        free = _longest_free(names, look)
        traced = _unless_it_fails(whole, [_TRACED])
        if not free.layers and not traced.layers:
            raise error from None
        # A classifier bound to a size is no loss; patches that are bound to it by their positions are.
        return (free, None) if _most(free, traced) is free else (traced, _TRACED)


def _most(first: Found, second: Found) -> Found:
    return first if len(first.layers) >= len(second.layers) else second


def _unless_it_fails(whole: probe.Probe, sizes: Sequence[Size]) -> Found:
    try:
        return whole.find(sizes)
    except ModelError:
        return Found((), ())


def _longest_free(names: list[str], look: Callable[[Sequence[str]], probe.Probe]) -> Found:
    """The layers up to the first tensor that cannot be computed at every size, found by halving."""
    works, fails, best = 0, len(names), Found((), ())
    while fails - works > 1:
        half = (works + fails) // 2
        try:
            best, works = look(names[:half]).find(grids.PAIRS[0]), half
        except ModelError:
            fails = half
    late = ((name, "cannot be computed at every size, as the graph says it can (see --input-size)") for name in names[works:])
    return Found(best.layers, (*best.unavailable, *late))
