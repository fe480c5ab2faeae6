"""Features on disk between the two passes of an export: what a network made of the images, until the codes are chosen and written.

For each network parts of PART_IMAGES consecutive images: one file of float32 per layer, and, once all of them are written, a record with their hashes. A
record says what its part was made of, so that a later run can take it over; of what none can take over there are no records.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

PART_IMAGES = 64
FOLDER = "spool"
_FLOAT = np.dtype("<f4")


def has_parts(folder: Path) -> bool:
    """Whether a staging folder holds at least one finished part that a later run can take over."""
    return any((folder / FOLDER).glob("*.json"))


@dataclass(frozen=True)
class Spooled:
    """What the network made of one image. source: a digest of the image; entry: its JSON as published, or None; files: SHA-256 of what was written of it, by path in the staging folder."""

    source: str
    entry: dict | None
    files: Mapping[str, str]
    maps: Sequence[np.ndarray]


class NetworkSpool:
    """The features of one network on all images, as far as they are there."""

    def __init__(self, folder: Path, number: int, layers: int, images: int, made_by: str = "", beside: Mapping[int, int] | None = None) -> None:
        """folder: the staging folder; number: of the network; layers, images: how many there are; made_by: all that features depend on beside their images, "" where that is not known.

        beside: {layer: number of the map that it needs beside its own}; maps from `layers` on are of no layer.
        """
        self._folder, self._stem, self._layers, self._made_by = folder, f"{FOLDER}/{number}", layers, made_by
        self._beside = dict(beside or {})
        self._maps = max([layers, *(number + 1 for number in self._beside.values())])
        self._finished: dict[int, dict] = {}
        self._written: set[int] = set()
        self._parts = [range(start, min(start + PART_IMAGES, images)) for start in range(0, images, PART_IMAGES)]
        self._records: dict[int, dict] = {}
        self._open: _OpenPart | None = None
        (folder / FOLDER).mkdir(exist_ok=True)

    def take_over(self, sources: Callable[[int], str], coding: str) -> set[str]:
        """Take over what an earlier run left in the folder and is whole and made of the same; the paths of all its files.

        sources(image): the digest of an image as it is now; coding: what is asked of codes.
        """
        found = {number: record for number in range(len(self._parts)) if (record := self._read(self._part_file(number))) and self._is_current(number, record, sources)}
        finished = {layer: record for layer in range(self._layers) if (record := self._read(self._layer_file(layer))) and self._is_finished(record, coding, found)}
        for self._finished in (finished, {}):
            self._records = {number: record for number, record in found.items() if self._is_whole(self._needed(number, record))}
            # Codes that are written are good only where all parts they were made of are; the features of a finished layer are gone.
            if len(self._records) == len(self._parts):
                break
        kept = {self._part_file(number): self._needed(number, record) for number, record in self._records.items()}
        kept |= {self._layer_file(layer): record["files"] for layer, record in self._finished.items()}
        return {path for record, files in kept.items() for path in (record, *files)}

    def _is_current(self, number: int, record: dict, sources: Callable[[int], str]) -> bool:
        return bool(self._made_by) and record["made_by"] == self._made_by and record["sources"] == [sources(image) for image in self._parts[number]]

    def _is_finished(self, record: dict, coding: str, parts: dict[int, dict]) -> bool:
        return len(parts) == len(self._parts) and (record["coding"], record["parts"]) == (coding, _digest(parts)) and self._is_whole(record["files"])

    def _needed(self, number: int, record: dict) -> dict[str, str]:
        """The files of a part without the features that only finished layers need."""
        gone = {self._file(number, map) for map in self._unneeded()}
        return {path: digest for path, digest in record["files"].items() if path not in gone}

    def _unneeded(self) -> set[int]:
        """Numbers of the maps that no layer needs any more."""
        return set(range(self._maps)) - {number for layer in range(self._layers) if layer not in (self._finished.keys() | self._written) for number in (layer, self._beside.get(layer, layer))}

    def finished_layer(self, layer: int) -> dict | None:
        """The entry of a layer whose codes were taken over."""
        return self._finished[layer]["entry"] if layer in self._finished else None

    def finish_layer(self, layer: int, coding: str, entry: dict, files: Mapping[str, str]) -> None:
        """Note that all that is made of a layer is written, as files with these hashes, and remove the features that no other layer needs."""
        record, before = {"coding": coding, "parts": _digest(self._records), "entry": entry, "files": dict(files)}, self._unneeded()
        self._write(self._layer_file(layer), record)
        self._written.add(layer)
        for map in self._unneeded() - before:
            for number in range(len(self._parts)):
                (self._folder / self._file(number, map)).unlink()

    def missing(self) -> list[int]:
        """Indices of the images whose parts are not finished, in order."""
        return [image for number, part in enumerate(self._parts) if number not in self._records for image in part]

    def add(self, image: int, spooled: Spooled) -> None:
        """Take the next of the missing images; its part is finished with its last image."""
        number, part = image // PART_IMAGES, self._parts[image // PART_IMAGES]
        if self._open is None:
            self._open = _OpenPart([self._folder / self._file(number, map) for map in range(self._maps)])
        self._open.add(spooled)
        if image == part[-1]:
            self._records[number] = self._finish(number, self._open)
            self._open = None

    def entries(self) -> Iterator[dict | None]:
        """The published entry of every image, in order."""
        for number in range(len(self._parts)):
            yield from self._records[number]["entries"]

    def patches(self, layer: int) -> int:
        """How many patches of a map there are in the finished parts."""
        return sum(rows * cols for record in self._records.values() for rows, cols in record["grids"][layer])

    def maps(self, layer: int, channels: int) -> "LayerMaps":
        """The feature maps of a layer, or those with that number which are of none; all parts must be finished."""
        grids = [tuple(grid) for number in range(len(self._parts)) for grid in self._records[number]["grids"][layer]]
        return LayerMaps([self._folder / self._file(number, layer) for number in range(len(self._parts))], grids, channels)

    def _finish(self, number: int, part: "_OpenPart") -> dict:
        hashes = {self._file(number, layer): digest for layer, digest in enumerate(part.hashes())}
        record = {**part.record, "made_by": self._made_by, "files": part.record["files"] | hashes}
        self._write(self._part_file(number), record)
        return record

    def _write(self, path: str, record: dict) -> None:
        """Write a record where a later run can make use of it."""
        if self._made_by:
            _write_whole(self._folder / path, json.dumps(record).encode())

    def _read(self, path: str) -> dict | None:
        """A record; None where there is none."""
        try:
            return json.loads((self._folder / path).read_bytes())
        except (OSError, ValueError):
            return None

    def _is_whole(self, files: Mapping[str, str]) -> bool:
        """Whether all files are there and have their hashes."""
        return all(_hash(self._folder / path) == digest for path, digest in files.items())

    def _part_file(self, number: int) -> str:
        return f"{self._stem}-{number:05d}.json"

    def _layer_file(self, layer: int) -> str:
        return f"{self._stem}-layer-{layer}.json"

    def _file(self, number: int, map: int) -> str:
        return f"{self._stem}-{number:05d}-{map}.f32"


class _OpenPart:
    """A part that is being written, a file for each map, and its record so far. No file stays open: there may be more layers than a process may open files."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths, self._hashes = paths, [hashlib.sha256() for _ in paths]
        self.record = {"sources": [], "entries": [], "grids": [[] for _ in paths], "files": {}}

    def add(self, spooled: Spooled) -> None:
        for path, digest, grids, features in zip(self._paths, self._hashes, self.record["grids"], spooled.maps, strict=True):
            data = np.ascontiguousarray(features, _FLOAT).data
            with path.open("ab" if grids else "wb") as file:
                file.write(data)
            digest.update(data)
            grids.append(features.shape[:2])
        self.record["sources"].append(spooled.source)
        self.record["entries"].append(spooled.entry)
        self.record["files"].update(spooled.files)

    def hashes(self) -> list[str]:
        """SHA-256 of each file."""
        return [digest.hexdigest() for digest in self._hashes]


class LayerMaps:
    """The feature maps of one layer on all images, read when asked for. mean: float32 (channels,), subtracted from every vector; None: nothing is."""

    def __init__(self, paths: Sequence[Path], grids: Sequence[tuple[int, int]], channels: int) -> None:
        self._paths, self.grids, self.channels = paths, grids, channels
        self.mean: np.ndarray | None = None
        self._cells = [rows * cols for rows, cols in grids]

    def read(self, image: int) -> np.ndarray:
        """float32 (rows * cols, channels) of the image with that index."""
        part = image // PART_IMAGES
        before = sum(self._cells[part * PART_IMAGES : image])
        size = self.channels * _FLOAT.itemsize
        found = np.fromfile(self._paths[part], _FLOAT, self._cells[image] * self.channels, offset=before * size).reshape(-1, self.channels)
        return found if self.mean is None else found - self.mean


def _hash(path: Path) -> str:
    """SHA-256 of a file; nothing where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _digest(records: Mapping[int, dict]) -> str:
    return hashlib.sha256(json.dumps(records, sort_keys=True).encode()).hexdigest()


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(data)
    os.replace(partial, path)
