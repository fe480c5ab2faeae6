"""Both figures by mouse."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Figure


@pytest.fixture(params=["gallery", "pair"])
def figure(request, tiny_figure):
    return tiny_figure(request.param)


def test_hovering_selects_and_draws(figure):
    figure.hover(0, 3, 4)
    figure.expect_selection(figure.patch(0, 3, 4))
    first = figure.drawn(1)
    assert any(first)
    figure.expect_scores()
    figure.hover(0, 7, 9)
    figure.expect_selection(figure.patch(0, 7, 9))
    assert any(figure.drawn(1)) and figure.drawn(1) != first
    figure.expect_scores()


def test_every_corner_of_an_image_is_a_patch(figure):
    rows, cols = figure.grid(0)
    for row, col in ((0, 0), (0, cols - 1), (rows - 1, 0), (rows - 1, cols - 1)):
        figure.hover(0, row, col)
        figure.expect_selection(figure.patch(0, row, col))


def test_the_selected_patch_is_framed_where_it_is(figure):
    figure.hover(0, 3, 4)
    figure.expect_selection(figure.patch(0, 3, 4))
    mark = figure.tiles.nth(0).locator(".selected")
    expect(mark).to_be_visible()
    box, tile = mark.bounding_box(), figure.tiles.nth(0).bounding_box()
    rows, cols = figure.grid(0)
    assert (box["x"] + box["width"] / 2 - tile["x"]) / tile["width"] == pytest.approx(4.5 / cols, abs=0.005)
    assert (box["y"] + box["height"] / 2 - tile["y"]) / tile["height"] == pytest.approx(3.5 / rows, abs=0.005)
    expect(figure.tiles.nth(1).locator(".selected")).to_be_hidden()


def test_the_best_match_elsewhere_is_framed_with_its_value(figure):
    figure.hover(0, 3, 4)
    figure.expect_selection(figure.patch(0, 3, 4))
    scores = figure.bundle.similarity(figure.image(0), figure.layer, 3, 4)[figure.image(1)]
    row, col = divmod(int(scores.argmax()), scores.shape[1])
    mark = figure.tiles.nth(1).locator(".best")
    expect(mark).to_have_text(figure.value((0, 3, 4), 1, row, col))
    box, tile = mark.bounding_box(), figure.tiles.nth(1).bounding_box()
    assert (box["x"] + box["width"] / 2 - tile["x"]) / tile["width"] == pytest.approx((col + 0.5) / scores.shape[1], abs=0.005)
    assert (box["y"] + box["height"] / 2 - tile["y"]) / tile["height"] == pytest.approx((row + 0.5) / scores.shape[0], abs=0.005)
    expect(figure.tiles.nth(0).locator(".best")).to_be_hidden()


def test_a_click_pins_and_hovering_then_reads_values(figure):
    figure.click(0, 3, 4)
    pinned = figure.patch(0, 3, 4, pinned=True)
    figure.expect_selection(pinned)
    for n, row, col in ((1, 2, 5), (1, 6, 3), (0, 1, 1)):
        figure.hover(n, row, col)
        expect(figure.tiles.nth(n).locator(".cursor")).to_have_text(figure.value((0, 3, 4), n, row, col))
        expect(figure.element.locator(".readout .text")).to_contain_text(f"(pinned) → {figure.title(n)}: {figure.value((0, 3, 4), n, row, col)}")
        assert figure.selection == pinned


def test_a_second_click_lets_go(figure):
    figure.click(0, 3, 4)
    figure.expect_selection(figure.patch(0, 3, 4, pinned=True))
    figure.click(0, 3, 4)
    figure.expect_selection(figure.patch(0, 3, 4))
    figure.hover(0, 5, 5)
    figure.expect_selection(figure.patch(0, 5, 5))


def test_a_click_elsewhere_moves_the_pin(figure):
    figure.click(0, 3, 4)
    figure.expect_selection(figure.patch(0, 3, 4, pinned=True))
    figure.click(0, 6, 2)
    figure.expect_selection(figure.patch(0, 6, 2, pinned=True))
    figure.expect_scores()


@pytest.mark.parametrize("press", ["hover", "click"])
def test_leaving_keeps_the_selection(figure, press):
    getattr(figure, press)(0, 3, 4)
    wanted = figure.patch(0, 3, 4, pinned=press == "click")
    figure.expect_selection(wanted)
    figure.page.mouse.move(2, 450)
    expect(figure.element.locator(".legend i")).to_be_hidden()
    assert figure.selection == wanted
    assert any(figure.drawn(1))


def test_escape_clears_though_the_focus_is_elsewhere(figure):
    figure.click(0, 3, 4)
    figure.expect_selection(figure.patch(0, 3, 4, pinned=True))
    figure.tiles.nth(0).evaluate("tile => tile.blur()")
    figure.page.keyboard.press("Escape")
    figure.expect_selection(None)


def test_clear_lets_go_of_everything(figure):
    figure.click(0, 3, 4)
    figure.expect_selection(figure.patch(0, 3, 4, pinned=True))
    button = figure.element.get_by_role("button", name="Clear")
    button.click()
    figure.expect_selection(None)
    expect(button).to_be_hidden()
    assert not any(figure.drawn(1))
    assert figure.scores(figure.image(1)) is None
    expect(figure.element.locator(".selected, .best, .cursor").filter(visible=True)).to_have_count(0)


def test_a_patch_of_any_image_of_the_gallery_lights_up_the_others(default_site, bundle, serve, open_page):
    figure = Figure(open_page(serve(default_site)), bundle, "[figure=gallery]").ready()
    for n in range(len(bundle.images)):
        figure.hover(n, 2, 3)
        figure.expect_selection(figure.patch(n, 2, 3))
        assert sum(any(figure.drawn(other)) for other in range(len(bundle.images))) > 5
    figure.expect_scores()


def test_the_right_image_of_a_pair_is_only_read(tiny_figure):
    figure = tiny_figure("pair")
    figure.click(0, 3, 4)
    wanted = figure.patch(0, 3, 4, pinned=True)
    figure.expect_selection(wanted)
    figure.click(1, 5, 5)
    expect(figure.tiles.nth(1).locator(".cursor")).to_have_text(figure.value((0, 3, 4), 1, 5, 5))
    assert figure.selection == wanted
    assert not any(figure.drawn(0)) and any(figure.drawn(1))


def test_the_pickers_of_a_pair(tiny_figure):
    figure = tiny_figure("pair")
    figure.control("Select on").select_option("dog")
    figure.control("compare with").select_option("dog")
    assert [figure.image(0), figure.image(1)] == ["dog", "dog"]
    figure.expect_selection(None)
    figure.click(0, 4, 6)
    figure.expect_selection(figure.patch(0, 4, 6, pinned=True))
    figure.hover(1, 4, 6)
    expect(figure.tiles.nth(1).locator(".cursor")).to_have_text("1.00")
    figure.control("compare with").select_option("bee")
    assert figure.image(1) == "bee"
    assert figure.selection == figure.patch(0, 4, 6, pinned=True)
    figure.expect_scores()
    assert any(figure.drawn(1))
