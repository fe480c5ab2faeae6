"""Published copies: as long as asked for and never longer than the photo, of what the network saw, in the smaller of two formats, without metadata."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import exporter
from exporter import pixels
from exporter.display import default_size, display_size, encode, published_copies
from exporter.marks import foreign_files
from exporter.pixels import Fit, decode, fit_image
from exporter.verify import measure_error
from tests.conftest import contents, invoke, make_photo, refused
from tests.test_pixels import CORNERS, corners, near, photo, pixel, saved, segments, wide_gamut
from tests.test_site import Page

FITS = st.builds(Fit, st.sampled_from(pixels.FITS), st.integers(1, 1024), st.sampled_from([1, 8, 32]), st.none() | st.just((200, 300)), st.integers(64, 4096))


def opened(copy):
    return Image.open(io.BytesIO(copy.data))


def test_sizes():
    assert [default_size(images) for images in (1, 60, 61, 1000)] == [800, 800, 448, 448]
    assert display_size(Fit("contain", 448, display=800), 4000, 3000) == (800, 600)
    assert display_size(Fit("stretch", 448, display=800), 3000, 4000) == (600, 800)
    assert display_size(Fit("contain", 448, display=800), 640, 480) == display_size(Fit("contain", 64, display=640), 1280, 960) == (640, 480)
    assert display_size(Fit("contain", 448, display=800), 20_000, 10) == (800, 50)
    assert display_size(Fit("contain", 448, display=800), 1, 1) == display_size(Fit("crop", 448, display=800), 9000, 1) == (1, 1)
    assert display_size(Fit("crop", 448, display=800), 4000, 3000) == (800, 800)
    assert display_size(Fit("crop", 448, display=800), 400, 300) == (300, 300)
    assert display_size(Fit("crop", 448, fixed=(200, 300), display=800), 3000, 4000) == (800, 533)
    assert display_size(Fit("crop", 448, fixed=(200, 300), display=800), 300, 400) == (300, 200)


@given(FITS, st.integers(1, 30_000), st.integers(1, 30_000))
def test_sizes_keep_their_bounds(fit, width, height):
    shown = display_size(fit, width, height)
    rows, columns = pixels.network_size(fit, width, height) if fit.mode == "crop" else (height, width)
    assert 1 <= max(shown) <= min(fit.display, max(width, height)) and min(shown) * 16 >= max(shown)
    assert (shown[0] >= shown[1]) if columns >= rows else (shown[1] >= shown[0])
    assert abs(min(shown) - max(shown) * min(rows, columns) / max(rows, columns)) <= 0.5 or min(shown) == -(-max(shown) // 16)


@pytest.mark.parametrize("fixed", [None, (64, 96), (96, 64)])
@pytest.mark.parametrize("mode", pixels.FITS)
def test_a_copy_shows_what_the_network_sees(mode, fixed):
    fit = Fit(mode, 64, 8, fixed, 320)
    image = Image.merge("RGB", [photo(1000, 500).getchannel(channel) for channel in "RGG"])
    copy, thumbnail = published_copies(image, fit, True)
    small = Image.fromarray(fit_image(image, fit))
    for shown in (copy, thumbnail):
        with opened(shown) as picture:
            assert picture.size == (shown.width, shown.height)
            assert np.abs(np.asarray(picture.convert("RGB").resize(small.size)).astype(int) - np.asarray(small)).mean() < 4
    assert max(copy.width, copy.height) == 320 and max(thumbnail.width, thumbnail.height) == 240


@pytest.mark.parametrize("mode", pixels.FITS)
def test_a_jpeg_that_is_decoded_smaller_leaves_enough_for_its_copy(tmp_path, mode):
    path = saved(photo(3300, 2500), tmp_path / "a.jpg")
    fit = Fit(mode, 64, 8, display=640)
    picture = decode(path, least=fit.least)
    assert picture.width < 3300
    copy, _ = published_copies(picture, fit, False)
    assert max(copy.width, copy.height) == 640


def test_the_smaller_of_two_formats():
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    for image, suffix, form in ((photo(), ".webp", "WEBP"), (noise, ".jpg", "JPEG")):
        copy = encode(image)
        assert (copy.suffix, opened(copy).format, copy.width, copy.height) == (suffix, form, *image.size)
        assert copy == encode(image.copy())
        for name, options in (("JPEG", {"quality": 85, "optimize": True}), ("WEBP", {"quality": 86, "method": 2})):
            stream = io.BytesIO()
            image.save(stream, name, **options)
            assert len(copy.data) <= len(stream.getvalue()) and (name != form or copy.data == stream.getvalue())


def chunks(data):
    """The chunks of a WebP file."""
    position, found = 12, []
    while position < len(data):
        found.append(data[position : position + 4])
        position += 8 + (struct.unpack_from("<I", data, position + 4)[0] + 1) // 2 * 2
    return found


def test_copies_carry_no_metadata(tmp_path):
    """Neither of a decoded image, nor of one that still has all of it."""
    exif = Image.Exif()
    exif[0x010E] = "secret"
    extras = {"exif": exif, "xmp": b"<x:xmpmeta>secret</x:xmpmeta>", "comment": b"secret", "icc_profile": wide_gamut(), "dpi": (300, 300)}
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    for image in (photo(), noise):
        path = saved(image, tmp_path / "a.jpg", **extras)
        for copy in (encode(decode(path)), encode(Image.open(path))):
            assert b"secret" not in copy.data
            assert chunks(copy.data) == [b"VP8 "] if copy.suffix == ".webp" else set(segments(copy.data)) <= {0xE0, 0xDB, 0xC0, 0xC4}


def test_thumbnails_only_where_the_copy_is_larger():
    fit = Fit("contain", 448, display=448)
    assert [published_copies(photo(width, 100), fit, wanted)[1] is not None for width, wanted in ((448, True), (241, True), (240, True), (448, False))] == [True, True, False, False]
    thumbnail = published_copies(photo(4000, 10), fit, True)[1]
    assert (thumbnail.width, thumbnail.height) == (240, 15)
    assert near(pixel(opened(published_copies(corners(480, 320), fit, True)[1]).convert("RGB"), (10, 10)), CORNERS["red"], 8)


@pytest.fixture
def export(tmp_path, tiny_network):
    def run(output="site", **options):
        return exporter.export(tmp_path / "photos", tmp_path / output, **{"model": tiny_network, "layers": ["deep"], "size": 64, **options})

    return run


def test_the_size_that_was_asked_for(tmp_path, export):
    make_photo(tmp_path / "photos" / "large.png", 1, (900, 600))
    make_photo(tmp_path / "photos" / "small.png", 2, (90, 120))
    sizes = {size: [(i.width, i.height) for i in export(f"{size}", display_size=size).manifest.images] for size in (None, 64, 500, 4096)}
    assert sizes == {None: [(800, 533), (90, 120)], 64: [(64, 43), (48, 64)], 500: [(500, 333), (90, 120)], 4096: [(900, 600), (90, 120)]}
    assert [(i.width, i.height) for i in export("crop", display_size=500, fit="crop").manifest.images] == [(500, 500), (90, 90)]
    features = [{name: data for name, data in contents(tmp_path / name).items() if name.startswith("features/")} for name in ("64", "4096")]
    assert features[0] == features[1]
    run = invoke("overlay-export", tmp_path / "photos", "-o", tmp_path / "cli", "--model", tmp_path / "no.onnx", "--display-size", "63")
    refused(run, 2, "'--display-size': 63 is not in the range 64<=x<=4096")
    with pytest.raises(exporter.errors.UsageError, match="display size is 5000, expected 64 to 4096"):
        export("other", display_size=5000)


@pytest.mark.parametrize("fit", pixels.FITS)
def test_a_true_error_is_measured_on_what_the_network_saw(tmp_path, tiny_network, export, fit):
    """A JPEG is decoded smaller, and how small depends on the display size."""
    make_photo(tmp_path / "photos" / "large.jpg", 1, (1600, 1200))
    for size in (64, 800):
        report = export(f"{size}", size=32, display_size=size, fit=fit)
        assert measure_error(exporter.load_bundle(report.output), [tmp_path / "photos"], tiny_network) == {"deep": report.manifest.layers[0].error}


@pytest.fixture
def many(tmp_path, export):
    """The folder of a site of 61 photos, one of them small."""
    for number in range(60):
        make_photo(tmp_path / "photos" / f"{number:02}.png", number, (600, 400))
    make_photo(tmp_path / "photos" / "small.png", 1, (96, 64))
    return export().output


def test_many_images_have_thumbnails(many, tmp_path, export):
    bundle = exporter.load_bundle(many)
    assert [(i.width, i.height) for i in bundle.images] == [*[(448, 299)] * 60, (96, 64)]
    assert [i.thumbnail and (i.thumbnail.width, i.thumbnail.height) for i in bundle.images] == [*[(240, 160)] * 60, None]
    assert {i.thumbnail.file.rpartition(".")[0] for i in bundle.images if i.thumbnail} == {f"thumbnails/{number:02}" for number in range(60)}
    assert invoke("overlay-verify", many).exit_code == 0 and foreign_files(many) == []
    shown = [(a["src"], a["width"], a["height"]) for tag, a in Page((many / "index.html").read_text("utf-8")).tags if tag == "img"]
    assert shown == [(p.file, str(p.width), str(p.height)) for p in (i.thumbnail or i for i in bundle.images[:60])]
    (tmp_path / "photos" / "59.png").unlink()
    few = export("few").manifest
    assert (few.images[0].width, {image.thumbnail for image in few.images}) == (600, {None}) and not (tmp_path / "few" / "thumbnails").exists()


def test_a_page_holds_no_thumbnails(many, export):
    page = exporter.load_bundle(export("page.html").output)
    assert {image.thumbnail for image in page.images} == {None} and page.images[0].width == 448
    assert [image.sha256 for image in page.images] == [image.sha256 for image in exporter.load_bundle(many).images]


def test_damage_to_a_thumbnail_is_named(many):
    thumbnails = [image.thumbnail for image in exporter.load_bundle(many).images[:3]]
    paths = [many / thumbnail.file for thumbnail in thumbnails]
    paths[0].unlink()
    paths[1].write_bytes(paths[1].read_bytes()[:-1])
    paths[2].write_bytes(paths[2].read_bytes()[:-1] + b"~")
    names = [thumbnail.file for thumbnail in thumbnails]
    refused(invoke("overlay-verify", many), 1, f"^Error: {names[0]}: is missing", f"\n{names[1]}: is .* bytes, expected", f"\n{names[2]}: SHA-256 is")


def test_the_summary_tells_the_bytes_by_kind(many, tmp_path, tiny):
    lines = invoke("overlay-export", tmp_path / "photos", "-o", many, *tiny, "--force").stdout.splitlines()
    bundle = exporter.load_bundle(many)
    features = sum(shard.bytes for layer in bundle.layers for shard in layer.shards)
    images, thumbnails = sum(i.bytes for i in bundle.images), sum(i.thumbnail.bytes for i in bundle.images if i.thumbnail)
    megabytes = exporter.site.megabytes
    total = sum(map(len, contents(many).values()))
    assert lines[-2] == f"  {megabytes(total)} in all, of it features {megabytes(features)}, images {megabytes(images)}, thumbnails {megabytes(thumbnails)}"
    assert sum(len(data) for name, data in contents(many).items() if name.startswith("thumbnails/")) == thumbnails > 0
