"""--factors: sets of factors in a site, of which images and whose features; the same bytes however they are made."""

import os
import re
import shutil
import signal
import subprocess

import numpy as np
import onnx
import pytest
from PIL import Image

import exporter
from exporter import factors, spool
from exporter.factor_requests import Wanted, find_sources
from exporter.images import find_images
from exporter.marks import foreign_files
from exporter.models.factor_taps import TABLE
from exporter.networks import Opened
from exporter.pixels import Fit, decode, fit_image
from tests.conftest import command_line, contents, invoke, make_photo, refused
from tests.onnx_graphs import reference, tiny
from tests.test_resume import end, resumed

WANTED = ["--factors", "3,2:dogs,2:each"]


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return tiny(tmp_path_factory.mktemp("network") / "tiny.onnx", 5)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Photos of two groups and some of none."""
    folder = tmp_path_factory.mktemp("pictures") / "photos"
    for seed, name in enumerate(["a.png", "b.png", "cats/c.png", "cats/d.png", "dogs/e.png", "dogs/f.png", "dogs/g.png"]):
        make_photo(folder / name, seed, [(96, 64), (64, 96), (80, 80)][seed % 3])
    return folder


def options(network, *more):
    return ["--model", network, "--layers", "shallow,deep", "--size", "64", *more]


@pytest.fixture(scope="module")
def run(tmp_path_factory, pictures, network):
    """(site, what the command said)"""
    site = tmp_path_factory.mktemp("sites") / "site"
    done = invoke("overlay-export", pictures, "-o", site, *options(network, *WANTED))
    assert done.exit_code == 0, done.stderr
    return site, done.stdout


@pytest.fixture(scope="module")
def site(run):
    return run[0]


def features(pictures, network, layer):
    """{image id: float64 (patches, channels)} by ONNX Runtime alone."""
    found = {}
    for image in find_images([pictures]).images:
        pixels = fit_image(decode(image.path, least=64), Fit("contain", 64, 8))
        (maps,) = reference(onnx.load(network), pixels[None], [layer])
        found[image.id] = maps[0].reshape(maps.shape[1], -1).T.astype(np.float64)
    return found


def test_what_is_there(site):
    bundle = exporter.load_bundle(site)
    expected = [(layer, count, group) for layer in ("shallow", "deep") for count, group in ((3, None), (2, "dogs"), (2, "cats"))]
    assert [(one.layer, one.count, one.group) for one in bundle.factors] == expected
    assert [one.id for one in bundle.factors[:3]] == ["shallow:3", "shallow:2:dogs", "shallow:2:cats"]
    assert {one.parts for one in bundle.factors[:3]} == {"whole"} and {one.parts for one in bundle.factors[3:]} == {"split"}
    assert [one.module for one in bundle.factors] == ["shallow"] * 3 + ["deep"] * 3
    assert bundle.factors[0].file == "factors/0-shallow-3.bin"
    for one in bundle.factors:
        images = [image for image in bundle.images if one.group in (None, image.group)]
        assert bundle.factored(one) == images and one.patches == sum(rows * cols for rows, cols in (bundle.grid(image, one.layer) for image in images))
        for image in images:
            weights = bundle.weights(one.id, image.id)
            assert weights.shape == (*bundle.grid(image, one.layer), one.count) and weights.dtype == np.float32
        totals = sum(bundle.weights(one, image).sum(axis=(0, 1)) for image in images)
        assert (np.diff(totals) <= 0).all()
    assert bundle.manifest.figures[-1].type == "factors"


@pytest.mark.parametrize("layer", ["shallow", "deep"])
def test_weights_and_error_are_those_of_the_features(site, pictures, network, layer):
    """The best components for these weights reconstruct as well as is said."""
    bundle, found = exporter.load_bundle(site), features(pictures, network, layer)
    for one in (one for one in bundle.factors if one.layer == layer):
        weights = np.concatenate([bundle.weights(one, image).reshape(-1, one.count) for image in bundle.factored(one)]).astype(np.float64)
        flat = np.concatenate([found[image.id] for image in bundle.factored(one)])
        flat = np.concatenate([flat.clip(0), (-flat).clip(0)], axis=1)
        flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-30)
        components = np.linalg.lstsq(weights, flat, rcond=None)[0].clip(0)
        assert np.linalg.norm(components, axis=1) == pytest.approx(np.ones(one.count), abs=0.03)
        assert np.linalg.norm(flat - weights @ components) / np.linalg.norm(flat) == pytest.approx(one.error, abs=0.005)


def test_the_summary_tells_of_each_set(run):
    site, said = run
    bundle = exporter.load_bundle(site)
    first, last = bundle.factors[0], bundle.factors[-1]
    assert f"    3 factors: reconstruction error {first.error:.3f} on {first.patches:,} patches, " in said
    assert f'    2 factors of group "cats", positive and negative parts: reconstruction error {last.error:.3f}' in said
    assert ", factors " in said.splitlines()[-2]


def test_the_whole_site_is_the_exports_own_and_verified(site, tmp_path):
    assert foreign_files(site) == []
    assert ", 6 sets of factors and 7 images are whole" in invoke("overlay-verify", site).stdout
    copy = shutil.copytree(site, tmp_path / "copy")
    file = copy / "factors" / "0-shallow-3.bin"
    file.write_bytes(file.read_bytes()[:-1])
    refused(invoke("overlay-verify", copy), 1, r"Error: factors/0-shallow-3.bin: is \d+ bytes, expected \d+")
    file.unlink()
    refused(invoke("overlay-verify", copy), 1, "Error: factors/0-shallow-3.bin: is missing in")


def test_a_page_holds_the_same(site, pictures, network, tmp_path):
    page = tmp_path / "page.html"
    assert invoke("overlay-export", pictures, "-o", page, *options(network, *WANTED)).exit_code == 0
    bundles = exporter.load_bundle(site), exporter.load_bundle(page)
    assert bundles[0].factors == bundles[1].factors
    for one in bundles[0].factors:
        for image in bundles[0].factored(one):
            assert (bundles[0].weights(one, image) == bundles[1].weights(one, image)).all()
    assert "6 sets of factors" in invoke("overlay-verify", page).stdout


def test_the_rest_of_the_site_is_as_without_factors(site, pictures, network, tmp_path):
    assert invoke("overlay-export", pictures, "-o", tmp_path / "plain", *options(network)).exit_code == 0
    plain, found = contents(tmp_path / "plain"), contents(site)
    assert set(found) - set(plain) == {one.file for one in exporter.load_bundle(site).factors}
    assert {name for name in plain if plain[name] != found[name]} == {"bundle.json", "index.html"}


def test_centering_leaves_factors_as_they_are(site, pictures, network, tmp_path):
    assert invoke("overlay-export", pictures, "-o", tmp_path / "site", "--center", *options(network, *WANTED)).exit_code == 0
    assert exporter.load_bundle(tmp_path / "site").factors == exporter.load_bundle(site).factors


@pytest.mark.parametrize("threads", ["1", "4"])
def test_bytes_do_not_depend_on_threads(site, pictures, network, tmp_path, threads):
    """Nor on those of BLAS and OpenMP: in processes of their own, which read the environment."""
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    subprocess.run(command_line("overlay-export", pictures, "-o", tmp_path / "site", *options(network, *WANTED, "--threads", threads, "--quiet")), check=True, env=environment)
    assert contents(tmp_path / "site") == contents(site)


FROM = ["--factors", "3", "--factors-from", "conv+"]


def test_another_modules_map(pictures, network, tmp_path):
    """`conv` is `shallow` before its ReLU, so its positive part has the same factors."""
    said = invoke("overlay-export", pictures, "-o", tmp_path / "site", *options(network, *FROM)).stdout
    bundle = exporter.load_bundle(tmp_path / "site")
    shallow, deep = bundle.factors
    assert (shallow.module, shallow.parts, deep.module, deep.parts) == ("conv", "positive", "deep", "split")
    assert "    3 factors of conv, positive part: reconstruction error" in said
    assert [layer.id for layer in bundle.layers] == ["shallow", "deep"] and [path.name for path in tmp_path.iterdir()] == ["site"]
    assert invoke("overlay-export", pictures, "-o", tmp_path / "own", *options(network, "--factors", "3")).exit_code == 0
    own = exporter.load_bundle(tmp_path / "own").factors[0]
    assert (own.sha256, own.error, own.peaks) == (shallow.sha256, shallow.error, shallow.peaks)


def test_a_map_that_is_a_layer_too_and_one_for_two_layers(pictures, network, tmp_path):
    arguments = ["--model", network, "--size", "64", "--layers", "shallow,conv", "--factors", "2", "--factors-from"]
    found = {}
    for module in ("shallow", "conv"):
        assert invoke("overlay-export", pictures, "-o", tmp_path / module, *arguments, module).exit_code == 0
        found[module] = [(one.layer, one.module, one.sha256) for one in exporter.load_bundle(tmp_path / module).factors]
        assert [name for _, name, _ in found[module]] == [module, module] and len({digest for *_, digest in found[module]}) == 1
    assert found["conv"][0][2] != found["shallow"][0][2]


def test_what_is_factorised_for_the_default_network(model_cache):
    model = exporter.open_model()
    networks = [Opened("lite", model, model.resolve(["block3", "block4"]))]
    found = [find_sources(networks, names, [Wanted(4)])[0] for names in ([], ["block3"], ["_blocks.9+"])]
    told = [{id: (source.info.module, source.positive) for id, source in sources.items()} for sources in found]
    assert told[0] == {"block3": ("_blocks.11._bn0", True), "block4": ("_blocks.14", False)}
    assert [one["block3"] for one in told[1:]] == [("_blocks.10", False), ("_blocks.9", True)]
    assert {one["block4"] for one in told} == {("_blocks.14", False)}
    for network, pairs in TABLE.items():
        model = exporter.open_model(network)
        assert all(model.info(tap).grid(448, 320) == model.info(module).grid(448, 320) for module, tap in pairs.items())


def test_every_network_has_its_own(site, pictures, network, tmp_path):
    other = tiny(tmp_path / "other.onnx", 6)
    arguments = ["--model", f"a={other}", "--model", f"b={network}", "--layers", "shallow,deep", "--size", "64", "--factors", "3"]
    assert invoke("overlay-export", pictures, "-o", tmp_path / "site", *arguments).exit_code == 0
    both, alone = exporter.load_bundle(tmp_path / "site").factors, exporter.load_bundle(site).factors
    assert [one.id for one in both] == ["a/shallow:3", "a/deep:3", "b/shallow:3", "b/deep:3"]
    assert [one.sha256 for one in both[2:]] == [alone[0].sha256, alone[3].sha256] and both[0].sha256 != both[2].sha256


@pytest.fixture
def short_parts(monkeypatch):
    monkeypatch.setattr(spool, "PART_IMAGES", 3)


@pytest.mark.parametrize("place", [("choose", 1), ("choose", 2), ("write_factors", 2), ("strongest_patch", 1)], ids=str)
def test_a_resumed_run_gives_the_same(pictures, network, tmp_path, short_parts, place):
    copy = shutil.copytree(pictures, tmp_path / "photos")
    assert end(copy, network, place, signal.SIGKILL, *FROM) == (-signal.SIGKILL, "")
    assert "7 of 7 images are taken over" in resumed(copy, network, *FROM)
    assert invoke("overlay-export", copy, "-o", tmp_path / "whole", *options(network, *FROM)).exit_code == 0
    assert contents(tmp_path / "site") == contents(tmp_path / "whole")


@pytest.mark.parametrize(("layer", "kept"), [(1, 7), (2, 0)])
def test_a_resumed_run_with_other_factors_has_those(pictures, network, tmp_path, short_parts, layer, kept):
    """Features are of use as long as no layer is finished."""
    copy = shutil.copytree(pictures, tmp_path / "photos")
    end(copy, network, ("write_factors", layer), signal.SIGKILL, "--factors", "3")
    assert f"{kept} of 7 images are taken over" in resumed(copy, network, "--factors", "2")
    assert [one.count for one in exporter.load_bundle(tmp_path / "site").factors] == [2, 2]


def test_one_image_of_one_colour_has_factors_that_are_told_to_be_empty(network, tmp_path):
    Image.new("RGB", (64, 64), (124, 116, 104)).save(tmp_path / "grey.png")
    run = invoke("overlay-export", tmp_path / "grey.png", "-o", tmp_path / "site", *options(network, "--factors", "4"))
    assert run.exit_code == 0
    assert [(one.count, one.patches) for one in exporter.load_bundle(tmp_path / "site").factors] == [(4, 256), (4, 64)]
    assert re.search(r"Warning: factors \S+:4: factors? [\d, ]+ ha(s|ve) a weight of 0 everywhere, the features have fewer directions", run.stderr)


def test_features_that_are_all_zero_have_empty_factors(pictures, network, tmp_path):
    dead = onnx.load(network)
    for tensor in dead.graph.initializer:
        tensor.CopyFrom(onnx.numpy_helper.from_array(0 * onnx.numpy_helper.to_array(tensor), tensor.name))
    onnx.save(dead, tmp_path / "dead.onnx")
    run = invoke("overlay-export", pictures, "-o", tmp_path / "site", *options(tmp_path / "dead.onnx", "--factors", "2"))
    assert run.exit_code == 0
    assert "Warning: factors deep:2: factors 1, 2 have a weight of 0 everywhere, all features are zero\n" in run.stderr
    bundle = exporter.load_bundle(tmp_path / "site")
    assert [(one.error, one.peaks) for one in bundle.factors] == [(0, (0, 0))] * 2
    assert not bundle.weights("deep:2", "a").any()


def test_rounds_that_were_not_enough_are_told(pictures, network, tmp_path, monkeypatch):
    monkeypatch.setattr(factors, "MOST_ROUNDS", 2)
    run = invoke("overlay-export", pictures, "-o", tmp_path / "site", *options(network, "--factors", "3"))
    assert "Warning: factors shallow:3: did not converge in 2 rounds" in run.stderr


def test_the_figure_alone_asks_for_four(pictures, network, tmp_path):
    assert invoke("overlay-export", pictures, "-o", tmp_path / "site", *options(network, "--figures", "factors")).exit_code == 0
    bundle = exporter.load_bundle(tmp_path / "site")
    assert [one.count for one in bundle.factors] == [4, 4] and [figure.type for figure in bundle.manifest.figures] == ["factors"]


def test_from_python(site, pictures, network, tmp_path):
    exporter.export(pictures, tmp_path / "site", model=network, layers=["shallow", "deep"], size=64, factors=[3, "2:dogs", "2:each"])
    assert exporter.load_bundle(tmp_path / "site").factors == exporter.load_bundle(site).factors
    bundle = exporter.load_bundle(site)
    with pytest.raises(exporter.bundle.UsageError, match='no factors "x" in this bundle; it has shallow:3'):
        bundle.weights("x", "a")
    with pytest.raises(exporter.bundle.UsageError, match='factors "shallow:2:dogs" are not of image "c"; they are of e, f, g'):
        bundle.weights("shallow:2:dogs", "c")


def test_none_are_asked_for(pictures, network, tmp_path):
    options = {"model": network, "layers": ["deep"], "size": 64}
    assert exporter.export(pictures, tmp_path / "site", factors=None, **options).manifest.factors == ()
    with pytest.raises(exporter.bundle.UsageError, match="--factors names no count, expected COUNT"):
        exporter.export(pictures, tmp_path / "other", factors=[], **options)


BAD = {
    ("--factors", "0"): "--factors is 0, expected 1 to 12: a page can tell no more colours apart",
    ("--factors", "4,13"): "--factors is 13, expected 1 to 12",
    ("--factors", "many"): '--factors has "many", expected COUNT or COUNT:GROUP',
    ("--factors", "4,,3"): '--factors has "", expected COUNT',
    ("--factors", ""): '--factors has "", expected COUNT',
    ("--factors", "-3"): '--factors has "-3"',
    ("--factors", "3:dog"): 'no image has the group "dog"; did you mean .dogs.[?]; expected each or one of cats, dogs',
    ("--factors", "3:"): 'no image has the group ""; expected each or one of cats, dogs',
    ("--factors", "7"): "--factors is 7, but shallow, which is factorised for shallow, has 6 channels",
    ("--factors", "2", "--factors-from", "dep"): "--factors-from dep: tiny.onnx has no layer 'dep': near names are deep",
    ("--factors-from", "conv"): "--factors-from conv without --factors: nothing is factorised; pass --factors too",
    ("--factors", "2", "--factors-from", "conv+,shallow"): r"--factors-from names both conv\+ and shallow for the layer shallow, whose grid they share",
    ("--factors", "2", "--factors-from", "*"): r"--factors-from names both conv and shallow for the layer shallow, whose grid they share",
}


@pytest.mark.parametrize("given", BAD, ids=" ".join)
def test_bad_input(pictures, network, tmp_path, given):
    refused(invoke("overlay-export", pictures, "-o", tmp_path / "site", *options(network, *given)), 2, f"Error: .*{BAD[given]}")
    assert list(tmp_path.iterdir()) == []


def test_bad_input_that_depends_on_images_and_layers(pictures, network, tmp_path):
    arguments = ["-o", tmp_path / "site", "--model", network, "--size", "64"]
    words = "--factors-from conv has a grid of 112 x 112, expected that of a layer of the page: deep 56 x 56"
    refused(invoke("overlay-export", pictures, *arguments, "--layers", "deep", "--factors", "2", "--factors-from", "conv"), 2, words)
    refused(invoke("overlay-export", pictures / "cats", *arguments, "--layers", "deep", "--factors", "2:each"), 2, "the images have no groups; sub-folders become groups")
    small = make_photo(tmp_path / "small.png", 1, (64, 8))
    few = [small, "-o", tmp_path / "site", "--model", network, "--size", "32", "--layers", "deep", "--factors", "5"]
    refused(invoke("overlay-export", *few), 1, "Error: deep: 5 factors of 4 patches cannot be found, expected at most as many factors as patches")
    assert not (tmp_path / "site").exists()
