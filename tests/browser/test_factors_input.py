"""The figure `factors` by keyboard and by touch, and where there is little room."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE


@pytest.fixture
def figure(factored):
    return factored().ready()


@pytest.fixture
def phone(factored):
    return factored(**PHONE).ready()


def test_one_tab_stop_for_all_tiles_and_arrows_by_cell(figure):
    every = figure.element.locator(".tile")
    assert every.evaluate_all("tiles => tiles.filter((tile) => tile.tabIndex === 0).length") == 1
    figure.select("tall", 2, 1)
    figure.tiles.nth(1).focus()
    figure.page.keyboard.press("ArrowDown")
    figure.expect_selection(figure.patch(1, 3, 1))
    figure.page.keyboard.press("Shift+ArrowRight")
    expect(figure.maps.nth(1)).to_be_focused()
    strongest = int(figure.weights["deep-3"].of("tall")[3, 1].argmax())
    figure.expect_alone(strongest)
    figure.page.keyboard.press("ArrowRight")
    figure.expect_selection(figure.patch(1, 3, 2))
    figure.expect_painted("deep-3", int(figure.weights["deep-3"].of("tall")[3, 2].argmax()))
    figure.page.keyboard.press("Shift+ArrowRight")
    expect(figure.tiles.nth(2)).to_be_focused()
    figure.expect_alone(None)
    figure.page.keyboard.press("Enter")
    assert figure.selection["pinned"] and figure.selection["image"] == "square"


def test_chips_by_keyboard(figure):
    figure.element.locator(".controls select, .controls input").last.focus()
    figure.page.keyboard.press("Tab")
    expect(figure.chips.nth(0)).to_be_focused()
    figure.expect_alone(0)
    figure.page.keyboard.press("Enter")
    assert figure.held() == ["true", "false", "false"]
    figure.expect_painted("deep-3", 0)
    figure.page.keyboard.press("Escape")
    assert figure.held() == ["false"] * 3
    figure.expect_painted("deep-3")


def test_patches_to_try_by_keyboard(figure):
    best = figure.weights["deep-3"].best(1)
    figure.chips.nth(1).focus()
    figure.page.keyboard.press("Tab")
    cuts = figure.rows.nth(1).locator(".strip button")
    expect(cuts.nth(0)).to_be_focused()
    figure.expect_alone(1)
    figure.page.keyboard.press("ArrowRight")
    expect(cuts.nth(1)).to_be_focused()
    figure.page.keyboard.press("Enter")
    figure.expect_selection({"image": best[1][1], "row": best[1][2], "col": best[1][3], "pinned": True})
    figure.page.keyboard.press("Tab")
    expect(figure.chips.nth(2)).to_be_focused()


def test_the_focus_leaves_a_map_and_all_factors_are_back(figure):
    figure.maps.nth(0).focus()
    figure.page.keyboard.press("ArrowRight")
    expect(figure.element.locator(".chip.alone")).to_have_count(1)
    figure.element.get_by_role("button", name="Clear").focus()
    figure.expect_alone(None)
    figure.expect_painted("deep-3")


def test_columns_and_the_focus_stay_while_other_factors_come(figure):
    figure.maps.nth(1).focus()
    columns = figure.element.locator(".column")
    before = [column.element_handle() for column in columns.all()]
    figure.element.evaluate("element => { element.layer = 'fine'; }")
    expect(figure.chips).to_have_count(4)
    figure.expect_painted("fine-4")
    assert all(column.evaluate("(now, before) => now === before", handle) for column, handle in zip(columns.all(), before, strict=True))
    expect(figure.maps.nth(1)).to_be_focused()


def test_a_tap_selects_and_on_a_map_shows_the_strongest_factor(phone):
    phone.tap(1, 3, 2)
    phone.expect_selection(phone.patch(1, 3, 2))
    phone.expect_alone(None)
    phone.page.touchscreen.tap(*phone.on_map(0, 1, 4))
    phone.expect_selection(phone.patch(0, 1, 4))
    phone.expect_painted("deep-3", int(phone.weights["deep-3"].of("wide")[1, 4].argmax()))
    phone.expect_shares("deep-3", "wide", 1, 4)
    phone.tap(0, 1, 4)
    phone.expect_alone(None)


def test_a_tap_on_a_chip_holds_it_until_the_next(phone):
    phone.chips.nth(2).tap()
    assert phone.held() == ["false", "false", "true"]
    phone.expect_painted("deep-3", 2)
    phone.chips.nth(2).tap()
    assert phone.held() == ["false"] * 3
    phone.expect_painted("deep-3")


def test_on_a_phone_both_views_of_the_selected_image_stay_in_view(phone):
    wall = phone.element.locator(".gallery")
    # Many rows: the last column's own place is far below.
    wall.evaluate("wall => { wall.style.minHeight = '3000px'; }")
    place, (_, image, row, col) = next((place, match) for place, match in enumerate(phone.weights["deep-3"].best(0)) if match[1] == "strip")
    phone.element.locator(".factors").evaluate("legend => scrollTo({ top: scrollY + legend.getBoundingClientRect().top, behavior: 'instant' })")
    phone.rows.nth(0).locator(".strip button").nth(place).tap()
    phone.expect_selection({"image": image, "row": row, "col": col, "pinned": True})
    n = phone.tile_of(image)
    expect_in_view(phone, n)
    for to in (0, 900, 1900):
        wall.evaluate("(wall, to) => scrollTo({ top: scrollY + wall.getBoundingClientRect().top + to, behavior: 'instant' })", to)
        expect_in_view(phone, n)
    expect(phone.element.locator(".column.source")).to_have_count(1)


def expect_in_view(phone, n):
    """Both views of the image at that place are on the screen."""
    for tile in (phone.tiles.nth(n), phone.maps.nth(n)):
        box = tile.bounding_box()
        assert 0 <= box["y"] and box["y"] + box["height"] < 844


def test_a_phone_needs_no_sideways_scrolling(phone):
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    for chip in phone.chips.all():
        assert chip.bounding_box()["height"] >= 36
    expect(phone.chips.nth(0)).to_have_text(re.compile("factor 1"))
