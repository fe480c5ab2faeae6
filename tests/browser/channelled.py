"""Pages with the figures `channels` and `pca`: made-up features, of which the exporter makes tables, and the figures as a reader handles them."""

from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import expect

from exporter import load_bundle
from exporter.activations import measure_activations
from exporter.candidates import PLAIN
from exporter.components import color_components
from exporter.manifest import Figure as Shown
from exporter.progress import silent
from exporter.rotation import find_rotation
from exporter.site import write_site
from exporter.tables import write_table
from tests.browser.conftest import Figure
from tests.fixtures.make import LayerPlan, Plan, encode_layer, write_bundle
from tests.made_maps import MadeMaps

IMAGES = {"wide": (96, 64), "tall": (64, 96), "square": (80, 80), "strip": (96, 48)}
STRIDE = 16
# Channels of the layers, whether they have negative values, and the dims that are left of rotated codes.
LAYERS = {"relu": (5, False, None), "plain": (12, True, None), "deep": (14, True, 9)}
DRAWN = """tiles => tiles.map((tile) => {
    const canvas = tile.querySelector('canvas');
    return [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data];
})"""


def features_of(layer):
    channels, signed, _ = LAYERS[layer]
    random = np.random.default_rng(sum(layer.encode()))
    mixing = random.normal(size=(channels, channels))
    maps = [random.exponential(1, (height // STRIDE, width // STRIDE, channels)) @ mixing * random.uniform(1, 30) for width, height in IMAGES.values()]
    maps[0][0, 0] = 0
    return [one if signed else one.clip(0) for one in maps]


def made_layer(site, layer, number):
    """A layer with all tables."""
    channels, signed, dims = LAYERS[layer]
    maps = MadeMaps(features_of(layer))
    coder = PLAIN if dims is None else replace(PLAIN, rotation=find_rotation([maps.flat]).cut(dims))
    turned = maps.features if dims is None else [coder.rotation(one.reshape(-1, channels)).reshape(*one.shape[:2], dims) for one in maps.features]

    def write(name, values, type):
        return write_table(site, f"tables/{number}-{name}.bin", values, type)

    entry = replace(encode_layer(site, layer, turned), channels=channels, signed=signed, integers=coder.text)
    found = measure_activations(maps, len(IMAGES), coder, signed, layer, write, silent)
    return replace(entry, activations=found, components=color_components(maps, len(IMAGES), layer, write, silent))


def channels_site(site, figure, attributes=None, change=lambda layer: layer):
    """Write a site with one figure, whose layer `bare` has no tables; change: of an entry of a layer. Returns its bundle."""
    manifest = write_bundle(site, Plan(IMAGES, (LayerPlan("bare", STRIDE, 4, signed=True),), 1 << 20, seed=11)).manifest
    layers = [*manifest.layers, *(change(made_layer(site, layer, number)) for number, layer in enumerate(LAYERS))]
    selection = replace(manifest.selection, layer="deep")
    write_site(site, replace(manifest, layers=tuple(layers), selection=selection, figures=(Shown(figure, attributes or {}),)))
    return load_bundle(site)


class Channelled(Figure):
    """The figure `channels`, with what numpy says of the codes."""

    def __init__(self, frame, bundle, layer="deep"):
        super().__init__(frame, bundle, "[figure=channels]", layer)
        self.rows = self.element.locator(".row").filter(visible=True)
        self.about = self.element.locator(".channel-list .about")

    @property
    def entry(self):
        return next(one for one in self.bundle.layers if one.id == self.layer)

    def unit(self, image, row, col):
        """What a patch is in every channel, float64."""
        code = self.bundle.codes(image, self.layer)[row, col].astype(float)
        basis = self.entry.activations.basis
        values = code if basis is None else self.bundle.table(basis).astype(float) @ code
        return values / np.linalg.norm(code)

    def expect_ranking(self, patch, other=None, count=12):
        """The list ranks by squares of a patch's channels, or their products with those of another; both (image, row, col). Returns the order."""
        values = self.unit(*patch)
        parts = values * self.unit(*(other or patch))
        order = sorted(range(len(parts)), key=lambda channel: (-abs(parts[channel]), channel))[:count]
        expect(self.rows.locator(".channel b")).to_have_text([str(channel) for channel in order])
        expect(self.rows.locator(".part")).to_have_text([signed(parts[channel]) for channel in order])
        bars = self.rows.locator(".track i").evaluate_all("bars => bars.map((bar) => [new DOMMatrix(getComputedStyle(bar).transform).a, bar.classList.contains('low')])")
        assert [length for length, _ in bars] == pytest.approx((parts[order] / np.abs(parts).max()).tolist(), abs=1e-3)
        assert [low for _, low in bars] == (values[order] < 0).tolist()
        expect(self.about).to_contain_text(f"all {len(parts)} add up to {two(parts.sum())}")
        expect(self.about).to_contain_text(f"these {len(order)} to {two(parts[order].sum())}.")
        return order

    def expect_map(self, channel):
        """Every image shows that channel: its pixels are the colours of the values that Python computes."""
        found, own = self.bundle.channel(self.layer, channel), self.entry.activations
        ends = [self.bundle.table(table)[channel, 0] for table in (own.values, own.low_values) if table]
        reach = float(np.abs(ends).max())
        self.frame.wait_for_function("([element, unit]) => element.shadowRoot.querySelector('.legend').textContent.endsWith(unit)", arg=[self.element.element_handle(), f"channel {channel}"])
        expect(self.element.locator(".legend")).to_contain_text(f"≥{two(reach)}")
        low = -reach if self.entry.signed else 0
        for image, drawn in zip(map(self.image, range(self.tiles.count())), self.tiles.evaluate_all(DRAWN), strict=True):
            alpha = np.array(drawn).reshape(*found[image].shape, 4)[..., 3]
            steps = np.floor((found[image] - low) / (reach - low) * 255 + 0.5).clip(0, 255)
            strength = np.abs(steps / 127.5 - 1) if self.entry.signed else steps / 255
            assert np.abs(alpha - 255 * 0.8 * np.minimum(1, 1.25 * strength)).max() <= 2.5  # a value near the edge of a step may be in the next one

    def js_channel(self, channel):
        """The values of a channel by the browser: {image id: rows x cols, flat}."""
        script = """async (element, channel) => {
            const { loadActivations } = await import(new URL('js/channels/activations.js', location).href);
            const { bundle, layer, codes } = element.state;
            const { activations } = await loadActivations(bundle, layer);
            return Object.fromEntries(bundle.images.map(({ id }, image) => [id, [...activations.map(codes, channel, image)]]));
        }"""
        return self.element.evaluate(script, channel)


def two(value):
    """A number as figures print it."""
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")


def signed(value):
    text = f"{abs(value):.3f}"
    return text if text == "0.000" else ("\N{MINUS SIGN}" if value < 0 else "+") + text
