"""What the browser computes and paints is to the bit what Python says."""

import hashlib
import io
from itertools import product

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from exporter.quantise import similarity
from tests.browser.conftest import Figure

# One SHA-256 for each image: of the similarities of each of its patches, in order, with all patches of all images, in order.
MATRIX_HASHES = """async (id) => {
    const [{ openBundle }, { sha256 }] = await Promise.all(['library', 'sha256'].map((name) => import(new URL(`js/${name}.js`, document.baseURI))));
    const bundle = await openBundle('./');
    const layer = bundle.layers.find((one) => one.id === id);
    const { kernel, rows, starts } = await bundle.load(layer, bundle.images.map((_, index) => index));
    const hashes = [];
    for (let image = 0; image < bundle.images.length; image++) {
        const [first, end] = starts.subarray(image, image + 2);
        const scores = new Float32Array((end - first) * rows);
        for (let row = first; row < end; row++) kernel.score(row, 0, rows, scores.subarray((row - first) * rows, (row - first + 1) * rows));
        hashes.push(await sha256(new Uint8Array(scores.buffer)));
    }
    return hashes;
}"""

# The same for one image through the element: every patch selected in turn, the scores of all images read back.
ELEMENT_HASH = """async (element, [image, layer, rows, cols, ids]) => {
    const { sha256 } = await import(new URL('js/sha256.js', document.baseURI));
    const parts = [];
    for (let row = 0; row < rows; row++) {
        for (let col = 0; col < cols; col++) {
            await element.select({ image, layer, row, col });
            for (const id of ids) parts.push(element.scores(id, layer).values);
        }
    }
    return sha256(new Uint8Array(await new Blob(parts).arrayBuffer()));
}"""

# What is on the canvas of a tile, and what the paint table says of the same scores and the given range.
PAINTED_AND_TABLE = """async (tile, [scores, low, high, style, map, opacity]) => {
    const { paintTable, step } = await import(new URL('js/colormaps.js', document.baseURI));
    const canvas = tile.querySelector('canvas');
    const table = paintTable(style, map, opacity);
    const wanted = scores.flatMap((value) => { const at = 4 * step(value, low, high); return [...table.subarray(at, at + 4)]; });
    return [[canvas.height, canvas.width], [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data], wanted];
}"""


@pytest.fixture
def gallery(default_site, bundle, serve, open_page):
    return Figure(open_page(serve(default_site)), bundle, "[figure=gallery]").ready()


def flat_codes(bundle, layer):
    return [bundle.codes(image, layer).reshape(-1, layer.dims) for image in bundle.images]


def python_hashes(bundle, layer):
    codes = flat_codes(bundle, layer)
    return [hashlib.sha256(similarity(queries, np.concatenate(codes)).tobytes()).hexdigest() for queries in codes]


@pytest.mark.parametrize("id", ["block3", "block4"])
def test_every_pair_of_patches_has_the_same_bits(default_site, bundle, serve, open_page, id):
    layer = next(layer for layer in bundle.layers if layer.id == id)
    page = open_page(serve(default_site))
    assert page.evaluate(MATRIX_HASHES, id) == python_hashes(bundle, layer)


def test_every_patch_of_the_deepest_layer_through_the_element(gallery, bundle):
    layer = next(layer for layer in bundle.layers if layer.id == "block4")
    ids = [image.id for image in bundle.images]
    codes = flat_codes(bundle, layer)
    for image, queries in zip(ids, codes, strict=True):
        # Python's order is patch by patch over all images, as the page's.
        wanted = hashlib.sha256(similarity(queries, np.concatenate(codes)).tobytes()).hexdigest()
        assert gallery.element.evaluate(ELEMENT_HASH, [image, "block4", *bundle.grid(image, "block4"), ids]) == wanted


def test_scores_of_the_finer_layer_through_the_element(gallery, bundle):
    random = np.random.default_rng(5)
    for image in bundle.images[::2]:
        rows, cols = bundle.grid(image, "block3")
        for row, col in [(rows - 1, cols - 1), (int(random.integers(rows)), int(random.integers(cols)))]:
            gallery.select(image.id, row, col, layer="block3")
            gallery.expect_scores()


def display_range(bundle, at, name, diverging):
    """The range of the colours by what the controls promise, computed in Python."""
    layer = next(layer for layer in bundle.layers if layer.id == at["layer"])
    low, high = layer.range
    if name == "unit":
        low, high = 0, 1
    elif name == "patch":
        others = np.concatenate([values.ravel() for image, values in bundle.similarity(at["image"], at["layer"], at["row"], at["col"]).items() if image != at["image"]])
        low, high = float(others.min()), float(others[others < 1].max())
    reach = max(abs(low), abs(high))
    return (-reach, reach) if diverging else (low, high)


@pytest.mark.parametrize("style", ["heat", "spotlight"])
def test_the_pixel_of_each_cell_has_the_colour_of_its_score(gallery, bundle, style):
    at = {"image": "coffee", "layer": "block4", "row": 4, "col": 6}
    gallery.select(**at)
    scores = bundle.similarity(*at.values())
    for colormap, (range_name, opacity) in product(("inferno", "viridis", "cividis", "diverging"), (("layer", 0.9), ("unit", 1), ("patch", 0.45))):
        attributes = {"style-map": style, "colormap": colormap, "range": range_name, "opacity": str(opacity)}
        gallery.element.evaluate("(element, attributes) => Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value))", attributes)
        low, high = display_range(bundle, at, range_name, colormap == "diverging" and style == "heat")
        for n, image in enumerate(bundle.images):
            values = scores[image.id].astype(float).ravel().tolist()
            grid, painted, wanted = gallery.tiles.nth(n).evaluate(PAINTED_AND_TABLE, [values, low, high, style, colormap, opacity])
            assert grid == list(bundle.grid(image, "block4"))
            assert_same_pixels(np.array(painted).reshape(-1, 4), np.array(wanted).reshape(-1, 4))


def assert_same_pixels(painted, wanted):
    """Alpha exact; colours within what the canvas loses by multiplying them by alpha and back."""
    assert (painted[:, 3] == wanted[:, 3]).all()
    seen = wanted[:, 3] > 0
    rounding = 0.5 + 127.5 / wanted[seen, 3:]
    assert (np.abs(painted[seen, :3] - wanted[seen, :3]) <= rounding).all()


def test_the_paint_of_known_values(gallery):
    """Not by the page's own table: where heat ends and what opens a spotlight."""
    page = gallery.page
    table = lambda *arguments: page.evaluate("async (a) => [...(await import(new URL('js/colormaps.js', document.baseURI))).paintTable(...a)]", list(arguments))  # noqa: E731
    heat = np.array(table("heat", "viridis", 1)).reshape(256, 4)
    assert heat[0].tolist() == [0x44, 0x01, 0x54, 0] and heat[255].tolist() == [0xFD, 0xE7, 0x25, 255]
    assert (np.diff(heat[:, 3]) >= 0).all() and heat[204:, 3].min() == 255
    assert np.array(table("heat", "viridis", 0.5)).reshape(256, 4)[255, 3] in (127, 128)
    spotlight = np.array(table("spotlight", "viridis", 1)).reshape(256, 4)
    assert (spotlight[:, :3] == 0).all() and spotlight[255, 3] == 0 and (np.diff(spotlight[:, 3]) <= 0).all() and spotlight[0, 3] > 200
    step = lambda *arguments: page.evaluate("async (a) => (await import(new URL('js/colormaps.js', document.baseURI))).step(...a)", list(arguments))  # noqa: E731
    assert [step(value, -1, 1) for value in (-2, -1, 0, 1, 2)] == [0, 0, 128, 255, 255]


def test_on_the_screen_a_cell_has_the_colour_of_its_score(default_site, bundle, serve, open_page):
    figure = Figure(open_page(serve(default_site), viewport={"width": 1280, "height": 2400}), bundle, "[figure=gallery]").ready()
    for name, value in (("smooth", "false"), ("opacity", "1"), ("range", "patch")):
        figure.element.evaluate("(element, [name, value]) => element.setAttribute(name, value)", [name, value])
    figure.select("coffee", 4, 6)
    expect(figure.tiles.nth(0).locator("canvas")).to_have_css("image-rendering", "pixelated")
    screen = np.array(Image.open(io.BytesIO(figure.page.screenshot())).convert("RGB")).astype(int)
    checked = 0
    for n, image in enumerate(bundle.images):
        pixels = np.array(figure.drawn(n)).reshape(*bundle.grid(image, "block4"), 4)
        covered = figure.tiles.nth(n).locator(".mark, .value, .name").filter(visible=True).evaluate_all("all => all.map(one => { const {left, top, right, bottom} = one.getBoundingClientRect(); return [left - 4, top - 4, right + 4, bottom + 4]; })")
        for row, col in np.argwhere(pixels[..., 3] == 255):
            x, y = figure.at(n, int(row), int(col), scroll=False)
            if not any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in covered):
                assert np.abs(screen[int(y), int(x)] - pixels[row, col, :3]).max() <= 2
                checked += 1
    assert checked > 20
