"""The figure `transforms` by keyboard, by touch and on a phone."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.browser.test_narrow import IN_VIEW, assert_nothing_sticks_out
from tests.browser.test_touch import drag
from tests.browser.versions import TURN, transforms

FOCUSED = "element => { const { activeElement } = element.shadowRoot; return activeElement && (activeElement.dataset?.image ?? activeElement.getAttribute('role')); }"


@pytest.fixture
def figure(transforms):
    return transforms().ready()


@pytest.fixture
def phone(transforms):
    return transforms(**PHONE).ready()


def index(figure, image):
    return str([one.id for one in figure.bundle.images].index(image))


def test_all_tiles_are_one_tab_stop_and_the_chart_is_another(figure):
    assert figure.element.locator(".tile[tabindex='0']").count() == 1
    stops = figure.element.evaluate("element => [...element.shadowRoot.querySelectorAll('.transforms [tabindex=\"0\"]')].map((one) => one.getAttribute('class'))")
    assert len(stops) == 2 and "plot" in stops
    figure.select("wide@turn-90", 2, 3)
    expect(figure.tiles.nth(figure.tile_of("wide@turn-90"))).to_have_attribute("tabindex", "0")


def test_arrows_move_the_patch_and_with_shift_the_version(figure):
    figure.tiles.nth(0).focus()
    figure.page.keyboard.press("ArrowRight")
    figure.expect_selection({"image": "wide", "row": 4, "col": 7})
    figure.page.keyboard.press("Shift+ArrowRight")
    figure.expect_selection({"image": "wide@turn-45", "row": 4, "col": 7})
    assert figure.element.evaluate(FOCUSED) == index(figure, "wide@turn-45")
    figure.page.keyboard.press("ArrowUp")
    figure.page.keyboard.press("Enter")
    figure.expect_selection({"image": "wide@turn-45", "row": 3, "col": 7, "pinned": True})
    figure.expect_outlines("wide@turn-45", 3, 7)
    expect(figure.tiles.nth(1)).to_have_attribute("aria-label", "45°, Title of wide@turn-45 (Blocks of colour, 3), row 4 of 8, column 8 of 12, similarity 1.00")
    figure.page.keyboard.press("Escape")
    figure.expect_selection(None)


def test_shift_with_an_arrow_stays_in_the_wall(figure):
    last = figure.tiles.count() - 1
    figure.tiles.nth(last).focus()
    figure.page.keyboard.press("Shift+ArrowRight")
    assert figure.element.evaluate(FOCUSED) == index(figure, "wide@turn-315")
    figure.source.focus()
    figure.page.keyboard.press("Shift+ArrowRight")
    figure.expect_selection({"image": "wide@turn-45", "row": 4, "col": 6})
    assert figure.element.evaluate(FOCUSED) == index(figure, "wide@turn-45")


def test_arrows_move_along_the_chart_and_around(figure):
    figure.plot.focus()
    for key, label, step in (("ArrowRight", "135°", 3), ("Home", "0°", 0), ("ArrowLeft", "315°", 7), ("ArrowUp", "360°", 0), ("ArrowRight", "45°", 1), ("End", "360°", 0), ("ArrowDown", "315°", 7)):
        figure.page.keyboard.press(key)
        figure.expect_values(label, "wide", 4, 6, figure.steps()[step])
    expect(figure.plot).to_have_attribute("aria-valuenow", "7")
    expect(figure.plot).to_have_attribute("aria-valuemax", "8")
    assert figure.selection["image"] == "wide"


def test_a_series_that_does_not_wrap_ends(figure):
    figure.control("Series").select_option(label="Shift")
    figure.plot.focus()
    for key, label, image in (("End", "+60 %", "wide@slide-60"), ("ArrowRight", "+60 %", "wide@slide-60"), ("Home", "-60 %", "wide@slide--60"), ("ArrowLeft", "-60 %", "wide@slide--60")):
        figure.page.keyboard.press(key)
        figure.expect_values(label, "wide", 4, 6, image)


def test_the_stage_and_the_chart_are_on_one_screen_and_stay(phone):
    assert_nothing_sticks_out(phone.page)
    phone.tap(0, 3, 4)
    phone.expect_selection({"image": "wide", "row": 3, "col": 4})
    parts = (phone.source, phone.compared, phone.plot)
    left, right = phone.source.bounding_box(), phone.compared.bounding_box()
    assert left["x"] + left["width"] <= right["x"] and abs(left["y"] - right["y"]) < 1
    for n in (3, 5, 7):
        phone.tiles.nth(n).evaluate("tile => tile.scrollIntoView({ block: 'center', behavior: 'instant' })")
        assert all(part.evaluate(IN_VIEW) for part in parts)
    covered = "([plot, y]) => { const root = plot.getRootNode(), box = plot.getBoundingClientRect(); return plot.contains(root.elementFromPoint(box.left + box.width / 2, box.top + y)); }"
    assert phone.page.evaluate(covered, [phone.plot.element_handle(), 60])


def test_tall_images_leave_room_too(phone):
    phone.control("Image").select_option(label="Title of tall")
    phone.tiles.nth(7).evaluate("tile => tile.scrollIntoView({ block: 'center', behavior: 'instant' })")
    assert all(part.evaluate(IN_VIEW) for part in (phone.source, phone.compared, phone.plot))
    assert phone.plot.bounding_box()["y"] + phone.plot.bounding_box()["height"] < 500
    assert_nothing_sticks_out(phone.page)


def test_a_tap_selects_and_a_second_one_pins(phone):
    phone.tap(phone.tile_of("wide@turn-45"), 3, 4)
    phone.expect_selection({"image": "wide@turn-45", "row": 3, "col": 4, "pinned": False})
    phone.expect_outlines("wide@turn-45", 3, 4)
    phone.tap(phone.tile_of("wide@turn-45"), 3, 4)
    phone.expect_selection({"image": "wide@turn-45", "row": 3, "col": 4, "pinned": True})
    phone.tap(phone.tile_of("wide@turn-225"), 2, 2)
    expect(phone.compared).to_have_attribute("data-image", index(phone, "wide@turn-225"))
    assert phone.selection["image"] == "wide@turn-45"


def test_the_large_tile_is_scrubbed(phone):
    phone.select("wide@turn-45", 1, 1)
    phone.source.evaluate("tile => tile.scrollIntoView({ block: 'center', behavior: 'instant' })")
    box = phone.source.bounding_box()
    at = lambda row, col: (box["x"] + (col + 0.5) / 12 * box["width"], box["y"] + (row + 0.5) / 8 * box["height"])  # noqa: E731
    drag(phone.page, at(1, 1), at(6, 9))
    phone.expect_selection({"image": "wide@turn-45", "row": 6, "col": 9})
    phone.expect_outlines("wide@turn-45", 6, 9)


def test_a_drag_along_the_chart_picks_steps_and_the_page_stays(phone):
    phone.plot.evaluate("plot => plot.scrollIntoView({ block: 'center', behavior: 'instant' })")
    selected, before = phone.selection, phone.page.evaluate("scrollY")
    drag(phone.page, phone.place(1), phone.place(6))
    phone.expect_values("270°", "wide", 4, 6, "wide@turn-270")
    assert phone.selection == selected and phone.page.evaluate("scrollY") == before
    phone.page.touchscreen.tap(*phone.place(4))
    phone.expect_values("180°", "wide", 4, 6, "wide@turn-180")


def test_a_swipe_up_over_the_chart_scrolls(phone):
    x, y = phone.place(4)
    before = phone.page.evaluate("scrollY")
    drag(phone.page, (x, y), (x, y - 200))
    phone.page.wait_for_function("before => scrollY > before + 50", arg=before)


@pytest.mark.parametrize("options", [PHONE, {}], ids=["phone", "desk"])
def test_labels_of_the_axis_do_not_touch(transforms, options):
    plot = transforms(**options).ready().plot
    boxes = sorted((text.bounding_box() for text in plot.locator("g g text[text-anchor=middle]").all()), key=lambda box: (round(box["y"]), box["x"]))
    assert len(boxes) >= 4
    for a, b in zip(boxes, boxes[1:], strict=False):
        assert a["y"] + 5 < b["y"] or a["x"] + a["width"] < b["x"]


def test_what_is_tapped_is_large_enough(phone):
    assert min(phone.plot.bounding_box()["height"], phone.element.locator("summary").bounding_box()["height"]) >= 24
    for tile in phone.tiles.all():
        assert min(tile.bounding_box()["width"], tile.bounding_box()["height"]) >= 48
    assert len(TURN.steps) == phone.tiles.count()
