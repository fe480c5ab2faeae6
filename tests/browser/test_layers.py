"""The figure `layers` by mouse: what is selected on one panel is selected on all, exactly."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.panels import PLAN, networks
from tests.browser.test_element import ADD, heard
from tests.browser.test_exactness import PAINTED_AND_TABLE, assert_same_pixels


@pytest.fixture
def figure(panels):
    return panels().ready()


def printed(value):
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")


def test_a_panel_for_each_layer_says_what_it_is(figure):
    assert figure.layers == [layer.id for layer in PLAN.layers]
    assert len({figure.image(n) for n in range(3)}) == 1
    for n, layer in enumerate(figure.bundle.layers):
        rows, cols = figure.grid(n)
        expect(figure.panels.nth(n)).to_contain_text(layer.id)
        expect(figure.panels.nth(n).locator(".about")).to_have_text(f"{rows}\N{THIN SPACE}×\N{THIN SPACE}{cols} · {layer.channels} channels")
        assert figure.legend(n) == [f"≤{printed(layer.range[0])}", f"≥{printed(layer.range[1])}"]
    expect(figure.element.get_by_role("group", name="Layer")).to_have_count(0)


def test_it_opens_with_the_bundles_selection(figure):
    opening = figure.bundle.manifest.selection
    assert figure.selection == {"image": opening.image, "layer": opening.layer, "row": opening.row, "col": opening.col, "pinned": False}
    figure.expect_in_step()
    figure.expect_scores()


@pytest.mark.parametrize("n", range(3))
def test_hovering_a_panel_selects_on_all(figure, n):
    rows, cols = figure.grid(n)
    for row, col in ((0, 0), (rows - 1, cols - 1), (rows // 2, 1)):
        figure.hover(n, row, col)
        figure.expect_selection(figure.patch(n, row, col))
        figure.expect_in_step()
        figure.expect_scores()
    expect(figure.element.get_by_role("status")).to_have_text(f"{figure.title(n)} row {row + 1}, column {col + 1} of {figure.layers[n]}")


def test_the_patch_under_the_pointer_is_selected_though_it_was_in_step(figure):
    figure.hover(0, 4, 3)
    row, col = figure.selected(2)
    figure.hover(2, row, col)
    figure.expect_selection(figure.patch(2, row, col))
    figure.expect_in_step()


def test_values_are_read_on_all_panels_and_the_pinned_patch_stays(figure):
    figure.click(1, 2, 1)
    pinned = figure.patch(1, 2, 1, pinned=True)
    figure.expect_selection(pinned)
    random = np.random.default_rng(1)
    for n in (0, 2, 1, 2, 0, 0, 2, 1):
        row, col = (int(random.integers(count)) for count in figure.grid(n))
        figure.hover(n, row, col)
        figure.expect_cursor(n, row, col)
        assert figure.selection == pinned
    values = ", ".join(f"{layer} {figure.value(m, *figure.counterpart(n, row, col, m))}" for m, layer in enumerate(figure.layers))
    expect(figure.element.get_by_role("status")).to_have_text(f"{figure.title(n)} row 3, column 2 of middle (pinned) → {values}")
    figure.expect_scores()
    figure.expect_in_step()


def test_a_step_within_a_coarse_patch_is_followed_on_the_fine_panel(figure):
    figure.click(2, 1, 1)
    figure.expect_selection(figure.patch(2, 1, 1, pinned=True))
    rows, cols = figure.grid(0)
    steps = [(row, col) for row, col in product(range(rows), range(cols)) if figure.counterpart(0, row, col, 2) == (2, 2)]
    assert len(steps) > 12
    for row, col in steps:
        figure.hover(0, row, col)
        figure.expect_cursor(0, row, col)
        label = f"fine, {figure.title(0)} (Blocks of colour, 1), row {row + 1} of {rows}, column {col + 1} of {cols}, similarity {figure.value(0, row, col)}"
        expect(figure.tiles.nth(0)).to_have_attribute("aria-label", label)


def test_a_click_where_it_is_pinned_lets_go_on_any_panel(figure):
    figure.click(0, 4, 3)
    figure.expect_selection(figure.patch(0, 4, 3, pinned=True))
    row, col = figure.selected(2)
    figure.click(2, row, col)
    figure.expect_selection(figure.patch(2, row, col))


def test_a_click_elsewhere_moves_the_pin_to_that_panel(figure):
    figure.click(0, 4, 3)
    figure.click(2, 2, 0)
    figure.expect_selection(figure.patch(2, 2, 0, pinned=True))
    figure.expect_in_step()
    figure.expect_scores()


def test_escape_clears_all_panels_though_the_focus_is_elsewhere(figure):
    figure.click(0, 4, 3)
    figure.tiles.nth(0).evaluate("tile => tile.blur()")
    figure.page.keyboard.press("Escape")
    figure.expect_selection(None)
    assert not any(any(figure.drawn(n)) for n in range(3))
    expect(figure.element.locator(".selected, .best, .cursor").filter(visible=True)).to_have_count(0)
    assert figure.scores("wide", "fine") is None


def test_leaving_keeps_the_selection(figure):
    figure.hover(1, 2, 1)
    figure.page.mouse.move(2, 450)
    figure.expect_selection(figure.patch(1, 2, 1))
    expect(figure.element.locator(".legend i").filter(visible=True)).to_have_count(0)


def test_the_page_is_told_once_of_a_patch_of_another_layer(figure):
    figure.hover(0, 4, 3)
    figure.page.evaluate("() => { window.heard = []; document.addEventListener('overlay-select', (event) => heard.push({ type: event.type, detail: event.detail })); }")
    figure.hover(2, 1, 1)
    figure.expect_selection(figure.patch(2, 1, 1))
    assert [event["detail"] for event in heard(figure, "overlay-select")] == [figure.patch(2, 1, 1)]


def test_a_script_selects_on_any_layer(figure):
    for layer, row, col in (("fine", 7, 5), ("deep", 0, 2), ("middle", 3, 4)):
        figure.select("square", row, col, layer=layer, pin=True)
        assert figure.selection == {"image": "square", "layer": layer, "row": row, "col": col, "pinned": True}
        figure.expect_in_step()
        figure.expect_scores()


def painted_ranges(figure, range_name):
    """The range of each panel's colours by what the control promises."""
    if range_name == "unit":
        return [(0, 1)] * 3
    if range_name == "layer":
        return [layer.range for layer in figure.bundle.layers]
    found = [figure.bundle.similarity(figure.image(n), layer, *figure.selected(n))[figure.image(n)] for n, layer in enumerate(figure.layers)]
    return [(float(values.min()), float(values[values < 1].max())) for values in found]


@pytest.mark.parametrize("range_name", ["layer", "unit", "patch"])
def test_the_pixel_of_each_cell_has_the_colour_of_its_score(figure, range_name):
    figure.select("square", 4, 5, layer="fine")
    figure.element.evaluate("(element, range) => { element.range = range; }", range_name)
    for n, (low, high) in enumerate(painted_ranges(figure, range_name)):
        values = figure.bundle.similarity("square", figure.layers[n], *figure.selected(n))["square"].astype(float).ravel().tolist()
        grid, painted, wanted = figure.tiles.nth(n).evaluate(PAINTED_AND_TABLE, [values, low, high, "heat", "inferno", 0.8])
        assert tuple(grid) == figure.grid(n)
        assert_same_pixels(np.array(painted).reshape(-1, 4), np.array(wanted).reshape(-1, 4))
        assert [text.strip("≤≥") for text in figure.legend(n)] == [printed(low), printed(high)]


def test_colours_diverge_only_where_every_layer_is_signed(figure):
    option = figure.control("Colours").locator("[value=diverging]")
    expect(option).to_be_disabled()
    for n in range(3):
        figure.hover(n, 1, 1)
        figure.expect_selection(figure.patch(n, 1, 1))
        expect(option).to_be_disabled()
    figure.element.evaluate("element => { element.colormap = 'diverging'; }")
    expect(figure.control("Colours")).to_have_value("inferno")


def test_hovering_another_panel_keeps_the_colours(figure):
    figure.element.evaluate("element => { element.layers = ['middle', 'deep']; }")
    figure.ready()
    figure.control("Colours").select_option("diverging")
    for n in (0, 1, 0):
        figure.hover(n, 1, 1)
        figure.expect_selection(figure.patch(n, 1, 1))
        expect(figure.control("Colours")).to_have_value("diverging")
        assert all(low == printed(-layer.range[1]) for layer, (low, _) in zip(figure.bundle.layers[1:], ([text.strip("≤≥") for text in figure.legend(m)] for m in (0, 1)), strict=True))


def test_smooth_is_neither_where_panels_differ(figure):
    box = figure.control("smooth")
    renderings = lambda: figure.tiles.locator("canvas").evaluate_all("all => all.map((canvas) => getComputedStyle(canvas).imageRendering)")  # noqa: E731
    for n in (2, 0):
        figure.hover(n, 1, 1)
        figure.expect_selection(figure.patch(n, 1, 1))
        assert box.evaluate("box => [box.indeterminate, box.checked]") == [True, False]
    assert renderings() == ["pixelated", "auto", "auto"]
    box.click()
    assert box.evaluate("box => [box.indeterminate, box.checked]") == [False, True]
    assert renderings() == ["auto"] * 3


@pytest.mark.parametrize("attribute", ["deep,fine", '["deep", "fine"]'])
def test_the_attribute_layers_says_which_and_in_which_order(figure, attribute):
    figure.element.evaluate("(element, layers) => element.setAttribute('layers', layers)", attribute)
    expect(figure.tiles).to_have_count(2)
    figure.ready()
    assert figure.layers == ["deep", "fine"] == figure.element.evaluate("element => element.layers")
    figure.hover(1, 4, 3)
    figure.expect_selection(figure.patch(1, 4, 3))
    figure.expect_in_step()
    figure.expect_scores()
    said = figure.element.evaluate("element => element.select({ image: 'wide', layer: 'middle', row: 0, col: 0 }).then(() => null, (error) => error.message)")
    assert said == 'this figure does not show the layer "middle"; add it to the attribute layers'
    assert figure.scores("wide", "middle") is None


def test_one_layer_is_one_panel(figure):
    figure.element.evaluate("element => { element.layers = ['middle']; }")
    expect(figure.tiles).to_have_count(1)
    figure.ready().hover(0, 2, 3)
    figure.expect_selection(figure.patch(0, 2, 3))
    figure.expect_in_step()
    figure.expect_scores()
    assert figure.tiles.nth(0).bounding_box()["height"] < 470


@pytest.mark.parametrize(("attributes", "message"), [({"layers": "fine,block9"}, 'no layer "block9" in this bundle; it has fine, middle, deep'), ({"layers": "fine", "layer": "deep"}, 'this figure does not show the layer "deep"; add it')])
def test_a_layer_that_is_not_there_is_said(figure, attributes, message):
    figure.page.evaluate(ADD, {"figure": "layers", **attributes})
    expect(figure.page.locator("#added").get_by_role("alert")).to_contain_text(message)
    (event,) = heard(figure, "overlay-error")
    assert message in event["message"]


def test_another_image_keeps_the_place(figure):
    figure.click(1, 2, 1)
    figure.expect_selection(figure.patch(1, 2, 1, pinned=True))
    rows, cols = figure.grid(1)
    figure.control("Image").select_option("Title of square")
    new_rows, new_cols = figure.bundle.grid("square", "middle")
    assert (rows, cols) != (new_rows, new_cols)
    figure.expect_selection({"image": "square", "layer": "middle", "row": int(2.5 / rows * new_rows), "col": int(1.5 / cols * new_cols), "pinned": False})
    assert {figure.image(n) for n in range(3)} == {"square"}
    figure.expect_in_step()
    figure.expect_scores()
    figure.hover(0, 5, 5)
    figure.expect_selection(figure.patch(0, 5, 5))


def test_another_image_is_shown_without_a_selection_too(figure):
    figure.element.evaluate("element => element.clear()")
    figure.control("Image").select_option("Title of square")
    figure.expect_selection(None)
    assert {figure.image(n) for n in range(3)} == {"square"}
    figure.hover(2, 1, 1)
    figure.expect_selection(figure.patch(2, 1, 1))


def test_the_picker_follows_a_script(figure):
    figure.select("square", 1, 1)
    expect(figure.control("Image").locator("option:checked")).to_have_text("Title of square")
    figure.element.evaluate("element => { element.images = ['tall']; }")
    figure.ready()
    expect(figure.control("Image").locator("option")).to_have_text(["Title of tall"])


def without(manifest, *ids):
    return replace(manifest, layers=tuple(layer for layer in manifest.layers if layer.id not in ids))


def test_networks_are_named_and_each_begins_a_row(panels):
    figure = panels(lambda manifest: without(networks(manifest, first="Network A", second="Network B"), "first/deep")).ready()
    assert figure.layers == ["first/fine", "first/middle", "second/fine", "second/middle", "second/deep"]
    expect(figure.panels.nth(2)).to_contain_text("second fine")
    expect(figure.panels.nth(2)).to_contain_text("Network B")
    boxes = [figure.tiles.nth(n).bounding_box() for n in range(5)]
    assert boxes[0]["y"] == boxes[1]["y"] < boxes[2]["y"] == boxes[3]["y"] == boxes[4]["y"]
    assert [boxes[n]["x"] for n in (0, 1)] == [boxes[n]["x"] for n in (2, 3)]
    figure.hover(3, 2, 1)
    figure.expect_selection(figure.patch(3, 2, 1))
    expect(figure.element.get_by_role("status")).to_contain_text("of second middle")
    figure.expect_in_step()
    figure.expect_scores()


def test_without_an_opening_it_begins_with_the_most_trained(panels):
    figure = panels(lambda manifest: networks(manifest, epoch1="Net", epoch5="Net")).ready()
    figure.element.evaluate("element => element.select({ image: 'wide', row: 0, col: 0 })")
    assert figure.selection["layer"] == "epoch5/deep"


def test_the_gallerys_list_of_layers_is_grouped_by_network(panels):
    page = panels(lambda manifest: networks(manifest, epoch1="Net", epoch5="Net")).ready().page
    listed = page.locator("[figure=gallery] select").first.evaluate("list => [...list.children].map((group) => [group.label, [...group.children].map((option) => option.value)])")
    assert listed == [[f"{id} (Net)", [f"{id}/deep", f"{id}/middle", f"{id}/fine"]] for id in ("epoch1", "epoch5")]


def test_checkpoints_of_one_layer_stand_in_a_row_in_order(panels):
    epochs = ("epoch1", "epoch5", "epoch20")
    figure = panels(lambda manifest: without(networks(manifest, **dict.fromkeys(epochs, "Net")), *(f"{id}/{layer}" for id in epochs for layer in ("fine", "middle")))).ready()
    assert figure.layers == ["epoch1/deep", "epoch5/deep", "epoch20/deep"]
    boxes = [figure.tiles.nth(n).bounding_box() for n in range(3)]
    assert boxes[0]["y"] == boxes[1]["y"] == boxes[2]["y"] and boxes[0]["x"] < boxes[1]["x"] < boxes[2]["x"]
    assert [text.split("\n")[0] for text in figure.panels.locator(".title").all_inner_texts()] == ["epoch1 deep", "epoch5 deep", "epoch20 deep"]
