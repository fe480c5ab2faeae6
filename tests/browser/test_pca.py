"""The figure `pca`: images in the colours of their components, by mouse, keyboard and touch, and where something is missing."""

from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.channelled import DRAWN, channels_site, two
from tests.browser.conftest import Figure

HEARD = "window.heard = []; addEventListener('overlay-error', (event) => heard.push(event.detail.message));"


class Colored(Figure):
    """The figure: its tiles are those of the overlays, `maps` those of the colours."""

    def __init__(self, frame, bundle, layer="deep"):
        super().__init__(frame, bundle, "[figure=pca]", layer)
        self.tiles = self.element.locator(".tile:not(.of-components)")
        self.maps = self.element.locator(".tile.of-components")

    @property
    def facts(self):
        return next(one for one in self.bundle.layers if one.id == self.layer).components

    def bytes_of(self, image):
        """uint8 (rows, cols, 3)"""
        table, names = self.bundle.table(self.facts.colors), [one.id for one in self.bundle.images]
        grids = [self.bundle.grid(name, self.layer) for name in names]
        parts = np.split(table.T, np.cumsum([rows * cols for rows, cols in grids])[:-1])
        return parts[names.index(image)].reshape(*self.bundle.grid(image, self.layer), 3)

    def values(self, image, row, col):
        """The three values of a patch, as printed."""
        return [two(low + (high - low) * byte / 255) for byte, (low, high) in zip(self.bytes_of(image)[row, col].tolist(), self.facts.ranges, strict=True)]

    def expect_painted(self, alone=None, opacity=1.0):
        drawn = self.maps.evaluate_all(DRAWN)
        assert len(drawn) == self.tiles.count()
        for n, found in enumerate(drawn):
            codes = self.bytes_of(self.image(n)).astype(float)
            wanted = np.floor(26 + 211 * (codes if alone is None else codes[..., [alone] * 3]) / 255 + 0.5)
            pixels = np.array(found).reshape(*codes.shape[:2], 4)
            assert (pixels[..., 3] == round(255 * opacity)).all()
            assert np.abs(pixels[..., :3] - wanted).max() <= (0 if opacity == 1 else 1)  # canvases keep colours multiplied by opacity

    def expect_values(self, image, row, col):
        expect(self.element.locator(".components .number")).to_have_text(self.values(image, row, col))

    def on_map(self, n, row, col):
        tiles, self.tiles = self.tiles, self.maps
        place = self.at(n, row, col)
        self.tiles = tiles
        return place


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = tmp_path_factory.mktemp("pca") / "site"
    return site, channels_site(site, "pca")


@pytest.fixture
def open_figure(site, serve, open_page):
    return lambda **options: Colored(open_page(serve(site[0]), **options), site[1]).ready()


def test_every_image_is_shown_in_its_colours(open_figure):
    figure = open_figure()
    expect(figure.element.locator("input[name=Layer]")).to_have_count(3)
    for layer in ("deep", "plain", "relu"):
        figure.element.locator(f"input[value={layer}]").check()
        figure.layer = layer
        expect(figure.element.locator(".explained")).to_contain_text(f"of {layer}, the same for all images")
        figure.expect_painted()
        shares = [f"{100 * part:.{1 if part < 0.0995 else 0}f}\u202f%" for part in figure.facts.explained]
        expect(figure.element.locator(".explained")).to_contain_text(f"They are {shares[0]}, {shares[1]} and {shares[2]} of the variance")
        expect(figure.element.locator(".pickers label small")).to_have_text(["", *shares])
        for n, row, col in ((0, 1, 2), (1, 5, 3)):
            for place in (figure.at(n, row, col), figure.on_map(n, row, col)):
                figure.page.mouse.move(*place)
                figure.expect_selection(figure.patch(n, row, col))
                figure.expect_values(figure.image(n), row, col)
            figure.expect_scores()
            expect(figure.element.locator(".selected").filter(visible=True)).to_have_count(2)
            label = figure.maps.nth(n).get_attribute("aria-label")
            assert label.startswith(f"colours, {figure.title(n)}") and label.endswith(f", components {', '.join(figure.values(figure.image(n), row, col))}")


def test_one_component_alone_and_the_photo_behind(open_figure):
    figure = open_figure()
    names = figure.element.locator("input[name=Components]")
    for alone in range(3):
        names.nth(alone + 1).check()
        figure.expect_painted(alone)
        figure.page.mouse.move(*figure.on_map(2, alone, 1))
        expect(figure.maps.nth(2).locator(".cursor")).to_have_text(figure.values("square", alone, 1)[alone])
    names.nth(0).check()
    figure.control("photo behind").check()
    figure.expect_painted(opacity=0.55)
    figure.element.locator("input[value=plain]").check()
    figure.layer = "plain"
    expect(figure.element.locator(".explained")).to_contain_text("of plain")
    figure.expect_painted(opacity=0.55)
    figure.control("photo behind").uncheck()
    figure.click(0, 1, 1)
    figure.page.mouse.move(*figure.on_map(3, 2, 4))
    figure.expect_values("strip", 2, 4)
    assert figure.selection == figure.patch(0, 1, 1, pinned=True)
    figure.page.mouse.move(2, 2)
    figure.expect_values("wide", 1, 1)
    figure.element.evaluate("element => element.clear()")
    expect(figure.element.locator(".components .number").filter(visible=True)).to_have_count(0)


def test_by_keyboard(open_figure):
    figure = open_figure()
    figure.select("tall", 2, 2)
    figure.element.locator("input[name=Components]").nth(0).focus()
    figure.page.keyboard.press("ArrowRight")
    figure.expect_painted(0)
    figure.maps.nth(1).focus()
    figure.page.keyboard.press("ArrowDown")
    figure.expect_selection(figure.patch(1, 3, 2))
    figure.expect_values("tall", 3, 2)
    figure.page.keyboard.press("Enter")
    assert figure.selection["pinned"]
    figure.page.keyboard.press("ArrowRight")
    figure.expect_values("tall", 3, 3)
    figure.page.keyboard.press("Escape")
    assert figure.selection is None


def test_by_touch_on_a_phone(open_figure):
    figure = open_figure(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    figure.page.touchscreen.tap(*figure.on_map(1, 2, 1))
    figure.expect_selection(figure.patch(1, 2, 1))
    figure.expect_values("tall", 2, 1)
    figure.element.locator(".pickers label").nth(2).tap()
    figure.expect_painted(1)
    assert figure.page.evaluate("document.documentElement.scrollWidth") == 390


def opened(tmp_path, serve, open_page, spoil=lambda site: None, change=lambda layer: layer, **attributes):
    bundle = channels_site(tmp_path / "site", "pca", attributes, change)
    spoil(tmp_path / "site")
    return Colored(open_page(serve(tmp_path / "site"), init=HEARD), bundle)


def test_without_the_colours_the_overlays_work(tmp_path, serve, open_page):
    def spoil(site):
        path = site / "tables" / "2-components.bin"
        path.write_bytes(path.read_bytes()[:-1])

    figure = opened(tmp_path, serve, open_page, spoil).ready()
    box = figure.element.get_by_role("alert").filter(visible=True)
    expect(box).to_contain_text("The colours cannot be shown. tables/2-components.bin: is")
    assert len(figure.page.evaluate("heard")) == 1
    expect(figure.maps).to_have_count(0)
    expect(figure.element.locator(".pickers")).to_be_hidden()
    expect(figure.element.locator(".components")).to_be_hidden()
    figure.hover(1, 2, 2)
    figure.expect_scores()
    assert all(any(figure.drawn(n)) for n in range(4))
    figure.element.locator("input[value=plain]").check()
    figure.layer = "plain"
    expect(box).to_have_count(0)
    figure.expect_painted()


def test_what_the_attributes_ask_for(tmp_path, serve, open_page):
    figure = opened(tmp_path, serve, open_page, component="2", images="tall,strip").ready()
    expect(figure.tiles).to_have_count(2)
    figure.expect_painted(1)
    for wrong in ("0", "4", "red", ""):
        figure.element.evaluate("(element, wrong) => { element.component = wrong; }", wrong)
        expect(figure.element.get_by_role("alert")).to_contain_text(f'the attribute component is "{wrong}"; expected 1, 2 or 3, or none for all three')


def test_a_bundle_without_components_says_how_to_get_them(tmp_path, serve, open_page):
    figure = opened(tmp_path, serve, open_page, change=lambda layer: replace(layer, components=None))
    figure.expect_error("this bundle has no components; export with --figures pca to have them")
