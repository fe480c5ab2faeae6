"""External data of ONNX files: weights in other files, which must lie in the folder of the file itself."""

import hashlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import onnx

from exporter.errors import ModelError
from exporter.models import graph


def load(model: onnx.ModelProto, file: Path) -> list[Path]:
    """Read all external data into the model; the files it lay in, in the order of the paths that the model has for them.

    Raises ModelError for a file outside the folder of `file` (by its path or by a link), one that is missing, or one that is too short.
    """
    found: dict[PurePosixPath, Path] = {}
    for tensor in graph.tensors(model.graph):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            stated = {entry.key: entry.value for entry in tensor.external_data}
            location = stated.get("location", "")
            path = _inside(file, location)
            tensor.raw_data = _read(path, stated, f"{location}, external data of {file.name},")
            tensor.data_location = onnx.TensorProto.DEFAULT
            del tensor.external_data[:]
            found[PurePosixPath(location)] = path
    return [found[location] for location in sorted(found)]


def _inside(file: Path, location: str) -> Path:
    # Caches such as Hugging Face's keep all files of a network in one folder and links to them in another.
    folders = dict.fromkeys((file.parent.resolve(), file.resolve().parent))
    try:
        paths = [(folder / location).resolve() for folder in folders]
    except ValueError:  # a path with a zero byte
        paths = []
    paths = [path for path in paths if any(path.is_relative_to(folder) for folder in folders)]
    if not location or not paths:
        raise ModelError(
            f"{file.name} wants external data from outside its folder ({location!r}), which is refused: expected a file beside it; save the network "
            "again with its data beside it, or in one file."
        )
    for path in paths:
        if path.is_file():
            return path
    raise ModelError(f"{file.name} keeps its weights in '{location}', which is not there: expected it beside {file.name}; copy both files.")


def _read(path: Path, stated: dict[str, str], what: str) -> bytes:
    try:
        there = path.stat().st_size
        offset = int(stated.get("offset", 0))
        length = int(stated.get("length", max(there - offset, 0)))
        if min(offset, length) < 0:
            raise ValueError(f"{length} bytes from byte {offset} on")
        if offset + length <= there:
            with path.open("rb") as data:
                data.seek(offset)
                return data.read(length)
    except ValueError as error:
        raise ModelError(f"{what} has no such place ({error}): expected an offset and a length of 0 or more; save the network again.") from error
    except OSError as error:
        raise ModelError(f"{what} cannot be read ({error.strerror}); check its permissions.") from error
    raise ModelError(f"{what} is truncated: {there} bytes, expected at least {offset + length}; copy both files again.")


def sha256(data: bytes, files: Sequence[Path]) -> str:
    """SHA-256 of an ONNX file's bytes, followed by those of its external data in the order of `files`."""
    digest = hashlib.sha256(data)
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()
