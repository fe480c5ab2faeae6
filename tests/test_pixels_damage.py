"""Files that do not become pixels, and what decoding leaves as it was."""

import contextlib
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from exporter import pixels
from exporter.pixels import BadImage, Fit, check, check_all, decode, fit_image
from tests.test_pixels import photo, png, reason, saved

# Pillow's warnings are silenced when the module is imported, which pytest undoes.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def test_truncated_files(tmp_path):
    path = tmp_path / "a.jpg"
    whole = saved(photo(), path, quality=95).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert reason(path) == reason(path, check) == "truncated, the file ends before the image does; copy it again from where it came"
    path.write_bytes(whole[:30])
    assert "truncated" in reason(path)


def test_files_that_are_no_images_say_why(tmp_path, monkeypatch):
    path = tmp_path / "a.jpg"
    assert reason(path) == "there is no such file (any more)"
    path.write_bytes(b"")
    assert reason(path) == "an empty file (0 bytes); copy it again from where it came"
    path.write_text("Dear diary")
    assert reason(path).startswith("not an image, its content is none of JPEG, PNG")
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n")
    assert reason(path).startswith("not an image")
    assert reason(tmp_path) == "not a regular file, expected an image"
    for error, words in ((PermissionError(13, "denied"), "permission denied"), (MemoryError(), "too large to decode in the memory")):
        monkeypatch.setattr(pixels, "_head", lambda _, error=error: (_ for _ in ()).throw(error))
        assert reason(path).startswith(words)


def test_bombs_are_refused_before_decoding(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(png(50_000, 50_000, 8, 2, b""))
    assert reason(path) == reason(path, check) == "too large, 50000 x 50000 = 2,500,000,000 pixels; scale it down to at most 178,956,970"
    saved(photo(20, 10), path)
    monkeypatch.setattr(pixels, "MAX_PIXELS", 200)
    assert decode(path).size == (20, 10)
    monkeypatch.setattr(pixels, "MAX_PIXELS", 199)
    assert reason(path).startswith("too large, 20 x 10 = 200 pixels")


def test_formats_that_need_another_decoder_name_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.setitem(sys.modules, "pillow_avif", None)
    monkeypatch.setattr(pixels.features, "check", lambda name: False)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    path = tmp_path / "a.heic"
    path.write_bytes(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + b"\0" * 40)
    assert reason(path) == 'a HEIC image, which needs pillow-heif; install it with: pip install "overlay-export[heic]"'
    path.write_bytes(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf" + b"\0" * 40)
    assert reason(path) == "an AVIF image, which this Pillow cannot decode; install pillow-avif-plugin or a Pillow with AVIF support"


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "webp", "bmp", "tif", "ppm"])
def test_damage_of_any_kind_is_a_bad_image_or_an_image(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    whole = saved(photo(40, 30), path).read_bytes()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.integers(0, len(whole)), st.lists(st.tuples(st.integers(0, min(len(whole), 400) - 1), st.integers(0, 255)), max_size=6))
    def damage(end, changes):
        data = bytearray(whole)
        for where, value in changes:
            data[where] = value
        path.write_bytes(data[:end])
        for do in (decode, check):
            with contextlib.suppress(BadImage):
                do(path)

    damage()


def test_check_all_lists_the_bad_ones_in_order(tmp_path):
    paths = [saved(photo(), tmp_path / f"{number}.jpg") for number in range(8)]
    paths[6].write_bytes(b""), paths[1].write_bytes(b"")
    finished = []
    bad = check_all(paths, threads=3, progress=lambda: finished.append(1))
    assert [error.path for error in bad] == [paths[1], paths[6]] and len(finished) == 8


def test_check_all_stops_with_its_reader(tmp_path, monkeypatch):
    begun = []
    monkeypatch.setattr(pixels, "check", begun.append)

    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_all(list(range(100)), threads=2, progress=interrupted)
    assert 0 in begun and set(begun) <= set(range(5)), "no more than what was drawn ahead"


def test_importing_and_decoding_leave_the_limit_of_pillow_as_it_was(tmp_path):
    path = saved(photo(), tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"x")
    script = """
import sys
from PIL import Image
usual = Image.MAX_IMAGE_PIXELS
from exporter import pixels
print(Image.MAX_IMAGE_PIXELS == usual)
Image.MAX_IMAGE_PIXELS = 5
print(len(pixels.check_all(sys.argv[1:] * 20, 4)), pixels.decode(sys.argv[1]).size, Image.MAX_IMAGE_PIXELS)
try:
    Image.open(sys.argv[1])
except Image.DecompressionBombError:
    print("refused")
"""
    done = subprocess.run([sys.executable, "-c", script, path, tmp_path / "b.png"], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True\n20 (320, 240) 5\nrefused\n", "")


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "webp", "bmp", "tif", "ppm"])
def test_a_lower_limit_of_pillow_does_not_matter(tmp_path, monkeypatch, suffix):
    path = saved(photo(), tmp_path / f"a.{suffix}")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)
    for mode in pixels.FITS:
        fit_image(decode(path), Fit(mode, 64))


def test_pillow_reads_one_header_at_a_time_with_its_limit_lifted(tmp_path, monkeypatch):
    seen, read = [], Image.open

    def spy(*arguments, **options):
        seen.append((Image.MAX_IMAGE_PIXELS, pixels._PILLOW_LIMIT.locked()))
        return read(*arguments, **options)

    monkeypatch.setattr(pixels.Image, "open", spy)
    decode(saved(photo(), tmp_path / "a.png"))
    assert seen == [(None, True)] and not pixels._PILLOW_LIMIT.locked()


def test_no_other_program_is_started(tmp_path, postscript):
    eps, environment, ran = postscript
    load = "import sys; from PIL import Image; Image.open(sys.argv[1]).load()"
    subprocess.run([sys.executable, "-c", load, eps], env=environment, capture_output=True)
    assert ran.exists(), "Pillow alone starts Ghostscript"
    ran.unlink()
    named = tmp_path / "a.jpg"
    named.write_bytes(eps.read_bytes())
    script = "import sys; from exporter import pixels; pixels.decode(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", script, named], env=environment, capture_output=True, text=True)
    assert done.stderr.splitlines()[-1].endswith("remove or convert it") and not ran.exists()


def test_nothing_is_printed(tmp_path):
    path = tmp_path / "big.png"
    path.write_bytes(png(15_000, 6_000, 1, 0, (b"\0" + b"\xff" * 1875) * 6_000))
    Image.new("1", (15_000, 6_000)).save(tmp_path / "big.tif", compression="tiff_lzw")
    saved(photo(), tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\x09\0\x12\x01")
    script = "import sys; from exporter import pixels; [pixels.decode(path) for path in sys.argv[1:]]"
    done = subprocess.run([sys.executable, "-c", script, path, tmp_path / "big.tif", tmp_path / "a.jpg"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
