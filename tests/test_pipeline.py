"""The Python side: `exporter.export` and its report, `load_bundle`, `open_model`, and figures that hold."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import onnx
import pytest

import exporter
from exporter.encodings import ENCODINGS
from exporter.errors import ExportError, ModelError, UsageError
from exporter.images import find_images
from exporter.pixels import Fit, decode, fit_image
from exporter.quantise import encode_int8
from exporter.sample import SamplePlan
from exporter.verify import verify_files
from tests.conftest import contents, make_photo, recorded_progress


@pytest.fixture
def options(tiny_network):
    return {"model": str(tiny_network), "layers": ["shallow", "deep"], "size": 64}


def test_the_report(photos, tmp_path, options):
    (photos / "bad.png").write_bytes(b"")
    report = exporter.export(photos, tmp_path / "site", skip_bad=True, title="Mine", **options)
    assert [field.name for field in fields(report)] == ["output", "manifest", "bytes", "skipped", "warnings"]
    assert report.output == tmp_path / "site" and report.manifest.title == "Mine"
    assert report.manifest == exporter.load_bundle(tmp_path / "site").manifest
    assert report.bytes == sum(map(len, contents(tmp_path / "site").values()))
    assert [(bad.path, bad.reason.split(";")[0]) for bad in report.skipped] == [(photos / "bad.png", "an empty file (0 bytes)")]
    assert report.warnings == ()


def test_images_and_layers_of_a_bundle(photos, tmp_path, options):
    exporter.export(str(photos), str(tmp_path / "site"), **options)
    bundle = exporter.load_bundle(str(tmp_path / "site"))
    assert [(i.id, i.title, i.group, i.width, i.height) for i in bundle.images] == [
        ("kit", "kit", "cats", 96, 64),
        ("tom", "tom", "cats", 80, 80),
        ("fido", "fido", "dogs", 96, 64),
        ("rex", "rex", "dogs", 64, 96),
        ("first", "first", "", 96, 64),
    ]
    facts = [(x.id, x.network, x.module, x.stride, x.channels, x.dims) for x in bundle.layers]
    assert facts == [("shallow", "tiny", "shallow", 4, 6, 6), ("deep", "tiny", "deep", 8, 10, 10)]
    assert [layer.signed for layer in bundle.layers] == [False, True]
    for layer in bundle.layers:
        low, high = layer.range
        assert -1 <= low < high <= 1.01
    assert bundle.grid("rex", "deep") == bundle.grid(bundle.images[3], bundle.layers[1]) == (8, 5)
    codes = bundle.codes("rex", "deep")
    assert (codes.shape, codes.dtype) == ((8, 5, 10), np.int8)


def test_similarity_of_a_bundle(photos, tmp_path, options):
    exporter.export(photos, tmp_path / "site", **options)
    bundle = exporter.load_bundle(tmp_path / "site")
    scores = bundle.similarity("rex", "deep", 7, 4)
    assert list(scores) == [image.id for image in bundle.images]
    a = bundle.codes("rex", "deep")[7, 4].astype(int)
    for id, values in scores.items():
        b = bundle.codes(id, "deep").astype(int)
        norms = ((a * a).sum() * (b * b).sum(axis=-1)).astype(float)
        expected = np.where(norms == 0, 0, b @ a / np.sqrt(norms.clip(1))).astype(np.float32)
        assert values.dtype == np.float32 and (values == expected).all()
    assert scores["rex"][7, 4] == 1
    for patch in ((8, 0), (0, 5), (-1, 0)):
        with pytest.raises(UsageError, match=r"is outside the grid of 8 rows and 5 columns; rows and columns count from 0"):
            bundle.similarity("rex", "deep", *patch)
    with pytest.raises(UsageError, match='no image "cat" in this bundle; it has kit, tom, fido, rex, first'):
        bundle.codes("cat", "deep")
    with pytest.raises(UsageError, match='no layer "block3" in this bundle; it has shallow, deep'):
        bundle.grid("rex", "block3")


def test_a_folder_its_bundle_json_and_a_page_hold_the_same(photos, tmp_path, options):
    exporter.export(photos, tmp_path / "site", **options)
    exporter.export(photos, tmp_path / "page.html", **options)
    one, two, three = (exporter.load_bundle(tmp_path / name) for name in ("site", "site/bundle.json", "page.html"))
    assert one.manifest == two.manifest == three.manifest
    for image in one.images:
        assert one.files.read(image.file) == two.files.read(image.file) == three.files.read(image.file)
        for layer in one.layers:
            assert (one.codes(image, layer) == three.codes(image, layer)).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"fit": "cover"}, 'fit is "cover", expected one of contain, stretch, crop'),
        ({"size": 0}, "size is 0, expected 32 to 4096"),
        ({"max_error": 0}, "--max-error is 0, expected more than 0 and at most 1"),
        ({"max_error": 1.5}, "--max-error is 1.5, expected more than 0 and at most 1"),
        ({"max_error": float("nan")}, "--max-error is nan, expected more than 0"),
        ({"encoding": "int6"}, '--encoding is "int6", expected one of int8, int8-deflate, int4, int4-deflate'),
        ({"batch_size": 0}, "batch size is 0, expected 1 to 1024"),
        ({"threads": -1}, "threads is -1, expected 1 to 1024"),
        ({"figures": []}, "no figure was asked for, expected one or more of channels, classes, factors, gallery, layers, map, neighbours, pair, pca, segment, transforms"),
        ({"figures": ["pairs"]}, 'unknown figure "pairs".*did you mean "pair"'),
        ({"layers": []}, "No layer was named"),
        ({"model": "resnet"}, "Unknown network 'resnet'"),
        ({"layers": [["deep"], ["deep"]]}, "--layers is given 2 times for 1 network: expected it once for all"),
        ({"device": "tpu", "model": "efficientnet-lite0"}, "Unknown device 'tpu': expected one of cpu, cuda, mps, auto; see --device"),
        ({"input_size": "224"}, "--input-size is '224': expected one number, or height,width, of 8 to 4096 pixels"),
        ({"prefix_tokens": -1}, "--prefix-tokens is -1: expected 0 or more"),
        ({"weights": "random"}, "tiny.onnx holds its own weights"),
    ],
    ids=str,
)
def test_arguments_that_cannot_be_meant(photos, tmp_path, options, wrong, message):
    with pytest.raises(UsageError, match=message):
        exporter.export(photos, tmp_path / "site", **{**options, **wrong})
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_no_images_at_all(tmp_path, options):
    with pytest.raises(UsageError, match="no images were named"):
        exporter.export([], tmp_path / "site", **options)


def test_an_opened_network_is_cut_to_what_was_asked_for(demo_photos, model_cache, tmp_path):
    model = exporter.open_model()
    poisoned = model.read()
    for node in poisoned.graph.node:
        if any(name.startswith("_blocks.11") for name in node.output):
            node.op_type, node.domain = "Poison", "nowhere"
    model.read = lambda: poisoned
    report = exporter.export(demo_photos / "people", tmp_path / "site", model=model, layers=["block2", "block3"], size=96)
    assert [layer.module for layer in report.manifest.layers] == ["_blocks.4", "_blocks.10"]
    with pytest.raises(ModelError, match="cannot load EfficientNet-Lite0.*Poison"):
        exporter.export(demo_photos / "people", tmp_path / "deeper", model=model, layers=["block4"], size=96)
    assert not (tmp_path / "deeper").exists()


def test_a_network_by_text_by_path_or_in_a_list(photos, tmp_path, tiny_network, options):
    for number, given in enumerate((str(tiny_network), tiny_network, [str(tiny_network)], (tiny_network,), exporter.open_model(tiny_network), f"tiny={tiny_network}")):
        report = exporter.export(photos, tmp_path / str(number), **{**options, "model": given})
        assert contents(report.output) == contents(tmp_path / "0")


def test_one_layer_by_two_names(photos, tmp_path, options):
    report = exporter.export(photos, tmp_path / "site", **{**options, "layers": ["deep", "d*", "shallow", "deep"]})
    assert [layer.id for layer in report.manifest.layers] == ["shallow", "deep"]


@pytest.mark.parametrize("asked", [["shallow", "deep"], ["deep", "shallow"], "deep, shallow"], ids=str)
def test_layers_are_stored_from_shallow_to_deep(photos, tmp_path, options, asked):
    report = exporter.export(photos, tmp_path / "site", **{**options, "layers": asked})
    files = [(layer.id, layer.shards[0].file) for layer in report.manifest.layers]
    assert files == [("shallow", "features/0-shallow-0000.bin"), ("deep", "features/1-deep-0000.bin")]
    assert report.manifest.selection.layer == "deep"


def test_layers_of_one_stride_follow_the_network(demo_photos, model_cache, tmp_path):
    report = exporter.export(demo_photos / "people", tmp_path / "site", layers="head, _blocks.12, block4, _blocks.11, block3", size=64)
    modules = [layer.module for layer in report.manifest.layers]
    assert sorted(modules) == ["_blocks.10", "_blocks.11", "_blocks.12", "_blocks.14", "head"]
    assert modules == [layer.module for layer in exporter.open_model().layers() if layer.module in modules]
    assert report.manifest.layers[0].id == "block3" and report.manifest.layers[-1].id == "head"


def test_names_of_layers_and_figures_between_commas(photos, tmp_path, options):
    report = exporter.export(photos, tmp_path / "site", **{**options, "layers": " deep", "figures": "pair, gallery"})
    assert [layer.id for layer in report.manifest.layers] == ["deep"]
    assert [figure.type for figure in report.manifest.figures] == ["pair", "gallery"]
    exporter.export(photos, tmp_path / "other", **{**options, "layers": ["deep"], "figures": ["pair", "gallery"]})
    assert contents(tmp_path / "other") == contents(tmp_path / "site")


def test_progress_is_told_for_every_image(photos, tmp_path, options):
    progress, told = recorded_progress()
    exporter.export(photos, tmp_path / "site", progress=progress, **options)
    assert told == [("Checking images", 5, 5), ("Running the network", 5, 5), ("Writing shallow", 5, 5), ("Writing deep", 5, 5)]


def test_a_network_of_fixed_size_says_so(photos, tmp_path, tiny_network):
    network = onnx.load(tiny_network)
    for dim, value in zip(network.graph.input[0].type.tensor_type.shape.dim, (1, 3, 48, 96), strict=True):
        dim.dim_value = value
    onnx.save(network, tmp_path / "fixed.onnx")
    report = exporter.export(photos, tmp_path / "site", model=tmp_path / "fixed.onnx", layers=["deep"])
    assert report.warnings == ("fixed.onnx takes only images of 48 x 96 pixels (height x width): they were brought to that shape, --size 448 was not used",)
    assert set(report.manifest.layers[0].grids) == {(6, 12)}


def features(site, folder, model, layer):
    """The features of every image, float64 (patches, channels) each, computed here from the pieces."""
    content = exporter.load_bundle(site).manifest
    info = next(one for one in content.layers if one.id == layer)
    model.prepare([info.module])
    fit = Fit(content.fit, content.size, model.multiple)
    maps = []
    for image in find_images([folder]).images:
        pixels = fit_image(decode(image.path, least=fit.size), fit)
        (values,) = model.run(pixels[None])[info.module]
        maps.append(values.transpose(1, 2, 0).reshape(-1, len(values)).astype(np.float64))
    return info, maps


def error_of(codes, vectors):
    """Maximum, rms and count of the similarity errors over all pairs, in plain numpy."""
    def cosines(rows):
        norms = np.sqrt((rows**2).sum(axis=1))
        return rows @ rows.T / np.outer(norms, norms)

    pairs = np.triu_indices(len(vectors), 1)
    errors = (cosines(codes.astype(np.float64)) - cosines(vectors))[pairs]
    return np.abs(errors).max(), np.sqrt((errors**2).mean()), len(errors)


def test_the_stored_error_is_that_of_the_stated_sample(default_site, demo_photos):
    info, maps = features(default_site, demo_photos, exporter.open_model(), "block4")
    plan = SamplePlan(len(maps))
    sample = np.concatenate([values[plan.positions(i, len(values))] for i, values in enumerate(maps)])
    bundle = exporter.load_bundle(default_site)
    stored = [bundle.codes(image, "block4").reshape(-1, info.dims) for image in bundle.images]
    most, rms, pairs = error_of(np.concatenate([codes[plan.positions(i, len(codes))] for i, codes in enumerate(stored)]), sample)
    assert (info.error.patches, info.error.pairs) == (len(sample), pairs)
    assert info.error.max == pytest.approx(most, abs=1e-6) and info.error.rms == pytest.approx(rms, abs=1e-6)


def test_the_stored_codes_are_the_features(demo_photos, model_cache, tmp_path):
    exporter.export(demo_photos, tmp_path / "site", layers="block4", encoding="int8")
    _, maps = features(tmp_path / "site", demo_photos, exporter.open_model(), "block4")
    bundle = exporter.load_bundle(tmp_path / "site")
    for image, values in zip(bundle.images, maps, strict=True):
        codes = bundle.codes(image, "block4")
        assert (codes.reshape(-1, codes.shape[-1]) == encode_int8(values)).all()


def test_accuracy_of_the_default_network(demo_photos, model_cache, tmp_path):
    report = exporter.export(demo_photos, tmp_path / "site", layers=["block2", "block3", "block4"], size=448)
    for layer in report.manifest.layers:
        assert layer.error.patches >= 1900 and layer.error.pairs > 1_800_000
        assert 0 < layer.error.max <= 0.01, layer.id
        assert 0 < layer.error.rms <= 0.0025, layer.id


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_encoding_that_is_asked_for_is_the_one_that_is_stored(photos, tmp_path, options, encoding):
    report = exporter.export(photos, tmp_path / "site", encoding=encoding, max_error=0.5, **options)
    bundle = exporter.load_bundle(tmp_path / "site")
    for layer in bundle.layers:
        assert (layer.encoding, layer.max_error) == (encoding, 0.5) and layer.error.max <= 0.5
        assert {one.encoding for one in layer.tried} == {encoding}
    assert report.warnings == () and verify_files(bundle).shards == 2
    assert [layer.integers for layer in bundle.layers] == ["max-abs 127"] * 2 or encoding != "int8"


def test_what_is_not_exact_enough_is_told(photos, tmp_path, options):
    report = exporter.export(photos, tmp_path / "site", encoding="int4", **options)
    for warning, layer in zip(report.warnings, report.manifest.layers, strict=True):
        assert warning == (
            f"{layer.id}: no codes that were tried keep every similarity within 0.01; the most exact ones are taken, {layer.error.max:.4f} off at most;"
            " pass a greater --max-error or no --encoding"
        )
        assert layer.error.max == min(one.max for one in layer.tried) > 0.01
    assert exporter.export(photos, tmp_path / "exact", max_error=1e-6, **options).warnings[0].endswith("pass a greater --max-error")


def test_a_greater_error_takes_fewer_bytes(demo_photos, model_cache, tmp_path):
    sizes = []
    for most in (0.01, 0.03, 0.1):
        (layer,) = exporter.export(demo_photos / "people", tmp_path / str(most), layers="block3", size=224, max_error=most).manifest.layers
        sizes.append(sum(shard.bytes for shard in layer.shards))
        assert layer.error.max <= most
    assert sizes[0] > 1.2 * sizes[1] > 1.44 * sizes[2]


def test_nothing_of_the_spool_is_published(photos, tmp_path, options):
    exporter.export(photos, tmp_path / "site", **options)
    assert sorted(path.name for path in (tmp_path / "site").iterdir()) == [".nojekyll", "bundle.json", "features", "images", "index.html", "js", "style.css"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "site"]


def test_the_page_opens_on_a_patch_that_matches_elsewhere(default_site):
    bundle = exporter.load_bundle(default_site)
    chosen = bundle.manifest.selection
    assert chosen.layer == "block4"
    scores = bundle.similarity(chosen.image, chosen.layer, chosen.row, chosen.col)
    best = sorted((values.max() for id, values in scores.items() if id != chosen.image), reverse=True)
    assert np.mean(best[:3]) > bundle.layers[1].range[0]


def test_a_single_image(tmp_path, tiny_network):
    make_photo(tmp_path / "one.png", 3, (40, 40))
    report = exporter.export(tmp_path / "one.png", tmp_path / "site", model=tiny_network, layers=["deep"], size=32)
    assert report.manifest.layers[0].grids == ((4, 4),)
    assert report.manifest.selection.image == "one"


def test_errors_of_one_family():
    from exporter import errors

    assert {issubclass(kind, ExportError) for kind in (errors.UsageError, errors.BundleError, errors.ModelError)} == {True}
    assert (errors.UsageError.exit_code, errors.BundleError.exit_code, errors.ModelError.exit_code) == (2, 1, 1)
    assert set(exporter.__all__) == {"export", "load_bundle", "open_model"}
    assert callable(exporter.open_model) and Path(exporter.__file__).name == "__init__.py"
