"""Exports with versions of images: what is in the bundle, that the images themselves stay as they were, and that every way of running gives the same bytes."""

import json

import pytest
from PIL import Image

import exporter
from exporter import draft, spool
from exporter.display import encode
from exporter.errors import BundleError, ExportError
from exporter.pixels import Fit, decode
from exporter.transforms import apply, matrix
from exporter.verify import measure_error, verify_files
from tests.conftest import contents, invoke, make_photo, refused
from tests.onnx_graphs import tiny as tiny_graph

SPECS = "rotate:90,scale:2/4@0.25x0.5,noise:10/20"


@pytest.fixture
def export(photos, tiny_network, tmp_path):
    def run(output="site", **options):
        options = {"model": tiny_network, "layers": ["shallow", "deep"], "size": 64, "transforms": SPECS, **options}
        return exporter.export(photos, tmp_path / output, **options)

    return run


def versions(manifest):
    return [image for image in manifest.images if image.version]


def test_versions_stand_behind_the_images_in_order(export, tmp_path):
    report = export(transform_images="rex,k*")
    bundle = exporter.load_bundle(tmp_path / "site")
    assert bundle.manifest == report.manifest and not report.warnings
    assert [image.id for image in bundle.images[:5]] == [image.id for image in bundle.manifest.originals] == ["kit", "tom", "fido", "rex", "first"]
    assert [(image.version.of, image.version.series, image.version.step) for image in bundle.images[5:]] == [
        (of, series, step) for of in ("kit", "rex") for series, steps in (("rotate", (1, 2, 3)), ("scale", (1, 2)), ("noise", (1, 2))) for step in steps
    ]
    assert [figure.type for figure in report.manifest.figures] == ["gallery", "pair", "layers", "transforms"]
    assert [series.id for series in report.manifest.series] == ["rotate", "scale", "noise"]
    kit, version = bundle.images[0], bundle.images[5]
    assert (version.id, version.title, version.group, version.credit, version.thumbnail, version.mark) == ("kit@rotate-90", "kit, rotated 90° clockwise", kit.group, "", None, "")
    assert verify_files(bundle).images == 5 + 14
    for layer in bundle.layers:
        assert bundle.codes("kit@rotate-90", layer).shape[:2] == bundle.grid(kit, layer)


def test_versions_of_a_large_jpeg_have_the_grid_of_their_original(tmp_path, tiny_network):
    """Decoded at a quarter of its size it is 100 x 75, which 48 x 36 pixels stand for, rounded to 40; as a whole a little flatter, rounded to 32."""
    photos = make_photo(tmp_path / "photos" / "wide.jpg", 1, (400, 299)).parent
    options = {"model": tiny_network, "layers": ["deep"], "size": 48, "display_size": 64, "transforms": "scale:4,rotate:90"}
    report = exporter.export(photos, tmp_path / "site", **options)
    (layer,) = report.manifest.layers
    assert set(layer.grids) == {layer.grids[0]}
    (shape,) = {(image.width, image.height) for image in versions(report.manifest)}
    assert shape == (layer.grids[0][1] * layer.stride, layer.grids[0][0] * layer.stride)
    assert measure_error(exporter.load_bundle(tmp_path / "site"), [photos], [str(tiny_network)])["deep"].max <= 0.02


@pytest.mark.parametrize("fit", ["contain", "stretch", "crop"])
def test_what_is_published_is_what_the_network_reads(export, photos, tmp_path, fit):
    (photos / "images.toml").write_text('[images.rex]\nalt = "A dog"\ncredit = "Jane"\n')
    export(fit=fit, display_size=128, transform_images="rex", fill="edge")
    bundle, picture = exporter.load_bundle(tmp_path / "site"), decode(photos / "dogs" / "rex.jpg")
    series = {one.id: one for one in bundle.manifest.series}
    for image in versions(bundle.manifest):
        asked, fitted = (series[image.version.series], image.version.step), Fit(fit, 64, 8)
        pixels = apply(picture, fitted, *asked)
        assert (tmp_path / "site" / image.file).read_bytes() == encode(Image.fromarray(pixels)).data
        assert (image.height, image.width) == pixels.shape[:2] == ((64, 40) if fit == "contain" else (64, 64))
        assert image.version.matrix == matrix(*asked, fitted, *picture.size)
        assert image.alt.startswith("A dog. ") and image.credit == ""


@pytest.mark.parametrize("center", [False, True])
def test_the_images_themselves_stay_as_they_were(export, tmp_path, center):
    for name, transforms in (("with", SPECS), ("without", None)):
        export(name, transforms=transforms, encoding="int8", max_error=1, center=center)
    bundle, plain = (exporter.load_bundle(tmp_path / name) for name in ("with", "without"))
    assert bundle.manifest.selection == plain.manifest.selection
    assert bundle.manifest.originals == tuple(plain.images)
    for layer, usual in zip(bundle.layers, plain.layers, strict=True):
        assert layer.range == usual.range and layer.error != usual.error
        assert all((bundle.codes(image, layer) == plain.codes(image, usual)).all() for image in plain.images)


@pytest.mark.parametrize("options", [{"threads": 1}, {"batch_size": 7, "threads": 4}], ids=str)
def test_the_same_bytes_on_every_run(export, tmp_path, options):
    for name, more in (("usual", {}), ("other", options)):
        export(name, center=True, **more)
    assert contents(tmp_path / "usual") == contents(tmp_path / "other")


def test_a_run_that_was_ended_goes_on_to_the_same_bytes(export, tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "PART_IMAGES", 4)
    export("whole")
    told = []
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(draft, "choose", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
        export()
    export(resume=True, notify=told.append)
    assert told == ["--resume: 40 of 40 images are taken over, 0 are computed"]
    assert contents(tmp_path / "site") == contents(tmp_path / "whole")


# What an earlier run was asked for beside, and how many of its images are of use: whole parts of five.
OTHERS = {"fill": ({"fill": "black"}, 5), "steps": ({"transforms": SPECS.replace("10/20", "10/30")}, 10), "place": ({"transforms": SPECS.replace("@0.25", "@0.5")}, 10)}


@pytest.mark.parametrize("other", OTHERS)
def test_versions_of_another_kind_are_computed_again(export, tmp_path, monkeypatch, other):
    monkeypatch.setattr(spool, "PART_IMAGES", 5)
    options, kept = OTHERS[other]
    export("whole", **options)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(draft, "choose", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
        export()
    told = []
    export(resume=True, notify=told.append, **options)
    assert told[0] == f"--resume: {kept} of 40 images are taken over, {40 - kept} are computed" and "computed again" in told[1]
    assert contents(tmp_path / "site") == contents(tmp_path / "whole")


def test_the_true_error_over_versions_made_again(export, photos, tiny_network, tmp_path):
    export(transform_images="rex,tom", center=True)
    bundle = exporter.load_bundle(tmp_path / "site")
    for id, error in measure_error(bundle, [photos], tiny_network).items():
        layer = next(layer for layer in bundle.layers if layer.id == id)
        assert error.patches == sum(rows * cols for rows, cols in layer.grids) and error.max < 0.02
    run = invoke("overlay-verify", tmp_path / "site", "--images", photos, "--model", tiny_network)
    assert run.exit_code == 0 and "2 shards and 5 images and 14 versions of them are whole" in run.stdout


CHANGES = {
    "fill": lambda series: series[0]["options"].update(fill="white"),
    "place": lambda series: series[1]["options"].update(point="0.75x0.5"),
    "step": lambda series: series[2]["steps"][2].update(value=60),
}


@pytest.mark.parametrize("change", CHANGES)
def test_versions_that_are_not_what_the_series_says_show(export, photos, tiny_network, tmp_path, change):
    export(transform_images="rex,tom")
    path = tmp_path / "site" / "bundle.json"
    content = json.loads(path.read_bytes())
    CHANGES[change](content["series"])
    path.write_text(json.dumps(content))
    assert measure_error(exporter.load_bundle(path), [photos], tiny_network)["shallow"].max > 0.2
    content["series"][0]["transform"] = "swirl"
    path.write_text(json.dumps(content))
    with pytest.raises(BundleError, match='series "rotate" is of the transformation "swirl"'):
        measure_error(exporter.load_bundle(path), [photos], tiny_network)


def test_every_network_reads_them_at_its_own_size(export, photos, tmp_path, tiny_network):
    other = tiny_graph(tmp_path / "fixed.onnx", 9, ("n", 3, 96, 96))
    report = export(model=[tiny_network, f"fixed={other}"], layers=["deep"], transform_images="rex")
    bundle = exporter.load_bundle(tmp_path / "site")
    first, second = bundle.layers
    assert [layer.grids[-1] for layer in (first, second)] == [(8, 5), (12, 12)]
    assert all((image.height, image.width) == (64, 40) for image in versions(report.manifest))
    assert all(error.max < 0.02 for error in measure_error(bundle, [photos], [tiny_network, f"fixed={other}"]).values())


def test_a_page_holds_versions_but_shows_images(export, tmp_path):
    report = export("page.html", transform_images="rex")
    text = (tmp_path / "page.html").read_text("utf-8")
    bundle = exporter.load_bundle(tmp_path / "page.html")
    assert verify_files(bundle).images == 12 and len(versions(report.manifest)) == 7
    for image in bundle.images:
        ((tag),) = [line for line in text.splitlines() if f'data-file="{image.file}"' in line]
        assert (" hidden " in tag) == (image.version is not None)
    assert "<dd>5, and 7 versions</dd>" in text


def test_a_site_counts_and_shows_images_alone(export, photos, tmp_path, tiny):
    run = invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny, "--transforms", "rotate:180", "--fill", "mean")
    assert run.exit_code == 0 and "5 images and 5 versions of them, " in run.stdout and ", versions " in run.stdout and run.stderr == ""
    index = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert index.count("<img ") == 5 and "@rotate" not in index
    assert exporter.load_bundle(tmp_path / "site").images[-1].version.of == "first"


def test_the_first_six_are_transformed(export, photos):
    for number in range(3):
        make_photo(photos / f"more{number}.png", number)
    report = export(transforms=["rotate:180"])
    assert report.warnings == ("of 8 images the first 6 are transformed (kit, tom, fido, rex, first, more0); choose others with --transform-images",)
    assert [image.version.of for image in versions(report.manifest)] == ["kit", "tom", "fido", "rex", "first", "more0"]


def test_the_figure_brings_its_series_and_series_their_figure(export):
    report = export("one", transforms=None, figures="transforms", transform_images="rex")
    assert [series.transform for series in report.manifest.series] == ["rotate", "scale"] and not report.warnings
    report = export("two", figures="gallery", transform_images="rex", transforms="rotate:180")
    assert report.warnings == ("no figure of the page shows what --transforms makes; add transforms to --figures",)
    report = export("three", transforms=None)
    assert not report.manifest.series and "transforms" not in [figure.type for figure in report.manifest.figures]


def test_a_bad_image_has_no_versions(export, photos, tmp_path):
    for name in ("cats/kit.jpg", "dogs/rex.jpg"):
        (photos / name).write_bytes((photos / name).read_bytes()[:200])
    report = export(skip_bad=True, transform_images="kit,tom")
    assert {image.version.of for image in versions(report.manifest)} == {"tom"} and len(report.skipped) == 2
    with pytest.raises(ExportError, match=r"none of the images to be transformed can be used \(kit, rex\); mend them, or name others"):
        export("none", skip_bad=True, transform_images=["kit", "rex"])
    assert not (tmp_path / "none").exists()


def test_one_image_is_enough(tmp_path, tiny_network):
    make_photo(tmp_path / "only.png", 3)
    report = exporter.export(tmp_path / "only.png", tmp_path / "site", model=tiny_network, layers="deep", size=64, transforms="rotate:120")
    assert len(report.manifest.images) == 3 and report.manifest.selection.image == "only"


WRONG = {
    "unknown": (["--transforms", "rotat"], 'unknown transformation "rotat", expected one or more of rotate, .*did you mean "rotate"'),
    "none": (["--transforms", ","], "no transformation was asked for, expected one or more of rotate"),
    "range": (["--transforms", "scale:99"], "99 is out of range, VALUE of scale is 1.01 to 32"),
    "image": (["--transforms", "scale", "--transform-images", "rexx"], 'no image "rexx", expected ids or globs; did you mean "rex"'),
    "no images": (["--transforms", "scale", "--transform-images", ","], "--transform-images names no image"),
    "fill": (["--transforms", "scale", "--fill", "pink"], "'pink' is not one of"),
    "fill alone": (["--fill", "grey"], "--fill is given, but no transformation; name some with --transforms, such as rotate,scale"),
    "images alone": (["--transform-images", "rex"], "--transform-images is given, but no transformation"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_options_are_refused(photos, tiny, tmp_path, kind):
    options, message = WRONG[kind]
    refused(invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny, *options), 2, message)
    assert not (tmp_path / "site").exists()
