"""The commands: parse, call, print. Nothing else knows click."""

import functools
import itertools
import signal
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from exporter import __version__
from exporter.errors import ExportError, UsageError


def _command(function: Callable[..., None]) -> Callable[..., None]:
    """Turn our errors into one message on stderr and an exit code, and a termination into a clean end."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        try:
            function(*args, **kwargs)
        except ExportError as error:
            click.echo(". ".join([f"Error: {error}", *_notes(error)]), err=True)
            sys.exit(error.exit_code)
        except (KeyboardInterrupt, SystemExit) as ended:
            for note in _notes(ended):
                click.echo(note, err=True)
            raise
        except BrokenPipeError:
            raise  # `| head` has enough; click ends quietly
        except OSError as error:
            click.echo(f"Error: {error.filename or 'a file'}: {error.strerror or error}; check that it can be read and written", err=True)
            sys.exit(1)

    return run


def _notes(error: BaseException) -> list[str]:
    """What an export has to say about what it leaves when it ends early."""
    return getattr(error, "__notes__", [])


class _Numbers(click.ParamType):
    """Numbers between commas, one of the given counts of them."""

    name = "numbers"

    def __init__(self, *counts: int, kind: type = float) -> None:
        self.counts, self.kind = counts, kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple:
        try:
            numbers = tuple(self.kind(part) for part in value.split(","))
        except ValueError:
            numbers = ()
        if len(numbers) not in self.counts:
            self.fail(f"{value!r} is not {' or '.join(map(str, self.counts))} {'whole ' if self.kind is int else ''}numbers between commas", param, ctx)
        return numbers


def _options(*options: Callable[..., Any]) -> Callable[..., Any]:
    """Several options as one decorator, in the order of the help."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


_SPEC = "[NAME=]SPEC"
_network = _options(
    click.option("--model", "model", multiple=True, metavar=_SPEC, help="The network: efficientnet-lite0 (the default), a name of torchvision such as resnet50, timm:NAME, FILE.onnx, or own code as module:function or file.py:function. overlay-export takes several."),
    click.option("--weights", multiple=True, metavar="FILE|random|own", help="A state dict (.pt, .pth, .safetensors), 'random', or the name of a set that torchvision publishes; with several networks once for all, or once for each, 'own' for what it comes with."),
    click.option("--input-size", type=_Numbers(1, 2, kind=int), metavar="N[,N]", help="Give every image at this size only, height and width in pixels."),
    click.option("--prefix-tokens", type=click.IntRange(0), metavar="N", help="Class and register tokens before those of the patches, where that is not clear from their number."),
)
_checkpoint = click.option("--checkpoint", "checkpoints", multiple=True, metavar="[NAME=]FILE", help="Weights of the one --model; repeated, each is a network: one architecture over training.")
_preprocessing = _options(
    click.option("--mean", type=_Numbers(1, 3), metavar="N[,N,N]", help="Subtracted from the input, one number or one each for red, green, blue, in units of --input-range."),
    click.option("--std", type=_Numbers(1, 3), metavar="N[,N,N]", help="The input is divided by it, in units of --input-range."),
    click.option("--input-range", type=_Numbers(2), metavar="LOW,HIGH", help="What black and white become before --mean and --std. Given alone, pixels arrive in just this range; ONNX files and own code get 0,1 and the ImageNet mean and std unless told otherwise."),
)
_device = click.option("--device", type=click.Choice(["cpu", "cuda", "mps", "auto"]), default="cpu", show_default=True, help="Where networks run: ONNX Runtime on the CPU, torch on an accelerator.")


@contextmanager
def _progress_bar(label: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar with the steps done, the time left, and the rate so far."""
    start, done = time.monotonic(), itertools.count(1)
    with click.progressbar(length=total, label=label.ljust(20), file=sys.stderr, show_pos=True, item_show_func=lambda rate: rate) as bar:
        yield lambda: bar.update(1, f"{next(done) / max(time.monotonic() - start, 1e-3):.1f}/s")


def _telling(quiet: bool, resume: bool = False) -> dict[str, Any]:
    """Progress and notices on a terminal, nothing in a pipe, but for what is resumed."""
    bar = {"progress": _progress_bar} if sys.stderr.isatty() else {}
    return {} if quiet or not (bar or resume) else {**bar, "notify": lambda text: click.echo(text, err=True)}


_threads = click.option("--threads", type=click.IntRange(1, 1024), metavar="N", help="Processor cores to use; all of them unless told otherwise.")
_quiet = click.option("--quiet", is_flag=True, help="Print nothing but errors and warnings.")
_version = click.version_option(__version__, package_name="overlay-export")
_context = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.command(context_settings=_context)
@click.argument("images", nargs=-1, required=True, metavar="IMAGES...")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="SITE", help="A folder, or a name ending in .html for one file that holds everything.")
@click.option("--layers", multiple=True, metavar="NAMES", help="Layers between commas: names, aliases or globs; see overlay-layers. Repeated: one for each network in order.  [default: block3,block4]")
@_network
@_checkpoint
@_preprocessing
@_device
@click.option("--center", is_flag=True, help="Subtract the layer's mean feature over all patches before normalising.")
@click.option("--max-error", type=click.FloatRange(0, 1, min_open=True), default=0.01, show_default=True, metavar="E", help="Of all ways to store a layer that keep its similarities this exact, measured on a sample of pairs, take the one of fewest bytes.")
@click.option("--encoding", type=click.Choice(["int8", "int8-deflate", "int4", "int4-deflate"]), help="Consider only this encoding.  [default: the one of fewest bytes]")
@click.option("--factors", metavar="COUNTS", help="Find so many non-negative factors of every layer: 4, or several counts between commas; 4:GROUP of the images of one group, 4:each for every group.")
@click.option("--factors-from", "factors_from", multiple=True, metavar="MODULES", help="Factorise these modules in place of the layers of the same grid; + behind one: its positive part.")
@click.option("--map", "maps", metavar="METHODS", help="Place the patches and the images of every layer in the plane, by pca, tsne or both between commas.")
@click.option("--map-points", type=int, metavar="N", help="Place at most so many patches, evenly sampled.  [default: 3000]")
@click.option("--masks", type=click.Path(path_type=Path), metavar="DIR", help="PNGs named like the images, bright where the foreground is: the figure segment begins with them, and measures against them.")
@click.option("--size", type=click.IntRange(32, 4096), default=448, show_default=True, metavar="PIXELS", help="The longer side of an image as the network sees it.")
@click.option("--fit", type=click.Choice(["contain", "stretch", "crop"]), default="contain", show_default=True, help="Keep an image's shape, stretch it to a square, or crop a square out of its middle.")
@click.option("--display-size", type=click.IntRange(64, 4096), metavar="PIXELS", help="The longer side of an image as it is published, never more than the original has.  [default: 800; 448 for more than 60 images]")
@click.option("--title", metavar="TEXT", help="The page's heading.")
@click.option("--figures", metavar="NAMES", help="Figures of the page, in order, between commas.  [default: gallery, pair; classes where an image is marked; layers where there are several, first with several networks; factors with --factors; transforms with --transforms; map with --map; segment with --masks]")
@click.option("--transforms", metavar="SPECS", help="Series of transformations between commas, such as rotate,scale:4@0.3x0.6,blur:0/1/2: chosen images are published under each step too.")
@click.option("--transform-images", metavar="IDS", help="Ids or globs, between commas, of the images to be transformed.  [default: the first 6]")
@click.option("--fill", type=click.Choice(["grey", "black", "white", "mean", "edge", "reflect"]), help="What stands where a transformation moved an image away.  [default: grey]")
@click.option("--batch-size", type=click.IntRange(1, 1024), default=1, show_default=True, metavar="N", help="Images that run through the network together; 1 is fastest on a CPU.")
@_threads
@click.option("--skip-bad", is_flag=True, help="Go on without images that do not decode, and list them at the end.")
@click.option("--force", is_flag=True, help="Replace an earlier export at SITE.")
@click.option("--resume", is_flag=True, help="Go on from where an export to SITE was ended; whatever has changed since is computed again.")
@click.option("-v", "--verbose", is_flag=True, help="Print for each layer which codes were tried.")
@_quiet
@_version
@_command
def export_command(images: tuple[str, ...], output: Path, layers: tuple[str, ...], model: tuple[str, ...], verbose: bool, quiet: bool, resume: bool, factors_from: tuple[str, ...], **options: Any) -> None:
    """Write a page that shows what a network finds similar in IMAGES.

    IMAGES are folders and files; folders are searched with all their sub-folders, which become groups.
    """
    from exporter.pipeline import export

    names = [[name.strip() for name in one.split(",") if name.strip()] for one in layers]
    sources = [name.strip() for one in factors_from for name in one.split(",") if name.strip()]
    report = export(images, output, layers=names or None, model=model, resume=resume, factors_from=sources, **options, **_telling(quiet, resume))
    for warning in report.warnings:
        click.echo(f"Warning: {warning}", err=True)
    for bad in report.skipped:
        click.echo(f"Skipped: {bad}", err=True)
    if not quiet:
        click.echo("\n".join(_summary(report, verbose)))


def _summary(report: Any, verbose: bool) -> Iterator[str]:
    from exporter.site import content_bytes, grid_summary, image_summary, megabytes, network_summary

    manifest = report.manifest
    yield f"{report.output}: {image_summary(manifest)}, {network_summary(manifest)}"
    for layer in manifest.layers:
        size, error = sum(shard.bytes for shard in layer.shards), layer.error
        dims = f" in {layer.dims} dims" if layer.dims < layer.channels else ""
        yield f"  {layer.id}: grid {grid_summary(layer)}, {layer.channels} channels{dims}, {megabytes(size)} {layer.encoding}"
        yield f"    similarity error at most {error.max:.4f}, rms {error.rms:.5f} ({error.pairs:,} pairs of {error.patches:,} sampled patches)"
        yield from _tried(layer) if verbose else ()
        yield from (_factors(one, layer) for one in manifest.factors if one.layer == layer.id)
    parts = ", ".join(f"{kind} {megabytes(count)}" for kind, count in content_bytes(manifest).items())
    yield f"  {megabytes(report.bytes)} in all, of it {parts}"
    if report.output.is_file():
        yield f"Open it: double-click {report.output}"
    else:
        yield f"Open it: overlay-serve {report.output} --open"


def _factors(one: Any, layer: Any) -> str:
    """A set of factors of a layer, and of which images and whose features where that is not plain."""
    from exporter.site import megabytes

    group = "" if one.group is None else f' of group "{one.group}"'
    module = f" of {one.module}" if one.module != layer.module else ""
    parts = {"whole": "", "positive": ", positive part", "split": ", positive and negative parts"}[one.parts]
    return f"    {one.count} factor{'s'[: one.count > 1]}{group}{module}{parts}: reconstruction error {one.error:.3f} on {one.patches:,} patches, {megabytes(one.bytes)}"


def _tried(layer: Any) -> Iterator[str]:
    """What a layer's codes were chosen from; bytes as a server sends them."""
    from exporter.site import megabytes

    yield f"    tried for an error of at most {layer.max_error:g}:"
    for one in layer.tried:
        taken = ", taken" if (one.encoding, one.integers, one.dims) == (layer.encoding, layer.integers, layer.dims) else ""
        yield f"      {one.integers} as {one.encoding}, {one.dims} dims: about {megabytes(one.bytes)}, error at most {one.max:.4f}, rms {one.rms:.5f} ({one.patches:,} patches){taken}"


@click.command(context_settings=_context)
@_network
@click.option("--size", type=click.IntRange(32, 4096), default=448, show_default=True, metavar="PIXELS", help="Side of the square image that grids are given for.")
@_version
@_command
def layers_command(model: tuple[str, ...], weights: tuple[str, ...], input_size: tuple[int, ...] | None, prefix_tokens: int | None, size: int) -> None:
    """List the layers of a network: name, alias, stride, grid, channels, sign.

    Any name or alias can be given to overlay-export --layers.
    """
    from exporter.models import open_model
    from exporter.networks import requested_networks

    wanted = requested_networks(model, weights)
    if len(wanted) > 1:
        raise UsageError(f"--model is given {len(wanted)} times: expected one network to list; run overlay-layers once for each")
    network = open_model(wanted[0].spec, weights=wanted[0].weights, input_size=input_size, prefix_tokens=prefix_tokens, notify=_telling(False).get("notify"))
    for note in network.notes:
        click.echo(f"Warning: {note}", err=True)
    side = network.fixed_size or (-(-size // network.multiple) * network.multiple,) * 2
    rows = [("name", "alias", "stride", f"grid at {side[1]}x{side[0]}", "channels", "values")]
    for layer in network.layers():
        grid = "{} x {}".format(*layer.grid(*side))
        rows.append((layer.module, " ".join(layer.aliases), str(layer.stride), grid, str(layer.channels), "signed" if layer.signed else "not negative"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for name, reason in network.unavailable:
        click.echo(f"{name}: not available, {reason}")


@click.command(context_settings=_context)
@click.argument("site", type=click.Path(path_type=Path))
@click.option("--images", multiple=True, metavar="PATH", help="The folder or file that was exported (may be repeated): run the network again and report the true similarity error over all pairs of patches.")
@_network
@_checkpoint
@_threads
@_quiet
@_version
@_command
def verify_command(site: Path, images: tuple[str, ...], threads: int | None, quiet: bool, **network: Any) -> None:
    """Check every file of SITE against its bundle.json, and with --images its similarities against the network.

    SITE is a folder, its bundle.json or a single-file page. Networks that were made with files, or with own code, are given again as they were to overlay-export.
    """
    from exporter.bundle import load_bundle
    from exporter.site import image_summary, megabytes
    from exporter.verify import measure_error, verify_files

    telling = _telling(quiet)
    progress = {key: value for key, value in telling.items() if key == "progress"}
    say = (lambda text: None) if quiet else click.echo
    bundle = load_bundle(site)
    checked = verify_files(bundle, **progress)
    factors = f", {checked.factors} set{'s'[: checked.factors > 1]} of factors" if checked.factors else ""
    tables = f", {checked.tables} table{'s'[: checked.tables > 1]}" if checked.tables else ""
    say(f"{site}: {checked.shards} shards{factors}{tables} and {image_summary(bundle.manifest)} are whole, {megabytes(checked.bytes)}")
    if images:
        for id, error in measure_error(bundle, images, **network, threads=threads, **telling).items():
            say(f"  {id}: similarity error at most {error.max:.4f}, rms {error.rms:.5f} (all {error.pairs:,} pairs of {error.patches:,} patches)")


@click.command(context_settings=_context)
@click.argument("site", type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="8000, or a free one where that is taken, unless told otherwise.")
@click.option("--open", "open_browser", is_flag=True, help="Open the page in the browser.")
@_version
@_command
def serve_command(site: Path, port: int | None, open_browser: bool) -> None:
    """Show SITE, a folder or a single-file page, at a local address until Ctrl+C."""
    from exporter.serve import make_server

    if not site.exists():
        raise UsageError(f"no such file or folder: {site}; expected a site that overlay-export wrote")
    server, address = make_server(site, port)
    click.echo(f"{site} is at {address} (Ctrl+C ends it)")
    if open_browser:
        webbrowser.open(address)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
