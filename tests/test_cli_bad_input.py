"""Everything a user can get wrong: one clear message with the remedy, the right exit code, nothing touched."""

import sys
import zlib

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

import exporter
from exporter.manifest import Selection
from exporter.marks import FORMAT
from tests.conftest import cli, contents, invoke, make_photo, refused
from tests.onnx_graphs import NODES, build

HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(200)


def bomb(path):
    """A PNG of a few bytes that claims 30,000 x 30,000 pixels."""
    Image.new("1", (8, 8)).save(path, "PNG")
    data = bytearray(path.read_bytes())
    data[16:24] = (30_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    path.write_bytes(data)


def truncated(path):
    make_photo(path, 5, (400, 300))
    path.write_bytes(path.read_bytes()[:-600])


BAD_IMAGES = {
    "text.jpg": (lambda path: path.write_text("no picture"), "not an image, its content is none of JPEG, PNG, .*; remove or convert it"),
    "short.jpg": (truncated, "truncated, the file ends before the image does; copy it again"),
    "nothing.png": (lambda path: path.write_bytes(b""), r"an empty file \(0 bytes\); copy it again"),
    "bomb.png": (bomb, "too large, 30000 x 30000 = 900,000,000 pixels; scale it down to at most 178,956,970"),
    "phone.heic": (lambda path: path.write_bytes(HEIC), r'a HEIC image, which needs pillow-heif; install it with: pip install "overlay-export\[heic\]"'),
    "gone.jpg": (lambda path: path.symlink_to(path.parent / "nowhere"), "there is no such file"),
}


@pytest.fixture(autouse=True)
def no_heif(monkeypatch):
    """As on machines without pillow-heif."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)


@pytest.mark.parametrize("name", BAD_IMAGES)
def test_a_bad_image_stops_the_run_before_any_work(photos, tiny, tmp_path, name):
    make, message = BAD_IMAGES[name]
    make(photos / "dogs" / name)
    run = invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny)
    refused(run, 1, f"Error: {photos / 'dogs' / name}: {message}", "1 of 6 images cannot be used; mend or remove them, or pass --skip-bad")
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


@pytest.mark.parametrize("name", BAD_IMAGES)
def test_an_image_named_on_its_own(tiny, tmp_path, name):
    make, message = BAD_IMAGES[name]
    make(tmp_path / name)
    if name == "gone.jpg":
        return refused(invoke("overlay-export", tmp_path / name, "-o", tmp_path / "site", *tiny), 2, "no such file or folder: .*gone.jpg")
    refused(invoke("overlay-export", tmp_path / name, "-o", tmp_path / "site", *tiny), 1, message, "1 of 1 images")


def test_bad_images_among_good_ones(photos, tiny, tmp_path):
    for name, (make, _) in BAD_IMAGES.items():
        make(photos / name)
    run = invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny)
    refused(run, 1, *(f"{photos / name}: {BAD_IMAGES[name][1]}" for name in sorted(BAD_IMAGES)), "6 of 11 images cannot be used")
    run = invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny, "--skip-bad")
    assert run.exit_code == 0 and "5 images" in run.stdout
    assert [line.split(": ")[1] for line in run.stderr.splitlines()] == [str(photos / name) for name in sorted(BAD_IMAGES)]
    assert invoke("overlay-verify", tmp_path / "site").exit_code == 0


def test_many_bad_images_are_counted(photos, tiny, tmp_path):
    for number in range(12):
        (photos / f"x{number:02}.png").write_bytes(b"")
    run = invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny)
    refused(run, 1, "x00.png", "x09.png: an empty file[^\n]*\nand 2 more\n12 of 17 images")
    assert len(invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny, "--skip-bad").stderr.splitlines()) == 12


def test_all_images_bad(tiny, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(b"")
    run = invoke("overlay-export", folder, "-o", tmp_path / "site", *tiny, "--skip-bad")
    refused(run, 1, "none of the 2 images can be used; the first: .*a.png: an empty file")
    assert not (tmp_path / "site").exists()


def test_an_empty_folder_and_no_such_path(tiny, tmp_path):
    (tmp_path / "photos").mkdir()
    output = ["-o", tmp_path / "site", *tiny]
    refused(cli("overlay-export", tmp_path / "photos", *output), 1, "^Error: no images in .*photos, expected files ending in .jpg .*; name a folder")
    refused(cli("overlay-export", tmp_path / "fotos", *output), 2, "^Error: no such file or folder: .*fotos; check the spelling\n$")
    (tmp_path / "notes.txt").write_text("")
    refused(invoke("overlay-export", tmp_path / "notes.txt", *output), 2, "notes.txt is not an image by its name")
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "notes.txt"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--model", "efficientnet-lit0"], ["Unknown network 'efficientnet-lit0'", "did you mean 'efficientnet-lite0'"]),
        (["--model", "none.onnx"], ["No such file: 'none.onnx'", "check the path"]),
        (["--layers", "shalow"], ["has no layer 'shalow': near names are shallow", "overlay-layers with the same --model lists all"]),
        (["--layers", "deep,x*"], [r"pattern 'x\*' matches no layer"]),
        (["--layers", ","], ["No layer was named", "expected names, aliases or globs"]),
        (["--figures", "galery"], ['unknown figure "galery", expected one or more of channels, classes, factors, gallery, layers, map, neighbours, pair, pca, segment, transforms; did you mean "gallery"']),
        (["--std", "0"], ["--std is 0 for a channel", "expected numbers above 0"]),
        (["--mean", "1,2"], ["--mean", "'1,2' is not 1 or 3 numbers between commas"]),
        (["--input-range", "a,b"], ["--input-range", "'a,b' is not 2 numbers"]),
        (["--size", "31"], ["--size", "31 is not in the range 32<=x<=4096"]),
        (["--threads", "0"], ["--threads", "0 is not in the range"]),
        (["--batch-size", "0"], ["--batch-size", "0 is not in the range"]),
        (["--fit", "cover"], ["--fit", "'cover' is not one of 'contain', 'stretch', 'crop'"]),
        (["--sizes", "64"], ["[Nn]o such option", "--size"]),
    ],
    ids=lambda value: value[1] if value and value[0].startswith("--") else "",
)
def test_a_wrong_command_line(photos, tiny_network, tmp_path, options, words):
    usual = [word for name, value in (("--model", tiny_network), ("--layers", "deep"), ("--size", "64")) if name not in options for word in (name, value)]
    refused(invoke("overlay-export", photos, "-o", tmp_path / "site", *usual, *options), 2, *words)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_missing_arguments_in_processes_of_their_own(tmp_path):
    refused(cli("overlay-export"), 2, "Missing argument 'IMAGES")
    refused(cli("overlay-export", tmp_path), 2, "Missing option '-o'")
    refused(cli("overlay-verify", tmp_path / "site"), 2, "^Error: no such file or folder: .*site; expected a site's folder, its bundle.json")
    refused(cli("overlay-serve", tmp_path / "site"), 2, "^Error: no such file or folder: .*site; expected a site")
    refused(cli("overlay-layers", "--model", "vgg"), 2, "^Error: Unknown network 'vgg': known are")


def test_a_layer_without_a_grid(photos, model_cache, tmp_path):
    run = cli("overlay-export", photos, "-o", tmp_path / "site", "--layers", "block3,_fc")
    refused(run, 2, "Layer '_fc' is never run")
    pooled = tmp_path / "pooled.onnx"
    save(pooled, [helper.make_node("GlobalAveragePool", ["map"], ["pooled"])], "pooled")
    run = invoke("overlay-export", photos, "-o", tmp_path / "site", "--model", pooled, "--layers", "pooled")
    refused(run, 2, r"'pooled' has no spatial grid: output shape \(1, 4, 1, 1\)", "overlay-layers with the same --model lists all")


def save(path, nodes, output, bias=-1.0):
    """An ONNX file: `map` (4 channels, stride 4, the mean of a channel plus a bias) and what nodes make of it."""
    kernel = np.full((4, 3, 4, 4), 1 / 48, np.float32) * np.arange(1, 5, dtype=np.float32).reshape(4, 1, 1, 1)
    constants = [numpy_helper.from_array(kernel, "w"), numpy_helper.from_array(np.full(4, bias, np.float32), "b")]
    first = helper.make_node("Conv", ["image", "w", "b"], ["map"], strides=[4, 4], kernel_shape=[4, 4])
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, "h", "w"])
    result = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
    graph = helper.make_graph([first, *nodes], "net", [image], [result], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


PLAIN = ["--input-range", "0,1", "--mean", "0", "--std", "1", "--size", "64"]


def test_zero_feature_vectors_are_similar_to_nothing(photos, tmp_path):
    network = save(tmp_path / "dark.onnx", [helper.make_node("Relu", ["map"], ["out"])], "out", bias=-0.01)
    Image.new("RGB", (64, 64)).save(photos / "black.png")
    run = invoke("overlay-export", photos, "-o", tmp_path / "site", "--model", network, "--layers", "out", *PLAIN, "--encoding", "int8")
    assert run.exit_code == 0, run.stderr
    bundle = exporter.load_bundle(tmp_path / "site")
    assert not bundle.codes("black", "out").any()
    assert not any(values.any() for values in bundle.similarity("black", "out", 2, 3).values())
    from_elsewhere = bundle.similarity("first", "out", 0, 0)
    assert not from_elsewhere["black"].any() and from_elsewhere["first"][0, 0] == 1
    assert bundle.manifest.selection.image != "black"


def test_all_features_zero(photos, tmp_path):
    network = save(tmp_path / "dark.onnx", [helper.make_node("Relu", ["map"], ["out"])], "out", bias=-9)
    for output in ("site", "page.html"):
        run = invoke("overlay-export", photos, "-o", tmp_path / output, "--model", network, "--layers", "out", *PLAIN)
        assert run.exit_code == 0 and "similarity error at most 0.0000" in run.stdout
        bundle = exporter.load_bundle(tmp_path / output)
        rows, cols = bundle.grid(bundle.images[0], "out")
        assert bundle.manifest.selection == Selection(bundle.images[0].id, "out", *divmod(rows * cols // 2, cols))
        assert bundle.layers[0].range == (0.0, 0.05)
        assert invoke("overlay-verify", tmp_path / output).exit_code == 0


def test_the_head_of_the_default_network_gives_zero_vectors(photos, model_cache, tmp_path):
    Image.new("RGB", (64, 64), (128, 128, 128)).save(photos / "grey.png")
    run = invoke("overlay-export", photos, "-o", tmp_path / "site", "--layers", "head")
    assert run.exit_code == 0, run.stderr
    bundle = exporter.load_bundle(tmp_path / "site")
    zero = np.argwhere(~bundle.codes("grey", "head").any(axis=-1))
    assert len(zero), "expected the zero vectors that the head gives on a grey image"
    assert not any(values.any() for values in bundle.similarity("grey", "head", *zero[0]).values())


def test_features_that_are_no_numbers_name_layer_and_image(photos, tmp_path):
    network = save(tmp_path / "log.onnx", [helper.make_node("Log", ["map"], ["logged"])], "logged", bias=-0.2)
    run = invoke("overlay-export", photos, "-o", tmp_path / "site", "--model", network, "--layers", "logged", *PLAIN)
    refused(run, 1, f"^Error: {photos}/.*: Layer 'logged' of log gave NaN or infinity", "--mean")
    assert not (tmp_path / "site").exists() and not list(tmp_path.glob(".site*"))


SECOND_INPUT = helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["n"])
CUSTOM = helper.make_node("Mine", ["second"], ["x"], domain="nowhere")
BAD_NETWORKS = {
    "garbage": (b"garbage", r"net.onnx is not a readable ONNX file \(7 bytes\): expected a graph with nodes, it may be truncated; export or copy it again"),
    "half a file": (build().SerializeToString()[:-40], r"net.onnx is not a readable ONNX file \(\d+ bytes\): .* truncated; export or copy"),
    "two inputs": (build(inputs=[SECOND_INPUT]).SerializeToString(), r"net.onnx has 2 inputs \(image, mask\), expected one image; export it with one input"),
    "channels last": (build(shape=("n", 64, 64, 3)).SerializeToString(), r"net.onnx takes float32 \(\?, 64, 64, 3\), expected float32 \(N, 3, H, W\); put a transpose in front"),
    "custom operator": (build([*NODES, CUSTOM]).SerializeToString(), "ONNX Runtime cannot load net.onnx .*Mine.*: expected a whole file with standard operators; export it again without custom ones"),
    "no map": (build([helper.make_node("Flatten", ["image"], ["logits"])]).SerializeToString(), "net.onnx has no layer with a spatial grid, expected .*; export one with its feature maps"),
}


@pytest.mark.parametrize("kind", BAD_NETWORKS)
def test_a_network_file_that_cannot_be_used(photos, tiny, tmp_path, kind):
    data, message = BAD_NETWORKS[kind]
    (tmp_path / "net.onnx").write_bytes(data)
    assert invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny, "--quiet").exit_code == 0
    before = contents(tmp_path / "site")
    refused(invoke("overlay-export", photos, "-o", tmp_path / "site", "--force", "--model", tmp_path / "net.onnx", "--layers", "second"), 1, f"^Error: {message}")
    refused(invoke("overlay-layers", "--model", tmp_path / "net.onnx"), 1, f"^Error: {message}")
    refused(invoke("overlay-verify", tmp_path / "site", "--quiet", "--images", photos, "--model", tmp_path / "net.onnx"), 1, f"^Error: {message}")
    assert contents(tmp_path / "site") == before and {path.name for path in tmp_path.iterdir()} == {"photos", "net.onnx", "site"}


def test_an_export_is_no_folder_of_images(photos, tiny, tmp_path):
    (photos / "bundle.json").write_text(f'{{"format": "{FORMAT}"}}')
    run = invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny)
    refused(run, 2, "photos is an earlier export, expected images; name the folder these came from")


def test_slips_in_notes_are_warnings_and_errors(photos, tiny, tmp_path):
    (photos / "images.toml").write_text('[images.frist]\nalt = "x"\n')
    run = invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny, "--quiet")
    assert (run.exit_code, run.stdout) == (0, "")
    assert run.stderr == f'Warning: images.toml: no image "frist" in {photos}; did you mean "first"?\n'
    (photos / "images.toml").write_text("[images.first")
    before = contents(tmp_path / "site")
    run = invoke("overlay-export", photos, "-o", tmp_path / "site", *tiny, "--force")
    refused(run, 1, r"images.toml is not valid TOML", "correct it")
    assert contents(tmp_path / "site") == before


def test_a_title_that_is_no_utf8(photos, tiny, tmp_path):
    run = cli("overlay-export", photos, "-o", tmp_path / "site", *tiny, "--title", b"caf\xe9".decode(errors="surrogateescape"))
    assert (run.returncode, run.stderr) == (0, "")
    assert exporter.load_bundle(tmp_path / "site").manifest.title == "caf?"
