"""load_bundle: the good fixture by three ways in, every bad one refused, and a reader written from FORMAT.md alone."""

import base64
import hashlib
import json
import math
import shutil
import struct
import zlib
from dataclasses import replace
from html import escape
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from exporter.bundle import load_bundle
from exporter.encodings import ENCODINGS, LIMITS
from exporter.errors import BundleError, UsageError
from exporter.verify import verify_files
from tests.fixtures import make

FIXTURES = Path(__file__).parent / "fixtures"
GOOD = FIXTURES / "good"
BAD = sorted(path.name for path in (FIXTURES / "bad").iterdir())
SPECIFICATION = Path(__file__).parents[1] / "exporter" / "FORMAT.md"


class MiniReader:
    """All that FORMAT.md asks of a reader, in the standard library."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.content = json.loads((root / "bundle.json").read_text(encoding="utf-8"))
        assert self.content["format"] == "overlay-export bundle"
        assert self.content["version"] == 1
        self.ids = [image["id"] for image in self.content["images"]]

    def layer(self, id: str) -> dict:
        return next(layer for layer in self.content["layers"] if layer["id"] == id)

    def codes(self, layer: dict) -> dict[str, list[list[int]]]:
        """{image id: one code for each patch, row by row}."""
        found = {}
        for shard in layer["shards"]:
            data = (self.root / shard["file"]).read_bytes()
            assert len(data) == shard["bytes"]
            assert hashlib.sha256(data).hexdigest() == shard["sha256"]
            assert struct.unpack("<4sHHII", data[:16]) == (b"OVLS", 1, 0, shard["first"], shard["count"])
            sizes = {image: math.prod(layer["grids"][image]) for image in range(shard["first"], shard["first"] + shard["count"])}
            patches = patch_codes(data[16:], sum(sizes.values()), layer["dims"], layer["encoding"])
            for image, size in sizes.items():
                found[self.ids[image]], patches = patches[:size], patches[size:]
        return found

    def similarity(self, image: str, layer: str, row: int, col: int) -> dict[str, list[str]]:
        """Bits of float32, for each image."""
        entry = self.layer(layer)
        codes = self.codes(entry)
        query = codes[image][row * entry["grids"][self.ids.index(image)][1] + col]
        return {id: make.hex_of(one_similarity(query, code) for code in codes[id]) for id in self.ids}


def patch_codes(body: bytes, patches: int, dims: int, encoding: str) -> list[list[int]]:
    """FORMAT.md, "Encodings", in the standard library: one code for each patch."""
    deflated = encoding.endswith("-deflate")
    lines, length = (dims, patches) if deflated else (patches, dims)
    body = zlib.decompress(body) if deflated else body
    if encoding.startswith("int4"):
        halves = [(byte >> shift & 15) - (byte >> shift & 8) * 2 for byte in body for shift in (0, 4)]
        assert len(body) == lines * -(-length // 2)
        rows = [halves[at : at + length] for at in range(0, len(halves), length + length % 2)]
    else:
        assert len(body) == lines * length
        rows = [list(struct.unpack_from(f"{length}b", body, at)) for at in range(0, len(body), length)]
    return [list(code) for code in zip(*rows, strict=True)] if deflated else rows


def one_similarity(a: list[int], b: list[int]) -> float:
    dot, na, nb = (sum(x * y for x, y in zip(v, w, strict=True)) for v, w in ((a, b), (a, a), (b, b)))
    return dot / math.sqrt(na * nb) if na and nb else 0.0


@pytest.fixture(scope="module")
def good():
    return load_bundle(GOOD)


@pytest.fixture(scope="module")
def mini():
    return MiniReader(GOOD)


@pytest.fixture
def copy(tmp_path):
    """The good fixture, to be damaged."""
    return Path(shutil.copytree(GOOD, tmp_path / "site"))


def page_of(root: Path, id: str = "bundle") -> str:
    """A bundle as elements of a page; FORMAT.md, "In one HTML file"."""
    content = json.loads((root / "bundle.json").read_bytes())
    text = (root / "bundle.json").read_text(encoding="utf-8").replace("<", "\\u003c")
    lines = [f'<script type="application/json" id="{id}">{text}</script>']
    for layer in content["layers"]:
        for shard in layer["shards"]:
            data = base64.b64encode((root / shard["file"]).read_bytes()).decode()
            lines.append(f'<script type="application/octet-stream" data-bundle="{id}" data-file="{shard["file"]}">{data}</script>')
    for image in content["images"]:
        data = base64.b64encode((root / image["file"]).read_bytes()).decode()
        lines.append(f'<img data-bundle="{id}" data-file="{image["file"]}" src="data:image/jpeg;base64,{data}" alt="{escape(image["alt"])}">')
    return "<!doctype html>\n<title>a &amp; b</title><script>if (1 < 2) '<b>';</script>\n" + "\n".join(lines)


def write_page(tmp_path: Path, text: str) -> Path:
    page = tmp_path / "page.html"
    page.write_text(text, encoding="utf-8")
    return page


def assert_same(one, other) -> None:
    assert one.manifest == other.manifest
    for layer in other.layers:
        for image in other.images:
            assert np.array_equal(one.codes(image, layer), other.codes(image, layer))


def test_fixtures_are_what_the_script_writes(tmp_path):
    make.make(tmp_path)
    written = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    kept = {p.relative_to(FIXTURES): p.read_bytes() for name in make.KINDS for p in (FIXTURES / name).rglob("*") if p.is_file()}
    assert sorted(written) == sorted(kept)
    assert [str(p) for p in kept if written[p] != kept[p]] == [], "python tests/fixtures/make.py writes other bytes"


def test_what_the_good_fixture_holds(good):
    assert [image.id for image in good.images] == list(make.GOOD.images)
    assert [(layer.id, layer.dims, layer.signed, len(layer.shards)) for layer in good.layers] == [("block1", 7, False, 2), ("deep/block2", 16, True, 2)]
    assert len({good.grid(image, "block1") for image in good.images}) == 3
    assert not good.codes("dog", "block1")[0, 0].any()


def test_codes_equal_those_of_a_reader_written_from_the_specification(good, mini):
    for layer in good.layers:
        codes = mini.codes(mini.layer(layer.id))
        for image in good.images:
            rows, cols = good.grid(image, layer)
            found = good.codes(image, layer)
            assert found.dtype == np.int8
            assert found.shape == (rows, cols, layer.dims)
            assert found.reshape(rows * cols, -1).tolist() == codes[image.id]


@pytest.mark.parametrize("query", json.loads((GOOD / "expected.json").read_bytes()), ids=lambda q: f"{q['image']} {q['layer']}")
def test_similarities_have_the_expected_bits(good, mini, query):
    place = [query[key] for key in ("image", "layer", "row", "col")]
    found = good.similarity(*place)
    assert list(found) == [image.id for image in good.images]
    assert {id: make.hex_of(values.ravel()) for id, values in found.items()} == query["similarity"]
    assert mini.similarity(*place) == query["similarity"]
    for id, values in found.items():
        assert values.dtype == np.float32
        assert values.shape == good.grid(id, query["layer"])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_same_features_in_every_encoding(good, encoding):
    root = FIXTURES / "encoded" / encoding
    bundle, mini = load_bundle(root), MiniReader(root)
    assert [layer.encoding for layer in bundle.layers] == [encoding] * 2
    limit = LIMITS[encoding]
    for layer in bundle.layers:
        codes = mini.codes(mini.layer(layer.id))
        for image in bundle.images:
            found = bundle.codes(image, layer)
            assert (found.shape, found.dtype) == (good.codes(image.id, layer.id).shape, np.int8)
            assert found.reshape(-1, layer.dims).tolist() == codes[image.id]
            assert np.abs(found - good.codes(image.id, layer.id) / 127 * limit).max() <= 0.5 + limit / 254
    for query in json.loads((root / "expected.json").read_bytes()):
        found = bundle.similarity(*(query[key] for key in ("image", "layer", "row", "col")))
        assert {id: make.hex_of(values.ravel()) for id, values in found.items()} == query["similarity"]
    assert verify_files(bundle).shards == 4


def test_image_files_have_the_stated_size(good):
    for image in good.images:
        with Picture.open(GOOD / image.file) as picture:
            assert picture.size == (image.width, image.height)


def test_objects_serve_as_well_as_ids(good):
    image, layer = good.images[2], good.layers[1]
    assert np.array_equal(good.codes(image, layer), good.codes(image.id, layer.id))
    assert good.grid(image, layer) == good.grid(image.id, layer.id) == (3, 2)


def test_a_folder_its_bundle_json_and_a_page_hold_the_same(good, tmp_path):
    assert_same(load_bundle(str(GOOD)), good)
    assert_same(load_bundle(GOOD / "bundle.json"), good)
    page = load_bundle(write_page(tmp_path, page_of(GOOD)))
    assert_same(page, good)
    for image in good.images:
        assert page.files.read(image.file) == (GOOD / image.file).read_bytes()


def test_a_page_of_two_bundles_opens_the_one_named_bundle(good, tmp_path):
    other = tmp_path / "other"
    make.write_bundle(other, replace(make.GOOD, seed=1))
    assert_same(load_bundle(write_page(tmp_path, page_of(other, "second") + page_of(GOOD))), good)


def read_all(path: Path) -> None:
    bundle = load_bundle(path)
    for layer in bundle.layers:
        for image in bundle.images:
            bundle.codes(image, layer)


@pytest.mark.parametrize("name", BAD)
def test_damage_is_refused_in_the_expected_words(name):
    root = FIXTURES / "bad" / name
    expect = json.loads((root / "expect.json").read_bytes())
    if expect["when"] == "codes":
        load_bundle(root)
    with pytest.raises(BundleError, match=expect["python"]):
        (load_bundle if expect["when"] == "open" else read_all)(root)


def test_undamaged_shards_and_layers_can_still_be_read(good, copy):
    content = json.loads((copy / "bundle.json").read_bytes())
    content["layers"][0]["encoding"] = "float3"
    (copy / "bundle.json").write_text(json.dumps(content))
    (copy / content["layers"][1]["shards"][1]["file"]).unlink()
    bundle = load_bundle(copy)
    assert np.array_equal(bundle.codes("dog", "deep/block2"), good.codes("dog", "deep/block2"))
    with pytest.raises(BundleError, match="^features/deep_block2-0001.bin: is missing"):
        bundle.similarity("dog", "deep/block2", 0, 0)


def test_a_page_with_damaged_base64(tmp_path):
    shard = base64.b64encode((GOOD / "features/block1-0000.bin").read_bytes()).decode()
    damages = {
        shard[:40] + "*" + shard[41:]: "is not base64",
        shard[:40] + "*" + shard[40:]: "is not base64",
        shard[:-3]: "is not base64",
        shard[:-4]: "is 351 bytes, expected 352",
        "A" + shard[1:]: "SHA-256 is",
    }
    for damaged, message in damages.items():
        bundle = load_bundle(write_page(tmp_path, page_of(GOOD).replace(shard, damaged)))
        with pytest.raises(BundleError, match=f"^features/block1-0000.bin: {message}"):
            bundle.codes("dog", "block1")


def test_a_page_without_one_of_its_shards(tmp_path):
    bundle = load_bundle(write_page(tmp_path, page_of(GOOD).replace('data-file="features/block1-0001.bin"', "")))
    bundle.codes("dog", "block1")
    with pytest.raises(BundleError, match="^features/block1-0001.bin: is missing in .*page.html; the page is incomplete"):
        bundle.codes("café", "block1")


@pytest.mark.parametrize("text", ["", "<p>Another page</p>", '<script id="data">{}</script>', "\x00\xff"])
def test_a_file_that_is_no_page_of_ours(tmp_path, text):
    with pytest.raises(BundleError, match="bundle.json: is missing in .*page.html"):
        load_bundle(write_page(tmp_path, text))


def test_paths_that_hold_no_bundle(tmp_path):
    with pytest.raises(UsageError, match="no such file or folder: .*absent; expected a site's folder"):
        load_bundle(tmp_path / "absent")
    with pytest.raises(UsageError, match="holds no bundle.json; expected a folder that overlay-export wrote"):
        load_bundle(tmp_path)


@pytest.mark.parametrize(("row", "col"), [(4, 0), (0, 6), (-1, 0), (0, -1)])
def test_patches_outside_the_grid(good, row, col):
    with pytest.raises(UsageError, match=rf"patch \({row}, {col}\) is outside the grid of 4 rows and 6 columns; rows and columns count from 0"):
        good.similarity("dog", "block1", row, col)


def test_unknown_images_and_layers(good):
    for ask in (good.grid, good.codes, lambda image, layer: good.similarity(image, layer, 0, 0)):
        with pytest.raises(UsageError, match='no image "cat" in this bundle; it has dog, dog-2, café, '):
            ask("cat", "block1")
        with pytest.raises(UsageError, match='no layer "block9" in this bundle; it has block1, deep/block2$'):
            ask("dog", "block9")


def test_a_long_list_of_images_is_cut(tmp_path):
    bundle = make.bundle_of(tmp_path / "site", [np.ones((1, 1, 2))] * 11)
    with pytest.raises(UsageError, match="it has 0, 1, 2, 3, 4, 5, 6, 7 and 3 more$"):
        bundle.grid("eleven", "layer")


EXAMPLES = {"int8": (22, -12065 / math.sqrt(685450242)), "int8-deflate": (30, -12065 / math.sqrt(685450242)), "int4": (20, -35 / math.sqrt(69 * 98)), "int4-deflate": (27, -35 / math.sqrt(69 * 98))}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_worked_examples_of_the_specification(tmp_path, encoding):
    bundle = make.bundle_of(tmp_path / "site", [np.array([[[0.5, -1, 0.25], [0, 2, 2]]])], encoding)
    example = SPECIFICATION.read_text(encoding="utf-8").partition("## A worked example")[2]
    size, expected = EXAMPLES[encoding]
    stated = stated_shards(example)[ENCODINGS.index(encoding)]
    (shard,) = bundle.layers[0].shards
    assert (tmp_path / "site" / shard.file).read_bytes() == stated
    assert len(stated) == size
    values = bundle.similarity("0", "layer", 0, 0)["0"]
    assert values[0, 0] == 1
    assert values[0, 1] == np.float32(expected)
    assert f"= {values[0, 1]:.5f}" in example
    if encoding.endswith("-deflate"):
        assert zlib.decompress(stated[16:]).hex() in example.replace(" ", "").lower()


def stated_shards(example: str) -> list[bytes]:
    """The shards that a text shows, each a header line and a line of what follows it."""
    lines = [line.split("    ")[1] for line in example.splitlines() if line.startswith("    ")]
    return [bytes.fromhex("".join(pair)) for pair in zip(lines[::2], lines[1::2], strict=True)]
