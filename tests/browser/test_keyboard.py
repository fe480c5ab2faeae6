"""Both figures by keyboard."""

import pytest
from playwright.sync_api import expect

FOCUSED = """() => {
    let at = document.activeElement;
    while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    const figure = at.getRootNode().host?.getAttribute('figure') ?? '';
    const again = (window.gone ??= new Set()).has(at);
    window.gone.add(at);
    return [figure, at.className, again];
}"""


@pytest.fixture(params=["gallery", "pair"])
def figure(request, tiny_figure):
    return tiny_figure(request.param)


def focus(figure, n=0):
    """Put the focus on a tile without selecting anything, and no selection anywhere."""
    figure.element.evaluate("element => element.clear()")
    figure.tiles.nth(n).focus()


def press(figure, *keys):
    for key in keys:
        figure.page.keyboard.press(key)


def tab_stops(page):
    """(figure, class) of what gets the focus, from one Tab to the next, until something has it again."""
    stops = []
    while True:
        page.keyboard.press("Tab")
        figure, name, again = page.evaluate(FOCUSED)
        if again:
            return stops
        stops.append((figure, name))


def test_the_tiles_of_a_figure_are_one_tab_stop(tiny_figure):
    stops = tab_stops(tiny_figure().page)
    for name in ("gallery", "pair"):
        of_figure = [stop for stop in stops if stop[0] == name]
        assert len([stop for stop in of_figure if "tile" in stop[1].split()]) == 1
        assert len(of_figure) > 5, f"controls are missing among {of_figure}"


def test_the_tab_stop_stays_where_the_reader_was(figure):
    focus(figure)
    press(figure, "Shift+ArrowRight")
    expect(figure.tiles.nth(1)).to_be_focused()
    press(figure, "Tab")
    expect(figure.tiles.nth(1)).not_to_be_focused()
    press(figure, "Shift+Tab")
    expect(figure.tiles.nth(1)).to_be_focused()
    assert figure.tiles.evaluate_all("tiles => tiles.filter(tile => tile.tabIndex === 0).length") == 1


def test_the_tab_stop_is_on_the_selected_image(tiny_figure):
    figure = tiny_figure()
    for image in ("cow", "bee"):
        figure.select(image, 1, 1)
        expect(figure.element.locator(".tile[tabindex='0']")).to_have_attribute("data-image", str(figure.tile_of(image)))
        assert figure.element.locator(".tile[tabindex='0']").count() == 1


def test_arrows_move_by_a_cell_from_the_middle(figure):
    focus(figure)
    rows, cols = figure.grid(0)
    row, col = rows // 2, cols // 2
    for key, down, right in (("ArrowRight", 0, 1), ("ArrowDown", 1, 0), ("ArrowLeft", 0, -1), ("ArrowUp", -1, 0)):
        press(figure, key)
        row, col = row + down, col + right
        figure.expect_selection(figure.patch(0, row, col))
        figure.expect_scores()


def test_arrows_start_from_a_selection(figure):
    focus(figure)
    figure.select(figure.image(0), 2, 3)
    press(figure, "ArrowRight")
    figure.expect_selection(figure.patch(0, 2, 4))


def test_arrows_stop_at_the_edges(figure):
    focus(figure)
    rows, cols = figure.grid(0)
    press(figure, *["ArrowUp"] * rows, *["ArrowLeft"] * cols)
    figure.expect_selection(figure.patch(0, 0, 0))
    press(figure, *["ArrowDown"] * (rows + 2), *["ArrowRight"] * (cols + 2))
    figure.expect_selection(figure.patch(0, rows - 1, cols - 1))
    expect(figure.tiles.nth(0)).to_be_focused()


def test_shift_with_an_arrow_goes_through_the_images(tiny_figure):
    figure = tiny_figure()
    focus(figure)
    figure.select(figure.image(0), 0, 0)
    for n, key in ((1, "ArrowRight"), (2, "ArrowDown"), (1, "ArrowLeft"), (2, "ArrowRight"), (3, "ArrowRight"), (3, "ArrowRight"), (2, "ArrowUp"), (1, "ArrowUp"), (0, "ArrowUp"), (0, "ArrowUp")):
        press(figure, f"Shift+{key}")
        expect(figure.tiles.nth(n)).to_be_focused()
        figure.expect_selection(figure.patch(n, 0, 0))


def test_shift_with_an_arrow_keeps_the_place_on_the_image(tiny_figure):
    figure = tiny_figure()
    (rows, cols), (new_rows, new_cols) = figure.grid(0), figure.grid(1)
    assert (rows, cols) != (new_rows, new_cols)
    focus(figure)
    figure.select(figure.image(0), rows - 1, cols - 1)
    press(figure, "Shift+ArrowRight")
    figure.expect_selection(figure.patch(1, new_rows - 1, new_cols - 1))


def test_the_right_image_of_a_pair_is_read_by_keyboard(tiny_figure):
    figure = tiny_figure("pair")
    focus(figure)
    figure.select(figure.image(0), 2, 3)
    press(figure, "Shift+ArrowRight", "ArrowDown", "ArrowRight", "Enter")
    cursor = figure.tiles.nth(1).locator(".cursor")
    expect(cursor).to_be_visible()
    assert figure.selection == figure.patch(0, 2, 3)
    rows, cols = figure.grid(1)
    row, col = int(2.5 / figure.grid(0)[0] * rows) + 1, int(3.5 / figure.grid(0)[1] * cols) + 1
    value = figure.value((0, 2, 3), 1, row, col)
    expect(cursor).to_have_text(value)
    expect(figure.tiles.nth(1)).to_have_attribute("aria-label", f"{figure.title(1)}, row {row + 1} of {rows}, column {col + 1} of {cols}, similarity {value}")


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_enter_pins_and_lets_go(figure, key):
    focus(figure)
    press(figure, "ArrowUp", "ArrowLeft")
    here = figure.selection
    press(figure, key)
    figure.expect_selection({**here, "pinned": True})
    press(figure, "ArrowDown", "ArrowDown")
    expect(figure.tiles.nth(0).locator(".cursor")).to_have_text(figure.value((0, here["row"], here["col"]), 0, here["row"] + 2, here["col"]))
    assert figure.selection == {**here, "pinned": True}
    press(figure, key)
    figure.expect_selection(figure.patch(0, here["row"] + 2, here["col"], pinned=True))
    press(figure, key)
    figure.expect_selection(figure.patch(0, here["row"] + 2, here["col"]))


def test_escape_clears(figure):
    focus(figure)
    press(figure, "ArrowUp", "Enter", "Escape")
    figure.expect_selection(None)
    assert not any(figure.drawn(1))
    expect(figure.tiles.nth(0)).to_be_focused()
    press(figure, "ArrowRight")
    assert figure.selection is not None and not figure.selection["pinned"]


def test_the_label_tells_image_patch_and_value(figure):
    focus(figure)
    rows, cols = figure.grid(0)
    figure.select(figure.image(0), 2, 3)
    press(figure, "ArrowRight")
    expect(figure.tiles.nth(0)).to_have_attribute("aria-label", f"{figure.title(0)}, row 3 of {rows}, column 5 of {cols}, similarity 1.00")
    press(figure, "Enter", "ArrowDown")
    expect(figure.tiles.nth(0)).to_have_attribute("aria-label", f"{figure.title(0)}, row 4 of {rows}, column 5 of {cols}, similarity {figure.value((0, 2, 4), 0, 3, 4)}")
    press(figure, "Escape")
    expect(figure.tiles.nth(0)).to_have_attribute("aria-label", f"{figure.title(0)}, row 4 of {rows}, column 5 of {cols}")


def test_the_focus_shows(figure):
    figure.element.get_by_role("button", name="Clear").focus()
    press(figure, "Shift+Tab")
    tile = figure.element.locator(".tile:focus")
    expect(tile).to_have_css("outline-style", "solid")
    expect(tile).to_have_css("outline-width", "3px")


def test_keys_with_other_modifiers_stay_with_the_browser(figure):
    focus(figure)
    press(figure, "ArrowUp")
    here = figure.selection
    press(figure, "Control+ArrowRight", "Alt+ArrowUp", "Control+Enter", "Meta+ArrowDown")
    assert figure.selection == here


def test_arrows_do_not_scroll_the_page(figure):
    focus(figure)
    before = figure.page.evaluate("scrollY")
    press(figure, *["ArrowDown"] * 3)
    figure.expect_selection({"image": figure.image(0)})
    assert figure.page.evaluate("scrollY") == before
