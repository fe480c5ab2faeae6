"""The page itself: what it asks for, what it forbids, what is there when scripts cannot run."""

from collections import Counter

import pytest
from playwright.sync_api import expect

from exporter import load_bundle
from tests.browser.conftest import Figure, shard_of

LOADED = "all => all.every(one => one.complete && one.naturalWidth > 0)"


@pytest.mark.parametrize("name", ["gallery", "pair"])
def test_hovering_fetches_nothing(default_site, bundle, serve, open_page, watch, name):
    page = open_page(serve(default_site))
    figure = Figure(page, bundle, f"[figure={name}]").ready()
    page.evaluate("document.querySelector('[figure=layers]').remove()")  # it fetches when it comes near
    page.wait_for_load_state("networkidle")
    before = list(watch.requests)
    rows, cols = figure.grid(0)
    cells = [(row, col) for row in range(rows) for col in range(cols)][::2][:50]
    figure.hover(0, *cells[0])
    for row, col in cells:
        page.mouse.move(*figure.at(0, row, col, scroll=False))
        figure.expect_selection(figure.patch(0, row, col))
    assert len(cells) == 50 and watch.requests == before


def test_a_layer_loads_when_it_is_asked_for_and_every_file_once(default_site, bundle, serve, open_page, watch):
    page = open_page(serve(default_site))
    gallery, pair = (Figure(page, bundle, f"[figure={name}]").ready() for name in ("gallery", "pair"))
    block3, block4 = (f"/{shard_of(default_site, layer).relative_to(default_site).as_posix()}" for layer in ("block3", "block4"))
    assert watch.paths(".bin") == [block4]
    for figure in (gallery, pair, gallery):
        other = "block4" if figure.selection["layer"] == "block3" else "block3"
        figure.element.get_by_role("radio", name=other).click()
        figure.expect_selection({"layer": other})
        assert watch.paths(".bin") == [block4, block3]
    assert pair.selection["layer"] == "block3" and gallery.selection["layer"] == "block4"
    often = {path: count for path, count in Counter(watch.paths()).items() if count > 1 and not path.endswith((".jpg", ".webp"))}
    assert often == {}


def test_figures_on_different_layers_each_show_their_own(tiny_site, serve, open_page, watch):
    page = open_page(serve(tiny_site))
    bundle = load_bundle(tiny_site)
    gallery, pair = (Figure(page, bundle, f"[figure={name}]").ready() for name in ("gallery", "pair"))
    gallery.element.get_by_role("radio", name="shallow").click()
    gallery.expect_selection({"layer": "shallow"})
    gallery.expect_scores()
    pair.expect_scores()
    assert pair.selection["layer"] == "deep"


def test_the_policy_is_strict_and_works(default_site, serve, open_page, watch):
    page = open_page(serve(default_site))
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    directives = {words[0]: words[1:] for words in map(str.split, policy.split(";"))}
    assert directives["default-src"] == ["'none'"] and directives["connect-src"] == ["'self'"]
    assert not any("unsafe-inline" in source or "unsafe-eval" in source.replace("wasm-unsafe-eval", "") or "http" in source or source == "*" for sources in directives.values() for source in sources)
    watch.expect("Content Security Policy")
    blocked = page.evaluate("""() => new Promise((resolve) => {
        addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective));
        const script = document.createElement('script');
        script.textContent = 'window.ran = true';
        document.body.append(script);
    })""")
    assert blocked == "script-src-elem" and not page.evaluate("window.ran")


def test_the_single_file_has_a_policy_without_any_host(default_page, open_page):
    policy = open_page(default_page).locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert policy.startswith("default-src 'none'") and "http" not in policy and "'unsafe-inline'" not in policy and "'self'" not in policy


def test_a_folder_opened_from_a_disk_says_what_to_do(default_site, open_page, watch):
    watch.expect("CORS policy|ERR_FAILED")
    page = open_page(default_site / "index.html")
    notice = page.get_by_text("This page was opened straight from a disk")
    expect(notice).to_be_visible()
    expect(notice.locator("..")).to_contain_text("overlay-serve")
    expect(notice.locator("..")).to_contain_text("-o page.html")
    pictures = page.locator(".fallback img")
    expect(pictures).to_have_count(14)
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        picture.evaluate("one => one.decode()")
        expect(picture).to_be_visible()


@pytest.mark.parametrize("form", ["folder", "single file"])
def test_without_scripts_the_images_and_a_sentence_are_there(default_site, default_page, serve, open_page, form):
    page = open_page(serve(default_site if form == "folder" else default_page), java_script_enabled=False)
    sentence = page.locator("noscript .notice")  # get_by_text does not look into noscript
    expect(sentence).to_be_visible()
    expect(sentence).to_contain_text("computed in your browser, which needs JavaScript. These are the images.")
    expect(page.get_by_text("This page was opened straight from a disk")).to_be_hidden()
    pictures = page.locator(".fallback img")
    expect(pictures).to_have_count(14)
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        expect(picture).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert pictures.evaluate_all(LOADED)
    assert all(pictures.evaluate_all("all => all.map(one => one.alt)"))


def test_with_scripts_the_figures_stand_in_the_place_of_the_fallback(tiny_figure):
    page = tiny_figure().page
    expect(page.locator(".fallback img").filter(visible=True)).to_have_count(0)
    expect(page.locator(".notice").filter(visible=True)).to_have_count(0)


NO_CRYPTO = "Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined });"


def test_without_web_crypto_shards_are_checked_all_the_same(tiny_copy, serve, open_page):
    site = serve(tiny_copy)
    figure = Figure(open_page(site, init=NO_CRYPTO), load_bundle(tiny_copy), "[figure=gallery]").ready()
    assert figure.page.evaluate("crypto.subtle") is None
    figure.hover(0, 2, 2)
    figure.expect_selection(figure.patch(0, 2, 2))
    figure.expect_scores()
    shard = shard_of(tiny_copy, "shallow")
    data = bytearray(shard.read_bytes())
    data[-1] ^= 1
    shard.write_bytes(data)
    figure.element.get_by_role("radio", name="shallow").click()
    figure.expect_error(shard.relative_to(tiny_copy).as_posix(), "was altered")


def test_without_web_crypto_a_shard_of_a_megabyte_is_checked(default_site, bundle, serve, open_page):
    figure = Figure(open_page(serve(default_site), init=NO_CRYPTO), bundle, "[figure=gallery]").ready()
    figure.select("coffee", 3, 3, layer="block3")
    figure.expect_scores()


def test_the_page_states_its_network_and_error(default_site, bundle, serve, open_page):
    page = open_page(serve(default_site))
    network = bundle.manifest.networks[0]
    expect(page.locator(".facts")).to_contain_text(network.name)
    expect(page.locator("footer")).to_contain_text(network.weights_sha256)
    expect(page.locator(".facts")).to_contain_text(f"≤ {max(layer.error.max for layer in bundle.layers):.4f}")
    assert page.title() == bundle.manifest.title
