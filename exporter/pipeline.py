"""The whole way from images to a published site: the function behind `overlay-export`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

from exporter import page, site
from exporter.draft import Draft
from exporter.errors import ExportError, UsageError
from exporter.figures import choose_figures
from exporter.images import ImageFile, ImageSet, find_images
from exporter.manifest import Manifest
from exporter.marks import is_page
from exporter.models import DEFAULT_MODEL, Model, open_model
from exporter.parallel import usable_cores
from exporter.pixels import FITS, BadImage, Fit, check_all
from exporter.progress import Progress, silent
from exporter.target import check_target, publish, staging

DEFAULT_TITLE = "What a network finds similar"
DEFAULT_LAYERS = ("block3", "block4")
DEFAULT_FIGURES = ("gallery", "pair")


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
    layers: str | Sequence[str] = DEFAULT_LAYERS,
    model: str | Model = DEFAULT_MODEL,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    input_range: tuple[float, float] | None = None,
    size: int = 448,
    fit: str = "contain",
    title: str | None = None,
    figures: str | Sequence[str] = DEFAULT_FIGURES,
    batch_size: int = 1,
    threads: int | None = None,
    force: bool = False,
    skip_bad: bool = False,
    progress: Progress | None = None,
    notify: Callable[[str], None] | None = None,
) -> Report:
    """Run a network over images and write a site (a folder), or one HTML file where `output` ends in .html.

    images: folders and files. model: a name, a path to an .onnx file, or an opened `Model`; `mean`, `std`, `input_range` as for
    `open_model`. size: pixels of the longer side. fit: contain, stretch or crop. progress: see `exporter.progress`; notify(sentence) tells of long preparations.
    Raises UsageError for arguments that cannot be meant, ExportError for everything else; the target is then as it was.
    """
    inputs = [Path(image) for image in ([images] if isinstance(images, str | Path) else images)]
    output, threads, progress = Path(output), threads or usable_cores(), progress or silent
    _check_options(size, fit, batch_size, threads)
    chosen = choose_figures(_names(figures))
    found = find_images(inputs)
    check_target(output, inputs, force)
    network = model if isinstance(model, Model) else open_model(model, mean=mean, std=std, input_range=input_range, threads=threads, notify=notify)
    requested = network.resolve(_names(layers))
    good, bad = _sound_images(found, skip_bad, threads, progress)
    network.prepare([layer.info.module for layer in requested])
    with threadpool_limits(threads), staging(output) as folder:
        try:
            draft = Draft(folder, good, network, requested, Fit(fit, size, network.multiple, network.fixed_size))
            draft.extract(threads, batch_size, progress, page.MAX_FEATURE_BYTES if is_page(output) else None)
            content = draft.manifest(_writable(title or DEFAULT_TITLE), found.groups, [figure.name for figure in chosen])
            staged = site.write_site(folder, content)
            if is_page(output):
                staged = page.write_page(staged, content)
            written = _size(staged)
            publish(staged, output, inputs, force)
        except OSError as error:
            raise ExportError(f"cannot write {output} ({error.strerror or error}); free some space or mend its permissions, what was there is unchanged") from error
    warnings = (*found.warnings, *network.notes, *_fixed_size_note(network, size), *page.size_warnings(output, written))
    return Report(output, content, written, tuple(bad), warnings)


def _check_options(size: int, fit: str, batch_size: int, threads: int) -> None:
    if fit not in FITS:
        raise UsageError(f'fit is "{fit}", expected one of {", ".join(FITS)}')
    for name, value, least, most in (("size", size, 32, 4096), ("batch size", batch_size, 1, 1024), ("threads", threads, 1, 1024)):
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


def _fixed_size_note(network: Model, size: int) -> list[str]:
    if network.fixed_size is None:
        return []
    height, width = network.fixed_size
    return [f"{network.name} takes only images of {width} x {height} pixels: --size {size} was not used"]


def _names(given: str | Sequence[str]) -> list[str]:
    """One name, names between commas, or several."""
    return [name.strip() for name in given.split(",") if name.strip()] if isinstance(given, str) else list(given)


def _writable(text: str) -> str:
    """Without the stand-ins that a command line in another encoding than UTF-8 leaves in an argument."""
    return text.encode(errors="replace").decode()


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)
