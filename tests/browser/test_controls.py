"""The controls of a figure: each changes what is drawn, all of them native and usable by keyboard."""

import pytest
from playwright.sync_api import expect


@pytest.fixture
def figure(tiny_figure):
    figure = tiny_figure()
    figure.select("ant", 3, 4, pin=True)
    return figure


def options(control):
    return control.locator("option:not([hidden])").all_inner_texts()


def test_a_list_changes_what_is_drawn_and_back(figure):
    before = figure.drawn(1)
    for label, choice in (("Overlay", "spotlight"), ("Colours", "viridis"), ("Colours", "cividis"), ("Colours", "diverging"), ("Range", "0 to 1"), ("Range", "this patch")):
        control = figure.control(label)
        first = control.input_value()
        control.select_option(choice)
        assert figure.drawn(1) != before, choice
        control.select_option(first)
        assert figure.drawn(1) == before, choice
        assert figure.selection == figure.patch(0, 3, 4, pinned=True)


def test_spotlight_has_no_colours_to_choose(figure):
    figure.control("Overlay").select_option("spotlight")
    expect(figure.control("Colours")).to_be_disabled()
    assert not any(value for n in range(4) for i, value in enumerate(figure.drawn(n)) if i % 4 != 3)
    figure.control("Overlay").select_option("heatmap")
    expect(figure.control("Colours")).to_be_enabled()


def test_diverging_is_offered_for_signed_layers_only(figure):
    colours = figure.control("Colours")
    assert options(colours) == ["inferno", "viridis", "cividis", "diverging"]
    figure.element.get_by_role("radio", name="shallow").click()
    figure.expect_selection({"layer": "shallow"})
    assert options(colours) == ["inferno", "viridis", "cividis"]
    expect(colours.locator("[value=diverging]")).to_be_disabled()


def test_a_layer_without_sign_is_not_drawn_diverging(figure):
    colours, shallow = figure.control("Colours"), next(layer for layer in figure.bundle.layers if layer.id == "shallow")
    figure.element.get_by_role("radio", name="shallow").click()
    figure.expect_selection({"layer": "shallow"})
    plain = figure.drawn(1)
    figure.element.get_by_role("radio", name="deep").click()
    figure.expect_selection({"layer": "deep"})
    colours.select_option("diverging")
    figure.element.get_by_role("radio", name="shallow").click()
    figure.expect_selection({"layer": "shallow"})
    assert figure.drawn(1) == plain
    assert legend(figure) == [f"≤{printed(shallow.range[0])}", f"≥{printed(shallow.range[1])}"]
    expect(colours).to_have_value("inferno")


def test_opacity_by_keyboard(figure):
    slider = figure.control("Opacity")
    slider.focus()
    most = []
    for key in ("Home", "PageUp", "End"):
        figure.page.keyboard.press(key)
        most.append(max(figure.drawn(0)[3::4]))
    assert most == [round(255 * 0.1), most[1], 255] and most == sorted(set(most))
    figure.page.keyboard.press("ArrowLeft")
    assert max(figure.drawn(0)[3::4]) < 255


def test_smooth_by_keyboard(figure):
    box, canvas = figure.control("smooth"), figure.tiles.nth(1).locator("canvas")
    expect(box).to_be_checked()
    expect(canvas).to_have_css("image-rendering", "auto")
    box.press("Space")
    expect(canvas).to_have_css("image-rendering", "pixelated")
    box.press("Space")
    expect(canvas).to_have_css("image-rendering", "auto")


def test_fine_grids_are_crisp_unless_told_otherwise(figure):
    figure.element.get_by_role("radio", name="shallow").click()
    expect(figure.control("smooth")).not_to_be_checked()
    expect(figure.tiles.nth(1).locator("canvas")).to_have_css("image-rendering", "pixelated")


def legend(figure):
    return figure.element.locator(".legend > span:not(.ramp)").all_inner_texts()


def printed(value):
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def test_the_legend_follows_the_range_the_colours_and_the_layer(figure):
    deep = next(layer for layer in figure.bundle.layers if layer.id == "deep")
    shallow = next(layer for layer in figure.bundle.layers if layer.id == "shallow")
    assert legend(figure) == [f"≤{printed(deep.range[0])}", f"≥{printed(deep.range[1])}"]
    figure.control("Range").select_option("0 to 1")
    assert legend(figure) == ["0.00", "1.00"]
    figure.control("Colours").select_option("diverging")
    assert legend(figure) == [printed(-1), "1.00"]
    figure.control("Colours").select_option("viridis")
    figure.control("Range").select_option("this patch")
    others = [values for image, values in figure.bundle.similarity("ant", "deep", 3, 4).items() if image != "ant"]
    assert legend(figure) == [printed(min(values.min() for values in others)), printed(max(values[values < 1].max() for values in others))]
    figure.control("Range").select_option("this layer")
    figure.element.get_by_role("radio", name="shallow").click()
    figure.expect_selection({"layer": "shallow"})
    assert legend(figure) == [f"≤{printed(shallow.range[0])}", f"≥{printed(shallow.range[1])}"]


def test_the_legend_marks_the_value_under_the_pointer(figure):
    figure.control("Range").select_option("0 to 1")
    scores = figure.bundle.similarity("ant", "deep", 3, 4)["bee"]
    row, col = divmod(int(scores.argmax()), scores.shape[1])
    figure.hover(1, row, col)
    tick = figure.element.locator(".legend .ramp i")
    expect(tick).to_be_visible()
    ramp, mark = figure.element.locator(".legend .ramp").bounding_box(), tick.bounding_box()
    assert (mark["x"] + 1 - ramp["x"]) / ramp["width"] == pytest.approx(float(scores.max()), abs=0.02)


def test_layers_are_offered_deepest_first_and_change_by_arrow_keys(figure):
    radios = figure.element.get_by_role("radio")
    assert radios.evaluate_all("all => all.map((one) => one.value)") == ["deep", "shallow"]
    expect(radios.nth(0)).to_be_checked()
    radios.nth(0).focus()
    figure.page.keyboard.press("ArrowRight")
    figure.expect_selection({"layer": "shallow", "pinned": True})
    figure.expect_scores()
    figure.page.keyboard.press("ArrowLeft")
    figure.expect_selection({"layer": "deep", "pinned": True})


def test_a_layer_change_keeps_the_place_on_the_image(figure):
    figure.element.get_by_role("radio", name="shallow").click()
    figure.expect_selection({"image": "ant", "layer": "shallow", "pinned": True})
    at = figure.selection
    assert (at["row"] // 2, at["col"] // 2) == (3, 4)
    figure.element.get_by_role("radio", name="deep").click()
    figure.expect_selection(figure.patch(0, 3, 4, pinned=True))


def test_every_control_has_a_name(figure):
    for role, names in {"combobox": ["Overlay", "Colours", "Range"], "slider": ["Opacity"], "checkbox": ["smooth"], "group": ["Layer"]}.items():
        for name in names:
            expect(figure.element.get_by_role(role, name=name)).to_be_visible()


def test_the_controls_of_one_figure_leave_the_other_alone(figure):
    pair = figure.page.locator("[figure=pair]")
    figure.control("Colours").select_option("viridis")
    figure.element.get_by_role("radio", name="shallow").click()
    figure.expect_selection({"layer": "shallow"})
    assert pair.locator("select").filter(has_text="inferno").input_value() == "inferno"
    expect(pair.get_by_role("radio", name="deep")).to_be_checked()
