"""The figure `factors` with many images: what is far away costs nothing, and what comes near is drawn as it should be."""

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from exporter import load_bundle
from exporter.images import Group
from exporter.manifest import Figure as Shown
from exporter.site import write_site
from tests.browser.factored import Factored, make_weights
from tests.browser.large import FRAMES, large_site

LATE = "late"  # the last ten images
COUNT_CANVASES = "tiles => tiles.filter((tile) => tile.querySelector('canvas')).length"


@pytest.fixture(scope="module")
def many_factors(tmp_path_factory):
    site = tmp_path_factory.mktemp("many-factors") / "site"
    manifest = large_site(site).manifest
    manifest = replace(manifest, groups=(Group(LATE, LATE),), images=tuple(replace(image, group=LATE if n >= 110 else "") for n, image in enumerate(manifest.images)))
    made = [make_weights(site, manifest, "small-3", "small", 3), make_weights(site, manifest, "small-4-late", "small", 4, group=LATE)]
    write_site(site, replace(manifest, factors=tuple(one.set for one in made), figures=(Shown("factors", {}),)))
    return site, load_bundle(site), {one.set.id: one for one in made}


@pytest.fixture
def figure(many_factors, serve, open_page):
    site, bundle, weights = many_factors
    return Factored(open_page(serve(site), viewport={"width": 800, "height": 500}), bundle, weights, "small").ready()


def test_only_what_is_near_is_drawn(figure):
    assert figure.maps.count() == figure.tiles.count() == 120
    figure.page.evaluate("() => scrollTo({ top: 0, behavior: 'instant' })")
    figure.page.evaluate(FRAMES)
    assert figure.maps.evaluate_all(COUNT_CANVASES) < 60
    last = figure.maps.nth(119)
    last.evaluate("tile => tile.scrollIntoView({ block: 'center', behavior: 'instant' })")
    figure.page.evaluate(FRAMES)
    expect(last.locator("canvas")).to_be_visible()
    expect(figure.maps.nth(0).locator("canvas")).to_have_count(0)
    figure.page.mouse.move(*figure.on_map(119, 0, 0))
    figure.expect_selection(figure.patch(119, 0, 0))
    strongest = int(figure.weights["small-3"].of(figure.image(119))[0, 0].argmax())
    figure.expect_alone(strongest)
    figure.expect_shares("small-3", figure.image(119), 0, 0)


def test_of_many_images_a_few_are_whole_and_then_near_ones_again(figure):
    figure.control("Factors of").select_option(label=LATE)
    expect(figure.maps).to_have_count(10)
    expect(figure.chips).to_have_count(4)
    figure.expect_painted("small-4-late")
    figure.control("Factors of").select_option(label="all images")
    expect(figure.maps).to_have_count(120)
    expect(figure.maps.nth(0).locator("canvas")).to_have_count(1)
    figure.page.evaluate(FRAMES)
    assert figure.maps.evaluate_all(COUNT_CANVASES) < 60


def test_the_strongest_sixty_patches_may_be_tried(figure):
    cuts = figure.rows.nth(1).locator(".strip button")
    best = figure.weights["small-3"].best(1)
    assert cuts.count() == 60
    for n in (0, 3, 59):
        _, image, row, col = best[n]
        cuts.nth(n).click()
        figure.expect_selection({"image": image, "row": row, "col": col, "pinned": True})
