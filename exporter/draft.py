"""A site in the making: features and published images in a staging folder, codes made of the features, then the manifest that describes them."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import onnxruntime
import PIL
from exporter import __version__
from exporter.bundle import Bundle, FolderFiles
from exporter.candidates import Coder
from exporter.choice import choose
from exporter.display import Copy, published_copies
from exporter.encodings import packed_bytes
from exporter.errors import ExportError
from exporter.features import extract, mean_feature
from exporter.images import Group, ImageFile, slug
from exporter.manifest import Figure, Image, Layer, Manifest, Network, Thumbnail, to_entry
from exporter.models import CPU, RequestedLayer
from exporter.models.from_code import is_code
from exporter.networks import Opened
from exporter.opening import strongest_patch
from exporter.parallel import ordered_map
from exporter.pixels import Fit, explained
from exporter.progress import Progress
from exporter.reading import image_of, layer_of
from exporter.shards import ShardWriter
from exporter.spool import FOLDER as SPOOL
from exporter.spool import LayerMaps, NetworkSpool, Spooled

SITE = "site"
# What is published of one image: its copy, and its thumbnail where it has one.
_Copies = tuple[Copy, Copy | None]


@dataclass(frozen=True)
class Job:
    """A network to run, and how images meet it."""

    network: Opened
    fit: Fit


@dataclass(frozen=True)
class Coding:
    """What is asked of codes: the greatest similarity error; the encoding, None for the best; whether without the layer's mean feature."""

    max_error: float
    encoding: str | None = None
    center: bool = False


class Draft:
    """Runs networks over images and writes what comes of it into a staging folder: features into its spool, then codes and images into its `site`.

    Nothing is held in memory but a sample, some images, one pending shard, and a small entry for each image. The first network publishes the
    images. thumbnails: whether they have a second, small copy.
    """

    def __init__(self, folder: Path, images: Sequence[ImageFile], jobs: Sequence[Job], thumbnails: bool) -> None:
        self.site, self._folder, self._images, self._jobs, self._thumbnails = folder / SITE, folder, images, jobs, thumbnails
        self._layers = [_forward(job.network) for job in jobs]
        self._spools = [NetworkSpool(folder, number, len(layers), len(images), self._settings(number)) for number, layers in enumerate(self._layers)]
        self._written: list[Layer] = []
        self.warnings: list[str] = []
        self._make_folders()

    def _make_folders(self) -> None:
        for name in ("images", "features", *(["thumbnails"] if self._thumbnails else [])):
            (self.site / name).mkdir(parents=True, exist_ok=True)

    def take_over(self, coding: Coding) -> list[str]:
        """Take over what an earlier run left in the staging folder and would come out the same now; all else in it is removed. Sentences that tell how much."""
        count, kept, told = len(self._images), set(), []
        for number, (job, spool) in enumerate(zip(self._jobs, self._spools, strict=True)):
            kept |= spool.take_over(lambda image: _digest_of(self._images[image]), self._made_with(coding, number))
            missing = len(spool.missing())
            of = f" by {job.network.label}" if len(self._jobs) > 1 else ""
            why = ": own code runs again, since it may have changed" if is_code(job.network.model.source) else ""
            told.append(f"--resume: {count - missing} of {count} images{of} are taken over, {missing} are computed{why}")
        left = [path for path in self._folder.rglob("*") if not path.is_dir()]
        outdated = [path for path in left if path.relative_to(self._folder).as_posix() not in kept]
        if any(path.suffix == ".json" and path.parent.name == SPOOL for path in outdated):
            told.append("--resume: some of what was left is damaged, or of other images, networks, options or versions; it is computed again")
        for path in outdated:
            path.unlink()
        shown = sorted((path for path in self.site.rglob("*") if path.is_dir()), reverse=True)
        for folder in (folder for folder in shown if not any(folder.iterdir())):
            folder.rmdir()
        self._make_folders()
        return told if left or any(is_code(job.network.model.source) for job in self._jobs) else ["--resume: nothing is left of an earlier run, all images are computed"]

    def _settings(self, number: int) -> str:
        """All that the features and published copies of a network depend on beside the images; nothing for own code, which may change unseen."""
        model, fit = self._jobs[number].network.model, self._jobs[number].fit
        if is_code(model.source):
            return ""
        network = _network(self._jobs[number].network)
        return repr((__version__, _versions(), network, getattr(model, "device", CPU), fit, self._layers[number], self._thumbnails))

    def extract(self, threads: int, batch_size: int, progress: Progress, encoding: str | None, max_feature_bytes: int | None) -> None:
        """Run the networks over all images: features go to the spool, published copies to the site.

        Raises ExportError once the codes would exceed max_feature_bytes before they are deflated (None: no limit).
        """
        total = self._bytes_taken_over(encoding or "int8")
        for number, (job, spool) in enumerate(zip(self._jobs, self._spools, strict=True)):
            name = "the network" if len(self._jobs) == 1 else job.network.label
            missing = spool.missing()
            _check_total(total, max_feature_bytes, len(self._images) - len(missing), len(self._images))
            if not missing:
                continue
            job.network.model.prepare([layer.info.module for layer in self._layers[number]])
            images, sources = [self._images[i] for i in missing], {}
            show = partial(published_copies, fit=job.fit, thumbnails=self._thumbnails) if number == 0 else None
            # Before: an image that changes while it is at work must not be taken for what it was made of.
            note = partial(_note_source, images, sources)
            run = extract(images, job.network.model, job.fit, partial(self._keep, number, images, sources), threads=threads, batch_size=batch_size, before=note, show=show)
            # Closed before anything is removed or kept: its threads still write.
            with progress(f"Running {name}", len(missing)) as advance, closing(run):
                for done, (index, spooled) in enumerate(zip(missing, run, strict=True), len(self._images) - len(missing) + 1):
                    spool.add(index, spooled)
                    total += sum(packed_bytes(features[..., 0].size, features.shape[-1], encoding or "int8") for features in spooled.maps)
                    _check_total(total, max_feature_bytes, done, len(self._images))
                    advance()
            job.network.model.release()

    def _bytes_taken_over(self, encoding: str) -> int:
        """Bytes of the codes of all features that are there, before they are deflated."""
        layers = [(spool.patches(i), layer.info.channels) for spool, layers in zip(self._spools, self._layers, strict=True) for i, layer in enumerate(layers)]
        return sum(packed_bytes(patches, channels, encoding) for patches, channels in layers)

    def _keep(self, number: int, images: Sequence[ImageFile], sources: dict[int, str], index: int, copies: _Copies | None, maps: Mapping[str, np.ndarray]) -> Spooled:
        """Runs in a worker thread: what is spooled of one image, whose copies are written."""
        image, features = images[index], [maps[layer.info.module] for layer in self._layers[number]]
        entry, files = self._publish(image, *copies) if copies else (None, {})
        return Spooled(sources.pop(index), entry, files, features)

    def _publish(self, image: ImageFile, shown: Copy, thumbnail: Copy | None) -> tuple[dict, dict[str, str]]:
        """Write what is published of an image: its entry, and the SHA-256 of each file by its path in the staging folder."""
        described = _describe(image, shown, thumbnail)
        written = [(described, shown), *([(described.thumbnail, thumbnail)] if thumbnail else [])]
        for entry, copy in written:
            (self.site / entry.file).write_bytes(copy.data)
        return to_entry(described), {f"{SITE}/{entry.file}": entry.sha256 for entry, _ in written}

    def encode(self, coding: Coding, threads: int, progress: Progress) -> None:
        """Choose the codes of every layer and write its shards; its features are gone then."""
        for place, (job, layers, spool) in enumerate(zip(self._jobs, self._layers, self._spools, strict=True)):
            for number, requested in enumerate(layers):
                if entry := spool.finished_layer(number):
                    self._written.append(layer_of(entry))
                    continue
                maps = spool.maps(number, requested.info.channels)
                with progress(f"Writing {requested.id}", len(self._images)) as advance:
                    layer = self._encode(requested, job.network.label, maps, coding, threads, advance)
                self._written.append(layer)
                spool.finish_layer(number, self._made_with(coding, place), to_entry(layer), {f"{SITE}/{shard.file}": shard.sha256 for shard in layer.shards})
        self.warnings = [_missed(layer, coding) for layer in self._written if layer.error.max > coding.max_error]

    def _made_with(self, coding: Coding, number: int) -> str:
        """All that the shards of a network depend on beside its features: their names count the layers of all networks."""
        return repr((coding, sum(map(len, self._layers[:number]))))

    def _encode(self, requested: RequestedLayer, network: str, maps: LayerMaps, coding: Coding, threads: int, advance: Callable[[], None]) -> Layer:
        if coding.center:
            maps.mean = mean_feature(map(maps.read, range(len(maps.grids))))
        choice, signed = choose(maps, coding.max_error, coding.encoding, threads), False
        writer = ShardWriter(self.site, f"features/{len(self._written)}-{slug(requested.id, 'layer')}", choice.encoding)
        for codes, below in ordered_map(lambda image: _code(maps, choice.coder, image), range(len(maps.grids)), threads):
            writer.add(codes)
            signed |= below
            advance()
        info = requested.info
        return Layer(
            id=requested.id,
            network=network,
            module=info.module,
            stride=info.stride,
            channels=info.channels,
            dims=codes.shape[-1],
            signed=signed,
            centered=coding.center,
            encoding=choice.encoding,
            integers=choice.coder.text,
            range=choice.display,
            error=choice.error,
            max_error=coding.max_error,
            tried=choice.tried,
            grids=tuple(maps.grids),
            shards=writer.close(),
        )

    def manifest(self, title: str, groups: Sequence[Group], figures: Sequence[str], threads: int) -> Manifest:
        """What bundle.json says, with the opening patch: on the deepest layer of the last network."""
        images = tuple(map(image_of, self._spools[0].entries()))
        used, fit = {image.group for image in images}, self._jobs[0].fit
        content = Manifest(
            generator=f"overlay-export {__version__}",
            title=title,
            fit=fit.mode,
            size=fit.size,
            networks=tuple(_network(job.network) for job in self._jobs),
            groups=tuple(group for group in groups if group.id in used),
            images=images,
            layers=tuple(self._written),
            figures=tuple(Figure(name, {}) for name in figures),
            selection=None,
        )
        return replace(content, selection=strongest_patch(Bundle(FolderFiles(self.site), content), content.layers[-1], threads))


def _versions() -> list[str]:
    """The versions of what makes features. Of torch and what goes with it they are asked without an import, which takes seconds and a converted network does without."""
    found = [f"{module.__name__} {module.__version__}" for module in (np, PIL, onnxruntime)]
    for name in ("torch", "torchvision", "timm"):
        with suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return found


def _missed(layer: Layer, coding: Coding) -> str:
    return (
        f"{layer.id}: no codes that were tried keep every similarity within {coding.max_error:g}; the most exact ones are taken,"
        f" {layer.error.max:.4f} off at most; pass a greater --max-error{' or no --encoding' if coding.encoding else ''}"
    )


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


def _code(maps: LayerMaps, coder: Coder, image: int) -> tuple[np.ndarray, bool]:
    """Runs in a worker thread: the codes of an image, int8 (rows, cols, dims), and whether any of its features is negative."""
    features = maps.read(image)
    return coder(features).reshape(*maps.grids[image], -1), bool((features < 0).any())


def _note_source(images: Sequence[ImageFile], sources: dict[int, str], index: int) -> None:
    """Runs in a worker thread."""
    sources[index] = _digest_of(images[index])


def _digest_of(image: ImageFile) -> str:
    """SHA-256 of an image's file and of all that is published beside it. Raises BadImage where it cannot be read."""
    facts = json.dumps([image.id, image.title, image.group, image.slug, image.alt, image.credit, image.mark])
    with explained(image.path):
        return hashlib.sha256(facts.encode() + image.path.read_bytes()).hexdigest()


def _describe(source: ImageFile, shown: Copy, thumbnail: Copy | None) -> Image:
    texts = {"id": source.id, "title": source.title, "group": source.group, "alt": source.alt, "credit": source.credit, "mark": source.mark}
    return Image(**texts, **_file("images", source, shown), thumbnail=thumbnail and Thumbnail(**_file("thumbnails", source, thumbnail)))


def _file(folder: str, source: ImageFile, copy: Copy) -> dict[str, str | int]:
    digest = hashlib.sha256(copy.data).hexdigest()
    return {"file": f"{folder}/{source.slug}{copy.suffix}", "bytes": len(copy.data), "sha256": digest, "width": copy.width, "height": copy.height}
