"""The figure `neighbours`: what is nearest to a patch or an image, near duplicates left out, and the way on from there."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.browser.large import printed
from tests.browser.neighbours import Neighbours, nearest, nearest_images, neighbour_site
from tests.browser.test_element import ADD, heard
from tests.browser.test_keyboard import tab_stops
from tests.browser.test_narrow import IN_VIEW, assert_nothing_sticks_out

# Where crops stand in the figure.
PLACES = "all => all.map((one) => [one.offsetLeft, one.offsetTop, one.offsetWidth, one.offsetHeight])"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("neighbours") / "site"
    return folder, neighbour_site(folder)


@pytest.fixture
def opened(site, serve, open_page):
    """A function that opens the page: opened(**options of new_page)."""
    return lambda **options: Neighbours(open_page(serve(site[0]), **options), site[1]).ready()


def test_by_mouse(opened):
    figure = opened()
    opening = figure.bundle.manifest.selection
    assert figure.selection == {"image": opening.image, "layer": opening.layer, "row": opening.row, "col": opening.col, "pinned": False}
    first = figure.expect_nearest()
    figure.expect_compared(*first[0][:3])
    patches = sum(rows * cols for rows, cols in figure.bundle.layers[1].grids) - 60
    expect(figure.found).to_have_text(f"The nearest 16 of {patches} patches on 4 other images, with at least 2 cells between any two on one image.")

    # Pointing at the image selects and ranks again; the crops stay where they are.
    places = figure.shown.evaluate_all(PLACES)
    figure.hover(0, 4, 2)
    figure.expect_selection(figure.patch(0, 4, 2))
    figure.expect_scores()
    found = figure.expect_nearest()
    assert figure.shown.evaluate_all(PLACES) == places

    # Pointing at a crop shows where it lies, and selects nothing.
    at, (id, row, col, value) = figure.selection, found[5]
    figure.shown.nth(5).hover()
    figure.expect_compared(id, row, col)
    expect(figure.readout).to_contain_text(f"{figure.titles[id]}, row {row + 1}, column {col + 1}: {printed(value)} (distance {printed((2 - 2 * value) ** 0.5)})")
    expect(figure.element.locator(".stage figcaption").nth(1)).to_contain_text(f"Neighbour 6. {figure.titles[id]} {printed(value)}")
    assert any(figure.drawn(1)) and not any(figure.drawn(0)) and figure.selection == at
    figure.page.mouse.move(1, 1)
    expect(figure.readout).not_to_contain_text("distance")
    figure.expect_compared(id, row, col)

    # A click goes there, and back again.
    figure.shown.nth(5).click()
    figure.expect_selection({"image": id, "layer": "deep", "row": row, "col": col, "pinned": True})
    assert figure.image(0) == id and figure.control("Image").input_value() == figure.tiles.nth(0).get_attribute("data-image")
    second = figure.expect_nearest()
    figure.shown.nth(0).click()
    figure.expect_selection({"image": second[0][0], "row": second[0][1], "col": second[0][2], "pinned": True})
    for before in ({"image": id, "row": row, "col": col}, {**at, "pinned": True}):
        figure.back.click()
        figure.expect_selection(before)
        figure.expect_nearest()
    expect(figure.back).to_be_disabled()


def test_options_and_layers(opened):
    figure = opened()
    figure.expect_nearest()
    ids = [image.id for image in figure.bundle.images]
    own = figure.element.get_by_label("its own image too")
    for text, spacing in (("no matter", 0), ("1 cell", 1), ("4 cells", 4), ("one of each image", None)):
        figure.control("Apart").select_option(text)
        found = figure.expect_nearest(spacing=spacing)
    assert len(found) == 4
    expect(figure.found).to_contain_text("4 of the 16 asked for: the gallery has no more.")
    expect(own).to_be_disabled()
    figure.control("Apart").select_option("1 cell")
    own.check()
    figure.expect_nearest(spacing=1, images=ids)
    figure.control("Nearest").select_option("64")
    figure.expect_nearest(k=64, spacing=1, images=ids)
    own.uncheck()
    figure.element.get_by_role("radio", name="fine").check()
    figure.layer = "fine"
    figure.expect_selection({"layer": "fine"})
    found = figure.expect_nearest(k=64, spacing=1)
    figure.expect_compared(*found[0][:3])
    expect(figure.found).to_contain_text("with at least 1 cell between any two on one image.")
    figure.element.evaluate("element => element.clear()")
    expect(figure.shown).to_have_count(0)
    expect(figure.found).to_have_text("Select a patch of Title of bee to see those most similar to it.")
    figure.control("Image").select_option("Title of elk")
    expect(figure.found).to_contain_text("Select a patch of Title of elk")
    figure.hover(0, 3, 5)
    figure.expect_nearest(k=64, spacing=1)
    figure.control("Image").select_option("Title of cow")  # the place stays
    figure.expect_selection({"image": "cow", "row": 4, "col": 3, "pinned": False})
    figure.expect_nearest(k=64, spacing=1)


def test_images_by_their_means(opened):
    figure = opened()
    figure.element.get_by_role("radio", name="Images").check()
    figure.expect_crops(nearest_images(figure.bundle, "bee", "deep", 16))
    expect(figure.found).to_have_text("The nearest 4 of 4 other images: the mean of all patches of Title of bee against that of each image, whatever patch is selected. 4 of the 16 asked for: the gallery has no more.")
    for control in (figure.control("Apart"), figure.element.get_by_label("its own image too"), figure.shown.nth(0).locator("i")):
        expect(control).to_be_hidden()
    figure.hover(0, 0, 0)
    figure.expect_selection({"image": "bee", "row": 0, "col": 0})
    figure.expect_crops(nearest_images(figure.bundle, "bee", "deep", 16))
    cut, picture = (figure.shown.nth(1).locator(part).bounding_box() for part in (".cut", "img"))
    assert max(abs(cut["width"] - picture["width"]), abs(cut["height"] - picture["height"])) >= 0 and min(abs(cut["width"] - picture["width"]), abs(cut["height"] - picture["height"])) < 1
    chosen = nearest_images(figure.bundle, "bee", "deep", 16)[1][0]
    figure.shown.nth(1).hover()
    figure.expect_compared(chosen)
    figure.shown.nth(1).click()
    figure.expect_selection({"image": chosen, "pinned": False})
    figure.expect_crops(nearest_images(figure.bundle, chosen, "deep", 16))
    figure.element.get_by_role("radio", name="fine").check()
    figure.expect_crops(nearest_images(figure.bundle, chosen, "fine", 16))
    figure.back.click()
    figure.expect_selection({"image": "bee"})
    figure.expect_crops(nearest_images(figure.bundle, "bee", "fine", 16))
    figure.element.get_by_role("radio", name="Patches").check()
    figure.expect_nearest()


def test_by_keyboard(opened):
    figure = opened()
    found = figure.expect_nearest()
    stops = [name for of, name in tab_stops(figure.page) if of == "neighbours"]
    assert len([name for name in stops if "tile" in name.split()]) == 1 and len(stops) <= 16
    assert figure.crops.evaluate_all("all => all.filter((one) => one.tabIndex === 0).length") == 1
    figure.tiles.nth(0).focus()
    figure.page.keyboard.press("ArrowDown")
    figure.page.keyboard.press("Enter")
    figure.expect_selection({"image": "bee", "row": 1, "col": 1, "pinned": True})
    found = figure.expect_nearest()
    figure.page.keyboard.press("Tab")
    expect(figure.shown.nth(0)).to_be_focused()
    columns = figure.shown.evaluate_all("all => all.filter((one) => one.offsetTop === all[0].offsetTop).length")
    assert columns == 4
    for key, place in (("ArrowRight", 1), ("ArrowDown", 5), ("ArrowDown", 9), ("ArrowLeft", 8), ("ArrowUp", 4)):
        figure.page.keyboard.press(key)
        expect(figure.shown.nth(place)).to_be_focused()
        figure.expect_compared(*found[place][:3])
    figure.page.keyboard.press("Enter")
    figure.expect_selection({"image": found[4][0], "row": found[4][1], "col": found[4][2], "pinned": True})
    figure.expect_nearest()
    expect(figure.shown.nth(4)).to_be_focused()
    figure.page.keyboard.press("Escape")
    figure.expect_selection(None)
    expect(figure.shown).to_have_count(0)


def test_by_touch_on_a_phone(opened):
    figure = opened(**PHONE)
    figure.expect_nearest()
    assert_nothing_sticks_out(figure.page)
    figure.tap(0, 3, 2)
    figure.expect_selection(figure.patch(0, 3, 2))
    found = figure.expect_nearest()
    figure.shown.nth(15).scroll_into_view_if_needed()
    for tile in figure.tiles.all():
        assert tile.evaluate(IN_VIEW)
    at = figure.selection
    figure.shown.nth(15).tap()
    figure.expect_compared(*found[15][:3])
    assert figure.selection == at
    figure.shown.nth(15).tap()
    figure.expect_selection({"image": found[15][0], "row": found[15][1], "col": found[15][2], "pinned": True})
    figure.expect_nearest()
    figure.element.get_by_role("radio", name="Images").check()
    figure.expect_crops(nearest_images(figure.bundle, found[15][0], "deep", 16))
    assert_nothing_sticks_out(figure.page)


def test_attributes_and_a_script(opened):
    figure = opened()
    figure.page.evaluate(ADD, {"figure": "neighbours", "k": "5", "spacing": "image", "own": "true", "layer": "fine", "image": "elk", "row": "2", "col": "3"})
    added = Neighbours(figure.page, figure.bundle, "#added").ready()
    added.expect_selection({"image": "elk", "layer": "fine", "row": 2, "col": 3})
    added.expect_crops(nearest(added.bundle, added.selection, 5, None))
    assert added.control("Nearest").input_value() == "5"
    added.select("dog", 0, 2, layer="deep", pin=True)
    added.expect_crops(nearest(added.bundle, added.selection, 5, None))
    assert added.image(0) == "dog"
    added.expect_scores()
    added.element.evaluate("element => { element.spacing = 3; element.k = 70; element.image = null; element.images = ['cow']; }")
    added.ready().expect_selection({"image": "cow"})
    found = added.expect_nearest(k=70, spacing=3, images=["cow"])
    assert 0 < len(found) < 70
    expect(added.found).to_contain_text(f"{len(found)} of the 70 asked for: the gallery has no more.")
    expect(added.element.get_by_label("its own image too")).to_be_checked()
    expect(added.element.get_by_label("its own image too")).to_be_disabled()
    added.element.get_by_role("radio", name="Images").check()
    expect(added.found).to_have_text("There is no other image to compare with.")
    added.element.evaluate("element => { element.k = 'many'; }")
    expect(added.element.get_by_role("alert")).to_contain_text('the attribute k is "many"; expected a whole number from 1 to 128')
    assert [event["message"] for event in heard(added, "overlay-error")] == ['the attribute k is "many"; expected a whole number from 1 to 128']


def test_images_whose_features_are_missing_are_counted(site, tmp_path, serve, open_page, watch):
    bundle = site[1]
    neighbour_site(tmp_path / "site")
    watch.expect("404")
    layer = bundle.layers[1]
    lost = next(n for n, shard in enumerate(layer.shards) if shard.first <= 3 < shard.first + shard.count)
    (tmp_path / "site" / layer.shards[lost].file).unlink()
    gone = {bundle.images[n].id for n in range(layer.shards[lost].first, layer.shards[lost].first + layer.shards[lost].count)}
    figure = Neighbours(open_page(serve(tmp_path / "site")), bundle).ready()
    here = [image.id for image in bundle.images if image.id not in gone | {"bee"}]
    figure.expect_nearest(images=here)
    expect(figure.found).to_contain_text(f"Those of {len(gone)} image{'s' if len(gone) > 1 else ''} cannot be had.")
    expect(figure.element.locator(".gaps")).to_contain_text(layer.shards[lost].file)
    figure.element.get_by_role("radio", name="Images").check()
    figure.expect_crops([match for match in nearest_images(bundle, "bee", "deep", 16) if match[0] in here])
    figure.control("Image").select_option("Title of dog")
    expect(figure.found).to_have_text("The features of Title of dog cannot be had. Choose another image.")
