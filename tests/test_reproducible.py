"""The same images, network and options give the same files to the byte, whatever else differs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import exporter
from tests.conftest import command_line, contents
from tests.onnx_graphs import tiny

PHOTOS = ["people/grace-hopper.jpg", "textures/bricks.png", "things/coffee.png", "vehicles/falcon-9.jpg"]
OPTIONS = ["--size", "256", "--title", "Some photos", "--quiet"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory, demo_photos):
    """Four real photos of several shapes in four folders, with their notes."""
    folder = tmp_path_factory.mktemp("some") / "photos"
    for name in PHOTOS:
        (folder / name).parent.mkdir(parents=True)
        shutil.copy(demo_photos / name, folder / name)
    (folder / "images.toml").write_text('[images.coffee]\ncredit = "somebody"\n[classes.people]\ntitle = "People"\n')
    return folder


def run(*arguments, output, cwd=None, cache=None):
    """Export in a process of its own; what it wrote."""
    environment = {**os.environ, "PYTHONHASHSEED": "random", **({"OVERLAY_EXPORT_CACHE": str(cache)} if cache else {})}
    subprocess.run(command_line("overlay-export", *arguments, "-o", output, *OPTIONS), check=True, cwd=cwd, env=environment)
    path = output if cwd is None else cwd / output
    return contents(path) if path.is_dir() else path.read_bytes()


@pytest.fixture(scope="module")
def usual(tmp_path_factory, photos, model_cache):
    """The site that all others must equal."""
    return run(photos, output=tmp_path_factory.mktemp("usual") / "site")


def same(found, expected):
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []


def test_a_second_run_and_a_fresh_cache(usual, photos, tmp_path):
    same(run(photos, output=tmp_path / "second"), usual)
    same(run(photos, output=tmp_path / "fresh", cache=tmp_path / "cache"), usual)


def test_another_working_directory_and_name(usual, photos, tmp_path):
    same(run("photos", output=Path("site-here"), cwd=photos.parent), usual)
    same(run("../" + photos.name, output=tmp_path / "elsewhere", cwd=photos.parent / "photos"), usual)


def test_another_place(usual, photos, tmp_path):
    moved = shutil.copytree(photos, tmp_path / "other" / "photos")
    for path in moved.rglob("*.*"):
        os.utime(path, (1, 1))
    same(run(moved, output=tmp_path / "site"), usual)


def test_the_order_of_arguments(photos, tmp_path, model_cache):
    folders = [photos / name for name in ("people", "things", "vehicles")]
    single = photos / "textures" / "bricks.png"
    one = run(*folders, single, output=tmp_path / "one")
    same(run(single, *reversed(folders), folders[1], output=tmp_path / "two"), one)


@pytest.mark.parametrize("options", [("--batch-size", "100"), ("--threads", "1"), ("--threads", "4", "--batch-size", "2")], ids=" ".join)
def test_batches_and_threads(usual, photos, tmp_path, options):
    same(run(photos, *options, output=tmp_path / "site"), usual)


def test_several_networks_without_their_means(photos, tmp_path):
    models = [f"--model={tiny(tmp_path / name, seed)}" for seed, name in enumerate(("a.onnx", "b.onnx"))]
    options = [*models, "--layers=deep", "--layers=shallow,deep", "--center"]
    one = run(photos, *options, output=tmp_path / "one")
    same(run("--center", *options[:-1], photos, "--threads", "1", "--batch-size", "3", output=tmp_path / "two", cache=tmp_path / "cache"), one)


def test_a_page(photos, tmp_path, model_cache):
    first = run(photos, output=tmp_path / "a.html")
    assert run(photos, "--threads", "1", "--batch-size", "4", output=tmp_path / "b.html") == first
    exporter.export(photos, tmp_path / "c.html", size=256, title="Some photos")
    assert (tmp_path / "c.html").read_bytes() == first
