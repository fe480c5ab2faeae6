"""The figure `classes`: a class at a time, one selected patch across all of them, and how similar it is to each class in numbers."""

import pytest
from playwright.sync_api import expect

from tests.browser.classes import GROUPS, Classes, classes_site
from tests.browser.conftest import PHONE, Figure
from tests.browser.test_element import ADD, heard
from tests.browser.test_keyboard import tab_stops
from tests.browser.test_narrow import assert_nothing_sticks_out
from tests.browser.test_touch import TOUCH

TOP = "tile => tile.getBoundingClientRect().top"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return classes_site(tmp_path_factory.mktemp("classes") / "site")


@pytest.fixture
def opened(site, serve, open_page):
    """A function that opens the page: opened(**options of new_page)."""
    return lambda **options: Classes(open_page(serve(site[0]), **options), site[1]).ready()


@pytest.fixture
def figure(opened):
    return opened()


@pytest.fixture
def add(figure):
    """A function that adds a figure `classes` with attributes to the page."""

    def add(**attributes):
        figure.page.evaluate(ADD, {"figure": "classes", **attributes})
        return Classes(figure.page, figure.bundle, "#added")

    return add


def test_it_opens_with_the_class_of_the_opening_patch(figure):
    opening = figure.bundle.manifest.selection
    assert opening.image == "tiger" and figure.selection == {"image": "tiger", "layer": opening.layer, "row": opening.row, "col": opening.col, "pinned": False}
    figure.expect_class("cats")
    figure.expect_values()


def test_captions_and_titles_are_text(figure):
    expect(figure.caption).to_have_text("Ears, and <b>eyes</b> & noses.")
    expect(figure.element.locator(".head b, .head i, .bars button i")).to_have_count(0)


def test_what_is_marked_stands_first_and_says_so(figure):
    figure.pick("Dogs")
    figure.expect_class("dogs")
    expect(figure.badges.nth(0)).to_have_text("generated")
    expect(figure.badges.nth(0)).to_be_visible()
    assert figure.badges.nth(1).text_content() == ""
    assert ", generated" in figure.tiles.nth(0).get_attribute("aria-label")
    assert "generated" not in figure.tiles.nth(1).get_attribute("aria-label")


@pytest.mark.parametrize("name", ["gallery", "pair", "layers"])
def test_other_figures_show_the_mark_and_keep_the_order(tmp_path, serve, open_page, name):
    site, bundle = classes_site(tmp_path / "site", shown=name)
    figure = Figure(open_page(serve(site)), bundle, f"[figure={name}]").ready()
    figure.select("drawn", 0, 0)
    n = figure.tile_of("drawn")
    expect(figure.tiles.nth(n).locator(".badges")).to_have_text("generated")
    assert ", generated" in figure.tiles.nth(n).get_attribute("aria-label")
    assert name != "gallery" or n == 4


@pytest.mark.parametrize("layer", ["fine", "deep"])
def test_hovering_tells_every_class_in_numbers(figure, layer):
    figure.element.get_by_role("radio", name=layer).check()
    figure.layer = layer
    figure.expect_selection({"layer": layer})
    for n, row, col in ((0, 0, 0), (0, 3, 2), (1, 1, 1)):
        figure.hover(n, row, col)
        figure.expect_selection(figure.patch(n, row, col))
        figure.expect_scores()
        figure.expect_values()
    assert any(figure.drawn(0))
    expect(figure.element.locator(".bars .axis")).to_have_text("\N{LESS-THAN OR EQUAL TO}01" if layer == "deep" else "01")
    expect(figure.element.locator(".bars thead th")).to_have_count(4)


def test_a_class_of_one_image_has_nothing_to_compare_it_with(figure):
    figure.pick("Birds")
    figure.expect_class("birds")
    figure.hover(0, 1, 1)
    figure.expect_selection({"image": "jay"})
    figure.expect_values()
    expect(figure.rows.nth(2)).to_have_attribute("title", "the selected image is the only one")


def test_without_a_pin_another_class_begins_without_a_selection(figure):
    figure.hover(0, 1, 1)
    figure.expect_selection({"image": "tabby"})
    figure.pick("Dogs")
    figure.expect_class("dogs")
    figure.expect_selection(None)
    expect(figure.rows.nth(0).get_by_role("cell")).to_have_text(["", "\N{EN DASH}", "\N{EN DASH}"])


def test_a_pinned_patch_comes_along_as_a_guest(figure):
    figure.click(0, 2, 1)
    pinned = figure.patch(0, 2, 1, pinned=True)
    figure.expect_selection(pinned)
    for title, group in (("Dogs", "dogs"), ("other", "")):
        figure.pick(title)
        figure.expect_class(group, guest="tabby")
        assert figure.selection == pinned
        figure.expect_values()
        expect(figure.badges.nth(0)).to_have_text("from Cats")
        expect(figure.tiles.nth(0).locator(".selected")).to_be_visible()
        assert any(figure.drawn(1))
        assert "from Cats" in figure.tiles.nth(0).get_attribute("aria-label")
    figure.pick("Cats")
    figure.expect_class("cats")
    assert figure.selection == pinned and figure.badges.nth(0).text_content() == ""


def test_the_guest_leaves_when_it_is_let_go(figure):
    for let_go in (lambda: figure.page.keyboard.press("Escape"), lambda: figure.click(0, 2, 1), lambda: figure.element.get_by_role("button", name="Clear").click()):
        figure.select("tabby", 2, 1, pin=True)
        figure.pick("Dogs")
        figure.expect_class("dogs", guest="tabby")
        figure.hover(0, 1, 1)
        figure.tiles.nth(2).focus()
        let_go()
        figure.expect_class("dogs")
        figure.expect_selection(None)


def test_the_guest_stays_while_another_patch_of_it_is_pinned(figure):
    figure.select("tabby", 2, 1, pin=True)
    figure.pick("Dogs")
    figure.click(0, 1, 2)
    figure.expect_selection({"image": "tabby", "row": 1, "col": 2, "pinned": True})
    figure.expect_class("dogs", guest="tabby")


def test_the_guest_leaves_for_another_pin_which_stays_where_it_is(figure):
    figure.select("tabby", 2, 1, pin=True)
    figure.pick("Dogs")
    figure.hover(3, 1, 1)
    figure.expect_class("dogs", guest="tabby")
    place = figure.at(3, 1, 1)
    before = figure.tiles.nth(3).evaluate(TOP)
    figure.page.mouse.click(*place)
    figure.expect_class("dogs")
    figure.expect_selection({"image": "pug", "row": 1, "col": 1, "pinned": True})
    assert abs(figure.tiles.nth(2).evaluate(TOP) - before) <= 1
    expect(figure.tiles.nth(2)).to_be_focused()


def test_a_row_of_the_table_leads_to_its_class_with_the_patch(figure):
    figure.hover(1, 1, 1)
    at = {**figure.selection, "pinned": True}
    figure.rows.nth(1).locator(".bar").click()
    figure.expect_class("dogs", guest="tiger")
    assert figure.selection == at
    figure.expect_values()


def test_the_table_by_keyboard(figure):
    figure.button("Cats").focus()
    for key, title in (("ArrowDown", "Dogs <i>all</i>"), ("End", "other"), ("ArrowDown", "other"), ("ArrowUp", "Birds")):
        figure.page.keyboard.press(key)
        expect(figure.button(title)).to_be_focused()
    figure.page.keyboard.press("Enter")
    figure.expect_class("birds", guest="tiger")
    expect(figure.button("Birds")).to_be_focused()


def test_the_picker_by_keyboard(figure):
    figure.picker.get_by_role("radio", name="Cats").focus()
    figure.page.keyboard.press("ArrowRight")
    figure.expect_class("dogs")
    expect(figure.picker.get_by_role("radio", name="Dogs")).to_be_focused()


def test_patches_by_keyboard_and_few_tab_stops(figure):
    figure.tiles.nth(0).focus()
    figure.page.keyboard.press("Shift+ArrowRight")
    figure.page.keyboard.press("ArrowDown")
    at = figure.selection
    figure.page.keyboard.press("Enter")
    figure.expect_selection({**at, "pinned": True})
    figure.expect_values()
    stops = [name for of, name in tab_stops(figure.page) if of == "classes"]
    assert len([name for name in stops if "tile" in name.split()]) == 1
    assert len(stops) <= 12


def test_by_touch(opened):
    figure = opened(**TOUCH)
    figure.tap(0, 1, 1)
    figure.expect_selection(figure.patch(0, 1, 1))
    figure.expect_values()
    figure.tap(0, 1, 1)
    figure.expect_selection(figure.patch(0, 1, 1, pinned=True))
    figure.button("Birds").tap()
    figure.expect_class("birds", guest="tabby")
    figure.tap(1, 2, 2)
    figure.tap(1, 2, 2)
    figure.expect_class("birds")
    figure.expect_selection({"image": "jay", "pinned": True})


def test_on_a_phone_the_table_stands_below(opened):
    figure = opened(**PHONE)
    figure.pick("Dogs")
    assert_nothing_sticks_out(figure.page)
    last, bars = figure.tiles.last.bounding_box(), figure.element.locator(".bars").bounding_box()
    assert bars["y"] >= last["y"] + last["height"]


def test_the_attribute_says_which_class(add):
    added = add(group="dogs").ready()
    added.expect_class("dogs")
    assert added.selection is None
    assert added.element.evaluate("element => { const before = element.group; element.group = ''; return before; }") == "dogs"
    expect(added.element.locator(".bars [aria-current=true]")).to_have_text("other")
    added.expect_class("")


def test_a_selection_from_a_script_goes_to_its_class(figure):
    figure.select("jay", 1, 1, pin=True)
    figure.expect_class("birds")
    figure.expect_values()


def test_an_unknown_class_is_named_with_those_that_there_are(add):
    added = add(group="dog")
    expect(added.element.get_by_role("alert")).to_contain_text('no class "dog" in this figure; it has cats, dogs, birds, "" (images in no sub-folder)')
    assert [event["message"] for event in heard(added, "overlay-error")] == ['no class "dog" in this figure; it has cats, dogs, birds, "" (images in no sub-folder)']


def test_images_say_which_classes_there_are(add):
    added = add(images="drawn,jay,pug").ready()
    expect(added.rows).to_have_count(2)
    assert [added.image(n) for n in range(2)] == ["drawn", "pug"]


def test_many_classes_are_a_list(tmp_path, serve, open_page):
    members = {f"class {n}": (f"image {n}",) for n in range(60)}
    site, bundle = classes_site(tmp_path / "site", members, tuple(type(GROUPS[0])(id, id) for id in members))
    figure = Classes(open_page(serve(site)), bundle).ready()
    expect(figure.rows).to_have_count(60)
    figure.control("Class").select_option("class 40")
    expect(figure.tiles).to_have_count(1)
    assert figure.image(0) == "image 40"
    row, area = figure.button("class 40").bounding_box(), figure.element.locator(".bars .scroll").bounding_box()
    assert area["y"] < row["y"] and row["y"] + row["height"] < area["y"] + area["height"]
    assert figure.element.locator(".bars .scroll").evaluate("element => element.scrollHeight > element.clientHeight + 100")


def test_one_image_is_one_class(add):
    added = add(images="chair").ready()
    added.hover(0, 1, 1)
    added.expect_selection({"image": "chair"})
    expect(added.rows).to_have_count(1)
    expect(added.rows.nth(0).get_by_role("rowheader")).to_have_text("all images")
    expect(added.rows.nth(0).get_by_role("cell")).to_have_text(["", "\N{EN DASH}", "\N{EN DASH}"])
