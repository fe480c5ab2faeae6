"""Tables of numbers beside the codes: binary files of one type and shape, written and read. `FORMAT.md` ("Tables") is the specification."""

import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exporter.encodings import inflate
from exporter.errors import BundleError
from exporter.shards import HEADER, check_file, read_header

MAGIC = b"OVLT"
VERSION = 1
TYPES = {"u8": np.dtype("u1"), "u16": np.dtype("<u2"), "u32": np.dtype("<u4"), "f32": np.dtype("<f4")}
_LEVEL = 9


@dataclass(frozen=True)
class Table:
    """A file that holds rows x cols numbers of a type of `TYPES`; shape: (rows, cols)."""

    file: str
    bytes: int
    sha256: str
    type: str
    shape: tuple[int, int]


def encode_table(values: np.ndarray, type: str) -> bytes:
    """Numbers (rows, cols) as the bytes of a file. Raises ValueError for numbers that the type cannot hold."""
    table = np.ascontiguousarray(values, TYPES[type])
    if not np.array_equal(table, values) and type != "f32":
        raise ValueError(f"numbers that are no {type}")
    planes = table.reshape(-1).view(np.uint8).reshape(table.size, -1).T
    return HEADER.pack(MAGIC, VERSION, 0, *table.shape) + zlib.compress(planes.tobytes(), _LEVEL)


def decode_table(data: bytes, table: Table) -> np.ndarray:
    """Check the bytes of a file against its entry and return its numbers (rows, cols), read-only. Raises BundleError naming the file and the first difference."""
    check_file(data, table)
    found = read_header(data, table.file, MAGIC, VERSION, "table")
    if found != table.shape:
        raise BundleError(f"{table.file}: holds {found[0]} x {found[1]} numbers, expected {table.shape[0]} x {table.shape[1]}; export the site again")
    kind, count = TYPES[table.type], table.shape[0] * table.shape[1]
    try:
        planes = inflate(data[HEADER.size :], count * kind.itemsize)
    except ValueError as error:
        raise BundleError(f"{table.file}: {error}; export the site again") from None
    if len(planes) != count * kind.itemsize:
        raise BundleError(f"{table.file}: holds {len(planes)} bytes of numbers, expected {count * kind.itemsize}; export the site again")
    values = np.ascontiguousarray(np.frombuffer(planes, np.uint8).reshape(kind.itemsize, count).T).view(kind).reshape(table.shape)
    if kind.kind == "f" and not np.isfinite(values).all():
        raise BundleError(f"{table.file}: holds numbers that are not finite; export the site again")
    values.flags.writeable = False
    return values


def write_table(root: Path, file: str, values: np.ndarray, type: str) -> Table:
    """Write numbers (rows, cols) below a site's folder; returns the entry."""
    data = encode_table(values, type)
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_bytes(data)
    return Table(file, len(data), hashlib.sha256(data).hexdigest(), type, values.shape)
