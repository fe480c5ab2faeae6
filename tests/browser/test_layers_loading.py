"""The figure `layers` while layers are not there: too far away to be fetched yet, or not to be had. The others go on."""

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from tests.browser.panels import Panels
from tests.browser.test_element import ADD

HEARD = "window.heard = []; addEventListener('overlay-error', (event) => heard.push([event.target.getAttribute('figure'), event.detail.message]));"
SELECT = "(element, request) => element.select(request).then(() => null, (error) => error.message)"


def of_figure(figure):
    """What the page was told of failures of this figure."""
    return [message for name, message in figure.page.evaluate("heard") if name == "layers"]


def shard(figure, layer):
    return next(one for one in figure.bundle.layers if one.id == layer).shards[0].file


@pytest.fixture
def far(panels):
    """A figure two screens down the page."""
    return panels(lambda manifest: replace(manifest, figures=manifest.figures[::-1]), viewport={"width": 1280, "height": 300}).ready()


def test_far_away_only_the_opening_layer_is_fetched(far, watch):
    assert watch.paths(".bin") == [f"/{shard(far, 'deep')}"]
    assert far.selection["layer"] == "deep"
    assert far.scores("wide") is not None and far.scores("wide", "fine") is None
    assert sorted(set(watch.paths(".bin"))) == [f"/{shard(far, 'deep')}"]


def test_coming_near_the_others_are_fetched_once(far, watch):
    far.element.scroll_into_view_if_needed()
    expect(far.element.locator(".panel.waiting")).to_have_count(0)
    assert sorted(watch.paths(".bin")) == sorted(f"/{shard(far, layer)}" for layer in far.layers)
    far.expect_in_step()
    far.expect_scores()
    far.hover(0, 3, 4)
    far.expect_selection(far.patch(0, 3, 4))
    far.expect_scores()


@pytest.mark.parametrize("layer", ["fine", "deep"])
def test_a_script_that_selects_far_away_finds_every_layer_there(far, layer):
    far.select("square", 2, 3, layer=layer)
    assert far.selection == {"image": "square", "layer": layer, "row": 2, "col": 3, "pinned": False}
    far.expect_scores()
    far.expect_in_step()


def test_a_layer_that_cannot_be_loaded_says_so_in_its_place(panels):
    figure = panels(spoil=["middle"], init=HEARD).ready()
    box = figure.panels.nth(1).get_by_role("alert")
    expect(box).to_contain_text(f"This layer cannot be shown. {shard(figure, 'middle')}: was altered (SHA-256")
    expect(figure.panels.nth(1).locator(".legend")).to_be_hidden()
    assert figure.layers == ["fine", "deep"]
    (message,) = of_figure(figure)
    assert message.startswith(f"{shard(figure, 'middle')}: was altered")
    for n in (0, 1):
        figure.hover(n, 1, 2)
        figure.expect_selection(figure.patch(n, 1, 2))
        figure.expect_in_step()
        figure.expect_scores()
    assert figure.scores(figure.image(0), "middle") is None
    figure.tiles.nth(1).focus()
    figure.page.keyboard.press("Shift+ArrowLeft")
    expect(figure.tiles.nth(0)).to_be_focused()
    figure.control("Image").select_option("Title of square")
    expect(box).to_be_visible()
    assert len(of_figure(figure)) == 1


def test_where_the_first_layer_is_lost_another_one_opens_at_its_place(panels):
    figure = panels(spoil=["deep"], init=HEARD).ready()
    opening = figure.bundle.manifest.selection
    assert opening.layer == "deep"
    grid, new = (figure.bundle.grid(opening.image, layer) for layer in ("deep", "middle"))
    wanted = {"image": opening.image, "layer": "middle", "row": int((opening.row + 0.5) / grid[0] * new[0]), "col": int((opening.col + 0.5) / grid[1] * new[1]), "pinned": False}
    assert figure.selection == wanted
    figure.expect_in_step()
    figure.expect_scores()


def test_where_attributes_name_the_lost_layer_their_patch_is_found_on_another(panels):
    figure = panels(spoil=["fine"]).ready()
    figure.page.evaluate(ADD, {"figure": "layers", "layer": "fine", "image": "wide", "row": "15", "col": "23"})
    added = Panels(figure.page, figure.bundle, "#added").ready()
    assert added.selection == {"image": "wide", "layer": "deep", "row": 2, "col": 3, "pinned": False}
    added.expect_in_step()


def test_where_every_layer_is_lost_the_figure_is(panels):
    figure = panels(spoil=["fine", "middle", "deep"], init=HEARD)
    assert "was altered" in figure.element.evaluate("element => element.ready.then(() => null, (error) => error.message)")
    figure.expect_error("This figure cannot be shown. ", f"{shard(figure, 'fine')}: was altered")
    assert len(of_figure(figure)) == 1


def test_a_script_has_a_lost_layer_tried_again(panels, watch):
    watch.expect("503")
    figure = panels(init=HEARD).ready()
    name = shard(figure, "middle")
    figure.page.route(f"**/{name}*", lambda route: route.fulfill(status=503), times=2)
    figure.page.reload()
    figure.ready()
    assert figure.layers == ["fine", "deep"]
    request = {"image": figure.image(0), "layer": "middle", "row": 1, "col": 2}
    before = figure.selection
    assert figure.element.evaluate(SELECT, request) == f"{name}: could not be loaded (HTTP 503)"
    assert figure.selection == before and figure.layers == ["fine", "deep"]
    assert len(of_figure(figure)) == 2
    assert figure.element.evaluate(SELECT, request) is None
    assert figure.layers == ["fine", "middle", "deep"]
    assert figure.selection == {**request, "pinned": False}
    expect(figure.element.get_by_role("alert")).to_have_count(0)
    figure.expect_in_step()
    figure.expect_scores()
    figure.hover(1, 3, 3)
    figure.expect_selection(figure.patch(1, 3, 3))
