import struct
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from exporter import pixels
from exporter.errors import UsageError
from exporter.pixels import (
    BadImage,
    Fit,
    check,
    decode,
    fit_image,
    network_size,
)

# Pillow's warnings are silenced when the module is imported, which pytest undoes.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

FITS = st.builds(Fit, st.sampled_from(pixels.FITS), st.integers(1, 1024), st.sampled_from([1, 8, 14, 32]))
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# Four corners that tell every turn and mirroring apart.
CORNERS = {"red": (220, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 220), "grey": (128, 128, 128)}


def corners(width=96, height=64):
    four = Image.fromarray(np.array([*CORNERS.values()], np.uint8).reshape(2, 2, 3))
    return four.resize((width, height), Image.Resampling.NEAREST)


def photo(width=320, height=240):
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([x * 255 // width, y * 255 // height, (x + y) % 256], -1).astype(np.uint8))


def saved(image, path, **options):
    image.save(path, **options)
    return path


def pixel(image, where=(0, 0)):
    assert image.mode == "RGB"
    return image.getpixel(where)


def near(found, wanted, tolerance=3):
    return max(abs(a - b) for a, b in zip(found, wanted, strict=True)) <= tolerance


def reason(path, do=decode):
    with pytest.raises(BadImage) as caught:
        do(path)
    assert str(caught.value) == f"{path}: {caught.value.reason}" and caught.value.path == path and caught.value.exit_code == 1
    return caught.value.reason


def test_contain_rounds_half_up_to_the_multiple():
    assert network_size(Fit("contain", 448), 4000, 3000) == (352, 448)
    assert network_size(Fit("contain", 448), 3000, 4000) == (448, 352)
    assert network_size(Fit("contain", 460), 100, 100) == (448, 448)
    assert network_size(Fit("contain", 464), 100, 100) == (480, 480)
    assert network_size(Fit("contain", 448), 20_000, 10) == (32, 448)
    assert network_size(Fit("contain", 1), 1, 1) == (32, 32)


def test_stretch_crop_fixed_and_unknown_sizes():
    assert network_size(Fit("stretch", 512), 4, 3) == network_size(Fit("crop", 512), 4, 3) == (512, 512)
    for mode in pixels.FITS:
        assert network_size(Fit(mode, 448, fixed=(200, 300)), 4, 3) == (200, 300)
    for mode, size, message in (("cover", 448, "unknown fit: cover, expected one of"), ("crop", 0, "size 0 in steps of 32")):
        with pytest.raises(UsageError, match=message):
            Fit(mode, size)


@given(FITS, st.integers(1, 30_000), st.integers(1, 30_000))
def test_sizes_keep_their_bounds(fit, width, height):
    rows, columns = network_size(fit, width, height)
    assert rows % fit.multiple == columns % fit.multiple == 0 and min(rows, columns) >= fit.multiple
    assert abs(max(rows, columns) - max(fit.size, fit.multiple)) <= fit.multiple / 2
    assert (rows >= columns) if height > width else (columns >= rows)
    if fit.mode == "contain":
        assert network_size(fit, height, width) == (columns, rows)
        wanted = max(rows, columns) * min(width, height) / max(width, height)
        assert abs(min(rows, columns) - wanted) <= fit.multiple / 2 or min(rows, columns) == fit.multiple


@pytest.mark.parametrize("size", [(1, 1), (20_000, 10)])
def test_extreme_shapes_go_all_the_way(tmp_path, size):
    image = decode(saved(Image.new("RGB", size, (10, 200, 30)), tmp_path / "a.png"), least=448)
    assert image.size == size
    for mode in pixels.FITS:
        fit = Fit(mode, 448)
        network = fit_image(image, fit)
        assert network.shape == (*network_size(fit, *size), 3) and near(network[0, 0], (10, 200, 30))


def png(width, height, depth, colour, rows):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    values = np.array([[0, 255, 32768, 65535]], np.uint16)
    for name in ("a.png", "a.tif", "a.pgm"):
        assert np.asarray(decode(saved(Image.fromarray(values), tmp_path / name)))[0, :, 0].tolist() == [0, 0, 128, 255]
    assert np.asarray(decode(saved(Image.fromarray(values[:, :2]), tmp_path / "a.pgm"))).max() == 0
    (tmp_path / "a.png").write_bytes(png(2, 1, 16, 2, b"\0" + struct.pack(">6H", 0, 32768, 65535, 65535, 0, 257)))
    assert np.asarray(decode(tmp_path / "a.png")).tolist() == [[[0, 128, 255], [255, 0, 1]]]


def test_tiff_variants(tmp_path):
    path = tmp_path / "a.tif"
    for kind, most in ((np.uint8, 255), (np.uint16, 65535)):
        tifffile.imwrite(path, np.array([[0, most]], kind), photometric="miniswhite")
        assert np.asarray(decode(path))[0, :, 0].tolist() == [255, 0]
    tifffile.imwrite(path, planes := np.array([[[7]], [[8]], [[9]]], np.uint8), photometric="rgb", planarconfig="separate")
    assert pixel(decode(path)) == (7, 8, 9)
    tifffile.imwrite(path, planes.astype(np.uint16), photometric="rgb", planarconfig="separate")
    assert reason(path).startswith("a 16-bit TIFF in separate planes, expected interleaved channels")


def test_integer_and_float_pixels(tmp_path):
    path = tmp_path / "a.tif"
    for values, wanted in (([0, 200], [0, 200]), ([0, 65535], [0, 255])):
        assert np.asarray(decode(saved(Image.fromarray(np.array([values], np.int32)), path)))[0, :, 0].tolist() == wanted
    saved(Image.fromarray(np.array([[0, 70_000]], np.int32)), path)
    assert reason(path, check) == reason(path) == "32-bit pixel values, expected 8 or 16 bits a channel; convert it"
    saved(Image.fromarray(np.array([[0, 0.5]], np.float32)), path)
    assert reason(path, check) == reason(path) == "floating-point pixels, expected 8 or 16 bits a channel; convert it"


def test_grey_bilevel_palette_and_alpha_land_on_white(tmp_path):
    path = tmp_path / "a.png"
    assert pixel(decode(saved(Image.new("L", (2, 2), 77), path))) == (77, 77, 77)
    assert pixel(decode(saved(Image.new("1", (2, 2), 1), path))) == (255, 255, 255)
    assert pixel(decode(saved(Image.new("LA", (2, 2), (0, 51)), path))) == (204, 204, 204)
    assert pixel(decode(saved(Image.new("RGBA", (2, 2), (255, 0, 0, 51)), path))) == (255, 204, 204)
    assert pixel(decode(saved(Image.new("RGB", (2, 2), (1, 2, 3)), path, transparency=(1, 2, 3)))) == (255, 255, 255)
    image = Image.fromarray(np.array([[0, 1]], np.uint8))
    image.putpalette([200, 0, 0, 0, 0, 100])
    assert np.asarray(decode(saved(image, tmp_path / "a.png"))).tolist() == [[[200, 0, 0], [0, 0, 100]]]
    saved(image, tmp_path / "a.png", transparency=bytes([0, 255]))
    assert np.asarray(decode(tmp_path / "a.png")).tolist() == [[[255, 255, 255], [0, 0, 100]]]


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif"])
def test_only_the_first_frame_counts(tmp_path, suffix):
    first, second = Image.new("RGB", (40, 30), (255, 0, 0)), Image.new("RGB", (40, 30), (0, 0, 255))
    path = saved(first, tmp_path / f"a.{suffix}", save_all=True, append_images=[second], lossless=True)
    with Image.open(path) as image:
        assert image.n_frames == 2
    assert pixel(decode(path), (20, 15)) == (255, 0, 0)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations_end_upright(tmp_path, orientation, suffix):
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = corners().transpose(Image.Transpose(undo[orientation])) if orientation > 1 else corners()
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = decode(saved(stored, tmp_path / f"a.{suffix}", exif=exif))
    assert image.size == (96, 64)
    for colour, where in zip(CORNERS.values(), [(24, 16), (72, 16), (24, 48), (72, 48)], strict=True):
        assert near(pixel(image, where), colour, 10)
    assert decode(saved(corners(), tmp_path / "b.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")).size == (96, 64)


def test_big_jpegs_progressive_or_not_come_smaller_but_not_too_small(tmp_path):
    path = saved(photo(1601, 1200), tmp_path / "a.jpg")
    assert [decode(path, least).size for least in (None, 900, 400, 200, 100)] == [(1601, 1200), (1601, 1200), (801, 600), (401, 300), (201, 150)]
    progressive = saved(photo(1601, 1200), tmp_path / "b.jpg", progressive=True)
    for least in (None, 200):
        assert decode(path, least).tobytes() == decode(path, least).tobytes() == decode(progressive, least).tobytes()
    assert decode(saved(photo(1600, 200), path), 100).size == (800, 100)


def test_cmyk_and_ycck_jpeg(tmp_path):
    path = saved(Image.new("CMYK", (16, 16), (255, 0, 0, 0)), tmp_path / "a.jpg", quality=100)
    assert near(pixel(decode(path)), (0, 255, 255))
    # Pillow writes CMYK inverted with Adobe's transform 0; with 2 the same bytes mean Y = 200, neutral, no black.
    data = saved(Image.new("CMYK", (16, 16), (55, 127, 127, 0)), path, quality=100).read_bytes()
    transform = data.index(b"Adobe") + 11
    path.write_bytes(data[:transform] + b"\x02" + data[transform + 1 :])
    assert near(pixel(decode(path)), (55, 55, 55))


def wide_gamut():
    """The sRGB profile with the primaries of Adobe RGB (1998), adapted to D50."""
    profile = bytearray(SRGB)
    primaries = {b"rXYZ": (0.60974, 0.31111, 0.01947), b"gXYZ": (0.20528, 0.62567, 0.06087), b"bXYZ": (0.14919, 0.06322, 0.74457)}
    for name, values in primaries.items():
        (start,) = struct.unpack_from(">I", profile, profile.index(name) + 4)
        struct.pack_into(">3i", profile, start + 8, *(round(value * 65536) for value in values))
    return bytes(profile)


def test_wide_gamut_becomes_srgb(tmp_path):
    linear = ((np.array([110, 170, 100]) / 255 + 0.055) / 1.055) ** 2.4
    linear = np.array([[1.39836, -0.39836, 0], [0, 1, 0], [0, -0.04293, 1.04293]]) @ linear
    wanted = (1.055 * np.maximum(linear, 0.0031) ** (1 / 2.4) - 0.055) * 255
    assert wanted[0] < 90
    for name in ("a.png", "a.tif", "a.webp"):
        image = decode(saved(Image.new("RGB", (8, 8), (110, 170, 100)), tmp_path / name, icc_profile=wide_gamut(), lossless=True))
        assert near(pixel(image), wanted, 2)
    see_through = saved(Image.new("RGBA", (8, 8), (110, 170, 100, 255)), tmp_path / "a.png", icc_profile=wide_gamut())
    assert near(pixel(decode(see_through)), wanted, 2)


@pytest.mark.parametrize("profile", [b"rubbish", wide_gamut()[:200], wide_gamut().replace(b"RGB ", b"CMYK", 1), SRGB])
def test_profiles_that_do_not_apply_or_change_nothing(tmp_path, profile):
    image = decode(saved(Image.new("RGB", (8, 8), (110, 170, 100)), tmp_path / "a.png", icc_profile=profile))
    assert near(pixel(image), (110, 170, 100), 1)


def segments(data):
    position, found = 2, []
    while data[position + 1] != 0xDA:
        found.append(data[position + 1])
        position += 2 + struct.unpack(">H", data[position + 2 : position + 4])[0]
    return found


def test_metadata_is_dropped(tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "secret"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 0.0), 3: "E", 4: (13.0, 24.0, 0.0)})
    extras = {"exif": exif, "xmp": b"<x:xmpmeta>secret</x:xmpmeta>", "comment": b"secret", "icc_profile": wide_gamut(), "dpi": (300, 300)}
    path = saved(photo(), tmp_path / "a.jpg", **extras)
    assert {0xE1, 0xE2, 0xFE} <= set(segments(path.read_bytes())) and b"secret" in path.read_bytes()
    image = decode(path)
    assert image.info == {} and not image.getexif()


def test_contain_and_stretch_show_the_whole_image():
    for mode, shape in (("contain", (64, 96, 3)), ("stretch", (96, 96, 3))):
        network = fit_image(corners(300, 200), Fit(mode, 96))
        assert network.shape == shape and network.dtype == np.uint8
        assert near(network[2, 2], CORNERS["red"]) and near(network[-3, -3], CORNERS["grey"])


def test_crop_equals_resizing_the_shorter_side_and_cutting_the_middle():
    image = photo(512, 256)
    network = fit_image(image, Fit("crop", 128))
    wanted = image.resize((256, 128), Image.Resampling.BICUBIC).crop((64, 0, 192, 128))
    assert np.array_equal(network, np.asarray(wanted))


def test_photos_are_decoded_for_the_network_and_for_their_copy():
    assert [Fit("contain", 448, display=size).least for size in (0, 800, 896, 897, 2000)] == [448, 448, 448, 449, 1000]
    assert [Fit("crop", 448, display=size).least for size in (0, 448, 800)] == [448, 448, 800]
    assert Fit("stretch", 64, fixed=(200, 300), display=240).least == 300 and Fit("contain", 64, fixed=(200, 300), display=800).least == 400
