"""Pages with the figure `transforms`: made-up images under made-up series, and the figure as a reader handles it."""

from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import expect

from exporter import load_bundle
from exporter.manifest import Figure as Shown
from exporter.manifest import Selection, Series, Step, Version
from exporter.site import write_site
from tests.browser.conftest import Figure
from tests.fixtures.make import LayerPlan, Plan, write_bundle

SIZES = {"plain": (48, 48), "wide": (96, 64), "tall": (64, 96)}
TURN = Series("turn", "rotate", "Rotation", "degrees clockwise", tuple(Step(a, f"{a}°") for a in range(0, 360, 45)), 0, True, {}, "Corners are <grey>.")
SLIDE = Series("slide", "translate", "Shift", "% of the width", tuple(Step(a, f"{a:+} %" if a else "0 %") for a in (-60, -30, 0, 30, 60)), 2, False, {}, "")
UNDER = {"wide": (TURN, SLIDE), "tall": (TURN,)}
LAYERS = (LayerPlan("fine", 8, 9, signed=True), LayerPlan("deep", 16, 16, signed=False))
COMPARED = ("corresponding patch", "best match", "same place")


def matrix_of(series, value, width, height):
    """3 x 3, in fractions of the image: a clockwise turn about its middle, or a shift to the right."""
    if series is SLIDE:
        return np.array([[1, 0, value / 100], [0, 1, 0], [0, 0, 1]])
    a = np.deg2rad(value)
    about = np.array([[np.cos(a), -np.sin(a) * height / width, 0], [np.sin(a) * width / height, np.cos(a), 0], [0, 0, 1]])
    move = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return move @ about @ np.linalg.inv(move)


def version_id(of, series, step):
    return f"{of}@{series.id}-{series.steps[step].value:g}"


def versions_site(site, change=None, shard_bytes=1 << 20, dims=9):
    """Write a site with the figure `transforms`; change: of the manifest; dims: of the layer `fine`. The files of `wide@slide-60` have one column more than the original. Returns its bundle."""
    versions = {}
    for of, under in UNDER.items():
        for series in under:
            for step, one in enumerate(series.steps):
                if step != series.original:
                    flat = matrix_of(series, one.value, *SIZES[of])[:2].ravel()
                    versions[version_id(of, series, step)] = Version(of, series.id, step, tuple(map(float, flat)))
    sizes = SIZES | {id: SIZES[version.of] for id, version in versions.items()} | {"wide@slide-60": (112, 64)}
    layers = (replace(LAYERS[0], dims=dims), LAYERS[1])
    manifest = write_bundle(site, Plan(images=sizes, layers=layers, shard_bytes=shard_bytes, seed=11)).manifest
    images = tuple(replace(image, version=versions.get(image.id), group="") for image in manifest.images)
    manifest = replace(manifest, images=images, series=(TURN, SLIDE), selection=Selection("wide", "fine", 4, 6), figures=(Shown("transforms", {}),))
    write_site(site, change(manifest) if change else manifest)
    return load_bundle(site)


@pytest.fixture
def transforms(tmp_path_factory, made_once, serve, open_page):
    """A function that opens a page with the figure, not waiting for it: transforms(change of the manifest, spoil=of the site and its bundle, made=more for versions_site, **options of new_page)."""

    def open_(change=None, spoil=None, made={}, **options):
        if change or spoil or made:
            site = tmp_path_factory.mktemp("transforms") / "site"
            versions_site(site, change, **made)
        else:
            site = made_once("transforms", lambda folder: versions_site(folder / "site")) / "site"
        bundle = load_bundle(site)
        if spoil:
            spoil(site, bundle)
        return Transforms(open_page(serve(site), **options), bundle)

    return open_


class Transforms(Figure):
    """The figure `transforms`: its tiles are the two of the stage and then those of the wall; here they go by the id of their image, in the wall."""

    def __init__(self, frame, bundle, selector="[figure=transforms]"):
        super().__init__(frame, bundle, selector)
        self.wall, self.plot = self.element.locator(".version"), self.element.get_by_role("slider", name="degrees").or_(self.element.get_by_role("slider", name="%"))
        self.tiles = self.wall.locator(".tile")
        self.source, self.compared = (self.element.locator(".stage .tile").nth(n) for n in range(2))
        self.byid = {image.id: image for image in bundle.images}

    def steps(self, of="wide", series=TURN):
        """Ids of the images, step by step."""
        return [of if step == series.original else version_id(of, series, step) for step in range(len(series.steps))]

    def hover_id(self, image, row, col):
        self.hover(self.tile_of(image), row, col)

    def click_id(self, image, row, col):
        self.click(self.tile_of(image), row, col)

    def corresponding(self, image, row, col, other):
        """(row, col) on another image, or None out of frame; by matrices of three rows."""
        def matrix(id):
            version = self.byid[id].version
            series, step = (TURN if version.series == "turn" else SLIDE, version.step) if version else (TURN, 0)
            return matrix_of(series, series.steps[step].value, *SIZES[version.of if version else id])

        (rows, cols), (to_rows, to_cols) = self.bundle.grid(image, self.layer), self.bundle.grid(other, self.layer)
        x, y, _ = matrix(other) @ np.linalg.inv(matrix(image)) @ ((col + 0.5) / cols, (row + 0.5) / rows, 1)
        return (int(y * to_rows + 1e-7), int(x * to_cols + 1e-7)) if 0 <= x <= 1 and 0 <= y <= 1 else None

    def expected(self, image, row, col, other):
        """What is compared on another image: three values as they are printed."""
        scores = self.bundle.similarity(image, self.layer, row, col)[other]
        there = self.corresponding(image, row, col, other)
        (rows, cols), grid = self.bundle.grid(image, self.layer), scores.shape
        same = scores[int((row + 0.5) / rows * grid[0]), int((col + 0.5) / cols * grid[1])]
        return ["out of frame" if there is None else printed(scores[there]), printed(scores.max()), printed(same)]

    def expect_values(self, step, image, row, col, other):
        """The readout and the slider tell how a patch compares with a step."""
        words = self.expected(image, row, col, other)
        expect(self.plot).to_have_attribute("aria-valuetext", f"{step}: " + ", ".join(f"{what} {word}" for what, word in zip(COMPARED, words, strict=True)))
        expect(self.element.locator(".entries b")).to_have_text(words)

    def expect_outlines(self, image, row, col):
        """On every tile of the wall the corresponding patch is outlined and its value told; out of frame the tile says so."""
        for n in range(self.tiles.count()):
            other, mark, words = self.image(n), self.wall.nth(n).locator(".corresponding"), self.wall.nth(n).locator("figcaption")
            there = self.corresponding(image, row, col, other)
            if other == image:
                expect(words).to_contain_text("selected")
                expect(self.tiles.nth(n).locator(".selected")).to_be_visible()
            else:
                expect(words).to_contain_text(self.expected(image, row, col, other)[0])
            if there is None or other == image:
                expect(mark).to_be_hidden()
            else:
                expect(mark).to_be_visible()
                assert cell_of(mark, self.tiles.nth(n), self.bundle.grid(other, self.layer)) == there

    def pick(self, label):
        """Point at the place of a step on the chart, by its label or the number of its place."""
        self.plot.scroll_into_view_if_needed()
        x, y = self.place(label)
        self.page.mouse.move(x, y)

    def place(self, n):
        """Where the nth place on the chart is on the screen, half way up."""
        last = int(self.plot.get_attribute("aria-valuemax"))
        box, left, right = self.plot.bounding_box(), 34, 20
        return box["x"] + left + (box["width"] - left - right) * n / last, box["y"] + box["height"] / 2

    def table(self):
        """The rows of the table, headers and all, once it is open."""
        return self.element.locator("table tr").evaluate_all("rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))")


def printed(value):
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")


def cell_of(mark, tile, grid):
    """(row, col) of the cell in whose middle a mark is."""
    box, around = mark.bounding_box(), tile.bounding_box()
    at = np.array([box["y"] + box["height"] / 2 - around["y"], box["x"] + box["width"] / 2 - around["x"]]) / (around["height"], around["width"]) * grid
    assert (np.abs(at - np.floor(at) - 0.5) < 0.08).all()
    return tuple(int(n) for n in at)
