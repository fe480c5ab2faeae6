"""Rotations, the ways to make integers, and the choice among them: exact enough, of fewest bytes, and the same whatever sums are ordered by."""

import zlib

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from exporter import rotation as rotations
from exporter.candidates import PLAIN, Coder, plain_families, rotated_families
from exporter.choice import choose
from exporter.encodings import ENCODINGS, LIMITS, is_deflated, pack
from exporter.quantise import encode_int8, norms, unit
from exporter.rotation import find_rotation
from exporter.sample import take_sample


class ArrayMaps:
    """Feature maps in memory: float32 (images, rows, cols, channels)."""

    def __init__(self, values):
        self.values, self.grids, self.channels = values, [one.shape[:2] for one in values], values.shape[-1]

    def read(self, image):
        return self.values[image].reshape(-1, self.channels)


def correlated(images=4, side=12, channels=24, rank=6, seed=0):
    """Maps whose vectors lie near a few directions, as those of networks do."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(images, side, side, rank)) @ random.normal(size=(rank, channels)) + random.normal(0, 0.05, (images, side, side, channels))
    return ArrayMaps(values.astype(np.float32))


def sparse():
    """Maps of mostly zeros, none negative."""
    random = np.random.default_rng(1)
    return ArrayMaps(np.where(random.random((4, 12, 12, 64)) < 0.06, random.exponential(1, (4, 12, 12, 64)), 0).astype(np.float32))


def flat(maps):
    return maps.values.reshape(-1, maps.channels)


def served(maps, coder, encoding):
    data = pack(coder(flat(maps)), encoding)
    return len(data if is_deflated(encoding) else zlib.compress(data, 9))


def test_a_rotation_leaves_cosines_and_gathers_energy():
    maps = correlated()
    found = find_rotation([flat(maps)])
    rotated = found(flat(maps))
    assert (rotated == np.rint(rotated)).all()
    assert np.abs(unit(rotated) @ unit(rotated).T - unit(flat(maps)) @ unit(flat(maps)).T).max() < 1e-4
    energy = np.square(rotated).mean(axis=0)
    assert (np.diff(energy) <= 1e-9 * energy[0]).all() and energy[:6].sum() > 0.99 * energy.sum()
    assert (found.cut(5)(flat(maps)) == rotated[:, :5]).all()


def test_a_rotation_is_the_same_in_any_order_and_with_any_threads():
    maps = correlated(channels=200)
    vectors, shuffled = flat(maps), np.random.default_rng(3).permutation(len(flat(maps)))
    usual = find_rotation([vectors])
    for limit in (1, 4):
        with threadpool_limits(limit):
            other = find_rotation([vectors[shuffled[:70]], vectors[shuffled[70:]]])
            assert (other.columns == usual.columns).all()
            assert (other(vectors[::-1]) == usual(vectors)[::-1]).all()
            assert np.concatenate([other(one[None]) for one in vectors[:9]]).tolist() == usual(vectors[:9]).tolist()


def test_sums_of_a_rotation_are_exact():
    """The greatest that can be summed: all energy of 2048 channels in one vector, and in one channel."""
    assert rotations.MOST_PATCHES * 2 ** (2 * rotations._MOMENT_BITS) < 2**53
    assert rotations.MOST_CHANNELS * 2 ** (rotations._VECTOR_BITS + rotations._COLUMN_BITS) < 2**53


def test_zero_and_tiny_vectors_stay_zero():
    vectors = np.array([[0, 0, 0], [1e-42, 0, 0], [3, 4, 0]], np.float32)
    rotated = find_rotation([vectors])(vectors)
    assert not rotated[:2].any() and norms(rotated)[2] == pytest.approx(2.0**36, rel=1e-4)


def test_families_go_from_the_most_exact_to_the_coarsest():
    maps = correlated()
    found = find_rotation([flat(maps)])
    for family in plain_families() + rotated_families(found, found(flat(maps))):
        assert list(family.levels) == sorted(set(family.levels), reverse=True)
        for level in (family.levels[0], family.levels[-1]):
            codes = family.coder(level)(flat(maps))
            assert codes.dtype == np.int8 and np.abs(codes.astype(int)).max() <= LIMITS[family.raw]
            assert 1 <= codes.shape[1] <= 24


def test_a_rotated_step_leaves_out_dims_that_are_zero_everywhere():
    maps = correlated()
    found = find_rotation([flat(maps)])
    family = next(family for family in rotated_families(found, found(flat(maps))) if family.coder(20).text == "rotated, step 20")
    fine, coarse = (family.coder(level)(flat(maps)) for level in (2000, 20))
    assert fine.shape[1] == 24 and coarse.shape[1] < 20
    whole = Coder("step", 20, found)(flat(maps))
    assert not whole[:, coarse.shape[1] :].any()


@pytest.mark.parametrize("most", [0.01, 0.03, 0.1])
@pytest.mark.parametrize("maps", [correlated(), sparse()], ids=["correlated", "sparse"])
def test_what_is_chosen_is_exact_enough_and_no_larger_than_plain_codes(maps, most):
    choice = choose(maps, most)
    assert choice.error.max <= most
    sample = take_sample(maps)
    codes = choice.coder(sample.features)
    assert (sample.error(codes), sample.display(codes)) == (choice.error, choice.display)
    plain = len(zlib.compress(encode_int8(flat(maps)).tobytes(), 9))
    assert served(maps, choice.coder, choice.encoding) <= (0.9 if most > 0.01 else 1) * plain


def test_every_layer_gets_what_suits_it():
    assert choose(correlated(), 0.03).coder.rotation is not None
    assert choose(sparse(), 0.03).coder.rotation is None
    maps = ArrayMaps(np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32))
    narrow = choose(maps, take_sample(maps).error(encode_int8(flat(maps))).max)
    assert (narrow.coder, narrow.encoding) == (PLAIN, "int8")


def test_what_was_tried_is_told():
    choice = choose(correlated(), 0.03)
    assert [one.integers.rpartition(" ")[0] for one in choice.tried] == ["max-abs", "max-abs", "step", "rotated, step", "rotated, max-abs"]
    taken = next(one for one in choice.tried if one.integers == choice.coder.text)
    assert (taken.encoding, taken.max, taken.rms, taken.patches) == (choice.encoding, choice.error.max, choice.error.rms, choice.error.patches)
    for one in choice.tried:
        assert one.max <= 0.03 and one.bytes >= taken.bytes * 0.98
    assert taken.bytes == pytest.approx(served(correlated(), choice.coder, choice.encoding), rel=0.01)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_encoding_that_is_asked_for(encoding):
    choice = choose(correlated(), 0.2, encoding)
    assert choice.encoding == encoding and {one.encoding for one in choice.tried} == {encoding}
    assert np.abs(choice.coder(flat(correlated())).astype(int)).max() <= LIMITS[encoding]
    assert (choice.coder == PLAIN) == (encoding == "int8")


def test_where_nothing_is_exact_enough_the_most_exact_is_taken():
    for encoding in (None, *ENCODINGS):
        choice = choose(correlated(), 1e-5, encoding)
        assert 1e-5 < choice.error.max == min(one.max for one in choice.tried)
        assert {one.patches for one in choice.tried} == {choice.error.patches}


@pytest.mark.parametrize("maps", [correlated(channels=96), sparse()], ids=["correlated", "sparse"])
def test_a_choice_does_not_depend_on_threads(maps):
    usual = choose(maps, 0.02)
    for blas in (1, 4):
        with threadpool_limits(blas):
            other = choose(maps, 0.02, threads=3)
        assert (other.coder.text, other.encoding, other.error, other.display, other.tried) == (usual.coder.text, usual.encoding, usual.error, usual.display, usual.tried)
        assert (other.coder(flat(maps)) == usual.coder(flat(maps))).all()


@pytest.mark.parametrize("values", [np.zeros((2, 3, 3, 5)), np.ones((1, 1, 1, 4)), np.full((3, 2, 2, 1), -2.0)], ids=["zeros", "one patch", "one channel"])
def test_features_that_say_little(values):
    choice = choose(ArrayMaps(values.astype(np.float32)), 0.01)
    assert choice.error.max <= 0.01 and choice.coder(values.reshape(-1, values.shape[-1])).shape[1] >= 1


def test_wide_layers_are_not_rotated(monkeypatch):
    monkeypatch.setattr("exporter.choice.MOST_CHANNELS", 23)
    assert all("rotated" not in one.integers for one in choose(correlated(), 0.03).tried)
