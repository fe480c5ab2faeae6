"""exporter/components.py: principal components as colours, against numpy's eigenvectors."""

import numpy as np
import pytest

from exporter.components import color_components, find_components
from exporter.progress import silent
from tests.made_maps import Kept, MadeMaps

random = np.random.default_rng(3)
MIXING = random.normal(size=(9, 9)) * np.array([5, 3, 2, 1, 1, 0.5, 0.5, 0.2, 0.2])[:, None]


def made(*grids, zero=False):
    """Maps of these grids whose patches have three directions that vary more than others, with a long tail each."""
    maps = [np.random.default_rng(seed).exponential(1, (*grid, 9)) @ MIXING + 1 for seed, grid in enumerate(grids)]
    if zero:
        maps[0][0, 0] = 0
    return MadeMaps(maps)


def colored(maps, originals=None):
    kept = Kept()
    return color_components(maps, originals or len(maps.grids), "layer", kept, silent), kept.numbers["components"]


def expected(maps, count=3):
    """(values (patches, count), parts of the variance) by eigenvectors of the covariance, signs by the third moment."""
    lengths = np.linalg.norm(maps.flat.astype(float), axis=1, keepdims=True)
    units = np.divide(maps.flat, lengths, out=np.zeros(maps.flat.shape), where=lengths > 0)
    centred = units - units.mean(0)
    parts, vectors = np.linalg.eigh(centred.T @ centred)
    values = centred @ vectors[:, ::-1][:, :count]
    return values * np.sign((values**3).sum(0)), (parts[::-1] / parts.sum())[:count]


@pytest.mark.parametrize("maps", [made((7, 9), (8, 4)), made((6, 6), (3, 8), zero=True), made((9, 9))], ids=["two", "a zero vector", "one image"])
def test_colours_are_the_first_three_components(maps):
    found, colors = colored(maps)
    values, parts = expected(maps)
    assert found.explained == pytest.approx(parts, abs=1e-6)
    assert colors.shape == (3, len(values)) == found.colors.shape
    for values_of, color, (low, high) in zip(values.T, colors, found.ranges, strict=True):
        assert (low, high) == pytest.approx(np.percentile(values_of, [2, 98]), abs=1e-6)
        assert np.abs(color - 255 * ((values_of - low) / (high - low)).clip(0, 1)).max() < 0.51
        assert color.min() == 0 and color.max() == 255


def test_the_longer_tail_is_bright_whatever_the_order_of_patches():
    maps = made((7, 9), (8, 4))
    turned = MadeMaps([one[::-1, ::-1] for one in maps.features[::-1]])
    first, second = colored(maps)[1], colored(turned)[1]
    assert np.abs(first.astype(int) - second[:, ::-1]).max() <= 1


def test_where_both_tails_are_alike_the_greatest_channel_is_bright():
    units = np.eye(4)[[0, 1, 0, 1]] * 1.0
    for features in (units, units[::-1]):
        _, axes, _ = find_components(features, 2)
        assert axes[0, np.abs(axes[0]).argmax()] > 0


def test_versions_take_no_part():
    maps = made((7, 9), (8, 4))
    more = MadeMaps([*maps.features, np.full((4, 4, 9), 50.0)])
    assert np.array_equal(colored(more, 2)[1], colored(maps)[1])


@pytest.mark.parametrize(("maps", "there"), [(MadeMaps([np.eye(9)[:2].reshape(1, 2, 9)]), 1), (MadeMaps([np.ones((1, 1, 9))]), 0), (MadeMaps([np.full((3, 4, 9), 2.0)]), 0), (MadeMaps([np.zeros((2, 2, 9))]), 0),
                                           (MadeMaps([random.normal(size=(4, 4, 2))]), 2)], ids=["two patches", "one patch", "all alike", "all zero", "two channels"])
def test_components_that_are_not_there_are_grey(maps, there):
    found, colors = colored(maps)
    assert all(part > 1e-3 for part in found.explained[:there]) and found.explained[there:] == (0,) * (3 - there)
    assert (colors[there:] == 128).all()
    assert all(set(row) > {0, 255} or set(row) == {0, 255} for row in colors[:there])


def test_many_patches_are_sampled_and_coloured_all():
    maps = made(*[(40, 40)] * 12)
    found, colors = colored(maps)
    values, parts = expected(maps)
    assert colors.shape[1] == 12 * 1600 > 2**14
    assert found.explained == pytest.approx(parts, abs=5e-3)
    assert np.corrcoef(colors[0], values[:, 0].clip(*np.percentile(values[:, 0], [2, 98])))[0, 1] > 0.999
