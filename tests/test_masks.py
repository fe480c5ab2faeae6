"""--masks: which mask belongs to which image, what is published of it, and what is said of those that will not do."""

import json

import numpy as np
import pytest
from PIL import Image

from exporter import export, load_bundle
from exporter.errors import BundleError
from exporter.images import find_images
from exporter.masks import find_masks, read_mask
from exporter.tables import write_table
from exporter.verify import verify_files
from tests.conftest import contents, invoke, make_photo, refused


def draw(path, size=(96, 64), box=(10, 20, 50, 40), mode="L", inside=255, outside=0):
    """A mask with a rectangle of foreground."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new(mode, size, outside)
    picture.paste(inside, box)
    picture.save(path)
    return path


@pytest.fixture
def pictures(tmp_path):
    for seed, name in enumerate(("ant", "bee", "cow")):
        make_photo(tmp_path / "images" / f"{name}.png", seed)
    return tmp_path / "images"


def found(folder, images):
    return find_masks(folder, find_images([images]).images)


@pytest.mark.parametrize(("mode", "inside", "outside"), [("L", 255, 0), ("L", 1, 0), ("1", 1, 0), ("I;16", 40000, 0), ("RGB", (255, 255, 255), (0, 0, 0)), ("RGBA", (255, 255, 255, 255), (255, 255, 255, 0)), ("P", 7, 0)])
def test_foreground_is_what_is_bright_in_every_mode(tmp_path, mode, inside, outside):
    mask = read_mask(draw(tmp_path / "a.png", mode=mode, inside=inside, outside=outside))
    wanted = np.zeros((64, 96), bool)
    wanted[20:40, 10:50] = True
    assert mask.dtype == bool and (mask == wanted).all()


def test_masks_are_found_by_name_and_published_at_the_size_of_the_image(pictures, tmp_path, tiny):
    draw(tmp_path / "masks" / "ant.png")
    draw(tmp_path / "masks" / "bee.png", box=(0, 0, 96, 32))
    run = invoke("overlay-export", pictures, "-o", tmp_path / "site", *tiny, "--masks", tmp_path / "masks")
    assert (run.exit_code, run.stderr) == (0, "")
    bundle = load_bundle(tmp_path / "site")
    assert [image.mask is not None for image in bundle.images] == [True, True, False]
    assert bundle.mask("ant")[20:40, 10:50].all() and bundle.mask("ant").sum() == 20 * 40
    assert bundle.mask("cow") is None
    assert [figure.type for figure in bundle.manifest.figures] == ["gallery", "pair", "layers", "segment"]
    assert verify_files(bundle).tables == 2
    again = invoke("overlay-export", pictures, "-o", tmp_path / "site", *tiny, "--masks", tmp_path / "masks", "--force")
    assert again.exit_code == 0, again.stderr


def test_masks_beside_the_images_are_no_images(pictures, tmp_path, tiny):
    draw(pictures / "masks" / "ant.png")
    run = invoke("overlay-export", pictures, "-o", tmp_path / "site", *tiny, "--masks", pictures / "masks")
    assert run.exit_code == 0, run.stderr
    assert [image.id for image in load_bundle(tmp_path / "site").images] == ["ant", "bee", "cow"]


def test_of_images_of_one_name_a_mask_belongs_to_that_of_its_folder(tmp_path):
    for seed, name in enumerate(("cats/one", "dogs/one", "dogs/two")):
        make_photo(tmp_path / "images" / f"{name}.png", seed)
    for name in ("dogs/one", "cats/one", "two"):
        draw(tmp_path / "masks" / f"{name}.png")
    masks = found(tmp_path / "masks", tmp_path / "images")
    assert {id: path.relative_to(tmp_path).as_posix() for id, path in masks.paths.items()} == {"one": "masks/cats/one.png", "one-2": "masks/dogs/one.png", "two": "masks/two.png"}
    draw(tmp_path / "flat" / "one.png")
    draw(tmp_path / "flat" / "two.png")
    (warning,) = found(tmp_path / "flat", tmp_path / "images").warnings
    assert "flat has masks of no image, or of one of several with that name: one.png; they are left out" in warning


def test_crop_cuts_masks_as_it_cuts_images(pictures, tmp_path, tiny_network):
    draw(tmp_path / "masks" / "ant.png", box=(48, 0, 96, 64))
    export(pictures, tmp_path / "site", model=str(tiny_network), layers=["deep"], size=64, fit="crop", masks=tmp_path / "masks")
    bundle = load_bundle(tmp_path / "site")
    mask = bundle.mask("ant")
    assert mask.shape == (bundle.images[0].height, bundle.images[0].width) and mask.shape[0] == mask.shape[1]
    assert not mask[:, : mask.shape[1] // 2].any() and mask[:, mask.shape[1] // 2 :].all()


def test_what_an_author_may_not_have_meant_is_said(pictures, tmp_path):
    draw(tmp_path / "masks" / "ant.png", size=(48, 32), box=(0, 0, 24, 32))
    draw(tmp_path / "masks" / "bee.png", inside=0)
    draw(tmp_path / "masks" / "cow.png", outside=255)
    draw(tmp_path / "masks" / "wolf.png")
    told = "\n".join(found(tmp_path / "masks", pictures).warnings)
    for words in ("masks of no image", "wolf.png; they are left out", "ant.png is 48 x 32 pixels, its image 96 x 64; it is resized to that by nearest pixel", "bee.png is empty, it has no foreground", "cow.png is all foreground"):
        assert words in told
    grey = draw(tmp_path / "grey" / "ant.png", inside=100)
    values = np.array(Image.open(grey))
    values[0] = 200
    Image.fromarray(values).save(grey)
    assert "ant.png has 3 values, expected 2; those above half of the greatest are foreground" in found(tmp_path / "grey", pictures).warnings[0]


def test_a_mask_of_another_size_is_resized_by_nearest_pixel(pictures, tmp_path, tiny_network):
    draw(tmp_path / "masks" / "ant.png", size=(48, 32), box=(0, 0, 24, 32))
    report = export(pictures, tmp_path / "site", model=str(tiny_network), layers=["deep"], size=64, masks=tmp_path / "masks")
    mask = load_bundle(tmp_path / "site").mask("ant")
    assert mask[:, :48].all() and not mask[:, 48:].any()
    assert any("resized" in warning for warning in report.warnings)


def test_masks_that_no_figure_shows_and_images_that_are_skipped(pictures, tmp_path, tiny):
    draw(tmp_path / "masks" / "ant.png")
    draw(tmp_path / "masks" / "bee.png")
    (pictures / "bee.png").write_bytes(b"\x89PNG\r\n")
    run = invoke("overlay-export", pictures, "-o", tmp_path / "site", *tiny, "--masks", tmp_path / "masks", "--figures", "gallery", "--skip-bad")
    assert run.exit_code == 0 and "no figure of the page shows what --masks makes; add segment to --figures" in run.stderr
    assert [image.id for image in load_bundle(tmp_path / "site").images if image.mask] == ["ant"]


def test_two_masks_of_one_image_are_said(pictures, tmp_path):
    draw(tmp_path / "masks" / "a" / "ant.png")
    draw(tmp_path / "masks" / "b" / "ant.png")
    assert any("image ant has two masks, a/ant.png, b/ant.png; the last is taken" in warning for warning in found(tmp_path / "masks", pictures).warnings)


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (lambda folder: None, 2, "no such folder of masks: .*masks; --masks takes a folder of PNG files"),
        (lambda folder: folder.mkdir(), 1, "holds no mask of an image: it has no PNG files"),
        (lambda folder: draw(folder / "wolf.png"), 1, "holds no mask of an image: its files are wolf.png, those of the images ant.png, bee.png, cow.png"),
        (lambda folder: (folder.mkdir(), (folder / "ant.png").write_bytes(b"\x89PNG\r\n")), 1, "ant.png: damaged or truncated"),
        (lambda folder: (folder.mkdir(), (folder / "ant.png").write_bytes(b"")), 1, "ant.png: an empty file"),
    ],
)
def test_masks_that_will_not_do_stop_the_run_before_it_begins(pictures, tmp_path, tiny, make, code, words):
    make(tmp_path / "masks")
    (tmp_path / "site").mkdir()
    refused(invoke("overlay-export", pictures, "-o", tmp_path / "site", *tiny, "--masks", tmp_path / "masks"), code, words)
    assert contents(tmp_path / "site") == {}


def test_an_export_never_replaces_the_folder_of_the_masks(pictures, tmp_path, tiny):
    draw(tmp_path / "site" / "masks" / "ant.png")
    refused(invoke("overlay-export", pictures, "-o", tmp_path / "site", *tiny, "--masks", tmp_path / "site" / "masks", "--force"), 2, "holds the input")


def test_damaged_masks_are_found(pictures, tmp_path, tiny_network):
    draw(tmp_path / "masks" / "ant.png")
    site = tmp_path / "site"
    export(pictures, site, model=str(tiny_network), layers=["deep"], size=64, masks=tmp_path / "masks")
    bundle = load_bundle(site)
    (site / bundle.images[0].mask.file).unlink()
    with pytest.raises(BundleError, match=r"masks/ant\.bin: is missing"):
        verify_files(load_bundle(site))
    table = write_table(site, bundle.images[0].mask.file, np.full(bundle.images[0].mask.shape, 2), "u8")
    content = json.loads((site / "bundle.json").read_text())
    content["images"][0]["mask"] |= {"bytes": table.bytes, "sha256": table.sha256}
    (site / "bundle.json").write_text(json.dumps(content))
    with pytest.raises(BundleError, match="holds 2, expected 0 and 1"):
        verify_files(load_bundle(site))


def test_bytes_are_the_same_whatever_the_threads(pictures, tmp_path, tiny_network):
    draw(tmp_path / "masks" / "ant.png")
    sites = [tmp_path / "one", tmp_path / "four"]
    for site, threads in zip(sites, (1, 4), strict=True):
        export(pictures, site, model=str(tiny_network), layers=["deep"], size=64, masks=tmp_path / "masks", threads=threads)
    assert contents(sites[0]) == contents(sites[1])
