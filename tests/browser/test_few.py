"""A few images with more codes than a page takes at once: they come together, once the reader is near."""

import re

import pytest
from playwright.sync_api import expect

from exporter.site import write_site
from tests.browser.conftest import Figure
from tests.browser.large import FRAMES
from tests.fixtures.make import LayerPlan, Plan, write_bundle


@pytest.fixture(scope="module")
def coarse_site(tmp_path_factory):
    """A site of three images, each a shard of its own, with figures gallery and pair and more codes than a page takes whole."""
    site = tmp_path_factory.mktemp("coarse") / "site"
    plan = Plan(images={"a": (320, 240), "b": (320, 240), "c": (240, 320)}, layers=(LayerPlan("deep", 16, 5000, signed=True),), shard_bytes=1, seed=3)
    bundle = write_bundle(site, plan)
    write_site(site, bundle.manifest)
    return site, bundle


@pytest.mark.parametrize("name", ["gallery", "pair"])
def test_few_images_with_many_codes_come_without_pointing(coarse_site, serve, open_page, name):
    site, bundle = coarse_site
    figure = Figure(open_page(serve(site)), bundle, f"[figure={name}]").ready()
    assert figure.selection["image"] == "b"
    others = [n for n in range(figure.tiles.count()) if figure.image(n) != "b"]
    assert len(others) == (2 if name == "gallery" else 1)
    for n in others:
        expect(figure.tiles.nth(n)).to_have_class(re.compile("mapped"))
        assert any(figure.drawn(n))
        expect(figure.tiles.nth(n).locator(".best")).to_be_visible()
    expect(figure.element.locator(".arriving")).to_be_hidden()


def test_few_images_far_down_a_page_come_with_the_reader(coarse_site, serve, open_page, watch):
    site, bundle = coarse_site
    page = open_page(serve(site), init="addEventListener('DOMContentLoaded', () => { document.querySelector('[figure=pair]').remove(); document.querySelector('header').style.marginBottom = '3000px'; });")
    figure = Figure(page, bundle, "[figure=gallery]").ready()
    page.evaluate(FRAMES)
    (opening,) = watch.paths(".bin")
    figure.tiles.nth(0).scroll_into_view_if_needed()
    expect(figure.tiles.nth(0)).to_have_class(re.compile("mapped"))
    expect(figure.element.locator(".arriving")).to_be_hidden()
    assert len(watch.paths(".bin")) == 3 and opening in watch.paths(".bin")
