"""Pages with the figure `factors`: made-up weights of made-up layers, written byte by byte as FORMAT.md says, and the figure as a reader handles it."""

import hashlib
import struct
import zlib
from dataclasses import replace

import numpy as np
from playwright.sync_api import expect

from exporter import load_bundle
from exporter.manifest import FactorSet
from exporter.manifest import Figure as Shown
from exporter.site import write_site
from tests.browser.conftest import Figure
from tests.fixtures.make import LayerPlan, Plan, write_bundle

PLAN = Plan(
    images={"wide": (96, 64), "tall": (64, 96), "square": (80, 80), "strip": (96, 48)},
    layers=(LayerPlan("fine", 4, 9, signed=False), LayerPlan("plain", 12, 12, signed=True), LayerPlan("deep", 16, 16, signed=True)),
    shard_bytes=1 << 20,
    seed=11,
)
COLORS = np.array([[0xE6, 0x9F, 0x00], [0x56, 0xB4, 0xE9], [0xCC, 0x79, 0xA7], [0x00, 0xA8, 0x78]])
GROUP = "animals"  # all images of a made-up bundle but the first


class Weights:
    """A made-up set of factors: bytes[image id] is uint8 (rows, cols, count)."""

    def __init__(self, factors, codes):
        self.set, self.bytes = factors, codes
        self.peaks = np.array(factors.peaks)

    def of(self, image):
        """The weights of an image, float (rows, cols, count)."""
        return self.bytes[image] / 255 * self.peaks

    def shares(self, image, row, col):
        """The shares of the factors in a patch as a figure prints them."""
        weights = self.of(image)[row, col]
        return [f"{int(np.floor(100 * one / weights.sum() + 0.5))}\N{THIN SPACE}%" for one in weights]

    def best(self, factor):
        """[(weight, image id, row, col)], each image's patch with the most of a factor, the greatest first."""
        found = [(self.of(id)[..., factor].max(), id, *map(int, np.unravel_index(codes[..., factor].argmax(), codes.shape[:2]))) for id, codes in self.bytes.items()]
        return sorted(found, key=lambda match: -match[0])


def make_weights(site, manifest, id, layer, count, *, group=None, empty=(), **more):
    """Write the file of a set with seeded weights, each patch mostly of one factor, and describe it; empty: factors without any weight."""
    random = np.random.default_rng(sum(id.encode()))
    grids = next(one.grids for one in manifest.layers if one.id == layer)
    codes = {}
    for image, grid in zip(manifest.images, grids, strict=True):
        if group is None or image.group == group:
            leading = np.eye(count)[random.integers(0, count, grid)]
            codes[image.id] = (random.integers(0, 90, (*grid, count)) + 160 * leading).astype(np.uint8) * [factor not in empty for factor in range(count)]
    flat = np.concatenate([one.reshape(-1, count) for one in codes.values()]).astype(np.uint8)
    data = struct.pack("<4sHHII", b"OVLF", 1, 0, count, len(flat)) + zlib.compress(flat.T.tobytes())
    file = f"factors/{id}.bin"
    (site / file).parent.mkdir(exist_ok=True)
    (site / file).write_bytes(data)
    peaks = tuple(round(0.9 - 0.07 * factor, 2) for factor in range(count))
    facts = {"module": layer, "parts": "whole", "error": 0.634, **more}
    return Weights(FactorSet(id, layer, count=count, patches=len(flat), peaks=peaks, file=file, bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), group=group, **facts), codes)


def factor_site(site, plan=PLAN, attributes=None):
    """Write a site with the figure `factors`, whose layer `plain` has none. Returns its bundle and {id: Weights}."""
    manifest = write_bundle(site, plan).manifest
    made = [
        make_weights(site, manifest, "deep-3", "deep", 3, module="deep.expand", parts="positive"),
        make_weights(site, manifest, "deep-4", "deep", 4, parts="split"),
        make_weights(site, manifest, "deep-3-animals", "deep", 3, group=GROUP),
        make_weights(site, manifest, "fine-4", "fine", 4, empty=[2]),
    ]
    write_site(site, replace(manifest, factors=tuple(one.set for one in made), figures=(Shown("factors", attributes or {}),)))
    return load_bundle(site), {one.set.id: one for one in made}


def painted(colors, codes, alone=None):
    """What a map of factors looks like: RGBA, uint8 (rows, cols, 4), of weights as (bytes, peaks); colours mixed in OKLab."""
    codes, peaks = codes
    if alone is not None:
        rgb = np.broadcast_to(colors[alone], (*codes.shape[:2], 3))
        return np.dstack([rgb, codes[..., alone]]).astype(float)
    weights = (codes * peaks) ** 2
    lab = _to_lab(colors[: codes.shape[-1]] / 255)
    mixed = _from_lab((weights / weights.sum(-1, keepdims=True)) @ lab)
    return np.dstack([255 * mixed, codes.max(-1)])


_LMS = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]])
_LAB = np.array([[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099], [0.0259040371, 0.7827717662, -0.808675766]])


def _to_lab(rgb):
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ _LMS.T) @ _LAB.T


def _from_lab(lab):
    linear = ((lab @ np.linalg.inv(_LAB).T) ** 3 @ np.linalg.inv(_LMS).T).clip(0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


class Factored(Figure):
    """The figure: its tiles are those of the overlays, `maps` those of the factors."""

    def __init__(self, frame, bundle, weights, layer="deep"):
        super().__init__(frame, bundle, "[figure=factors]", layer)
        self.weights = weights
        self.tiles = self.element.locator(".tile:not(.of-factors)")
        self.maps = self.element.locator(".tile.of-factors")
        self.chips = self.element.locator(".chip")
        self.rows = self.element.locator(".factor")

    def on_map(self, n, row, col):
        """Where the centre of a patch of a map of factors is on the screen."""
        tiles, self.tiles = self.tiles, self.maps
        place = self.at(n, row, col)
        self.tiles = tiles
        return place

    def shares(self):
        """What the chips say of the patch that is told."""
        return self.chips.locator(".share").all_inner_texts()

    def expect_shares(self, set_id, image, row, col):
        for chip, share in zip(self.chips.all(), self.weights[set_id].shares(image, row, col), strict=True):
            expect(chip.locator(".share")).to_have_text(share)

    def expect_painted(self, set_id, alone=None, opacity=0.8):
        """Every map is that of the weights, of one factor or of all."""
        weights = self.weights[set_id]
        for n in range(self.maps.count()):
            id = self.image(n)
            wanted = painted(COLORS, (weights.bytes[id], weights.peaks), alone)
            drawn = np.array(self.maps.nth(n).evaluate("tile => { const c = tile.querySelector('canvas'); return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]; }"))
            drawn = drawn.reshape(wanted.shape)
            alpha = np.round(wanted[..., 3] * opacity)
            assert np.abs(drawn[..., 3] - alpha).max() <= 1, id
            # A canvas keeps colours times opacity: of little opacity few bits are left.
            sure = alpha > 40
            assert sure.any() and (np.abs(drawn - wanted)[sure][:, :3] <= (2 + 200 / alpha[sure])[:, None]).all(), id

    def expect_alone(self, factor):
        """The chip of that factor, or none, is marked as shown alone."""
        expect(self.element.locator(".chip.alone")).to_have_count(0 if factor is None else 1)
        if factor is not None:
            expect(self.element.locator(".chip.alone")).to_contain_text(f"factor {factor + 1}")

    def held(self):
        return [chip.get_attribute("aria-pressed") for chip in self.chips.all()]
