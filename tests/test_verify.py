"""overlay-verify finds every kind of damage, names the file, and measures the error that codes cost."""

import hashlib
import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

import exporter
from exporter.bundle import Bundle
from exporter.errors import BundleError, ExportError, UsageError
from exporter.pixels import Fit, decode, fit_image
from exporter.shards import Shard, encode_shard
from exporter.verify import measure_error, verify_files
from tests.conftest import cli, invoke, make_photo, refused
from tests.fixtures.make import bundle_of

SHARD = "features/1-deep-0000.bin"
PICTURE = "images/rex.webp"


@pytest.fixture
def site(photos, tiny_export, tmp_path):
    """A site of the photos."""
    return Path(shutil.copytree(tiny_export / "site", tmp_path / "site"))


@pytest.fixture
def page(tiny_export, tmp_path):
    return Path(shutil.copy(tiny_export / "page.html", tmp_path))


def change(path, edit):
    data = bytearray(path.read_bytes())
    changed = edit(data)
    path.write_bytes(data if changed is None else changed)


def flip(data):
    data[-5] ^= 1


def rewrite(site, edit):
    """Change bundle.json through its objects."""
    content = json.loads((site / "bundle.json").read_bytes())
    edit(content)
    (site / "bundle.json").write_text(json.dumps(content))


def resign(site, edit):
    """Damage a shard and state the damaged file's own size and hash."""
    change(site / SHARD, edit)
    data = (site / SHARD).read_bytes()
    rewrite(site, lambda c: c["layers"][1]["shards"][0].update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest()))


def resign_picture(site, data):
    """Put other bytes in place of an image and state their own size and hash."""
    (site / PICTURE).write_bytes(data)
    entry = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    rewrite(site, lambda c: next(image for image in c["images"] if image["file"] == PICTURE).update(entry))


def picture(kind, size=(64, 96)):
    stream = io.BytesIO()
    Image.new("RGB", size).save(stream, kind)
    return stream.getvalue()


def test_a_whole_site_in_all_three_forms(site, page, default_site):
    for path in (site, site / "bundle.json", page, default_site):
        run = invoke("overlay-verify", path)
        assert (run.exit_code, run.stderr) == (0, "") and "are whole" in run.stdout
    checked = verify_files(exporter.load_bundle(page))
    assert (checked.shards, checked.images) == (2, 5)
    assert checked == verify_files(exporter.load_bundle(site))


DAMAGE = {
    "flipped": (lambda site: change(site / SHARD, flip), rf"{SHARD}: SHA-256 is \w+…, expected \w+…; the file was altered, copy or export the site again"),
    "short": (lambda site: change(site / SHARD, lambda data: data[:-1]), rf"{SHARD}: is \d+ bytes, expected \d+; copy the whole site again"),
    "long": (lambda site: change(site / SHARD, lambda data: data + b"x"), rf"{SHARD}: is \d+ bytes, expected \d+"),
    "empty": (lambda site: change(site / SHARD, lambda data: b""), f"{SHARD}: is 0 bytes"),
    "gone": (lambda site: (site / SHARD).unlink(), f"{SHARD}: is missing in .*site; copy the whole site again or export it again"),
    "folder": (lambda site: ((site / SHARD).unlink(), (site / SHARD).mkdir()), rf"{SHARD}: cannot be read \(Is a directory\)"),
    "magic": (lambda site: resign(site, lambda data: b"X" + data[1:]), f"{SHARD}: begins with b'XVLS', expected b'OVLS'"),
    "version": (lambda site: resign(site, lambda data: data[:4] + b"\2" + data[5:]), f"{SHARD}: is shard version 2, this reader knows 1"),
    "code": (lambda site: resign(site, lambda data: data[:-1] + b"\x80"), f"{SHARD}: holds the code -128, expected -127 to 127"),
    "byte 6": (lambda site: resign(site, lambda data: data[:6] + b"\3" + data[7:]), f"{SHARD}: has 3 at byte 6, expected 0"),
    "no image": (lambda site: (site / PICTURE).unlink(), f"{PICTURE}: is missing in"),
    "altered image": (lambda site: change(site / PICTURE, flip), rf"{PICTURE}: SHA-256 is \w+…, expected \w+…; the file was altered, copy or export the site again"),
    "half an image": (lambda site: change(site / PICTURE, lambda data: data[: len(data) // 2]), rf"{PICTURE}: is \d+ bytes, expected \d+; copy the whole site again"),
    "no picture": (lambda site: (site / PICTURE).write_text("x"), rf"{PICTURE}: is 1 bytes, expected \d+"),
    "text": (lambda site: resign_picture(site, b"x"), rf"{PICTURE}: is neither JPEG nor WebP \(.*\); export the site again"),
    "nothing": (lambda site: resign_picture(site, b""), rf"{PICTURE}: is neither JPEG nor WebP"),
    "PNG": (lambda site: resign_picture(site, picture("PNG")), rf"{PICTURE}: is neither JPEG nor WebP"),
    "AVIF": (lambda site: resign_picture(site, picture("AVIF")), rf"{PICTURE}: is neither JPEG nor WebP"),
    "another size": (lambda site: resign_picture(site, picture("JPEG", (9, 8))), f"{PICTURE}: is 9 x 8 pixels, expected 64 x 96"),
    "another size, WebP": (lambda site: resign_picture(site, picture("WEBP", (9, 8))), f"{PICTURE}: is 9 x 8 pixels, expected 64 x 96"),
}


@pytest.mark.parametrize(("encoding", "code", "limit"), [("int8-deflate", -128, 127), ("int4", -8, 7), ("int4-deflate", -8, 7)])
def test_codes_past_the_limit_are_named(tmp_path, encoding, code, limit):
    bundle = bundle_of(tmp_path / "bundle", [np.ones((2, 3, 5))], encoding)
    codes = np.full((2, 3, 5), limit, np.int8)
    codes[1, 2, 4] = code
    data = encode_shard(0, [codes], encoding)
    (tmp_path / "bundle" / "features" / "layer-0000.bin").write_bytes(data)
    layer = replace(bundle.layers[0], shards=(Shard("features/layer-0000.bin", len(data), hashlib.sha256(data).hexdigest(), 0, 1),))
    altered = Bundle(bundle.files, replace(bundle.manifest, layers=(layer,)))
    with pytest.raises(BundleError, match=f"features/layer-0000.bin: holds the code {code}, expected -{limit} to {limit}; export the site again"):
        verify_files(altered)


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_named(site, kind):
    damage, message = DAMAGE[kind]
    damage(site)
    refused(invoke("overlay-verify", site), 1, f"^Error: ({message})")


def test_all_damage_is_listed(site):
    change(site / SHARD, flip)
    (site / "images" / "tom.webp").unlink()
    (site / "images" / "rex.webp").write_bytes(b"")
    run = cli("overlay-verify", site)
    refused(run, 1, f"^Error: {SHARD}: SHA-256", "\nimages/tom.webp: is missing", "\nimages/rex.webp: is 0 bytes, expected ")
    assert len(run.stderr.splitlines()) == 3


def test_the_hashes_of_images_are_those_of_their_files(site, page):
    for path in (site, page):
        bundle = exporter.load_bundle(path)
        for image in bundle.images:
            data = bundle.files.read(image.file)
            assert (image.bytes, image.sha256) == (len(data), hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_an_image_is_of_either_format(site, kind):
    resign_picture(site, picture(kind))
    assert invoke("overlay-verify", site).exit_code == 0


def test_another_picture_in_place_of_an_image_is_found(site):
    (site / PICTURE).write_bytes((site / "images" / "tom.webp").read_bytes())
    refused(invoke("overlay-verify", site), 1, f"^Error: {PICTURE}: (is|SHA-256)")


def test_postscript_in_place_of_an_image_starts_no_other_program(photos, tiny, tmp_path, postscript):
    eps, environment, ran = postscript
    make_photo(photos / "dogs" / "rex.jpg", 2, (96, 64))
    assert invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny).exit_code == 0
    resign_picture(tmp_path / "site", eps.read_bytes())
    refused(cli("overlay-verify", tmp_path / "site", env=environment), 1, f"^Error: {PICTURE}: is neither JPEG nor WebP")
    assert not ran.exists()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text.replace(f'data-file="{SHARD}">T1ZMUw', f'data-file="{SHARD}">T1ZMUx'), f"{SHARD}: SHA-256 is"),
        (lambda text: text.replace(f'data-file="{SHARD}">T', f'data-file="{SHARD}">!'), rf"{SHARD}: is not base64 \(.*\) in .*page.html; copy or export the page again"),
        (lambda text: text.replace(f'data-file="{SHARD}"', 'data-file="other"'), f"{SHARD}: is missing in .*page.html; the page is incomplete"),
        (lambda text: text[: text.index(SHARD, text.index("application/octet")) + 300], f"{SHARD}: is"),
        (lambda text: text[: text.index('id="bundle"') + 200], "bundle.json"),
        (lambda text: re.sub(rf'(data-file="{PICTURE}" src="[^"]*)AA', r"\1AB", text, count=1), f"{PICTURE}: SHA-256 is"),
        (lambda text: "<p>hello", "bundle.json: is missing in .*page.html; the page is incomplete or not one of overlay-export"),
        (lambda text: "", "bundle.json: is missing in .*page.html"),
    ],
    ids=["altered", "not base64", "missing", "cut", "cut early", "altered image", "other page", "empty"],
)
def test_damage_in_a_page_is_named(page, damage, message):
    text = page.read_text("utf-8")
    page.write_text(damage(text), "utf-8")
    assert page.read_text("utf-8") != text
    refused(invoke("overlay-verify", page), 1, f"^Error: {message}")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda c: c.update(version=2), r"bundle\.json.*2.*1"),
        (lambda c: c.update(format="zip"), 'bundle.json has no "format": "overlay-export bundle"; it was not written by overlay-export'),
        (lambda c: c["layers"][0]["shards"][0].update(file="../../etc/passwd"), "bundle.json.*etc/passwd"),
        (lambda c: c["layers"][0].update(encoding="float64"), 'layer "shallow" has the encoding "float64", this overlay-export knows int8, int8-deflate, int4, int4-deflate; upgrade it'),
        (lambda c: c["layers"][0]["grids"].pop(), "has 4 grids, expected one for each of 5 images"),
        (lambda c: c["layers"][0]["grids"].__setitem__(0, [99, 99]), "features/0-shallow-0000.bin: holds"),
    ],
    ids=["version", "format", "path", "encoding", "grids", "grid"],
)
def test_a_wrong_bundle_json_is_named(site, edit, message):
    rewrite(site, edit)
    refused(invoke("overlay-verify", site), 1, message)


def test_no_bundle_at_all(tmp_path):
    refused(invoke("overlay-verify", tmp_path), 2, "holds no bundle.json; expected a folder that overlay-export wrote")
    refused(invoke("overlay-verify", tmp_path / "no"), 2, "no such file or folder")
    (tmp_path / "bundle.json").write_text("{")
    refused(invoke("overlay-verify", tmp_path), 1, "bundle.json")


def test_the_true_error_over_all_pairs(tmp_path, tiny_network):
    """More patches than the export samples; against cosines of plain numpy."""
    for number in range(3):
        make_photo(tmp_path / "photos" / f"{number}.png", number, (300, 200))
    model = exporter.open_model(tiny_network)
    exporter.export(tmp_path / "photos", tmp_path / "site", model=model, layers=["deep", "shallow"], size=160)
    bundle = exporter.load_bundle(tmp_path / "site")
    found = measure_error(bundle, [tmp_path / "photos"], tiny_network)
    model.prepare(["deep", "shallow"])
    assert list(found) == ["shallow", "deep"]
    for layer in bundle.layers:
        parts = []
        for image in bundle.images:
            pixels = fit_image(decode(tmp_path / "photos" / f"{image.id}.png"), Fit("contain", 160, model.multiple))
            (values,) = model.run(pixels[None])[layer.module]
            parts.append(values.reshape(len(values), -1).T.astype(np.float64))
        codes = np.concatenate([bundle.codes(image, layer).reshape(-1, layer.dims) for image in bundle.images]).astype(float)
        pairs = np.triu_indices(len(codes), 1)
        errors = (cosine(codes) - cosine(np.concatenate(parts)))[pairs]
        error = found[layer.id]
        assert (error.patches, error.pairs) == (len(codes), len(errors))
        assert error.max == pytest.approx(np.abs(errors).max(), abs=1e-6)
        assert error.rms == pytest.approx(np.sqrt(np.square(errors).mean()), abs=1e-6)
    shallow = bundle.layers[0].error
    assert shallow.patches < found["shallow"].patches and shallow.max <= found["shallow"].max


def cosine(rows):
    norms = np.linalg.norm(rows, axis=1)
    return np.divide(rows @ rows.T, np.outer(norms, norms), out=np.zeros((len(rows),) * 2), where=np.outer(norms, norms) > 0)


def test_the_error_of_codes_that_were_altered_shows(site, photos, tiny_network):
    resign(site, lambda data: data[:16] + bytes(len(data) - 216) + data[-200:])
    found = measure_error(exporter.load_bundle(site), [photos], tiny_network)
    assert found["deep"].max > 0.5 and found["shallow"].max < 0.1


def test_another_network_is_refused(site, photos, tiny_network, tmp_path, model_cache):
    bundle = exporter.load_bundle(site)
    with pytest.raises(UsageError, match="the site was made with files or own code; pass those again with --model tiny.onnx, as to overlay-export"):
        measure_error(bundle, [photos])
    other = tmp_path / "other.onnx"
    network = onnx.load(tiny_network)
    network.doc_string = "the same layers in another file"
    onnx.save(network, other)
    with pytest.raises(ExportError, match=r"other.onnx has weights \w+…, network 'tiny' of the site has \w+… \(tiny.onnx\); pass that one with --model"):
        measure_error(bundle, [photos], other)
    run = invoke("overlay-verify", site, "--images", photos, "--model", "efficientnet-lite0")
    assert run.exit_code == 1 and run.stderr.startswith("Error: efficientnet-lite0 has weights ")
    assert invoke("overlay-verify", site, "--images", photos).exit_code == 2


def test_a_file_in_capitals_is_a_file(photos, tiny_network, tmp_path):
    path = shutil.copy(tiny_network, tmp_path / "NET.ONNX")
    exporter.export(photos, tmp_path / "site", model=path, layers=["deep"], size=64)
    bundle = exporter.load_bundle(tmp_path / "site")
    with pytest.raises(UsageError, match="pass those again with --model NET.ONNX, as to overlay-export"):
        measure_error(bundle, [photos])
    assert measure_error(bundle, [photos], path) == measure_error(bundle, [photos], [path]) == {"deep": bundle.layers[0].error}


def test_preprocessing_and_network_are_those_of_the_bundle(photos, tiny, tiny_network, tmp_path):
    numbers = ["--mean", "0.2", "--std", "0.5,0.6,0.7", "--input-range", "-1,1"]
    assert invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny, *numbers).exit_code == 0
    bundle = exporter.load_bundle(tmp_path / "site")
    found = measure_error(bundle, [photos], tiny_network)
    assert all(found[layer.id] == layer.error for layer in bundle.layers)


def test_the_default_network_needs_no_naming(demo_photos, model_cache, tmp_path):
    exporter.export(demo_photos / "people", tmp_path / "site", size=160)
    bundle = exporter.load_bundle(tmp_path / "site")
    found = measure_error(bundle, [demo_photos / "people"])
    assert all(found[layer.id] == layer.error for layer in bundle.layers)


def test_images_that_are_missing_or_changed(site, photos, tiny_network):
    model, bundle = tiny_network, exporter.load_bundle(site)
    with pytest.raises(UsageError, match=r'no image "kit" in .*dogs \(3 of 5 missing\); pass what was exported'):
        measure_error(bundle, [photos / "dogs"], model)
    run = invoke("overlay-verify", site, "--images", photos / "dogs", "--model", tiny_network)
    assert run.exit_code == 2
    make_photo(photos / "first.png", 1, (64, 96))
    make_photo(photos / "cats" / "tom.png", 1, (96, 64))
    with pytest.raises(ExportError, match=r'image "tom" has 160 patches of shallow now, 256 in the bundle; pass the images'):
        measure_error(bundle, [photos], model)
    (photos / "cats" / "tom.png").write_bytes(b"")
    with pytest.raises(ExportError, match=r"tom.png: an empty file"):
        measure_error(bundle, [photos], model)


def test_images_in_several_places(photos, tiny, tiny_network, tmp_path):
    folders = [photos / "dogs", photos / "cats"]
    assert invoke("overlay-export", *folders, "-o", tmp_path / "site", *tiny).exit_code == 0
    options = [word for folder in folders for word in ("--images", folder)]
    run = invoke("overlay-verify", tmp_path / "site", *options, "--model", tiny_network)
    assert run.exit_code == 0 and run.stdout.count("similarity error at most") == 2


def test_verifying_reports_every_problem_as_one_error(site):
    change(site / SHARD, flip)
    with pytest.raises(BundleError) as caught:
        verify_files(exporter.load_bundle(site))
    assert caught.value.exit_code == 1
