"""A site's folder: what is in it, that it refers to nothing else, and that nothing private is published."""

import base64
import hashlib
import io
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pytest
from PIL import Image, ImageCms

import exporter
from exporter import shards, site
from exporter.figures import figure_types
from exporter.site import template_folder
from tests.conftest import contents, invoke, make_photo

EVIL = '</title></script><script>alert(1)</script>"\'&<!--'
INLINE = re.compile(r"<script(?![^>]*(?: src=|type=\"application))[^>]*>(.*?)</script>", re.S)


class Page(HTMLParser):
    """The tags of a page with their attributes, and the text of each."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append((self.tags[-1][0] if self.tags else "", data))


def written(folder, photos, network, **options):
    exporter.export(photos, folder / "site", **{"model": str(network), "layers": ["shallow", "deep"], "size": 64, **options})
    return folder / "site"


def describe(photos, text):
    (photos / "images.toml").write_text(text, "utf-8")


@pytest.fixture
def evil_site(photos, tiny_network, tmp_path):
    """A site with hostile text wherever a user can put some."""
    quoted = json.dumps(EVIL)
    describe(
        photos,
        f"[images.rex]\ntitle = {quoted}\nalt = {quoted}\ncredit = {quoted}\n[images.tom]\ncredit = {quoted}\n[classes.dogs]\ntitle = {quoted}\ncaption = {quoted}",
    )
    return written(tmp_path, photos, tiny_network, title=EVIL)


def test_the_files_of_a_site(photos, tiny_network, tmp_path):
    modules = {path.relative_to(template_folder()).as_posix() for path in (template_folder() / "js").rglob("*.js")}
    assert {"js/element.js", "js/figures/gallery.js", "js/figures/pair.js"} <= modules
    made = {f"images/{name}.webp" for name in ("first", "rex", "fido", "tom", "kit")}
    codes = {"features/0-shallow-0000.bin", "features/1-deep-0000.bin"}
    expected = {".nojekyll", "bundle.json", "index.html", "style.css"} | modules | made | codes
    assert set(contents(written(tmp_path, photos, tiny_network))) == expected


def test_modules_and_style_are_those_of_the_repository(default_site):
    for path in [*(template_folder() / "js").rglob("*.js"), template_folder() / "style.css"]:
        assert (default_site / path.relative_to(template_folder())).read_bytes() == path.read_bytes()


def test_every_figure_has_both_its_modules(default_site):
    scripts = {path.stem for path in (template_folder() / "js" / "figures").glob("*.js")}
    assert set(figure_types()) == scripts == {path.stem for path in (default_site / "js" / "figures").glob("*.js")}
    for name, figure in figure_types().items():
        assert figure.name == name and figure.title and figure.caption.endswith(".")


def check_no_other_host(name, text):
    assert set(re.findall(r"\b[a-z][a-z0-9+.-]*://[\w.-]*", text)) <= {"http://www.w3.org"}, name
    assert not re.findall(r"""["'`(=]\s*//\w""", text), name
    assert not (name.endswith(".css") and re.findall(r"@import|url\(", text)), name


def test_no_other_host(photos, tiny_network, tmp_path):
    for name, data in contents(written(tmp_path, photos, tiny_network)).items():
        if name.endswith((".html", ".js", ".css", ".json")):
            check_no_other_host(name, data.decode())


def is_credit(tag, attributes, bundle):
    """Whether a tag is a link, not followed until a reader clicks it, that an image's credit spells out."""
    credits = " ".join(image.credit for image in exporter.load_bundle(bundle).images)
    return tag == "a" and attributes == {"href": attributes.get("href"), "rel": "noopener"} and attributes["href"].startswith(("https://", "http://")) and attributes["href"] in credits


def test_links_of_the_page_lie_inside_the_site(default_site):
    for tag, attributes in Page((default_site / "index.html").read_text("utf-8")).tags:
        for key in ("src", "href"):
            target = attributes.get(key, "data:")
            if not target.startswith("data:") and not is_credit(tag, attributes, default_site):
                assert (default_site / target).exists() and not target.startswith("/"), (tag, target)
        assert not {key for key in attributes if key.startswith("on") or key in ("style", "srcset")}


def policy(text):
    (found,) = [a["content"] for tag, a in Page(text).tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"]
    return {name: values.split() for name, _, values in (part.partition(" ") for part in found.split("; "))}


def digest(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_content_security_policy(default_site):
    text = (default_site / "index.html").read_text("utf-8")
    (inline,) = INLINE.findall(text)
    assert policy(text) == {
        "default-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "script-src": ["'self'", "'wasm-unsafe-eval'", digest(inline)],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "connect-src": ["'self'"],
    }
    assert "<style" not in text
    assert text.index("Content-Security-Policy") < text.index("<script")


def test_an_unknown_variable_in_the_template_is_an_error(default_site):
    content = exporter.load_bundle(default_site).manifest
    variables = {"inline": None, "modules": [], "fallback": content.images, "notices_script": ""}
    assert site.render(content, {}, src="./", **variables).startswith("<!doctype html>")
    with pytest.raises(jinja2.UndefinedError, match="'src' is undefined"):
        site.render(content, {}, **variables)


def test_the_modules_that_the_page_needs_are_named_in_its_head(default_site):
    """No others: who shows no chart need not fetch one."""
    tags = Page((default_site / "index.html").read_text("utf-8")).tags
    named = [a["href"] for tag, a in tags if tag == "link" and a["rel"] == "modulepreload"]
    figures = {f"js/figures/{figure.type}.js" for figure in exporter.load_bundle(default_site).manifest.figures}
    imported = {os.path.normpath(f"{Path(name).parent}/{path}") for name in named for path in re.findall(r"^import .*'(.+)';$", (default_site / name).read_text("utf-8"), re.M)}
    assert len(named) == len(set(named)) and set(named) == {"js/element.js"} | figures | imported
    assert "js/tile.js" in named and "js/transforms/chart.js" not in named


def test_hostile_text_is_shown_as_it_is(evil_site, default_site):
    text = (evil_site / "index.html").read_text("utf-8")
    page = Page(text)
    assert "<script>alert" not in text and "<!--" not in text
    for name in ("title", "h1"):
        assert "".join(data for tag, data in page.texts if tag == name).strip() == EVIL
    assert [a["alt"] for t, a in page.tags if t == "img" and a["src"] == "images/rex.webp"] == [EVIL]
    count = [tag for tag, _ in page.tags].count("script")
    assert count == [tag for tag, _ in Page((default_site / "index.html").read_text("utf-8")).tags].count("script")
    bundle = exporter.load_bundle(evil_site)
    assert bundle.manifest.title == EVIL and {g.caption for g in bundle.manifest.groups} == {"", EVIL}


def test_credits_captions_and_facts_are_shown(photos, tiny_network, tmp_path):
    describe(photos, '[images.rex]\ntitle = "King Rex"\ncredit = "A. Photographer, CC BY"\nalt = "A dog looks up."')
    folder = written(tmp_path, photos, tiny_network)
    text, bundle = (folder / "index.html").read_text("utf-8"), exporter.load_bundle(folder)
    shown = " ".join(data for _, data in Page(text).texts)
    for name in ("gallery", "pair"):
        assert figure_types()[name].caption in shown and figure_types()[name].title in shown
    assert "King Rex: A. Photographer, CC BY" in shown
    assert bundle.manifest.networks[0].weights_sha256 in shown
    for layer in bundle.layers:
        assert f"{layer.error.max:.4f}" in shown and f"{layer.error.rms:.4f}" in shown and f"{layer.error.pairs:,}" in shown
    images = {a["src"]: a["alt"] for tag, a in Page(text).tags if tag == "img"}
    assert images["images/rex.webp"] == "A dog looks up." and images["images/tom.webp"] == "tom"


def test_addresses_in_credits_are_links_and_nothing_else_is(photos, tiny_network, tmp_path):
    bad = "javascript:alert(1) data:text/html,x <a href='https://evil.test'>x</a>"
    describe(photos, f'[images.rex]\ncredit = "A. B., https://photos.test/1?a=1&b=2 (CC BY)"\n[images.tom]\ncredit = "{bad}"\n[images.kit]\ntitle = "https://title.test"')
    text = (written(tmp_path, photos, tiny_network) / "index.html").read_text("utf-8")
    links = [attributes for tag, attributes in Page(text).tags if tag == "a"]
    assert links[0] == {"href": "https://photos.test/1?a=1&b=2", "rel": "noopener"}
    assert [a["href"] for a in links[1:] if not a["href"].startswith("https://evil.test")] == []
    assert not {"javascript", "data"} & {a["href"].partition(":")[0] for a in links} and "https://title.test" not in [a["href"] for a in links]


def test_elements_of_the_figures_in_order(photos, tiny_network, tmp_path):
    folder = written(tmp_path, photos, tiny_network, figures=["pair", "gallery", "pair"])
    elements = [a for tag, a in Page((folder / "index.html").read_text()).tags if tag == "similarity-overlay"]
    assert [(a["src"], a["figure"]) for a in elements] == [("./", "pair"), ("./", "gallery")]


def private(path):
    """A JPEG with everything that a camera and an editor leave in one."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x8298] = "SECRETMAKER", "SECRETMODEL", "SECRETOWNER"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 29.0), 3: "E", 4: (2.0, 17.0, 40.0)})
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = Image.open(make_photo(path, 1, (640, 480)))
    picture.save(path, exif=exif, icc_profile=profile, comment=b"SECRETCOMMENT", xmp=b"<x:xmpmeta>SECRETXMP</x:xmpmeta>")
    data = path.read_bytes()
    assert data.count(b"SECRET") == 5 and b"ICC_PROFILE" in data and Image.open(path).getexif().get_ifd(0x8825)[1] == "N"


@pytest.mark.parametrize("output", ["site", "page.html"])
def test_nothing_private_is_published(tmp_path, tiny_network, output):
    private(tmp_path / "photos" / "trip.jpg")
    exporter.export(tmp_path / "photos", tmp_path / output, model=tiny_network, layers=["deep"], size=256)
    everything = contents(tmp_path / "site") if output == "site" else {"": (tmp_path / output).read_bytes()}
    bundle = exporter.load_bundle(tmp_path / output)
    picture = bundle.files.read(bundle.images[0].file)
    for data in [*everything.values(), picture]:
        for word in (b"SECRET", b"ICC_PROFILE", b"ICCP", b"Exif\0", b"EXIF", b"xmpmeta", b"Photoshop", str(tmp_path).encode()):
            assert word not in data
    # Only the pixels: the first chunk of a WebP would be another if there were more.
    assert picture[8:16] == b"WEBPVP8 "
    with Image.open(io.BytesIO(picture)) as opened:
        assert not opened.getexif() and not {"icc_profile", "xmp", "comment"} & set(opened.info)


def test_shards_are_of_two_to_four_megabytes_and_hold_codes_only(tmp_path, tiny_network):
    for number in range(22):
        make_photo(tmp_path / "photos" / f"{number:02}.jpg", number)
    folder = written(tmp_path, tmp_path / "photos", tiny_network, size=1024, encoding="int8")
    bundle = exporter.load_bundle(folder)
    shallow = bundle.layers[0].shards
    assert [(shard.first, shard.count) for shard in shallow] == [(0, 9), (9, 9), (18, 4)]
    for shard in shallow[:-1]:
        assert shards.TARGET_BYTES <= shard.bytes <= 2 * shards.TARGET_BYTES
    for layer in bundle.layers:
        codes = sum(rows * cols * layer.dims for rows, cols in layer.grids)
        stored = sum((folder / shard.file).stat().st_size for shard in layer.shards)
        assert codes < stored <= codes * 1.01


def test_images_are_never_split_and_large_ones_stand_alone(photos, tiny_network, tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "TARGET_BYTES", 1000)
    bundle = exporter.load_bundle(written(tmp_path, photos, tiny_network))
    shallow, deep = bundle.layers
    # 16 x 16 patches of 6 channels pass the target alone, 10 x 16 do not.
    assert [(shard.first, shard.count) for shard in shallow.shards] == [(0, 2), (2, 2), (4, 1)]
    assert [shard.file for shard in deep.shards] == ["features/1-deep-0000.bin", "features/1-deep-0001.bin"]
    first = bundle.codes("kit", "shallow").copy()
    bundle.codes("first", "shallow")
    assert (bundle.codes("kit", "shallow") == first).all()


def test_what_github_pages_does_not_take_is_warned_of(photos, tiny, tmp_path, monkeypatch):
    assert (site.MOST_FILE_BYTES, site.MOST_SITE_BYTES) == (100 * 1024 * 1024, 1_000_000_000)
    arguments = ["overlay-export", photos, *tiny, "--quiet", "--force", "-o"]
    assert invoke(*arguments, tmp_path / "site").stderr == ""
    sizes = {name: len(data) for name, data in contents(tmp_path / "site").items()}
    largest = max(sizes, key=sizes.get)
    monkeypatch.setattr(site, "MOST_FILE_BYTES", sizes[largest] - 1)
    file_warning = f"Warning: {largest} takes {site.megabytes(sizes[largest])}, GitHub Pages takes files of at most .*; use fewer images, a smaller --size or .*\n"
    assert re.fullmatch(file_warning, invoke(*arguments, tmp_path / "site").stderr)
    monkeypatch.setattr(site, "MOST_SITE_BYTES", sum(sizes.values()) - 1)
    site_warning = f"Warning: {tmp_path / 'site'} takes {site.megabytes(sum(sizes.values()))}, GitHub Pages takes sites of at most .*; use fewer images.*\n"
    assert re.fullmatch(file_warning + site_warning, invoke(*arguments, tmp_path / "site").stderr)
    assert invoke(*arguments, tmp_path / "page.html").stderr.startswith(f"Warning: {tmp_path / 'page.html'} takes ")
    monkeypatch.undo()
    assert site.size_warnings(tmp_path / "site", {"a": site.MOST_FILE_BYTES, "b": site.MOST_SITE_BYTES - site.MOST_FILE_BYTES})[0].startswith("b takes 895 MB")
    assert site.size_warnings(tmp_path / "site", {str(n): site.MOST_FILE_BYTES for n in range(9)}) == []
