"""Both figures by touch."""

import pytest
from playwright.sync_api import expect

TOUCH = {"viewport": {"width": 800, "height": 900}, "has_touch": True, "is_mobile": True}
COUNT = "window.counted = {}; for (const type of ['pointercancel', 'pointermove']) addEventListener(type, (event) => { if (event.pointerType === 'touch') counted[type] = (counted[type] ?? 0) + 1; }, true);"


@pytest.fixture(params=["gallery", "pair"])
def figure(request, tiny_figure):
    return tiny_figure(request.param, init=COUNT, **TOUCH)


def drag(page, start, end, steps=8):
    """Put a finger down, move it, and lift it."""
    session = page.context.new_cdp_session(page)

    def send(type, points):
        session.send("Input.dispatchTouchEvent", {"type": type, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    send("touchStart", [start])
    for i in range(1, steps + 1):
        send("touchMove", [tuple(a + (b - a) * i / steps for a, b in zip(start, end, strict=True))])
    send("touchEnd", [])
    session.detach()


def counted(page, type):
    return page.evaluate("type => counted[type] ?? 0", type)


def test_a_tap_selects_and_a_second_one_pins(figure):
    figure.tap(0, 3, 4)
    figure.expect_selection(figure.patch(0, 3, 4))
    figure.expect_scores()
    assert any(figure.drawn(1))
    figure.tap(0, 3, 4)
    figure.expect_selection(figure.patch(0, 3, 4, pinned=True))
    figure.tap(0, 3, 4)
    figure.expect_selection(figure.patch(0, 3, 4))


def test_a_tap_elsewhere_selects_there(figure):
    figure.tap(0, 3, 4)
    figure.expect_selection(figure.patch(0, 3, 4))
    figure.tap(0, 6, 2)
    figure.expect_selection(figure.patch(0, 6, 2))


def test_a_tap_while_pinned_reads_and_a_second_one_moves_the_pin(figure):
    figure.tap(0, 3, 4)
    figure.tap(0, 3, 4)
    figure.expect_selection(figure.patch(0, 3, 4, pinned=True))
    figure.tap(1, 2, 5)
    expect(figure.tiles.nth(1).locator(".cursor")).to_have_text(figure.value((0, 3, 4), 1, 2, 5))
    assert figure.selection == figure.patch(0, 3, 4, pinned=True)
    figure.tap(0, 6, 2)
    expect(figure.tiles.nth(0).locator(".cursor")).to_have_text(figure.value((0, 3, 4), 0, 6, 2))
    assert figure.selection == figure.patch(0, 3, 4, pinned=True)
    figure.tap(0, 6, 2)
    figure.expect_selection(figure.patch(0, 6, 2, pinned=True))


def test_a_drag_on_the_selected_image_scrubs_and_the_page_stays(figure):
    figure.tap(0, 1, 1)
    figure.expect_selection(figure.patch(0, 1, 1))
    start, end = figure.at(0, 1, 1), figure.at(0, 6, 7, scroll=False)
    before = figure.page.evaluate("scrollY")
    drag(figure.page, start, end)
    figure.expect_selection(figure.patch(0, 6, 7))
    figure.expect_scores()
    assert figure.page.evaluate("scrollY") == before
    assert counted(figure.page, "pointercancel") == 0 and counted(figure.page, "pointermove") > 2


def test_scrubbing_stays_on_the_image_it_began_on(figure):
    figure.tap(0, 1, 1)
    figure.expect_selection(figure.patch(0, 1, 1))
    start = figure.at(0, 1, 1)
    drag(figure.page, start, (start[0] + 5, 890))
    rows, _ = figure.grid(0)
    figure.expect_selection({"image": figure.image(0), "row": rows - 1})


def test_scrubbing_while_pinned_reads_values(figure):
    figure.tap(0, 1, 1)
    figure.tap(0, 1, 1)
    pinned = figure.patch(0, 1, 1, pinned=True)
    figure.expect_selection(pinned)
    drag(figure.page, figure.at(0, 1, 1), figure.at(0, 5, 6, scroll=False))
    expect(figure.tiles.nth(0).locator(".cursor")).to_have_text(figure.value((0, 1, 1), 0, 5, 6))
    assert figure.selection == pinned


def test_a_drag_on_another_image_scrolls_and_selects_nothing(figure):
    figure.tap(0, 1, 1)
    figure.expect_selection(figure.patch(0, 1, 1))
    x, y = figure.at(1, 3, 3)
    before = figure.page.evaluate("scrollY")
    drag(figure.page, (x, y), (x, y - 250))
    figure.page.wait_for_function("before => scrollY > before + 50", arg=before)
    assert figure.selection == figure.patch(0, 1, 1)
    assert counted(figure.page, "pointercancel") == 1


def test_a_drag_scrolls_where_nothing_is_selected(figure):
    figure.element.evaluate("element => element.clear()")
    x, y = figure.at(0, 3, 3)
    before = figure.page.evaluate("scrollY")
    drag(figure.page, (x, y), (x, y - 250))
    figure.page.wait_for_function("before => scrollY > before + 50", arg=before)
    assert figure.selection is None


def test_a_mouse_after_a_finger_points_where_it_is(tiny_figure):
    figure = tiny_figure(**TOUCH)
    figure.tap(0, 1, 1)
    figure.expect_selection(figure.patch(0, 1, 1))
    drag(figure.page, figure.at(0, 1, 1), figure.at(0, 4, 5, scroll=False))
    figure.expect_selection(figure.patch(0, 4, 5))
    figure.hover(1, 2, 3)
    figure.expect_selection(figure.patch(1, 2, 3))
