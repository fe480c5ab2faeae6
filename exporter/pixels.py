"""From image files to pixels: decode, and fit to what a network reads. What is published is made in `display.py`.

Every file becomes upright 8-bit sRGB without metadata, whatever it was; a file that does not is a `BadImage`.
"""

import importlib
import io
import os
import stat
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import AvifImagePlugin, BmpImagePlugin, GifImagePlugin, JpegImagePlugin  # noqa: F401
from PIL import PngImagePlugin, PpmImagePlugin, TiffImagePlugin, WebPImagePlugin  # noqa: F401
from PIL import Image, ImageCms, UnidentifiedImageError, features

from exporter.errors import ExportError, UsageError
from exporter.orientation import upright
from exporter.parallel import ordered_map

MAX_PIXELS = 178_956_970
FITS = ("contain", "stretch", "crop")

# Pillow reads more than pictures: an EPS named .jpg would start Ghostscript.
_FORMATS = ("JPEG", "MPO", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "PPM", "AVIF", "HEIF")
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*", b"P5", b"P6")
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}

# Pillow warns from half our limit on. `open_picture` refuses at the limit, before anything is decoded, and lifts Pillow's own meanwhile:
# under a lock, and not for good, because a program that imports this package may rely on it.
_PILLOW_LIMIT = threading.Lock()
# Once here, because `catch_warnings` is not safe in threads: what matters in a damaged file is raised as `BadImage`.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


class BadImage(ExportError):
    """A file that has an image's name but does not become pixels: `path`, and `reason` in plain words."""

    def __init__(self, path: str | Path, reason: str):
        super().__init__(f"{path}: {reason}")
        self.path = Path(path)
        self.reason = reason


@dataclass(frozen=True)
class Fit:
    """How images meet a network: `mode` is contain, stretch or crop, `size` the longer side wanted in pixels,
    `multiple` the network's stride, `fixed` the (height, width) of a network that reads only one size,
    `display` the longer side, in pixels, of copies made of the same decoded images (0: none are).

    Raises `UsageError` for another mode or a size below 1.
    """

    mode: str
    size: int
    multiple: int = 32
    fixed: tuple[int, int] | None = None
    display: int = 0

    def __post_init__(self):
        if self.mode not in FITS:
            raise UsageError(f"unknown fit: {self.mode}, expected one of {', '.join(FITS)}; choose one of these")
        if self.size < 1 or self.multiple < 1:
            raise UsageError(f"size {self.size} in steps of {self.multiple}, expected at least 1 pixel; give a larger size")

    @property
    def least(self) -> int:
        """What `decode` must leave, in pixels: twice the length that the network reads, as much as the copy shows."""
        shown = self.display if self.mode == "crop" else -(-self.display // 2)
        return max(*(self.fixed or (self.size,)), shown)


def network_size(fit: Fit, width: int, height: int) -> tuple[int, int]:
    """(height, width) in pixels of the network's input for an image of `width` x `height`, multiples of `fit.multiple`.

    Contain rounds the longer side half up to the multiple, scales the other side from that and rounds it likewise
    (4:3 at 448 and 32: 352 x 448); stretch and crop are square. A fixed size overrides all.
    """
    if fit.fixed:
        return fit.fixed
    longer = half_up(fit.size, 1, fit.multiple)
    if fit.mode != "contain":
        return longer, longer
    other = half_up(longer * min(width, height), max(width, height), fit.multiple)
    return (other, longer) if width >= height else (longer, other)


def half_up(numerator: int, denominator: int, multiple: int) -> int:
    """The fraction rounded half up to a multiple, in integers throughout, and at least one multiple."""
    step = denominator * multiple
    return max((2 * numerator + step) // (2 * step), 1) * multiple


def decode(path: str | Path, least: int | None = None) -> Image.Image:
    """The first frame, upright, as an RGB image in sRGB on white, with nothing in `info`.

    With `least`, in pixels, a JPEG may come out smaller by 2, 4 or 8 (several times faster), its longer side at least
    twice and its shorter side at least once that long. Work on from the size of what is returned. Raises `BadImage`.
    """
    with explained(path), open_picture(path) as image:
        _load(image, least)
        colour = _to_srgb(_eight_bit(image), image.info.get("icc_profile"))
        return bare(upright(colour, image))


def decoded_sides(path: str | Path, least: int) -> tuple[int, int]:
    """The shorter and the longer side, in pixels, of what `decode` returns, without decoding. Raises `BadImage`."""
    with explained(path), open_picture(path) as image:
        _draft(image, least)
        return min(image.size), max(image.size)


def check(path: str | Path) -> None:
    """Decode the whole file as cheaply as its format allows, only to see whether it can be. Raises `BadImage`."""
    with explained(path), open_picture(path) as image:
        _load(image, least=1)
        _eight_bit(image)


def check_all(paths: Sequence[str | Path], threads: int, progress: Callable[[], object] | None = None) -> list[BadImage]:
    """The bad ones, in the order of `paths`; `progress` is called in this thread once for each image finished."""
    found = []
    for bad in ordered_map(_badness, paths, threads):
        found += [bad] if bad else []
        if progress:
            progress()
    return found


def _badness(path: str | Path) -> BadImage | None:
    try:
        check(path)
    except BadImage as bad:
        return bad
    return None


def fit_image(image: Image.Image, fit: Fit) -> np.ndarray:
    """The network's input of a decoded image, uint8 of shape (height, width, 3).

    Resampling is bicubic with antialiasing. Crop scales the shorter side to the size and takes the centre: ImageNet
    evaluation without its margin (256 to 224), so that nothing is lost of a square image.
    """
    rows, columns = network_size(fit, *image.size)
    return np.array(image.resize((columns, rows), Image.Resampling.BICUBIC, box=crop_box(fit, *image.size)))


def crop_box(fit: Fit, width: int, height: int) -> tuple[float, float, float, float] | None:
    """What a network sees of an image of `width` x `height`: left, top, right, bottom in pixels; None: all of it.

    In crop it is the largest box of the shape of the network's input around the centre.
    """
    if fit.mode != "crop":
        return None
    rows, columns = network_size(fit, width, height)
    scale = min(width / columns, height / rows)
    left, top = max((width - columns * scale) / 2, 0), max((height - rows * scale) / 2, 0)
    return left, top, width - left, height - top


@contextmanager
def explained(path: str | Path) -> Iterator[None]:
    """Raise `BadImage` for whatever goes wrong with an image's file. Decoders raise nearly anything on damaged input (struct.error, SyntaxError, KeyError, ...): all of it is a bad image."""
    try:
        yield
    except BadImage:
        raise
    except Exception as error:
        raise BadImage(path, _reason(error)) from error


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, FileNotFoundError):
        return "there is no such file (any more)"
    if isinstance(error, PermissionError):
        return "permission denied; make the file readable"
    if isinstance(error, MemoryError):
        return "too large to decode in the memory there is; scale it down"
    if isinstance(error, EOFError) or "truncated" in text.lower() or "end of file" in text.lower():
        return "truncated, the file ends before the image does; copy it again from where it came"
    return f"damaged ({text}); copy it again from where it came"


def open_picture(path: str | Path) -> Image.Image:
    """The opened image, not decoded yet, once its size and format are known to be ones that can be."""
    head = _head(path)
    _find_decoder(path, head)
    try:
        image = _read_header(path)
    except UnidentifiedImageError as error:
        raise BadImage(path, _unidentified(head)) from error
    pixels = image.width * image.height
    if not 0 < pixels <= MAX_PIXELS:
        image.close()
        raise BadImage(path, f"too large, {image.width} x {image.height} = {pixels:,} pixels; scale it down to at most {MAX_PIXELS:,}")
    return image


def _read_header(path: str | Path) -> Image.Image:
    with _unlimited():
        return Image.open(path, formats=[name for name in _FORMATS if name in Image.OPEN])


@contextmanager
def _unlimited() -> Iterator[None]:
    with _PILLOW_LIMIT:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _head(path: str | Path) -> bytes:
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise BadImage(path, "not a regular file, expected an image")
    if status.st_size == 0:
        raise BadImage(path, "an empty file (0 bytes); copy it again from where it came")
    with open(path, "rb") as file:
        return file.read(64)


def _unidentified(head: bytes) -> str:
    if head.startswith(_SIGNATURES) or head[4:8] == b"ftyp":
        return "damaged or truncated, it begins like an image but cannot be read; copy it again from where it came"
    return "not an image, its content is none of JPEG, PNG, GIF, WebP, BMP, TIFF, PPM, AVIF or HEIC; remove or convert it"


def _find_decoder(path: str | Path, head: bytes) -> None:
    box = head[: int.from_bytes(head[:4])] if head[4:8] == b"ftyp" else b""
    brands = {box[start : start + 4] for start in (8, *range(16, len(box), 4))}
    if brands & _AVIF_BRANDS and not features.check("avif") and not _imports("pillow_avif"):
        raise BadImage(path, "an AVIF image, which this Pillow cannot decode; install pillow-avif-plugin or a Pillow with AVIF support")
    if brands & _HEIC_BRANDS and not brands & _AVIF_BRANDS and not _registers_heif():
        raise BadImage(path, 'a HEIC image, which needs pillow-heif; install it with: pip install "overlay-export[heic]"')


def _imports(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _registers_heif() -> bool:
    if "HEIF" not in Image.OPEN and _imports("pillow_heif"):
        sys.modules["pillow_heif"].register_heif_opener()
    return "HEIF" in Image.OPEN


def _draft(image: Image.Image, least: int) -> None:
    longer, shorter = max(image.size), min(image.size)
    for scale in (8, 4, 2):
        if longer >= 2 * least * scale and shorter >= least * scale:
            image.draft(image.mode, (image.width // scale, image.height // scale))
            break


def _load(image: Image.Image, least: int | None) -> None:
    if least:
        _draft(image, least)
    # Pillow asks for the size of a TIFF once more when it is loaded.
    with _unlimited() if image.format == "TIFF" else nullcontext():
        image.load()


def _eight_bit(image: Image.Image) -> Image.Image:
    """16-bit grey as 8-bit grey by its high byte, as Pillow itself reads 16-bit colour; other modes as they are."""
    tags = getattr(image, "tag_v2", {})
    if image.mode == "F":
        raise BadImage(image.filename, "floating-point pixels, expected 8 or 16 bits a channel; convert it")
    if tags.get(TiffImagePlugin.PLANAR_CONFIGURATION) == 2 and max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (8,))) > 8:
        # Pillow takes the low bytes of these and raises nothing.
        raise BadImage(image.filename, "a 16-bit TIFF in separate planes, expected interleaved channels; convert it")
    return _high_byte(image, tags) if image.mode.startswith("I") else image


def _high_byte(image: Image.Image, tags: Mapping) -> Image.Image:
    values = np.asarray(image)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise BadImage(image.filename, "32-bit pixel values, expected 8 or 16 bits a channel; convert it")
    deep = image.mode != "I" or image.format == "PPM" or high > 255
    grey = (values >> 8 if deep else values).astype(np.uint8)
    white_is_zero = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0
    return Image.fromarray(255 - grey if white_is_zero else grey)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB on white. Alpha is taken aside first: colour management knows nothing of it."""
    alpha = None
    if image.has_transparency_data:
        full = image.convert("RGBA")
        alpha = full.getchannel("A")
        image = image.convert("L") if image.mode in ("L", "LA", "La", "1") else full.convert("RGB")
    if image.mode not in ("L", "RGB", "CMYK", "LAB"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    colour = _managed(image, profile)
    if alpha is None:
        return colour
    white = Image.new("RGB", colour.size, "white")
    white.paste(colour, mask=alpha)
    return white


def _managed(image: Image.Image, profile: bytes | None) -> Image.Image:
    if not profile and image.mode != "LAB":
        return image.convert("RGB")
    try:
        source = ImageCms.createProfile("LAB") if image.mode == "LAB" else ImageCms.ImageCmsProfile(io.BytesIO(profile))
        intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), intent, "RGB", flags=flags)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        # Browsers show an image with a broken profile, or one of another kind of colour, as if it had none.
        return image.convert("RGB")


def bare(image: Image.Image) -> Image.Image:
    """The pixels in a new image: `info` travels along every operation of Pillow, and `save` writes a comment from it."""
    fresh = Image.new("RGB", image.size)
    fresh.paste(image)
    return fresh
