"""<similarity-overlay> as other people's scripts use it: attributes, properties, promises, events."""

import pytest
from playwright.sync_api import expect

from exporter import load_bundle
from tests.browser.conftest import Figure, read_manifest

# An element with attributes on a page that has the module, in place of the one added before; what it says is kept in window.heard.
ADD = """attributes => {
    document.getElementById(attributes.id ?? 'added')?.remove();
    window.heard = [];
    const element = document.createElement('similarity-overlay');
    for (const [name, value] of Object.entries({ src: './', id: 'added', ...attributes })) element.setAttribute(name, value);
    for (const type of ['overlay-select', 'overlay-error'])
        document.addEventListener(type, (event) => event.target === element && heard.push({ type, detail: event.detail, bubbles: event.bubbles, composed: event.composed, message: event.detail?.message }));
    document.querySelector('main').prepend(element);
}"""


@pytest.fixture
def add(tiny_site, serve, open_page):
    """A function that adds an element to the tiny site's page: add(figure="pair", ...)."""
    page = open_page(serve(tiny_site))
    bundle = load_bundle(tiny_site)

    def add(**attributes):
        page.evaluate(ADD, {name.replace("_", "-"): value for name, value in attributes.items()})
        return Figure(page, bundle, "#added", attributes.get("layer"))

    return add


def set_attribute(figure, name, value):
    figure.element.evaluate("(element, [name, value]) => value === null ? element.removeAttribute(name) : element.setAttribute(name, value)", [name, value])


def heard(figure, type):
    return [event for event in figure.page.evaluate("heard") if event["type"] == type]


@pytest.mark.parametrize("name", ["gallery", "pair"])
def test_a_figure_opens_with_the_bundles_selection(tiny_site, tiny_figure, name):
    figure = tiny_figure(name)
    assert figure.selection == {**read_manifest(tiny_site)["selection"], "pinned": False}
    figure.expect_scores()
    source = figure.tile_of(figure.selection["image"])
    expect(figure.tiles.nth(source).locator(".selected")).to_be_visible()
    assert any(any(figure.drawn(n)) for n in range(figure.tiles.count()) if n != source)
    figure.hover(source, 0, 0)
    figure.expect_selection(figure.patch(source, 0, 0))


def test_the_opening_follows_to_another_layer(add, tiny_site):
    opening = read_manifest(tiny_site)["selection"]
    assert opening["layer"] == "deep"
    figure = add(layer="shallow").ready()
    at = figure.selection
    assert (at["image"], at["layer"], at["row"] // 2, at["col"] // 2) == (opening["image"], "shallow", opening["row"], opening["col"])
    figure.expect_scores()


def test_an_image_row_and_column_to_start_with(add):
    figure = add(figure="pair", layer="deep", image="bee", row="5", col="3").ready()
    assert figure.selection == {"image": "bee", "layer": "deep", "row": 5, "col": 3, "pinned": False}
    assert figure.image(0) == "bee"
    figure.expect_scores()


def test_images_are_those_and_in_that_order(add):
    for images in ("dog,bee", " dog , bee ", '["dog", "bee"]'):
        figure = add(images=images, image="dog", row="1", col="1").ready()
        assert [figure.image(n) for n in range(figure.tiles.count())] == ["dog", "bee"], images


def test_properties_mirror_the_attributes(add):
    figure = add(layer="deep").ready()
    values = {"src": "./", "figure": "gallery", "layer": "deep", "image": "bee", "row": 2, "col": 3, "styleMap": "spotlight", "colormap": "viridis", "range": "unit", "opacity": 0.5, "smooth": True}
    told = figure.element.evaluate("(element, values) => { Object.assign(element, values); return Object.fromEntries([...element.attributes].map(({ name, value }) => [name, value])); }", values)
    assert told == {"id": "added", "src": "./", "figure": "gallery", "layer": "deep", "image": "bee", "row": "2", "col": "3", "style-map": "spotlight", "colormap": "viridis", "range": "unit", "opacity": "0.5", "smooth": "true"}
    assert figure.element.evaluate("(element, names) => Object.fromEntries(names.map((name) => [name, element[name]]))", list(values)) == values
    assert figure.element.evaluate("element => { element.smooth = false; element.row = null; return [element.smooth, element.row, element.hasAttribute('row'), element.images]; }") == [False, None, False, []]
    figure.element.evaluate("element => { element.images = ['cow', 'ant']; }")
    expect(figure.tiles).to_have_count(2)
    figure.ready()
    assert figure.element.evaluate("element => element.images") == ["cow", "ant"] == [figure.image(0), figure.image(1)]


def test_a_changed_attribute_shows_at_once(add):
    figure = add(image="ant", row="2", col="3", layer="deep").ready()
    before = figure.drawn(1)
    for name, value in (("style-map", "spotlight"), ("colormap", "viridis"), ("range", "unit"), ("opacity", "0.4")):
        set_attribute(figure, name, value)
        assert figure.drawn(1) != before and any(figure.drawn(1)), name
        set_attribute(figure, name, None)
        assert figure.drawn(1) == before, name
    set_attribute(figure, "layer", "shallow")
    figure.expect_selection({"layer": "shallow"})
    figure.expect_scores()
    assert figure.drawn(1) != before and any(figure.drawn(1))


def test_smooth_shows_at_once(add):
    figure = add(smooth="false").ready()
    canvas = figure.tiles.nth(0).locator("canvas")
    expect(canvas).to_have_css("image-rendering", "pixelated")
    set_attribute(figure, "smooth", "")
    expect(canvas).to_have_css("image-rendering", "auto")
    set_attribute(figure, "smooth", "false")
    expect(canvas).to_have_css("image-rendering", "pixelated")


def test_a_changed_figure_starts_anew(add):
    figure = add(layer="deep").ready()
    expect(figure.tiles).to_have_count(4)
    set_attribute(figure, "figure", "pair")
    expect(figure.tiles).to_have_count(2)
    figure.ready().hover(0, 2, 3)
    figure.expect_selection(figure.patch(0, 2, 3))


READY_AND_EVENT = "async element => { const error = await element.ready.then(() => null, (thrown) => thrown); return [error?.message ?? null, error instanceof Error, error === heard.find(({ type }) => type === 'overlay-error')?.detail]; }"


NOT_SHOWN = [
    ({"layer": "block9"}, 'no layer "block9" in this bundle; it has shallow, deep'),
    ({"images": "ant,eel"}, 'no image "eel" in this bundle; it has ant, bee, cow, dog'),
    ({"images": "[ant"}, "the attribute images is [ant; expected a JSON array of ids"),
    ({"image": "eel", "row": "1", "col": "1"}, 'no image "eel" in this bundle'),
    ({"image": "ant", "row": "99", "col": "1", "layer": "deep"}, 'patch (99, 1) is outside the 8 x 12 grid of deep on "ant"'),
    ({"figure": "histogram"}, 'unknown figure "histogram"'),
    ({"figure": "../element"}, 'unknown figure "../element"'),
    ({"src": ""}, "<similarity-overlay> has no src"),
    ({"src": "#nowhere"}, "bundle.json: is missing in this page"),
]


def test_what_cannot_be_shown_is_said_everywhere(add, watch):
    watch.expect(r"404.*/figures/histogram\.js")
    for attributes, message in NOT_SHOWN:
        figure = add(**attributes)
        expect(figure.element.get_by_role("alert")).to_contain_text(message)
        said, is_error, same = figure.element.evaluate(READY_AND_EVENT)
        assert message in said and is_error and same, attributes
        (event,) = heard(figure, "overlay-error")
        assert event["bubbles"] and event["composed"], attributes


def test_an_unknown_layer_set_later_is_an_error_and_the_figure_stays(add):
    figure = add(image="ant", row="2", col="3", layer="deep").ready()
    set_attribute(figure, "layer", "block9")
    figure.page.wait_for_function("heard.some(({ type }) => type === 'overlay-error')")
    (event,) = heard(figure, "overlay-error")
    assert 'no layer "block9" in this bundle; it has shallow, deep' in event["message"]
    assert figure.selection["layer"] == "deep" and any(figure.drawn(1))
    figure.hover(0, 1, 1)
    figure.expect_selection(figure.patch(0, 1, 1))


def test_events_of_hovering_pinning_and_clearing(add):
    figure = add(layer="deep").ready()
    figure.page.evaluate("heard.length = 0")
    figure.hover(1, 2, 3)
    figure.expect_selection(figure.patch(1, 2, 3))
    assert heard(figure, "overlay-select")[-1]["detail"] == figure.patch(1, 2, 3)
    figure.page.mouse.down()
    figure.page.mouse.up()
    figure.expect_selection({"pinned": True})
    count = len(heard(figure, "overlay-select"))
    figure.hover(1, 5, 5)
    expect(figure.tiles.nth(1).locator(".cursor")).to_be_visible()
    assert len(heard(figure, "overlay-select")) == count
    figure.element.evaluate("element => element.clear()")
    events = heard(figure, "overlay-select")
    assert [event["detail"] for event in events[-2:]] == [figure.patch(1, 2, 3, pinned=True), None]
    assert all(event["bubbles"] and event["composed"] for event in events)


def test_the_opening_and_a_layer_change_are_told_too(add):
    figure = add(image="ant", row="2", col="3", layer="deep").ready()
    assert [event["detail"]["row"] for event in heard(figure, "overlay-select")] == [2]
    set_attribute(figure, "layer", "shallow")
    figure.expect_selection({"layer": "shallow"})
    assert heard(figure, "overlay-select")[-1]["detail"] == figure.selection


def test_select_resolves_when_it_is_drawn(add):
    figure = add(layer="deep").ready()
    drawn = figure.element.evaluate("""async element => {
        const canvas = element.shadowRoot.querySelectorAll('canvas')[1];
        const data = () => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.join();
        const before = data();
        await element.select({ image: 'cow', layer: 'shallow', row: 3, col: 4, pin: true });
        return [data() !== before, canvas.width];
    }""")
    assert drawn == [True, figure.bundle.grid(figure.image(1), "shallow")[1]]
    assert figure.selection == {"image": "cow", "layer": "shallow", "row": 3, "col": 4, "pinned": True}
    figure.expect_scores()


NOT_SELECTED = [
    ({"image": "ant", "row": 8, "col": 0}, "patch (8, 0) is outside the 8 x 12 grid"),
    ({"image": "ant", "row": 0, "col": -1}, "patch (0, -1) is outside"),
    ({"image": "ant", "row": 0.5, "col": 1}, "patch (0.5, 1) is outside"),
    ({"image": "ant", "row": "1", "col": 1}, "is outside"),
    ({"image": "eel", "row": 0, "col": 0}, 'no image "eel"'),
    ({"image": "ant", "row": 0, "col": 0, "layer": "block9"}, 'no layer "block9"'),
]


def test_select_rejects_what_is_not_there(add):
    figure = add(image="ant", row="2", col="3", layer="deep").ready()
    before = figure.selection
    for request, message in NOT_SELECTED:
        said = figure.element.evaluate("(element, request) => element.select(request).then(() => null, (error) => error.message)", request)
        assert said and message in said, request
        assert figure.selection == before, request


def test_without_a_selection_there_are_no_scores(add):
    figure = add(layer="deep").ready()
    figure.element.evaluate("element => element.clear()")
    assert figure.selection is None and figure.scores("ant") is None
    figure.select("ant", 1, 1)
    assert figure.scores("bee") is not None
    assert figure.element.evaluate("element => element.scores('bee', 'shallow')") is None
    assert "no image" in figure.element.evaluate("element => { try { element.scores('eel'); } catch (error) { return error.message; } }")


def test_scores_are_the_callers_own(add):
    figure = add(image="ant", row="2", col="3").ready()
    assert figure.element.evaluate("element => { element.scores('bee').values.fill(7); return element.scores('bee').values.includes(7); }") is False
