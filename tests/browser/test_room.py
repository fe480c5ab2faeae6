"""The case studies have room at every width, and nothing of them moves under the reader's hand."""

from itertools import combinations

import pytest
from playwright.sync_api import expect

from tests.browser.classes import Classes, classes_site
from tests.browser.conftest import PHONE
from tests.browser.versions import COMPARED, transforms  # noqa: F401

WIDTHS = (320, 360, 500, 700, 820, 900, 1024, 1280)
# What of a figure reaches beyond it; tiles, captions and boxes that scroll cut off what does.
BEYOND = """element => {
    const { left, right } = element.getBoundingClientRect();
    const free = [...element.shadowRoot.querySelectorAll('.figure *')].filter((one) => !one.closest('.tile, .scroll, .strip, legend, .view figcaption'));
    return free.filter((one) => {
        const box = one.getBoundingClientRect();
        return box.width && (box.left < left - 1 || box.right > right + 1);
    }).map((one) => `${one.tagName} ${one.className.baseVal ?? one.className} ${one.textContent}`);
}"""


def resize(figure, width):
    figure.page.set_viewport_size({"width": width, "height": 900})
    figure.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def boxes(locator):
    return [one.bounding_box() for one in locator.all() if one.is_visible()]


def apart(a, b):
    return a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"] or a["y"] + a["height"] <= b["y"] or b["y"] + b["height"] <= a["y"]


def test_transforms_stays_within_its_width(transforms):  # noqa: F811
    figure = transforms().ready()
    figure.select("wide@turn-45", 0, 0)
    for width in WIDTHS:
        resize(figure, width)
        assert figure.element.evaluate(BEYOND) == [], width


def test_factors_stay_within_their_width_and_leave_the_readout_room(factored):
    figure = factored().ready()
    figure.select("wide", 2, 3, pin=True)
    for width in WIDTHS:
        resize(figure, width)
        assert figure.element.evaluate(BEYOND) == [], width
        parts = [figure.element.locator(part).bounding_box() for part in (".readout .text", ".clear", ".mixture", ".legend .ramp")]
        assert all(apart(a, b) for a, b in combinations(parts, 2)), width
        assert parts[0]["width"] > min(250, width / 2), width


def test_the_label_of_the_step_picked_covers_no_other(transforms):  # noqa: F811
    figure = transforms(**PHONE).ready()
    figure.element.locator(".plot").focus()
    for _ in range(8):
        pill, *labels = boxes(figure.element.locator(".pill")) + boxes(figure.element.locator(".plot g g text[text-anchor=middle]"))
        assert len(labels) >= 3
        assert all(apart(pill, label) for label in labels)
        figure.page.keyboard.press("ArrowRight")


@pytest.mark.parametrize("width", [390, 820, 1280])
def test_the_three_values_stay_where_they_are(transforms, width):  # noqa: F811
    figure = transforms(viewport={"width": width, "height": 900}).ready()
    before = boxes(figure.element.locator(".entries > span"))
    figure.select("wide@turn-45", 0, 0)
    expect(figure.element.locator(".entries b").first).to_have_text("out of frame")
    assert len(before) == len(COMPARED)
    assert boxes(figure.element.locator(".entries > span")) == before


def test_a_tile_that_stuck_goes_back_to_its_place(tmp_path, serve, open_page):
    site, bundle = classes_site(tmp_path / "site")
    figure = Classes(open_page(serve(site), **PHONE), bundle).ready()
    before = boxes(figure.tiles)
    for n in range(len(before)):
        figure.select(figure.image(n), 1, 1)
        assert boxes(figure.tiles) == before


def test_the_strip_leaves_the_readout_within_a_phone(many):
    figure = many(**PHONE).whole()
    expect(figure.element.locator(".readout .text")).to_contain_text("row")
    assert figure.element.evaluate(BEYOND) == []


def test_a_value_stays_on_its_image(tiny_figure):
    figure, width = tiny_figure(), 96
    tile = figure.tiles.nth(1)
    tile.evaluate("(tile, width) => Object.assign(tile.style, { width: `${width}px`, height: `${width}px` })", width)
    figure.select(figure.image(0), 0, 0, pin=True)
    rows, cols = figure.grid(1)
    for col in range(cols):
        figure.hover(1, rows // 2, col)
        value = tile.locator(".cursor .value")
        expect(value).to_be_visible()
        left = value.bounding_box()["x"] - tile.bounding_box()["x"]
        assert left >= 0 and left + value.bounding_box()["width"] <= width, col
