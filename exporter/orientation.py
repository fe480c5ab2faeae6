"""Which way is up: what a photo's Exif block says of it."""

from PIL import Image

_TURNS = {
    orientation: Image.Transpose[name]
    for orientation, name in enumerate(
        "FLIP_LEFT_RIGHT ROTATE_180 FLIP_TOP_BOTTOM TRANSPOSE ROTATE_270 TRANSVERSE ROTATE_90".split(), start=2
    )
}
_ORIENTATION, _FIRST_ON_ITS_SIDE = 0x0112, 5


def upright(image: Image.Image, source: Image.Image) -> Image.Image:
    """An image as the Exif block of its source says; to be asked only after loading: Pillow turns a TIFF by itself then, and forgets the tag."""
    turn = _TURNS.get(_orientation(source))
    return image if turn is None else image.transpose(turn)


def upright_size(source: Image.Image) -> tuple[int, int]:
    """(width, height) in pixels of an opened image as it is seen, without decoding."""
    return source.size[::-1] if _orientation(source) >= _FIRST_ON_ITS_SIDE else source.size


def _orientation(source: Image.Image) -> int:
    """1 to 8; 1, upright, where nothing is said."""
    try:
        found = source.getexif().get(_ORIENTATION)
    except Exception:  # a broken Exif block says nothing about which way is up
        return 1
    return found if found in _TURNS else 1
