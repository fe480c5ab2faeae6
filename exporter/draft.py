"""A site in the making: display images and shards in a folder, then the manifest that describes them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image as Picture

from exporter import __version__
from exporter.bundle import Bundle, FolderFiles
from exporter.errors import ExportError
from exporter.features import extract
from exporter.images import Group, ImageFile, slug
from exporter.manifest import Figure, Image, Layer, Manifest, Network
from exporter.models import Model, RequestedLayer
from exporter.opening import strongest_patch
from exporter.pixels import Fit, encode_display
from exporter.progress import Progress
from exporter.quantise import encode_int8
from exporter.sample import PatchSample, SamplePlan
from exporter.shards import ShardWriter


@dataclass
class _LayerDraft:
    """What has come in of one layer so far."""

    requested: RequestedLayer
    writer: ShardWriter
    sample: PatchSample = field(default_factory=PatchSample)
    grids: list[tuple[int, int]] = field(default_factory=list)
    signed: bool = False

    def add(self, index: int, codes: np.ndarray, sampled: np.ndarray) -> None:
        self.writer.add(codes)
        self.sample.add(index, sampled)
        self.grids.append(codes.shape[:2])
        self.signed |= bool((codes < 0).any())

    def finish(self, network: str) -> Layer:
        info, (error, display) = self.requested.info, self.sample.measure()
        return Layer(
            id=self.requested.id,
            network=network,
            module=info.module,
            stride=info.stride,
            channels=info.channels,
            dims=info.channels,
            signed=self.signed,
            encoding="int8",
            range=display,
            error=error,
            grids=tuple(self.grids),
            shards=self.writer.close(),
        )


class Draft:
    """Collects one network's codes over all images in `folder`; nothing is held in memory but a sample and one pending shard per layer."""

    def __init__(self, folder: Path, images: Sequence[ImageFile], model: Model, requested: Sequence[RequestedLayer], fit: Fit) -> None:
        self._folder, self._images, self._model, self._fit = folder, images, model, fit
        self._plan = SamplePlan(len(images))
        self._layers = [_LayerDraft(one, ShardWriter(folder, f"features/{i}-{slug(one.id, 'layer')}")) for i, one in enumerate(_forward(model, requested))]
        self._published: list[Image] = []
        for name in ("images", "features"):
            (folder / name).mkdir()

    def extract(self, threads: int, batch_size: int, progress: Progress, max_feature_bytes: int | None) -> None:
        """Run the network over all images and write display copies and shards.

        Raises ExportError once the codes exceed max_feature_bytes (None: no limit).
        """
        total = 0
        with progress("Running the network", len(self._images)) as advance:
            results = extract(self._images, self._model, self._fit, self._keep, threads=threads, batch_size=batch_size)
            for index, (image, jpeg, kept) in enumerate(results):
                (self._folder / image.file).write_bytes(jpeg)
                self._published.append(image)
                for layer, (codes, sampled) in zip(self._layers, kept, strict=True):
                    layer.add(index, codes, sampled)
                    total += codes.nbytes
                _check_total(total, max_feature_bytes, index + 1, len(self._images))
                advance()

    def _keep(self, index: int, display: Picture.Image, maps: Mapping[str, np.ndarray]) -> tuple[Image, bytes, list[tuple[np.ndarray, np.ndarray]]]:
        """Runs in a worker thread: what is written of one image, and for each layer its codes and its sampled features."""
        jpeg = encode_display(display)
        kept = []
        for layer in self._layers:
            features = maps[layer.requested.info.module]
            flat = features.reshape(-1, features.shape[-1])
            kept.append((encode_int8(features), flat[self._plan.positions(index, len(flat))]))
        return _describe(self._images[index], display, jpeg), jpeg, kept

    def manifest(self, title: str, groups: Sequence[Group], figures: Sequence[str]) -> Manifest:
        """Close the shards, measure the sample, choose the opening patch."""
        network = _network(self._model)
        layers = tuple(layer.finish(network.id) for layer in self._layers)
        used = {image.group for image in self._published}
        content = Manifest(
            generator=f"overlay-export {__version__}",
            title=title,
            fit=self._fit.mode,
            size=self._fit.size,
            networks=(network,),
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


def _network(model: Model) -> Network:
    p = model.preprocessing
    return Network(model.id, model.name, model.source, model.weights_sha256, tuple(p.input_range), tuple(p.mean), tuple(p.std))


def _forward(model: Model, requested: Sequence[RequestedLayer]) -> list[RequestedLayer]:
    """From shallow to deep, as the network computes them, whatever the order they were asked for in."""
    place = {layer.module: i for i, layer in enumerate(model.layers())}
    return sorted(requested, key=lambda one: place[one.info.module])


def _describe(source: ImageFile, display: Picture.Image, jpeg: bytes) -> Image:
    digest = hashlib.sha256(jpeg).hexdigest()
    return Image(source.id, source.title, source.group, source.file, len(jpeg), digest, *display.size, source.alt, source.credit)
