"""The figure `map` by keyboard, by touch and on a phone, from a script, and in a single-file page."""

import json
import re

import numpy as np
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.browser.mapped import COLORS, Mapped, map_page, map_site
from tests.browser.test_narrow import assert_nothing_sticks_out
from tests.browser.test_touch import drag


def towards(figure, point, right, down):
    """The nearest point within 45 degrees of a direction, by the sum of both distances."""
    dx, dy = (figure.map.places - figure.map.places[point]).T
    along, across = dx * right + dy * down, np.abs(dx * down) + np.abs(dy * right)
    away = np.where((along > 0) & (across <= along), along + across, np.inf)
    return int(away.argmin()) if np.isfinite(away).any() else point


def test_by_keyboard(mapped):
    figure = mapped().ready()
    page, surface = figure.page, figure.surface
    assert figure.element.locator(".map [tabindex='0']").count() == 2  # the plot, and the images
    surface.focus()
    point = figure.point_of("tall", 0, 1)
    for key, right, down in (("ArrowRight", 1, 0), ("ArrowDown", 0, 1), ("ArrowDown", 0, 1), ("ArrowLeft", -1, 0), ("ArrowUp", 0, -1)):
        page.keyboard.press(key)
        point = towards(figure, point, right, down)
        figure.expect_selection(figure.patch_of(point))
        figure.expect_ring("selected", point)
    number, (row, col) = figure.image_of(point)
    for words in ("t-SNE of patches", figure.bundle.images[number].title, f"row {row + 1}, column {col + 1}"):
        expect(surface).to_have_attribute("aria-label", re.compile(words))
    page.keyboard.press("Enter")
    figure.expect_selection(figure.patch_of(point, pinned=True))
    page.keyboard.press("ArrowRight")
    figure.expect_ring("cursor", towards(figure, point, 1, 0))
    figure.expect_selection(figure.patch_of(point, pinned=True))
    page.keyboard.press("ArrowLeft")
    point = towards(figure, towards(figure, point, 1, 0), -1, 0)
    for _ in range(5):
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("Shift+ArrowDown")
    corner = figure.map.places[point] + 5 / 24
    within = ((figure.map.places >= figure.map.places[point]) & (figure.map.places < np.minimum(corner, 1.01))).all(axis=1)
    figure.expect_region(within)
    page.keyboard.press("+")
    page.keyboard.press("+")
    expect(figure.element.locator(".scatter.zoomed")).to_have_count(1)
    page.keyboard.press("0")
    expect(figure.element.locator(".scatter.zoomed")).to_have_count(0)
    page.keyboard.press("Escape")
    figure.expect_region(None)
    figure.expect_selection(None)
    page.keyboard.press("ArrowUp")
    expect(figure.element.locator(".ring.selected")).to_have_attribute("visibility", "visible")
    legend = figure.element.get_by_role("button", name="Animals <all>")
    legend.focus()
    page.keyboard.press("Enter")
    expect(legend).to_have_attribute("aria-pressed", "true")
    others = np.array([figure.image_of(one)[0] == 0 for one in range(91)])
    assert (np.abs(figure.pixels()[:, 3] - np.where(others, 56, 255)) <= 1).all()


def test_by_touch_on_a_phone(mapped):
    figure = mapped(**PHONE).ready()
    page = figure.page
    assert_nothing_sticks_out(page)
    page.touchscreen.tap(*figure.spot(20))
    figure.expect_selection(figure.patch_of(20))
    page.touchscreen.tap(*figure.spot(20))
    figure.expect_selection(figure.patch_of(20, pinned=True))
    # Before anything is dragged: a tap soon after that only ends the movement.
    figure.show(of="images")
    page.touchscreen.tap(*figure.spot(2))
    expect(figure.element.locator(".probe")).to_contain_text("Title of square")
    page.touchscreen.tap(*figure.spot(2))
    expect(figure.tiles.nth(figure.tile_of("square"))).to_be_in_viewport()
    figure.show(of="patches")
    figure.use("lasso")
    box = figure.box()
    scrolled = page.evaluate("scrollY")
    drag(page, (box["x"] + 40, box["y"] + 40), (box["x"] + 260, box["y"] + 250))
    expect(figure.element.locator(".region .clear")).to_be_visible()
    figure.use("box")
    box = figure.box()
    drag(page, (box["x"] + 40, box["y"] + 40), (box["x"] + 260, box["y"] + 250))
    assert page.evaluate("scrollY") == scrolled
    figure.expect_region(figure.inside([(40, 40), (260, 40), (260, 250), (40, 250)]))
    figure.expect_selection(figure.patch_of(20, pinned=True))
    figure.use("point")
    box, scrolled = figure.box(), page.evaluate("scrollY")
    drag(page, (box["x"] + 150, box["y"] + 200), (box["x"] + 150, box["y"] + 60))
    page.wait_for_function("before => scrollY > before + 50", arg=scrolled)
    # The plot stays in view over the images.
    figure.tiles.last.evaluate("tile => tile.scrollIntoView({block: 'end', behavior: 'instant'})")
    expect(figure.surface).to_be_in_viewport(ratio=0.9)


def test_a_script_and_attributes(mapped):
    figure = mapped(attributes={"method": "pca", "color": "image", "images": json.dumps(["square", "tall"])})
    figure.method = "pca"
    figure.ready()
    expect(figure.element.locator(".made")).to_contain_text("of all 91 patches (49 of them are of the images shown here)")
    assert figure.element.evaluate("element => [element.method, element.points, element.color]") == ["pca", "", "image"]
    expect(figure.control("Colour by")).to_have_value("image")
    figure.select("square", 1, 1, pin=True)
    assert figure.selection == {"image": "square", "layer": "deep", "row": 1, "col": 1, "pinned": True}
    expected = figure.bundle.similarity("square", "deep", 1, 1)["tall"]
    assert figure.scores("tall") == (*expected.shape, expected.ravel().tolist())
    figure.element.evaluate("element => { element.method = 'tsne'; element.color = 'similarity'; }")
    figure.method = "tsne"
    figure.ready()
    expect(figure.control("Colour by")).to_have_value("similarity")


def test_the_map_is_there_before_the_features(mapped):
    held = "const load = fetch; window.held = new Promise((go) => { window.go = go; }); window.fetch = async (url, ...more) => { if (String(url).includes('features/')) await held; return load(url, ...more); };"
    figure = mapped(init=held)
    figure.expect_map()
    expect(figure.element.locator(".figure.loading")).to_have_count(1)
    figure.expect_colors(COLORS[[min(1, figure.image_of(point)[0]) for point in range(91)]])
    figure.hover_point(30)
    figure.expect_selection(figure.patch_of(30))
    figure.page.evaluate("go()")
    figure.ready()
    figure.expect_selection(figure.patch_of(30))
    figure.expect_scores()


def test_a_single_file_page(tmp_path, open_page):
    bundle, made = map_site(tmp_path / "site")
    page = tmp_path / "page.html"
    written = map_page(tmp_path / "site")
    page.write_bytes(written.read_bytes())
    figure = Mapped(open_page(page), bundle, made).ready()
    figure.hover_point(50)
    figure.expect_selection(figure.patch_of(50))
    figure.expect_ring("selected", 50)
    figure.expect_scores()
