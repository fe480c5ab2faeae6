"""Check a bundle against its specification, and its similarities against a network run anew."""

import io
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from threadpoolctl import threadpool_limits

from exporter.bundle import Bundle
from exporter.encodings import LIMITS
from exporter.errors import BundleError, ExportError, UsageError
from exporter.features import extract, mean_feature
from exporter.images import ImageFile, find_images
from exporter.manifest import FactorSet, Image, Layer, Network, SimilarityError, Thumbnail
from exporter.models import Model, open_model
from exporter.models.from_code import is_code
from exporter.models.recipe import RANDOM
from exporter.networks import OWN, NetworkRequest, Texts, requested_networks
from exporter.parallel import usable_cores
from exporter.pixels import Fit
from exporter.progress import Progress, silent
from exporter.quantise import similarity, unit
from exporter.sample import ErrorMeter
from exporter.shards import check_file
from exporter.transforms import check_series
from exporter.versions import version_file

_BLOCK = 512


@dataclass(frozen=True)
class Checked:
    """How many shards, images, sets of factors and tables of a bundle were checked, and the bytes of all their files."""

    shards: int
    images: int
    bytes: int
    factors: int = 0
    tables: int = 0


def verify_files(bundle: Bundle, progress: Progress = silent) -> Checked:
    """Read every shard, every file of factors, every table, every image and every thumbnail and hold them against bundle.json.

    Raises BundleError listing each file that is missing, damaged, or not what FORMAT.md demands.
    """
    checks = [lambda layer=layer, number=number: _check_shard(bundle, layer, number) for layer in bundle.layers for number in range(len(layer.shards))]
    checks += [lambda factors=factors: _check_factors(bundle, factors) for factors in bundle.factors]
    checks += [lambda image=image: _check_mask(bundle, image) for image in bundle.images if image.mask]
    checks += [lambda layer=layer: _check_tables(bundle, layer) for layer in bundle.layers if layer.tables]
    pictures = [picture for image in bundle.images for picture in (image, image.thumbnail) if picture]
    checks += [lambda picture=picture: _check_picture(bundle, picture) for picture in pictures]
    problems, total = [], 0
    with progress("Checking files", len(checks)) as advance:
        for check in checks:
            try:
                total += check()
            except BundleError as error:
                problems.append(str(error))
            advance()
    if problems:
        raise BundleError("\n".join(problems))
    return Checked(sum(len(layer.shards) for layer in bundle.layers), len(bundle.images), total, len(bundle.factors), len(bundle.manifest.tables))


def _check_shard(bundle: Bundle, layer: Layer, number: int) -> int:
    shard = layer.shards[number]
    for image in bundle.images[shard.first : shard.first + shard.count]:
        least, limit = int(bundle.codes(image, layer).min()), LIMITS[layer.encoding]
        if least < -limit:
            raise BundleError(f"{shard.file}: holds the code {least}, expected -{limit} to {limit}; export the site again")
    return shard.bytes


def _check_factors(bundle: Bundle, factors: FactorSet) -> int:
    bundle.weights(factors, bundle.factored(factors)[0])
    return factors.bytes


def _check_mask(bundle: Bundle, image: Image) -> int:
    greatest = int(bundle.table(image.mask).max())
    if greatest > 1:
        raise BundleError(f"{image.mask.file}: holds {greatest}, expected 0 and 1; export the site again")
    return image.mask.bytes


def _check_tables(bundle: Bundle, layer: Layer) -> int:
    found = {table.file: bundle.table(table) for table in layer.tables}
    rows = sum(rows * cols for rows, cols in layer.grids)
    listed = [(one.items, rows if one.of == "patches" else len(bundle.images)) for one in layer.maps]
    ends = [table for table in (layer.activations.peaks, layer.activations.lows) if table] if layer.activations else []
    for table, most in [*listed, *((table, rows) for table in ends)]:
        greatest = int(found[table.file].max())
        if greatest >= most:
            raise BundleError(f"{table.file}: refers to {greatest}, expected less than {most}; export the site again")
    return sum(table.bytes for table in layer.tables)


def _check_picture(bundle: Bundle, image: Image | Thumbnail) -> int:
    data = bundle.files.read(image.file)
    check_file(data, image)
    try:
        # Only what an export writes: Pillow opens other formats with other programs.
        with Picture.open(io.BytesIO(data), formats=["JPEG", "WEBP"]) as picture:
            size = picture.size
    except (OSError, SyntaxError, ValueError, Picture.DecompressionBombError) as error:
        raise BundleError(f"{image.file}: is neither JPEG nor WebP ({error}); export the site again") from None
    if size != (image.width, image.height):
        raise BundleError(f"{image.file}: is {size[0]} x {size[1]} pixels, expected {image.width} x {image.height}; export the site again")
    return len(data)


def measure_error(
    bundle: Bundle,
    sources: Sequence[str | Path],
    model: Texts = (),
    *,
    weights: Texts = (),
    checkpoints: Texts = (),
    input_size: Sequence[int] | None = None,
    prefix_tokens: int | None = None,
    threads: int | None = None,
    progress: Progress = silent,
    notify: Callable[[str], None] | None = None,
) -> dict[str, SimilarityError]:
    """Run the networks anew over the original images: {layer id: error of the stored codes over all pairs of patches}.

    sources: the folders and files that were exported. model to prefix_tokens: as for `export`; left out, what the bundle names. Time grows with the
    square of the number of patches, and the features of all images are held in memory. Raises ExportError where an image is missing or a
    network is another one.
    """
    threads = threads or usable_cores()
    given = requested_networks(model, weights, checkpoints) if model or weights or checkpoints else None
    if given is not None and len(given) != len(bundle.manifest.networks):
        raise UsageError(f"{len(given)} network{'s are' if len(given) > 1 else ' is'} given, the site was made with {len(bundle.manifest.networks)}; pass all of them in order, as to overlay-export")
    if given is None and any(map(_needs_file, bundle.manifest.networks)):
        raise UsageError(f"the site was made with files or own code; pass those again with {_options(bundle.manifest.networks)}, as to overlay-export")
    images, found = _originals(bundle, sources), {}
    for index, stated in enumerate(bundle.manifest.networks):
        network = _open_network(stated, given and given[index], input_size, prefix_tokens, threads, notify)
        layers = [layer for layer in bundle.layers if layer.network == stated.id]
        maps = _run(bundle, network, layers, images, threads, progress)
        with threadpool_limits(threads):
            found |= {layer.id: _all_pairs(bundle, layer, maps[layer.module], progress) for layer in layers}
    return found


def _run(bundle: Bundle, network: Model, layers: Sequence[Layer], images: Sequence[ImageFile], threads: int, progress: Progress) -> dict[str, list[np.ndarray]]:
    """{module: features of every image, float32 (patches, channels)}, without their mean where a layer was stored so."""
    network.prepare([layer.module for layer in layers])
    # A JPEG was decoded smaller only as far as its copy allowed; where one was, the longest copy is as long as was asked for.
    display = max(max(image.width, image.height) for image in bundle.manifest.originals)
    fit = Fit(bundle.manifest.fit, bundle.manifest.size, network.multiple, network.fixed_size, display)
    maps: dict[str, list[np.ndarray]] = {layer.module: [] for layer in layers}
    with progress("Running the network", len(images)) as advance:
        for features in extract(images, network, fit, lambda index, shown, features: features, threads=threads):
            for module, values in features.items():
                maps[module].append(values.reshape(-1, values.shape[-1]))
            advance()
    network.release()
    for module in {layer.module for layer in layers if layer.centered}:
        mean = mean_feature(maps[module][i] for i, image in enumerate(bundle.images) if image.version is None)
        maps[module] = [values - mean for values in maps[module]]
    return maps


def _needs_file(stated: Network) -> bool:
    """Whether it was made with a file, or with code: a bundle from somewhere else must not say what is run here."""
    published = stated.weights.isupper() and stated.weights.isidentifier()
    return stated.source.lower().endswith(".onnx") or is_code(stated.source) or not (published or stated.weights in ("", RANDOM))


def _options(networks: Sequence[Network]) -> str:
    """The options that give these networks, in their order."""
    labels = [f"{one.id}=" if len(networks) > 1 else "" for one in networks]
    if len(networks) > 1 and len({one.source for one in networks}) == 1 and all(one.weights for one in networks):
        options = ["--model", networks[0].source, *(part for label, one in zip(labels, networks, strict=True) for part in ("--checkpoint", label + one.weights))]
    else:
        options = [part for label, one in zip(labels, networks, strict=True) for part in ("--model", label + one.source)]
        options += [part for one in networks if any(other.weights for other in networks) for part in ("--weights", one.weights or OWN)]
    return shlex.join(options)


def _open_network(
    stated: Network, given: NetworkRequest | None, size: Sequence[int] | None, prefix: int | None, threads: int, notify: Callable[[str], None] | None
) -> Model:
    """The network that the bundle was made with, with the same preprocessing and the same weights."""
    options = {"mean": stated.mean, "std": stated.std, "input_range": stated.input_range, "threads": threads, "notify": notify}
    options |= {"input_size": size or stated.input_size, "prefix_tokens": stated.prefix_tokens if prefix is None else prefix}
    network = open_model(given.spec if given else stated.source, weights=given.weights if given else stated.weights or None, **options)
    if network.weights_sha256 != stated.weights_sha256:
        of = ", ".join(filter(None, [stated.source, stated.weights]))
        raise ExportError(
            f"{network.source} has weights {network.weights_sha256[:12]}…, network '{stated.id}' of the site has {stated.weights_sha256[:12]}… ({of});"
            " pass that one with --model, --weights or --checkpoint, networks in their order"
        )
    return network


def _originals(bundle: Bundle, sources: Sequence[str | Path]) -> list[ImageFile]:
    """The file of every image of a bundle: of a version that of its original."""
    found, originals = {image.id: image for image in find_images(sources).images}, bundle.manifest.originals
    missing = [image.id for image in originals if image.id not in found]
    if missing:
        raise UsageError(f'no image "{missing[0]}" in {", ".join(map(str, sources))} ({len(missing)} of {len(originals)} missing); pass what was exported')
    series = {one.id: one for one in bundle.manifest.series}
    for one in series.values():
        check_series(one)
    return [version_file(found[image.version.of], series[image.version.series], image.version.step) if image.version else found[image.id] for image in bundle.images]


def _all_pairs(bundle: Bundle, layer: Layer, maps: list[np.ndarray], progress: Progress) -> SimilarityError:
    units = [unit(features) for features in maps]
    codes = [bundle.codes(image, layer).reshape(-1, layer.dims) for image in bundle.images]
    for image, features, stored in zip(bundle.images, units, codes, strict=True):
        if len(features) != len(stored):
            raise ExportError(f'image "{image.id}" has {len(features)} patches of {layer.id} now, {len(stored)} in the bundle; pass the images that were exported')
    meter = ErrorMeter()
    with progress(f"Comparing {layer.id}", len(units)) as advance:
        for i in range(len(units)):
            for j in range(i, len(units)):
                for rows, errors in _blocks(codes[i], codes[j], units[i], units[j]):
                    meter.add(errors if i < j else errors[np.arange(errors.shape[1])[None] > rows[:, None]])
            advance()
    return meter.result(sum(map(len, units)))


def _blocks(codes: np.ndarray, others: np.ndarray, units: np.ndarray, other_units: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(0, len(codes), _BLOCK):
        rows = slice(start, start + _BLOCK)
        yield np.arange(len(codes))[rows], similarity(codes[rows], others) - units[rows] @ other_units.T
