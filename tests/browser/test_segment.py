"""The figure `segment` in a real browser: what is painted by mouse, keyboard and touch, and the masks that come of it, which are Python's."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from exporter import export, load_bundle
from exporter.segment import support_cells
from tests.browser.conftest import PHONE
from tests.browser.segmented import Segmented, levels, segment_site


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A site three of whose four images have masks, and its bundle. Not to be changed."""
    site = tmp_path_factory.mktemp("segment") / "known"
    return site, segment_site(site)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A site without masks, and its bundle. Not to be changed."""
    site = tmp_path_factory.mktemp("segment") / "plain"
    return site, segment_site(site, masked=())


@pytest.fixture
def segmented(serve, open_page):
    """A function that opens a site's figure."""
    return lambda made, **options: Segmented(open_page(serve(made[0]), **options), made[1]).ready()


def upsized(cells, image):
    """Painted cells as the mask of an image that Python takes."""
    rows = (np.arange(image.height) + 0.5) * cells.shape[0] / image.height
    cols = (np.arange(image.width) + 0.5) * cells.shape[1] / image.width
    return cells[rows.astype(int)][:, cols.astype(int)]


def test_known_masks_give_the_example_the_threshold_and_its_quality(known, segmented):
    """It begins at the best IoU; score, background, layer, edges and judged image change it; the curve's best and Otsu's value are a click away."""
    figure = segmented(known)
    bundle = known[1]
    support = {"tall": bundle.mask("tall")}
    expect(figure.examples).to_have_count(1)
    assert figure.examples.first.get_attribute("data-image") == "1"
    assert (figure.painted() == support_cells(support["tall"], bundle.grid("tall", "deep"))).all()
    expect(figure.said).to_contain_text("mean IoU")
    best, otsu = levels(bundle, figure.layer, support)
    assert int(figure.slider.input_value()) == best
    figure.expect_masks(support)
    figure.element.get_by_role("button", name="Otsu").click()
    assert int(figure.slider.input_value()) == otsu
    figure.expect_masks(support)
    figure.control("Score").select_option("nearest")
    figure.element.get_by_label("minus background").check()
    best, _ = levels(bundle, figure.layer, support, score="nearest", background=True)
    expect(figure.slider).to_have_value(str(best))
    figure.expect_masks(support, score="nearest", background=True)
    figure.slider.press("ArrowRight")
    expect(figure.slider).to_have_value(str(best + 1))
    figure.expect_masks(support, score="nearest", background=True)
    figure.element.get_by_role("button", name="best").click()
    expect(figure.slider).to_have_value(str(best))
    figure.control("IoU of").select_option(label=bundle.images[2].title)
    expect(figure.said).to_contain_text("· IoU")
    figure.control("IoU of").select_option(index=0)
    figure.element.get_by_label("smooth").uncheck()
    figure.expect_masks(support, smooth=False, score="nearest", background=True)
    figure.element.get_by_role("radio", name="fine").check()
    figure.layer = "fine"
    figure.expect_painted(int(support_cells(support["tall"], bundle.grid("tall", "fine")).sum()))
    figure.element.get_by_label("smooth").check()
    figure.expect_masks(support, score="nearest", background=True)


def test_several_examples_and_comparing(known, segmented):
    figure = segmented(known)
    bundle = known[1]
    figure.control("Add an example").select_option(label=bundle.images[3].title)
    expect(figure.examples).to_have_count(2)
    expect(figure.tiles).to_have_count(2)
    figure.expect_masks({id: bundle.mask(id) for id in ("tall", "strip")})
    wide, n = figure.tile_of("wide"), figure.tile_of("square")
    before = figure.mask_of(wide)
    figure.element.get_by_label("compare with known masks").check()
    expect(figure.element.locator(".keys")).to_be_visible()
    colours = {tuple(pixel) for pixel in figure.tiles.nth(n).evaluate(COLOURS)}
    assert any(abs(red - 0xE6) < 4 and abs(green - 0x9F) < 4 and blue < 5 for red, green, blue in colours)
    assert any(abs(red - 0x56) < 4 and abs(blue - 0xE9) < 4 for red, _, blue in colours)
    assert (figure.mask_of(wide) == before).all(), "an image without a known mask is shown as it was"
    figure.element.get_by_role("button", name="Remove").first.click()
    expect(figure.examples).to_have_count(1)
    figure.element.get_by_label("compare with known masks").uncheck()
    figure.expect_masks({"strip": bundle.mask("strip")})
    figure.element.get_by_role("button", name="Undo").click()
    expect(figure.examples).to_have_count(2)
    for _ in range(2):
        figure.element.get_by_role("button", name="Remove").first.click()
    expect(figure.element.get_by_role("status").filter(has_text="There is no example: add one above.")).to_be_visible()
    expect(figure.slider).to_be_disabled()


def test_painting_by_mouse(plain, segmented):
    """Without masks it begins with what is around the opening patch, at Otsu's value; a stroke has no gaps and is undone as one."""
    figure = segmented(plain)
    bundle = plain[1]
    image = bundle.images[1]
    assert figure.painted().sum() > 1
    support = lambda: {image.id: upsized(figure.painted(), image)}  # noqa: E731
    assert int(figure.slider.input_value()) == levels(bundle, figure.layer, support())[1]
    figure.expect_masks(support())
    expect(figure.element.get_by_label("compare with known masks")).to_be_hidden()
    figure.element.get_by_role("button", name="Clear examples").click()
    expect(figure.element.get_by_role("status").filter(has_text="No patch of the examples is foreground: paint some.")).to_be_visible()
    mouse = figure.page.mouse
    mouse.move(*figure.at_example(0, 0, 0))
    mouse.down()
    mouse.move(*figure.at_example(0, 5, 3))
    mouse.up()
    figure.expect_painted(6)
    mouse.move(0, 0)
    figure.expect_masks(support())
    figure.element.get_by_role("radio", name="eraser").check()
    mouse.click(*figure.at_example(0, 0, 0))
    figure.expect_painted(5)
    figure.element.get_by_role("button", name="Undo").click()
    figure.expect_painted(6)
    figure.element.get_by_role("button", name="Undo").click()
    figure.expect_painted(0)
    figure.element.get_by_role("radio", name="brush").check()
    figure.control("Size").select_option("3")
    mouse.click(*figure.at_example(0, 3, 2))
    figure.expect_painted(9)
    mouse.move(0, 0)
    figure.expect_masks(support())
    # A score is read where the pointer is, and said to be foreground or not; the value stands at the patch too.
    scores = bundle.foreground_scores(layer="deep", support=support())
    row, col = np.unravel_index(scores["wide"].argmax(), scores["wide"].shape)
    n = figure.tile_of("wide")
    figure.hover(n, int(row), int(col))
    wanted = f"{scores['wide'].max():.2f}"
    expect(figure.element.locator(".readout")).to_contain_text(f"score {wanted}, foreground")
    expect(figure.tiles.nth(n).locator(".cursor .value")).to_have_text(wanted)
    assert wanted in figure.tiles.nth(n).get_attribute("aria-label")
    figure.element.get_by_role("radio", name="scores").check()
    expect(figure.tiles.nth(n)).to_have_class(re.compile(r"\bscored\b"))
    assert np.array(figure.tiles.nth(n).evaluate("tile => [tile.querySelector('canvas').height, tile.querySelector('canvas').width]")).tolist() == list(scores["wide"].shape)


def test_painting_by_keyboard(plain, segmented):
    figure = segmented(plain)
    figure.element.get_by_role("button", name="Clear examples").focus()
    figure.page.keyboard.press("Enter")
    figure.expect_painted(0)
    figure.control("Add an example").focus()
    figure.page.keyboard.press("Tab")
    expect(figure.examples.first).to_be_focused()
    figure.page.keyboard.press("ArrowUp")
    figure.page.keyboard.press("Space")
    figure.expect_painted(1)
    figure.page.keyboard.down("Enter")
    figure.page.keyboard.press("ArrowLeft")
    figure.page.keyboard.press("ArrowDown")
    figure.page.keyboard.up("Enter")
    figure.expect_painted(3)
    figure.page.keyboard.press("ArrowLeft")
    figure.expect_painted(3)
    figure.page.keyboard.press("Control+z")
    figure.expect_painted(1)
    expect(figure.examples.first).to_have_attribute("aria-label", re.compile("not painted$"))
    before = int(figure.slider.input_value())
    figure.slider.focus()
    figure.page.keyboard.press("ArrowRight")
    expect(figure.slider).to_have_value(str(before + 1))
    expect(figure.slider).to_have_attribute("aria-valuetext", re.compile("^threshold"))
    # The images are one Tab stop, and patches are read by arrows.
    figure.tiles.first.focus()
    figure.page.keyboard.press("ArrowRight")
    expect(figure.element.locator(".readout")).to_contain_text("score")


def test_painting_by_touch(plain, segmented):
    figure = segmented(plain, **PHONE)
    figure.element.get_by_role("button", name="Clear examples").tap()
    figure.page.touchscreen.tap(*figure.at_example(0, 2, 1))
    figure.expect_painted(1)
    figure.tap(0, 0, 0)
    expect(figure.element.locator(".readout")).to_contain_text("score")
    start = figure.at_example(0, 0, 0)
    at, end = figure.page.evaluate("scrollY"), figure.at_example(0, 5, 0, scroll=False)
    session = figure.page.context.new_cdp_session(figure.page)
    for type, place in (("touchStart", start), ("touchMove", end), ("touchEnd", None)):
        session.send("Input.dispatchTouchEvent", {"type": type, "touchPoints": [{"x": place[0], "y": place[1]}] if place else []})
    figure.expect_painted(7)
    assert figure.page.evaluate("scrollY") == at, "what is painted does not scroll the page"
    figure.expect_masks({"tall": upsized(figure.painted(), plain[1].images[1])})
    assert figure.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_mask_is_saved_at_the_size_of_its_image(known, segmented):
    figure = segmented(known)
    bundle = known[1]
    support = {"tall": bundle.mask("tall")}
    level = figure.expect_masks(support)
    figure.hover(figure.tile_of("wide"), 0, 0)
    expect(figure.control("Mask of")).to_have_value("0")
    with figure.page.expect_download() as started:
        figure.element.get_by_role("button", name="Download PNG").click()
    assert started.value.suggested_filename == "0-mask.png"
    saved = np.array(Image.open(io.BytesIO(started.value.path().read_bytes())).convert("L"))
    wanted = bundle.segment(layer="deep", support=support, threshold=level)["wide"]
    assert set(np.unique(saved)) <= {0, 255} and ((saved > 0) != wanted).mean() < 0.001 and saved.shape == wanted.shape


def test_attributes(serve, open_page, tmp_path):
    attributes = {"examples": "strip,square", "score": "nearest", "background": "", "threshold": "0.1", "layer": "deep"}
    made = tmp_path / "site", segment_site(tmp_path / "site", attributes=attributes)
    figure = Segmented(open_page(serve(made[0])), made[1]).ready()
    expect(figure.examples).to_have_count(2)
    level = figure.expect_masks({id: made[1].mask(id) for id in ("strip", "square")}, score="nearest", background=True)
    assert abs(level - 0.1) < 0.01
    figure.element.evaluate("element => element.setAttribute('score', 'median')")
    figure.expect_error('score is "median"; expected mean or nearest')


def test_a_mask_that_is_missing_is_said_and_the_others_work(serve, open_page, tmp_path, watch):
    bundle = segment_site(tmp_path / "site")
    otsu = levels(bundle, "deep", {"tall": bundle.mask("tall")})[1]
    (tmp_path / "site" / "masks" / "2.bin").unlink()
    watch.expect("404")
    figure = Segmented(open_page(serve(tmp_path / "site")), bundle).ready()
    expect(figure.element.get_by_role("alert").filter(has_text="masks/2.bin: could not be loaded (HTTP 404)")).to_be_visible()
    expect(figure.said).to_contain_text("IoU")
    expect(figure.tiles.nth(figure.tile_of("square")).locator(".iou")).to_be_empty()
    figure.element.get_by_role("button", name="Otsu").click()
    expect(figure.slider).to_have_value(str(otsu))


def test_one_image_has_nothing_to_be_found_on(plain, host, serve, open_page):
    address = serve(plain[0])
    page = open_page(host({"/": f'<script type="module" src="{address}js/element.js"></script><similarity-overlay src="{address}" figure="segment" images="tall"></similarity-overlay>'}))
    figure = Segmented(page, plain[1]).ready()
    expect(figure.element.get_by_role("status").filter(has_text="There is one image only")).to_be_visible()


COLOURS = """tile => {
    const canvas = tile.querySelector('canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const found = new Set();
    for (let at = 0; at < data.length; at += 4) found.add(data.slice(at, at + 3).join());
    return [...found].map((colour) => colour.split(',').map(Number));
}"""
SCORES = """async ([root, layer, image, cells, score, background]) => {
    const [{ openBundle }, { State }, { SegmentView }] = await Promise.all(['library', 'state', 'segment/view'].map((name) => import(`${root}js/${name}.js`)));
    const bundle = await openBundle(root);
    const state = new State(bundle, bundle.originals, bundle.layers.find(({ id }) => id === layer), { style: 'heat', colormap: 'inferno', range: 'layer', smooth: true, opacity: 0.8 });
    await state.useLayer(state.layer);
    const view = new SegmentView(state, { score, background });
    const at = bundle.images.findIndex(({ id }) => id === image);
    const [rows, cols] = state.grid(at);
    view.support.set(at, { rows, cols, values: Uint8Array.from(cells) });
    view.update();
    return [view.threshold, Object.fromEntries([...view.scores].map(([one, values]) => [bundle.images[one].id, [...values]]))];
}"""


@pytest.mark.parametrize(("layer", "score", "background"), [("block3", "mean", False), ("block4", "mean", True), ("block3", "nearest", True)])
def test_scores_of_the_default_network_are_those_of_python(default_site, bundle, serve, open_page, layer, score, background):
    """Every cell of every photo, to 1e-6."""
    address = serve(default_site)
    page = open_page(address)
    id = bundle.images[0].id
    rows, cols = bundle.grid(id, layer)
    cells = np.zeros((rows, cols), bool)
    cells[rows // 4 : rows // 2, cols // 3 : 2 * cols // 3] = True
    threshold, found = page.evaluate(SCORES, [address, layer, id, cells.astype(int).ravel().tolist(), score, background])
    how = {"layer": layer, "support": {id: upsized(cells, bundle.images[0])}, "score": score, "background": background}
    wanted = bundle.foreground_scores(**how)
    assert found.keys() == wanted.keys()
    assert max(np.abs(np.array(found[id]) - values.ravel()).max() for id, values in wanted.items()) < 1e-6
    masks = bundle.segment(**how)
    same = bundle.segment(**how, threshold=threshold)
    assert all((masks[id] != same[id]).mean() < 0.001 for id in masks)


def test_a_single_file_has_its_masks(tiny_photos, tiny_network, tmp_path, open_page):
    """Opened by double click: from a disk, without a server."""
    (tmp_path / "masks").mkdir()
    for name in ("ant", "cow"):
        with Image.open(tiny_photos / f"{name}.png") as photo:
            mask = Image.new("L", photo.size, 0)
        mask.paste(255, (0, 0, photo.width // 2, photo.height))
        mask.save(tmp_path / "masks" / f"{name}.png")
    export(tiny_photos, tmp_path / "page.html", model=str(tiny_network), layers=["deep"], size=96, masks=tmp_path / "masks", figures=["segment"])
    bundle = load_bundle(tmp_path / "page.html")
    figure = Segmented(open_page(tmp_path / "page.html"), bundle).ready()
    expect(figure.said).to_contain_text("IoU")
    figure.expect_masks({"ant": bundle.mask("ant")})
