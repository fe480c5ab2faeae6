"""Pages with the figure `layers`: made-up layers whose grids do not nest, and their panels as a reader handles them."""

from dataclasses import replace

import numpy as np
from playwright.sync_api import expect

from exporter import load_bundle
from exporter.manifest import Figure as Shown
from exporter.site import write_site
from tests.browser.conftest import Figure
from tests.fixtures.make import LayerPlan, Plan, write_bundle

PLAN = Plan(
    images={"wide": (96, 64), "tall": (64, 96), "square": (80, 80)},
    layers=(LayerPlan("fine", 4, 9, signed=False), LayerPlan("middle", 12, 12, signed=True), LayerPlan("deep", 20, 16, signed=True)),
    shard_bytes=1 << 20,
    seed=42,
)


def layers_site(site, change=None, spoil=()):
    """Write a site with the figure `layers` and then the gallery; change: of the manifest; spoil: layers whose shards get another last byte. Returns it and its bundle."""
    manifest = replace(write_bundle(site, PLAN).manifest, figures=(Shown("layers", {}), Shown("gallery", {})))
    write_site(site, change(manifest) if change else manifest)
    bundle = load_bundle(site)
    for layer in bundle.layers:
        if layer.id in spoil:
            path = site / layer.shards[0].file
            data = path.read_bytes()
            path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    return site, bundle


def networks(manifest, **named):
    """A change of the manifest: its layers as those of several networks, {id: name}; the opening is left out."""
    one = manifest.networks[0]
    layers = tuple(replace(layer, id=f"{id}/{layer.id}", network=id) for id in named for layer in manifest.layers)
    return replace(manifest, networks=tuple(replace(one, id=id, name=name) for id, name in named.items()), layers=layers, selection=None)


class Panels(Figure):
    """The figure `layers`: its tiles are panels, each with the grid of its own layer."""

    def __init__(self, frame, bundle, selector="[figure=layers]"):
        super().__init__(frame, bundle, selector, bundle.layers[-1].id)
        self.panels = self.element.locator(".panel")

    @property
    def layers(self):
        """The ids of the layers of all tiles."""
        return self.tiles.evaluate_all("tiles => tiles.map(tile => tile.closest('.panel').dataset.layer)")

    def grid(self, n):
        return self.bundle.grid(self.image(n), self.layers[n])

    def patch(self, n, row, col, pinned=False):
        return {"image": self.image(n), "layer": self.layers[n], "row": row, "col": col, "pinned": pinned}

    def counterpart(self, m, row, col, n):
        """(row, col) of the cell of panel n on which the centre of a cell of panel m lies."""
        return tuple(int((at + 0.5) / before * count) for at, before, count in zip((row, col), self.grid(m), self.grid(n), strict=True))

    def selected(self, n):
        """(row, col) of the selected patch on panel n, by the selection that the element tells."""
        at = self.selection
        return self.counterpart(self.layers.index(at["layer"]), at["row"], at["col"], n)

    def value(self, n, row, col):
        """Similarity of a patch of a panel with the one selected there, as a figure prints it."""
        found = self.bundle.similarity(self.image(n), self.layers[n], *self.selected(n))[self.image(n)][row, col]
        return f"{found:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")

    def expect_scores(self):
        """What the element says of every panel's image is what Python says of the patch selected there."""
        for n, layer in enumerate(self.layers):
            wanted = self.bundle.similarity(self.image(n), layer, *self.selected(n))
            assert {image: self.scores(image, layer) for image in wanted} == {image: (*values.shape, values.ravel().tolist()) for image, values in wanted.items()}

    def expect_in_step(self):
        """The mark of every panel is in the middle of a cell of its own grid, and over the centre of the patch that the element tells; every map is painted."""
        at = self.selection
        rows, cols = self.grid(self.layers.index(at["layer"]))
        for n in range(self.tiles.count()):
            mark = self.tiles.nth(n).locator(".selected")
            expect(mark).to_be_visible()
            box, tile = mark.bounding_box(), self.tiles.nth(n).bounding_box()
            middle = np.array([box["y"] + box["height"] / 2 - tile["y"], box["x"] + box["width"] / 2 - tile["x"]]) / (tile["height"], tile["width"])
            cell = np.array([1 / count for count in self.grid(n)])
            assert (np.abs(middle / cell - np.floor(middle / cell) - 0.5) < 0.05).all()
            assert (np.abs(middle - ((at["row"] + 0.5) / rows, (at["col"] + 0.5) / cols)) <= cell / 2 + 0.005).all()
            assert any(self.drawn(n))

    def cursor(self, n):
        """The outline under the cursor, with its value, on panel n."""
        return self.tiles.nth(n).locator(".cursor")

    def expect_cursor(self, m, row, col):
        """Every panel frames its patch at the place of that one and tells its value."""
        for n in range(self.tiles.count()):
            expect(self.cursor(n)).to_have_text(self.value(n, *self.counterpart(m, row, col, n)))

    def legend(self, n):
        return self.panels.nth(n).locator(".legend > span:not(.ramp)").all_inner_texts()
