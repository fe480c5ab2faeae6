"""Masks of images: PNGs by the names of the images they belong to, and the tables that are published of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image as Picture

from exporter.errors import ExportError, UsageError
from exporter.images import ImageFile
from exporter.manifest import Image, Manifest
from exporter.orientation import upright_size
from exporter.pixels import BadImage, Fit, crop_box, explained, open_picture
from exporter.tables import write_table

SUFFIX = ".png"
FOLDER = "masks"
_LISTED = 8


@dataclass(frozen=True)
class Masks:
    """Files of masks by the id of their image, and what the user should be told of them."""

    paths: Mapping[str, Path]
    warnings: tuple[str, ...] = ()


def find_masks(folder: str | Path, images: Sequence[ImageFile]) -> Masks:
    """Find the mask of every image that has one, in a folder and those below it, and look at each.

    A mask is named like its image but for the suffix. Where several images have that name it belongs to the one whose folders end like its own.
    Raises UsageError where there is no such folder, ExportError where none of its files is a mask of an image, BadImage for a file that does not decode.
    """
    root = Path(folder)
    if not root.is_dir():
        raise UsageError(f"no such folder of masks: {root}; --masks takes a folder of PNG files named like the images")
    files = sorted(path for path in root.rglob("*") if path.suffix.lower() == SUFFIX and path.is_file() and not path.name.startswith("."))
    matches = [(path, _match(PurePosixPath(path.relative_to(root).as_posix()), images)) for path in files]
    found = {image.id: path for path, image in matches if image}
    if not found:
        some = f"its files are {_some(path.name for path in files)}, those of the images {_some(image.path.name for image in images)}" if files else "it has no PNG files"
        raise ExportError(f"{root} holds no mask of an image: {some}; name each mask like its image, with the suffix {SUFFIX}")
    strangers = [path.name for path, image in matches if image is None]
    told = [f"{root} has masks of no image, or of one of several with that name: {_some(strangers)}; they are left out"] if strangers else []
    told += [f"image {image.id} has two masks, {_some(str(path.relative_to(root)) for path, other in matches if other is image)}; the last is taken" for image in images if sum(other is image for _, other in matches) > 1]
    sources = {image.id: image.path for image in images}
    return Masks(found, (*told, *(sentence for id, path in found.items() for sentence in _look(path, sources[id]))))


def _match(path: PurePosixPath, images: Sequence[ImageFile]) -> ImageFile | None:
    """The image that a mask belongs to, None where there is none or no telling which."""
    named = [image for image in images if path.stem in (image.path.stem, image.id)]
    if len(named) > 1:
        folders = path.parent.parts
        named = [image for image in named if image.path.parent.parts[len(image.path.parent.parts) - len(folders) :] == folders and folders]
    return named[0] if len(named) == 1 else None


def _look(path: Path, source: Path) -> Iterator[str]:
    """Sentences on what a mask's author may not have meant."""
    values = _values(path)
    height, width = values.shape
    try:
        size = _size(source)
    except BadImage:
        return  # what becomes of such an image is said elsewhere
    if (width, height) != size:
        yield f"{path} is {width} x {height} pixels, its image {size[0]} x {size[1]}; it is resized to that by nearest pixel"
    levels = np.unique(values)
    if len(levels) > 2:
        yield f"{path} has {len(levels)} values, expected 2; those above half of the greatest are foreground"
    if len(levels) == 1:
        yield f"{path} is {'all foreground' if levels[0] else 'empty, it has no foreground'}; it is published as it is"


def read_mask(path: Path) -> np.ndarray:
    """bool (height, width): where a mask is brighter than half of its greatest value. Raises BadImage."""
    values = _values(path)
    return values > values.max() / 2


def _values(path: Path) -> np.ndarray:
    """A number for each pixel: the index of a palette, else the lightness on black. Raises BadImage."""
    with explained(path), open_picture(path) as picture:
        picture.load()
        if picture.mode == "P" and not picture.has_transparency_data:
            return np.asarray(picture)
        if picture.mode in ("1", "L", "I", "I;16"):
            return np.asarray(picture.convert("L") if picture.mode == "1" else picture)
        layers = np.asarray(picture.convert("RGBA"))
        return layers[..., :3].max(axis=2) * (layers[..., 3] / 255)


def with_masks(root: Path, content: Manifest, sources: Iterable[ImageFile], masks: Mapping[str, Path], fit: Fit) -> Manifest:
    """The same content with the masks of its images, each written below root as a table of the size of the published image. sources: the images' files."""
    paths = {image.id: image.path for image in sources}
    images = [_masked(root, image, masks[image.id], paths[image.id], fit) if image.id in masks else image for image in content.images]
    return replace(content, images=tuple(images))


def _masked(root: Path, image: Image, path: Path, source: Path, fit: Fit) -> Image:
    mask = Picture.fromarray(read_mask(path).astype(np.uint8))
    size = _size(source)
    box = crop_box(fit, *size)
    if box:
        across, down = (side / whole for side, whole in zip(mask.size, size, strict=True))
        box = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
    shown = np.asarray(mask.resize((image.width, image.height), Picture.Resampling.NEAREST, box=box))
    return replace(image, mask=write_table(root, f"{FOLDER}/{Path(image.file).stem}.bin", shown, "u8"))


def _size(path: Path) -> tuple[int, int]:
    """(width, height) of an image as it is seen. Raises BadImage."""
    with explained(path), open_picture(path) as image:
        return upright_size(image)


def _some(names: Iterable[str]) -> str:
    found = list(names)
    return ", ".join(found[:_LISTED]) + (f" and {len(found) - _LISTED} more" if len(found) > _LISTED else "")
