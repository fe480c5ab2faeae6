"""Images as people have them: every mode, size and file name goes through one run and comes out right."""

import numpy as np
import pytest
from PIL import Image

import exporter
from tests.conftest import contents, invoke, make_photo

NAMES = ["a b", "it's \"quoted\"", "50%", "no #1", "<script>alert(1)<", "Übergröße", "日本語", "-dash", "--force"]


def photo():
    """A small photo that is red at the top, blue at the bottom."""
    picture = Image.new("RGB", (96, 64), (200, 30, 30))
    picture.paste((30, 30, 200), (0, 32, 96, 64))
    return picture


def turned(path):
    """The photo lying on its side, with the Exif tag that says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    photo().transpose(Image.Transpose.ROTATE_90).save(path, exif=exif)


def palette(path):
    """Eight colours, the first of them transparent."""
    photo().quantize(8).save(path, transparency=0)


MAKERS = {
    "one-pixel.png": lambda path: Image.new("RGB", (1, 1), (9, 9, 200)).save(path),
    "strip.png": lambda path: photo().resize((20000, 10)).save(path),
    "tower.png": lambda path: photo().resize((10, 20000)).save(path),
    "cmyk.jpg": lambda path: photo().convert("CMYK").save(path),
    "deep.png": lambda path: Image.fromarray((np.arange(96 * 64).reshape(64, 96) * 10).astype(np.uint16)).save(path),
    "palette.png": palette,
    "alpha.png": lambda path: photo().convert("RGBA").save(path),
    "grey.jpg": lambda path: photo().convert("L").save(path),
    "two-tone.png": lambda path: photo().convert("1").save(path),
    "moving.gif": lambda path: photo().save(path, save_all=True, append_images=[Image.new("RGB", (96, 64))] * 3),
    "moving.webp": lambda path: photo().save(path, save_all=True, append_images=[Image.new("RGB", (96, 64))] * 3),
    "turned.jpg": turned,
    "progressive.jpg": lambda path: photo().save(path, progressive=True),
    "scan.tiff": lambda path: photo().save(path, compression="tiff_lzw"),
    "scan-cmyk.tif": lambda path: photo().convert("CMYK").save(path),
    "plain.bmp": lambda path: photo().save(path),
    "plain.ppm": lambda path: photo().save(path),
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory, tiny_network):
    """The site of all odd images in one run."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "photos").mkdir()
    for name, make in MAKERS.items():
        make(folder / "photos" / name)
    run = invoke("overlay-export", folder / "photos", "-o", folder / "site", "--model", tiny_network, "--layers", "shallow,deep", "--size", "64")
    assert (run.exit_code, run.stderr) == (0, "")
    return folder / "site"


def published(site, image):
    with Image.open(site / image.file) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def test_all_are_there_and_whole(odd):
    bundle = exporter.load_bundle(odd)
    assert len(bundle.images) == len(MAKERS)
    assert invoke("overlay-verify", odd).exit_code == 0
    for image in bundle.images:
        assert published(odd, image).shape == (image.height, image.width, 3)
        for layer in bundle.layers:
            assert bundle.codes(image, layer).shape == (*bundle.grid(image, layer), layer.dims)


def test_extreme_shapes(odd):
    bundle = exporter.load_bundle(odd)
    images = {image.id: image for image in bundle.images}
    grids = {id: bundle.grid(id, "deep") for id in ("one-pixel", "strip", "tower")}
    assert grids == {"one-pixel": (8, 8), "strip": (1, 8), "tower": (8, 1)}
    assert [(images[id].width, images[id].height) for id in grids] == [(1, 1), (800, 50), (50, 800)]


@pytest.mark.parametrize("id", ["cmyk", "alpha", "moving", "moving-2", "turned", "progressive", "scan", "scan-cmyk", "plain", "plain-2"])
def test_colours_frames_and_orientation(odd, id):
    image = next(image for image in exporter.load_bundle(odd).images if image.id == id)
    pixels = published(odd, image)
    assert pixels.shape == (64, 96, 3)
    top, bottom = pixels[8, 48], pixels[56, 48]
    assert top[0] > top[2] + 60, f"expected red on top, found {top}"
    assert bottom[2] > bottom[0] + 60, f"expected blue below, found {bottom}"


def test_transparency_is_white_and_grey_is_grey(odd):
    images = {image.id: image for image in exporter.load_bundle(odd).images}
    assert (published(odd, images["palette"]) > 240).all(axis=-1).any()
    for id in ("grey", "deep", "two-tone"):
        pixels = published(odd, images[id])
        assert np.ptp(pixels, axis=-1).max() <= 4 and np.ptp(pixels) > 30


def test_names_of_every_kind(tiny, tmp_path):
    for number, name in enumerate(NAMES):
        make_photo(tmp_path / "photos" / f"{name}.png", number)
    make_photo(tmp_path / "photos" / "sub" / "50%.jpg", 40)
    make_photo(tmp_path / "photos" / "sub & more" / "50%.jpg", 41)
    for output in ("my site #1", "my page %20.html"):
        run = invoke("overlay-export", tmp_path / "photos", "-o", tmp_path / output, *tiny)
        assert (run.exit_code, run.stderr) == (0, "")
        bundle = exporter.load_bundle(tmp_path / output)
        assert sorted(image.id for image in bundle.images) == sorted([*NAMES, "50%-2", "50%-3"])
        assert {image.group for image in bundle.images} == {"", "sub", "sub & more"}
        assert invoke("overlay-verify", tmp_path / output, "--images", tmp_path / "photos", *tiny[:2]).exit_code == 0
    text = (tmp_path / "my site #1" / "index.html").read_text()
    assert "<script>alert" not in text and "&lt;script&gt;alert(1)&lt;" in text


def test_a_name_that_begins_with_a_dash(tiny, tmp_path):
    make_photo(tmp_path / "--force.png", 1)
    run = invoke("overlay-export", "-o", tmp_path / "site", *tiny, "--", tmp_path / "--force.png")
    assert run.exit_code == 0


def test_a_target_inside_the_images_is_not_eaten(photos, tiny, tmp_path):
    site = photos / "site"
    assert invoke("overlay-export", photos, "-o", site, *tiny).exit_code == 0
    first = contents(site)
    assert invoke("overlay-export", photos, "-o", site, *tiny, "--force").exit_code == 0
    assert contents(site) == first
    assert invoke("overlay-export", photos, "-o", tmp_path / "other", *tiny).exit_code == 0
    assert contents(tmp_path / "other") == first
    assert invoke("overlay-export", photos, "-o", photos / "page.html", *tiny).exit_code == 0
    assert invoke("overlay-export", photos, "-o", site, *tiny, "--force").exit_code == 0
    assert contents(site) == first
