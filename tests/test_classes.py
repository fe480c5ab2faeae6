"""Marks and classes on the way from a folder to a bundle: what is shown by default, what is said, what is computed again."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

import exporter
from exporter.entries import digest_of
from exporter.images import ImageFile, find_images
from exporter.page_figures import default_figures
from exporter.verify import verify_files
from tests.conftest import make_photo

WARNING = "figure classes: all images are of one class; sort them into sub-folders, one for each class, and name the folder that holds these"


@pytest.fixture
def animals(tmp_path):
    for seed, name in enumerate(("cats/tabby.png", "dogs/_generated/drawn.png", "dogs/pug.png")):
        make_photo(tmp_path / "animals" / name, seed, (64, 64))
    return tmp_path / "animals"


def test_a_mark_is_in_the_bundle_and_brings_the_figure(animals, tiny_network, tmp_path):
    (animals / "images.toml").write_text('[images.tabby]\nmark = "a <b>copy</b>"\n[classes.dogs]\ncaption = "<i>Ears</i>"')
    report = exporter.export(animals, tmp_path / "site", model=str(tiny_network), layers=["deep"], size=64)
    bundle = exporter.load_bundle(tmp_path / "site")
    assert [(image.id, image.group, image.mark) for image in bundle.images] == [("tabby", "cats", "a <b>copy</b>"), ("drawn", "dogs", "generated"), ("pug", "dogs", "")]
    assert [figure.type for figure in bundle.manifest.figures] == ["gallery", "classes", "pair"]
    assert report.warnings == () and verify_files(bundle).images == 3
    page = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert "&lt;i&gt;Ears&lt;/i&gt;" in page and "<i>" not in page


def test_one_class_is_a_warning(animals, tiny_network, tmp_path):
    options = {"model": str(tiny_network), "layers": ["deep"], "size": 64, "figures": "classes"}
    assert exporter.export(animals / "dogs", tmp_path / "dogs", **options).warnings == (WARNING,)
    assert exporter.export(animals, tmp_path / "all", **options).warnings == ()
    assert [figure.type for figure in exporter.load_bundle(tmp_path / "dogs").manifest.figures] == ["classes"]


def test_another_mark_is_computed_again(animals):
    image = find_images([animals]).images[0]
    assert digest_of(image) == digest_of(replace(image)) != digest_of(replace(image, mark="generated"))


@pytest.mark.parametrize(
    ("count", "names", "marked", "groups", "expected"),
    [(1, 1, "", 3, "gallery pair"), (1, 1, "x", 3, "gallery classes pair"), (1, 1, "x", 1, "gallery pair"), (1, 2, "x", 2, "gallery classes pair layers"), (2, 1, "x", 24, "layers gallery classes pair"), (1, 1, "x", 25, "gallery pair")],
)
def test_classes_are_shown_where_an_image_is_marked(count, names, marked, groups, expected):
    images = [ImageFile(Path(f"{n}.png"), str(n), str(n), str(n), str(n), mark=marked if n == 0 else "") for n in range(groups)]
    networks = [SimpleNamespace(layers=list(range(names)))] * count
    assert default_figures(networks, images) == expected.split()
