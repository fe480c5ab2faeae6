"""Codes and the bytes that store them: what is packed is unpacked, and other bytes are refused."""

import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from exporter.encodings import ENCODINGS, LIMITS, is_deflated, pack, packed_bytes, unpack

untimed = settings(deadline=None, derandomize=True)
DEFLATED = [encoding for encoding in ENCODINGS if is_deflated(encoding)]


@st.composite
def stored(draw):
    """(codes, encoding): int8 (vectors, dims) within the encoding's limit."""
    encoding, shape = draw(st.sampled_from(ENCODINGS)), draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    return draw(arrays(np.int8, shape, elements=st.integers(-LIMITS[encoding], LIMITS[encoding]))), encoding


@untimed
@given(stored())
def test_what_is_packed_is_unpacked(given_codes):
    codes, encoding = given_codes
    data = pack(codes, encoding)
    found = unpack(data, *codes.shape, encoding)
    assert found.dtype == np.int8 and found.flags.c_contiguous and not found.flags.writeable
    assert np.array_equal(found, codes)
    assert len(zlib.decompress(data) if is_deflated(encoding) else data) == packed_bytes(*codes.shape, encoding)


@untimed
@given(stored(), st.sampled_from(["C", "F"]))
def test_bytes_do_not_depend_on_how_codes_lie_in_memory(given_codes, order):
    codes, encoding = given_codes
    assert pack(np.asarray(codes, order=order), encoding) == pack(codes, encoding)


CODES = np.array([[1, -2, 3], [-4, 5, -6]], np.int8)


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("int8", "01 FE 03 FC 05 FA"), ("int4", "E1 03 5C 0A"), ("int8-deflate", "01 FC FE 05 03 FA"), ("int4-deflate", "C1 5E A3")],
)
def test_known_bytes(encoding, expected):
    data = pack(CODES, encoding)
    assert (zlib.decompress(data) if is_deflated(encoding) else data) == bytes.fromhex(expected)


def test_rows_of_an_odd_number_of_integers_end_with_an_empty_half():
    assert pack(np.full((2, 3), 7, np.int8), "int4") == bytes.fromhex("77 07 77 07")
    assert zlib.decompress(pack(np.full((3, 2), 7, np.int8), "int4-deflate")) == bytes.fromhex("77 07 77 07")


@untimed
@given(stored(), st.data())
def test_any_other_length_is_refused(given_codes, data):
    codes, encoding = given_codes
    packed = pack(codes, encoding)
    length = data.draw(st.integers(0, len(packed) + 9).filter(lambda n: n != len(packed)))
    with pytest.raises(ValueError, match=r"^(holds \d+ bytes of codes, expected \d+|does not inflate to the \d+ bytes that are expected|cannot be inflated .*)$"):
        unpack((packed + bytes(9))[:length], *codes.shape, encoding)


@untimed
@given(stored(), st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_codes_of_another_number_are_refused(given_codes, shape):
    codes, encoding = given_codes
    if packed_bytes(*shape, encoding) == packed_bytes(*codes.shape, encoding):
        return
    with pytest.raises(ValueError, match="bytes (of codes|that are expected)"):
        unpack(pack(codes, encoding), *shape, encoding)


@pytest.mark.parametrize("encoding", DEFLATED)
def test_a_stream_is_inflated_no_further_than_its_codes(encoding):
    bomb = zlib.compress(bytes(200_000_000), 9)
    tracemalloc.start()
    with pytest.raises(ValueError, match="does not inflate to the"):
        unpack(bomb, 100, 100, encoding)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_codes_without_runs_and_with_long_ones_take_few_bytes():
    random = np.random.default_rng(0)
    sparse = np.where(random.random((500, 40)) < 0.02, random.integers(-127, 128, (500, 40)), 0).astype(np.int8)
    assert len(pack(sparse, "int8-deflate")) < 0.1 * sparse.size
    assert len(pack(random.integers(-7, 8, (500, 40), dtype=np.int8), "int8-deflate")) < 0.52 * sparse.size
