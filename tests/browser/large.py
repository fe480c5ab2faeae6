"""A site of many images with a layer of several shards, made up and not run through a network, and its gallery as a reader handles it."""

import hashlib
from unittest import mock

import numpy as np
from PIL import Image as Picture
from playwright.sync_api import expect

from exporter import load_bundle, shards
from exporter.encodings import ENCODINGS
from exporter.manifest import Figure as Shown
from exporter.manifest import Image, Layer, Manifest, Network, Selection, SimilarityError
from exporter.shards import ShardWriter
from exporter.site import write_site
from tests.browser.conftest import Figure

COUNT, PER_SHARD, SHARDS = 120, 12, range(10)
# More bytes than a page takes whole, which is 4 MiB.
WIDE = {"id": "wide", "dims": 384, "stride": 5, "encoding": "int8-deflate"}
SMALL = {"id": "small", "dims": 16, "stride": 20, "encoding": "int8"}
OPENING = Selection("p030", "wide", 3, 4)
SIZES = ((60, 40), (40, 60), (60, 40), (60, 45))
DESK = {"viewport": {"width": 800, "height": 500}}

# Holds the shards of the layer `wide` back, as numbers, until `gate.let` them come; `gate.spoilt` says of some that they are "missing" or "altered".
GATE = """window.heard = [];
addEventListener('overlay-error', (event) => heard.push(event.detail.message));
window.gate = {
    asked: [], waiting: [], free: new Set(), spoilt: {},
    let(numbers) {
        for (const number of numbers) gate.free.add(number);
        for (const { go } of gate.waiting.filter(({ number }) => gate.free.has(number))) go();
        gate.waiting = gate.waiting.filter(({ number }) => !gate.free.has(number));
    },
    async answer(number, ask) {
        gate.asked.push(number);
        if (!gate.free.has(number)) await new Promise((go) => gate.waiting.push({ number, go }));
        if (gate.spoilt[number] === 'missing') return new Response('', { status: 404 });
        const response = await ask();
        if (gate.spoilt[number] !== 'altered') return response;
        const bytes = new Uint8Array(await response.arrayBuffer());
        bytes[bytes.length - 1] ^= 1;
        return new Response(bytes);
    },
};
const load = window.fetch;
window.fetch = (url, ...more) => {
    const [, number] = String(url).match(/wide-(\\d+)/) ?? [];
    return number === undefined ? load(url, ...more) : gate.answer(Number(number), () => load(url, ...more));
};
"""
FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def large_site(site):
    """Write a site of 120 images with the layers `small` and `wide`, the second in ten shards of twelve images, and a gallery. Returns its bundle."""
    random = np.random.default_rng(120)
    for folder in ("features", "images"):
        (site / folder).mkdir(parents=True)
    images = tuple(_write_image(site, number, random) for number in range(COUNT))
    layers = tuple(_write_layer(site, images, random, **plan) for plan in (SMALL, WIDE))
    network = Network("net", "made-up network", "tests/browser/large.py", "5" * 64, (0.0, 1.0), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    write_site(site, Manifest("tests", "Many images", "contain", 60, (network,), (), images, layers, (Shown("gallery", {}),), OPENING))
    bundle = load_bundle(site)
    assert [shard.count for shard in bundle.layers[1].shards] == [PER_SHARD] * len(SHARDS) and WIDE["encoding"] in ENCODINGS
    return bundle


def _write_image(site, number, random):
    (width, height), id = SIZES[number % len(SIZES)], f"p{number:03d}"
    path = site / "images" / f"{id}.jpg"
    blocks = random.integers(0, 256, (height // 5, width // 5, 3), dtype=np.uint8)
    Picture.fromarray(blocks.repeat(5, axis=0).repeat(5, axis=1)).save(path, quality=60)
    data = path.read_bytes()
    return Image(id, f"Picture {number}", "", f"images/{id}.jpg", len(data), hashlib.sha256(data).hexdigest(), width, height, "", "")


def _write_layer(site, images, random, *, id, dims, stride, encoding):
    """Every patch shows one of 40 things, more or less: maps of some structure whose best matches differ."""
    grids = tuple((image.height // stride, image.width // stride) for image in images)
    things = random.normal(0, 40, (40, dims))
    writer = ShardWriter(site, f"features/{id}", encoding)
    with mock.patch.object(shards, "TARGET_BYTES", sum(rows * cols for rows, cols in grids[:PER_SHARD]) * dims if id == "wide" else shards.TARGET_BYTES):
        for rows, cols in grids:
            noise = random.normal(0, random.uniform(5, 40), (rows, cols, dims))
            writer.add((things[random.integers(0, 40, (rows, cols))] + noise).clip(-127, 127).round().astype(np.int8))
        written = writer.close()
    return Layer(id, "net", id, stride, dims, dims, True, encoding, (0.0, 0.8), SimilarityError(0.0, 0.0, 1, 1), grids, written)


class Many(Figure):
    """The gallery of that site, whose shards of `wide` come as the page's gate lets them."""

    def __init__(self, page, bundle, selector="[figure=gallery]:not(#added)", layer="wide"):
        super().__init__(page, bundle, selector, layer)
        self.progress, self.bar, self.gaps = (self.element.locator(name) for name in (".arriving", ".arriving progress", ".gaps"))
        self.strip = self.element.locator(".closest button")

    def let(self, *numbers):
        """Have the codes of these shards come, in time or later."""
        self.page.evaluate("numbers => gate.let(numbers)", list(numbers))

    @property
    def asked(self):
        """The numbers of the shards asked for, in order."""
        return self.page.evaluate("gate.asked")

    def expect_asked(self, *numbers):
        """Wait until as many shards were asked for; they are these."""
        self.page.wait_for_function("count => gate.asked.length >= count", arg=len(numbers))
        self.frames()
        assert sorted(self.asked) == sorted(numbers)

    def frames(self):
        """What scrolling and observers set off has been set off."""
        self.page.evaluate(FRAMES)

    def expect_present(self, *numbers):
        """Wait until the codes of just the images of these shards are here; what scores the element then tells is what Python says."""
        wanted = [image.id for i, image in enumerate(self.bundle.images) if i // PER_SHARD in numbers]
        present = "([element, ids, wanted]) => ids.filter((id) => element.scores(id) !== null).join() === wanted"
        ids = [image.id for image in self.bundle.images]
        self.frame.wait_for_function(present, arg=[self.element.element_handle(), ids, ",".join(wanted)])
        self.expect_scores(wanted)

    def expect_scores(self, ids=None):
        """What the element says of images, all unless some are given, is what Python says of its selection."""
        at = self.selection
        wanted = self.bundle.similarity(at["image"], at["layer"], at["row"], at["col"])
        ids = list(wanted) if ids is None else ids
        found = self.element.evaluate("(element, ids) => ids.map((id) => { const { rows, cols, values } = element.scores(id); return [rows, cols, [...values]]; })", ids)
        for id, (rows, cols, values) in zip(ids, found, strict=True):
            assert wanted[id].shape == (rows, cols) and wanted[id].ravel().tolist() == values, id

    def whole(self):
        """Let everything come, and wait until the images near the view have."""
        self.let(*SHARDS)
        self.ready()
        expect(self.bar).to_be_hidden()
        return self

    def filled(self):
        """The places of the tiles that are more than empty boxes."""
        return self.tiles.evaluate_all("tiles => tiles.flatMap((tile, n) => (tile.childElementCount ? [n] : []))")

    def in_view(self, screens=0):
        """The places of the tiles that lie in the view, or at most so many screens above and below it."""
        return self.tiles.evaluate_all("""(tiles, screens) => tiles.flatMap((tile, n) => {
            const { top, bottom } = tile.getBoundingClientRect();
            return top < (1 + screens) * innerHeight && bottom > -screens * innerHeight ? [n] : [];
        })""", screens)

    def show(self, n):
        """Scroll a tile to the middle of the view."""
        self.tiles.nth(n).evaluate("tile => tile.scrollIntoView({ block: 'center', behavior: 'instant' })")
        self.frames()

    def order(self):
        """The ids of the images in the order of their tiles."""
        shown = self.tiles.evaluate_all("tiles => tiles.map(tile => Number(tile.dataset.image))")
        return [self.bundle.images[image].id for image in shown]

    def ranking(self):
        """[(image id, value, row, col)] of the best matches elsewhere with the selected patch, the most similar first, as Python says."""
        at = self.selection
        scores = self.bundle.similarity(at["image"], at["layer"], at["row"], at["col"])
        best = [(id, float(values.max()), *map(int, np.unravel_index(values.argmax(), values.shape))) for id, values in scores.items() if id != at["image"]]
        return sorted(best, key=lambda match: -match[1])


def printed(value):
    """A similarity as a figure prints it."""
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")
