"""The commands, each as its user runs it."""

import json
import os
import re
import subprocess
from importlib.metadata import entry_points

import pytest

import exporter
from exporter import cli as commands
from exporter.encodings import ENCODINGS
from tests.conftest import COMMANDS, cli, command_line, contents, invoke, make_photo, refused, run_python

def on_terminal(*arguments):
    """Run overlay-export on a pseudo-terminal; (exit code, what it showed)."""
    main, other = os.openpty()
    streams = {"stdin": other, "stdout": other, "stderr": other}
    process = subprocess.Popen(command_line("overlay-export", *arguments), **streams, env={**os.environ, "TERM": "xterm"})
    os.close(other)
    shown = b""
    try:
        while part := os.read(main, 4096):
            shown += part
    except OSError:  # Linux: the other end is closed
        pass
    os.close(main)
    return process.wait(), shown.decode()


def test_the_commands_are_installed():
    installed = {entry.name: entry.value for entry in entry_points(group="console_scripts") if entry.name in COMMANDS}
    assert installed == {name: f"exporter.cli:{function}" for name, function in COMMANDS.items()}


def test_folders_and_files_mixed_in_a_process_of_its_own(photos, tiny, tmp_path):
    single = make_photo(tmp_path / "elsewhere" / "my photo.png", 9)
    run = cli("overlay-export", photos, single, "-o", tmp_path / "site", *tiny)
    assert (run.returncode, run.stderr) == (0, "")
    bundle = exporter.load_bundle(tmp_path / "site")
    assert {(image.id, image.group) for image in bundle.images} == {
        ("my photo", ""), ("kit", "cats"), ("tom", "cats"), ("fido", "dogs"), ("rex", "dogs"), ("first", ""),
    }
    assert [image.id for image in bundle.images] == ["my photo", "kit", "tom", "fido", "rex", "first"]


def test_the_summary_names_images_grids_bytes_error_and_how_to_open(photos, tiny, tmp_path):
    site = tmp_path / "site"
    lines = invoke("overlay-export", photos, "-o", site, *tiny).stdout.splitlines()
    assert lines[0] == f"{site}: 5 images, tiny"
    assert lines[1] == "  shallow: grid 10 × 16 and 2 others, 6 channels, 5 kB int8"
    error = exporter.load_bundle(site).layers[0].error
    assert lines[2] == f"    similarity error at most {error.max:.4f}, rms {error.rms:.5f} ({error.pairs:,} pairs of {error.patches:,} sampled patches)"
    assert lines[3].startswith("  deep: grid 5 × 8 and 2 others, 10 channels")
    assert re.fullmatch(r"  \d+ kB in all, of it features 8 kB, images \d kB", lines[5])
    total = sum(len(data) for data in contents(site).values())
    assert f"{total / 1000:.0f} kB in all" in lines[5]
    assert lines[6:] == [f"Open it: overlay-serve {site} --open"]


def test_the_summary_of_a_page(photos, tiny, tmp_path):
    page = tmp_path / "my.html"
    run = invoke("overlay-export", photos / "dogs" / "rex.jpg", "-o", page, *tiny)
    assert run.stdout.splitlines()[0] == f"{page}: 1 image, tiny"
    assert run.stdout.splitlines()[-1] == f"Open it: double-click {page}"
    assert f"{page.stat().st_size / 1000:.0f} kB in all" in run.stdout


def test_every_number_of_preprocessing_reaches_the_network(photos, tiny, tmp_path):
    numbers = ["--mean", "0.5", "--std", "0.25,0.5,1", "--input-range", "-1,1"]
    assert invoke("overlay-export", photos, "-o", tmp_path / "a", *tiny, *numbers).exit_code == 0
    assert invoke("overlay-export", photos, "-o", tmp_path / "b", *tiny).exit_code == 0
    (network,), (usual,) = (exporter.load_bundle(tmp_path / name).manifest.networks for name in "ab")
    assert (network.mean, network.std, network.input_range) == ((0.5,) * 3, (0.25, 0.5, 1), (-1, 1))
    assert (usual.mean, usual.std, usual.input_range) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), (0, 1))
    shard = "features/0-shallow-0000.bin"
    assert (tmp_path / "a" / shard).read_bytes() != (tmp_path / "b" / shard).read_bytes()


@pytest.mark.parametrize(
    ("fit", "size", "grid", "published"),
    [
        ("contain", 64, (10, 16), (96, 64)),
        ("stretch", 64, (16, 16), (96, 64)),
        ("crop", 64, (16, 16), (64, 64)),
        ("contain", 96, (16, 24), (96, 64)),
    ],
)
def test_size_and_fit(photos, tiny, tmp_path, fit, size, grid, published):
    assert invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny, "--size", size, "--fit", fit).exit_code == 0
    bundle = exporter.load_bundle(tmp_path / "site")
    image = next(image for image in bundle.images if image.id == "first")
    assert (bundle.grid(image, "shallow"), (image.width, image.height)) == (grid, published)
    assert (bundle.manifest.fit, bundle.manifest.size) == (fit, size)


def test_title_figures_and_layers(photos, tiny_network, tmp_path):
    more = ["--title", "Mine & yours", "--figures", "pair, gallery", "--layers", "deep", "--threads", 1, "--batch-size", 3]
    assert invoke("overlay-export", photos, "-o", tmp_path / "site", "--model", tiny_network, "--size", 64, *more).exit_code == 0
    content = exporter.load_bundle(tmp_path / "site").manifest
    assert content.title == "Mine & yours"
    assert [figure.type for figure in content.figures] == ["pair", "gallery"]
    assert [layer.id for layer in content.layers] == ["deep"]


def test_quiet_prints_nothing_and_force_replaces(photos, tiny, tmp_path):
    run = cli("overlay-export", photos, "-o", tmp_path / "site", *tiny, "--quiet")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    make_photo(photos / "second.png", 11)
    run = invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny, "--quiet", "--force")
    assert (run.exit_code, run.output) == (0, "")
    assert len(exporter.load_bundle(tmp_path / "site").images) == 6


def test_skipped_images_are_listed_at_the_end(photos, tiny, tmp_path):
    (photos / "broken.jpg").write_bytes(b"")
    run = invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny, "--skip-bad", "--quiet")
    assert run.exit_code == 0
    assert run.stderr.splitlines() == [f"Skipped: {photos / 'broken.jpg'}: an empty file (0 bytes); copy it again from where it came"]
    assert "broken" not in (tmp_path / "site" / "bundle.json").read_text()


def test_a_terminal_sees_progress_and_quiet_does_not(photos, tiny, tmp_path):
    code, shown = on_terminal(photos, "-o", tmp_path / "site", *tiny)
    assert code == 0
    for label in ("Checking images", "Running the network"):
        assert re.search(rf"{label} .*5/5", shown), shown
    assert "Open it: overlay-serve" in shown
    assert on_terminal(photos, "-o", tmp_path / "site", *tiny, "--force", "--quiet") == (0, "")


@pytest.mark.parametrize("command", COMMANDS)
def test_version_and_help(command):
    assert invoke(command, "--version").stdout.endswith(f", version {exporter.__version__}\n")
    for flag in ("-h", "--help"):
        run = invoke(command, flag)
        assert run.exit_code == 0 and run.stdout.startswith("Usage: ") and "--version" in run.stdout


def test_version_in_a_process_of_its_own():
    run = cli("overlay-export", "--version")
    assert (run.returncode, run.stdout) == (0, f"overlay-export, version {exporter.__version__}\n")


def test_layers_of_the_default_network(model_cache):
    run = cli("overlay-layers", "--size", "224")
    assert (run.returncode, run.stderr) == (0, "")
    lines = run.stdout.splitlines()
    assert lines[0].split() == ["name", "alias", "stride", "grid", "at", "224x224", "channels", "values"]
    assert "_blocks.10 block3 16 14 x 14 112 signed".split() in [line.split() for line in lines]
    assert "head 32 7 x 7 1280 not negative".split() in [line.split() for line in lines]
    assert "_fc: not available, is never run" in lines


def test_layers_of_an_onnx_file(tiny_network):
    run = invoke("overlay-layers", "--model", tiny_network, "--size", 100)
    table = [line.split() for line in run.stdout.splitlines()]
    assert "grid at 104x104" in run.stdout.splitlines()[0]
    assert "shallow 4 26 x 26 6 not negative".split() in table
    assert "deep 8 13 x 13 10 signed".split() in table


def test_verify_says_what_it_checked(photos, tiny, tiny_network, tmp_path):
    site = tmp_path / "site"
    invoke("overlay-export", photos, "-o", site, *tiny)
    size = sum(len(data) for name, data in contents(site).items() if name.startswith(("images/", "features/")))
    run = cli("overlay-verify", site)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == f"{site}: 2 shards and 5 images are whole, {size / 1000:.0f} kB\n"
    run = invoke("overlay-verify", site, "--images", photos, "--model", tiny_network, "--threads", 2)
    # So few patches that the export measured all of them.
    for line, layer in zip(run.stdout.splitlines()[1:], exporter.load_bundle(site).layers, strict=True):
        error = layer.error
        assert line == f"  {layer.id}: similarity error at most {error.max:.4f}, rms {error.rms:.5f} (all {error.pairs:,} pairs of {error.patches:,} patches)"
    assert invoke("overlay-verify", site, "--quiet").output == ""


def test_a_warm_run_imports_no_torch(demo_photos, model_cache, tmp_path):
    code = """
import sys
from exporter.cli import export_command
export_command(standalone_mode=False)
print(sorted({"torch", "torchvision", "onnxscript", "efficientnet_lite_pytorch", "scipy", "skimage"} & set(sys.modules)))
"""
    run = run_python(code, model_cache, str(demo_photos / "people"), "-o", str(tmp_path / "site"), "--size", "64", "--quiet")
    assert (run.stdout, run.stderr) == ("[]\n", "")
    assert json.loads((tmp_path / "site" / "bundle.json").read_bytes())["networks"][0]["id"] == "efficientnet-lite0"


def test_importing_the_package_costs_nothing(tmp_path):
    code = "import sys, exporter; print({'numpy', 'PIL', 'onnx', 'click', 'jinja2'} & set(sys.modules)); exporter.nothing"
    run = run_python(code, tmp_path)
    assert run.stdout == "set()\n"
    assert run.stderr.splitlines()[-1] == "AttributeError: module 'exporter' has no attribute 'nothing'"


def test_verbose_tells_what_was_tried(photos, tiny, tmp_path):
    run = invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny, "--verbose", "--max-error", "0.05")
    layer = exporter.load_bundle(tmp_path / "site").layers[0]
    lines = run.stdout.splitlines()
    assert lines[3] == "    tried for an error of at most 0.05:"
    for line, one in zip(lines[4:], layer.tried, strict=False):
        assert line.startswith(f"      {one.integers} as {one.encoding}, {one.dims} dims: about ")
        assert f", error at most {one.max:.4f}, rms {one.rms:.5f} ({one.patches:,} patches)" in line
        assert line.endswith(", taken") == ((one.integers, one.encoding) == (layer.integers, layer.encoding))
    assert "tried" not in invoke("overlay-export", photos, "-o", tmp_path / "other", *tiny).stdout


def test_encodings_of_the_command_line_are_all_there_are():
    (option,) = (parameter for parameter in commands.export_command.params if parameter.name == "encoding")
    assert tuple(option.type.choices) == ENCODINGS


@pytest.mark.parametrize("most", ["0", "-1", "1.01", "much"])
def test_an_error_that_cannot_be_meant(photos, tiny, tmp_path, most):
    refused(invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny, "--max-error", most), 2, "Invalid value for '--max-error'")
