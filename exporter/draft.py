"""A site in the making: published images and shards in a folder, then the manifest that describes them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from exporter import __version__
from exporter.bundle import Bundle, FolderFiles
from exporter.display import Copy, published_copies
from exporter.errors import ExportError
from exporter.features import extract, mean_features
from exporter.images import Group, ImageFile, slug
from exporter.manifest import Figure, Image, Layer, Manifest, Network, Thumbnail
from exporter.models import RequestedLayer
from exporter.networks import Opened
from exporter.opening import strongest_patch
from exporter.pixels import Fit
from exporter.progress import Progress
from exporter.quantise import encode_int8
from exporter.sample import PatchSample, SamplePlan
from exporter.shards import ShardWriter


# What is published of one image: its copy, and its thumbnail where it has one.
_Copies = tuple[Copy, Copy | None]


@dataclass
class _LayerDraft:
    """What has come in of one layer so far. mean: float32 (channels,), subtracted from every vector; None: nothing is."""

    requested: RequestedLayer
    writer: ShardWriter
    sampled: list[tuple[int, np.ndarray]] = field(default_factory=list)
    grids: list[tuple[int, int]] = field(default_factory=list)
    signed: bool = False
    mean: np.ndarray | None = None

    def add(self, index: int, codes: np.ndarray, sampled: np.ndarray) -> None:
        self.writer.add(codes)
        self.sampled.append((index, sampled))
        self.grids.append(codes.shape[:2])
        self.signed |= bool((codes < 0).any())

    def finish(self, network: str) -> Layer:
        info, features = self.requested.info, np.concatenate([one for _, one in self.sampled])
        images = np.repeat([index for index, _ in self.sampled], [len(one) for _, one in self.sampled])
        error, display = PatchSample(features, images).measure(encode_int8(features))
        return Layer(
            id=self.requested.id,
            network=network,
            module=info.module,
            stride=info.stride,
            channels=info.channels,
            dims=info.channels,
            signed=self.signed,
            centered=self.mean is not None,
            encoding="int8",
            range=display,
            error=error,
            grids=tuple(self.grids),
            shards=self.writer.close(),
        )


@dataclass(frozen=True)
class Job:
    """A network to run, and how images meet it."""

    network: Opened
    fit: Fit


class Draft:
    """Collects the codes of all networks over all images in `folder`; nothing is held in memory but a sample and one pending shard per layer.

    thumbnails: whether images have a second, small copy.
    """

    def __init__(self, folder: Path, images: Sequence[ImageFile], jobs: Sequence[Job], thumbnails: bool) -> None:
        self._folder, self._images, self._jobs, self._thumbnails = folder, images, jobs, thumbnails
        self._plan = SamplePlan(len(images))
        self._layers: list[list[_LayerDraft]] = []
        for job in jobs:
            first = sum(map(len, self._layers))
            self._layers.append([_LayerDraft(one, ShardWriter(folder, f"features/{first + i}-{slug(one.id, 'layer')}", "int8")) for i, one in enumerate(_forward(job.network))])
        self._published: list[Image] = []
        self._total = 0
        for name in ("images", "features", *(["thumbnails"] if thumbnails else [])):
            (folder / name).mkdir()

    def extract(self, threads: int, batch_size: int, center: bool, progress: Progress, max_feature_bytes: int | None) -> None:
        """Run the networks over all images and write published copies, with the first network, and shards; with `center`, twice, first for the mean features.

        Raises ExportError once the codes exceed max_feature_bytes (None: no limit).
        """
        for number, (job, layers) in enumerate(zip(self._jobs, self._layers, strict=True)):
            name = "the network" if len(self._jobs) == 1 else job.network.label
            job.network.model.prepare([layer.requested.info.module for layer in layers])
            run = partial(extract, self._images, job.network.model, job.fit, threads=threads, batch_size=batch_size)
            if center:
                with progress(f"Averaging {name}", len(self._images)) as advance:
                    means = mean_features(run, advance)
                for layer in layers:
                    layer.mean = means[layer.requested.info.module]
            show = partial(published_copies, fit=job.fit, thumbnails=self._thumbnails) if number == 0 else None
            with progress(f"Running {name}", len(self._images)) as advance:
                for index, (published, kept) in enumerate(run(partial(self._keep, number), show=show)):
                    self._add(number, published, kept)
                    _check_total(self._total, max_feature_bytes, index + 1, len(self._images))
                    advance()
            job.network.model.release()

    def _keep(self, number: int, index: int, copies: _Copies | None, maps: Mapping[str, np.ndarray]) -> tuple[tuple[Image, _Copies] | None, list[tuple[np.ndarray, np.ndarray]]]:
        """Runs in a worker thread: what is written of one image, and for each layer its codes and its sampled features."""
        kept = []
        for layer in self._layers[number]:
            features = maps[layer.requested.info.module]
            features = features if layer.mean is None else features - layer.mean
            flat = features.reshape(-1, features.shape[-1])
            kept.append((encode_int8(features), flat[self._plan.positions(index, len(flat))]))
        return copies and (_describe(self._images[index], *copies), copies), kept

    def _add(self, number: int, published: tuple[Image, _Copies] | None, kept: list[tuple[np.ndarray, np.ndarray]]) -> None:
        if published is not None:
            image, (shown, thumbnail) = published
            (self._folder / image.file).write_bytes(shown.data)
            if thumbnail:
                (self._folder / image.thumbnail.file).write_bytes(thumbnail.data)
            self._published.append(image)
        for layer, (codes, sampled) in zip(self._layers[number], kept, strict=True):
            layer.add(len(layer.grids), codes, sampled)
            self._total += codes.nbytes

    def manifest(self, title: str, groups: Sequence[Group], figures: Sequence[str]) -> Manifest:
        """Close the shards, measure the samples, choose the opening patch: on the deepest layer of the last network."""
        layers = tuple(layer.finish(job.network.label) for job, drafts in zip(self._jobs, self._layers, strict=True) for layer in drafts)
        used, fit = {image.group for image in self._published}, self._jobs[0].fit
        content = Manifest(
            generator=f"overlay-export {__version__}",
            title=title,
            fit=fit.mode,
            size=fit.size,
            networks=tuple(_network(job.network) for job in self._jobs),
            groups=tuple(group for group in groups if group.id in used),
            images=tuple(self._published),
            layers=layers,
            figures=tuple(Figure(name, {}) for name in figures),
            selection=None,
        )
        return replace(content, selection=strongest_patch(Bundle(FolderFiles(self._folder), content), layers[-1]))


def _check_total(total: int, most: int | None, done: int, count: int) -> None:
    if most is not None and total > most:
        raise ExportError(
            f"the features of {done} of {count} images already take {total / 1e6:.0f} MB, a single-file page may hold {most / 1e6:.0f} MB;"
            " write a folder (-o site/), or use fewer images, a smaller --size or deeper layers"
        )


def _network(opened: Opened) -> Network:
    model, p = opened.model, opened.model.preprocessing
    return Network(
        id=opened.label,
        name=model.name,
        source=model.source,
        weights=model.weights,
        weights_sha256=model.weights_sha256,
        input_range=tuple(p.input_range),
        mean=tuple(p.mean),
        std=tuple(p.std),
        input_size=model.fixed_size,
        prefix_tokens=model.prefix_tokens,
    )


def _forward(network: Opened) -> list[RequestedLayer]:
    """From shallow to deep, as the network computes them, whatever the order they were asked for in."""
    place = {layer.module: i for i, layer in enumerate(network.model.layers())}
    return sorted(network.layers, key=lambda one: place[one.info.module])


def _describe(source: ImageFile, shown: Copy, thumbnail: Copy | None) -> Image:
    texts = {"id": source.id, "title": source.title, "group": source.group, "alt": source.alt, "credit": source.credit}
    return Image(**texts, **_file("images", source, shown), thumbnail=thumbnail and Thumbnail(**_file("thumbnails", source, thumbnail)))


def _file(folder: str, source: ImageFile, copy: Copy) -> dict[str, str | int]:
    digest = hashlib.sha256(copy.data).hexdigest()
    return {"file": f"{folder}/{source.slug}{copy.suffix}", "bytes": len(copy.data), "sha256": digest, "width": copy.width, "height": copy.height}
