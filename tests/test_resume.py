"""--resume: a run that was killed is finished by the next one, to the byte as if nothing had happened; what has changed since is computed again."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import PIL
import pytest

import exporter
from exporter import draft, entries, pipeline, spool, versions
from exporter.errors import ExportError
from exporter.pixels import BadImage
from tests.conftest import contents, invoke, make_photo
from tests.onnx_graphs import tiny

# A run with parts of three images that reports itself before the call of a function that it is told of, and waits to be ended.
HALTING = """
import sys
from exporter import draft, spool
from exporter.cli import export_command
spool.PART_IMAGES = 3
name, number = sys.argv.pop(1), int(sys.argv.pop(1))
owner, _, name = name.rpartition(".")
owner = getattr(draft, owner) if owner else draft
function, calls = getattr(owner, name), []
def halting(*arguments):
    calls.append(1)
    if len(calls) == number:
        print("midway", flush=True)
        sys.stdin.read()
    return function(*arguments)
setattr(owner, name, halting)
export_command(prog_name="overlay-export")
"""
NOTE = "What is finished is kept: --resume goes on from there, without it the next run to {} removes it.\n"


@pytest.fixture(autouse=True)
def short_parts(monkeypatch):
    monkeypatch.setattr(spool, "PART_IMAGES", 3)


def make_pictures(folder) -> Path:
    for number in range(10):
        make_photo(folder / "photos" / f"{number}.png", number)
    return folder / "photos"


@pytest.fixture
def pictures(tmp_path):
    return make_pictures(tmp_path)


def arguments(pictures, network, *more, output="site"):
    layers = [] if "--layers" in more else ["--layers", "shallow,deep"]
    return [pictures, "-o", pictures.parent / output, "--model", network, *layers, "--size", "64", "--threads", "2", *more]


def end(pictures, network, where, how=signal.SIGKILL, *more):
    """Run until a function is called for the n-th time, then send a signal; (exit code, stderr)."""
    command = [sys.executable, "-c", HALTING, *map(str, where), *map(str, arguments(pictures, network, *more))]
    default = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **default)
    assert process.stdout.readline() == "midway\n", process.stderr.read()
    os.kill(process.pid, how)
    _, errors = process.communicate()
    return process.returncode, errors


@pytest.fixture(scope="module")
def killed(tmp_path_factory, tiny_network):
    """A function that leaves beside pictures what a run left that was killed there; for every place one is, and what it left is copied: killed(pictures, where)."""

    @cache
    def left_at(where):
        pictures = make_pictures(tmp_path_factory.mktemp("killed"))
        assert end(pictures, tiny_network, where) == (-signal.SIGKILL, "")
        (folder,) = left(pictures)
        return folder

    def leave(pictures, where):
        folder = left_at(where)
        shutil.copytree(folder, pictures.parent / folder.name)

    return leave


def interrupted(*arguments):
    raise KeyboardInterrupt


def left(pictures) -> list[Path]:
    return [path for path in pictures.parent.iterdir() if path.name.startswith(".")]


def resumed(pictures, network, *more):
    """What the command tells on stderr when it goes on."""
    run = invoke("overlay-export", *arguments(pictures, network, "--resume", *more))
    assert run.exit_code == 0, run.stderr
    assert left(pictures) == []
    return run.stderr


def uninterrupted(pictures, network, *more):
    assert invoke("overlay-export", *arguments(pictures, network, *more, output="whole")).exit_code == 0
    return contents(pictures.parent / "whole")


WHOLE = {}


def same(pictures, network, *more):
    """The site is that of an uninterrupted run, of which one is made for the same pictures, network and options."""
    key = (*sorted(contents(pictures).items()), Path(network).read_bytes(), *map(str, more))
    if key not in WHOLE:
        WHOLE[key] = uninterrupted(pictures, network, *more)
    assert contents(pictures.parent / "site") == WHOLE[key]


# While the eighth image is added: two parts are finished.
FEATURES = ("NetworkSpool.add", 8)
# The eighth image while the network runs; the first and the second layer while codes are written; bundle.json.
PLACES = {"images": (FEATURES, 6), "first layer": (("choose", 1), 10), "second layer": (("choose", 2), 10), "bundle": (("strongest_patch", 1), 10)}


@pytest.mark.parametrize("place", PLACES)
def test_a_killed_run_is_finished_by_the_next(pictures, tiny_network, place):
    where, count = PLACES[place]
    assert end(pictures, tiny_network, where) == (-signal.SIGKILL, "")
    assert not (pictures.parent / "site").exists()
    assert resumed(pictures, tiny_network) == f"--resume: {count} of 10 images are taken over, {10 - count} are computed\n"
    same(pictures, tiny_network)


def test_only_what_is_missing_is_computed(pictures, tiny_network, killed, monkeypatch):
    killed(pictures, ("choose", 2))
    calls, choose = [], draft.choose
    monkeypatch.setattr(draft, "extract", lambda *arguments, **options: pytest.fail("the network ran again"))
    monkeypatch.setattr(draft, "choose", lambda *arguments: calls.append(1) or choose(*arguments))
    resumed(pictures, tiny_network)
    assert len(calls) == 1


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 1)])
def test_a_run_that_is_told_to_end_keeps_what_is_finished_and_says_so(pictures, tiny_network, how, code):
    ended, errors = end(pictures, tiny_network, FEATURES, how)
    assert ended == code and NOTE.format(pictures.parent / "site") in errors and "Traceback" not in errors
    assert len(left(pictures)) == 1
    assert "6 of 10 images are taken over" in resumed(pictures, tiny_network)
    same(pictures, tiny_network)


def test_a_run_that_is_told_to_end_before_its_first_part_keeps_nothing(pictures, tiny_network):
    assert "--resume" not in end(pictures, tiny_network, ("NetworkSpool.add", 2), signal.SIGTERM)[1]
    assert left(pictures) == []


def test_without_resume_the_next_run_begins_anew(pictures, tiny_network):
    for how in (signal.SIGKILL, signal.SIGTERM):
        end(pictures, tiny_network, FEATURES, how, "--force")
        assert len(left(pictures)) == 1
        run = invoke("overlay-export", *arguments(pictures, tiny_network, "--force"))
        assert (run.exit_code, run.stderr, left(pictures)) == (0, "", [])


def test_with_nothing_to_resume_it_just_runs(pictures, tiny_network):
    assert resumed(pictures, tiny_network) == "--resume: nothing is left of an earlier run, all images are computed\n"
    same(pictures, tiny_network)
    assert resumed(pictures, tiny_network, "--force", "--quiet") == ""


AGAIN = "--resume: some of what was left is damaged, or of other images, networks, options or versions; it is computed again\n"


def change_image(pictures):
    make_photo(pictures / "1.png", 99)


def remove_image(pictures):
    (pictures / "4.png").unlink()


def add_image(pictures):
    make_photo(pictures / "35.png", 35)


def title_image(pictures):
    (pictures / "images.toml").write_text('[images.5]\ntitle = "Five"\n')


def test_an_image_that_changed_while_it_was_at_work_is_computed_again(pictures, tiny_network, monkeypatch):
    """Its second version is there once the first has been decoded."""
    decode = versions.decode

    def then_change(path, least):
        picture = decode(path, least=least)
        if path.name == "1.png":
            make_photo(path, 99)
        return picture

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(versions, "decode", then_change)
        patch.setattr(draft, "choose", interrupted)
        exporter.export(pictures, pictures.parent / "site", model=tiny_network, layers=["shallow", "deep"], size=64)
    assert "7 of 10 images are taken over" in resumed(pictures, tiny_network)
    same(pictures, tiny_network)


@pytest.mark.parametrize("resume", [False, True])
def test_an_image_that_vanishes_is_named(pictures, tiny_network, killed, monkeypatch, resume):
    killed(pictures, FEATURES)

    def check_and_remove(paths, threads, advance):
        (pictures / "1.png").unlink()
        return []

    monkeypatch.setattr(pipeline, "check_all", check_and_remove)
    with pytest.raises(BadImage, match=r"1.png: there is no such file \(any more\)"):
        exporter.export(pictures, pictures.parent / "site", model=tiny_network, layers=["shallow", "deep"], size=64, resume=resume)


@pytest.mark.parametrize(("change", "count", "of"), [(change_image, 3, 10), (remove_image, 3, 9), (add_image, 3, 11), (title_image, 3, 10)])
def test_images_that_changed_are_computed_again(pictures, tiny_network, killed, change, count, of):
    killed(pictures, FEATURES)
    change(pictures)
    assert resumed(pictures, tiny_network) == f"--resume: {count} of {of} images are taken over, {of - count} are computed\n{AGAIN}"
    same(pictures, tiny_network)


@pytest.mark.parametrize("where", [FEATURES, ("choose", 2)], ids=["features", "codes"])
@pytest.mark.parametrize("file", ["spool/0-00000-1.f32", "spool/0-00001.json", "site/images/0.*"])
def test_damage_is_computed_again(pictures, tiny_network, killed, file, where):
    killed(pictures, where)
    (folder,) = left(pictures)
    (path,) = folder.glob(file)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    assert resumed(pictures, tiny_network).endswith(AGAIN)
    same(pictures, tiny_network)


def test_a_damaged_shard_is_written_again(pictures, tiny_network, killed):
    killed(pictures, ("choose", 2))
    (shard,) = left(pictures)[0].glob("site/features/0-*.bin")
    shard.write_bytes(shard.read_bytes()[:-1])
    resumed(pictures, tiny_network)
    same(pictures, tiny_network)


OTHERS = {"size": ["--size", "96"], "fit": ["--fit", "stretch"], "layers": ["--layers", "deep"], "mean": ["--mean", "0.4"], "std": ["--std", "0.3"]}


@pytest.mark.parametrize("other", OTHERS)
def test_other_options_make_other_features(pictures, tiny_network, killed, other):
    killed(pictures, FEATURES)
    assert resumed(pictures, tiny_network, *OTHERS[other]) == f"--resume: 0 of 10 images are taken over, 10 are computed\n{AGAIN}"
    same(pictures, tiny_network, *OTHERS[other])


def test_a_folder_that_is_not_needed_any_more_goes(pictures, tiny_network, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("exporter.pipeline.FEW_IMAGES", 9)
        patch.setattr(draft, "choose", interrupted)
        with pytest.raises(KeyboardInterrupt):
            exporter.export(pictures, pictures.parent / "site", model=tiny_network, layers=["shallow", "deep"], size=64)
    assert (left(pictures)[0] / "site" / "thumbnails").is_dir()
    resumed(pictures, tiny_network)
    assert not (pictures.parent / "site" / "thumbnails").exists()


def test_another_network_makes_other_features(pictures, tiny_network, killed, tmp_path):
    killed(pictures, FEATURES)
    other = shutil.copy(tiny(tmp_path / "other.onnx", 9), tmp_path / tiny_network.name)
    assert "0 of 10 images" in resumed(pictures, other)
    same(pictures, other)


@pytest.mark.parametrize(("owner", "name", "value"), [(entries, "version", lambda name: "9.9"), (PIL, "__version__", "9.9")], ids=["torch", "Pillow"])
def test_other_versions_make_other_features(pictures, tiny_network, killed, monkeypatch, owner, name, value):
    killed(pictures, FEATURES)
    monkeypatch.setattr(owner, name, value)
    assert "0 of 10 images" in resumed(pictures, tiny_network)


def test_packages_may_be_installed_under_other_names(pictures, tiny_network, monkeypatch):
    """Such as onnxruntime-gpu and pillow-simd."""

    def none(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(entries, "version", none)
    uninterrupted(pictures, tiny_network)


@pytest.mark.parametrize("more", [["--max-error", "0.1"], ["--encoding", "int4"], ["--center"]], ids=" ".join)
@pytest.mark.parametrize("where", [FEATURES, ("choose", 2)], ids=["features", "codes"])
def test_other_codes_are_made_of_the_same_features(pictures, tiny_network, killed, more, where):
    """Once a layer is written its features are gone: other codes need them again."""
    killed(pictures, where)
    assert f"{6 if where == FEATURES else 0} of 10 images are taken over" in resumed(pictures, tiny_network, *more)
    same(pictures, tiny_network, *more)


def test_several_networks_and_other_threads(pictures, tiny_network, tmp_path):
    more = ["--model", f"other={tiny(tmp_path / 'other.onnx', 9)}"]
    end(pictures, tiny_network, FEATURES, signal.SIGKILL, *more)
    told = resumed(pictures, tiny_network, *more, "--threads", "1", "--batch-size", "4")
    assert told == "--resume: 6 of 10 images by tiny are taken over, 4 are computed\n--resume: 0 of 10 images by other are taken over, 10 are computed\n"
    same(pictures, tiny_network, *more)


def test_shards_are_named_by_the_layers_of_this_run(pictures, tiny_network, tmp_path):
    """Of the second network a layer was written when the first had fewer."""
    second = ["--model", f"other={tiny(tmp_path / 'other.onnx', 9)}", "--layers", "shallow,deep"]
    end(pictures, tiny_network, ("choose", 3), signal.SIGKILL, "--layers", "deep", *second)
    resumed(pictures, tiny_network, "--layers", "shallow,deep", *second)
    same(pictures, tiny_network, "--layers", "shallow,deep", *second)


def test_own_code_runs_again(pictures, tmp_path):
    """It may have changed in a way that its weights do not tell."""
    (tmp_path / "own.py").write_text("from torch import nn\ndef net():\n    return nn.Sequential(nn.Conv2d(3, 6, 8, 8))\n")
    code = f"{tmp_path / 'own.py'}:net"
    ended, errors = end(pictures, code, FEATURES, signal.SIGTERM, "--layers", "0")
    assert ended == 143 and "kept" not in errors and left(pictures) == []
    assert resumed(pictures, code, "--layers", "0") == "--resume: 0 of 10 images are taken over, 10 are computed: own code runs again, since it may have changed\n"


def test_a_page_is_resumed_too(pictures, tiny_network, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt) as ended:
        patch.setattr(draft, "choose", interrupted)
        exporter.export(pictures, pictures.parent / "page.html", model=tiny_network, layers="deep", size=64)
    assert ended.value.__notes__ == [NOTE.format(pictures.parent / "page.html").rstrip()]
    told = []
    exporter.export(pictures, pictures.parent / "page.html", model=tiny_network, layers="deep", size=64, resume=True, notify=told.append)
    assert told == ["--resume: 10 of 10 images are taken over, 0 are computed"] and left(pictures) == []
    exporter.export(pictures, pictures.parent / "whole.html", model=tiny_network, layers="deep", size=64)
    assert (pictures.parent / "page.html").read_bytes() == (pictures.parent / "whole.html").read_bytes()


@pytest.mark.parametrize(("owner", "name", "number"), [(spool._OpenPart, "add", 8), (draft.ShardWriter, "add", 5)], ids=["features", "shards"])
def test_a_disk_that_fills_up(pictures, tiny_network, monkeypatch, owner, name, number):
    site = pictures.parent / "site"
    exporter.export(pictures / "0.png", site, model=tiny_network, layers="deep", size=64)
    before, write, calls = contents(site), getattr(owner, name), []

    def full(self, *given):
        calls.append(1)
        if len(calls) == number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, full)
        run = invoke("overlay-export", *arguments(pictures, tiny_network, "--force"))
    assert run.exit_code == 1 and run.stderr == (
        f"Error: cannot write {site} (No space left on device); free some space or mend its permissions, what was there is unchanged. {NOTE.format(site)}"
    )
    assert contents(site) == before
    resumed(pictures, tiny_network, "--force")
    same(pictures, tiny_network)


def test_a_full_disk_before_the_first_part_keeps_nothing(pictures, tiny_network, monkeypatch):
    def full(self, spooled):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(spool._OpenPart, "add", full)
    with pytest.raises(ExportError, match="No space left on device.; free some space or mend its permissions, what was there is unchanged$"):
        exporter.export(pictures, pictures.parent / "site", model=tiny_network, layers="deep", size=64)
    assert left(pictures) == []
