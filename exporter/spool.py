"""Features on disk between the two passes of an export: what a network made of the images, until the codes are chosen and written.

For each network parts of PART_IMAGES consecutive images: one file of float32 per layer, and, once all of them are written, a record with their hashes. A
record says what its part was made of, so that a later run can take it over.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

PART_IMAGES = 64
FOLDER = "spool"
_FLOAT = np.dtype("<f4")


def has_parts(folder: Path) -> bool:
    """Whether a staging folder holds at least one finished part."""
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

    def __init__(self, folder: Path, number: int, layers: int, images: int) -> None:
        """folder: the staging folder; number: of the network; layers, images: how many there are."""
        self._folder, self._stem, self._layers = folder, f"{FOLDER}/{number}", layers
        self._parts = [range(start, min(start + PART_IMAGES, images)) for start in range(0, images, PART_IMAGES)]
        self._records: dict[int, dict] = {}
        self._open: _OpenPart | None = None
        (folder / FOLDER).mkdir(exist_ok=True)

    def missing(self) -> list[int]:
        """Indices of the images whose parts are not finished, in order."""
        return [image for number, part in enumerate(self._parts) if number not in self._records for image in part]

    def add(self, image: int, spooled: Spooled) -> None:
        """Take the next of the missing images; its part is finished with its last image."""
        number, part = image // PART_IMAGES, self._parts[image // PART_IMAGES]
        if self._open is None:
            self._open = _OpenPart([self._folder / self._file(number, layer) for layer in range(self._layers)])
        self._open.add(spooled)
        if image == part[-1]:
            self._records[number] = self._finish(number, self._open)
            self._open = None

    def close(self) -> None:
        """Let go of the files of an unfinished part."""
        if self._open is not None:
            self._open.close()

    def entries(self) -> Iterator[dict | None]:
        """The published entry of every image, in order."""
        for number in range(len(self._parts)):
            yield from self._records[number]["entries"]

    def maps(self, layer: int, channels: int) -> "LayerMaps":
        """The feature maps of a layer; all parts must be finished."""
        grids = [tuple(grid) for number in range(len(self._parts)) for grid in self._records[number]["grids"][layer]]
        return LayerMaps([self._folder / self._file(number, layer) for number in range(len(self._parts))], grids, channels)

    def _finish(self, number: int, part: "_OpenPart") -> dict:
        hashes = part.close()
        record = {**part.record, "files": part.record["files"] | {self._file(number, layer): digest for layer, digest in enumerate(hashes)}}
        _write_whole(self._folder / f"{self._stem}-{number:05d}.json", json.dumps(record).encode())
        return record

    def _file(self, number: int, layer: int) -> str:
        return f"{self._stem}-{number:05d}-{layer}.f32"


class _OpenPart:
    """The files of a part that is being written, one for each layer, and its record so far."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files: list[BinaryIO] = [path.open("wb") for path in paths]
        self._hashes = [hashlib.sha256() for _ in paths]
        self.record = {"sources": [], "entries": [], "grids": [[] for _ in paths], "files": {}}

    def add(self, spooled: Spooled) -> None:
        for file, digest, grids, features in zip(self._files, self._hashes, self.record["grids"], spooled.maps, strict=True):
            data = np.ascontiguousarray(features, _FLOAT).data
            file.write(data)
            digest.update(data)
            grids.append(features.shape[:2])
        self.record["sources"].append(spooled.source)
        self.record["entries"].append(spooled.entry)
        self.record["files"].update(spooled.files)

    def close(self) -> list[str]:
        """Close the files; SHA-256 of each."""
        for file in self._files:
            file.close()
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

    def remove(self) -> None:
        """Delete the files; the maps cannot be read any more."""
        for path in self._paths:
            path.unlink()


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(data)
    os.replace(partial, path)
