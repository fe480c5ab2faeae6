"""Runs that are killed or fail midway, as processes of their own: the old site stays to the byte, and nothing is left lying about."""

import fnmatch
import os
import signal
import subprocess
import sys

import pytest

import exporter
from tests.conftest import command_line, contents, debris, invoke, make_photo

# The third image reports itself and waits until the parent has done its deed and closed the pipe.
HALTING = """
import sys
from exporter import draft
from exporter.cli import export_command
publish, calls = draft.published_copies, []
def halting(*arguments):
    calls.append(1)
    if len(calls) == 3:
        print("midway", flush=True)
        sys.stdin.read()
    return publish(*arguments)
draft.published_copies = halting
export_command(prog_name="overlay-export")
"""


@pytest.fixture
def site(tmp_path, tiny_network):
    """An earlier export of one image, beside ten others that a next run is given."""
    for number in range(10):
        make_photo(tmp_path / "photos" / f"{number}.png", number)
    make_photo(tmp_path / "old.png", 30)
    run = invoke("overlay-export", tmp_path / "old.png", "-o", tmp_path / "site", "--model", tiny_network, "--layers", "deep", "--size", "64")
    assert run.exit_code == 0
    return tmp_path / "site"


def arguments(site, tiny_network, *more):
    return [site.parent / "photos", "-o", site, "--model", tiny_network, "--layers", "deep", "--size", "64", "--force", "--threads", "2", *more]


def halt(site, tiny_network, number):
    """Send a signal to an export that is midway; (exit code, stderr)."""
    command = [sys.executable, "-c", HALTING, *map(str, arguments(site, tiny_network))]
    default = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **default)
    assert process.stdout.readline() == "midway\n", process.stderr.read()
    partial = [path.name for path in site.parent.iterdir() if path.name.startswith(".site.")]
    assert len(partial) == 1 and fnmatch.fnmatch(partial[0], debris("site", "partial", process.pid, "*"))
    os.kill(process.pid, number)
    _, errors = process.communicate()
    return process.returncode, errors


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_killed_run_leaves_the_old_site_and_the_next_one_cleans_up(site, tiny_network):
    before = contents(site)
    assert halt(site, tiny_network, signal.SIGKILL) == (-signal.SIGKILL, "")
    assert contents(site) == before and len(names(site.parent)) == 4
    assert invoke("overlay-verify", site).exit_code == 0
    assert invoke("overlay-export", *arguments(site, tiny_network)).exit_code == 0
    assert names(site.parent) == ["old.png", "photos", "site"]
    assert len(exporter.load_bundle(site).images) == 10


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 1)])
def test_a_run_that_is_told_to_end_cleans_up_itself(site, tiny_network, number, code):
    before = contents(site)
    ended, errors = halt(site, tiny_network, number)
    assert ended == code and "Traceback" not in errors
    assert contents(site) == before and names(site.parent) == ["old.png", "photos", "site"]


def test_a_run_that_is_killed_without_an_earlier_site(site, tiny_network):
    new = site.with_name("new")
    command = [sys.executable, "-c", HALTING, *map(str, arguments(new, tiny_network))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"midway\n"
    process.kill()
    process.communicate()
    assert not new.exists()
    assert invoke("overlay-export", *arguments(new, tiny_network)).exit_code == 0
    assert names(site.parent) == ["new", "old.png", "photos", "site"]


def test_a_running_export_is_not_disturbed_by_another(site, tiny_network):
    command = [sys.executable, "-c", HALTING, *map(str, arguments(site, tiny_network))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() == b"midway\n"
    other = ["shallow" if argument == "deep" else argument for argument in arguments(site, tiny_network)]
    assert invoke("overlay-export", *other).exit_code == 0
    assert fnmatch.filter(names(site.parent), debris("site", "partial", process.pid, "*"))
    _, errors = process.communicate()
    assert (process.returncode, errors) == (0, b"")
    assert [layer.id for layer in exporter.load_bundle(site).layers] == ["deep"]
    assert invoke("overlay-verify", site).exit_code == 0 and names(site.parent) == ["old.png", "photos", "site"]


@pytest.mark.parametrize("output", ["site", "page.html"])
def test_files_that_may_not_grow(site, tiny_network, output):
    """A limit on the size of files stands for a disk that fills up."""
    path = site.with_name(output)
    before = contents(site)
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)); {command_line('overlay-export')[2]}"
    run = subprocess.run([sys.executable, "-c", limited, *map(str, arguments(path, tiny_network))], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == f"Error: cannot write {path} (File too large); free some space or mend its permissions, what was there is unchanged\n"
    assert contents(site) == before and names(site.parent) == ["old.png", "photos", "site"]
