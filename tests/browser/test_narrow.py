"""A phone: 390 px wide, touch only."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Figure
from tests.browser.test_touch import drag

IN_VIEW = "tile => { const { top, bottom } = tile.getBoundingClientRect(); return top >= 0 && bottom <= innerHeight; }"


@pytest.fixture
def page(default_site, serve, open_page):
    return open_page(serve(default_site), **PHONE)


@pytest.fixture
def gallery(page, bundle):
    return Figure(page, bundle, "[figure=gallery]").ready()


@pytest.fixture
def pair(page, bundle):
    return Figure(page, bundle, "[figure=pair]").ready()


def assert_nothing_sticks_out(page):
    assert page.evaluate("document.scrollingElement.scrollWidth") == 390
    assert page.evaluate("() => { scrollTo(50, scrollY); return scrollX; }") == 0
    outside = page.evaluate("""() => [...document.querySelectorAll('similarity-overlay')].flatMap((element) => [...element.shadowRoot.querySelectorAll('.figure *')]
        .filter((one) => !one.closest('.tile *, .closest *, .cut *') && one.checkVisibility({ visibilityProperty: true }) && !one.closest('legend, option'))
        .filter((one) => { const { left, right, width } = one.getBoundingClientRect(); return width && (left < 0 || right > 390); }).map((one) => one.outerHTML.slice(0, 120)))""")
    assert outside == []


def test_nothing_scrolls_sideways(gallery, pair):
    assert_nothing_sticks_out(gallery.page)
    for figure in (gallery, pair):
        figure.element.get_by_role("button", name="Display").tap()
    assert_nothing_sticks_out(gallery.page)


def test_the_selected_image_stays_in_view_while_the_others_scroll(gallery):
    gallery.tap(2, 3, 4)
    gallery.expect_selection(gallery.patch(2, 3, 4))
    tile = gallery.tiles.nth(2)
    start = gallery.page.evaluate("scrollY")
    for n in (5, 8, 11):
        gallery.tiles.nth(n).evaluate("tile => tile.scrollIntoView({ block: 'center', behavior: 'instant' })")
        assert tile.evaluate(IN_VIEW)
    assert gallery.page.evaluate("scrollY") > start + 300
    assert tile.evaluate("tile => document.querySelector('[figure=gallery]').shadowRoot.elementFromPoint(tile.getBoundingClientRect().left + 20, tile.getBoundingClientRect().top + 20) === tile")


def test_the_selected_image_stays_in_view_while_scrolling_up(gallery):
    gallery.tap(11, 3, 4)
    gallery.expect_selection(gallery.patch(11, 3, 4))
    for n in (8, 5, 3):
        gallery.tiles.nth(n).evaluate("tile => tile.scrollIntoView({ block: 'center', behavior: 'instant' })")
        assert gallery.tiles.nth(11).evaluate(IN_VIEW)


def test_it_can_be_scrubbed_from_there(gallery):
    gallery.tap(2, 1, 1)
    gallery.expect_selection(gallery.patch(2, 1, 1))
    gallery.tiles.nth(8).evaluate("tile => tile.scrollIntoView({ block: 'center', behavior: 'instant' })")
    before = gallery.page.evaluate("scrollY")
    drag(gallery.page, gallery.at(2, 2, 2, scroll=False), gallery.at(2, 6, 9, scroll=False))
    gallery.expect_selection(gallery.patch(2, 6, 9))
    assert gallery.page.evaluate("scrollY") == before


def test_display_opens_and_closes_the_settings(gallery):
    button, settings = gallery.element.get_by_role("button", name="Display"), gallery.control("Overlay")
    expect(settings).to_be_hidden()
    expect(button).to_have_attribute("aria-expanded", "false")
    button.tap()
    expect(button).to_have_attribute("aria-expanded", "true")
    before = gallery.drawn(0)
    settings.select_option("spotlight")
    assert gallery.drawn(0) != before
    button.tap()
    expect(settings).to_be_hidden()


def test_what_is_tapped_is_large_enough(gallery, pair):
    """At least 24 CSS pixels each way (WCAG 2.2, 2.5.8)."""
    for figure in (gallery, pair):
        figure.element.get_by_role("button", name="Display").tap()
        expect(figure.control("Overlay")).to_be_visible()
        for control in figure.element.locator(".layers label, .toggle, .clear, select, label:has(input)").filter(visible=True).all():
            box = control.bounding_box()
            assert box["width"] >= 24 and box["height"] >= 24, control.evaluate("one => one.outerHTML")
        for tile in figure.tiles.all():
            assert min(tile.bounding_box()["width"], tile.bounding_box()["height"]) >= 90


def test_both_figures_by_tap(gallery, pair):
    for figure in (gallery, pair):
        figure.tap(0, 3, 4)
        figure.expect_selection(figure.patch(0, 3, 4))
        figure.tap(0, 3, 4)
        figure.expect_selection(figure.patch(0, 3, 4, pinned=True))
        figure.expect_scores()
        figure.element.get_by_role("button", name="Clear").tap()
        figure.expect_selection(None)


def test_a_swipe_over_the_images_scrolls(gallery):
    before, selected = gallery.page.evaluate("scrollY"), gallery.selection
    x, y = gallery.at(gallery.tile_of("bricks"), 3, 3)
    before = gallery.page.evaluate("scrollY")
    drag(gallery.page, (x, y), (x, y - 250))
    gallery.page.wait_for_function("before => scrollY > before + 50", arg=before)
    assert gallery.selection == selected


def test_the_pair_stands_side_by_side(pair):
    left, right = (pair.tiles.nth(n).bounding_box() for n in (0, 1))
    assert left["x"] + left["width"] <= right["x"] and right["x"] + right["width"] <= 390
