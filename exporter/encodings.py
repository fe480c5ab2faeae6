"""Codes <-> the bytes of a shard behind its header. `FORMAT.md` ("Encodings") is the specification.

Pure functions on numpy arrays and bytes.
"""

import zlib

import numpy as np

# {encoding: greatest absolute value of an integer}
LIMITS = {"int8": 127, "int8-deflate": 127, "int4": 7, "int4-deflate": 7}
ENCODINGS = tuple(LIMITS)
_NIBBLES, _DEFLATED = "int4", "-deflate"
_LEVEL, _MEMORY = 9, 9


def is_deflated(encoding: str) -> bool:
    """Whether the bytes are a zlib stream."""
    return encoding.endswith(_DEFLATED)


def packed_bytes(vectors: int, dims: int, encoding: str) -> int:
    """Bytes of that many codes, before they are deflated."""
    rows, length = _shape(vectors, dims, encoding)
    return rows * (-(-length // 2) if encoding.startswith(_NIBBLES) else length)


def pack(codes: np.ndarray, encoding: str) -> bytes:
    """int8 (vectors, dims), within the encoding's limit -> bytes."""
    table = np.ascontiguousarray(codes.T if is_deflated(encoding) else codes)
    data = _nibbles(table) if encoding.startswith(_NIBBLES) else table.tobytes()
    return _deflate(data) if is_deflated(encoding) else data


def unpack(data: bytes, vectors: int, dims: int, encoding: str) -> np.ndarray:
    """bytes -> int8 (vectors, dims), read-only. Raises ValueError, saying what is wrong, for bytes that are not those of just so many codes."""
    size = packed_bytes(vectors, dims, encoding)
    if is_deflated(encoding):
        data = inflate(data, size)
    if len(data) != size:
        raise ValueError(f"holds {len(data)} bytes of codes, expected {size}")
    shape = _shape(vectors, dims, encoding)
    table = _from_nibbles(data, shape) if encoding.startswith(_NIBBLES) else np.frombuffer(data, np.int8).reshape(shape)
    codes = np.ascontiguousarray(table.T) if is_deflated(encoding) else table
    codes.flags.writeable = False
    return codes


def inflate(data: bytes, size: int) -> bytes:
    """What a zlib stream stands for; at most one byte more than `size` is ever made, whatever the stream says. Raises ValueError for one that is damaged or longer."""
    stream = zlib.decompressobj()
    try:
        inflated = stream.decompress(data, size + 1)
    except zlib.error as error:
        raise ValueError(f"cannot be inflated ({error})") from None
    if not stream.eof or stream.unused_data:
        raise ValueError(f"does not inflate to the {size} bytes that are expected")
    return inflated


def _shape(vectors: int, dims: int, encoding: str) -> tuple[int, int]:
    """Deflated codes stand dimension by dimension: integers of one dimension are alike, which deflating makes use of."""
    return (dims, vectors) if is_deflated(encoding) else (vectors, dims)


def _nibbles(table: np.ndarray) -> bytes:
    """Two to a byte, the first in the low half; every row begins with a new byte."""
    padded = np.pad(table, ((0, 0), (0, table.shape[1] % 2))).view(np.uint8)
    return ((padded[:, ::2] & 15) | (padded[:, 1::2] << 4)).tobytes()


def _from_nibbles(data: bytes, shape: tuple[int, int]) -> np.ndarray:
    pairs = np.frombuffer(data, np.uint8).reshape(shape[0], -1).view(np.int8)
    halves = np.stack([pairs << 4 >> 4, pairs >> 4], axis=-1).reshape(shape[0], -1)
    return np.ascontiguousarray(halves[:, : shape[1]])


def _deflate(data: bytes) -> bytes:
    # Codes repeat in runs of zeros and hardly else: looking for runs alone gives as few bytes as looking for any match, five to fifty times as fast.
    stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS, _MEMORY, zlib.Z_RLE)
    return stream.compress(data) + stream.flush()
