"""The figure `map` where something is wrong or missing: the images work on, and the place of the map says why."""

import json

import pytest
from playwright.sync_api import expect

from exporter.site import write_site
from tests.browser.mapped import COLORS
from tests.fixtures.make import GOOD, write_bundle

HEARD = "window.heard = []; addEventListener('overlay-error', (event) => heard.push(event.detail.message));"
FILE = "tables/2-patches-tsne.bin"


def altered(site):
    for file in (FILE, "factors/deep-3.bin"):
        data = (site / file).read_bytes()
        (site / file).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def missing(site):
    (site / FILE).unlink()


DAMAGE = {"altered": (altered, "was altered (SHA-256"), "missing": (missing, "HTTP 404")}


@pytest.mark.parametrize("name", DAMAGE)
def test_images_work_without_the_map(mapped, watch, name):
    spoil, words = DAMAGE[name]
    if name == "missing":
        watch.expect("404")
    figure = mapped(spoil, init=HEARD)
    super(type(figure), figure).ready()
    box = figure.element.locator(".scatter").get_by_role("alert")
    for part in ("This map cannot be shown.", FILE, words):
        expect(box).to_contain_text(part)
    assert len(figure.page.evaluate("heard")) == 1
    figure.hover(1, 2, 2)
    figure.expect_selection(figure.patch(1, 2, 2))
    figure.expect_scores()
    assert all(any(figure.drawn(n)) for n in range(4))
    figure.show(method="pca")
    expect(box).to_have_count(0)
    figure.hover_point(9)
    figure.expect_selection(figure.patch_of(9))
    figure.control("Colour by").select_option("factors deep-3")
    if name == "altered":
        expect(figure.element.locator(".key .note")).to_contain_text("The factors cannot be shown: factors/deep-3.bin: was altered")
        figure.expect_colors(COLORS[[figure.image_of(point)[0] for point in range(91)]])
    else:
        expect(figure.element.locator(".key button")).to_have_count(3)


def test_a_layer_without_maps_says_so(mapped):
    figure = mapped(attributes={"layers": json.dumps(["plain", "deep"])}).ready()
    figure.element.locator("input[value=plain]").check(force=True)
    figure.layer = "plain"
    expect(figure.element.locator(".scatter").get_by_role("alert")).to_contain_text("None was made of the layer plain; export with --map")
    figure.hover(1, 2, 2)
    figure.expect_selection(figure.patch(1, 2, 2))
    figure.expect_scores()


def test_what_cannot_be_shown_is_said_in_the_figure(tmp_path, serve, open_page):
    """A bundle without maps; attributes that name what is not there."""
    site = tmp_path / "site"
    write_site(site, write_bundle(site, GOOD).manifest)
    page = open_page(serve(site), init=HEARD)
    page.evaluate("() => { const one = document.createElement('similarity-overlay'); Object.assign(one, { id: 'added', src: './', figure: 'map' }); document.body.append(one); }")
    expect(page.locator("#added").get_by_role("alert")).to_contain_text("this bundle has no maps of points; export with --map pca,tsne")
    assert len(page.evaluate("heard")) == 1


def test_an_attribute_that_names_nothing(mapped):
    figure = mapped(attributes={"method": "umap"}, init=HEARD)
    figure.expect_error('no map by "umap" in this figure; it has tsne, pca')
    figure.element.evaluate("element => { element.method = 'tsne'; element.color = 'size'; }")
    figure.expect_error('no colour by "size" in this figure; it has image, class, similarity, factors')
