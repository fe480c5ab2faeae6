"""ONNX files whose weights lie in other files: the same values, one hash over all, and nothing read from outside the folder."""

import hashlib
import os
import re
import shutil

import numpy as np
import onnx
import pytest
from onnx import helper

from exporter.errors import ModelError
from exporter.models import open_model
from tests.conftest import contents, invoke, refused
from tests.onnx_graphs import NODES, build, conv, images, reference, weights

MODEL = build()


@pytest.fixture
def split(tmp_path):
    """A folder with net.onnx and its weights in net.data."""
    folder = tmp_path / "net"
    folder.mkdir()
    onnx.save(build(), folder / "net.onnx", save_as_external_data=True, location="net.data", size_threshold=0)
    return folder


def restate(folder, **stated):
    """Change what net.onnx says of where its weights are; None takes a statement away."""
    model = onnx.load(folder / "net.onnx", load_external_data=False)
    for tensor in model.graph.initializer:
        entries = {entry.key: entry.value for entry in tensor.external_data} | stated
        del tensor.external_data[:]
        for key, value in entries.items():
            if value is not None:
                tensor.external_data.add(key=key, value=value)
    (folder / "net.onnx").write_bytes(model.SerializeToString())


def assert_same_values(path):
    model = open_model(path)
    model.prepare(["second", "first.relu"])
    photo = images(1, 36, 20)
    for values, expected in zip(model.run(photo).values(), reference(MODEL, photo, ["second", "first.relu"]), strict=True):
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-4)
    return model


def sha256(*paths):
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def test_one_file(split):
    model = assert_same_values(split / "net.onnx")
    assert model.weights_sha256 == sha256(split / "net.onnx", split / "net.data")


def test_several_files_are_hashed_in_the_order_of_their_paths(tmp_path):
    onnx.save(build(), tmp_path / "net.onnx", save_as_external_data=True, all_tensors_to_one_file=False, size_threshold=0)
    files = sorted(path for path in tmp_path.iterdir() if path.suffix != ".onnx")
    assert [path.name for path in files] == ["first.weight", "second.weight"]
    model = assert_same_values(tmp_path / "net.onnx")
    assert model.weights_sha256 == sha256(tmp_path / "net.onnx", *files) != sha256(tmp_path / "net.onnx", *files[::-1])


def test_a_sub_folder(split):
    (split / "weights").mkdir()
    (split / "net.data").rename(split / "weights" / "net.data")
    restate(split, location="weights/net.data")
    assert_same_values(split / "net.onnx")


def test_weights_within_an_inner_graph(tmp_path):
    """The kernel of a convolution stands in the branch of an If, as an initializer and as a constant."""
    branches = [
        helper.make_graph([conv("image", "map", "first.weight")], "yes", [], [helper.make_tensor_value_info("map", 1, None)], [weights("first.weight", 4, 3, 3, 3)]),
        helper.make_graph(
            [helper.make_node("Constant", [], ["kernel"], value=weights("first.weight", 4, 3, 3, 3)), conv("image", "map", "kernel")],
            "no", [], [helper.make_tensor_value_info("map", 1, None)],
        ),
    ]
    flag = onnx.numpy_helper.from_array(np.array(True), "flag")
    made = build([helper.make_node("If", ["flag"], ["first"], then_branch=branches[0], else_branch=branches[1])], outputs=["first"], more=[flag])
    onnx.save(made, tmp_path / "net.onnx", save_as_external_data=True, location="net.data", size_threshold=0, convert_attribute=True)
    assert (tmp_path / "net.data").stat().st_size > 2 * 432
    model = open_model(tmp_path / "net.onnx")
    model.prepare(["first"])
    photo = images(1, 16, 16)
    (expected,) = reference(MODEL, photo, ["first"])
    np.testing.assert_allclose(model.run(photo)["first"], expected, rtol=1e-4, atol=1e-4)


def test_from_any_working_directory(split, tmp_path, monkeypatch):
    monkeypatch.chdir(split)
    assert_same_values("net.onnx")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert_same_values("../net/net.onnx")


def test_links_of_a_cache_that_keeps_all_files_in_one_folder(split, tmp_path):
    """As Hugging Face's does: links with the names in one folder, files named for their content in another."""
    linked = tmp_path / "snapshots" / "onnx"
    linked.mkdir(parents=True)
    for number, name in enumerate(("net.onnx", "net.data")):
        (split / name).rename(split / f"blob{number}")
        (linked / name).symlink_to(f"../../net/blob{number}")
    assert_same_values(linked / "net.onnx")


def test_a_link_to_the_network_alone(split, tmp_path):
    (tmp_path / "link.onnx").symlink_to(split / "net.onnx")
    assert_same_values(tmp_path / "link.onnx")


def outside(split):
    """Whole weights, in a folder beside the network's."""
    (split.parent / "other").mkdir()
    return shutil.move(split / "net.data", split.parent / "other" / "net.data")


@pytest.mark.parametrize(
    ("prepare", "location"),
    [
        (lambda folder: (outside(folder), restate(folder, location="../other/net.data")), "../other/net.data"),
        (lambda folder: (outside(folder), restate(folder, location="x/../../other/net.data")), "x/../../other/net.data"),
        (lambda folder: restate(folder, location=str(outside(folder))), "/.*/other/net.data"),
        (lambda folder: (folder / "net.data").symlink_to(outside(folder)), "net.data"),
        (lambda folder: ((folder / "way").symlink_to(outside(folder).parent), restate(folder, location="way/net.data")), "way/net.data"),
        (lambda folder: restate(folder, location="/etc/passwd", offset=None, length=None), "/etc/passwd"),
        (lambda folder: restate(folder, location="../nowhere.data"), "../nowhere.data"),
        (lambda folder: restate(folder, location=""), ""),
        (lambda folder: restate(folder, location=None), ""),
        (lambda folder: restate(folder, location="net.data\0"), r"net.data\\x00"),
    ],
    ids=["dots", "dots on the way", "absolute", "link", "link to a folder", "another file", "outside and missing", "empty", "none", "zero byte"],
)
def test_data_outside_the_folder_is_refused(split, prepare, location):
    prepare(split)
    message = rf"^net.onnx wants external data from outside its folder \('{location}'\), which is refused: expected a file beside it; save the network again with its data beside it, or in one file\.$"
    with pytest.raises(ModelError, match=message):
        open_model(split / "net.onnx")


def damaged(folder, edit):
    (folder / "net.data").write_bytes(edit((folder / "net.data").read_bytes()))


OF = r"^net.data, external data of net.onnx, "
DAMAGE = {
    "missing": (lambda folder: (folder / "net.data").unlink(), "^net.onnx keeps its weights in 'net.data', which is not there: expected it beside net.onnx; copy both files"),
    "a folder": (lambda folder: ((folder / "net.data").unlink(), (folder / "net.data").mkdir()), "which is not there"),
    "truncated": (lambda folder: damaged(folder, lambda data: data[:-1]), OF + "is truncated: 1295 bytes, expected at least 1296; copy both files again"),
    "empty": (lambda folder: damaged(folder, lambda data: b""), OF + r"is truncated: 0 bytes, expected at least \d+; copy"),
    "far offset": (lambda folder: restate(folder, offset="9" * 30), OF + r"is truncated: 1296 bytes, expected at least 1\d{30}"),
    "no number": (lambda folder: restate(folder, offset="here"), OF + r"has no such place \(.*'here'\): expected an offset and a length of 0 or more; save the network again"),
    "negative offset": (lambda folder: restate(folder, offset="-4"), OF + r"has no such place \(432 bytes from byte -4 on\)"),
    "negative length": (lambda folder: restate(folder, length="-1"), OF + r"has no such place \(-1 bytes from byte 0 on\)"),
    "too little": (lambda folder: restate(folder, length="4"), r"^ONNX Runtime cannot load net.onnx \(.*first.weight.*432 bytes\)"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_data_is_named(split, kind, recwarn):
    damage, message = DAMAGE[kind]
    damage(split)
    with pytest.raises(ModelError, match=message) as caught:
        open_model(split / "net.onnx")
    assert "\n" not in str(caught.value) and not list(recwarn)


def test_a_hash_covers_the_data(split):
    before = open_model(split / "net.onnx").weights_sha256
    damaged(split, lambda data: data[:-4] + b"\0\0\0\0")
    after = open_model(split / "net.onnx").weights_sha256
    assert after != before and after == sha256(split / "net.onnx", split / "net.data")


def test_a_file_without_offset_and_length_is_taken_whole(tmp_path):
    made = build(NODES[:1], outputs=["first"], constants=[weights("first.weight", 4, 3, 3, 3)])
    onnx.save(made, tmp_path / "net.onnx", save_as_external_data=True, location="net.data", size_threshold=0)
    restate(tmp_path, offset=None, length=None)
    open_model(tmp_path / "net.onnx").prepare(["first"])
    assert open_model(tmp_path / "net.onnx").layers()[0].channels == 4


def test_an_export_by_such_a_network_and_its_refusal(split, photos, tmp_path):
    export = ["overlay-export", photos, "-o", tmp_path / "site", "--model", split / "net.onnx", "--layers", "second", "--size", 64, "--quiet"]
    assert invoke(*export).exit_code == 0
    before = contents(tmp_path / "site")
    assert sha256(split / "net.onnx", split / "net.data").encode() in before["bundle.json"]
    assert invoke("overlay-verify", tmp_path / "site", "--images", photos, "--model", split / "net.onnx").exit_code == 0
    data = (split / "net.data").read_bytes()
    (split / "net.data").write_bytes(data[:-4] + bytes(4))
    refused_run = invoke("overlay-verify", tmp_path / "site", "--quiet", "--images", photos, "--model", split / "net.onnx")
    refused(refused_run, 1, r"^Error: net.onnx has weights \w+…, network 'net' of the site has \w+…")
    (split / "net.data").unlink()
    refused(invoke(*export, "--force"), 1, "^Error: net.onnx keeps its weights in 'net.data', which is not there")
    assert contents(tmp_path / "site") == before
    assert [path.name for path in tmp_path.iterdir() if re.search("export|site", path.name)] == ["site"]


def test_data_that_may_not_be_read(split, monkeypatch):
    def refuse(path, *arguments, **options):
        if path.name == "net.data":
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **options)

    real = type(split).open
    monkeypatch.setattr(type(split), "open", refuse)
    with pytest.raises(ModelError, match=OF + r"cannot be read \(Permission denied\); check its permissions"):
        open_model(split / "net.onnx")
    assert os.access(split / "net.data", os.R_OK)
