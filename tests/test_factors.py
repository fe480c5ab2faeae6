"""Non-negative factors: files of weights, and what factorisations find; against made-up features of known factors, and scikit-learn itself."""

import hashlib
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import NMF
from threadpoolctl import threadpool_info, threadpool_limits

from exporter import factors as module
from exporter.errors import BundleError, ExportError
from exporter.factor_file import decode_weights, encode_weights
from exporter.factors import Patches, factorise
from exporter.manifest import FactorSet
from exporter.quantise import unit


class Held:
    """Feature maps in memory, as `sample.Maps` describes them."""

    def __init__(self, *maps):
        self.maps, self.grids, self.channels = maps, [found.shape[:2] for found in maps], maps[0].shape[-1]

    def read(self, image):
        return self.maps[image].reshape(-1, self.channels).astype(np.float32)


def low_rank(seed=3, images=3, channels=12, rank=3):
    """Maps of sums of `rank` components that have no channel in common, and these components, of norm 1."""
    random = np.random.default_rng(seed)
    components = np.zeros((rank, channels))
    for number, used in enumerate(np.array_split(random.permutation(channels), rank)):
        components[number, used] = random.uniform(0.2, 1, len(used))
    weights = [random.uniform(0, 1, (5 + image, 6, rank)) * (random.uniform(size=(5 + image, 6, rank)) < 0.6) for image in range(images)]
    return [one @ components for one in weights], unit(components)


def find(maps, count, positive=False, threads=1):
    patches = Patches.of(Held(*maps), range(len(maps)), positive)
    return factorise(patches, patches.sample(), count, threads)


def entry(data, peaks):
    return FactorSet("f", "l", "l", "whole", len(peaks), 0.5, 1, tuple(peaks), "factors/0.bin", len(data), hashlib.sha256(data).hexdigest())


@given(st.integers(1, 12), st.integers(1, 40), st.integers(0, 2**32 - 1), st.floats(1e-30, 1e30))
def test_weights_come_back_within_half_a_level(count, patches, seed, scale):
    weights = np.random.default_rng(seed).uniform(0, scale, (count, patches))
    weights[0, 0] = 0
    peaks = weights.max(axis=1)
    data = encode_weights(weights, peaks)
    assert data[:16] == b"OVLF" + struct.pack("<HHII", 1, 0, count, patches)
    levels = np.frombuffer(zlib.decompress(data[16:]), np.uint8).reshape(count, patches)
    found = decode_weights(data, entry(data, peaks), patches)
    assert found.dtype == np.float32 and (found == (levels / 255 * peaks[:, None]).astype(np.float32)).all()
    assert (np.abs(found - weights) <= peaks[:, None] / 255 * 0.501).all()


def test_what_is_above_a_peak_is_cut_and_an_empty_factor_stays_so():
    data = encode_weights(np.array([[0.5, 2.0], [0, 0]]), np.array([1.0, 0.0]))
    assert decode_weights(data, entry(data, (1.0, 0.0)), 2).tolist() == [[np.float32(128 / 255), 1], [0, 0]]


def restream(change):
    return lambda data: data[:16] + zlib.compress(change(zlib.decompress(data[16:])))


DAMAGES = {
    "cut header": (lambda data: data[:15], "is 15 bytes, a weights file has at least 16"),
    "magic": (lambda data: b"OVLS" + data[4:], "begins with b'OVLS', expected b'OVLF'"),
    "version": (lambda data: data[:4] + b"\2" + data[5:], "is weights file version 2, this reader knows 1; upgrade"),
    "zero": (lambda data: data[:6] + b"\1" + data[7:], "has 1 at byte 6, expected 0"),
    "count": (lambda data: data[:8] + b"\3" + data[9:], "holds 3 factors of 5 patches, expected 2 of 5"),
    "patches": (lambda data: data[:12] + b"\4" + data[13:], "holds 2 factors of 4 patches, expected 2 of 5"),
    "no stream": (lambda data: data[:16], "does not inflate to the 10 bytes"),
    "cut stream": (lambda data: data[:-1], "does not inflate to the 10 bytes"),
    "checksum": (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "cannot be inflated"),
    "more behind": (lambda data: data + b"\0", "does not inflate to the 10 bytes"),
    "too few": (restream(lambda levels: levels[:-1]), "holds 9 weights, expected 10"),
    "too many": (restream(lambda levels: levels + b"\0"), "holds 11 weights, expected 10"),
    "explodes": (restream(lambda levels: bytes(5_000_000)), "does not inflate to the 10 bytes"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage(damage):
    change, words = DAMAGES[damage]
    data = change(encode_weights(np.random.default_rng(1).uniform(0, 1, (2, 5)), np.ones(2)))
    with pytest.raises(BundleError, match=f"^factors/0.bin: {words}"):
        decode_weights(data, entry(data, (1.0, 1.0)), 5)


def test_an_altered_file_is_refused_by_its_hash():
    data = encode_weights(np.ones((1, 1)), np.ones(1))
    with pytest.raises(BundleError, match="SHA-256 is"):
        decode_weights(data, replace(entry(data, (1.0,)), sha256="0" * 64), 1)
    with pytest.raises(BundleError, match="is 25 bytes, expected 26"):
        decode_weights(data, replace(entry(data, (1.0,)), bytes=26), 1)


@pytest.mark.parametrize("positive", [False, True])
def test_known_factors_are_recovered(positive):
    maps, components = low_rank()
    found = find(maps, 3, positive)
    flat = unit(np.concatenate([one.reshape(-1, 12) for one in maps]))
    expected = flat @ components.T  # they are orthogonal
    expected = expected[:, np.argsort(-expected.sum(axis=0))].T
    assert found.converged and found.error < 0.01
    assert np.abs(found.weights - expected).max() < 0.02
    assert (np.diff(found.weights.sum(axis=1)) < 0).all()


def noisy(seed=5, signed=True):
    random = np.random.default_rng(seed)
    maps = [random.normal(0.2, 1, (6, 4 + image, 9)) for image in range(4)]
    return maps if signed else [one.clip(0) for one in maps]


@pytest.mark.parametrize(("signed", "positive", "parts"), [(True, False, "split"), (True, True, "positive"), (False, False, "whole"), (False, True, "positive")])
def test_parts_and_error_are_those_of_plain_scikit_learn(signed, positive, parts):
    maps = noisy(signed=signed)
    patches = Patches.of(Held(*maps), range(4), positive)
    assert patches.parts == parts
    flat = np.concatenate([one.reshape(-1, 9) for one in maps]).astype(np.float32).astype(np.float64)
    flat = np.concatenate([np.maximum(flat, 0), np.maximum(-flat, 0)], axis=1) if parts == "split" else np.maximum(flat, 0)
    flat /= np.maximum(np.sqrt((flat**2).sum(axis=1, keepdims=True)), 1e-30)
    assert patches.channels == flat.shape[1] and np.abs(patches.sample() - flat).max() < 1e-6
    model = NMF(4, init="nndsvda", tol=module.TOLERANCE, max_iter=5000, random_state=0)
    weights = model.fit_transform(flat)
    found = factorise(patches, patches.sample(), 4)
    assert found.error == pytest.approx(np.linalg.norm(flat - weights @ model.components_) / np.linalg.norm(flat), abs=1e-3)
    lengths = np.linalg.norm(model.components_, axis=1)
    expected = (weights * lengths)[:, np.argsort(-(weights * lengths).sum(axis=0))]
    assert np.corrcoef(found.weights.ravel(), expected.T.ravel())[0, 1] > 0.99


def test_only_the_images_named_take_part():
    maps = noisy()
    some = Patches.of(Held(*maps), [1, 3], positive=True)
    alone = Patches.of(Held(maps[1], maps[3]), [0, 1], positive=True)
    assert (factorise(some, some.sample(), 3).weights == factorise(alone, alone.sample(), 3).weights).all()


@pytest.mark.parametrize("limits", [{"MOST_PATCHES": 48}, {"MOST_NUMBERS": 48 * 12}])
def test_of_many_patches_some_of_every_image_are_enough(monkeypatch, limits):
    maps, _ = low_rank(images=4)
    whole = find(maps, 3)
    for name, value in limits.items():
        monkeypatch.setattr(module, name, value)
    patches = Patches.of(Held(*maps), range(4), positive=False)
    sample = patches.sample()
    assert len(sample) == 48
    for image, twelve in enumerate(np.split(sample, 4)):
        assert all((row == patches.read(image)).all(axis=1).any() for row in twelve)
    some = factorise(patches, sample, 3)
    assert some.weights.shape == whole.weights.shape == (3, sum(patches.cells))
    assert np.abs(some.weights - whole.weights).max() < 0.05


def test_threads_and_repetition_change_no_bit():
    one = find(noisy(), 5)
    for threads in (1, 2, 5):
        other = find(noisy(), 5, threads=threads)
        assert other.error == one.error and (other.weights == one.weights).all()


def test_libraries_run_in_one_thread(monkeypatch):
    """BLAS of numpy and of scipy, and OpenMP of scikit-learn, whatever they were told before."""
    told, components = [], module._components
    monkeypatch.setattr(module, "_components", lambda *arguments: told.extend(threadpool_info()) or components(*arguments))
    with threadpool_limits(2):
        find(noisy(), 3)
    assert {pool["user_api"] for pool in told} == {"blas", "openmp"} and {pool["num_threads"] for pool in told} == {1}


def test_features_that_are_all_zero_have_empty_factors():
    found = find([np.zeros((2, 3, 4))], 2)
    assert (found.error, found.converged, found.weights.any()) == (0, True, False)


def test_a_patch_without_features_has_no_weights():
    maps, _ = low_rank()
    maps[1][:] = 0
    found = find(maps, 3)
    assert not found.weights[:, 30:66].any() and found.weights[:, 66:].any() and found.weights[:, :30].any()


def test_more_factors_than_patches():
    with pytest.raises(ExportError, match="^3 factors of 2 patches cannot be found, expected at most as many factors as patches"):
        find([np.ones((1, 2, 8))], 3)


def test_rounds_that_were_not_enough_are_told(monkeypatch, recwarn):
    monkeypatch.setattr(module, "MOST_ROUNDS", 2)
    assert not find(noisy(), 4).converged
    assert not recwarn.list
