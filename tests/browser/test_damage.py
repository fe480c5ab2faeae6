"""Files that are missing, altered or from the future: a message in the figure's place, never a wrong map."""

import base64
import json
import re

import pytest
from playwright.sync_api import expect

from exporter import export, load_bundle
from tests.browser.conftest import Figure, read_manifest, shard_of


def alter(data):
    return data[:-1] + bytes([data[-1] ^ 1])


SHARD_DAMAGE = {"missing": (None, "could not be loaded (HTTP 404)"), "altered": (alter, "was altered (SHA-256"), "truncated": (lambda data: data[:-7], "bytes, expected"), "empty": (lambda data: b"", "is 0 bytes, expected")}


def spoil(path, damage):
    if damage is None:
        return path.unlink()
    # The page may be reading it: it is there all the time.
    spoilt = path.with_name("spoilt")
    spoilt.write_bytes(damage(path.read_bytes()))
    spoilt.replace(path)


@pytest.fixture
def open_tiny(tiny_copy, serve, open_page):
    """A function that opens the damaged copy and gives one of its figures, not waiting for it."""
    bundle = load_bundle(tiny_copy)
    return lambda name="gallery": Figure(open_page(serve(tiny_copy)), bundle, f"[figure={name}]")


def damaged_shard(site, watch, layer, damage):
    """Damage the first shard of a layer: its file and the reason that a reader is told."""
    shard = shard_of(site, layer)
    change, reason = SHARD_DAMAGE[damage]
    spoil(shard, change)
    if change is None:
        watch.expect("404")
    return shard.relative_to(site).as_posix(), reason


# Every damage in one figure, one damage in both.
FIGURES_OF_DAMAGE = [*((damage, "gallery") for damage in SHARD_DAMAGE), ("altered", "pair")]


@pytest.mark.parametrize(("damage", "name"), FIGURES_OF_DAMAGE)
def test_a_damaged_shard_of_the_first_layer(tiny_copy, open_tiny, watch, damage, name):
    file, reason = damaged_shard(tiny_copy, watch, "deep", damage)
    figure = open_tiny(name)
    figure.expect_error("This figure cannot be shown", f"{file}: ", reason)
    assert figure.selection is None
    figure.element.get_by_role("radio", name="shallow").click()
    expect(figure.element.get_by_role("alert")).to_have_count(0)
    figure.ready().layer = "shallow"
    figure.expect_selection({"layer": "shallow", "image": figure.bundle.manifest.selection.image})
    figure.hover(0, 3, 4)
    figure.expect_selection(figure.patch(0, 3, 4))
    figure.expect_scores()
    assert any(figure.drawn(1))


@pytest.mark.parametrize(("damage", "name"), FIGURES_OF_DAMAGE)
def test_a_damaged_shard_of_another_layer(tiny_copy, open_tiny, watch, damage, name):
    file, reason = damaged_shard(tiny_copy, watch, "shallow", damage)
    figure = open_tiny(name).ready()
    figure.element.get_by_role("radio", name="shallow").click()
    figure.expect_error(f"{file}: ", reason)
    assert figure.selection is None
    figure.element.get_by_role("radio", name="deep").click()
    expect(figure.element.get_by_role("alert")).to_have_count(0)
    figure.click(0, 3, 4)
    figure.expect_selection(figure.patch(0, 3, 4, pinned=True))
    figure.expect_scores()


def test_a_script_cannot_select_on_a_damaged_layer(tiny_copy, open_tiny):
    spoil(shard_of(tiny_copy, "shallow"), alter)
    figure = open_tiny().ready()
    select = "(element, layer) => element.select({ image: 'ant', layer, row: 1, col: 1 }).then(() => null, (error) => error.message)"
    for _ in range(2):
        assert "was altered" in figure.element.evaluate(select, "shallow")
    assert figure.selection is None and figure.scores("ant") is None
    assert figure.element.evaluate(select, "deep") is None
    figure.expect_scores()


MANIFEST_DAMAGE = {
    "missing": (None, "could not be loaded (HTTP 404)"),
    "no JSON": (lambda data: data[:-9], "is not JSON"),
    "newer": (lambda data: json.dumps({**json.loads(data), "version": 2}).encode(), "is format version 2, this page reads up to 1; export or embed with the newer overlay-export"),
    "somebody else's": (lambda data: b"{}", 'has no "format"'),
    "a path out of the site": (lambda data: re.sub(rb'"file":"images/[^"]*"', b'"file":"../secret.jpg"', data, count=1), 'has the path "../secret.jpg"'),
}


@pytest.mark.parametrize("damage", MANIFEST_DAMAGE)
def test_a_damaged_manifest(tiny_copy, open_tiny, watch, damage):
    change, reason = MANIFEST_DAMAGE[damage]
    figure = open_tiny()
    spoil(tiny_copy / "bundle.json", change)
    if change is None:
        watch.expect("404")
    figure.page.reload()
    figure.expect_error("bundle.json: ", reason)
    Figure(figure.page, figure.bundle, "[figure=pair]").expect_error("bundle.json: ", reason)


def test_an_unknown_encoding_spares_the_other_layer(tiny_copy, serve, open_page):
    bundle = load_bundle(tiny_copy)
    manifest = read_manifest(tiny_copy)
    next(layer for layer in manifest["layers"] if layer["id"] == "shallow")["encoding"] = "float3"
    (tiny_copy / "bundle.json").write_text(json.dumps(manifest))
    figure = Figure(open_page(serve(tiny_copy)), bundle, "[figure=gallery]").ready()
    figure.element.get_by_role("radio", name="shallow").click()
    figure.expect_error('layer "shallow" has the encoding "float3", this page knows int8')


def test_a_shard_of_another_export_is_refused(tiny_copy, open_tiny):
    """Right hash, wrong content: the header says other images."""
    import hashlib

    shard = shard_of(tiny_copy, "deep")
    data = bytearray(shard.read_bytes())
    data[8] = 1
    shard.write_bytes(data)
    figure = open_tiny()
    manifest = (tiny_copy / "bundle.json").read_text()
    before = next(layer for layer in json.loads(manifest)["layers"] if layer["id"] == "deep")["shards"][0]["sha256"]
    (tiny_copy / "bundle.json").write_text(manifest.replace(before, hashlib.sha256(data).hexdigest()))
    figure.page.reload()
    figure.expect_error(shard.relative_to(tiny_copy).as_posix(), "begins with image 1 of 4, expected 0 of 4")


def test_a_missing_image_leaves_the_figure_working(tiny_copy, open_tiny, watch):
    watch.expect("404")
    manifest = read_manifest(tiny_copy)
    (tiny_copy / manifest["images"][0]["file"]).unlink()
    figure = open_tiny().ready()
    tile = figure.tiles.nth(0)
    expect(tile).to_have_class(re.compile("no-picture"))
    expect(tile.locator(".name")).to_have_text("ant")
    expect(figure.element.get_by_role("alert")).to_have_count(0)
    figure.hover(0, 2, 3)
    figure.expect_selection(figure.patch(0, 2, 3))
    figure.expect_scores()
    assert any(figure.drawn(1))


@pytest.fixture(scope="module")
def tiny_page(tmp_path_factory, tiny_network, tiny_photos):
    page = tmp_path_factory.mktemp("tiny") / "page.html"
    export(tiny_photos, page, model=str(tiny_network), layers=["shallow", "deep"], size=96)
    return page


SHARD_ELEMENT = r'(<script type="application/octet-stream" data-bundle="bundle" data-file="([^"]*deep[^"]*)">)([^<]*)</script>'


def spoil_text(text, change):
    def replace(match):
        spoilt = change(match[3])
        return "" if spoilt is None else f"{match[1]}{spoilt}</script>"

    spoilt, count = re.subn(SHARD_ELEMENT, replace, text)
    assert count == 1 and spoilt != text
    return spoilt


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: base64.b64encode(alter(base64.b64decode(text))).decode(), "was altered"),
        (lambda text: text[: len(text) // 8 * 4], "bytes, expected"),
        (lambda text: "!" + text[1:], "is not base64; the page was altered"),
        (lambda text: None, "is missing in this page"),
    ],
    ids=["altered", "truncated", "not base64", "missing"],
)
def test_a_damaged_shard_inside_a_single_file(tiny_page, tmp_path, open_page, change, reason):
    page = tmp_path / "page.html"
    page.write_text(spoil_text(tiny_page.read_text(), change))
    file = re.search(SHARD_ELEMENT, tiny_page.read_text())[2]
    figure = Figure(open_page(page), load_bundle(tiny_page), "[figure=gallery]", layer="deep")
    figure.expect_error(f"{file}: ", reason)
    figure.element.get_by_role("radio", name="shallow").click()
    expect(figure.element.get_by_role("alert")).to_have_count(0)
    figure.layer = "shallow"
    figure.hover(0, 3, 4)
    figure.expect_selection(figure.patch(0, 3, 4))
    figure.expect_scores()
