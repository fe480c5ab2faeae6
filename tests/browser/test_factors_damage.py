"""The figure `factors` where something is wrong or missing: the overlays work on, and the place of the factors says why."""

import json

import pytest
from playwright.sync_api import expect

from exporter.site import write_site
from tests.browser.conftest import Figure
from tests.browser.factored import factor_site
from tests.fixtures.make import GOOD, write_bundle

HEARD = "window.heard = []; addEventListener('overlay-error', (event) => heard.push(event.detail.message));"


def altered(site):
    path = site / "factors" / "deep-3.bin"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def cut(site):
    path = site / "factors" / "deep-3.bin"
    path.write_bytes(path.read_bytes()[:-1])


def missing(site):
    (site / "factors" / "deep-3.bin").unlink()


DAMAGE = {"altered": (altered, "was altered (SHA-256"), "cut": (cut, "expected"), "missing": (missing, "HTTP 404")}


@pytest.mark.parametrize("name", DAMAGE)
def test_overlays_work_without_the_weights(factored, watch, name):
    spoil, words = DAMAGE[name]
    if name == "missing":
        watch.expect("404")
    figure = factored(spoil, init=HEARD).ready()
    box = figure.element.get_by_role("alert").filter(visible=True)
    expect(box).to_contain_text("The factors cannot be shown.")
    expect(box).to_contain_text("factors/deep-3.bin")
    expect(box).to_contain_text(words)
    assert len(figure.page.evaluate("heard")) == 1
    expect(figure.maps).to_have_count(0)
    expect(figure.element.locator(".mixture")).to_be_hidden()
    figure.hover(1, 2, 2)
    figure.expect_selection(figure.patch(1, 2, 2))
    figure.expect_scores()
    assert all(any(figure.drawn(n)) for n in range(4))
    figure.page.keyboard.press("Tab")
    figure.tiles.nth(0).focus()
    figure.page.keyboard.press("Shift+ArrowRight")
    expect(figure.tiles.nth(1)).to_be_focused()
    figure.control("Number").select_option("4")
    figure.expect_painted("deep-4")
    expect(box).to_have_count(0)


def test_a_bundle_without_factors_says_how_to_get_them(tmp_path, serve, open_page):
    site = tmp_path / "site"
    manifest = write_bundle(site, GOOD).manifest
    write_site(site, manifest)
    page = open_page(serve(site), init=HEARD)
    page.evaluate("() => { const one = document.createElement('similarity-overlay'); Object.assign(one, { id: 'added', src: './', figure: 'factors' }); document.body.append(one); }")
    box = page.locator("#added").get_by_role("alert")
    expect(box).to_contain_text("this bundle has no factors; export with --factors 4")
    assert len(page.evaluate("heard")) == 1


def test_a_layer_without_factors_says_so(factored):
    figure = factored(attributes={"layers": json.dumps(["plain", "deep"])}).ready()
    figure.expect_painted("deep-3")
    figure.element.locator("input[value=plain]").check()
    expect(figure.element.get_by_role("alert").filter(visible=True)).to_contain_text("None were computed for the layer plain; export with --factors 4")
    expect(figure.maps).to_have_count(0)
    figure.layer = "plain"
    figure.hover(1, 2, 2)
    figure.expect_selection(figure.patch(1, 2, 2))
    figure.expect_scores()
    figure.element.locator("input[value=deep]").check()
    figure.expect_painted("deep-3")


def test_the_attribute_names_the_set_to_begin_with(factored):
    figure = factored(attributes={"factors": "fine-4"}, layer="fine").ready()
    figure.expect_painted("fine-4")
    assert figure.selection["layer"] == "fine"
    figure.expect_scores()


def test_a_group_to_begin_with_opens_on_one_of_its_images(tmp_path, serve, open_page):
    site = tmp_path / "site"
    bundle, weights = factor_site(site, attributes={"factors": "deep-3-animals", "image": "wide", "row": "1", "col": "1"})
    figure = Figure(open_page(serve(site)), bundle, "[figure=factors]", "deep").ready()
    _, image, row, col = weights["deep-3-animals"].best(0)[0]
    figure.expect_selection({"image": image, "row": row, "col": col, "pinned": False})
    expect(figure.element.locator(".tile.of-factors")).to_have_count(3)
    assert figure.scores(image) is not None


def test_an_unknown_set_is_refused_with_what_there_is(factored):
    figure = factored(attributes={"factors": "deep-9"})
    expect(figure.element.get_by_role("alert")).to_contain_text('no factors "deep-9" in this figure; it has deep-3, deep-4, deep-3-animals, fine-4')


def test_only_some_images(factored):
    figure = factored(attributes={"images": json.dumps(["square", "tall"])}).ready()
    assert [figure.image(n) for n in range(figure.tiles.count())] == ["square", "tall"]
    figure.expect_painted("deep-3")
    expect(figure.rows.nth(0).locator(".strip button").filter(visible=True)).to_have_count(2)
