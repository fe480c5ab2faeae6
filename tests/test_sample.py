"""The sample of patches, what is measured on it, and the patch a page opens with."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from exporter.manifest import Selection, SimilarityError
from exporter.opening import strongest_patch
from exporter.quantise import encode_int8, similarity
from exporter.sample import ErrorMeter, PatchSample, SamplePlan, display_range, spread
from tests.fixtures.make import bundle_of

untimed = settings(deadline=None, derandomize=True)
reals = st.floats(-100, 100, allow_subnormal=False)


@untimed
@given(st.integers(1, 300), st.integers(1, 400), st.integers(1, 200))
def test_a_plan_takes_places_on_the_grid_once_each(images, limit, cells):
    plan = SamplePlan(images, limit)
    places = [plan.positions(image, cells) for image in range(images)]
    each = max(1, limit // images)
    assert {len(p) for p in places} <= {0, min(each, cells)}
    assert sum(len(p) > 0 for p in places) == min(images, limit)
    assert sum(map(len, places)) <= limit
    for p in places:
        assert np.array_equal(p, np.unique(p))
        assert ((p >= 0) & (p < cells)).all()


def test_a_plan_is_the_same_every_time_and_differs_between_images():
    plans = [SamplePlan(10, 200), SamplePlan(10, 200)]
    first, second = ([plan.positions(image, 784).tolist() for image in range(10)] for plan in plans)
    assert first == second
    assert len({tuple(places) for places in first}) == 10


def test_a_small_grid_is_taken_whole():
    assert SamplePlan(2, 2048).positions(1, 49).tolist() == list(range(49))


@untimed
@given(st.integers(1, 5000), st.integers(1, 300))
def test_spread_indices_are_different_and_reach_both_ends(count, limit):
    found = spread(count, limit)
    assert len(found) == len(set(found)) == min(count, limit)
    assert found == sorted(found)
    assert found[0] == 0
    assert found[-1] == count - 1 or limit == 1
    gaps = np.diff(found)
    assert len(gaps) == 0 or gaps.max() - gaps.min() <= 1


@untimed
@given(st.lists(arrays(np.float64, st.integers(0, 6), elements=st.floats(-2, 2)), max_size=5))
def test_the_meter_equals_direct_computation(parts):
    meter = ErrorMeter()
    for part in parts:
        meter.add(part)
    whole = [float(x) for part in parts for x in part]
    found = meter.result(9)
    assert (found.patches, found.pairs) == (9, len(whole))
    assert found.max == round(max(map(abs, whole), default=0.0), 6)
    assert math.isclose(found.rms, math.sqrt(math.fsum(x * x for x in whole) / max(1, len(whole))), abs_tol=1e-6)


def cosine(a, b) -> float:
    return float(a @ b / math.sqrt(a @ a) / math.sqrt(b @ b)) if a.any() and b.any() else 0.0


def direct(features, images) -> tuple[SimilarityError, tuple[float, float]]:
    """The measure over all pairs, one by one."""
    codes = encode_int8(features)
    errors, across = [], []
    for i, j in itertools.combinations(range(len(features)), 2):
        coded = similarity(codes[i : i + 1], codes[j : j + 1])[0, 0]
        errors.append(float(coded) - cosine(features[i], features[j]))
        if images[i] != images[j] or len(set(images)) == 1:
            across.append(coded)
    rms = math.sqrt(sum(e * e for e in errors) / max(1, len(errors)))
    return SimilarityError(round(max(map(abs, errors), default=0.0), 6), round(rms, 6), len(features), len(errors)), display_range(np.array(across))


def check_against_direct(parts) -> SimilarityError:
    features, images = np.concatenate(parts), np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    sample, codes = PatchSample(features, images), encode_int8(features)
    error, display = sample.error(codes), sample.display(codes)
    assert (error, display) == (sample.error(codes, threads=2), sample.display(codes, threads=2))
    expected, expected_range = direct(features, images.tolist())
    assert (error.patches, error.pairs) == (expected.patches, expected.pairs)
    assert (error.max, error.rms) == pytest.approx((expected.max, expected.rms), abs=2e-6)
    assert display == expected_range
    return error


@untimed
@given(st.lists(arrays(np.float64, st.tuples(st.integers(1, 4), st.just(5)), elements=reals), min_size=1, max_size=3))
def test_the_sample_is_measured_as_pair_by_pair(parts):
    assume(all(not row.any() or np.abs(row).max() > 1e-30 for part in parts for row in part))
    check_against_direct(parts)


def test_a_sample_of_several_blocks_is_measured_as_pair_by_pair():
    random = np.random.default_rng(3)
    error = check_against_direct([random.normal(size=(150, 3)), random.normal(size=(140, 3))])
    assert error.pairs == 290 * 289 // 2


def test_features_that_are_codes_cost_nothing():
    features = np.array([[127.0, 3, -5], [0, -127, 9], [127, -127, 60]])
    assert PatchSample(features, np.array([0, 0, 1])).error(encode_int8(features)) == SimilarityError(0.0, 0.0, 3, 3)


@untimed
@given(arrays(np.float32, st.integers(0, 50), elements=st.floats(-1, 1, width=32)))
def test_a_display_range_is_wide_enough_to_divide_by(similarities):
    low, high = display_range(similarities)
    assert high - low >= 0.05 - 1e-9
    assert (low, high) == (round(low, 2), round(high, 2))
    assert low <= 0.95


def test_a_display_range_runs_from_the_median_to_almost_the_top():
    assert display_range(np.linspace(0, 1, 2001)) == (0.5, 1.0)
    assert display_range(np.concatenate([np.full(600, 0.1), np.full(400, 0.42)])) == (0.1, 0.42)
    assert display_range(np.concatenate([np.zeros(9999), [1.0]])) == (0.0, 0.05)


def test_a_display_range_of_one_value_or_none():
    assert display_range(np.ones(5)) == (0.95, 1.0)
    assert display_range(np.full(5, 0.3)) == (0.3, 0.35)
    assert display_range(np.array([])) == (0.0, 1.0)


ROWS = COLS = 8
SIGHT, SKY = 0, 1
PLACES = ((3, 2), (4, 5), (2, 4), (5, 3))


def photos(places=PLACES, channels: int = 24) -> list[np.ndarray]:
    """Feature maps of noise, whose upper third is the same sky everywhere, with one sight on each."""
    random = np.random.default_rng(5)
    maps = []
    for row, col in places:
        features = random.normal(0, 1, (ROWS, COLS, channels))
        features[:2] = 20 * np.eye(channels)[SKY] + random.normal(0, 0.1, (2, COLS, channels))
        features[row, col] = 20 * np.eye(channels)[SIGHT] + random.normal(0, 0.5, channels)
        maps.append(features)
    return maps


def opening(tmp_path, maps):
    bundle = bundle_of(tmp_path / "site", maps)
    return strongest_patch(bundle, bundle.layers[0])


def test_a_page_opens_with_what_is_distinctive_and_not_with_sky(tmp_path):
    found = opening(tmp_path, photos())
    assert found.layer == "layer"
    assert (found.row, found.col) == PLACES[int(found.image)]


def test_a_wall_that_fills_one_image_is_no_match_for_a_sight(tmp_path):
    """One patch of wall on the second image, half the first one: alike to the last digit, yet distinctive on one side only."""
    random = np.random.default_rng(6)
    maps = photos(((5, 2), (2, 5)))
    for features, row in zip(maps, (slice(0, 4), 4), strict=True):
        features[:2] = random.normal(0, 1, (2, COLS, 24))
        cells = features[row, 4:5] if row == 4 else features[row]
        cells[:] = 20 * np.eye(24)[2] + random.normal(0, 0.1, cells.shape)
    for features, place in zip(maps, ((5, 2), (2, 5)), strict=True):
        features[place] = 20 * np.eye(24)[SIGHT] + random.normal(0, 2.5, 24)
    found = opening(tmp_path, maps)
    assert (found.row, found.col) == ((5, 2), (2, 5))[int(found.image)]


def test_the_border_is_left_out(tmp_path):
    maps = photos()
    for features in maps:
        features[7, 7] = 20 * np.eye(24)[2]
    found = opening(tmp_path, maps)
    assert (found.row, found.col) == PLACES[int(found.image)]


def test_a_grid_that_is_all_border_still_has_an_opening(tmp_path):
    random = np.random.default_rng(1)
    found = opening(tmp_path, [random.normal(size=(2, 2, 9)) for _ in range(3)])
    assert found.image in {"0", "1", "2"}
    assert 0 <= found.row < 2
    assert 0 <= found.col < 2


def test_one_image_is_compared_with_itself(tmp_path):
    maps = photos(PLACES[:1])
    maps[0][5, 5] = maps[0][3, 2]
    found = opening(tmp_path, maps)
    assert found.image == "0"
    assert 0 < found.row < ROWS - 1
    assert 0 < found.col < COLS - 1


def test_grids_of_different_shapes_give_a_patch_inside(tmp_path):
    random = np.random.default_rng(2)
    maps = [random.normal(size=(*grid, 6)) for grid in ((3, 9), (9, 3), (5, 5))]
    found = opening(tmp_path, maps)
    rows, cols = maps[int(found.image)].shape[:2]
    assert 0 < found.row < rows - 1
    assert 0 < found.col < cols - 1


@pytest.mark.parametrize("value", [0, 1], ids=["zeros", "all alike"])
def test_where_nothing_stands_out_a_page_opens_in_the_middle_of_the_first_image(tmp_path, value):
    assert opening(tmp_path, [np.full((3, 5, 4), value), np.full((4, 4, 4), value)]) == Selection("0", "layer", 1, 2)


def test_grids_of_one_patch_open_with_it(tmp_path):
    assert opening(tmp_path, [np.eye(4)[:1, None]] * 3) == Selection("0", "layer", 0, 0)


def test_the_opening_is_the_same_every_time(tmp_path):
    assert opening(tmp_path / "one", photos()) == opening(tmp_path / "two", photos())


def test_more_images_than_are_compared(tmp_path):
    random = np.random.default_rng(4)
    found = opening(tmp_path, [random.normal(size=(3, 3, 4)) for _ in range(70)])
    assert (found.row, found.col) == (1, 1)
    assert int(found.image) in spread(70, 64)
