"""Folders and pages that an export wrote are told from everything else."""

from pathlib import Path

import pytest

from exporter import images, manifest
from exporter.manifest import FORMAT
from exporter.marks import GENERATOR_META, foreign_files, is_export, is_exported_page, is_page
from tests.fixtures.make import write_good


@pytest.fixture
def good(tmp_path):
    """A whole export, in miniature."""
    write_good(tmp_path / "good")
    for beside in ("expected.json", "masks.json"):
        (tmp_path / "good" / beside).unlink()
    return tmp_path / "good"


def test_pages_are_known_by_their_names():
    assert all(is_page(Path(name)) for name in ("a.html", "a.HTM", "dir/a.b.Html"))
    assert not any(is_page(Path(name)) for name in ("a", "html", ".html", "a.html.d", "a.xhtml"))


def test_exported_pages_are_known_by_their_generator(tmp_path, default_page):
    page = tmp_path / "page.html"
    assert is_exported_page(default_page)
    assert not is_exported_page(page) and not is_exported_page(tmp_path)
    for text, ours in ((f'{GENERATOR_META} 9.9">', True), ("", False), ('<meta name="generator" content="another">', False), (" " * 5000 + GENERATOR_META, False)):
        page.write_text(text)
        assert is_exported_page(page) is ours


def test_an_export_holds_nothing_foreign(good, default_site):
    assert is_export(good) and foreign_files(good) == []
    assert is_export(default_site) and foreign_files(default_site) == []


def test_foreign_files_are_named_at_any_depth(good):
    foreign = ["CNAME", "features/a/b.bin", "images/.hidden", "images/0.png", "js/sub/data.json", "own/bundle.json", "style.css.bak"]
    for name in [*foreign, "js/figures/of-another-version.js", "index.html", "style.css", ".nojekyll"]:
        (good / name).parent.mkdir(parents=True, exist_ok=True)
        (good / name).write_text("")
    assert foreign_files(good) == foreign


def test_only_files_are_foreign(good):
    (good / "empty" / "folders").mkdir(parents=True)
    assert foreign_files(good) == []


def test_in_a_folder_that_is_no_export_all_but_the_usual_names_are_foreign(tmp_path):
    for name in ("index.html", "a.bin"):
        (tmp_path / name).write_text("")
    assert not is_export(tmp_path) and foreign_files(tmp_path) == ["a.bin"]


def test_there_is_one_kind_of_group():
    assert manifest.Group is images.Group and FORMAT == "overlay-export bundle"
