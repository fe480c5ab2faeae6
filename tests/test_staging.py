"""The folder in which an export is prepared: whatever ends a run, what is worth keeping stays, and exactly one later run goes on with it."""

import os
import shutil
import subprocess
import sys

import pytest

from exporter import target
from exporter.errors import ExportError, ModelError, UsageError
from exporter.pixels import BadImage
from tests.conftest import dead_process, debris


def is_worth_keeping(folder):
    return (folder / "part").exists()


def staging(path, resume=False):
    return target.staging(path, resume, is_worth_keeping)


def end(path, error=None, resume=False):
    """A run that finishes a part and ends; the exception."""
    error = error or KeyboardInterrupt()
    with pytest.raises(type(error)) as ended, staging(path, resume) as folder:
        (folder / "part").touch()
        raise error
    return ended.value


def left(tmp_path):
    return [path for path in tmp_path.iterdir() if path.name.startswith(".site.")]


ERRORS = [KeyboardInterrupt(), SystemExit(1), ModelError("not finite"), BadImage("a.jpg", "truncated"), UsageError("site is not empty"), MemoryError(), ValueError()]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_whatever_ends_a_run_what_is_finished_stays(tmp_path, error):
    end(tmp_path / "site", error)
    (kept,) = left(tmp_path)
    assert error.__notes__ == [f"What is finished is kept: --resume goes on from there, without it the next run to {tmp_path / 'site'} removes it."]
    assert end(tmp_path / "site", resume=True).__notes__ == error.__notes__
    assert len(left(tmp_path)) == 1 and not kept.exists(), "what was taken over is kept again"


def test_an_error_before_anything_is_finished_leaves_nothing(tmp_path):
    with pytest.raises(ModelError) as ended, staging(tmp_path / "site"):
        raise ModelError("not finite")
    assert not hasattr(ended.value, "__notes__") and left(tmp_path) == []


def test_what_a_process_of_the_same_number_left_is_taken_over(tmp_path):
    """In a container every run may have number 1."""
    for token in ("0", "1"):
        (tmp_path / debris("site", "partial", os.getpid(), token)).mkdir()
    (tmp_path / debris("site", "partial", os.getpid()) / "part").touch()
    with staging(tmp_path / "site", resume=True) as folder:
        assert (folder / "part").exists()
    target.check_target(tmp_path / "site", [], force=False)
    assert left(tmp_path) == []


def test_the_newest_of_several_is_resumed_and_the_rest_goes(tmp_path):
    for name, owner, second in (("old", "kept", 1), ("new", dead_process(), 3), ("middle", "kept", 2), ("empty", "kept", 4)):
        folder = tmp_path / debris("site", "partial", owner, name)
        folder.mkdir()
        if name != "empty":
            (folder / "part").write_text(name)
        os.utime(folder, (second, second))
    with staging(tmp_path / "site", resume=True) as folder:
        assert (folder / "part").read_text() == "new"
        target.check_target(tmp_path / "site", [], force=False)
        assert left(tmp_path) == [folder]


def test_a_run_that_is_at_work_is_not_resumed(tmp_path):
    busy = tmp_path / debris("site", "partial", os.getppid())
    busy.mkdir()
    (busy / "part").touch()
    with staging(tmp_path / "site", resume=True) as folder:
        assert not is_worth_keeping(folder)
    assert left(tmp_path) == [busy]


# A run that finishes a part, says so, and ends with Ctrl+C when told to.
RUN = """
import sys
from pathlib import Path
from exporter.target import staging
with staging(Path(sys.argv[1]), worth_keeping=lambda folder: True) as folder:
    (folder / "part").touch()
    print(flush=True)
    sys.stdin.read()
    raise KeyboardInterrupt
"""


def test_two_runs_that_are_both_ended_keep_both(tmp_path):
    pipes = dict.fromkeys(["stdin", "stdout", "stderr"], subprocess.PIPE)
    runs = [subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path / "site")], text=True, **pipes) for _ in range(2)]
    assert [run.stdout.readline() for run in runs] == ["\n", "\n"]
    assert all("OSError" not in run.communicate()[1] for run in runs)
    assert len(left(tmp_path)) == 2 and all(is_worth_keeping(folder) for folder in left(tmp_path))


@pytest.mark.parametrize("count", [1, 2])
def test_a_run_that_another_is_quicker_than_takes_the_next_or_begins_anew(tmp_path, monkeypatch, count):
    for number in range(count):
        end(tmp_path / "site")
        os.utime(next(folder for folder in left(tmp_path) if folder.stat().st_mtime > 2), (number + 1, number + 1))
    replace, taken = os.replace, []

    def late(source, destination):
        if not taken:
            taken.append(source)
            shutil.rmtree(source)
        replace(source, destination)

    monkeypatch.setattr(target.os, "replace", late)
    with staging(tmp_path / "site", resume=True) as folder:
        assert is_worth_keeping(folder) == (count == 2) and left(tmp_path) == [folder]
    assert left(tmp_path) == []


def test_what_is_not_worth_keeping_goes_whatever_happens(tmp_path):
    with pytest.raises(KeyboardInterrupt), target.staging(tmp_path / "site") as folder:
        (folder / "part").write_text("x")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ExportError, match="cannot create a folder"), target.staging(tmp_path / "site"):
        (tmp_path / "clash").write_text("")
        with target.staging(tmp_path / "clash" / "site"):
            pass
