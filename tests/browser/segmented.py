"""Pages with the figure `segment`: a made-up bundle, three of its images with made-up masks, and the figure as a reader handles it."""

import re
from dataclasses import replace

import numpy as np
from playwright.sync_api import expect

from exporter import load_bundle
from exporter.manifest import Figure as Shown
from exporter.segment import LEVELS, iou, otsu, upsample
from exporter.site import write_site
from exporter.tables import write_table
from tests.browser.conftest import Figure
from tests.fixtures.make import LayerPlan, Plan, make_mask, write_bundle

PLAN = Plan(
    images={"wide": (96, 64), "tall": (64, 96), "square": (80, 80), "strip": (96, 48)},
    layers=(LayerPlan("fine", 4, 9, signed=False), LayerPlan("deep", 16, 16, signed=True)),
    shard_bytes=1 << 20,
    seed=12,
)
# The size of a tile's canvas, and 0 or 1 for each pixel. As text: a list of so many numbers would take seconds to come.
WHERE = """tile => {
    const canvas = tile.querySelector('canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let digits = '';
    for (let at = 0; at < data.length; at += 4) {
        const [red, alpha] = [data[at], data[at + 3]];
        digits += CONDITION ? '1' : '0';
    }
    return [canvas.height, canvas.width, digits];
}"""
MASKED = ("tall", "square", "strip")


def segment_site(site, masked=MASKED, attributes=None, plan=PLAN):
    """Write a site with the figure `segment`. Returns its bundle."""
    manifest = write_bundle(site, plan).manifest
    tables = {image.id: write_table(site, f"masks/{number}.bin", make_mask(image, number), "u8") for number, image in enumerate(manifest.images) if image.id in masked}
    images = tuple(replace(image, mask=tables.get(image.id)) for image in manifest.images)
    write_site(site, replace(manifest, images=images, figures=(Shown("segment", attributes or {}),)))
    return load_bundle(site)


class Segmented(Figure):
    """The figure: `tiles` are those of the masks, `examples` those that are painted on. `support` is what Python takes for what is painted."""

    def __init__(self, frame, bundle, layer="deep"):
        super().__init__(frame, bundle, "[figure=segment]", layer)
        self.tiles = self.element.locator(".tile.of-masks")
        self.examples = self.element.locator(".tile.of-example")
        self.slider = self.element.get_by_label("Threshold", exact=True).and_(self.frame.locator("input"))
        self.said = self.element.locator(".said")

    def at_example(self, n, row, col, scroll=True):
        """Where the centre of a patch of an example is on the screen."""
        tiles, self.tiles = self.tiles, self.examples
        place = self.at(n, row, col, scroll)
        self.tiles = tiles
        return place

    def painted(self, n=0):
        """The painted cells of an example as they are drawn, bool (rows, cols)."""
        return self._where(self.examples.nth(n), "alpha > 140")

    def expect_painted(self, count, n=0):
        expect(self.element.locator(".example .count").nth(n)).to_contain_text(re.compile(rf"^\s*{count} of "))

    def mask_of(self, n):
        """What is drawn on a tile as foreground: bool (height, width) of its canvas. It is clear but for its edge, which is bright."""
        return self._where(self.tiles.nth(n), "alpha === 0 || red > 200")

    def _where(self, tile, condition):
        height, width, digits = tile.evaluate(WHERE.replace("CONDITION", condition))
        return np.frombuffer(digits.encode(), np.uint8).reshape(height, width) == ord("1")

    def expect_masks(self, support, smooth=True, **how):
        """Scores, threshold, IoU and every mask are Python's, at the threshold that the page says it has. Returns that."""
        expect(self.element.locator(".segment")).to_have_attribute("aria-busy", "false")
        scores = self.bundle.foreground_scores(layer=self.layer, support=support, **how)
        flat = np.concatenate([values.ravel() for values in scores.values()]).astype(np.float64)
        level = flat.min() + int(self.slider.input_value()) * (flat.max() - flat.min()) / LEVELS
        expect(self.said).to_contain_text(f"threshold {level:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}"))
        assert self.tiles.count() == len(scores)
        for n in range(self.tiles.count()):
            id, drawn = self.image(n), self.mask_of(n)
            pixels = upsample(scores[id], drawn.shape) if smooth else _crisp(scores[id], drawn.shape)
            assert (drawn != (pixels >= level)).mean() < 0.001, id
            truth = self.bundle.mask(id)
            if truth is not None and smooth:
                expect(self.tiles.nth(n).locator(".iou")).to_have_text(f"IoU {iou(upsample(scores[id], truth.shape) >= level, truth):.2f}")
        return level


def levels(bundle, layer, support, **how):
    """(best level by mean IoU, Otsu's level), as the slider counts them."""
    scores = bundle.foreground_scores(layer=layer, support=support, **how)
    flat = np.concatenate([values.ravel() for values in scores.values()])
    low, high = float(flat.min()), float(flat.max())
    known = {id: (upsample(scores[id], truth.shape), truth) for id in scores if (truth := bundle.mask(id)) is not None}
    curve = [np.mean([iou(pixels >= low + level * (high - low) / LEVELS, truth) for pixels, truth in known.values()] or [0]) for level in range(LEVELS + 1)]
    return int(np.argmax(curve)), round((otsu(flat) - low) / (high - low) * LEVELS)


def _crisp(scores, shape):
    rows, cols = ((np.arange(side) + 0.5) * cells / side for side, cells in zip(shape, scores.shape, strict=True))
    return scores[rows.astype(int)][:, cols.astype(int)]
