"""The figure `layers` by keyboard, by touch and on a phone."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.browser.test_keyboard import focus, press, tab_stops
from tests.browser.test_narrow import assert_nothing_sticks_out
from tests.browser.test_touch import COUNT, TOUCH, counted, drag

TAB_STOP = "tiles => tiles.map((tile, n) => tile.tabIndex === 0 ? n : -1).filter((n) => n >= 0)"


@pytest.fixture
def figure(panels):
    return panels().ready()


@pytest.fixture
def touched(panels):
    return panels(init=COUNT, **TOUCH).ready()


@pytest.fixture
def phone(panels):
    return panels(**PHONE).ready()


def test_the_panels_are_one_tab_stop(figure):
    stops = [name for of, name in tab_stops(figure.page) if of == "layers"]
    assert len([name for name in stops if "tile" in name.split()]) == 1
    assert len(stops) > 5, f"controls are missing among {stops}"


def test_the_tab_stop_is_on_the_panel_last_selected_on(figure):
    for n in (1, 0, 2):
        figure.select("wide", 1, 1, layer=figure.layers[n])
        assert figure.tiles.evaluate_all(TAB_STOP) == [n]


def test_the_tab_stop_stays_where_the_reader_was(figure):
    focus(figure, 2)
    press(figure, "Shift+ArrowLeft", "Tab")
    expect(figure.tiles.nth(1)).not_to_be_focused()
    press(figure, "Shift+Tab")
    expect(figure.tiles.nth(1)).to_be_focused()


@pytest.mark.parametrize("n", range(3))
def test_arrows_move_by_a_cell_of_the_focused_panel(figure, n):
    focus(figure, n)
    row, col = (count // 2 for count in figure.grid(n))
    for key, down, right in (("ArrowRight", 0, 1), ("ArrowDown", 1, 0), ("ArrowLeft", 0, -1), ("ArrowUp", -1, 0)):
        press(figure, key)
        row, col = row + down, col + right
        figure.expect_selection(figure.patch(n, row, col))
        figure.expect_in_step()
        figure.expect_scores()


def test_shift_with_an_arrow_goes_through_the_panels_and_keeps_the_place(figure):
    focus(figure)
    rows, cols = figure.grid(0)
    figure.select(figure.image(0), rows - 1, cols - 1, layer="fine")
    for n, key in ((1, "ArrowRight"), (2, "ArrowDown"), (2, "ArrowRight"), (1, "ArrowUp"), (0, "ArrowLeft"), (0, "ArrowLeft")):
        before = figure.selection
        press(figure, f"Shift+{key}")
        expect(figure.tiles.nth(n)).to_be_focused()
        row, col = figure.counterpart(figure.layers.index(before["layer"]), before["row"], before["col"], n)
        figure.expect_selection(figure.patch(n, row, col))
        figure.expect_in_step()


def test_enter_pins_and_arrows_then_read_on_any_panel(figure):
    focus(figure, 2)
    press(figure, "ArrowUp", "ArrowLeft")
    here = figure.selection
    press(figure, "Enter")
    figure.expect_selection({**here, "pinned": True})
    press(figure, "Shift+ArrowLeft", "Shift+ArrowLeft")
    expect(figure.tiles.nth(0)).to_be_focused()
    row, col = figure.counterpart(1, *figure.counterpart(2, here["row"], here["col"], 1), 0)
    for _ in range(3):
        press(figure, "ArrowDown")
        row += 1
        figure.expect_cursor(0, row, col)
        assert figure.selection == {**here, "pinned": True}
    press(figure, "Enter")
    figure.expect_selection(figure.patch(0, row, col, pinned=True))
    press(figure, "Escape")
    figure.expect_selection(None)
    expect(figure.tiles.nth(0)).to_be_focused()


def test_a_tap_selects_and_a_second_one_pins(touched):
    touched.tap(1, 2, 1)
    touched.expect_selection(touched.patch(1, 2, 1))
    touched.expect_in_step()
    touched.expect_scores()
    touched.tap(1, 2, 1)
    touched.expect_selection(touched.patch(1, 2, 1, pinned=True))
    touched.tap(1, 2, 1)
    touched.expect_selection(touched.patch(1, 2, 1))


def test_the_first_tap_on_another_panel_selects_there_and_does_not_pin(touched):
    touched.tap(0, 6, 4)
    touched.expect_selection(touched.patch(0, 6, 4))
    row, col = touched.selected(2)
    touched.tap(2, row, col)
    touched.expect_selection(touched.patch(2, row, col))
    touched.tap(2, row, col)
    touched.expect_selection(touched.patch(2, row, col, pinned=True))


def test_a_tap_on_another_panel_while_pinned_reads_and_a_second_one_moves_the_pin(touched):
    touched.tap(0, 6, 4)
    touched.tap(0, 6, 4)
    pinned = touched.patch(0, 6, 4, pinned=True)
    touched.expect_selection(pinned)
    touched.tap(2, 0, 1)
    touched.expect_cursor(2, 0, 1)
    assert touched.selection == pinned
    touched.tap(2, 0, 1)
    touched.expect_selection(touched.patch(2, 0, 1, pinned=True))


def test_a_drag_on_the_panel_selected_on_scrubs(touched):
    touched.tap(0, 1, 1)
    touched.expect_selection(touched.patch(0, 1, 1))
    start, end = touched.at(0, 1, 1), touched.at(0, 9, 5, scroll=False)
    before = touched.page.evaluate("scrollY")
    drag(touched.page, start, end)
    touched.expect_selection(touched.patch(0, 9, 5))
    touched.expect_in_step()
    assert touched.page.evaluate("scrollY") == before
    assert counted(touched.page, "pointercancel") == 0


def test_a_drag_on_another_panel_scrolls(touched):
    touched.tap(0, 1, 1)
    touched.expect_selection(touched.patch(0, 1, 1))
    x, y = touched.at(1, 2, 2)
    before = touched.page.evaluate("scrollY")
    drag(touched.page, (x, y), (x, y - 250))
    touched.page.wait_for_function("before => scrollY > before + 50", arg=before)
    assert touched.selection == touched.patch(0, 1, 1)
    assert counted(touched.page, "pointercancel") == 1


def test_on_a_phone_two_panels_stand_side_by_side(phone):
    assert_nothing_sticks_out(phone.page)
    phone.element.get_by_role("button", name="Display").tap()
    assert_nothing_sticks_out(phone.page)
    boxes = [phone.panels.nth(n).bounding_box() for n in range(3)]
    assert boxes[0]["y"] == boxes[1]["y"] < boxes[2]["y"] and boxes[0]["x"] == boxes[2]["x"] < boxes[1]["x"]
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    for n in range(3):
        assert min(phone.tiles.nth(n).bounding_box()[side] for side in ("width", "height")) >= 90
    for control in phone.element.locator("select, .toggle, .clear").filter(visible=True).all():
        assert control.bounding_box()["height"] >= 24


def test_on_a_phone_by_tap(phone):
    for n in range(3):
        phone.tap(n, 1, 2)
        phone.expect_selection(phone.patch(n, 1, 2))
        phone.expect_in_step()
        phone.expect_scores()
    phone.element.get_by_role("button", name="Clear").tap()
    phone.expect_selection(None)
