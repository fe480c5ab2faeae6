"""A site in the making: features and published images in a staging folder, codes made of the features, then the manifest that describes them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image as Picture

from exporter import __version__
from exporter.bundle import Bundle, FolderFiles
from exporter.candidates import Coder
from exporter.choice import choose
from exporter.derived import Derivation, derive
from exporter.display import Copy, encode, published_copies
from exporter.encodings import packed_bytes
from exporter.entries import digest_of, image_entry, network_entry, versions
from exporter.errors import ExportError
from exporter.factor_requests import Source, Wanted
from exporter.factors import FOLDER as FACTORS
from exporter.factors import write_factors
from exporter.features import extract, mean_feature
from exporter.images import Group, ImageFile, slug
from exporter.manifest import FactorSet, Figure, Layer, Manifest, Series, Version, to_entry
from exporter.models import CPU, LayerInfo, RequestedLayer
from exporter.models.from_code import is_code
from exporter.networks import Opened
from exporter.opening import strongest_patch
from exporter.parallel import ordered_map
from exporter.pixels import Fit
from exporter.progress import Progress
from exporter.reading import factors_of, image_of, layer_of
from exporter.shards import ShardWriter
from exporter.spool import FOLDER as SPOOL
from exporter.spool import LayerMaps, NetworkSpool, Spooled
from exporter.versions import VersionFile, version_entry

SITE = "site"
# What is published of one image: its copy, its thumbnail where it has one, and what it is a version of.
_Copies = tuple[Copy, Copy | None, Version | None]


@dataclass(frozen=True)
class Job:
    """A network to run, and how images meet it. sources: what is factorised, by the id of the layer it is for; nothing where no factors are wanted."""

    network: Opened
    fit: Fit
    sources: Mapping[str, Source] = field(default_factory=dict)


@dataclass(frozen=True)
class Coding:
    """What is asked of codes: the greatest similarity error; the encoding, None for the best; whether without the layer's mean feature. And the factors and what else is wanted of each layer."""

    max_error: float
    encoding: str | None = None
    center: bool = False
    factors: tuple[Wanted, ...] = ()
    derived: Derivation = Derivation()


@dataclass(frozen=True)
class _Made:
    """What is made of one layer, its factors included, and what the user should be told of it."""

    layer: Layer
    factors: Sequence[FactorSet]
    warnings: Sequence[str]

    def entry(self) -> dict:
        """As JSON."""
        return {"layer": to_entry(self.layer), "factors": [to_entry(one) for one in self.factors], "warnings": list(self.warnings)}

    @classmethod
    def of(cls, entry: dict) -> "_Made":
        return cls(layer_of(entry["layer"]), [factors_of(one) for one in entry["factors"]], entry["warnings"])


class Draft:
    """Runs networks over images and writes what comes of it into a staging folder: features into its spool, then codes and images into its `site`.

    Nothing is held in memory but a sample, some images, one pending shard, and a small entry for each image. The first network publishes the
    images. images: versions behind all others; thumbnails: whether images that are no versions have a second, small copy.
    """

    def __init__(self, folder: Path, images: Sequence[ImageFile], jobs: Sequence[Job], thumbnails: bool) -> None:
        self.site, self._folder, self._images, self._jobs, self._thumbnails = folder / SITE, folder, images, jobs, thumbnails
        self._originals = sum(not isinstance(image, VersionFile) for image in images)
        self._layers = [_forward(job.network) for job in jobs]
        self._maps, self._factorised = zip(*(_maps_of(job, layers) for job, layers in zip(jobs, self._layers, strict=True)), strict=True)
        self._spools = [
            NetworkSpool(folder, number, len(layers), len(images), self._settings(number), self._factorised[number]) for number, layers in enumerate(self._layers)
        ]
        self._written: list[Layer] = []
        self._factors: list[FactorSet] = []
        self.warnings: list[str] = []
        self._make_folders()

    def _make_folders(self) -> None:
        factors = any(job.sources for job in self._jobs)
        for name in ("images", "features", *(["thumbnails"] if self._thumbnails else []), *([FACTORS] if factors else [])):
            (self.site / name).mkdir(parents=True, exist_ok=True)

    def take_over(self, coding: Coding) -> list[str]:
        """Take over what an earlier run left in the staging folder and would come out the same now; all else in it is removed. Sentences that tell how much."""
        count, kept, told = len(self._images), set(), []
        for number, (job, spool) in enumerate(zip(self._jobs, self._spools, strict=True)):
            kept |= spool.take_over(lambda image: digest_of(self._images[image]), self._made_with(coding, number))
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
        network = network_entry(self._jobs[number].network)
        return repr((__version__, versions(), network, getattr(model, "device", CPU), fit, self._layers[number], self._maps[number], self._thumbnails))

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
            job.network.model.prepare([info.module for info in self._maps[number]])
            images, sources = [self._images[i] for i in missing], {}
            show = partial(self._show, images, job.fit) if number == 0 else None
            # Before: an image that changes while it is at work must not be taken for what it was made of.
            note = partial(_note_source, images, sources)
            run = extract(images, job.network.model, job.fit, partial(self._keep, number, images, sources), threads=threads, batch_size=batch_size, before=note, show=show)
            # Closed before anything is removed or kept: its threads still write.
            with progress(f"Running {name}", len(missing)) as advance, closing(run):
                for done, (index, spooled) in enumerate(zip(missing, run, strict=True), len(self._images) - len(missing) + 1):
                    spool.add(index, spooled)
                    total += sum(packed_bytes(features[..., 0].size, features.shape[-1], encoding or "int8") for features in spooled.maps[: len(self._layers[number])])
                    _check_total(total, max_feature_bytes, done, len(self._images))
                    advance()
            job.network.model.release()

    def _bytes_taken_over(self, encoding: str) -> int:
        """Bytes of the codes of all features that are there, before they are deflated."""
        layers = [(spool.patches(i), layer.info.channels) for spool, layers in zip(self._spools, self._layers, strict=True) for i, layer in enumerate(layers)]
        return sum(packed_bytes(patches, channels, encoding) for patches, channels in layers)

    def _keep(self, number: int, images: Sequence[ImageFile], sources: dict[int, str], index: int, copies: _Copies | None, maps: Mapping[str, np.ndarray]) -> Spooled:
        """Runs in a worker thread: what is spooled of one image, whose copies are written."""
        image, features = images[index], [maps[info.module] for info in self._maps[number]]
        entry, files = self._publish(image, *copies) if copies else (None, {})
        return Spooled(sources.pop(index), entry, files, features)

    def _show(self, images: Sequence[ImageFile], fit: Fit, index: int, picture: Picture.Image, pixels: np.ndarray) -> _Copies:
        """Runs in a worker thread: of a version just what the network reads is published."""
        image = images[index]
        if isinstance(image, VersionFile):
            return encode(Picture.fromarray(pixels)), None, version_entry(image, fit, *picture.size)
        return *published_copies(picture, fit, self._thumbnails), None

    def _publish(self, image: ImageFile, shown: Copy, thumbnail: Copy | None, version: Version | None) -> tuple[dict, dict[str, str]]:
        """Write what is published of an image: its entry, and the SHA-256 of each file by its path in the staging folder."""
        described = image_entry(image, shown, thumbnail, version)
        written = [(described, shown), *([(described.thumbnail, thumbnail)] if thumbnail else [])]
        for entry, copy in written:
            (self.site / entry.file).write_bytes(copy.data)
        return to_entry(described), {f"{SITE}/{entry.file}": entry.sha256 for entry, _ in written}

    def encode(self, coding: Coding, threads: int, progress: Progress) -> None:
        """Choose the codes of every layer, write its shards and its factors; its features are gone then."""
        for place, (job, layers, spool) in enumerate(zip(self._jobs, self._layers, self._spools, strict=True)):
            for number in range(len(layers)):
                entry = spool.finished_layer(number)
                made = _Made.of(entry) if entry else self._make(place, number, coding, threads, progress)
                self._written.append(made.layer)
                self._factors += made.factors
                self.warnings += made.warnings

    def _make(self, place: int, number: int, coding: Coding, threads: int, progress: Progress) -> _Made:
        """Write all that is made of a layer."""
        job, requested, spool = self._jobs[place], self._layers[place][number], self._spools[place]
        with progress(f"Writing {requested.id}", len(self._images)) as advance:
            maps = spool.maps(number, requested.info.channels)
            layer, coder = self._encode(requested, job.network.label, maps, coding, threads, advance)
        layer = derive(self.site, len(self._written), layer, maps, coder, self._originals, coding.derived, progress)
        found = list(self._factorise(place, number, coding, threads, progress))
        missed = [_missed(layer, coding)] if layer.error.max > coding.max_error else []
        made = _Made(layer, [factors for factors, _ in found], [*missed, *(sentence for _, told in found for sentence in told)])
        spool.finish_layer(number, self._made_with(coding, place), made.entry(), {f"{SITE}/{file.file}": file.sha256 for file in (*layer.shards, *made.factors, *layer.tables)})
        return made

    def _factorise(self, place: int, number: int, coding: Coding, threads: int, progress: Progress) -> Iterator[tuple[FactorSet, list[str]]]:
        """The sets of factors of a layer, as they are written."""
        if not coding.factors:
            return
        requested, source = self._layers[place][number], self._factorised[place][number]
        images = {one.group: self._taking_part(one.group) for one in coding.factors}
        maps = self._spools[place].maps(source, self._maps[place][source].channels)
        with progress(f"Factors of {requested.id}", sum(len(images[one.group]) for one in coding.factors)) as advance:
            yield from write_factors(self.site, requested.id, len(self._written), self._jobs[place].sources[requested.id], maps, coding.factors, images, threads, advance)

    def _taking_part(self, group: str | None) -> list[int]:
        """Indices of the images that factors are of: those of a group, or all; never versions."""
        return [index for index, image in enumerate(self._images) if not isinstance(image, VersionFile) and group in (None, image.group)]

    def _made_with(self, coding: Coding, number: int) -> str:
        """All that the shards and factors of a network depend on beside its features: their names count the layers of all networks."""
        return repr((coding, sorted(self._jobs[number].sources.items()) if coding.factors else [], sum(map(len, self._layers[:number]))))

    def _encode(self, requested: RequestedLayer, network: str, maps: LayerMaps, coding: Coding, threads: int, advance: Callable[[], None]) -> tuple[Layer, Coder]:
        if coding.center:
            maps.mean = mean_feature(map(maps.read, range(self._originals)))
        choice, signed = choose(maps, coding.max_error, coding.encoding, threads, self._originals), False
        writer = ShardWriter(self.site, f"features/{len(self._written)}-{slug(requested.id, 'layer')}", choice.encoding)
        for codes, below in ordered_map(lambda image: _code(maps, choice.coder, image), range(len(maps.grids)), threads):
            writer.add(codes)
            signed |= below
            advance()
        info = requested.info
        written = Layer(
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
        return written, choice.coder

    def manifest(self, title: str, groups: Sequence[Group], figures: Sequence[str], series: Sequence[Series], threads: int) -> Manifest:
        """What bundle.json says, with the opening patch: on the deepest layer of the last network."""
        images = tuple(map(image_of, self._spools[0].entries()))
        used, fit = {image.group for image in images}, self._jobs[0].fit
        content = Manifest(
            generator=f"overlay-export {__version__}",
            title=title,
            fit=fit.mode,
            size=fit.size,
            networks=tuple(network_entry(job.network) for job in self._jobs),
            groups=tuple(group for group in groups if group.id in used),
            images=images,
            layers=tuple(self._written),
            factors=tuple(self._factors),
            figures=tuple(Figure(name, {}) for name in figures),
            selection=None,
            series=tuple(series),
        )
        return replace(content, selection=strongest_patch(Bundle(FolderFiles(self.site), content), content.layers[-1], threads))


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


def _forward(network: Opened) -> list[RequestedLayer]:
    """From shallow to deep, as the network computes them, whatever the order they were asked for in."""
    place = {layer.module: i for i, layer in enumerate(network.model.layers())}
    return sorted(network.layers, key=lambda one: place[one.info.module])


def _maps_of(job: Job, layers: Sequence[RequestedLayer]) -> tuple[list[LayerInfo], dict[int, int]]:
    """The maps that are spooled of a network, those of its layers and then what else is factorised; and {number of a layer: number of the map that is factorised for it}."""
    maps, beside = [layer.info for layer in layers], {}
    for number, layer in enumerate(layers):
        if source := job.sources.get(layer.id):
            modules = [info.module for info in maps]
            if source.info.module not in modules:
                maps.append(source.info)
            beside[number] = number if source.info == layer.info else maps.index(source.info)
    return maps, beside


def _code(maps: LayerMaps, coder: Coder, image: int) -> tuple[np.ndarray, bool]:
    """Runs in a worker thread: the codes of an image, int8 (rows, cols, dims), and whether any of its features is negative."""
    features = maps.read(image)
    return coder(features).reshape(*maps.grids[image], -1), bool((features < 0).any())


def _note_source(images: Sequence[ImageFile], sources: dict[int, str], index: int) -> None:
    """Runs in a worker thread."""
    sources[index] = digest_of(images[index])
