"""The same figures wherever they stand: a folder over http, a single file, another origin's page, an iframe."""

import shutil
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from exporter import load_bundle
from tests.browser.conftest import STRICT_HOST, Figure
from tests.browser.watch import origin

DESK = {"viewport": {"width": 1280, "height": 900}, "has_touch": True}


def tour(figure):
    """Mouse, touch, keyboard and the other layer, each with its effect."""
    figure.hover(0, 3, 4)
    figure.expect_selection(figure.patch(0, 3, 4))
    assert any(figure.drawn(1))
    figure.expect_scores()
    figure.click(0, 3, 4)
    figure.expect_selection(figure.patch(0, 3, 4, pinned=True))
    figure.hover(1, 2, 2)
    expect(figure.tiles.nth(1).locator(".cursor")).to_have_text(figure.value((0, 3, 4), 1, 2, 2))
    figure.tiles.nth(0).press("Escape")
    figure.expect_selection(None)
    figure.tap(0, 5, 5)
    figure.expect_selection(figure.patch(0, 5, 5))
    figure.tap(0, 5, 5)
    figure.expect_selection(figure.patch(0, 5, 5, pinned=True))
    figure.tiles.nth(0).press("ArrowUp")
    figure.tiles.nth(0).press("Enter")
    figure.expect_selection(figure.patch(0, 4, 5, pinned=True))
    figure.element.get_by_role("radio", name="block3").click()
    figure.expect_selection({"layer": "block3", "pinned": True})
    figure.layer = "block3"
    assert any(figure.drawn(1))
    figure.expect_scores()


@pytest.mark.parametrize("name", ["gallery", "pair"])
def test_a_folder_over_http(default_site, bundle, serve, open_page, name):
    tour(Figure(open_page(serve(default_site), **DESK), bundle, f"[figure={name}]").ready())


@pytest.mark.parametrize("name", ["gallery", "pair"])
def test_a_single_file_from_a_disk(default_page, open_page, watch, name):
    page = open_page(default_page, **DESK)
    tour(Figure(page, load_bundle(default_page), f"[figure={name}]").ready())
    assert [url for url in watch.requests if not url.startswith("data:")] == [default_page.as_uri()]
    pictures = page.locator("similarity-overlay .tile img")
    assert pictures.evaluate_all("all => all.every(one => one.complete && one.naturalWidth > 0)")
    expect(page.get_by_text("This page was opened straight from a disk")).to_be_hidden()


def test_a_single_file_over_http(default_page, serve, open_page, watch):
    address = serve(default_page)
    tour(Figure(open_page(address, **DESK), load_bundle(default_page), "[figure=gallery]").ready())
    assert [url for url in watch.requests if not url.startswith("data:")] == [address]


def test_a_folder_and_its_single_file_say_the_same(default_site, default_page, bundle):
    other = load_bundle(default_page)
    assert other.manifest.images == bundle.manifest.images and other.manifest.selection == bundle.manifest.selection
    assert (other.codes("coffee", "block4") == bundle.codes("coffee", "block4")).all()


def host_page(*elements, module):
    return f'<html><head><title>Host</title></head><body><h1>Host</h1><script type="module" src="{module}js/element.js"></script>{"".join(elements)}</body></html>'


@pytest.mark.parametrize("name", ["gallery", "pair"])
def test_in_a_page_of_another_origin_with_a_strict_policy(default_site, bundle, serve, host, open_page, watch, name):
    site = serve(default_site)
    html = host_page(f'<similarity-overlay src="{site}" figure="{name}" layer="block4"></similarity-overlay>', module=site)
    address = host({"/": html}, STRICT_HOST.format(site=origin(site)))
    figure = Figure(open_page(address, **DESK), bundle, "similarity-overlay").ready()
    tour(figure)
    assert figure.tiles.nth(0).evaluate("tile => getComputedStyle(tile).position") == "relative"
    pictures = figure.element.locator("img")
    pictures.evaluate_all("all => Promise.all(all.map(one => one.decode()))")
    assert {origin(url) for url in watch.requests} == {origin(site), origin(address)}
    assert [url for url in watch.requests if url.startswith(address)] in ([address], [address, f"{address}favicon.ico"])


def test_a_picture_of_another_origin_can_be_drawn_and_saved(default_site, bundle, serve, host, open_page):
    site = serve(default_site)
    figure = Figure(open_page(host({"/": host_page(f'<similarity-overlay src="{site}"></similarity-overlay>', module=site)})), bundle, "similarity-overlay").ready()
    saved = figure.element.locator(".tile img").first.evaluate("""async picture => {
        await picture.decode();
        const canvas = document.createElement('canvas');
        canvas.getContext('2d').drawImage(picture, 0, 0);
        return canvas.toDataURL().length;
    }""")
    assert saved > 1000


def test_two_elements_with_two_bundles_on_one_page(default_site, bundle, tiny_site, serve, host, open_page):
    big, small = serve(default_site), serve(tiny_site)
    elements = [f'<similarity-overlay id="{id}" src="{site.rstrip("/")}" figure="{figure}"></similarity-overlay>' for id, site, figure in (("one", big, "pair"), ("two", small, "gallery"))]
    page = open_page(host({"/": host_page(*elements, module=big)}))
    first, second = Figure(page, bundle, "#one").ready(), Figure(page, load_bundle(tiny_site), "#two").ready()
    second.hover(0, 3, 4)
    second.expect_selection(second.patch(0, 3, 4))
    second.expect_scores()
    first.hover(0, 2, 2)
    first.expect_selection(first.patch(0, 2, 2))
    first.expect_scores()
    assert second.selection == second.patch(0, 3, 4)
    second.element.get_by_role("radio", name="shallow").click()
    second.expect_selection({"layer": "shallow"})
    assert first.selection["layer"] == "block4"


def test_a_changed_source_is_read_from_there(default_site, tiny_site, serve, host, open_page):
    big, small = serve(default_site), serve(tiny_site)
    page = open_page(host({"/": host_page(f'<similarity-overlay src="{big}"></similarity-overlay>', module=big)}))
    figure = Figure(page, load_bundle(tiny_site), "similarity-overlay").ready()
    expect(figure.tiles).to_have_count(14)
    figure.element.evaluate("(element, src) => { element.src = src; }", small)
    expect(figure.tiles).to_have_count(4)
    figure.ready().hover(0, 3, 4)
    figure.expect_selection(figure.patch(0, 3, 4))
    figure.expect_scores()


@pytest.mark.parametrize("form", ["folder", "single file"])
def test_in_an_iframe(default_site, default_page, bundle, serve, host, open_page, form):
    site = serve(default_site if form == "folder" else default_page)
    page = open_page(host({"/": f'<iframe src="{site}" width="1200" height="850" style="border: 0"></iframe>'}), **DESK)
    frame = page.frame(url=site)
    tour(Figure(frame, bundle, "[figure=gallery]").ready())


@pytest.mark.parametrize("name", ["gallery", "pair"])
def test_under_a_path(tiny_site, serve, open_page, watch, tmp_path, name):
    shutil.copytree(tiny_site, tmp_path / "a" / "b")
    (tmp_path / "index.html").write_text("somebody else's page")
    figure = Figure(open_page(serve(tmp_path) + "a/b/"), load_bundle(tiny_site), f"[figure={name}]").ready()
    figure.hover(0, 2, 2)
    figure.expect_selection(figure.patch(0, 2, 2))
    figure.element.get_by_role("radio", name="shallow").click()
    figure.expect_selection({"layer": "shallow"})
    assert watch.paths() and all(path.startswith("/a/b/") for path in watch.paths())


def test_a_host_that_lets_no_other_origin_read_is_told_of(tiny_site, running, serve, host, open_page, watch):
    module = serve(tiny_site)
    closed = running(ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(tiny_site))))
    watch.allow(closed)
    watch.expect("CORS policy")
    watch.expect("ERR_FAILED")
    page = open_page(host({"/": host_page(f'<similarity-overlay src="{closed}"></similarity-overlay>', module=module)}))
    expect(page.get_by_role("alert")).to_contain_text("bundle.json: could not be loaded (no connection, or its host does not allow this page to read it)")
