"""Versions of images: the same files under series of transformations. Which images have them, and what an export makes of a file, version or not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase

import numpy as np
from PIL import Image

from exporter.errors import UsageError
from exporter.images import SLUG_LENGTH, ImageFile, unique
from exporter.manifest import Series, Version
from exporter.pixels import Fit, decode, decoded_sides, fit_image, network_size
from exporter.transforms import apply, done, matrix, zoom

DEFAULT_COUNT = 6


@dataclass(frozen=True, kw_only=True)
class VersionFile(ImageFile):
    """An image's file as the version under a series at one of its steps; of: the image's id."""

    of: str
    series: Series
    step: int


def choose_images(images: Sequence[ImageFile], wanted: Sequence[str]) -> list[ImageFile]:
    """The images with these ids, or that these globs match, in their own order. Raises UsageError for one that matches none."""
    ids, chosen = [image.id for image in images], set()
    for name in wanted:
        found = [name] if name in ids else [id for id in ids if fnmatchcase(id, name)]
        if not found:
            near = get_close_matches(name, ids, n=1)
            hint = f'; did you mean "{near[0]}"?' if near else f"; there are {', '.join(ids[:8])}{' and more' if len(ids) > 8 else ''}"
            raise UsageError(f'--transform-images: no image "{name}", expected ids or globs{hint}')
        chosen.update(found)
    if not wanted:
        raise UsageError("--transform-images names no image, expected ids or globs between commas")
    return [image for image in images if image.id in chosen]


def versions_of(images: Sequence[ImageFile], chosen: Sequence[ImageFile], series: Sequence[Series]) -> list[VersionFile]:
    """The versions of the chosen ones of all images: image by image, series by series, step by step, without the step of the image itself."""
    plans = [(image, one, step) for image in chosen for one in series for step in range(len(one.steps)) if step != one.original]
    ids = unique([*(image.id for image in images), *(_id(*plan) for plan in plans)])
    slugs = unique([*(image.slug for image in images), *(_slug(*plan) for plan in plans)], SLUG_LENGTH)
    return [replace(version_file(*plan), id=id, slug=slug) for plan, id, slug in zip(plans, ids[len(images) :], slugs[len(images) :], strict=True)]


def version_file(image: ImageFile, series: Series, step: int) -> VersionFile:
    """A version with a name that another image may have."""
    what = done(series, step)
    alt = f"{image.alt}{'' if image.alt.endswith(('.', '!', '?')) else '.'} {what[0].upper()}{what[1:]}." if image.alt else ""
    return VersionFile(image.path, _id(image, series, step), f"{image.title}, {what}", image.group, _slug(image, series, step), alt, of=image.id, series=series, step=step)


def _id(image: ImageFile, series: Series, step: int) -> str:
    return f"{image.id}@{series.id}-{series.steps[step].value:g}"


def _slug(image: ImageFile, series: Series, step: int) -> str:
    tail = f"-{series.id}-{step:02d}"
    return image.slug[: SLUG_LENGTH - len(tail)].rstrip("-") + tail


def read(image: ImageFile, fit: Fit) -> Image.Image:
    """The decoded picture of a file, with as many pixels as are needed of it. Raises BadImage."""
    return decode(image.path, least=math.ceil(fit.least * (zoom(image.series, image.step) if isinstance(image, VersionFile) else 1)))


def network_input(image: ImageFile, picture: Image.Image, fit: Fit) -> np.ndarray:
    """What a network reads of a decoded picture: uint8 (height, width, 3), of a version as many pixels as of its original."""
    return apply(picture, _as_original(image, picture, fit), image.series, image.step) if isinstance(image, VersionFile) else fit_image(picture, fit)


def _as_original(image: VersionFile, picture: Image.Image, fit: Fit) -> Fit:
    """A picture that is decoded with more pixels than its original has sides in slightly another proportion, which may round to another size."""
    shorter, longer = decoded_sides(image.path, fit.least)
    return replace(fit, fixed=network_size(fit, *((longer, shorter) if picture.width >= picture.height else (shorter, longer))))


def version_entry(image: VersionFile, fit: Fit, width: int, height: int) -> Version:
    """What bundle.json says of a version of a picture of these pixels."""
    return Version(image.of, image.series.id, image.step, matrix(image.series, image.step, fit, width, height))
