"""Pages with the figure `map`: made-up places of the patches and images of made-up layers, and the figure as a reader handles it."""

from dataclasses import replace

import numpy as np
from playwright.sync_api import expect

from exporter import load_bundle
from exporter.manifest import Figure as Shown
from exporter.manifest import PointMap
from exporter.page import write_page
from exporter.site import write_site
from exporter.tables import write_table
from tests.browser.conftest import Figure
from tests.browser.factored import make_weights, painted
from tests.fixtures.make import LayerPlan, Plan, write_bundle

PLAN = Plan(
    images={"wide": (96, 64), "tall": (64, 96), "square": (80, 80), "strip": (96, 48)},
    layers=(LayerPlan("fine", 8, 9, signed=False), LayerPlan("plain", 12, 12, signed=True), LayerPlan("deep", 16, 16, signed=True)),
    shard_bytes=1 << 20,
    seed=11,
)
# The palette's first ones: of the images, or of the classes, in order.
COLORS = np.array([[0xE6, 0x9F, 0x00], [0x56, 0xB4, 0xE9], [0xCC, 0x79, 0xA7], [0x00, 0xA8, 0x78]])
GREY = [140, 140, 146]
MARGIN = {"patches": 12, "images": 30}
SAMPLED = 60


class Places:
    """A made-up map: entry, items, and places (points, 2) from 0 to 1."""

    def __init__(self, entry, items, places):
        self.entry, self.items, self.places = entry, items, places


def scattered(count, seed):
    """Places far enough apart that a pointer means one of them: of a lattice, a little off, from edge to edge."""
    random = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(count)))
    chosen = np.sort(random.permutation(side * side)[:count])
    places = np.stack([chosen % side, chosen // side], axis=1) / max(1, side - 1) + random.uniform(-0.2, 0.2, (count, 2)) / max(1, side)
    return np.rint(random.permutation(places).clip(0, 1) * 65535).astype(np.uint16)


def place(site, layer, number, method, of, items, seed):
    coordinates = scattered(len(items), seed)
    tables = write_table(site, f"tables/{number}-{of}.bin", np.array(items)[None], "u32"), write_table(site, f"tables/{number}-{of}-{method}.bin", coordinates.T, "u16")
    total = sum(rows * cols for rows, cols in layer.grids) if of == "patches" else len(layer.grids)
    entry = PointMap(method, of, total, (0.31, 0.12) if method == "pca" else (), 0.0 if method == "pca" else 30.0, *tables)
    return Places(entry, np.array(items), coordinates / 65535)


def map_site(site, attributes=None):
    """Write a site with the figure `map`: all of `deep` is placed, of `fine` some patches, nothing of `plain`. Returns its bundle and {(layer, method, of): Places, "factors": the weights of those of `deep`}."""
    manifest = write_bundle(site, PLAN).manifest
    fine, plain, deep = manifest.layers
    patches = {layer.id: sum(rows * cols for rows, cols in layer.grids) for layer in manifest.layers}
    sampled = np.sort(np.random.default_rng(2).permutation(patches["fine"])[:SAMPLED])
    made = {
        ("fine", "tsne", "patches"): place(site, fine, 0, "tsne", "patches", sampled, 1),
        **{("deep", method, of): place(site, deep, 2, method, of, range(count), seed + count) for of, count in (("patches", patches["deep"]), ("images", 4)) for seed, method in enumerate(("pca", "tsne"))},
    }
    layers = tuple(replace(layer, maps=tuple(one.entry for (id, _, _), one in made.items() if id == layer.id)) for layer in manifest.layers)
    weights = make_weights(site, manifest, "deep-3", "deep", 3)
    write_site(site, replace(manifest, layers=layers, factors=(weights.set,), figures=(Shown("map", attributes or {}),)))
    made["factors"] = weights
    return load_bundle(site), made


def map_page(site):
    """The same as one HTML file."""
    return write_page(site, load_bundle(site).manifest)


class Mapped(Figure):
    """The figure: points by their number on the map that is shown."""

    def __init__(self, frame, bundle, made, layer="deep"):
        super().__init__(frame, bundle, "[figure=map]", layer)
        self.made, self.method, self.of = made, "tsne", "patches"
        self.surface = self.element.locator(".surface")
        self.canvas = self.element.locator(".surface canvas")

    def ready(self):
        super().ready()
        self.expect_map()
        return self

    @property
    def map(self):
        return self.made[self.layer, self.method, self.of]

    def show(self, **choice):
        """Choose another method, or what is placed: show(method="pca")."""
        for key, value in choice.items():
            setattr(self, key, value)
            self.element.locator(f".map-pickers input[value={value}]").check(force=True)
        self.expect_map()

    def use(self, tool):
        self.element.locator(f".map-pickers input[value={tool}]").check(force=True)

    def expect_map(self):
        words = {"pca": "Principal components", "tsne": "t-SNE"}[self.method]
        expect(self.element.locator(".made")).to_contain_text(words)
        expect(self.element.locator(".made")).to_contain_text(self.of)

    def image_of(self, point):
        """The number of its image and, on a map of patches, its (row, col)."""
        if self.of == "images":
            return int(self.map.items[point]), None
        item = int(self.map.items[point])
        for number, image in enumerate(self.bundle.images):
            rows, cols = self.bundle.grid(image.id, self.layer)
            if item < rows * cols:
                return number, divmod(item, cols)
            item -= rows * cols

    def patch_of(self, point, pinned=False):
        """As `selection` gives it."""
        number, (row, col) = self.image_of(point)
        return {"image": self.bundle.images[number].id, "layer": self.layer, "row": row, "col": col, "pinned": pinned}

    def point_of(self, image, row, col):
        """The number of the point of a patch."""
        numbers = [(self.bundle.images[self.image_of(point)[0]].id, *self.image_of(point)[1]) for point in range(len(self.map.items))]
        return numbers.index((image, row, col))

    def where(self, point):
        """CSS pixels of the plot, where the whole map is shown."""
        side, margin = self.surface.evaluate("surface => surface.clientWidth"), MARGIN[self.of]
        return margin + self.map.places[point] * (side - 2 * margin)

    def spot(self, point):
        """Where a point is on the screen."""
        box, (x, y) = self.box(), self.where(point)
        return box["x"] + x, box["y"] + y

    def box(self):
        """Where the plot is on the screen, once it is in view."""
        self.surface.evaluate("surface => surface.scrollIntoView({block: 'center', behavior: 'instant'})")
        return self.surface.bounding_box()

    def hover_point(self, point):
        self.page.mouse.move(*self.spot(point))

    def expect_ring(self, kind, point, near=False):
        """A ring is around that point, or, for None, nowhere."""
        ring = self.element.locator(f".ring.{kind}")
        expect(ring).to_have_attribute("visibility", "hidden" if point is None else "visible")
        if point is not None:
            x, y = self.where(point)
            self.frame.wait_for_function(
                "([ring, x, y]) => { const [, a, b] = /translate\\(([-.\\d]+) ([-.\\d]+)\\)/.exec(ring.getAttribute('transform') ?? '') ?? []; return Math.hypot(a - x, b - y) < 0.6; }",
                arg=[ring.element_handle(), float(x), float(y)],
            )
            assert ("near" in (ring.get_attribute("class") or "")) == near

    def pixels(self):
        """What is drawn in the middle of every point, uint8 (points, 4)."""
        ratio = self.page.evaluate("devicePixelRatio")
        places = np.array([np.floor(self.where(point) * ratio + 0.5) for point in range(len(self.map.items))]).astype(int)
        read = "(canvas, places) => { const c = canvas.getContext('2d'); return places.map(([x, y]) => [...c.getImageData(x, y, 1, 1).data]); }"
        return np.array(self.canvas.evaluate(read, places.tolist()))

    def expect_colors(self, colors, opacity=255):
        """Every point has its colour (points, 3) in the middle, and that opacity."""
        drawn = self.pixels()
        clear = np.abs(drawn[:, 3] - opacity) <= 1
        assert clear.all(), drawn[~clear]
        np.testing.assert_allclose(drawn[:, :3], colors, atol=1 if np.min(opacity) == 255 else 4)

    def factor_colors(self):
        """What the points should look like by their factors: mixed, and on grey as far as they are weak."""
        weights = self.made["factors"]
        maps = {id: painted(COLORS, (codes, weights.peaks)) for id, codes in weights.bytes.items()}
        wanted = np.array([maps[self.bundle.images[number].id][cell] for number, cell in map(self.image_of, range(len(self.map.items)))])
        strength = wanted[:, 3:] / 255
        return wanted[:, :3] * strength + np.array(GREY) * (1 - strength)

    def inside(self, outline):
        """Which points lie inside an outline in CSS pixels of the plot, by angles: a way of its own."""
        found = []
        for point in range(len(self.map.items)):
            toward = np.array(outline) - self.where(point)
            angles = np.arctan2(toward[:, 1], toward[:, 0])
            turns = (np.diff(np.append(angles, angles[0])) + np.pi) % (2 * np.pi) - np.pi
            found.append(abs(turns.sum()) > np.pi)
        return np.array(found)

    def expect_region(self, members):
        """The tiles and the words have these points, booleans; None: there is no region."""
        told = self.element.locator(".region [role=status]")
        if members is None:
            expect(told).to_contain_text("Draw a lasso or a box")
            expect(self.element.locator(".tally:visible")).to_have_count(0)
            expect(self.element.locator(".tile.in-region")).to_have_count(0)
            return
        counts = np.bincount([self.image_of(point)[0] for point in np.flatnonzero(members)], minlength=len(self.bundle.images))
        expect(told).to_contain_text(f"{members.sum()} of {len(members)} {self.of}")
        for n in range(self.tiles.count()):
            number = int(self.tiles.nth(n).get_attribute("data-image"))
            rows, cols = self.bundle.grid(self.bundle.images[number].id, self.layer)
            lit = np.zeros((rows, cols), bool)
            for point in np.flatnonzero(members):
                if self.image_of(point)[0] == number:
                    lit[self.image_of(point)[1] or ...] = True
            tally = self.tiles.nth(n).locator(".tally")
            if self.of == "patches" and counts[number]:
                expect(tally).to_have_text(str(counts[number]))
            else:
                expect(tally).to_be_hidden()
            alpha = np.array(self.drawn(n)).reshape(rows * 8, cols * 8, 4)[4::8, 4::8, 3]
            np.testing.assert_array_equal(alpha == 0, lit)
