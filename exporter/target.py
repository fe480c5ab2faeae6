"""Where an export is written: refused early if anything could be lost, prepared beside the target, moved into place at the end."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from exporter.errors import ExportError, UsageError
from exporter.images import is_export

PAGE_SUFFIXES = (".html", ".htm")
GENERATOR_META = '<meta name="generator" content="overlay-export'
SITE_ENTRIES = {".nojekyll", "bundle.json", "features", "images", "index.html", "js", "style.css"}
_HEAD_BYTES = 4096


def is_page(output: Path) -> bool:
    """Whether an output path asks for a single-file page rather than a folder."""
    return output.suffix.lower() in PAGE_SUFFIXES


def check_target(output: Path, inputs: Sequence[Path], force: bool) -> None:
    """Raise UsageError unless `output` may be written: nothing there, an empty folder, or with `force` an earlier export."""
    path = output.resolve()
    _recover(path)
    if not path.exists():
        return
    if is_page(output):
        _check_page(path)
    elif not path.is_dir():
        raise UsageError(f"{output} is a file, expected a folder or a name ending in .html; choose another -o")
    else:
        _check_folder(path, inputs)
        if not any(path.iterdir()):
            return
    if not force:
        raise UsageError(f"{output} holds an earlier export; pass --force to replace it, or choose another -o")


def _check_page(path: Path) -> None:
    with_ours = path.is_file() and GENERATOR_META.encode() in path.read_bytes()[:_HEAD_BYTES]
    if not with_ours:
        raise UsageError(f"{path} exists and was not written by overlay-export; it is left as it is, choose another -o")


def _check_folder(path: Path, inputs: Sequence[Path]) -> None:
    here = Path.cwd().resolve()
    if path in (Path(path.anchor), Path.home().resolve()) or here.is_relative_to(path):
        raise UsageError(f"{path} is a root, a home or the working directory; an export replaces its whole folder, choose another -o")
    for source in inputs:
        if source.resolve().is_relative_to(path):
            raise UsageError(f"{path} holds the input {source}; an export replaces its whole folder, choose another -o")
    entries = {entry.name for entry in path.iterdir()}
    if entries and not is_export(path):
        raise UsageError(f"{path} is not empty and not an earlier export; it is left as it is, choose another -o")
    if foreign := sorted(entries - SITE_ENTRIES):
        raise UsageError(f"{path} holds files that an export did not write ({', '.join(foreign[:5])}); move them away or choose another -o")


@contextmanager
def staging(output: Path) -> Iterator[Path]:
    """An empty folder beside the target, on the same file system, gone afterwards whatever happens."""
    path = output.resolve()
    folder = path.parent / f".{path.name}.partial-{os.getpid()}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise ExportError(f"cannot create a folder in {path.parent} ({error.strerror}); choose another -o or mend its permissions") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(staged: Path, output: Path) -> None:
    """Move a finished folder or file to the target; a folder that stands there gives way only once the new one is complete."""
    path = output.resolve()
    if staged.is_file() or not path.exists():
        os.replace(staged, path)
        return
    old = path.parent / f".{path.name}.old-{os.getpid()}"
    os.replace(path, old)
    try:
        os.replace(staged, path)
    except OSError:
        os.replace(old, path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _recover(path: Path) -> None:
    """Put right what a killed run left: an old site that was moved aside comes back, half-written ones go."""
    for old in sorted(path.parent.glob(f".{_escape(path.name)}.old-*")):
        if not _running(old):
            if path.exists():
                shutil.rmtree(old, ignore_errors=True)
            else:
                os.replace(old, path)
    for partial in path.parent.glob(f".{_escape(path.name)}.partial-*"):
        if not _running(partial):
            shutil.rmtree(partial, ignore_errors=True)


def _escape(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _running(debris: Path) -> bool:
    """Whether the process that made this folder may still be at work."""
    pid = debris.name.rpartition("-")[2]
    if os.name != "posix" or not pid.isdigit():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return int(pid) != os.getpid()
