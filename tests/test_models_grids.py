"""Layouts told from shapes alone: whatever the stride, border, layout and tokens before the patches."""

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exporter.models.grids import NCHW, NHWC, PAIRS, TOKENS, Layout, channels_first, find_layout, fit_grid, probe_images
from exporter.models.model import LayerInfo

N = 2
# Strides whose multiples all sides of a pair are.
STRIDES = [(pair, stride) for pair, most in zip(PAIRS, (64, 56), strict=True) for stride in range(1, 65) if most % stride == 0]
channels = st.integers(1, 3000)
borders = st.tuples(st.integers(-20, 20), st.integers(-20, 20))
prefixes = st.integers(0, 16)
sides = st.integers(8, 600)


def grid(size, stride, border=(0, 0)):
    return tuple(-(-side // stride) + more for side, more in zip(size, border, strict=True))


def shape(kind, grid, channels, prefix=0, batch=N):
    rows, cols = grid
    return {NCHW: (batch, channels, rows, cols), NHWC: (batch, rows, cols, channels), TOKENS: (batch, prefix + rows * cols, channels)}[kind]


def test_the_pairs_are_of_multiples_of_all_strides():
    assert {stride for pair, stride in STRIDES if pair is PAIRS[0]} == {1, 2, 4, 8, 16, 32, 64}
    assert {stride for pair, stride in STRIDES if pair is PAIRS[1]} == {1, 2, 4, 7, 8, 14, 28, 56}
    for pair, stride in STRIDES:
        assert all(side % stride == 0 for size in pair for side in size)
        assert len({size[axis] for size in pair for axis in (0, 1)}) > 2


@given(st.sampled_from(STRIDES), st.sampled_from([NCHW, NHWC]), channels, borders)
def test_maps_at_two_sizes(at, kind, count, border):
    pair, stride = at
    grids = [grid(size, stride, border) for size in pair]
    assume(all(rows > 0 and cols > 0 and rows * cols > 1 for rows, cols in grids))
    assert find_layout([shape(kind, one, count) for one in grids], pair, N) == Layout(kind, count, stride, border)


@given(st.sampled_from(STRIDES), channels, prefixes)
def test_tokens_at_two_sizes(at, count, prefix):
    pair, stride = at
    shapes = [shape(TOKENS, grid(size, stride), count, prefix) for size in pair]
    expected = Layout(TOKENS, count, stride, prefix=prefix)
    assert find_layout(shapes, pair, N) == find_layout(shapes, pair, N, prefix) == expected


@given(st.sampled_from(STRIDES), prefixes, prefixes)
def test_a_wrong_prefix_says_so(at, prefix, said):
    assume(said != prefix)
    pair, stride = at
    shapes = [shape(TOKENS, grid(size, stride), 64, prefix) for size in pair]
    assert find_layout(shapes, pair, N, said) == f"is a sequence of {shapes[0][1]} tokens, which is no grid of patches after {said} other tokens; see --prefix-tokens"


@given(sides, sides, st.integers(1, 64), prefixes, st.sampled_from([None, *range(17)]))
def test_tokens_at_one_size_are_found_where_only_one_grid_explains_them(height, width, stride, prefix, said):
    assume(height % stride == 0 and width % stride == 0 and height * width > stride * stride)
    count = prefix + (height // stride) * (width // stride)
    explained = [
        (step, count - (height // step) * (width // step))
        for step in range(1, min(height, width) + 1)
        if height % step == width % step == 0 and height * width > step * step and 0 <= count - (height // step) * (width // step) <= 16
    ]
    explained = [one for one in explained if said in (None, one[1])]
    found = find_layout([(N, count, 8)], [(height, width)], N, said)
    if len(explained) == 1:
        assert found == Layout(TOKENS, 8, explained[0][0], prefix=explained[0][1])
    elif said is None:
        assert found == f"is a sequence of {count} tokens, of which it is not clear how many stand before those of the patches; say so with --prefix-tokens"
    else:
        assert found.endswith(f"no grid of patches after {said} other tokens; see --prefix-tokens")


def test_seventeen_tokens_of_64_pixels_are_not_clear():
    said = {prefix: find_layout([(N, 17, 8)], [(64, 64)], N, prefix) for prefix in (None, 1, 13, 2)}
    assert "it is not clear" in said[None] and "after 2 other tokens" in said[2]
    assert (said[1], said[13]) == (Layout(TOKENS, 8, 16, prefix=1), Layout(TOKENS, 8, 32, prefix=13))


@given(st.lists(st.sampled_from([1, 2, 3, 4, 7, 8, 14, 16, 28, 64, 196, 197, 256, 257, 320, 1000]), min_size=1, max_size=5), st.integers(0, 1))
def test_what_is_found_gives_back_the_shapes(numbers, which):
    """Soundness, at one size and at two with the same shape at both or with sides that follow the image."""
    sizes = [PAIRS[which][0]]
    found = find_layout([(N, *numbers)], sizes, N)
    if isinstance(found, Layout):
        layer = LayerInfo.of("x", found, True)
        assert shape(found.kind, layer.grid(*sizes[0]), found.channels, found.prefix) == (N, *numbers)
        assert found.stride >= 1 and max(map(abs, found.border)) <= 4 and found.prefix <= 16
    # The same at every size: it lies on no image.
    assert isinstance(find_layout([(N, *numbers)] * 2, PAIRS[which], N), str)


@given(st.sampled_from([NCHW, NHWC, TOKENS]), st.integers(1, 5), st.integers(1, 7), st.integers(1, 7), st.integers(1, 4), prefixes)
def test_values_go_back_to_their_places(kind, count, rows, cols, batch, prefix):
    maps = np.arange(batch * count * rows * cols, dtype=np.float32).reshape(batch, count, rows, cols)
    laid = {NCHW: lambda: maps, NHWC: lambda: np.moveaxis(maps, 1, 3)}.get(kind, lambda: np.swapaxes(maps.reshape(batch, count, rows * cols), 1, 2))()
    if kind == TOKENS:
        laid = np.concatenate([np.full((batch, prefix, count), -1, np.float32), laid], axis=1)
    found = channels_first(laid, kind, prefix if kind == TOKENS else 0, (rows, cols))
    assert found.flags.c_contiguous or kind == NCHW
    np.testing.assert_array_equal(found, maps)


def test_tokens_of_another_number_stay_as_they_are():
    values = np.zeros((1, 20, 3), np.float32)
    assert channels_first(values, TOKENS, 1, (4, 5)) is values
    assert channels_first(values, TOKENS, 0, (4, 5)).shape == (1, 3, 4, 5)


@given(st.sampled_from(STRIDES), st.integers(1, 24), prefixes)
def test_attention_maps_are_no_layers(at, heads, prefix):
    pair, stride = at
    tokens = [prefix + rows * cols for rows, cols in (grid(size, stride) for size in pair)]
    for shapes in ([(N, heads, count, count) for count in tokens], [(N, count, count, heads) for count in tokens]):
        assert find_layout(shapes, pair, N).startswith(f"has no grid that follows the image: output shape {shapes[0]} for {pair[0][0]}x{pair[0][1]} pixels")
    square = grid((224, 224), 16)[0] ** 2 + prefix
    assert isinstance(find_layout([(N, heads, square, square)], [(224, 224)], N), str)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(N, 1000)] * 2, "has no spatial grid: output shape (1, 1000)"),
        ([(N, 512, 1, 1)] * 2, "has no spatial grid: output shape (1, 512, 1, 1)"),
        ([(N, 1, 512)] * 2, "has no spatial grid: output shape (1, 1, 512)"),
        ([(N, 50, 512)] * 2, "has no spatial grid: output shape (1, 50, 512)"),
        ([(N, 8, 4, 4, 4)] * 2, "has no spatial grid: output shape (1, 8, 4, 4, 4)"),
        ([(8, 64, 80), (8, 80, 112)], "has no spatial grid: output shape (8, 64, 80)"),
        ([(1, 8, 64, 80), (1, 8, 80, 112)], "has no spatial grid: output shape (1, 8, 64, 80)"),
        ([()] * 2, "has no spatial grid: output shape ()"),
        ([(N, 0, 64, 80), (N, 0, 80, 112)], "has no spatial grid: output shape (1, 0, 64, 80)"),
        ([(N, 8, 64, 80), (N, 8, 80 * 112)], "has no spatial grid: output shape (1, 8, 64, 80)"),
        ([(N, 512, 7, 7)] * 2, "has no grid that follows the image: output shape (2, 512, 7, 7) for 256x320 pixels"),
        ([(N, 8, 64, 80), (N, 8, 64, 112)], "has no grid that follows the image: output shape (2, 8, 64, 80) for 256x320 pixels"),
        ([(N, 8, 64, 80), (N, 9, 80, 112)], "has no grid that follows the image: output shape (2, 8, 64, 80) for 256x320 pixels"),
        ([(N, 8, 64, 80), (N, 8, 80, 100)], "has no grid that follows the image: output shape (2, 8, 64, 80) for 256x320 pixels"),
        ([(N, 8, 64, 80), (N, 8, 79, 112)], "has no grid that follows the image: output shape (2, 8, 64, 80) for 256x320 pixels"),
        ([(N, 8, 80, 112), (N, 8, 64, 80)], "has no grid that follows the image: output shape (2, 8, 80, 112) for 256x320 pixels"),
        ([(N, 100, 8), (N, 101, 8)], "is a sequence of 100 tokens, of which it is not clear how many stand before those of the patches; say so with --prefix-tokens"),
        ([(N, 337, 8), (N, 577, 8)], "is a sequence of 337 tokens, of which it is not clear how many"),
        ([(N, 320, 8), (N, 560, 9)], "has no spatial grid: output shape (1, 320, 8)"),
    ],
)
def test_shapes_that_are_no_layers(shapes, message):
    assert find_layout(shapes, PAIRS[0], N).startswith(message)


def test_unpadded_convolutions_may_cut_off_much_where_the_stride_is_sure():
    assert find_layout([(N, 8, 53, 69), (N, 8, 69, 101)], PAIRS[0], N) == Layout(NCHW, 8, 4, (-11, -11))


@pytest.mark.parametrize("shape", [(N, 4, 1, 1), (N, 96, 1, 1), (N, 1, 1, 4), (N, 3, 1, 1), (N, 8, 2, 9)])
def test_a_pooled_vector_is_no_column_of_patches(shape):
    assert find_layout([shape], [(224, 224)], N).startswith(("has no spatial grid", "has no grid that follows"))


def test_rows_and_columns_of_a_fixed_size_by_the_proportions_of_the_image():
    assert find_layout([(N, 7, 7, 768)], [(224, 224)], N) == Layout(NHWC, 768, 32)
    assert find_layout([(N, 768, 7, 7)], [(224, 224)], N) == Layout(NCHW, 768, 32)
    assert find_layout([(N, 8, 4, 6)], [(64, 96)], N) == Layout(NCHW, 6 + 2, 16)
    assert find_layout([(N, 4, 6, 8)], [(64, 96)], N) == Layout(NHWC, 8, 16)


@given(sides, sides, st.integers(1, 64))
def test_a_stride_is_found_at_one_size(height, width, stride):
    assume(min(height, width) >= stride)
    found = fit_grid([(height, width)], [grid((height, width), stride)])
    if found:  # None where rounding up at a coarse grid makes the sides disagree
        layer = LayerInfo("x", (), found[0], 1, False, found[1])
        assert layer.grid(height, width) == grid((height, width), stride)
    if height % stride == width % stride == 0:
        assert found == (stride, (0, 0))


def test_probe_images_are_the_same_every_time_and_of_all_values():
    first, second = probe_images(48, 64), probe_images(48, 64)
    assert (first == second).all() and (first.shape, first.dtype) == ((2, 48, 64, 3), np.uint8)
    assert all(first[i, ..., c].min() < 10 and first[i, ..., c].max() > 245 for i, c in product(range(2), range(3)))
    assert (first[0] != first[1]).any()
