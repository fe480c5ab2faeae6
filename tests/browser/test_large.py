"""A gallery of many images: filled in where the reader is, its closest patches in a strip, its order on demand."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.browser.large import COUNT, SHARDS, WIDE, printed
from tests.browser.test_exactness import PAINTED_AND_TABLE, assert_same_pixels
from tests.browser.test_narrow import assert_nothing_sticks_out

# What a figure without the attribute has.
OPACITY = 0.8
TOP = "tile => tile.getBoundingClientRect().top"
SHOWN = "buttons => buttons.filter((one) => !one.hidden).map((one) => [one.title, one.querySelector('.number').textContent])"


@pytest.fixture
def gallery(many):
    """The gallery with all codes near the view."""
    return many().whole()


@pytest.fixture
def whole(gallery):
    """The gallery with all codes of all images, nothing pointed at."""
    point(gallery, 0, 1, 1)
    gallery.expect_present(*SHARDS)
    gallery.page.mouse.move(1, 1)
    return gallery


def point(gallery, n, row, col):
    gallery.hover(n, row, col)
    gallery.expect_selection(gallery.patch(n, row, col))


def expect_strip(gallery):
    """Wait until the strip shows the closest patches as Python ranks them."""
    ranking = gallery.ranking()[:12]
    titles = {image.id: image.title for image in gallery.bundle.images}
    wanted = [[titles[id], printed(value)] for id, value, _, _ in ranking]
    shown = "([element, wanted]) => JSON.stringify((%s)([...element.shadowRoot.querySelectorAll('.closest button')])) === wanted" % SHOWN
    gallery.page.wait_for_function(shown, arg=[gallery.element.element_handle(), gallery.page.evaluate("JSON.stringify", wanted)])
    return ranking


def test_tiles_are_empty_boxes_until_they_come_near(gallery):
    assert gallery.filled() == gallery.in_view(screens=0.5)
    assert 0 < len(gallery.in_view()) < len(gallery.filled()) < COUNT / 2
    sizes = gallery.tiles.evaluate_all("tiles => tiles.map(({ offsetWidth, offsetHeight }) => [offsetWidth, offsetHeight])")
    assert min(min(size) for size in sizes) > 40
    gallery.show(90)
    near = gallery.in_view(screens=0.5)
    assert gallery.filled() == near and 0 not in near and 90 in near
    gallery.show(0)
    assert gallery.filled() == gallery.in_view(screens=0.5)
    assert gallery.tiles.evaluate_all("tiles => tiles.map(({ offsetWidth, offsetHeight }) => [offsetWidth, offsetHeight])") == sizes


def expect_colours(gallery, places):
    at = gallery.selection
    scores = gallery.bundle.similarity(at["image"], at["layer"], at["row"], at["col"])
    for n in places:
        values = scores[gallery.image(n)].astype(float).ravel().tolist()
        grid, painted, wanted = gallery.tiles.nth(n).evaluate(PAINTED_AND_TABLE, [values, 0.0, 0.8, "heat", "inferno", OPACITY])
        assert grid == list(gallery.grid(n))
        assert_same_pixels(np.array(painted).reshape(-1, 4), np.array(wanted).reshape(-1, 4))


def test_tiles_in_view_have_the_colours_of_their_scores(gallery):
    point(gallery, 7, 2, 3)
    gallery.let(*SHARDS)
    gallery.expect_present(*SHARDS)
    expect_colours(gallery, gallery.in_view())
    assert len(gallery.in_view()) > 8
    here = gallery.selection
    gallery.page.mouse.move(1, 1)
    for n in (gallery.in_view()[-1] + 8, 80):  # one that was near, and one that was not
        gallery.show(n)
        expect_colours(gallery, gallery.in_view())
    assert gallery.selection == here
    point(gallery, 81, 4, 4)
    expect_colours(gallery, gallery.in_view())


def test_of_those_in_view_a_few_best_matches_are_framed(whole):
    point(whole, 7, 2, 3)
    in_view = [whole.image(n) for n in whole.in_view()]
    wanted = {id: printed(value) for id, value, _, _ in [match for match in whole.ranking() if match[0] in in_view][:8]}
    framed = whole.tiles.evaluate_all("tiles => tiles.map((tile) => { const mark = tile.querySelector('.best'); return mark?.checkVisibility({ visibilityProperty: true }) ? mark.textContent : null; })")
    assert {whole.image(n): text for n, text in enumerate(framed) if text is not None and n in whole.in_view()} == wanted


def test_the_strip_shows_the_closest_and_follows_the_pointer(whole):
    for n, row, col in ((7, 2, 3), (1, 0, 5)):
        point(whole, n, row, col)
        ranking = expect_strip(whole)
        titles = {image.id: image.title for image in whole.bundle.images}
        expect(whole.element.get_by_role("status")).to_contain_text("closest: " + ", ".join(f"{titles[id]} {printed(value)}" for id, value, _, _ in ranking[:3]))
    expect(whole.element.get_by_role("group", name="The closest patches of all images")).to_be_visible()
    whole.element.evaluate("element => element.clear()")
    expect(whole.strip.first).to_be_hidden()


def test_the_strip_cuts_the_patch_out_of_its_image(whole):
    point(whole, 7, 2, 3)
    for (id, _, row, col), button in zip(expect_strip(whole), whole.strip.all(), strict=True):
        image = next(one for one in whole.bundle.images if one.id == id)
        rows, cols = whole.bundle.grid(id, "wide")
        assert button.locator("img").get_attribute("src").split("?")[0].endswith(image.file)
        frame, picture, cut = (button.locator(part).bounding_box() for part in ("i", "img", ".cut"))
        assert frame["x"] == pytest.approx(picture["x"] + col / cols * picture["width"], abs=0.1) and frame["width"] == pytest.approx(picture["width"] / cols, abs=0.1)
        assert frame["y"] == pytest.approx(picture["y"] + row / rows * picture["height"], abs=0.1) and frame["height"] == pytest.approx(picture["height"] / rows, abs=0.1)
        assert cut["x"] - 0.1 <= frame["x"] and frame["x"] + frame["width"] <= cut["x"] + cut["width"] + 0.1
        assert picture["width"] / picture["height"] == pytest.approx(image.width / image.height, rel=0.01)


def test_the_strip_leads_to_an_image(whole):
    whole.click(7, 2, 3)
    ranking = expect_strip(whole)
    place = next(i for i, (id, *_) in enumerate(ranking) if whole.tile_of(id) not in whole.in_view())
    n = whole.tile_of(ranking[place][0])
    whole.strip.nth(place).click()
    whole.page.wait_for_function("tile => tile.querySelector('canvas') && tile.classList.contains('mapped')", arg=whole.tiles.nth(n).element_handle())
    assert n in whole.in_view()
    whole.expect_selection(whole.patch(7, 2, 3, pinned=True))
    expect_colours(whole, [n])


def test_the_strip_is_one_tab_stop_with_arrows(whole):
    whole.click(7, 2, 3)
    expect_strip(whole)
    stops = lambda: whole.strip.evaluate_all("all => all.flatMap((one, i) => (one.tabIndex === 0 ? [i] : []))")  # noqa: E731
    assert stops() == [0]
    whole.strip.first.focus()
    for key, place in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("ArrowLeft", 0), ("ArrowLeft", 0)):
        whole.page.keyboard.press(key)
        expect(whole.strip.nth(place)).to_be_focused()
        assert stops() == [place]
    whole.page.keyboard.press("Enter")
    n = whole.tile_of(whole.ranking()[0][0])
    whole.page.wait_for_function("tile => tile.childElementCount > 0", arg=whole.tiles.nth(n).element_handle())
    whole.expect_selection(whole.patch(7, 2, 3, pinned=True))


def by_similarity(gallery):
    return [gallery.selection["image"], *(id for id, *_ in gallery.ranking())]


def test_pinning_sorts_and_the_pinned_image_stays_at_its_height(whole):
    given = [image.id for image in whole.bundle.images]
    whole.control("Order").select_option("similar")
    whole.show(75)
    assert whole.page.evaluate("scrollY") > 500
    x, y = whole.at(75, 2, 3, scroll=False)
    image, before = whole.image(75), whole.order()
    whole.page.mouse.move(x, y)
    whole.expect_selection(whole.patch(75, 2, 3))
    assert whole.order() == before, "pointing sorts nothing"
    tile = whole.element.locator(f".tile[data-image='{given.index(image)}']")
    top = tile.evaluate(TOP)
    whole.page.mouse.down()
    whole.page.mouse.up()
    whole.expect_selection({"image": image, "row": 2, "col": 3, "pinned": True})
    wanted = by_similarity(whole)
    assert whole.order() == wanted and wanted[0] == image
    whole.frames()
    assert abs(tile.evaluate(TOP) - top) < 1
    expect_colours(whole, whole.in_view())
    whole.hover(3, 1, 1)
    whole.hover(5, 1, 1)
    assert whole.order() == wanted
    whole.control("Order").select_option("given")
    assert whole.order() == given
    whole.expect_selection({"image": image, "row": 2, "col": 3, "pinned": True})


def test_hovering_never_sorts(whole):
    whole.control("Order").select_option("similar")
    before = whole.order()
    for n in (0, 4, 9):
        point(whole, n, 1, 2)
        expect_strip(whole)
        assert whole.order() == before
    whole.click(9, 1, 2)
    whole.expect_selection(whole.patch(0, 1, 2, pinned=True))
    pinned = whole.order()
    assert pinned == by_similarity(whole)
    whole.click(0, 1, 2)
    whole.expect_selection({"pinned": False})
    point(whole, 4, 3, 3)
    assert whole.order() == pinned


def test_it_is_sorted_once_more_when_the_last_codes_have_come(many):
    gallery = many(let=[2]).ready()
    gallery.let(0, 1)
    gallery.show(20)
    gallery.expect_present(0, 1, 2)
    gallery.show(3)
    gallery.control("Order").select_option("similar")
    gallery.click(3, 2, 3)
    gallery.expect_selection({"pinned": True})
    present = [gallery.bundle.images[i].id for i in range(36)]
    assert [id for id in gallery.order() if id in present] == [id for id in by_similarity(gallery) if id in present]
    early = gallery.order()
    gallery.let(3, 4, 5, 6)
    gallery.expect_present(*range(7))
    assert gallery.order() == early
    gallery.let(*SHARDS)
    gallery.expect_present(*SHARDS)
    assert gallery.order() == by_similarity(gallery)


def test_pinning_by_keyboard_sorts_and_keeps_the_focus(whole):
    whole.control("Order").select_option("similar")
    whole.show(50)
    whole.tiles.nth(50).focus()
    image = whole.tiles.nth(50).get_attribute("data-image")
    for key in ("ArrowUp", "Enter"):
        whole.page.keyboard.press(key)
    whole.expect_selection({"pinned": True})
    assert whole.order() == by_similarity(whole)
    tile = whole.element.locator(f".tile[data-image='{image}']")
    expect(tile).to_be_focused()
    whole.page.keyboard.press("Shift+ArrowRight")
    expect(whole.tiles.nth(1)).to_be_focused()
    assert whole.element.locator(".tile[tabindex='0']").count() == 1


def test_another_layer_is_sorted_by_its_own_similarities(whole):
    whole.control("Order").select_option("similar")
    whole.click(4, 2, 3)
    whole.expect_selection({"pinned": True})
    wide = whole.order()
    whole.element.get_by_role("radio", name="small").click()
    whole.expect_selection({"layer": "small", "pinned": True})
    whole.layer = "small"
    assert whole.order() == by_similarity(whole) != wide
    whole.expect_scores()
    whole.element.get_by_role("radio", name=WIDE["id"]).click()
    whole.expect_selection({"layer": "wide", "pinned": True})
    assert whole.order() == by_similarity(whole)


def test_on_a_phone(many):
    gallery = many(**PHONE).whole()
    assert_nothing_sticks_out(gallery.page)
    assert gallery.filled() == gallery.in_view(screens=0.5)
    gallery.tap(8, 2, 3)
    gallery.expect_selection(gallery.patch(8, 2, 3))
    gallery.expect_present(*SHARDS)
    expect_strip(gallery)
    assert_nothing_sticks_out(gallery.page)
    expect_colours(gallery, gallery.in_view())
    gallery.element.get_by_role("button", name="Display").tap()
    source = gallery.element.locator(".tile.source")
    gallery.show(40)
    expect(source).to_be_in_viewport(ratio=0.9)
    gallery.element.locator(".controls").scroll_into_view_if_needed()
    gallery.control("Order").select_option("similar")
    gallery.tap(gallery.tile_of("p008"), 2, 3)
    gallery.expect_selection({"image": "p008", "pinned": True})
    assert gallery.order() == by_similarity(gallery)
    place = gallery.strip.nth(2)
    id = gallery.ranking()[2][0]
    place.tap()
    gallery.page.wait_for_function("tile => tile.classList.contains('mapped')", arg=gallery.tiles.nth(gallery.tile_of(id)).element_handle())
    assert re.search("similarity", place.get_attribute("aria-label"))
