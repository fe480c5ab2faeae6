"""What is published of a photo: a copy for the page and, in a large gallery, a thumbnail, each as JPEG or WebP, whichever takes fewer bytes."""

import io
from dataclasses import dataclass

from PIL import Image

from exporter.pixels import Fit, bare, crop_box, half_up, network_size

# Up to this many images stand large on a page; more are shown small, and have thumbnails.
FEW_IMAGES = 60
SIZE_OF_FEW, SIZE_OF_MANY, THUMBNAIL_SIZE = 800, 448, 240
MEDIA_TYPES = {".jpg": "image/jpeg", ".webp": "image/webp"}
# On photos these two are equally far from the original (luma PSNR and SSIM); a higher method costs twice the time for 1 to 2 % of the bytes.
_JPEG = {"quality": 85, "optimize": True, "progressive": False}
_WEBP = {"quality": 86, "method": 2}


@dataclass(frozen=True)
class Copy:
    """A picture as it is published: the bytes of its file and their suffix, width and height in pixels."""

    data: bytes
    suffix: str
    width: int
    height: int


def default_size(images: int) -> int:
    """The longer side, in pixels, of the copies of this many images."""
    return SIZE_OF_FEW if images <= FEW_IMAGES else SIZE_OF_MANY


def display_size(fit: Fit, width: int, height: int) -> tuple[int, int]:
    """(width, height) in pixels of the published copy of an image of `width` x `height`, never longer than what it shows of that image.

    It has the shape of the image, in crop that of the network's input. The shorter side is at least 1/16 of the longer.
    """
    box = crop_box(fit, width, height)
    if box:
        (height, width), limit = network_size(fit, width, height), round(max(box[2] - box[0], box[3] - box[1]))
    else:
        limit = max(width, height)
    longer = min(fit.display, max(limit, 1))
    shorter = max(half_up(longer * min(width, height), max(width, height), 1), -(-longer // 16))
    return (longer, shorter) if width >= height else (shorter, longer)


def published_copies(picture: Image.Image, fit: Fit, thumbnails: bool) -> tuple[Copy, Copy | None]:
    """The copy of a decoded image for the page, and its thumbnail where they are wanted and the copy is larger than one."""
    shown = picture.resize(display_size(fit, *picture.size), Image.Resampling.BICUBIC, box=crop_box(fit, *picture.size))
    if not thumbnails or max(shown.size) <= THUMBNAIL_SIZE:
        return encode(shown), None
    width, height = (half_up(side * THUMBNAIL_SIZE, max(shown.size), 1) for side in shown.size)
    return encode(shown), encode(shown.resize((width, height), Image.Resampling.BICUBIC))


def encode(image: Image.Image) -> Copy:
    """A WebP of quality 86, or a baseline JPEG of quality 85 where that is no larger: pixels and nothing else, the same bytes for the same pixels."""
    pixels = bare(image)
    jpeg, webp = _saved(pixels, "JPEG", _JPEG), _saved(pixels, "WEBP", _WEBP)
    data, suffix = (webp, ".webp") if len(webp) < len(jpeg) else (jpeg, ".jpg")
    return Copy(data, suffix, *image.size)


def _saved(image: Image.Image, form: str, options: dict[str, int]) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()
