"""What several test modules share: networks small and real, photos made and real, sites written once."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from filelock import FileLock
from PIL import Image, ImageDraw

from exporter import cli as commands
from tests import onnx_graphs

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT.parent / "shared" / "cases"
COMMANDS = {
    "overlay-export": "export_command",
    "overlay-layers": "layers_command",
    "overlay-verify": "verify_command",
    "overlay-serve": "serve_command",
}
# Threads of torch that have nothing to do sleep instead of turning: here other tests want the processor.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def run_python(code: str, cache: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run code in a fresh interpreter with the model cache at `cache`."""
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, env={**os.environ, "OVERLAY_EXPORT_CACHE": str(cache)})


def command_line(command, *arguments):
    """The command in an interpreter of its own, as an argument list for `subprocess`."""
    code = f"from exporter.cli import {COMMANDS[command]} as run; run(prog_name={command!r})"
    return [sys.executable, "-c", code, *map(str, arguments)]


def cli(command, *arguments, **options):
    """Run a command in a process of its own, its streams in pipes."""
    return subprocess.run(command_line(command, *arguments), capture_output=True, text=True, **options)


def invoke(command, *arguments):
    """Run a command in this process; whatever is not an exit of its own fails the test."""
    before = signal.getsignal(signal.SIGTERM)
    result = CliRunner().invoke(getattr(commands, COMMANDS[command]), [str(argument) for argument in arguments])
    signal.signal(signal.SIGTERM, before)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result


def contents(folder):
    """{relative path: bytes} of everything in a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(run, code, *words):
    """The run ended with this code, one message on stderr that holds all words in order, and nothing on stdout."""
    status = run.returncode if hasattr(run, "returncode") else run.exit_code
    assert (status, run.stdout) == (code, ""), run.stderr
    assert "Traceback" not in run.stderr
    assert re.search("(?s)" + ".*".join(words), run.stderr), run.stderr


def recorded_progress():
    """A progress, as `exporter.progress` describes it, and the list of (label, total, steps taken) that it tells."""
    told = []

    @contextmanager
    def progress(label, total):
        steps = []
        yield lambda: steps.append(1)
        told.append((label, total, len(steps)))

    return progress, told


def debris(name, purpose, pid, token="0"):
    """The name of what a process left beside a target."""
    return f".{name}.overlay-export-{purpose}-{socket.gethostname()}-{token}-{pid}"


def dead_process():
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """A function that gives a folder that `make(folder)` has filled, once for all processes among which the tests are shared out: made_once(name, make)."""
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root

    def made_once(name, make):
        folder, partial = root / f"once-{name}", root / f"once-{name}-partial"
        with FileLock(root / f"once-{name}.lock"):
            if not folder.is_dir():
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir()
                make(partial)
                partial.rename(folder)
        return folder

    return made_once


@pytest.fixture(scope="session")
def conversion(made_once):
    """(cache folder, process) of the one real conversion of the default network."""

    def convert(folder):
        done = run_python("from exporter.models import open_model; open_model(threads=1, notify=print)", folder / "cache")
        (folder / "process.json").write_text(json.dumps([done.returncode, done.stdout, done.stderr]))

    folder = made_once("models", convert)
    return folder / "cache", subprocess.CompletedProcess([], *json.loads((folder / "process.json").read_text()))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """No test reads or writes the model cache of whoever runs the tests."""
    before = os.environ.get("OVERLAY_EXPORT_CACHE")
    os.environ["OVERLAY_EXPORT_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["OVERLAY_EXPORT_CACHE"]
    else:
        os.environ["OVERLAY_EXPORT_CACHE"] = before


@pytest.fixture(scope="session")
def model_cache(conversion):
    """The default network is in the cache; for tests that do not look at the conversion itself."""
    folder, process = conversion
    assert process.returncode == 0, process.stderr
    before = os.environ["OVERLAY_EXPORT_CACHE"]
    os.environ["OVERLAY_EXPORT_CACHE"] = str(folder)
    yield folder
    os.environ["OVERLAY_EXPORT_CACHE"] = before


@pytest.fixture(scope="session")
def tiny_network(tmp_path_factory):
    """An .onnx file of two layers, `shallow` (stride 4, 6 channels, not negative) and `deep` (stride 8, 10 channels, signed), seeded weights."""
    return onnx_graphs.tiny(tmp_path_factory.mktemp("network") / "tiny.onnx")


@pytest.fixture
def saved(tmp_path):
    """Saves a model or bytes as tiny.onnx and gives its path."""

    def save(model):
        path = tmp_path / "tiny.onnx"
        path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
        return str(path)

    return save


def tiny_arguments(network):
    return ["--model", network, "--layers", "shallow,deep", "--size", "64"]


@pytest.fixture
def tiny(tiny_network):
    """Arguments for a quick export with the tiny network."""
    return tiny_arguments(tiny_network)


def make_photo(path: Path, seed: int, size: tuple[int, int] = (96, 64)) -> Path:
    """A picture with some structure, written to `path` in the format of its suffix."""
    random = np.random.default_rng(seed)
    picture = Image.new("RGB", size, tuple(random.integers(0, 256, 3).tolist()))
    draw = ImageDraw.Draw(picture)
    for _ in range(12):
        x, y = random.integers(0, size[0]), random.integers(0, size[1])
        w, h = random.integers(4, 40, 2)
        draw.ellipse([x, y, x + w, y + h], fill=tuple(random.integers(0, 256, 3).tolist()))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    return path


def make_photos(folder: Path) -> Path:
    """Five small photos of three shapes, in two sub-folders and at the root of `folder`."""
    make_photo(folder / "first.png", 1)
    make_photo(folder / "dogs" / "rex.jpg", 2, (64, 96))
    make_photo(folder / "dogs" / "fido.png", 3)
    make_photo(folder / "cats" / "tom.png", 4, (80, 80))
    make_photo(folder / "cats" / "kit.jpg", 5)
    return folder


@pytest.fixture
def photos(tmp_path):
    """A folder of those five photos."""
    return make_photos(tmp_path / "photos")


@pytest.fixture(scope="session")
def tiny_export(made_once, tiny_network):
    """A folder with what the command makes of those photos with the arguments `tiny`: `site` and `page.html`. Not to be changed."""

    def make(folder):
        photos = make_photos(folder / "photos")
        for output in ("site", "page.html"):
            assert invoke("overlay-export", photos, "-o", folder / output, *tiny_arguments(tiny_network)).exit_code == 0

    return made_once("tiny-export", make)


@pytest.fixture
def postscript(tmp_path):
    """An EPS of 64 x 43 pixels, an environment whose `gs` writes a file when it runs, and that file."""
    eps, gs, ran = (tmp_path / "ghost" / name for name in ("picture.eps", "gs", "ran"))
    eps.parent.mkdir()
    eps.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 43\n%%EndComments\nshowpage\n%%EOF\n")
    gs.write_text(f"#!/bin/sh\ntouch '{ran}'\n")
    gs.chmod(0o755)
    return eps, {**os.environ, "PATH": f"{eps.parent}{os.pathsep}{os.environ['PATH']}"}, ran


@pytest.fixture(scope="session")
def demo_photos(made_once):
    """The real photos of `make demo`. Not to be changed."""
    write = lambda folder: subprocess.run([sys.executable, str(ROOT / "examples" / "photos.py"), str(folder / "photos")], check=True, capture_output=True)  # noqa: E731
    return made_once("photos", write) / "photos"


@pytest.fixture(scope="session")
def default_site(made_once, demo_photos, model_cache):
    """A site of real photos by the default network at 448, block3 and block4. Not to be changed."""
    from exporter import export

    return made_once("site", lambda folder: export(demo_photos, folder / "site")) / "site"


@pytest.fixture(scope="session")
def default_page(made_once, demo_photos, model_cache):
    """The same as a single file."""
    from exporter import export

    return made_once("page", lambda folder: export(demo_photos, folder / "page.html")) / "page.html"


@pytest.fixture
def site_copy(default_site, tmp_path):
    """A copy of the default site that a test may damage."""
    return Path(shutil.copytree(default_site, tmp_path / "site"))


@pytest.fixture(scope="session")
def cases():
    """Real images that some checkouts have beside the project; tests that need them skip cleanly without."""
    if not CASES.is_dir():
        pytest.skip("the shared cases are not here")
    return CASES
