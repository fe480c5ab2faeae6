"""Codes, their exact similarity, and the error they cost."""

import math
import struct

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from exporter.quantise import CODE_MAX, by_peak, by_step, dots, encode_int8, norms, similarity, squared_norms, unit

untimed = settings(deadline=None, derandomize=True)
reals = st.floats(-1e6, 1e6, allow_subnormal=False)
feature_vectors = arrays(np.float64, st.integers(1, 40), elements=reals)
code_bytes = st.integers(-CODE_MAX, CODE_MAX)
code_vectors = arrays(np.int8, st.integers(1, 60), elements=code_bytes)


def code_pairs(most: int = 60):
    """Two lists of codes of the same dims."""
    dims = st.integers(1, most)
    return dims.flatmap(lambda d: st.tuples(*(arrays(np.int8, st.tuples(st.integers(1, 4), st.just(d)), elements=code_bytes) for _ in range(2))))


def exact_similarity(a: list[int], b: list[int]) -> bytes:
    """FORMAT.md, "Similarity", in integers without limit and plain doubles: the bits of the float32."""
    dot, na, nb = (sum(x * y for x, y in zip(v, w, strict=True)) for v, w in ((a, b), (a, a), (b, b)))
    return struct.pack("<f", dot / math.sqrt(na * nb) if na and nb else 0.0)


@pytest.mark.parametrize(
    ("features", "codes"),
    [
        ([0.5, -1, 0.25], [64, -127, 32]),
        ([0, 2, 2], [0, 127, 127]),
        ([0, 0, 0], [0, 0, 0]),
        ([127, 0.5, 1.5, 2.5, -0.5, -1.5], [127, 0, 2, 2, 0, -2]),
        ([-3e-5], [-127]),
    ],
)
def test_codes_of_known_vectors(features, codes):
    found = encode_int8(np.array(features, dtype=np.float64))
    assert found.dtype == np.int8
    assert found.tolist() == codes


@untimed
@given(arrays(np.float64, array_shapes(min_dims=1, max_dims=4, max_side=5), elements=reals))
def test_codes_keep_the_shape_and_the_range(features):
    codes = encode_int8(features)
    assert codes.shape == features.shape
    assert codes.min() >= -CODE_MAX
    peaks = np.abs(codes.astype(int)).max(axis=-1)
    assert (peaks == np.where(np.abs(features).max(axis=-1) > 2.0**-126, CODE_MAX, 0)).all()


@untimed
@given(feature_vectors)
def test_each_component_is_off_by_half_a_step_at_most(features):
    peak = np.abs(features).max()
    assume(peak > 2.0**-126)
    errors = np.abs(encode_int8(features) * (peak / CODE_MAX) - features)
    assert errors.max() <= peak * (0.5 / CODE_MAX) * (1 + 1e-12)


@untimed
@given(feature_vectors, st.integers(-60, 60))
@example(np.array([0.5, 127.0, 2.5]), -7)
def test_scale_of_a_power_of_two_changes_no_code(features, power):
    assume(np.abs(features).max() * min(2.0**power, 1) > 2.0**-126)
    assert (encode_int8(features * 2.0**power) == encode_int8(features)).all()


@untimed
@given(arrays(np.int8, st.integers(1, 40), elements=code_bytes), st.floats(1e-30, 1e30))
def test_codes_of_decoded_codes_are_the_same(codes, scale):
    codes[0] = CODE_MAX
    assert (encode_int8(codes * scale) == codes).all()


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_all_float_widths_are_taken(kind):
    assert encode_int8(np.array([[1, -0.5]], dtype=kind)).tolist() == [[127, -64]]


def test_huge_values_do_not_overflow():
    assert encode_int8(np.array([1.7e308, -1.7e308, 0.85e308])).tolist() == [127, -127, 64]


@pytest.mark.parametrize("peak", [5e-324, 1e-310, 2.0**-127, 2.0**-126])
def test_vectors_up_to_the_smallest_normal_float32_are_zero(peak):
    assert encode_int8(np.array([peak, 0, -peak])).tolist() == [0, 0, 0]


def test_the_next_greater_vector_is_not_zero():
    assert encode_int8(np.array([np.nextafter(2.0**-126, 1), 0])).tolist() == [127, 0]


def test_one_zero_vector_leaves_its_neighbours_alone():
    assert encode_int8(np.array([[0.0, 0.0], [1.0, -1.0], [0.0, 0.0]])).tolist() == [[0, 0], [127, -127], [0, 0]]


@untimed
@given(code_pairs())
def test_similarity_equals_integer_arithmetic_to_the_bit(pair):
    queries, codes = pair
    found = similarity(queries, codes)
    assert found.dtype == np.float32
    assert found.shape == (len(queries), len(codes))
    assert found.astype("<f4").tobytes() == b"".join(exact_similarity(a, b) for a in queries.tolist() for b in codes.tolist())


@untimed
@given(code_pairs())
def test_similarity_is_symmetric_and_between_minus_one_and_one(pair):
    queries, codes = pair
    assert (similarity(queries, codes) == similarity(codes, queries).T).all()
    assert np.abs(similarity(queries, codes)).max() <= 1


@untimed
@given(code_vectors)
def test_a_code_is_exactly_one_with_itself_and_minus_one_with_its_negative(code):
    expected = 1 if code.any() else 0
    assert similarity(code[None], code[None])[0, 0] == expected
    assert similarity(code[None], -code[None])[0, 0] == -expected


@untimed
@given(code_vectors)
def test_a_zero_code_is_similar_to_nothing(code):
    zero = np.zeros_like(code)
    assert similarity(zero[None], code[None])[0, 0] == 0
    assert similarity(code[None], zero[None])[0, 0] == 0


@pytest.mark.parametrize("dims", [1, 2, 3, 7, 31, 255, 1040, 2048])
def test_many_dims_stay_exact(dims):
    random = np.random.default_rng(dims)
    codes = random.integers(-CODE_MAX, CODE_MAX + 1, (6, dims), dtype=np.int8)
    codes[0], codes[1] = CODE_MAX, -CODE_MAX
    plain = codes.astype(int).tolist()
    assert squared_norms(codes).tolist() == [sum(x * x for x in code) for code in plain]
    assert dots(codes, codes).tolist() == [[sum(x * y for x, y in zip(a, b, strict=True)) for b in plain] for a in plain]
    assert similarity(codes, codes).astype("<f4").tobytes() == b"".join(exact_similarity(a, b) for a in plain for b in plain)


@pytest.mark.parametrize("shift", [1, 3, 5, 7])
def test_halfway_between_two_float32_the_order_of_operations_shows(shift):
    """Both squared norms are 2^25 and the dot product is odd: dot / 2^25 is a tie, which any other rounding on the way would tip."""
    code = np.array([127, 127, 21, 7, 3, 3, 1, 1] + [64] * 8184, dtype=np.int8)
    pair = np.stack([code, np.roll(code, shift)])
    dot = int(dots(pair, pair)[0, 1])
    assert squared_norms(pair).tolist() == [2**25] * 2
    assert dot % 2 == 1
    assert 2**24 < dot < 2**25
    even = dot + 1 if (dot + 1) % 4 == 0 else dot - 1
    assert float(similarity(pair, pair)[0, 1]) == even / 2**25


def test_norms_keep_the_leading_shape():
    codes = np.full((2, 3, 5), -CODE_MAX, dtype=np.int8)
    assert squared_norms(codes).tolist() == [[5 * CODE_MAX**2] * 3] * 2


@untimed
@given(feature_vectors)
def test_unit_vectors_have_norm_one_and_the_same_direction(features):
    norm = np.linalg.norm(features)
    found = unit(features)
    assert found.dtype == np.float64
    assert np.allclose(found * norm, features)
    assert np.isclose(np.linalg.norm(found), 1 if norm > 0 else 0)


def test_the_worked_example_of_the_specification():
    codes = encode_int8(np.array([[0.5, -1, 0.25], [0, 2, 2]]))
    assert squared_norms(codes).tolist() == [21249, 32258]
    assert dots(codes, codes)[0, 1] == -12065
    assert 21249 * 32258 == 685450242
    assert round(float(similarity(codes, codes)[0, 1]), 5) == -0.46083


@untimed
@given(arrays(np.float64, array_shapes(min_dims=1, max_dims=3, max_side=6), elements=reals))
def test_norms_are_those_of_the_vectors(features):
    assume((np.abs(features).max(axis=-1) > 1e-30).all())
    assert norms(features) == pytest.approx(np.linalg.norm(features, axis=-1), rel=2e-5)


def test_norms_do_not_depend_on_the_order_of_summation():
    features = np.random.default_rng(4).normal(size=(50, 999))
    assert all((norms(features[:, order]) == norms(features)).all() for order in (slice(None, None, -1), np.random.default_rng(5).permutation(999)))
    assert (norms(np.asfortranarray(features)) == norms(features)).all()


def test_norms_of_zero_and_of_huge_vectors():
    assert norms(np.array([[0.0, 0.0], [3e37, 4e37], [1e-320, 0]])).tolist() == [0, 5e37, 0]


@untimed
@given(feature_vectors, st.integers(1, 2000))
def test_steps_are_parts_of_the_norm_unless_the_peak_would_not_fit(features, steps):
    peak = np.abs(features).max()
    assume(peak > 1e-30)
    codes = by_step(features, steps)
    scale = min(steps / np.linalg.norm(features), CODE_MAX / peak)
    assert codes.dtype == np.int8 and np.abs(codes.astype(int)).max() <= CODE_MAX
    assert np.abs(codes - features * scale).max() <= 0.5 + 0.003


def test_known_steps():
    assert by_step(np.array([[3.0, -4.0], [0, 0], [300, 1]]), 10).tolist() == [[6, -8], [0, 0], [10, 0]]
    assert by_step(np.array([[3.0, -4.0]]), 1000).tolist() == [[95, -127]]


@untimed
@given(arrays(np.float64, st.integers(1, 40), elements=reals), st.integers(1, CODE_MAX))
def test_codes_by_the_peak_reach_their_limit(features, limit):
    assume(np.abs(features).max() > 1e-30)
    assert np.abs(by_peak(features, limit).astype(int)).max() == limit
