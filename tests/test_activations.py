"""exporter/activations.py and Bundle.channel: the network's own values, against the features they come from."""

from dataclasses import replace

import numpy as np
import pytest

from exporter import export, load_bundle
from exporter.activations import PEAKS, measure_activations
from exporter.candidates import PLAIN
from exporter.errors import UsageError
from exporter.images import find_images
from exporter.models import open_model
from exporter.pixels import Fit, decode, fit_image
from exporter.progress import silent
from exporter.quantise import unit
from exporter.rotation import find_rotation
from exporter.verify import verify_files
from tests.made_maps import Kept, MadeMaps

random = np.random.default_rng(4)


def made(*grids, channels=7):
    maps = MadeMaps([random.normal(0.2, 1, (*grid, channels)) * random.uniform(1, 40, (*grid, 1)) for grid in grids])
    maps.features[0][0, 0] = 0
    return maps


def measured(maps, originals=None, coder=PLAIN, signed=True):
    kept = Kept()
    return measure_activations(maps, originals or len(maps.grids), coder, signed, "layer", kept, silent), kept.numbers


@pytest.mark.parametrize("maps", [made((3, 4), (2, 5), (4, 4)), made((5, 6)), made(*[(2, 3)] * (PEAKS + 6))], ids=["three", "one image", "many"])
def test_peaks_are_the_greatest_of_every_image_and_lows_the_least(maps):
    found, numbers = measured(maps)
    starts = np.cumsum([0, *(rows * cols for rows, cols in maps.grids)])
    flat = maps.flat
    count = min(PEAKS, len(maps.grids))
    for names, best, sign in ((("peaks", "peak-values"), np.max, -1), (("lows", "low-values"), np.min, 1)):
        rows, values = numbers[names[0]], numbers[names[1]]
        assert rows.shape == values.shape == (maps.channels, count)
        for channel in range(maps.channels):
            every = [best(maps.read(image)[:, channel]) for image in range(len(maps.grids))]
            assert np.array_equal(values[channel], np.array(sorted(every, key=lambda value: sign * value)[:count]))
            assert np.array_equal(flat[rows[channel], channel], values[channel])
            images = np.searchsorted(starts, rows[channel], side="right") - 1
            assert len(set(images.tolist())) == count
    assert np.allclose(numbers["norms"][0], np.linalg.norm(flat.astype(float), axis=1), rtol=1e-6)
    assert found.basis is None


def test_versions_take_no_part_and_nothing_negative_has_no_lows():
    maps = MadeMaps([np.abs(one) for one in made((3, 4), (2, 5), (4, 4)).features])
    found, numbers = measured(maps, 2, signed=False)
    assert found.lows is found.low_values is None and "lows" not in numbers
    assert numbers["peaks"].shape == (7, 2) and numbers["peaks"].max() < 22 == numbers["norms"].shape[1]


def test_the_basis_turns_rotated_codes_back_exactly():
    maps = made((30, 20), (20, 20), channels=24)
    rotation = find_rotation([maps.flat])
    coder = replace(PLAIN, rotation=rotation)
    basis = measured(maps, coder=coder)[1]["basis"].astype(np.float32).astype(float)
    assert np.abs(basis.T @ basis - np.eye(24)).max() < 1e-7
    turned = rotation(maps.flat)
    lengths = np.linalg.norm(turned, axis=1, keepdims=True)
    back = np.divide(turned @ basis.T, lengths, out=np.zeros_like(turned), where=lengths > 0)
    assert np.abs(back - unit(maps.flat)).max() < 2**-16  # to which rotations round
    cut = measured(maps, coder=replace(PLAIN, rotation=rotation.cut(5)))[1]["basis"]
    assert cut.shape == (24, 5) and np.allclose(cut, basis[:, :5], atol=1e-6)


SIZE = 160
LAYERS = {"block3": "_blocks.10", "block4": "_blocks.14"}


@pytest.fixture(scope="module")
def sites(made_once, demo_photos, model_cache):
    """Exports of real photos: as usual, whose codes are rotated; plain codes; centred."""
    options = {"usual": {}, "plain": {"encoding": "int8", "max_error": 1e-9}, "centred": {"center": True}}

    def write(folder):
        for name, more in options.items():
            export(demo_photos, folder / name, size=SIZE, figures=["channels", "pca"], threads=1, **more)

    folder = made_once("channels", write)
    return {name: load_bundle(folder / name) for name in options}


@pytest.fixture(scope="module")
def features(demo_photos, model_cache):
    """{layer: {image: float32 (rows, cols, channels)}}, from the network itself."""
    model = open_model()
    model.prepare(list(LAYERS.values()))
    fit = Fit("contain", SIZE, model.multiple, model.fixed_size, 800)
    found = {layer: {} for layer in LAYERS}
    for image in find_images([demo_photos]).images:
        maps = model.run(np.asarray(fit_image(decode(image.path), fit))[None])
        for layer, module in LAYERS.items():
            found[layer][image.id] = maps[module][0].transpose(1, 2, 0)
    return found


@pytest.mark.parametrize("kind", ["usual", "plain", "centred"])
@pytest.mark.parametrize("layer", LAYERS)
def test_channels_agree_with_the_network_within_the_error_of_codes(sites, features, kind, layer):
    bundle = sites[kind]
    entry = next(one for one in bundle.layers if one.id == layer)
    assert (entry.activations.basis is not None) == entry.integers.startswith("rotated") == (kind != "plain")
    mean = np.concatenate([one.reshape(-1, entry.channels) for one in features[layer].values()]).mean(0) if kind == "centred" else np.zeros(entry.channels)
    for channel in (0, 5, entry.channels - 1):
        found = bundle.channel(layer, channel)
        assert list(found) == [image.id for image in bundle.images]
        for image, own in features[layer].items():
            own = own - mean
            assert found[image].shape == own.shape[:2] and found[image].dtype == np.float32
            # A unit vector is off by about the root of what its similarity with itself is off; most are off by far less.
            errors = np.abs(found[image] - own[..., channel]) / np.linalg.norm(own, axis=-1)
            assert errors.max() < 0.1 and errors.mean() < 0.015


def test_peaks_of_an_export_are_patches_of_the_network(sites, features):
    bundle = sites["usual"]
    verify_files(bundle)
    for layer in bundle.layers:
        flat = np.concatenate([one.reshape(-1, layer.channels) for one in features[layer.id].values()])
        rows, values = bundle.table(layer.activations.peaks), bundle.table(layer.activations.values)
        assert np.allclose(np.take_along_axis(flat.T, rows.astype(int), axis=1), values, atol=1e-3)
        assert np.allclose(values[:, 0], flat.max(0), atol=1e-3)
        assert np.allclose(bundle.table(layer.activations.low_values)[:, 0], flat.min(0), atol=1e-3)


def test_tables_are_the_same_whatever_the_threads(sites, demo_photos, model_cache, tmp_path):
    export(demo_photos, tmp_path / "site", size=SIZE, figures=["channels", "pca"], threads=3, batch_size=2)
    for layer in sites["usual"].layers:
        for table in layer.tables:
            assert (tmp_path / "site" / table.file).read_bytes() == sites["usual"].files.read(table.file)
    assert load_bundle(tmp_path / "site").layers == sites["usual"].layers


def test_what_is_not_there_is_said(sites, tmp_path, demo_photos, tiny, model_cache):
    with pytest.raises(UsageError, match='"block3" has no channel 112, expected 0 to 111'):
        sites["usual"].channel("block3", 112)
    with pytest.raises(UsageError, match="has no channel -1"):
        sites["usual"].channel("block3", -1)
    export(demo_photos, tmp_path / "bare", size=64, figures=["gallery"], layers=["block4"])
    with pytest.raises(UsageError, match='"block4" has no activations; export with --figures channels'):
        load_bundle(tmp_path / "bare").channel("block4", 0)
