"""exporter/tables.py: tables as files, and every way in which one can be damaged."""

import hashlib
import re
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from exporter.errors import BundleError
from exporter.tables import TYPES, Table, decode_table, encode_table, write_table


def table_of(data, type="u16", shape=(2, 3)):
    return Table("tables/a.bin", len(data), hashlib.sha256(data).hexdigest(), type, shape)


@st.composite
def tables(draw):
    type = draw(st.sampled_from(sorted(TYPES)))
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    floats = {"allow_nan": False, "allow_infinity": False} if type == "f32" else {}
    return type, draw(arrays.arrays(TYPES[type], shape, elements=arrays.from_dtype(TYPES[type], **floats)))


@given(tables())
def test_numbers_come_back_to_the_bit(made):
    type, values = made
    data = encode_table(values, type)
    found = decode_table(data, table_of(data, type, values.shape))
    assert found.dtype == TYPES[type] and found.tobytes() == values.tobytes()
    assert not found.flags.writeable


def test_the_bytes_are_those_of_the_specification():
    data = encode_table(np.array([[1, 2, 258], [3, 4, 65535]]), "u16")
    assert data[:16] == b"OVLT" + struct.pack("<HHII", 1, 0, 2, 3)
    assert zlib.decompress(data[16:]) == bytes([1, 2, 2, 3, 4, 255, 0, 0, 1, 0, 0, 255])


@pytest.mark.parametrize(("values", "type"), [([[256]], "u8"), ([[-1]], "u16"), ([[0.5]], "u32")])
def test_numbers_that_a_type_cannot_hold_are_refused(values, type):
    with pytest.raises((ValueError, OverflowError)):
        encode_table(np.array(values), type)


WHOLE = encode_table(np.arange(6).reshape(2, 3), "u16")


def restreamed(numbers):
    return WHOLE[:16] + zlib.compress(numbers)


DAMAGES = {
    "cut header": (WHOLE[:15], "is 15 bytes, a table has at least 16"),
    "magic": (b"OVLS" + WHOLE[4:], "begins with b'OVLS', expected b'OVLT'"),
    "version": (WHOLE[:4] + b"\2" + WHOLE[5:], "is table version 2, this reader knows 1; upgrade"),
    "zero": (WHOLE[:6] + b"\1" + WHOLE[7:], "has 1 at byte 6, expected 0"),
    "rows": (WHOLE[:8] + b"\3" + WHOLE[9:], "holds 3 x 3 numbers, expected 2 x 3"),
    "cols": (WHOLE[:12] + b"\4" + WHOLE[13:], "holds 2 x 4 numbers, expected 2 x 3"),
    "no stream": (WHOLE[:16], "export the site again"),
    "cut stream": (WHOLE[:-3], "export the site again"),
    "a number less": (restreamed(bytes(10)), "holds 10 bytes of numbers, expected 12"),
    "a number more": (restreamed(bytes(14)), "12 bytes"),
    "bomb": (restreamed(bytes(10**7)), "12 bytes"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_refused_by_name(name):
    data, message = DAMAGES[name]
    with pytest.raises(BundleError, match=f"^tables/a.bin: .*{re.escape(message)}"):
        decode_table(data, table_of(data))


def test_numbers_that_are_not_finite_are_refused():
    data = WHOLE[:8] + struct.pack("<II", 1, 1) + zlib.compress(struct.pack("<f", np.nan))
    with pytest.raises(BundleError, match="not finite"):
        decode_table(data, table_of(data, "f32", (1, 1)))


def test_altered_files_are_refused(tmp_path):
    table = write_table(tmp_path, "tables/b.bin", np.eye(3), "f32")
    data = bytearray((tmp_path / table.file).read_bytes())
    assert decode_table(bytes(data), table).tolist() == np.eye(3).tolist()
    data[-1] ^= 1
    with pytest.raises(BundleError, match="SHA-256 is"):
        decode_table(bytes(data), table)
    with pytest.raises(BundleError, match=r"is \d+ bytes, expected"):
        decode_table(bytes(data[:-1]), table)
