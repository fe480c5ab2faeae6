"""exporter/segment.py and Bundle.segment: cells, scores and masks against slower ways to the same, and the measured quality on real photos."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from skimage.filters import threshold_otsu
from torch.nn import functional
from torch import from_numpy

from exporter import export, load_bundle
from exporter.errors import UsageError
from exporter.quantise import similarity
from exporter.segment import LEVELS, iou, otsu, patch_scores, support_cells, upsample
from tests.fixtures.make import GOOD, bundle_of, make_mask, write_bundle

SIDES = st.integers(1, 9)


@given(arrays.arrays(bool, st.tuples(SIDES, SIDES)), st.tuples(SIDES, SIDES))
def test_cells_are_foreground_where_more_than_half_of_them_is(mask, grid):
    """On as many pixels as both resolutions divide every cell is a whole number of them."""
    fine = mask.repeat(grid[0], axis=0).repeat(grid[1], axis=1)
    blocks = fine.reshape(grid[0], mask.shape[0], grid[1], mask.shape[1]).sum(axis=(1, 3))
    assert (support_cells(mask, grid) == (2 * blocks > mask.size)).all()


@given(arrays.arrays(np.float32, st.tuples(SIDES, SIDES), elements=st.floats(-1, 1, width=32)), st.tuples(st.integers(1, 40), st.integers(1, 40)))
def test_upsampling_is_that_of_torch(scores, shape):
    wanted = functional.interpolate(from_numpy(scores.astype(np.float64))[None, None], size=shape, mode="bilinear", align_corners=False)[0, 0].numpy()
    np.testing.assert_allclose(upsample(scores, shape), wanted, atol=1e-9)


@given(arrays.arrays(np.float32, st.integers(2, 60), elements=st.floats(-1, 1, width=32)))
def test_otsu_parts_as_scikit_image_does(scores):
    level = otsu(scores)
    span = float(scores.max()) - float(scores.min())
    if span < 1e-3:
        return
    # Its threshold is the middle of the last bin below, so that the same scores lie above both, but for ties between levels.
    found, known = scores >= level, scores > threshold_otsu(scores.astype(np.float64), nbins=LEVELS)

    def between(above):
        return above.mean() * (1 - above.mean()) * (scores[above].mean() - scores[~above].mean()) ** 2 if above.any() and not above.all() else 0

    assert between(found) >= between(known) - 0.02 * span**2


def test_otsu_of_equal_scores_is_their_value():
    assert otsu(np.full(9, 0.25, np.float32)) == 0.25


def test_scores_are_means_and_maxima_of_similarities():
    random = np.random.default_rng(4)
    codes, inside, outside = (random.integers(-127, 128, (n, 24)).astype(np.int8) for n in (50, 600, 7))
    codes[0] = 0
    near = similarity(codes, inside)
    for background, away in ((None, None), (outside, similarity(codes, outside))):
        mean = near.mean(axis=1, dtype=np.float64) - (0 if away is None else away.mean(axis=1, dtype=np.float64))
        np.testing.assert_allclose(patch_scores(codes, inside, background, "mean"), mean, atol=1e-6)
        nearest = near.max(axis=1) - (0 if away is None else away.max(axis=1))
        np.testing.assert_allclose(patch_scores(codes, inside, background, "nearest"), nearest, atol=1e-6)
    assert patch_scores(codes, inside, None, "mean")[0] == 0


def test_iou():
    a, b = np.array([[1, 1, 0]], bool), np.array([[0, 1, 1]], bool)
    assert (iou(a, b), iou(a, a), iou(a, ~a), iou(a & ~a, a & ~a)) == (1 / 3, 1, 0, 1)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_bundle(tmp_path_factory.mktemp("segment") / "site", GOOD)


def test_masks_are_those_of_every_other_image(bundle):
    support = {"dog": make_mask(bundle.images[0], 1), "café": make_mask(bundle.images[2], 2)}
    masks = bundle.segment(layer="block1", support=support, background=True)
    assert {id: mask.shape for id, mask in masks.items()} == {image.id: (image.height, image.width) for image in bundle.images if image.id not in support}
    scores = bundle.foreground_scores(layer="block1", support=support, background=True)
    level = otsu(np.concatenate([values.ravel() for values in scores.values()]))
    for id, mask in masks.items():
        assert mask.dtype == bool and (mask == (upsample(scores[id], mask.shape) >= level)).all()
    lower = bundle.segment(layer=bundle.layers[0], support=support, background=True, threshold=level - 0.1)
    assert all((lower[id] | ~mask).all() and lower[id].sum() > mask.sum() for id, mask in masks.items())


def test_an_image_alone_leaves_nothing_to_segment(tmp_path):
    bundle = bundle_of(tmp_path / "site", [np.random.default_rng(0).normal(size=(2, 3, 8))])
    assert bundle.segment(layer="layer", support={"0": np.ones((32, 48), bool)}) == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"support": {}}, "support is empty, expected {image id: mask}"),
        ({"support": {"wolf": np.ones((32, 48))}}, 'no image "wolf" in this bundle'),
        ({"support": {"dog": np.ones((48, 32))}}, r'the mask of "dog" has the shape \(48, 32\), expected \(32, 48\)'),
        ({"support": {"dog": np.zeros((32, 48))}}, "the support has no foreground: on dog no patch is more than half foreground"),
        ({"support": {"dog": np.ones((32, 48))}, "background": True}, "the support has no background to subtract: on dog every patch"),
        ({"score": "median"}, 'score is "median", expected one of mean, nearest'),
        ({"layer": "block9"}, 'no layer "block9"'),
    ],
)
def test_what_cannot_be_segmented_is_said(bundle, options, message):
    with pytest.raises(UsageError, match=message):
        bundle.segment(**{"layer": "block1", "support": {"dog": np.ones((32, 48), bool)}, **options})


def best_iou(bundle, layer, support, query, **how):
    scores = bundle.foreground_scores(layer=layer, support={support: bundle.mask(support)}, **how)[query]
    truth = bundle.mask(query)
    pixels = upsample(scores, truth.shape)
    return max(iou(pixels >= level, truth) for level in np.linspace(scores.min(), scores.max(), LEVELS + 1))


def test_real_photos_are_segmented_as_well_as_was_measured(cases, model_cache, tmp_path):
    """Few-shot masks of people by features that were never trained for masks."""
    export(cases / "segmentation" / "images", tmp_path / "site", masks=cases / "segmentation" / "masks", layers=["block3", "block4"])
    bundle = load_bundle(tmp_path / "site")
    assert best_iou(bundle, "block3", "2011_000003", "2011_000006") >= 0.60
    assert best_iou(bundle, "block4", "2011_000003", "2011_000006", background=True) >= 0.64
