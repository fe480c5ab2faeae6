"""The whole way from images to a published site: the function behind `overlay-export`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

from exporter import page, site
from exporter.display import FEW_IMAGES, default_size
from exporter.derived import Derivation
from exporter.draft import Coding, Draft, Job
from exporter.encodings import ENCODINGS
from exporter.errors import ExportError, UsageError
from exporter.factor_requests import DEFAULT_FACTORS, Wanted, find_sources, of_groups, wanted_factors
from exporter.figures import choose_figures
from exporter.images import ImageFile, ImageSet, find_images
from exporter.manifest import Manifest, Series
from exporter.marks import is_page
from exporter.masks import find_masks, with_masks
from exporter.models import CPU, DEFAULT_MODEL, Model
from exporter.networks import NetworkRequest, Opened, open_networks, requested_networks, several
from exporter.page_figures import default_figures, figure_notes
from exporter.parallel import usable_cores
from exporter.pixels import FITS, BadImage, Fit, check_all, network_size
from exporter.point_maps import DEFAULT_POINTS, METHODS, map_request
from exporter.progress import Progress, silent
from exporter.spool import has_parts
from exporter.target import check_target, publish, staging
from exporter.transforms import DEFAULT_FILL, DEFAULT_SPECS, parse_series
from exporter.versions import DEFAULT_COUNT, choose_images, versions_of

DEFAULT_TITLE = "What a network finds similar"
DEFAULT_MAX_ERROR = 0.01


@dataclass(frozen=True)
class Report:
    """What an export wrote. bytes: of everything written; skipped: bad images left out; warnings: sentences for the user."""

    output: Path
    manifest: Manifest
    bytes: int
    skipped: tuple[BadImage, ...]
    warnings: tuple[str, ...]


def export(
    images: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    layers: str | Sequence[str] | Sequence[Sequence[str]] | None = None,
    model: str | Path | Model | Sequence[str | Path | Model] = DEFAULT_MODEL,
    weights: str | Path | Sequence[str | Path] = (),
    checkpoints: str | Path | Sequence[str | Path] = (),
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    input_range: tuple[float, float] | None = None,
    input_size: int | Sequence[int] | None = None,
    prefix_tokens: int | None = None,
    device: str = CPU,
    center: bool = False,
    max_error: float = DEFAULT_MAX_ERROR,
    encoding: str | None = None,
    factors: str | int | Sequence[str | int] | None = None,
    factors_from: str | Sequence[str] = (),
    maps: str | Sequence[str] | None = None,
    map_points: int | None = None,
    masks: str | Path | None = None,
    size: int = 448,
    fit: str = "contain",
    display_size: int | None = None,
    title: str | None = None,
    figures: str | Sequence[str] | None = None,
    transforms: str | Sequence[str] | None = None,
    transform_images: str | Sequence[str] | None = None,
    fill: str | None = None,
    batch_size: int = 1,
    threads: int | None = None,
    force: bool = False,
    resume: bool = False,
    skip_bad: bool = False,
    progress: Progress | None = None,
    notify: Callable[[str], None] | None = None,
) -> Report:
    """Run networks over images and write a site (a folder), or one HTML file where `output` ends in .html.

    images: folders and files. model: one network or several, each a spec as for `open_model`, `NAME=SPEC`, or an opened `Model`; weights: as for
    `open_model`, one for all or one for each; checkpoints: weights of the one model, each a network. mean to device: as for `open_model`, for all.
    layers: names, aliases and globs for all networks, or a list of them for each; None: block3 and block4. center: subtract every layer's mean
    feature. max_error: of all ways to store a layer that keep similarities this exact, the one of fewest bytes is taken; encoding: one of
    `ENCODINGS`, the only one to consider. factors: counts of non-negative factors to find of every layer, each with `:GROUP` for the images of a group or
    `:each` for a set for each; None: those that the figure `factors` needs; factors_from: modules to factorise in place of the layers of the same grid, `+` behind one for its positive part.
    maps: `pca`, `tsne` or both, points in the plane for every layer; None: those that the figure `map` needs; map_points: patches on them at most.
    masks: a folder of PNGs named like the images, their foreground, for the figure `segment`. size: pixels of the longer side. fit: contain, stretch or crop.
    display_size: pixels of the longer side of what is published of an image; None: 800, or 448 for more than 60 images. figures: names; None: those that have something to show.
    transforms: specs of the series that images are published under too, see `exporter.transforms`; None: those that the figure `transforms` needs.
    transform_images: ids or globs of these images; None: the first 6. fill: what stands where one was moved away; None: grey.
    resume: go on from what an export to this target finished before it was ended. progress: see `exporter.progress`; notify(sentence) tells of long
    preparations and of what is resumed.
    Raises UsageError for arguments that cannot be meant, ExportError for everything else; the target is then as it was.
    """
    inputs = [Path(image) for image in several(images)]
    output, threads, progress = Path(output), threads or usable_cores(), progress or silent
    _check_options(size, fit, display_size, batch_size, threads, max_error, encoding)
    chosen = None if figures is None else choose_figures(_names(figures))
    series = _series(transforms, transform_images, fill, [figure.name for figure in chosen or ()])
    derived = _derived(maps, map_points, [figure.name for figure in chosen or ()])
    factor_sets = _wanted(factors, _names(factors_from), [] if chosen is None else [figure.name for figure in chosen])
    requests = _requests(several(model), several(weights), several(checkpoints))
    found = find_images(inputs, besides=masks)
    chosen_images = None if transform_images is None else choose_images(found.images, _names(transform_images))
    masked = None if masks is None else find_masks(masks, found.images)
    kept = [*inputs, *([] if masks is None else [Path(masks)])]
    check_target(output, kept, force, resume)
    options = {"mean": mean, "std": std, "input_range": input_range, "input_size": input_size, "prefix_tokens": prefix_tokens, "device": device}
    networks = open_networks(requests, _layers(layers), notify, threads=threads, **options)
    shown = display_size or default_size(len(found.images))
    sources = find_sources(networks, _names(factors_from), factor_sets) if factor_sets else [{} for _ in networks]
    jobs = [Job(network, Fit(fit, size, network.model.multiple, network.model.fixed_size, shown), source) for network, source in zip(networks, sources, strict=True)]
    _check_shapes(jobs)
    good, bad = _sound_images(found, skip_bad, threads, progress)
    transformed = _transformed(good, chosen_images) if series else []
    # Threads are this package's own: those of BLAS wait by spinning, which costs seconds on a busy machine.
    coding = Coding(max_error, encoding, center, of_groups(factor_sets, [image.group for image in good]), derived)
    tell = notify or (lambda sentence: None)
    with threadpool_limits(1), staging(output, resume, has_parts) as folder:
        try:
            # A page loads as a whole: there a second copy would only add to what is waited for.
            draft = Draft(folder, [*good, *versions_of(good, transformed, series)], jobs, thumbnails=len(found.images) > FEW_IMAGES and not is_page(output))
            for sentence in draft.take_over(coding) if resume else ():
                tell(sentence)
            draft.extract(threads, batch_size, progress, encoding, page.MAX_FEATURE_BYTES if is_page(output) else None)
            draft.encode(coding, threads, progress)
            names = [figure.name for figure in chosen] if chosen else default_figures(networks, good, factors=bool(factor_sets), transforms=bool(series), map=derived.maps is not None, segment=masked is not None)
            content = draft.manifest(_writable(title or DEFAULT_TITLE), found.groups, names, series, threads)
            content = with_masks(draft.site, content, good, masked.paths, jobs[0].fit) if masked else content
            staged = site.write_site(draft.site, content)
            if is_page(output):
                staged = page.write_page(staged, content)
            sizes = site.file_sizes(staged)
            publish(staged, output, kept, force)
        except OSError as error:
            raise ExportError(f"cannot write {output} ({error.strerror or error}); free some space or mend its permissions, what was there is unchanged") from error
    notes = dict.fromkeys([*(note for network in networks for note in network.model.notes), *_fixed_size_notes(networks, size, input_size)])
    told = figure_notes(content, [image.id for image in transformed] if chosen_images is None else [])
    return Report(output, content, sum(sizes.values()), tuple(bad), (*found.warnings, *(masked.warnings if masked else ()), *notes, *told, *draft.warnings, *site.size_warnings(output, sizes)))


def _wanted(factors: str | int | Sequence[str | int] | None, sources: Sequence[str], figures: Sequence[str]) -> tuple[Wanted, ...]:
    """The sets of factors that are asked for; some where only their figure is."""
    if factors is None and "factors" not in figures:
        if sources:
            raise UsageError(f"--factors-from {sources[0]} without --factors: nothing is factorised; pass --factors too, how many to find")
        return ()
    return wanted_factors(DEFAULT_FACTORS if factors is None else factors)


def _derived(maps: str | Sequence[str] | None, points: int | None, figures: Sequence[str]) -> Derivation:
    """What else is made of every layer: what is asked for, and what the figures need."""
    if maps is None and "map" not in figures and points is not None:
        raise UsageError(f"--map-points {points} without a map: no points are drawn; pass --map too, such as {','.join(METHODS)}")
    wanted = None if maps is None and "map" not in figures else map_request(_names(METHODS if maps is None else maps), DEFAULT_POINTS if points is None else points)
    return Derivation(wanted, "pca" in figures, "channels" in figures)


def _series(transforms: str | Sequence[str] | None, images: str | Sequence[str] | None, fill: str | None, figures: Sequence[str]) -> tuple[Series, ...]:
    """The series that are asked for: those of the figure `transforms` where only that is."""
    if transforms is None and "transforms" not in figures:
        if images is not None or fill is not None:
            raise UsageError(f"{'--fill' if images is None else '--transform-images'} is given, but no transformation; name some with --transforms, such as {','.join(DEFAULT_SPECS)}")
        return ()
    return parse_series(DEFAULT_SPECS if transforms is None else _names(transforms), DEFAULT_FILL if fill is None else fill)


def _transformed(good: Sequence[ImageFile], wanted: Sequence[ImageFile] | None) -> list[ImageFile]:
    """The images that have versions, of those that can be used."""
    if wanted is None:
        return list(good[:DEFAULT_COUNT])
    found = [image for image in wanted if image in good]
    if not found:
        raise ExportError(f"none of the images to be transformed can be used ({', '.join(image.id for image in wanted[:8])}); mend them, or name others with --transform-images")
    return found


def _requests(models: Sequence[str | Model], weights: Sequence[str], checkpoints: Sequence[str]) -> Sequence[NetworkRequest | Model]:
    if any(isinstance(one, Model) for one in models):
        if weights or checkpoints or not all(isinstance(one, Model) for one in models):
            raise UsageError("an opened Model goes with other opened ones only, and with no weights or checkpoints; pass specs instead")
        return models
    return requested_networks(models, weights, checkpoints)


def _layers(given: str | Sequence[str] | Sequence[Sequence[str]] | None) -> list[list[str]] | None:
    """One list of names for each network, or one for all."""
    if given is None or isinstance(given, str) or not given or isinstance(given[0], str):
        return None if given is None else [_names(given)]
    return [list(names) for names in given]


def _check_shapes(jobs: Sequence[Job]) -> None:
    """A crop must be the same for all networks, since the images are published once."""
    if jobs[0].fit.mode != "crop":
        return
    shapes = [network_size(job.fit, 1, 1) for job in jobs]
    other = next((i for i, (height, width) in enumerate(shapes) if height * shapes[0][1] != width * shapes[0][0]), None)
    if other is not None:
        raise UsageError(f"--fit crop cuts another shape for {jobs[other].network.label} than for {jobs[0].network.label}: expected networks of one input shape; use --fit stretch.")


def _check_options(size: int, fit: str, display_size: int | None, batch_size: int, threads: int, max_error: float, encoding: str | None) -> None:
    if not 0 < max_error <= 1:
        raise UsageError(f"--max-error is {max_error:g}, expected more than 0 and at most 1")
    if encoding not in (None, *ENCODINGS):
        raise UsageError(f'--encoding is "{encoding}", expected one of {", ".join(ENCODINGS)}')
    if fit not in FITS:
        raise UsageError(f'fit is "{fit}", expected one of {", ".join(FITS)}')
    limits = [("size", size, 32, 4096), ("batch size", batch_size, 1, 1024), ("threads", threads, 1, 1024)]
    limits += [] if display_size is None else [("display size", display_size, 64, 4096)]
    for name, value, least, most in limits:
        if not least <= value <= most:
            raise UsageError(f"{name} is {value}, expected {least} to {most}")


def _sound_images(found: ImageSet, skip_bad: bool, threads: int, progress: Progress) -> tuple[list[ImageFile], tuple[BadImage, ...]]:
    """Decode everything once, cheaply, before any work; bad images stop the run unless they may be skipped."""
    total = len(found.images)
    with progress("Checking images", total) as advance:
        bad = check_all([image.path for image in found.images], threads, advance)
    if bad and not skip_bad:
        more = f"\nand {len(bad) - 10} more" if len(bad) > 10 else ""
        listed = "\n".join(str(one) for one in bad[:10])
        raise ExportError(f"{listed}{more}\n{len(bad)} of {total} images cannot be used; mend or remove them, or pass --skip-bad to go on without them")
    broken = {one.path for one in bad}
    good = [image for image in found.images if image.path not in broken]
    if not good:
        raise ExportError(f"none of the {total} images can be used; the first: {bad[0]}")
    return good, tuple(bad)


def _fixed_size_notes(networks: Sequence[Opened], size: int, wanted: object) -> list[str]:
    """What the user did not ask for: that a network takes one size only. wanted: the one size that was asked for, if any."""
    fixed = {} if wanted else {network.model.source: network.model.fixed_size for network in networks if network.model.fixed_size}
    return [f"{source} takes only images of {height} x {width} pixels (height x width): they were brought to that shape, --size {size} was not used" for source, (height, width) in fixed.items()]


def _names(given: str | Sequence[str]) -> list[str]:
    """One name, names between commas, or several."""
    return [name.strip() for name in given.split(",") if name.strip()] if isinstance(given, str) else list(given)


def _writable(text: str) -> str:
    """Without the stand-ins that a command line in another encoding than UTF-8 leaves in an argument."""
    return text.encode(errors="replace").decode()
