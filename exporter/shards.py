"""Shards: binary files of codes, written and read. `FORMAT.md` ("Shards") is the specification."""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from exporter.encodings import pack, unpack
from exporter.errors import BundleError

MAGIC = b"OVLS"
VERSION = 1
HEADER = struct.Struct("<4sHHII")
TARGET_BYTES = 2 * 1024 * 1024
MOST_BYTES = 2 * TARGET_BYTES


class Entry(Protocol):
    """A file as bundle.json describes it."""

    @property
    def file(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def sha256(self) -> str: ...


@dataclass(frozen=True)
class Shard:
    """One entry of a layer's `shards`: the file with the codes of images first .. first + count - 1."""

    file: str
    bytes: int
    sha256: str
    first: int
    count: int


def encode_shard(first: int, codes: Sequence[np.ndarray], encoding: str) -> bytes:
    """Header and codes (each int8 (rows, cols, dims)) as the bytes of a shard."""
    header = HEADER.pack(MAGIC, VERSION, 0, first, len(codes))
    return header + pack(np.concatenate([c.reshape(-1, c.shape[-1]) for c in codes]), encoding)


def decode_shard(data: bytes, shard: Shard, grids: Sequence[tuple[int, int]], dims: int, encoding: str) -> list[np.ndarray]:
    """Check a shard against its entry and return the codes of its images, int8 (rows, cols, dims) each.

    grids: those of the shard's own images. Raises BundleError naming the file and the first difference.
    """
    check_file(data, shard)
    first, count = read_header(data, shard.file, MAGIC, VERSION, "shard")
    if (first, count) != (shard.first, shard.count):
        raise BundleError(f"{shard.file}: holds images {first} to {first + count - 1}, expected {shard.first} to {shard.first + shard.count - 1}; export the site again")
    patches = [rows * cols for rows, cols in grids]
    try:
        codes = unpack(data[HEADER.size :], sum(patches), dims, encoding)
    except ValueError as error:
        raise BundleError(f"{shard.file}: {error}; export the site again") from None
    parts = np.split(codes, np.cumsum(patches)[:-1])
    return [part.reshape(rows, cols, dims) for part, (rows, cols) in zip(parts, grids, strict=True)]


def check_file(data: bytes, entry: Entry) -> None:
    """Hold a file's bytes against its size and SHA-256 in bundle.json; raises BundleError naming the file."""
    if len(data) != entry.bytes:
        raise BundleError(f"{entry.file}: is {len(data)} bytes, expected {entry.bytes}; copy the whole site again or export it again")
    found = hashlib.sha256(data).hexdigest()
    if found != entry.sha256:
        raise BundleError(f"{entry.file}: SHA-256 is {found[:12]}…, expected {entry.sha256[:12]}…; the file was altered, copy or export the site again")


def read_header(data: bytes, file: str, magic: bytes, version: int, what: str) -> tuple[int, int]:
    """Check the header that shards and weights files begin with, and return its last two integers. what: the kind of the file, for messages."""
    if len(data) < HEADER.size:
        raise BundleError(f"{file}: is {len(data)} bytes, a {what} has at least {HEADER.size}; export the site again")
    found, stated, zero, *numbers = HEADER.unpack_from(data)
    if found != magic:
        raise BundleError(f"{file}: begins with {found!r}, expected {magic!r}; it is not a {what}, export the site again")
    if stated != version:
        raise BundleError(f"{file}: is {what} version {stated}, this reader knows {version}; upgrade overlay-export")
    if zero != 0:
        raise BundleError(f"{file}: has {zero} at byte 6, expected 0; export the site again")
    return numbers[0], numbers[1]


class ShardWriter:
    """Writes the codes of one layer, image after image, into shards of about TARGET_BYTES of int8 codes, however few bytes those take in the file."""

    def __init__(self, root: Path, stem: str, encoding: str) -> None:
        """root: the site's folder; stem: path of the shards without number and suffix, as in `features/block3`."""
        self._root, self._stem, self._encoding = root, stem, encoding
        self._codes: list[np.ndarray] = []
        self._pending = 0
        self.shards: list[Shard] = []

    def add(self, codes: np.ndarray) -> None:
        """Append the codes of the next image, int8 (rows, cols, dims)."""
        if self._codes and self._pending + codes.nbytes > MOST_BYTES - HEADER.size:
            self._flush()
        self._codes.append(codes)
        self._pending += codes.nbytes
        if self._pending >= TARGET_BYTES:
            self._flush()

    def close(self) -> tuple[Shard, ...]:
        """Write what is pending and return the entries of all shards."""
        if self._codes:
            self._flush()
        return tuple(self.shards)

    def _flush(self) -> None:
        first = sum(shard.count for shard in self.shards)
        data = encode_shard(first, self._codes, self._encoding)
        file = f"{self._stem}-{len(self.shards):04d}.bin"
        (self._root / file).write_bytes(data)
        self.shards.append(Shard(file, len(data), hashlib.sha256(data).hexdigest(), first, len(self._codes)))
        self._codes, self._pending = [], 0
