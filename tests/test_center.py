"""--center: codes are those of features without the layer's mean, over all patches of all images; against plain numpy."""

import json
import shutil

import numpy as np
import onnx
import pytest
from PIL import Image

import exporter
from exporter.images import find_images
from exporter.pixels import Fit, decode, fit_image
from exporter.quantise import encode_int8
from exporter.verify import measure_error
from tests.conftest import contents, invoke, make_photo, recorded_progress
from tests.onnx_graphs import reference, tiny, transformer

LAYERS = ["shallow", "deep"]
# The plain code is known to the last integer.
PLAIN = {"size": 64, "encoding": "int8"}


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return tiny(tmp_path_factory.mktemp("network") / "tiny.onnx", 5)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Five photos of four shapes."""
    folder = tmp_path_factory.mktemp("pictures")
    for seed, size in enumerate([(96, 64), (64, 96), (200, 150), (80, 80), (96, 64)]):
        make_photo(folder / f"p{seed}.png", seed, size)
    return folder


@pytest.fixture(scope="module")
def sites(pictures, network, tmp_path_factory):
    """(plain, centered): the same export without and with `center`."""
    folder = tmp_path_factory.mktemp("sites")
    for center in (False, True):
        exporter.export(pictures, folder / str(center), model=network, layers=LAYERS, **PLAIN, center=center)
    return folder / "False", folder / "True"


def features(pictures, network, layer):
    """Features of every image by ONNX Runtime alone, float64 (patches, channels) each."""
    found = []
    for image in find_images([pictures]).images:
        pixels = fit_image(decode(image.path, least=64), Fit("contain", 64, 8))
        (maps,) = reference(onnx.load(network), pixels[None], [layer])
        found.append(maps[0].reshape(maps.shape[1], -1).T.astype(np.float64))
    return found


def assert_codes(bundle, layer, vectors):
    """The codes are those of these vectors; a value may round to its neighbour."""
    for image, values in zip(bundle.images, vectors, strict=True):
        codes = bundle.codes(image, layer).reshape(-1, values.shape[1]).astype(int)
        off = np.abs(codes - encode_int8(values))
        assert off.max() <= 1 and (off > 0).mean() < 1e-3


@pytest.mark.parametrize("layer", LAYERS)
def test_codes_are_those_of_features_without_their_mean(sites, pictures, network, layer):
    plain, centered = map(exporter.load_bundle, sites)
    vectors = features(pictures, network, layer)
    mean = np.concatenate(vectors).mean(axis=0)
    assert np.abs(mean).max() > 0.1
    assert_codes(centered, layer, [values - mean for values in vectors])
    assert_codes(plain, layer, vectors)
    for other in (np.mean([values.mean(axis=0) for values in vectors], axis=0), mean.mean()):
        with pytest.raises(AssertionError):
            assert_codes(centered, layer, [values - other for values in vectors])


def test_the_bundle_says_so(sites):
    plain, centered = (json.loads((site / "bundle.json").read_bytes())["layers"] for site in sites)
    assert [layer["centered"] for layer in centered] == [True, True]
    assert not any("centered" in layer for layer in plain)
    plain, centered = map(exporter.load_bundle, sites)
    assert [[layer.centered for layer in bundle.layers] for bundle in (plain, centered)] == [[False, False], [True, True]]
    assert (plain.manifest.networks, plain.manifest.images) == (centered.manifest.networks, centered.manifest.images)
    assert centered.layers[0].signed and not plain.layers[0].signed
    assert all(a.range != b.range for a, b in zip(plain.layers, centered.layers, strict=True))


def error_of(vectors):
    """Maximum and rms of the similarity errors over all pairs, in plain numpy."""

    def cosines(rows):
        norms = np.sqrt((rows**2).sum(axis=1))
        return rows @ rows.T / np.outer(norms, norms)

    errors = (cosines(encode_int8(vectors).astype(np.float64)) - cosines(vectors))[np.triu_indices(len(vectors), 1)]
    return np.abs(errors).max(), np.sqrt((errors**2).mean())


def test_the_error_is_that_against_centered_features(sites, pictures, network):
    """So few patches that the export measured all of them."""
    for layer in exporter.load_bundle(sites[1]).layers:
        vectors = np.concatenate(features(pictures, network, layer.id))
        assert layer.error.patches == len(vectors)
        most, rms = error_of((vectors - vectors.mean(axis=0)).astype(np.float32).astype(np.float64))
        assert layer.error.max == pytest.approx(most, rel=0.02) and layer.error.rms == pytest.approx(rms, rel=0.002)
        assert layer.error.rms != pytest.approx(error_of(vectors)[1], rel=0.02)


def test_verifying_centers_where_the_bundle_says_so(sites, pictures, network, tmp_path):
    for site in sites:
        bundle = exporter.load_bundle(site)
        assert measure_error(bundle, [pictures], network) == {layer.id: layer.error for layer in bundle.layers}
    silent = shutil.copytree(sites[1], tmp_path / "silent")
    (silent / "bundle.json").write_text((silent / "bundle.json").read_text("utf-8").replace('"centered":true,', ""), "utf-8")
    assert all(error.max > 0.2 for error in measure_error(exporter.load_bundle(silent), [pictures], network).values())


@pytest.mark.parametrize("options", [{"threads": 1}, {"threads": 4}, {"batch_size": 2}, {"threads": 2, "batch_size": 100}], ids=str)
def test_bytes_do_not_depend_on_threads_and_batches(sites, pictures, network, tmp_path, options):
    exporter.export(pictures, tmp_path / "site", model=network, layers=LAYERS, **PLAIN, center=True, **options)
    assert contents(tmp_path / "site") == contents(sites[1])


def test_on_the_command_line(sites, pictures, network, tmp_path):
    options = ["--model", network, "--layers", "shallow,deep", "--size", 64, "--encoding", "int8", "--quiet"]
    for flags, site in (([], sites[0]), (["--center"], sites[1])):
        assert invoke("overlay-export", pictures, "-o", tmp_path / site.name, *options, *flags).exit_code == 0
        assert contents(tmp_path / site.name) == contents(site)
    assert invoke("overlay-export", pictures, "-o", tmp_path / "page.html", *options, "--center").exit_code == 0
    assert exporter.load_bundle(tmp_path / "page.html").manifest == exporter.load_bundle(sites[1]).manifest
    run = invoke("overlay-verify", tmp_path / "page.html", "--images", pictures, "--model", network)
    stated = [f"at most {layer.error.max:.4f}, rms {layer.error.rms:.5f}" for layer in exporter.load_bundle(sites[1]).layers]
    assert run.exit_code == 0 and [line.split("error ")[1].split(" (")[0] for line in run.stdout.splitlines()[1:]] == stated


def test_every_network_has_its_own_mean(pictures, network, sites, tmp_path):
    other = tiny(tmp_path / "other.onnx", 6)
    both = exporter.load_bundle(exporter.export(pictures, tmp_path / "both", model=[other, network], layers=LAYERS, **PLAIN, center=True).output)
    centered = exporter.load_bundle(sites[1])
    for image in centered.images:
        for layer in LAYERS:
            assert (both.codes(image.id, f"tiny/{layer}") == centered.codes(image, layer)).all()
    models = [other, network]
    assert measure_error(both, [pictures], models) == {layer.id: layer.error for layer in both.layers}


def test_the_network_runs_once(pictures, network, tmp_path):
    progress, told = recorded_progress()
    exporter.export(pictures, tmp_path / "site", model=network, layers=LAYERS, **PLAIN, center=True, progress=progress)
    assert told == [("Checking images", 5, 5), ("Running the network", 5, 5), ("Writing shallow", 5, 5), ("Writing deep", 5, 5)]


def test_features_that_are_all_alike_have_no_direction_left(network, tmp_path):
    """One plain image: every patch is the mean."""
    Image.new("RGB", (64, 64), (200, 30, 90)).save(tmp_path / "plain.png")
    report = exporter.export(tmp_path / "plain.png", tmp_path / "site", model=network, layers=LAYERS, **PLAIN, center=True)
    bundle = exporter.load_bundle(report.output)
    for layer in LAYERS:
        assert not bundle.codes("plain", layer).any()
        assert not bundle.similarity("plain", layer, 1, 1)["plain"].any()
    assert invoke("overlay-verify", report.output).exit_code == 0


def test_tokens_are_centered_too(pictures, tmp_path):
    """Tokens before those of the patches do not count: the same codes as of the map of the patches."""
    path = tmp_path / "tokens.onnx"
    path.write_bytes(transformer(8, prefix=3).SerializeToString())
    bundle = exporter.load_bundle(exporter.export(pictures, tmp_path / "site", model=path, layers=["patches", "tokens"], **PLAIN, center=True).output)
    for image in bundle.images:
        assert (bundle.codes(image, "tokens") == bundle.codes(image, "patches")).all()
