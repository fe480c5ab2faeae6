"""Images x model -> feature maps, streamed: memory does not grow with the number of images."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeVar

import numpy as np
from PIL import Image

from exporter.errors import ModelError
from exporter.images import ImageFile
from exporter.models import Model
from exporter.parallel import ordered_map
from exporter.pixels import Fit
from exporter.versions import network_input
from exporter.versions import read as read_picture

Kept = TypeVar("Kept")
Shown = TypeVar("Shown")
Keep = Callable[[int, Shown, Mapping[str, np.ndarray]], Kept]


def extract(
    images: Sequence[ImageFile],
    model: Model,
    fit: Fit,
    keep: Keep[Shown | None, Kept],
    *,
    threads: int,
    batch_size: int = 1,
    before: Callable[[int], object] | None = None,
    show: Callable[[int, Image.Image, np.ndarray], Shown] | None = None,
) -> Iterator[Kept]:
    """Run a prepared model over the images; yield, in order, what `keep` made of each.

    before(index) is called before an image's file is read; show(index, decoded image, its network input) makes what is published of it; keep(index, what `show` made or None, {module: float32 (rows, cols, channels)}).
    All run in a worker thread, so that what is expensive about an image (encoding, quantising) overlaps with the network.
    batch_size: images of equal shape run together.
    Raises BadImage for a file that does not decode, ModelError naming the images where features are not finite.
    """

    def read(index: int) -> Image.Image:
        if before:
            before(index)
        return read_picture(images[index], fit)

    def prepare(index: int) -> tuple[np.ndarray, Shown | None]:
        picture = read(index)
        pixels = network_input(images[index], picture, fit)
        return pixels, show(index, picture, pixels) if show else None

    def process(batch: range) -> list[Kept]:
        fitted = [prepare(index) for index in batch]
        maps = [one for group in _same_shape(fitted) for one in _run(model, group, [images[batch[0]], images[batch[-1]]])]
        return [keep(i, shown, features) for i, (_, shown), features in zip(batch, fitted, maps, strict=True)]

    batches = (range(start, min(start + batch_size, len(images))) for start in range(0, len(images), batch_size))
    for results in ordered_map(process, batches, threads):
        yield from results


def _same_shape(fitted: list[tuple[np.ndarray, Shown | None]]) -> Iterator[np.ndarray]:
    """Stack neighbours of equal shape: uint8 (n, height, width, 3) each."""
    for _, group in groupby((pixels for pixels, _ in fitted), key=np.shape):
        yield np.stack(list(group))


def _run(model: Model, batch: np.ndarray, ends: list[ImageFile]) -> list[dict[str, np.ndarray]]:
    try:
        maps = model.run(batch)
    except ModelError as error:
        where = ends[0].path if ends[0] is ends[1] else f"{ends[0].path} to {ends[1].path}"
        raise ModelError(f"{where}: {error}") from error
    return [{module: np.ascontiguousarray(values[i].transpose(1, 2, 0)) for module, values in maps.items()} for i in range(len(batch))]


def mean_feature(maps: Iterable[np.ndarray]) -> np.ndarray:
    """The mean feature vector over all patches of all images: float (patches, channels) of each image in order -> float32 (channels,)."""
    total, count = np.float64(0), 0
    for features in maps:
        total = total + features.sum(axis=0, dtype=np.float64)
        count += len(features)
    return (total / count).astype(np.float32)
