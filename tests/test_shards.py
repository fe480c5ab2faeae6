"""Shards: what is written, what is read back, and what is refused."""

import hashlib
import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from exporter import shards
from exporter.encodings import ENCODINGS
from exporter.errors import BundleError
from exporter.shards import Shard, ShardWriter, decode_shard, encode_shard

untimed = settings(deadline=None, derandomize=True)


@st.composite
def layers(draw, limit=127):
    """The codes of some images: int8 (rows, cols, dims) each, within -limit..limit."""
    dims = draw(st.integers(1, 9))
    grids = draw(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=5))
    return [draw(arrays(np.int8, (*grid, dims), elements=st.integers(-limit, limit))) for grid in grids]


def entry(data: bytes, first: int, count: int) -> Shard:
    return Shard("features/x-0000.bin", len(data), hashlib.sha256(data).hexdigest(), first, count)


def grids(codes: list[np.ndarray]) -> list[tuple[int, int]]:
    return [c.shape[:2] for c in codes]


@pytest.fixture
def small():
    """A shard of two images from index 3 on, its entry and its grids; 4 dims."""
    codes = [np.arange(24, dtype=np.int8).reshape(2, 3, 4), -np.arange(4, dtype=np.int8).reshape(1, 1, 4)]
    data = encode_shard(3, codes, "int8")
    return data, entry(data, 3, 2), grids(codes)


def refuse(data: bytes, shard: Shard, of: list[tuple[int, int]], dims: int, message: str) -> None:
    with pytest.raises(BundleError, match=f"^features/x-0000.bin: {message}"):
        decode_shard(data, shard, of, dims, "int8")


def forge(small, offset: int, form: str, value: int | bytes) -> tuple[bytes, Shard, list[tuple[int, int]]]:
    """Some bytes changed, and an entry that has the size and hash of the result."""
    data, _, of = small
    changed = bytearray(data)
    struct.pack_into(form, changed, offset, value)
    return bytes(changed), entry(bytes(changed), 3, 2), of


@untimed
@given(layers(7), st.integers(0, 2**32 - 1), st.sampled_from(ENCODINGS))
def test_what_is_encoded_is_decoded(codes, first, encoding):
    data = encode_shard(first, codes, encoding)
    found = decode_shard(data, entry(data, first, len(codes)), grids(codes), codes[0].shape[2], encoding)
    assert len(found) == len(codes)
    for one, other in zip(found, codes, strict=True):
        assert one.dtype == np.int8
        assert np.array_equal(one, other)


def test_the_worked_example_of_the_specification():
    codes = np.array([[[64, -127, 32], [0, 127, 127]]], dtype=np.int8)
    assert encode_shard(0, [codes], "int8").hex(" ").upper() == "4F 56 4C 53 01 00 00 00 00 00 00 00 01 00 00 00 40 81 20 00 7F 7F"


def test_codes_not_contiguous_in_memory_are_written_in_order():
    codes = np.arange(24, dtype=np.int8).reshape(4, 3, 2).transpose(1, 2, 0)
    assert encode_shard(0, [codes], "int8")[16:] == bytes(codes.ravel().tolist())


def test_decoded_codes_cannot_be_written(small):
    data, shard, of = small
    with pytest.raises(ValueError, match="read-only"):
        decode_shard(data, shard, of, 4, "int8")[0][0, 0, 0] = 1


@untimed
@given(st.data())
def test_every_flipped_bit_is_found(data):
    codes = data.draw(layers())
    good = encode_shard(0, codes, "int8")
    bit = data.draw(st.integers(0, len(good) * 8 - 1))
    bad = bytearray(good)
    bad[bit // 8] ^= 1 << bit % 8
    refuse(bytes(bad), entry(good, 0, len(codes)), grids(codes), codes[0].shape[2], "SHA-256 is .*; the file was altered")


@untimed
@given(layers(), st.data())
def test_every_other_length_is_found(codes, data):
    good = encode_shard(0, codes, "int8")
    length = data.draw(st.integers(0, len(good) + 20).filter(lambda n: n != len(good)))
    refuse((good + bytes(20))[:length], entry(good, 0, len(codes)), grids(codes), codes[0].shape[2], f"is {length} bytes, expected {len(good)}; copy")


def test_another_magic(small):
    refuse(*forge(small, 0, "<4s", b"PNG\r"), 4, r"begins with b'PNG\\r', expected b'OVLS'; it is not a shard")


def test_a_newer_version(small):
    refuse(*forge(small, 4, "<H", 2), 4, "is shard version 2, this reader knows 1; upgrade overlay-export")


def test_reserved_bytes_in_use(small):
    refuse(*forge(small, 6, "<H", 7), 4, "has 7 at byte 6, expected 0")


def test_other_images_than_the_entry_says(small):
    refuse(*forge(small, 8, "<I", 4), 4, "holds images 4 to 5, expected 3 to 4")
    refuse(*forge(small, 12, "<I", 1), 4, "holds images 3 to 3, expected 3 to 4")


def test_grids_that_need_another_size(small):
    data, shard, _ = small
    refuse(data, shard, [(2, 3), (1, 2)], 4, "holds 28 bytes of codes, expected 32")
    refuse(data, shard, [(2, 3), (1, 1)], 3, "holds 28 bytes of codes, expected 21")


@pytest.mark.parametrize("length", [0, 1, 15])
def test_less_than_a_header(length):
    data = encode_shard(0, [np.zeros((1, 1, 1), np.int8)], "int8")[:length]
    refuse(data, entry(data, 0, 1), [(1, 1)], 1, f"is {length} bytes, a shard has at least 16")


def write(root, codes, target, monkeypatch, encoding="int8") -> tuple[Shard, ...]:
    monkeypatch.setattr(shards, "TARGET_BYTES", target)
    writer = ShardWriter(root, "layer", encoding)
    for one in codes:
        writer.add(one)
    return writer.close()


def test_a_shard_ends_when_it_has_reached_the_target(tmp_path, monkeypatch):
    codes = [np.full((1, n, 1), n, dtype=np.int8) for n in (4, 5, 1, 9, 30, 2)]
    written = write(tmp_path, codes, 10, monkeypatch)
    assert [(s.file, s.first, s.count, s.bytes) for s in written] == [
        ("layer-0000.bin", 0, 3, 26),
        ("layer-0001.bin", 3, 2, 55),
        ("layer-0002.bin", 5, 1, 18),
    ]


@untimed
@given(codes=layers(), target=st.integers(1, 300))
def test_written_shards_hold_all_images_in_order(codes, target, tmp_path_factory):
    root = tmp_path_factory.mktemp("shards")
    with pytest.MonkeyPatch.context() as patch:
        written = write(root, codes, target, patch)
    assert [s.first for s in written] == [sum(s.count for s in written[:i]) for i in range(len(written))]
    read = [one for s in written for one in decode_shard((root / s.file).read_bytes(), s, grids(codes)[s.first : s.first + s.count], codes[0].shape[2], "int8")]
    assert [one.tolist() for one in read] == [one.tolist() for one in codes]
    assert sorted(p.name for p in root.iterdir()) == [s.file for s in written]


def test_a_shard_is_filled_by_codes_in_memory_however_few_bytes_they_take(tmp_path, monkeypatch):
    codes = [np.zeros((1, n, 1), dtype=np.int8) for n in (400, 500, 100, 900, 300)]
    assert [(s.first, s.count) for s in write(tmp_path, codes, 1000, monkeypatch, "int8-deflate")] == [(0, 3), (3, 2)]
    assert all(path.stat().st_size < 50 for path in tmp_path.iterdir())


def test_a_writer_of_nothing_writes_nothing(tmp_path):
    assert ShardWriter(tmp_path, "layer", "int8").close() == ()
    assert list(tmp_path.iterdir()) == []


def test_an_entry_of_another_shard_is_refused(small):
    data, shard, of = small
    refuse(data, replace(shard, sha256="0" * 64), of, 4, "SHA-256 is .*, expected 000000000000…")


def test_a_shard_is_of_two_to_four_mebibytes():
    assert (shards.TARGET_BYTES, shards.MOST_BYTES) == (2 * 2**20, 4 * 2**20)


MEBIBYTE = 2**20


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([MEBIBYTE, 3 * MEBIBYTE - 16, 5], [(2, 4 * MEBIBYTE), (1, 21)]),
        ([MEBIBYTE, 3 * MEBIBYTE - 15, 5], [(1, MEBIBYTE + 16), (1, 3 * MEBIBYTE + 1), (1, 21)]),
        ([5, 5 * MEBIBYTE, 5], [(1, 21), (1, 5 * MEBIBYTE + 16), (1, 21)]),
        ([2 * MEBIBYTE - 1, 2 * MEBIBYTE, 1, 4 * MEBIBYTE], [(1, 2 * MEBIBYTE + 15), (1, 2 * MEBIBYTE + 16), (1, 17), (1, 4 * MEBIBYTE + 16)]),
        ([2 * MEBIBYTE - 17, 2 * MEBIBYTE + 1], [(2, 4 * MEBIBYTE)]),
    ],
    ids=["just fits", "a byte more", "larger alone", "at the target", "both nearly half"],
)
def test_a_shard_is_larger_than_four_mebibytes_only_where_one_image_is(tmp_path, sizes, expected):
    writer = ShardWriter(tmp_path, "layer", "int8")
    for size in sizes:
        writer.add(np.zeros((1, size, 1), np.int8))
    written = writer.close()
    assert [(s.count, s.bytes) for s in written] == expected
    assert [s.first for s in written] == [sum(s.count for s in written[:i]) for i in range(len(written))]
    assert all((tmp_path / s.file).stat().st_size == s.bytes for s in written)
