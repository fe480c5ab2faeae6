"""Where an export may be written, and that what stands there is never lost."""

import errno
import os
import shutil
import socket
from pathlib import Path

import pytest

import exporter
from exporter import target
from exporter.errors import UsageError
from exporter.marks import FORMAT
from exporter.progress import silent
from tests.conftest import contents, dead_process, debris, invoke, make_photo, refused


@pytest.fixture
def site(tiny_export, tmp_path):
    """An earlier export at tmp_path / "site"."""
    return Path(shutil.copytree(tiny_export / "site", tmp_path / "site"))


def beside(path):
    """What stands in the folder of a target, hidden things included."""
    return sorted(entry.name for entry in path.parent.iterdir())


def test_only_force_replaces_an_earlier_export(site, photos, tiny):
    before = contents(site)
    run = invoke("overlay-export", photos / "cats", "-o", site, *tiny)
    refused(run, 2, f"^Error: {site} holds an earlier export; pass --force to replace it, or choose another -o\n$")
    assert contents(site) == before
    assert invoke("overlay-export", photos / "cats", "-o", site, *tiny, "--force").exit_code == 0
    assert len(exporter.load_bundle(site).images) == 2
    assert not (site / "images" / "rex.jpg").exists()
    assert beside(site) == ["photos", "site"]


def test_only_force_replaces_an_earlier_page(photos, tiny, tmp_path):
    page = tmp_path / "page.html"
    invoke("overlay-export", photos, "-o", page, *tiny)
    before = page.read_bytes()
    refused(invoke("overlay-export", photos, "-o", page, *tiny), 2, "page.html holds an earlier export; pass --force")
    assert page.read_bytes() == before
    assert invoke("overlay-export", photos / "cats", "-o", page, *tiny, "--force").exit_code == 0
    assert page.read_bytes() != before and beside(page) == ["page.html", "photos"]


@pytest.mark.parametrize("force", [[], ["--force"]], ids=["", "force"])
def test_what_is_not_ours_is_left_alone(photos, tiny, tmp_path, force):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "letter.txt").write_text("dear")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "other.html").write_text("<title>mine</title>")
    (tmp_path / "dir.html").mkdir()
    for name, message in {
        "folder": "folder is not empty and not an earlier export; it is left as it is, choose another -o",
        "file": "file is a file, expected a folder or a name ending in .html; choose another -o",
        "other.html": "other.html exists and was not written by overlay-export; it is left as it is, choose another -o",
        "dir.html": "dir.html exists and was not written by overlay-export",
    }.items():
        refused(invoke("overlay-export", photos, "-o", tmp_path / name, *tiny, *force), 2, message)
    assert (tmp_path / "folder" / "letter.txt").read_text() == "dear"
    assert (tmp_path / "file").read_text() == "mine" and (tmp_path / "other.html").read_text() == "<title>mine</title>"


def test_an_empty_folder_needs_no_force(photos, tiny, tmp_path):
    (tmp_path / "site").mkdir()
    assert invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny).exit_code == 0
    assert beside(tmp_path / "site") == ["photos", "site"]


def test_folders_that_are_missing_are_made(photos, tiny, tmp_path):
    assert invoke("overlay-export", photos, "-o", tmp_path / "a" / "b" / "site", *tiny).exit_code == 0
    assert invoke("overlay-export", photos, "-o", tmp_path / "c" / "page.html", *tiny).exit_code == 0
    assert beside(tmp_path / "a" / "b" / "site") == ["site"] and beside(tmp_path / "c" / "page.html") == ["page.html"]


def test_files_among_an_earlier_export_are_not_lost(site, photos, tiny):
    for name in ("CNAME", "images/mine.jpg", "images/index.html", "features/notes/thesis.txt", "features/block9-0000.bin", "js/mine.json", "own/deep/down/x.js"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text("mine")
        before = contents(site)
        run = invoke("overlay-export", photos, "-o", site, *tiny, "--force")
        refused(run, 2, rf"site holds files that an export did not write \({name}\); move them away or choose another -o")
        assert contents(site) == before
        (site / name).unlink()


def test_many_foreign_files_are_counted(site, photos, tiny):
    for number in range(7):
        (site / "images" / f"mine-{number}.txt").write_text("mine")
    run = invoke("overlay-export", photos, "-o", site, *tiny, "--force")
    refused(run, 2, r"\(images/mine-0.txt, images/mine-1.txt, .*images/mine-4.txt and 2 more\); move them away")


@pytest.mark.parametrize("kind", ["folder", "nowhere"])
def test_a_link_among_an_earlier_export_is_not_lost(site, photos, tiny, tmp_path, kind):
    (tmp_path / "folder").mkdir()
    (site / "images" / "link").symlink_to(tmp_path / kind)
    refused(invoke("overlay-export", photos, "-o", site, *tiny, "--force"), 2, r"holds files that an export did not write \(images/link\)")
    assert (site / "images" / "link").is_symlink()


@pytest.mark.parametrize("content", [f'{{"format": "{FORMAT}"}}', f'{{"format": "{FORMAT}", "layers": [1], "images": {{}}}}'])
def test_an_export_whose_bundle_json_names_no_files_is_not_eaten(site, photos, tiny, content):
    (site / "bundle.json").write_text(content)
    before = contents(site)
    refused(invoke("overlay-export", photos, "-o", site, *tiny, "--force"), 2, r"holds files that an export did not write \(features/0-shallow-0000.bin, ")
    assert contents(site) == before


def test_what_appears_at_the_target_during_the_run_is_not_lost(photos, tiny, tmp_path):
    def appear(label, total):
        (tmp_path / "site").mkdir(exist_ok=True)
        (tmp_path / "site" / "thesis.txt").write_text("mine")
        return silent(label, total)

    with pytest.raises(UsageError, match="site is not empty and not an earlier export; it is left as it is"):
        exporter.export(photos, tmp_path / "site", model=tiny[1], layers="deep", force=True, progress=appear)
    assert (tmp_path / "site" / "thesis.txt").read_text() == "mine" and len(beside(tmp_path / "site")) == 3
    (tmp_path / "site" / "thesis.txt").unlink()
    told = []
    exporter.export(photos, tmp_path / "site", model=tiny[1], layers="deep", resume=True, notify=told.append)
    assert told == ["--resume: 5 of 5 images are taken over, 0 are computed"] and beside(tmp_path / "site") == ["photos", "site"]


def test_home_root_working_directory_and_inputs_are_refused_even_as_exports(site, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: site)
    with pytest.raises(UsageError, match="is a root, a home or the working directory; .* choose another -o"):
        target.check_target(site, [photos], force=True)
    monkeypatch.undo()
    with pytest.raises(UsageError, match="/ is a root, a home or the working directory"):
        target.check_target(Path("/"), [photos], force=True)
    for folder in (site, site / "images"):
        monkeypatch.chdir(folder)
        for name in (site, Path(os.path.relpath(site))):
            with pytest.raises(UsageError, match="site is a root, a home or the working directory"):
                target.check_target(name, [photos], force=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"site holds the input .*images/rex.jpg; an export replaces its whole folder"):
        target.check_target(site, [photos, site / "images" / "rex.jpg"], force=True)
    target.check_target(site, [photos], force=True)


def test_the_folder_of_the_images_is_no_target(photos, tiny, tmp_path, monkeypatch):
    before = contents(photos)
    refused(invoke("overlay-export", photos, "-o", photos, *tiny, "--force"), 2, "photos holds the input .*photos; .*choose another -o")
    monkeypatch.chdir(photos)
    refused(invoke("overlay-export", ".", "-o", "", *tiny, "--force"), 2, "is a root, a home or the working directory")
    refused(invoke("overlay-export", "dogs", "-o", "..", *tiny, "--force"), 2, "is a root, a home or the working directory")
    assert contents(photos) == before and beside(photos) == ["photos"]


def test_a_link_to_an_export_is_followed(site, photos, tiny, tmp_path):
    (tmp_path / "link").symlink_to(site)
    assert invoke("overlay-export", photos / "cats", "-o", tmp_path / "link", *tiny, "--force").exit_code == 0
    assert (tmp_path / "link").is_symlink() and len(exporter.load_bundle(site).images) == 2


def test_a_folder_that_cannot_be_made(photos, tiny, tmp_path):
    (tmp_path / "file").write_text("")
    run = invoke("overlay-export", photos, "-o", tmp_path / "file" / "site", *tiny)
    refused(run, 1, r"cannot create a folder in .*file \(Not a directory\); choose another -o or mend its permissions")


NO_SPACE = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("output", ["site", "page.html"])
@pytest.mark.parametrize("where", ["image", "shard", "bundle.json", "text", "module", "move"])
def test_a_full_disk_leaves_what_was_there(photos, tiny, tmp_path, monkeypatch, where, output):
    path = tmp_path / output
    assert invoke("overlay-export", photos / "cats", "-o", path, *tiny).exit_code == 0
    before = contents(tmp_path)
    suffixes = {"image": ".webp", "shard": ".bin", "bundle.json": ".json", "text": ".html", "module": ".js", "move": "site page.html"}

    def failing(function):
        def run(*arguments, **options):
            if any(str(argument).endswith(suffixes[where]) for argument in arguments[:2] if isinstance(argument, str | Path)):
                raise NO_SPACE
            return function(*arguments, **options)

        return run

    if where == "move":
        moves = []

        def replace(source, destination):
            if destination == path and not moves:
                moves.append(source)
                raise NO_SPACE
            shutil.move(source, destination)

        monkeypatch.setattr(target.os, "replace", replace)
    else:
        monkeypatch.setattr(Path, "write_bytes", failing(Path.write_bytes))
        monkeypatch.setattr(Path, "write_text", failing(Path.write_text))
        monkeypatch.setattr(shutil, "copyfile", failing(shutil.copyfile))
    run = invoke("overlay-export", photos, "-o", path, *tiny, "--force")
    monkeypatch.undo()
    refused(run, 1, rf"^Error: cannot write .*{output} \(No space left on device\); free some space or mend its permissions, what was there is unchanged(\. What is finished is kept.*)?\n$")
    assert {name: data for name, data in contents(tmp_path).items() if not name.startswith(".")} == before
    assert ("--resume goes on" in run.stderr) == (len(beside(path)) == 3) == (where != "image")
    assert invoke("overlay-export", photos, "-o", path, *tiny, "--force").exit_code == 0
    assert beside(path) == sorted(["photos", output])


def test_a_run_killed_between_the_two_moves_is_put_right(site, photos, tiny, tmp_path):
    before = contents(site)
    old = tmp_path / debris("site", "old", dead_process())
    site.rename(old)
    (tmp_path / debris("site", "partial", dead_process())).mkdir()
    refused(invoke("overlay-export", photos, "-o", site, *tiny), 2, "holds an earlier export; pass --force")
    assert contents(site) == before and not old.exists()
    site.rename(old)
    assert invoke("overlay-export", photos / "cats", "-o", site, *tiny, "--force").exit_code == 0
    assert len(exporter.load_bundle(site).images) == 2 and beside(site) == ["photos", "site"]


def test_a_run_killed_after_the_moves_is_cleaned_up_by_one_that_may_write(site, photos, tiny, tmp_path):
    left = tmp_path / debris("site", "old", dead_process())
    shutil.copytree(site, left)
    before = contents(site)
    refused(invoke("overlay-export", photos, "-o", site, *tiny), 2, "pass --force")
    assert contents(site) == contents(left) == before
    assert invoke("overlay-export", photos, "-o", site, *tiny, "--force").exit_code == 0
    assert contents(site) == before and beside(site) == ["photos", "site"]


def test_a_refused_target_keeps_what_stands_beside_it(photos, tiny, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "letter.txt").write_text("dear")
    left = debris("site", "old", dead_process())
    (tmp_path / left).mkdir()
    refused(invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny, "--force"), 2, "is not empty and not an earlier export")
    assert beside(tmp_path / "site") == [left, "photos", "site"]


def test_a_process_number_that_none_can_have_is_that_of_a_dead_one(photos, tiny, tmp_path):
    (tmp_path / debris("site", "partial", 10**30)).mkdir()
    assert invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny).exit_code == 0
    assert beside(tmp_path / "site") == ["photos", "site"]


def test_two_exports_of_one_process_do_not_disturb_each_other(photos, tiny, tmp_path):
    with target.staging(tmp_path / "site") as one, target.staging(tmp_path / "site") as two:
        assert one != two and one.name.endswith(f"-{os.getpid()}") and socket.gethostname() in one.name
        assert invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny).exit_code == 0
        assert one.is_dir() and two.is_dir()
    assert beside(tmp_path / "site") == ["photos", "site"]


def test_debris_of_other_targets_and_of_running_exports_stays(photos, tiny, tmp_path):
    kept = [
        debris("site", "partial", 1),
        debris("other", "partial", 999999999),
        debris("site-2", "old", 999999999),
        debris("site", "old", "mine"),
        debris("site", "partial", 999999999).replace(socket.gethostname(), "elsewhere"),
        ".site.partial-20241201",
        ".site.old-999999999",
    ]
    for name in kept:
        (tmp_path / name).mkdir()
    make_photo(tmp_path / "[x]" / "a.png", 1)
    assert invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny).exit_code == 0
    assert beside(tmp_path / "site") == sorted([*kept, "photos", "site", "[x]"])


def test_names_with_the_characters_of_patterns(photos, tiny, tmp_path):
    site, left = tmp_path / "s*[1]?", tmp_path / debris("s*[1]?", "partial", dead_process())
    left.mkdir()
    (tmp_path / debris("sx1y", "partial", dead_process())).mkdir()
    assert invoke("overlay-export", photos, "-o", site, *tiny).exit_code == 0
    assert not left.exists() and len(list(tmp_path.glob(".sx1y*"))) == 1


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interruption_between_the_two_moves_puts_the_old_site_back(tmp_path, monkeypatch, interruption):
    for name in ("site", "staged"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "bundle.json").write_text(f'{{"format": "{FORMAT}"}}')
        (tmp_path / name / "index.html").write_text(name)
    move, moves = os.replace, []

    def replace(source, destination):
        moves.append(source)
        if len(moves) == 2:
            raise interruption
        move(source, destination)

    monkeypatch.setattr(target.os, "replace", replace)
    with pytest.raises(interruption):
        target.publish(tmp_path / "staged", tmp_path / "site", [], force=True)
    assert (tmp_path / "site" / "index.html").read_text() == "site"
    assert not list(tmp_path.glob(".site*"))


def staged(tmp_path):
    """A finished export that waits for its place."""
    (tmp_path / "staged").mkdir()
    (tmp_path / "staged" / "bundle.json").write_text(f'{{"format": "{FORMAT}", "title": "new"}}')
    return tmp_path / "staged"


def test_publishing_checks_the_target_once_more(tmp_path):
    new, path = staged(tmp_path), tmp_path / "site"
    path.mkdir()
    (path / "bundle.json").write_text(f'{{"format": "{FORMAT}"}}')
    with pytest.raises(UsageError, match="site holds an earlier export; pass --force to replace it"):
        target.publish(new, path, [], force=False)
    (path / "images").mkdir()
    (path / "images" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"site holds files that an export did not write \(images/mine.txt\)"):
        target.publish(new, path, [], force=True)
    (path / "images" / "mine.txt").rename(path / "images" / "photo.jpg")
    with pytest.raises(UsageError, match="site holds the input .*photo.jpg"):
        target.publish(new, path, [path / "images" / "photo.jpg"], force=True)
    assert (path / "images" / "photo.jpg").read_text() == "mine" and "new" not in (path / "bundle.json").read_text() and new.is_dir()
    (path / "images" / "photo.jpg").unlink()
    target.publish(new, path, [], force=True)
    assert "new" in (path / "bundle.json").read_text() and beside(path) == ["site"]


def test_publishing_a_page_checks_its_target_once_more(tmp_path):
    (tmp_path / "new.html").write_text("new")
    (tmp_path / "page.html").write_text("<title>mine</title>")
    with pytest.raises(UsageError, match="page.html exists and was not written by overlay-export"):
        target.publish(tmp_path / "new.html", tmp_path / "page.html", [], force=True)
    assert (tmp_path / "page.html").read_text() == "<title>mine</title>"
