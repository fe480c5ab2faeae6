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
from typing import Any

import platformdirs

from exporter.models.model import LayerInfo


@dataclass(frozen=True)
class Entry:
    """What is known of a network: its ONNX graph, its layers in forward order, (name, reason) of what is none, and other facts.

    graph: None where there is none that is right at every size; facts: what JSON holds.
    """

    graph: bytes | None
    layers: tuple[LayerInfo, ...]
    unavailable: tuple[tuple[str, str], ...]
    facts: dict[str, Any]


def folder() -> Path:
    """Where entries are kept: OVERLAY_EXPORT_CACHE, or the user's cache folder."""
    return Path(os.environ.get("OVERLAY_EXPORT_CACHE") or platformdirs.user_cache_dir("overlay-export"))


def key(*parts: object) -> str:
    """A file name's worth of text that changes when any part does."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:32]


def load(key: str, place: Path | None = None) -> Entry | None:
    """The entry, or None where there is none that is whole. place: the folder, that of now unless told otherwise."""
    place = place or folder()
    try:
        record = json.loads((place / f"{key}.json").read_bytes())
        entry, digest = record["entry"], record["sha256"]
        if _digest(_encode(entry)) != digest:
            return None
        graph = _read_graph(place, entry["graph"])
        return Entry(graph, _layers(entry["layers"]), tuple((name, why) for name, why in entry["unavailable"]), entry["facts"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _read_graph(place: Path, digest: str | None) -> bytes | None:
    if digest is None:
        return None
    graph = (place / f"{digest}.onnx").read_bytes()
    if _digest(graph) != digest:
        raise ValueError("damaged")
    return graph


def store(key: str, entry: Entry) -> None:
    """Write an entry; OSError where the folder cannot be written."""
    folder().mkdir(parents=True, exist_ok=True)
    record = {
        "graph": entry.graph and _digest(entry.graph),
        "layers": [asdict(layer) for layer in entry.layers],
        "unavailable": entry.unavailable,
        "facts": entry.facts,
    }
    if entry.graph:
        _write(folder() / f"{record['graph']}.onnx", entry.graph)
    _write(folder() / f"{key}.json", _encode({"entry": record, "sha256": _digest(_encode(record))}))


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
