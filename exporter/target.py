"""Where an export is written: refused early if anything could be lost, prepared beside the target, moved into place at the end."""

import os
import secrets
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from exporter.errors import ExportError, UsageError
from exporter.marks import foreign_files, is_export, is_exported_page, is_page

# The names of what this process has put beside targets: one of its own number that is not among them is of an earlier process. Containers begin at 1 each time.
_own_names: set[str] = set()
# In place of the process: a folder that was kept for a later run.
_KEPT = "kept"


def check_target(output: Path, inputs: Sequence[Path], force: bool, resume: bool = False) -> None:
    """Raise UsageError unless `output` may be written: nothing there, an empty folder, or with `force` an earlier export.

    What ended runs left beside it is removed then, unless one of them is to be resumed.
    """
    path = output.resolve()
    _restore(path)
    if path.exists() and not _is_free(output, path, inputs) and not force:
        raise UsageError(f"{output} holds an earlier export; pass --force to replace it, or choose another -o")
    if not resume:
        _sweep(path)


def _is_free(output: Path, path: Path, inputs: Sequence[Path]) -> bool:
    """Whether nothing stands at the target; raises UsageError where something does that an export did not write."""
    if is_page(output):
        if not is_exported_page(path):
            raise UsageError(f"{path} exists and was not written by overlay-export; it is left as it is, choose another -o")
        return False
    if not path.is_dir():
        raise UsageError(f"{output} is a file, expected a folder or a name ending in .html; choose another -o")
    _check_folder(path, inputs)
    return not any(path.iterdir())


def _check_folder(path: Path, inputs: Sequence[Path]) -> None:
    here = Path.cwd().resolve()
    if path in (Path(path.anchor), Path.home().resolve()) or here.is_relative_to(path):
        raise UsageError(f"{path} is a root, a home or the working directory; an export replaces its whole folder, choose another -o")
    for source in inputs:
        if source.resolve().is_relative_to(path):
            raise UsageError(f"{path} holds the input {source}; an export replaces its whole folder, choose another -o")
    if any(path.iterdir()) and not is_export(path):
        raise UsageError(f"{path} is not empty and not an earlier export; it is left as it is, choose another -o")
    if foreign := foreign_files(path):
        more = f" and {len(foreign) - 5} more" if len(foreign) > 5 else ""
        raise UsageError(f"{path} holds files that an export did not write ({', '.join(foreign[:5])}{more}); move them away or choose another -o")


@contextmanager
def staging(output: Path, resume: bool = False, worth_keeping: Callable[[Path], bool] = lambda folder: False) -> Iterator[Path]:
    """A folder beside the target, on the same file system: an empty one, or with `resume` that of the last run that ended midway, if it is worth keeping.

    It is gone afterwards, unless the run ended midway, whatever the reason, and the folder is worth keeping.
    """
    path = output.resolve()
    folder = _beside(path, "partial", str(os.getpid()))
    try:
        if not (resume and _adopt(path, folder, worth_keeping)):
            folder.mkdir(parents=True)
    except OSError as error:
        raise ExportError(f"cannot create a folder in {folder.parent} ({error.strerror}); choose another -o or mend its permissions") from None
    try:
        yield folder
    except BaseException as error:  # Ctrl+C and a termination too
        if worth_keeping(folder):
            os.replace(folder, _beside(path, "partial", _KEPT))
            error.add_note(f"What is finished is kept: --resume goes on from there, without it the next run to {output} removes it.")
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _adopt(path: Path, folder: Path, worth_keeping: Callable[[Path], bool]) -> bool:
    """Make the newest folder of an ended run this run's own, of those that no other run takes first."""
    for found in sorted(filter(worth_keeping, _abandoned(path, "partial")), key=_changed, reverse=True):
        with suppress(FileNotFoundError):
            os.replace(found, folder)
            return True
    return False


def _changed(folder: Path) -> float:
    """When a folder last changed, in seconds; 0 where it is gone."""
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return 0


def publish(staged: Path, output: Path, inputs: Sequence[Path], force: bool) -> None:
    """Move a finished folder or file to the target; a folder that stands there gives way only once the new one is complete.

    The target is checked once more, for what may have appeared there during the run.
    """
    check_target(output, inputs, force)
    path = output.resolve()
    if staged.is_file() or not path.exists():
        os.replace(staged, path)
        return
    old = _beside(path, "old", str(os.getpid()))
    try:
        os.replace(path, old)
        os.replace(staged, path)
    except BaseException:  # Ctrl+C and a termination too
        if old.exists() and not path.exists():
            os.replace(old, path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _beside(path: Path, purpose: str, owner: str) -> Path:
    """A hidden folder beside the target that names its purpose, this machine and its process, under a name that no other run has."""
    name = f".{path.name}.overlay-export-{purpose}-{socket.gethostname()}-{secrets.token_hex(8)}-{owner}"
    _own_names.add(name)
    return path.parent / name


def _abandoned(path: Path, purpose: str) -> list[Path]:
    """Such folders of processes on this machine that have ended, or that let go of them."""
    pattern = "".join(f"[{c}]" if c in "*?[" else c for c in f".{path.name}.overlay-export-{purpose}-{socket.gethostname()}-")
    return sorted(folder for folder in path.parent.glob(f"{pattern}*") if not _running(folder.name))


def _running(name: str) -> bool:
    """Whether the process that a folder's name tells may still be at work; without a way to ask, it may."""
    pid = name.rpartition("-")[2]
    if pid == str(os.getpid()):
        return name in _own_names
    if os.name != "posix" or not pid.isdigit():
        return pid != _KEPT
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def _restore(path: Path) -> None:
    """A run that was killed between two renames left the old site moved aside: put it back."""
    for old in _abandoned(path, "old"):
        if not path.exists():
            os.replace(old, path)


def _sweep(path: Path) -> None:
    """Remove what killed runs left beside a target that may be written."""
    for folder in (*_abandoned(path, "old"), *_abandoned(path, "partial")):
        shutil.rmtree(folder, ignore_errors=True)
