"""The figure `channels` by mouse: what a patch is made of, what two are similar by, and where a channel is active."""

from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.channelled import IMAGES, Channelled, channels_site, two

NAMES = list(IMAGES)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = tmp_path_factory.mktemp("channels") / "site"
    return site, channels_site(site, "channels")


@pytest.fixture
def open_figure(site, serve, open_page):
    return lambda **options: Channelled(open_page(serve(site[0]), **options), site[1]).ready()


def leave(figure):
    figure.page.mouse.move(2, 2)


def test_a_patch_is_made_of_channels(open_figure):
    figure = open_figure()
    order = figure.expect_ranking((figure.selection["image"], figure.selection["row"], figure.selection["col"]))
    figure.expect_map(order[0])
    expect(figure.element.locator(".made")).to_contain_text("The codes of deep are rotated; its channels are computed back with a basis published beside them, 1 kB.")
    radios = figure.element.locator("input[name=Layer]")
    assert radios.evaluate_all("radios => radios.map((radio) => radio.value)") == ["deep", "plain", "relu"]
    expect(figure.element.locator(".choice").filter(has_text="Range")).to_have_count(0)
    for layer, grids in (("deep", [(0, 1, 1), (1, 5, 3)]), ("plain", [(2, 4, 0)]), ("relu", [(3, 2, 5), (0, 0, 1)])):
        figure.element.locator(f"input[value={layer}]").check()
        figure.layer = layer
        for n, row, col in grids:
            figure.hover(n, row, col)
            figure.expect_selection(figure.patch(n, row, col))
            figure.expect_scores()
            channels = figure.entry.channels
            order = figure.expect_ranking((figure.image(n), row, col), count=min(12, channels))
            figure.expect_map(order[0])
            value = figure.bundle.channel(layer, order[0])[figure.image(n)][row, col]
            label = figure.tiles.nth(n).get_attribute("aria-label")
            assert label.endswith(f"row {row + 1} of {figure.grid(n)[0]}, column {col + 1} of {figure.grid(n)[1]}, channel {order[0]} {two(value)}")
        expect(figure.element.locator(".more")).to_be_visible(visible=channels > 12)
    expect(figure.element.locator(".made")).not_to_contain_text("rotated")
    assert figure.element.locator(".legend").inner_text().startswith("≤0.00")


@pytest.mark.parametrize("layer", ["deep", "plain"])
def test_javascript_and_python_agree(open_figure, layer):
    figure = open_figure()
    figure.element.evaluate("(element, layer) => element.select({image: 'wide', row: 1, col: 1, layer})", layer)
    figure.layer = layer
    for channel in (0, 6, figure.entry.channels - 1):
        wanted = figure.bundle.channel(layer, channel)
        for image, values in figure.js_channel(channel).items():
            assert np.abs(np.array(values) - wanted[image].ravel()).max() <= 1e-5 * max(1, np.abs(wanted[image]).max())
            assert np.isfinite(values).all()


def test_two_patches_are_similar_by_channels(open_figure):
    figure = open_figure()
    figure.click(1, 2, 2)
    figure.hover(2, 3, 1)
    first, second = ("tall", 2, 2), ("square", 3, 1)
    order = figure.expect_ranking(first, second)
    expect(figure.about).to_have_text(f"What makes Title of tall (3, 3) and Title of square (4, 2) similar: the product of their values in each channel; all 14 add up to {figure.value((1, 2, 2), 2, 3, 1)}, their similarity, these 12 to {figure.about.inner_text().split(' to ')[-1]}")
    figure.expect_map(order[0])
    expect(figure.tiles.nth(2).locator(".cursor")).to_have_text(two(figure.bundle.channel("deep", order[0])["square"][3, 1]))
    expect(figure.element.get_by_role("status")).to_contain_text(f"→ Title of square: {figure.value((1, 2, 2), 2, 3, 1)}")
    leave(figure)
    figure.expect_ranking(first, second)
    figure.hover(1, 2, 2)
    figure.expect_ranking(first)
    figure.hover(0, 0, 0)
    expect(figure.about).to_contain_text("all 14 add up to 0.00")
    assert figure.selection == figure.patch(1, 2, 2, pinned=True)


def test_a_channel_is_shown_held_and_let_go(open_figure):
    figure = open_figure()
    figure.click(3, 1, 1)
    order = figure.expect_ranking(("strip", 1, 1))
    chips = figure.rows.locator(".channel")
    chips.nth(4).hover()
    figure.expect_map(order[4])
    leave(figure)
    figure.expect_map(order[0])
    chips.nth(2).click()
    leave(figure)
    expect(chips.nth(2)).to_have_attribute("aria-pressed", "true")
    figure.expect_map(order[2])
    other = figure.expect_ranking(("strip", 1, 1), None)
    assert other == order
    figure.hover(2, 1, 1)
    figure.expect_map(order[2])
    leave(figure)
    chips.nth(5).hover()
    figure.expect_map(order[5])
    chips.nth(2).click()
    leave(figure)
    figure.expect_map(int(figure.rows.locator(".channel b").first.inner_text()))
    rest = next(channel for channel in range(14) if channel not in [int(text) for text in figure.rows.locator(".channel b").all_inner_texts()])
    number = figure.element.locator(".ask input")
    number.fill(str(rest))
    number.press("Enter")
    leave(figure)
    figure.expect_map(rest)
    expect(figure.rows).to_have_count(13)
    expect(figure.rows.last.locator(".channel")).to_have_attribute("aria-pressed", "true")
    for wrong in ("14", "-1", "1.5"):
        number.fill(wrong)
        number.press("Enter")
        expect(number).to_have_attribute("aria-invalid", "true")
        figure.expect_map(rest)
    figure.element.locator(".more").click()
    expect(figure.rows).to_have_count(14)
    expect(figure.element.locator(".more")).to_be_hidden()
    figure.tiles.nth(0).hover()
    figure.page.keyboard.press("Escape")
    expect(figure.element.locator("[aria-pressed=true]")).to_have_count(0)


def test_patches_beside_a_channel_are_those_at_its_end(open_figure):
    figure = open_figure()
    figure.click(2, 2, 2)
    order = figure.expect_ranking(("square", 2, 2))
    unit = figure.unit("square", 2, 2)
    bundle, own = figure.bundle, figure.entry.activations
    starts = np.cumsum([0, *(rows * cols for rows, cols in figure.entry.grids)])
    assert {unit[channel] < 0 for channel in order} == {True, False}
    for row, channel in zip(figure.rows.all(), order, strict=True):
        rows, values = (bundle.table(table)[channel] for table in ((own.lows, own.low_values) if unit[channel] < 0 else (own.peaks, own.values)))
        images = np.searchsorted(starts, rows, side="right") - 1
        labels = [f"Title of {NAMES[image]}, activation {two(value)}" for image, value in zip(images, values, strict=True)]
        assert row.locator(".strip button").filter(visible=True).evaluate_all("cuts => cuts.map((cut) => cut.ariaLabel)") == labels
    at, image = int(rows[1]), int(images[1])
    row.locator(".strip button").nth(1).click()
    cols = figure.entry.grids[image][1]
    place = at - int(starts[image])
    figure.expect_selection({"image": NAMES[image], "layer": "deep", "row": place // cols, "col": place % cols, "pinned": True})
    figure.expect_scores()


def test_by_keyboard(open_figure):
    figure = open_figure()
    figure.select("wide", 1, 1)
    order = figure.expect_ranking(("wide", 1, 1))
    chips = figure.rows.locator(".channel")
    stops = figure.element.evaluate("element => [...element.shadowRoot.querySelectorAll('.channel-list button')].filter(({ tabIndex, hidden }) => tabIndex === 0 && !hidden).map(({ className }) => className)")
    assert stops == ["channel", "", "toggle more"]
    figure.element.locator("input[type=range]").focus()
    figure.page.keyboard.press("Tab")
    figure.page.keyboard.press("Tab")
    expect(chips.nth(0)).to_be_focused()
    figure.page.keyboard.press("ArrowDown")
    figure.page.keyboard.press("ArrowDown")
    expect(chips.nth(2)).to_be_focused()
    figure.expect_map(order[2])
    figure.page.keyboard.press("Enter")
    expect(chips.nth(2)).to_have_attribute("aria-pressed", "true")
    figure.page.keyboard.press("Tab")
    expect(figure.rows.nth(2).locator(".strip button").nth(0)).to_be_focused()
    figure.page.keyboard.press("ArrowRight")
    figure.page.keyboard.press("Enter")
    assert figure.selection["pinned"]
    figure.tiles.nth(2).focus()
    figure.page.keyboard.press("ArrowDown")
    figure.page.keyboard.press("Shift+ArrowRight")
    expect(figure.tiles.nth(3)).to_be_focused()
    figure.expect_map(order[2])
    figure.page.keyboard.press("Escape")
    assert figure.selection is None
    expect(figure.element.locator("[aria-pressed=true]")).to_have_count(0)
    chips.nth(11).focus()
    figure.select("wide", 1, 1, layer="relu")
    expect(chips).to_have_count(5)
    assert chips.evaluate_all("chips => chips.filter(({ tabIndex }) => tabIndex === 0).length") == 1


def test_by_touch_on_a_phone(open_figure):
    figure = open_figure(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    expect(figure.rows).to_have_count(4)
    figure.tap(1, 2, 1)
    order = figure.expect_ranking(("tall", 2, 1), count=4)
    figure.expect_map(order[0])
    chip = figure.rows.locator(".channel").nth(3)
    chip.tap()
    expect(chip).to_have_attribute("aria-pressed", "true")
    figure.expect_map(order[3])
    chip.tap()
    figure.expect_map(order[0])
    figure.tap(1, 2, 1)
    assert figure.selection == figure.patch(1, 2, 1, pinned=True)
    figure.tap(2, 1, 1)
    figure.expect_ranking(("tall", 2, 1), ("square", 1, 1), count=4)
    assert figure.page.evaluate("document.documentElement.scrollWidth") == 390
    boxes = [figure.tiles.nth(0).bounding_box(), figure.element.locator(".made").bounding_box()]
    assert boxes[0]["y"] < boxes[1]["y"]


HEARD = "window.heard = []; addEventListener('overlay-error', (event) => heard.push(event.detail.message));"


def opened(tmp_path, serve, open_page, spoil=lambda site: None, change=lambda layer: layer, **attributes):
    bundle = channels_site(tmp_path / "site", "channels", attributes, change)
    spoil(tmp_path / "site")
    return Channelled(open_page(serve(tmp_path / "site"), init=HEARD), bundle)


def damage(name):
    def spoil(site):
        path = site / "tables" / f"2-{name}.bin"
        path.write_bytes(path.read_bytes()[:-1])

    return spoil


def test_without_its_basis_a_rotated_layer_has_its_peaks_only(tmp_path, serve, open_page):
    figure = opened(tmp_path, serve, open_page, damage("basis")).ready()
    box = figure.element.get_by_role("alert").filter(visible=True)
    expect(box).to_contain_text("Channels cannot be ranked or shown on the images. The codes of deep are rotated")
    expect(box).to_contain_text("tables/2-basis.bin: is")
    assert len(figure.page.evaluate("heard")) == 1
    expect(figure.rows.locator(".channel b")).to_have_text([str(channel) for channel in range(12)])
    expect(figure.rows.locator(".part")).to_have_text([""] * 12)
    expect(figure.element.locator(".legend")).to_be_hidden()
    expect(figure.element.locator(".made")).to_have_text("Beside each channel: the patches that activate it most, found at export. Channels count from 0.")
    figure.rows.nth(1).locator(".strip button").first.click()
    assert figure.selection["pinned"]
    figure.expect_scores()
    figure.hover(1, 2, 2)
    expect(figure.element.locator(".tile.mapped")).to_have_count(0)
    figure.element.locator("input[value=plain]").check()
    figure.layer = "plain"
    expect(box).to_have_count(0)
    figure.select("tall", 1, 1)
    figure.expect_map(figure.expect_ranking(("tall", 1, 1))[0])


def test_without_norms_and_peaks_channels_are_ranked_all_the_same(tmp_path, serve, open_page):
    def spoil(site):
        damage("norms")(site)
        damage("peaks")(site)

    figure = opened(tmp_path, serve, open_page, spoil).ready()
    boxes = figure.element.get_by_role("alert").filter(visible=True)
    expect(boxes).to_have_count(2)
    expect(boxes.nth(0)).to_contain_text("The patches that activate each channel most cannot be shown. tables/2-peaks.bin: is")
    expect(boxes.nth(1)).to_contain_text("Values are those of unit vectors, not the network’s own.")
    figure.hover(1, 2, 2)
    order = figure.expect_ranking(("tall", 2, 2))
    units = {image: [abs(figure.unit(image, row, col)[order[0]]) for row in range(grid[0]) for col in range(grid[1]) if (image, row, col) != ("wide", 0, 0)] for image, grid in zip(NAMES, figure.entry.grids, strict=True)}
    expect(figure.element.locator(".legend")).to_contain_text(f"≥{two(max(map(max, units.values())))}")


def test_what_the_attributes_ask_for(tmp_path, serve, open_page):
    figure = opened(tmp_path, serve, open_page, channel="3", layer="plain", images="tall,strip").ready()
    figure.layer = "plain"
    expect(figure.tiles).to_have_count(2)
    expect(figure.element.locator("[aria-pressed=true] b")).to_have_text("3")
    figure.expect_map(3)
    labels = figure.rows.locator(".strip button").filter(visible=True).evaluate_all("cuts => cuts.map((cut) => cut.ariaLabel.split(',')[0])")
    assert set(labels) == {"Title of tall", "Title of strip"}
    for wrong in ("5", "-1", "x", ""):
        figure.element.evaluate("(element, wrong) => { element.layer = 'relu'; element.channel = wrong; }", wrong)
        expect(figure.element.get_by_role("alert")).to_contain_text(f'the attribute channel is "{wrong}"; expected a number from 0 to 4, those of the channels of relu')


def test_a_bundle_without_activations_says_how_to_get_them(tmp_path, serve, open_page):
    figure = opened(tmp_path, serve, open_page, change=lambda layer: replace(layer, activations=None))
    figure.expect_error("this bundle has no activations; export with --figures channels to have them")
