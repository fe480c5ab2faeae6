"""examples/: photos.py writes real photographs with titles, alternative texts and credits; own_network trains and exports."""

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from PIL import Image

from exporter import load_bundle
from exporter.verify import verify_files

SCRIPT = Path(__file__).parents[1] / "examples" / "photos.py"


def run(folder, *flags):
    return subprocess.run([sys.executable, *flags, str(SCRIPT), str(folder)], capture_output=True, text=True)


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples") / "new" / "photos"
    done = run(folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder


def test_photos_open_and_lie_in_class_folders(written):
    photos = [p for p in written.rglob("*") if p.suffix in (".jpg", ".png")]
    assert len(photos) >= 12
    classes = {p.parent for p in photos}
    assert len(classes) >= 4
    for folder in classes:
        assert folder.parent == written
        assert sum(p.parent == folder for p in photos) >= 2
    for path in photos:
        with Image.open(path) as image:
            image.load()
            assert image.format == {".jpg": "JPEG", ".png": "PNG"}[path.suffix]
            assert min(image.size) >= 300


def test_images_toml_describes_every_photo_and_class(written):
    described = tomllib.loads((written / "images.toml").read_text(encoding="utf-8"))
    photos = [p for p in written.rglob("*") if p.suffix in (".jpg", ".png")]
    assert sorted(described["images"]) == sorted(p.stem for p in photos)
    assert sorted(described["classes"]) == sorted(p.name for p in written.iterdir() if p.is_dir())
    for entry in described["images"].values():
        assert entry["title"] and entry["credit"]
        assert len(entry["alt"]) > 40 and entry["alt"].endswith(".") and entry["alt"] != entry["title"]
    assert len({entry["alt"] for entry in described["images"].values()}) == len(photos)
    for entry in described["classes"].values():
        assert entry["title"] and entry["caption"]


def test_second_run_and_half_written_folder_give_the_same_bytes(written):
    before = contents(written)
    assert run(written).returncode == 0
    assert contents(written) == before
    (written / "people" / "grace-hopper.jpg").unlink()
    (written / "people" / ".DS_Store").write_bytes(b"")
    assert run(written).returncode == 0
    (written / "people" / ".DS_Store").unlink()
    assert contents(written) == before


@pytest.mark.parametrize(
    "other", ["mine.txt", "people/me.jpg", "people/grace-hopper.jpg", "images.toml", "holiday/a.png"]
)
def test_refuses_a_folder_with_other_things(tmp_path, other):
    path = tmp_path / other
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"mine")
    done = run(tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1 and str(tmp_path) in done.stderr
    assert contents(tmp_path) == {other: b"mine"}


def test_refuses_a_file(tmp_path):
    (tmp_path / "file").write_bytes(b"mine")
    done = run(tmp_path / "file")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_missing_package_names_the_remedy(tmp_path):
    done = run(tmp_path / "photos", "-I", "-S")  # without site-packages
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and 'pip install "overlay-export[demo]"' in done.stderr
    assert not (tmp_path / "photos").exists()


def test_imports_none_of_the_packages(tmp_path):
    spec = importlib.util.spec_from_file_location("photos", SCRIPT)
    photos = importlib.util.module_from_spec(spec)
    loaded = set(sys.modules)
    spec.loader.exec_module(photos)
    assert photos.main([str(tmp_path / "photos")]) == 0
    assert not {"skimage", "sklearn", "matplotlib"} & (set(sys.modules) - loaded)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """What examples/own_network makes of few pictures."""
    folder = tmp_path_factory.mktemp("own")
    done = subprocess.run([sys.executable, str(SCRIPT.parent / "own_network" / "train.py"), str(folder), "--examples", "96"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return load_bundle(folder / "site"), done.stdout


def test_own_network_exports_its_training_as_one_figure(trained):
    bundle, printed = trained
    labels = [f"epoch {number}" for number in (0, 1, 2, 4, 8)]
    assert [network.id for network in bundle.manifest.networks] == labels
    assert [layer.id for layer in bundle.layers] == [f"{label}/stage4" for label in labels]
    assert bundle.manifest.figures[0].type == "layers"
    assert {network.mean for network in bundle.manifest.networks} == {(0.5,) * 3}
    assert printed.count("loss") == 8


def test_own_network_learns(trained):
    """Each checkpoint is another network, and the loss falls."""
    bundle, printed = trained
    losses = [float(line.rsplit(" ", 1)[1]) for line in printed.splitlines() if line.startswith("epoch ")]
    assert losses[-1] < 0.8 * losses[0]
    image = bundle.images[0]
    codes = [bundle.codes(image, layer).tobytes() for layer in bundle.layers]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("study", ["classes", "factors", "transforms", "segment", "neighbours", "map", "pca", "channels"])
def test_every_case_study_gives_a_site(study, tmp_path, model_cache):
    done = subprocess.run([sys.executable, str(SCRIPT.parent / "study.py"), study, str(tmp_path), "--size", "128"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"overlay-export {tmp_path / 'photos'}" in done.stdout
    bundle = load_bundle(tmp_path / "site")
    assert [figure.type for figure in bundle.manifest.figures] == [study]
    assert verify_files(bundle).images == len(bundle.images)
