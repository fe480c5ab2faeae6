"""Networks on the command line: labels, layers for each, what does not go together, verifying, default figures."""

import json
import re
import shutil
from pathlib import Path

import pytest

import exporter
from tests.conftest import cli, contents, invoke, make_photos, refused
from tests.onnx_graphs import build, tiny


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return tiny(tmp_path_factory.mktemp("one") / "one.onnx", 1)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    return tiny(tmp_path_factory.mktemp("two") / "two.onnx", 2)


@pytest.fixture
def export(photos, tmp_path):
    """Runs overlay-export on the photos at a small size."""

    def run(*options, output="site"):
        return invoke("overlay-export", photos, "-o", tmp_path / output, "--size", 64, *options)

    return run


@pytest.fixture(scope="module")
def exported(tmp_path_factory, one, two):
    """A site of two networks, two layers each. Not to be changed."""
    folder = tmp_path_factory.mktemp("exported")
    photos = make_photos(folder / "photos")
    assert invoke("overlay-export", photos, "-o", folder / "site", "--size", 64, "--model", one, "--model", two, "--layers", "shallow,deep").exit_code == 0
    return folder / "site"


@pytest.fixture
def site(photos, exported, tmp_path):
    """A copy of it, beside the photos."""
    return Path(shutil.copytree(exported, tmp_path / "site"))


def layers(site):
    return [layer["id"] for layer in json.loads((site / "bundle.json").read_bytes())["layers"]]


def figures(site):
    return [figure["type"] for figure in json.loads((site / "bundle.json").read_bytes())["figures"]]


def test_the_summary_names_all_networks_and_layers(export, one, two, tmp_path):
    lines = export("--model", one, "--model", f"second={two}", "--layers", "shallow,deep").stdout.splitlines()
    assert lines[0] == f"{tmp_path / 'site'}: 5 images, one; two"
    assert [line.split(":")[0].strip() for line in lines[1:9:2]] == ["one/shallow", "one/deep", "second/shallow", "second/deep"]


def test_labels(export, one, two, tmp_path):
    run = export("--model", f"before={one}", "--model", f"after training={two}", "--layers", "deep")
    assert (run.exit_code, run.stderr) == (0, "")
    content = exporter.load_bundle(tmp_path / "site").manifest
    assert [(network.id, network.name, network.source) for network in content.networks] == [("before", "one", "one.onnx"), ("after training", "two", "two.onnx")]
    assert layers(tmp_path / "site") == ["before/deep", "after training/deep"]
    assert content.layers[1].shards[0].file == "features/1-after-training-deep-0000.bin"


def test_one_network_keeps_plain_layer_ids_with_a_label_too(export, one, tmp_path):
    assert export("--model", f"mine={one}", "--layers", "deep").exit_code == 0
    assert layers(tmp_path / "site") == ["deep"]
    assert exporter.load_bundle(tmp_path / "site").manifest.networks[0].id == "mine"


def test_a_file_with_an_equals_sign_in_its_name_is_a_file(export, tmp_path, monkeypatch):
    tiny(tmp_path / "lr=0.1.onnx")
    monkeypatch.chdir(tmp_path)
    assert export("--model", "lr=0.1.onnx", "--layers", "deep").exit_code == 0
    assert exporter.load_bundle(tmp_path / "site").manifest.networks[0].source == "lr=0.1.onnx"


def test_labels_are_text_wherever_they_are_shown(export, one, two, tmp_path):
    label = '<b title "x">&'
    for output in ("site", "page.html"):
        assert export("--model", f"{label}={one}", "--model", f"größe={two}", "--layers", "deep", output=output).exit_code == 0
        assert exporter.load_bundle(tmp_path / output).layers[0].id == f"{label}/deep"
        page = (tmp_path / output / "index.html" if output == "site" else tmp_path / output).read_text("utf-8")
        assert "<b title" not in page and "größe/deep" in page


def test_one_file_under_two_labels(export, one, tmp_path):
    assert export("--model", f"a={one}", "--model", f"b={one}", "--layers", "deep").exit_code == 0
    bundle = exporter.load_bundle(tmp_path / "site")
    assert (bundle.codes("rex", "a/deep") == bundle.codes("rex", "b/deep")).all()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["--layers", "deep"], ["one/deep", "two/deep"]),
        (["--layers", "deep", "--layers", "shallow"], ["one/deep", "two/shallow"]),
        (["--layers", "deep,shallow", "--layers", "deep"], ["one/shallow", "one/deep", "two/deep"]),
        (["--layers", "[ds]*"], ["one/shallow", "one/deep", "two/shallow", "two/deep"]),
        (["--layers", "s*", "--layers", " conv , de??"], ["one/shallow", "two/conv", "two/deep"]),
    ],
    ids=lambda value: " ".join(value) if value[0] == "--layers" else "",
)
def test_layers_for_all_networks_or_for_each(export, one, two, tmp_path, asked, found):
    assert export("--model", one, "--model", two, *asked).exit_code == 0
    assert layers(tmp_path / "site") == found


def test_the_order_of_options_does_not_matter_but_that_of_networks(export, one, two, photos, tmp_path):
    models, names = ["--model", one, "--model", two], ["--layers", "deep", "--layers", "shallow"]
    assert export(*models, *names, output="a").exit_code == 0
    assert export(*names, *models, "--threads", 1, "--batch-size", 4, output="b").exit_code == 0
    run = invoke("overlay-export", names[0], names[1], models[0], models[1], "--size", 64, photos, names[2], names[3], models[2], models[3], "-o", tmp_path / "c")
    assert run.exit_code == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b") == contents(tmp_path / "c")
    assert export(*models[2:], *models[:2], *names, output="d").exit_code == 0
    assert layers(tmp_path / "d") == ["two/deep", "one/shallow"]


WRONG = {
    "same file twice": (["{one}", "{one}"], ["--layers", "deep"], "two networks have the label 'one': expected a different one for each; give labels, as in --model first=one"),
    "same label twice": (["a={one}", "a={two}"], ["--layers", "deep"], "two networks have the label 'a'"),
    "label of another": (["two={one}", "{two}"], ["--layers", "deep"], "two networks have the label 'two'"),
    "too few layers": (["{one}", "{two}", "c={two}"], ["--layers", "deep", "--layers", "deep"], "--layers is given 2 times for 3 networks: expected it once for all, or once for each network in order"),
    "too many layers": (["{one}"], ["--layers", "deep", "--layers", "shallow"], "--layers is given 2 times for 1 network: expected it once for all"),
    "unknown in the second": (["{one}", "{two}"], ["--layers", "deep", "--layers", "depe"], "two.onnx has no layer 'depe': near names are deep; overlay-layers with the same --model lists all"),
    "glob of nothing": (["{one}", "{two}"], ["--layers", "x*"], r"The pattern 'x\*' matches no layer with a spatial grid; overlay-layers with the same --model"),
    "none named": (["{one}", "{two}"], ["--layers", "deep", "--layers", ","], "No layer was named: expected names, aliases or globs; overlay-layers with the same --model"),
    "no aliases": (["{one}"], [], "one.onnx has no block3 or block4, which are shown where --layers is left out: expected --layers; its deepest are conv, shallow, deep, overlay-layers with the same --model lists all"),
    "no such file": (["{one}", "b=none.onnx"], ["--layers", "deep"], "No such file: 'none.onnx', expected an ONNX file; check the path given to --model"),
    "weights": (["{one}"], ["--layers", "deep", "--weights", "random"], "one.onnx holds its own weights: expected no --weights with an ONNX file; leave it out"),
    "weights for one of two": (["{one}", "{two}", "c={two}"], ["--weights", "random", "--weights", "random"], "--weights is given 2 times for 3 networks: expected it once for all, or once for each --model in order"),
    "checkpoint of ONNX": (["{one}"], ["--checkpoint", "{two}"], "one.onnx holds its own weights: expected no --weights"),
    "checkpoints of several": (["{one}", "{two}"], ["--checkpoint", "{two}"], "--checkpoint goes with one --model and no --weights: expected one architecture, whose weights the checkpoints are"),
    "checkpoints and weights": (["{one}"], ["--checkpoint", "{two}", "--weights", "random"], "--checkpoint goes with one --model and no --weights"),
    "checkpoints of one name": (["{one}"], ["--checkpoint", "{two}", "--checkpoint", "x/two.pt"], "two networks have the label 'two': .* or --checkpoint epoch1=FILE"),
    "size, a word": (["{one}"], ["--input-size", "large"], "--input-size.*'large' is not 1 or 2 whole numbers between commas"),
    "size, a fraction": (["{one}"], ["--input-size", "22.5"], "--input-size.*'22.5' is not 1 or 2 whole numbers"),
    "size, three": (["{one}"], ["--input-size", "1,2,3"], "--input-size.*'1,2,3' is not 1 or 2 whole numbers"),
    "size, nothing": (["{one}"], ["--input-size", ""], "--input-size.*'' is not 1 or 2 whole numbers"),
    "size, too small": (["{one}"], ["--layers", "deep", "--input-size", "7"], r"--input-size is \(7,\): expected one number, or height,width, of 8 to 4096 pixels, like --input-size 224"),
    "size, negative": (["{one}"], ["--layers", "deep", "--input-size", "224,-224"], r"--input-size is \(224, -224\): expected"),
    "size, too large": (["{one}"], ["--layers", "deep", "--input-size", "4097"], "--input-size is .*: expected .* 8 to 4096 pixels"),
    "prefix": (["{one}"], ["--prefix-tokens", "one"], "--prefix-tokens.*'one' is not a valid integer"),
    "device": (["{one}"], ["--device", "tpu"], "--device.*'tpu' is not one of 'cpu', 'cuda', 'mps', 'auto'"),
    "cuda with ONNX": (["{one}"], ["--layers", "deep", "--device", "cuda"], "one.onnx runs on the CPU only, expected --device cpu, got cuda; pass the network as torch code for an accelerator"),
    "figure": (["{one}"], ["--layers", "deep", "--figures", "layer"], 'unknown figure "layer", expected one or more of .*; did you mean "layers"'),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_does_not_go_together(site, export, one, two, tmp_path, kind):
    models, options, message = WRONG[kind]
    before = contents(site)
    given = [str(option).format(one=one, two=two) for name in models for option in ("--model", name)] + [option.format(one=one, two=two) for option in options]
    refused(export(*given, "--force"), 2, message)
    assert contents(site) == before and {path.name for path in tmp_path.iterdir()} == {"photos", "site"}


def test_a_wrong_line_in_a_process_of_its_own(photos, one, two, tmp_path):
    run = cli("overlay-export", photos, "-o", tmp_path / "site", "--model", one, "--model", two, "--layers", "deep", "--checkpoint", "epoch.pt")
    refused(run, 2, "^Error: --checkpoint goes with one --model")
    assert run.stderr.count("\n") == 1 and not (tmp_path / "site").exists()


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_an_accelerator_that_is_not_here(site, export, monkeypatch, device):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    before = contents(site)
    refused(export("--force", "--device", device), 2, f"^Error: No device '{device}' here: torch sees cpu; use --device auto, or install a torch built for it")
    assert contents(site) == before


def test_auto_takes_the_processor_for_an_onnx_file(export, one, tmp_path):
    assert export("--model", one, "--layers", "deep", "--device", "auto", output="auto").exit_code == 0
    assert export("--model", one, "--layers", "deep", output="cpu").exit_code == 0
    assert contents(tmp_path / "auto") == contents(tmp_path / "cpu")


def test_layers_are_listed_for_one_network(one, two):
    refused(invoke("overlay-layers", "--model", one, "--model", two), 2, "--model is given 2 times: expected one network to list; run overlay-layers once for each")
    refused(invoke("overlay-layers", "--model", one, "--weights", "random"), 2, "one.onnx holds its own weights")
    refused(invoke("overlay-layers", "--model", one, "--input-size", "x"), 2, "'x' is not 1 or 2 whole numbers")
    run = invoke("overlay-layers", "--model", f"mine={one}", "--input-size", "40,80", "--size", 500)
    assert run.exit_code == 0 and run.stdout.splitlines()[0].split()[-4:] == ["at", "80x40", "channels", "values"]
    assert "deep 8 5 x 10 10 signed".split() in [line.split() for line in run.stdout.splitlines()]


@pytest.mark.parametrize(
    ("count", "names", "expected"),
    [(1, "deep", ["gallery", "pair"]), (1, "deep,shallow", ["gallery", "pair", "layers"]), (2, "deep", ["layers", "gallery", "pair"]), (2, "deep,shallow", ["layers", "gallery", "pair"])],
    ids=["one layer", "several layers", "several networks", "several of both"],
)
def test_default_figures(export, one, two, tmp_path, count, names, expected):
    models = [word for path in (one, two)[:count] for word in ("--model", path)]
    assert export(*models, "--layers", names).exit_code == 0
    assert figures(tmp_path / "site") == expected
    shown = re.findall(r'<similarity-overlay[^>]* figure="(\w+)"', (tmp_path / "site" / "index.html").read_text("utf-8"))
    assert shown == expected
    assert export(*models, "--layers", names, "--figures", "pair", "--force").exit_code == 0
    assert figures(tmp_path / "site") == ["pair"]


def test_verifying_runs_all_networks(site, photos, one, two):
    run = invoke("overlay-verify", site, "--images", photos, "--model", one, "--model", two, "--threads", 2)
    assert (run.exit_code, run.stderr) == (0, "")
    stated = [f"  {x.id}: similarity error at most {x.error.max:.4f}, rms {x.error.rms:.5f} (all {x.error.pairs:,} pairs of {x.error.patches:,} patches)" for x in exporter.load_bundle(site).layers]
    assert run.stdout.splitlines()[1:] == stated and len(stated) == 4


def test_verifying_wants_the_files_of_all_networks(site, photos, one, two, tmp_path):
    verify = ["overlay-verify", site, "--quiet", "--images", photos]
    refused(invoke(*verify), 2, "^Error: the site was made with files or own code; pass those again with --model one=one.onnx --model two=two.onnx, as to overlay-export")
    refused(invoke(*verify, "--model", one), 2, "^Error: 1 network is given, the site was made with 2; pass all of them in order, as to overlay-export")
    refused(invoke(*verify, "--model", one, "--model", one), 2, "two networks have the label 'one'")
    refused(invoke(*verify, "--model", two, "--model", one), 1, r"^Error: two.onnx has weights \w+…, network 'one' of the site has \w+… \(one.onnx\); pass that one with --model")
    other = tiny(tmp_path / "two.onnx", 3)
    refused(invoke(*verify, "--model", one, "--model", other), 1, r"^Error: two.onnx has weights \w+…, network 'two' of the site has \w+… \(two.onnx\)")
    assert invoke(*verify, "--model", one, "--model", two).exit_code == 0


def test_networks_of_free_and_of_fixed_size_together(export, one, tmp_path):
    path = tmp_path / "fixed.onnx"
    path.write_bytes(build(shape=(1, 3, 40, 40)).SerializeToString())
    run = export("--model", one, "--model", path, "--layers", "deep", "--layers", "second", "--fit", "stretch")
    assert (run.exit_code, run.stderr) == (0, "Warning: fixed.onnx takes only images of 40 x 40 pixels (height x width): they were brought to that shape, --size 64 was not used\n")
    grids = [set(layer.grids) for layer in exporter.load_bundle(tmp_path / "site").layers]
    assert grids == [{(8, 8)}, {(10, 10)}]
