"""The single-file page: everything inside, modules changed in nothing but their specifiers, sizes that browsers can take."""

import base64
import json
import posixpath
import re

import pytest

import exporter
from exporter import modules, page, site, spool
from exporter.errors import ExportError
from exporter.site import template_folder
from tests.conftest import contents, invoke, make_photo
from tests.test_site import EVIL, INLINE, Page, check_no_other_host, digest, is_credit, policy

MODULES = template_folder() / "js"
NAMES = sorted(path.relative_to(MODULES).as_posix() for path in MODULES.rglob("*.js"))


@pytest.fixture(scope="module")
def text(default_page):
    return default_page.read_text("utf-8")


@pytest.fixture(scope="module")
def inlined(text):
    """{bare name: module text} of the page's import map."""
    (content,) = re.findall(r'<script type="importmap">(.*?)</script>', text, re.S)
    modules = json.loads(content)
    assert list(modules) == ["imports"]
    before = "data:text/javascript;base64,"
    assert all(url.startswith(before) for url in modules["imports"].values())
    return {name: base64.b64decode(url.removeprefix(before), validate=True).decode() for name, url in modules["imports"].items()}


def test_nothing_is_loaded_from_elsewhere(text, default_page):
    for tag, attributes in Page(text).tags:
        for key in ("src", "href", "srcset", "data", "poster", "action", "ping", "background"):
            assert attributes.get(key, "#").startswith(("data:", "#")) or is_credit(tag, attributes, default_page), (tag, key, attributes[key][:80])
        assert not {key for key in attributes if key.startswith("on")}
        assert tag not in ("base", "iframe", "object", "embed", "form")
    assert not re.findall(r"@import|url\(", "".join(re.findall(r"<style>(.*?)</style>", text, re.S)))


def test_no_other_host_in_the_page_or_its_modules(photos, tiny, tmp_path, inlined):
    for name, module in inlined.items():
        check_no_other_host(name, module)
    invoke("overlay-export", photos, "-o", tmp_path / "page.html", *tiny)
    readable = re.sub(r'base64,[A-Za-z0-9+/=]+|(?<=">)[A-Za-z0-9+/=]{60,}', "", (tmp_path / "page.html").read_text("utf-8"))
    check_no_other_host("page.html", readable)


def test_the_policy_allows_only_what_stands_inside(text):
    styles = re.findall(r"<style>(.*?)</style>", text, re.S)
    scripts = INLINE.findall(text)
    assert (len(styles), len(scripts)) == (1, 2)
    found = policy(text)
    assert found["script-src"] == ["'wasm-unsafe-eval'", "data:", *map(digest, scripts)]
    assert found["style-src"] == [digest(styles[0])]
    assert found["default-src"] == found["base-uri"] == found["form-action"] == ["'none'"]
    assert found["img-src"] == ["data:", "blob:"] and "connect-src" not in found


def test_every_module_is_in_the_import_map(inlined):
    assert sorted(inlined) == sorted(f"overlay-export/{name}" for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_only_relative_specifiers_are_rewritten(inlined, name):
    """Source and inlined text, split at quotes, differ exactly in strings that name a sibling after `from` or `import`."""
    parts = [re.split(r"([\"'`])", one) for one in ((MODULES / name).read_text("utf-8"), inlined[f"overlay-export/{name}"])]
    assert len(parts[0]) == len(parts[1])
    for index, (before, after) in enumerate(zip(*parts, strict=True)):
        if before != after:
            assert re.search(r"(\bfrom\s*|\bimport\s*\(?\s*)$", parts[0][index - 2]) and before.startswith(("./", "../"))
            fixed, placeholder, rest = before.partition("${")
            bare = posixpath.normpath(posixpath.join("overlay-export", posixpath.dirname(name), fixed)) + ("/" if placeholder else "")
            assert after == bare + placeholder + rest


@pytest.mark.parametrize("name", NAMES)
def test_every_import_of_an_inlined_module_is_in_the_import_map(inlined, name):
    code = re.sub(r"/\*.*?\*/", "", inlined[f"overlay-export/{name}"], flags=re.S)
    found = re.findall(r"^\s*(?:import|export)\b[^;'\"]*?\bfrom\s*['\"]([^'\"]+)|\bimport\s*\(?\s*['\"`]([^'\"`]+)", code, re.M)
    specifiers = {one or other for one, other in found}
    assert len(specifiers) >= len(re.findall(r"^import\b", code, re.M))
    for specifier in specifiers:
        stem = specifier.partition("${")[0]
        assert any(key.startswith(stem) if "${" in specifier else key == specifier for key in inlined), specifier


def test_specifiers_of_every_form(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.js").write_text(
        "import './b.js';\nimport {x} from \"./b.js\";\nexport * from './sub/c.js';\nconst m = await import('./b.js');\n"
        "const f = await import(`./sub/${name}.js`);\nconst t = 'taken from ./b.js', u = './b.js';\nimport y from 'bare';\n"
    )
    (tmp_path / "sub" / "c.js").write_text("import { x } from '../b.js';\nimport z from './d.js';\n")
    found = dict(modules.inline_modules(tmp_path))
    assert found["a.js"] == (
        "import 'overlay-export/b.js';\nimport {x} from \"overlay-export/b.js\";\nexport * from 'overlay-export/sub/c.js';\nconst m = await import('overlay-export/b.js');\n"
        "const f = await import(`overlay-export/sub/${name}.js`);\nconst t = 'taken from ./b.js', u = './b.js';\nimport y from 'bare';\n"
    )
    assert found["sub/c.js"] == "import { x } from 'overlay-export/b.js';\nimport z from 'overlay-export/sub/d.js';\n"


def test_shards_and_images_are_those_of_the_folder(text, default_site):
    tags = Page(text).tags
    bundle = exporter.load_bundle(default_site)
    shards = [shard.file for layer in bundle.layers for shard in layer.shards]
    assert [a["data-file"] for tag, a in tags if tag == "script" and a.get("data-bundle")] == shards
    images = {a["data-file"]: a["src"] for tag, a in tags if tag == "img" and a.get("data-bundle")}
    assert images == {i.file: f"data:image/webp;base64,{base64.b64encode(bundle.files.read(i.file)).decode()}" for i in bundle.images}
    (content,) = re.findall(r'<script type="application/json" id="bundle">(.*?)</script>', text, re.S)
    assert "<" not in content and json.loads(content) == json.loads((default_site / "bundle.json").read_bytes())
    assert re.findall(r'<script type="module">(.*?)</script>', text, re.S) == ['import "overlay-export/element.js";']
    assert {a["src"] for tag, a in tags if tag == "similarity-overlay"} == {"#bundle"}


def test_hostile_text_cannot_leave_its_place(photos, tiny, tmp_path, text):
    (photos / "images.toml").write_text(f"[images.rex]\ntitle = {json.dumps(EVIL)}\ncredit = {json.dumps(EVIL)}\n", "utf-8")
    run = invoke("overlay-export", photos, "-o", tmp_path / "page.html", *tiny, "--title", EVIL)
    assert run.exit_code == 0
    made = (tmp_path / "page.html").read_text("utf-8")
    assert "<script>alert" not in made and "<!--" not in made
    kinds = [[a.get("type") for tag, a in Page(one).tags if tag == "script"] for one in (made, text)]
    assert kinds[0] == kinds[1]
    bundle = exporter.load_bundle(tmp_path / "page.html")
    assert bundle.manifest.title == EVIL and {EVIL} == {i.title for i in bundle.images if i.id == "rex"}


def test_a_large_page_is_warned_of(photos, tiny, tmp_path, monkeypatch):
    assert (site.LARGE_PAGE, page.MAX_BYTES) == (50_000_000, 200_000_000)
    monkeypatch.setattr(site, "LARGE_PAGE", 50_000)
    run = invoke("overlay-export", photos, "-o", tmp_path / "page.HTML", *tiny, "--quiet")
    size = site.megabytes((tmp_path / "page.HTML").stat().st_size)
    assert (run.exit_code, run.stdout) == (0, "")
    assert run.stderr == f"Warning: {tmp_path / 'page.HTML'} takes {size} and loads as a whole before anything shows; a folder (-o site/) opens sooner\n"
    assert invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny).stderr == ""


def test_a_page_that_is_too_large_is_refused(photos, tiny, tmp_path, monkeypatch):
    target = tmp_path / "page.html"
    assert invoke("overlay-export", photos / "cats", "-o", target, *tiny).exit_code == 0
    before = contents(tmp_path)
    monkeypatch.setattr(page, "MAX_BYTES", 100_000)
    run = invoke("overlay-export", photos, "-o", target, *tiny, "--force")
    assert run.exit_code == 1 and run.stdout == ""
    assert re.fullmatch(
        r"Error: the page would take \d+ kB, more than the 100 kB that browsers reliably open as one file; write a folder \(-o site/\), or use fewer images, a smaller --size or deeper layers\. What is finished is kept: .*\n",
        run.stderr,
    )
    assert {name: data for name, data in contents(tmp_path).items() if not name.startswith(".")} == before


def test_too_many_features_stop_the_run_early(tiny, tmp_path, monkeypatch, tiny_network):
    assert page.MAX_FEATURE_BYTES == 150_000_000  # in base64 that is the limit of a page
    for number in range(12):
        make_photo(tmp_path / "photos" / f"{number:02}.png", number)
    monkeypatch.setattr(page, "MAX_FEATURE_BYTES", 1500)
    model, calls = exporter.open_model(tiny_network), []
    run = model.run
    monkeypatch.setattr(model, "run", lambda batch: calls.append(1) or run(batch))
    with pytest.raises(ExportError, match=r"the features of 2 of 12 images already take 0 MB, a single-file page may hold 0 MB; write a folder"):
        exporter.export(tmp_path / "photos", tmp_path / "page.html", model=model, layers=["shallow"], size=64, threads=1)
    assert len(calls) <= 4 and [path.name for path in tmp_path.iterdir()] == ["photos"]
    exporter.export(tmp_path / "photos", tmp_path / "site", model=model, layers=["shallow"], size=64)


def test_what_is_taken_over_counts_for_the_limit(tmp_path, monkeypatch, tiny_network):
    for number in range(10):
        make_photo(tmp_path / "photos" / f"{number}.png", number)
    monkeypatch.setattr(spool, "PART_IMAGES", 3)
    monkeypatch.setattr(page, "MAX_FEATURE_BYTES", 8500)
    for resume in (False, True):
        with pytest.raises(ExportError, match="the features of 9 of 10 images already take"):
            exporter.export(tmp_path / "photos", tmp_path / "page.html", model=tiny_network, layers="shallow", size=64, threads=1, resume=resume)
