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

    def at_example(self, n, row, col):
        """Where the centre of a patch of an example is on the screen."""
        tiles, self.tiles = self.tiles, self.examples
        place = self.at(n, row, col)
        self.tiles = tiles
        return place

    def painted(self, n=0):
        """The painted cells of an example as they are drawn, bool (rows, cols)."""
        drawn = np.array(self.examples.nth(n).evaluate("tile => { const c = tile.querySelector('canvas'); return [c.height, c.width, ...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]; }"))
        return drawn[2:].reshape(drawn[0], drawn[1], 4)[..., 3] > 140

    def expect_painted(self, count, n=0):
        expect(self.element.locator(".example .count").nth(n)).to_contain_text(re.compile(rf"^\s*{count} of "))

    def mask_of(self, n):
        """What is drawn on a tile as foreground: bool (height, width) of its canvas."""
        drawn = np.array(self.tiles.nth(n).evaluate("tile => { const c = tile.querySelector('canvas'); return [c.height, c.width, ...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]; }"))
        pixels = drawn[2:].reshape(drawn[0], drawn[1], 4)
        # Foreground is clear but for its edge, which is bright.
        return (pixels[..., 3] == 0) | (pixels[..., 0] > 200)

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

    def levels(self, support, **how):
        """(best level by mean IoU, Otsu's level), as the slider counts them."""
        scores = self.bundle.foreground_scores(layer=self.layer, support=support, **how)
        flat = np.concatenate([values.ravel() for values in scores.values()])
        low, high = float(flat.min()), float(flat.max())
        truths = {id: self.bundle.mask(id) for id in scores if self.bundle.mask(id) is not None}
        found = []
        for level in range(LEVELS + 1):
            at = low + level * (high - low) / LEVELS
            found.append(np.mean([iou(upsample(scores[id], truth.shape) >= at, truth) for id, truth in truths.items()]) if truths else 0)
        return int(np.argmax(found)), round((otsu(flat) - low) / (high - low) * LEVELS)


def _crisp(scores, shape):
    rows, cols = ((np.arange(side) + 0.5) * cells / side for side, cells in zip(shape, scores.shape, strict=True))
    return scores[rows.astype(int)][:, cols.astype(int)]
