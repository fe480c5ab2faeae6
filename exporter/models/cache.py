"""Converted networks kept on disk.

An entry is a graph, stored under the SHA-256 of its bytes, and a small JSON file that names it and holds the layer
table. Both are written beside their place and moved into it, and checked when read: two runs at once, or one that was
killed, leave whole entries or none. What is damaged is made again.
"""

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from exporter.models.model import LayerInfo


@dataclass(frozen=True)
class Converted:
    """A network as ONNX bytes with its layers in forward order, and (name, reason) of what is not available."""

    graph: bytes
    layers: tuple[LayerInfo, ...]
    unavailable: tuple[tuple[str, str], ...]


def folder() -> Path:
    """Where entries are kept: OVERLAY_EXPORT_CACHE, or the user's cache folder."""
    return Path(os.environ.get("OVERLAY_EXPORT_CACHE") or platformdirs.user_cache_dir("overlay-export"))


def key(*parts: object) -> str:
    """A file name's worth of text that changes when any part does."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:32]


def load(key: str) -> Converted | None:
    """The entry, or None where there is none that is whole."""
    try:
        record = json.loads((folder() / f"{key}.json").read_bytes())
        entry, digest = record["entry"], record["sha256"]
        graph = (folder() / f"{entry['graph']}.onnx").read_bytes()
        if _digest(_encode(entry)) != digest or _digest(graph) != entry["graph"]:
            return None
        return Converted(graph, _layers(entry["layers"]), tuple((name, why) for name, why in entry["unavailable"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def store(key: str, converted: Converted) -> None:
    """Write an entry; OSError where the folder cannot be written."""
    folder().mkdir(parents=True, exist_ok=True)
    entry = {
        "graph": _digest(converted.graph),
        "layers": [asdict(layer) for layer in converted.layers],
        "unavailable": converted.unavailable,
    }
    _write(folder() / f"{entry['graph']}.onnx", converted.graph)
    _write(folder() / f"{key}.json", _encode({"entry": entry, "sha256": _digest(_encode(entry))}))


def _layers(rows: list[dict]) -> tuple[LayerInfo, ...]:
    lists = ("aliases", "border")
    return tuple(LayerInfo(**{**row, **{name: tuple(row[name]) for name in lists}}) for row in rows)


def _encode(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, indent=1).encode()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write(path: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
