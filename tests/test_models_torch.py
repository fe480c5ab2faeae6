"""Networks that run in torch: values, threads, how much is computed, devices."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from exporter.errors import ModelError, UsageError
from exporter.models import build, open_model
from exporter.models.preprocessing import IMAGENET
from exporter.models.recipe import Built, Options, Recipe, Weights
from exporter.models.torch_model import TorchModel, choose_device
from tests.models_help import distance, model, noise, unconverted  # two of them fixtures


def in_torch(network, **options):
    """A model of that network, which nothing converts."""
    recipe = Recipe("Net", "net", lambda: Built(network.eval(), "Net", "0" * 64, IMAGENET), None)
    return build.open_recipe(recipe, Options(Weights(), **options), lambda own: own, 1, pytest.fail)


def small():
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 32, 8, 8), nn.GELU(), nn.Conv2d(32, 64, 3, 2, 1), nn.BatchNorm2d(64), nn.Conv2d(64, 64, 3, 1, 1))


@pytest.fixture
def in_both(model, unconverted):
    """The default network in torch, and on ONNX Runtime."""
    in_torch = open_model()
    assert in_torch.notes == ("EfficientNet-Lite0 runs in torch, which is slower: the test wants none.",)
    return in_torch, model


def test_the_default_network_is_the_same_in_both(in_both):
    in_torch, on_onnx = in_both
    assert (type(in_torch).__name__, type(on_onnx).__name__) == ("TorchModel", "OnnxModel")
    assert in_torch.layers() == on_onnx.layers() and in_torch.unavailable == on_onnx.unavailable
    names, images = [layer.module for layer in in_torch.layers()], noise(2, 160, 352)
    maps = []
    for model in in_both:
        model.prepare(names)
        maps.append(model.run(images))
    assert max(distance(maps[1][name], maps[0][name]) for name in names) < 1e-3
    assert all(values.dtype == np.float32 for values in maps[0].values())


@pytest.fixture
def two_threads():
    """torch on two threads, whatever the machine and its variables say."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_results_do_not_depend_on_batch_or_threads(two_threads):
    network, seen = small(), []
    model = in_torch(network)
    network.register_forward_pre_hook(lambda *arguments: seen.append(torch.get_num_threads()))
    model.prepare([layer.module for layer in model.layers()])
    images = noise(5, 64, 96)
    one = [model.run(images[i : i + 1]) for i in range(5)]
    together = model.run(images)
    with ThreadPoolExecutor(4) as pool:
        threaded = list(pool.map(lambda i: model.run(images[i : i + 1]), list(range(5)) * 4))
    for name, values in together.items():
        assert (np.concatenate([maps[name] for maps in one]) == values).all()
        assert all((maps[name] == one[i % 5][name]).all() for i, maps in enumerate(threaded))
    assert set(seen) == {1} and torch.get_num_threads() == 2


def test_nothing_past_the_deepest_layer_is_computed():
    network, calls = small(), []
    for name, module in network.named_children():
        module.register_forward_pre_hook(lambda module, args, name=name: calls.append(name))
    model = in_torch(network)
    model.prepare(["2", "0"])
    calls.clear()
    assert list(model.run(noise(1, 32, 32))) == ["0", "2"]
    assert calls == ["0", "1", "2"]
    model.prepare(["0"])
    calls.clear()
    model.run(noise(2, 32, 32))
    assert calls == ["0", "0"]
    model.prepare(["1", "output"])
    calls.clear()
    assert list(model.run(noise(1, 32, 32))) == ["1", "output"]
    assert calls == list("01234")


def test_it_can_be_prepared_again_and_two_models_can_share_a_network():
    network = small()
    first, second = in_torch(network), in_torch(network)
    first.prepare(["0", "4"])
    before = first.run(noise(1, 32, 64))
    first.prepare(["1"])
    assert list(first.run(noise(1, 32, 64))) == ["1"]
    first.prepare(["0", "4"])
    again = first.run(noise(1, 32, 64))
    assert all((again[name] == before[name]).all() for name in before)
    first.prepare(["1"])
    with ThreadPoolExecutor(1) as pool:
        assert list(pool.submit(first.run, noise(1, 32, 64)).result()) == ["1"]
    assert second.layers() == first.layers()


def test_run_refuses_what_it_cannot_take():
    model = in_torch(small())
    with pytest.raises(RuntimeError, match=r"call prepare\(\)"):
        model.run(noise(1, 32, 32))
    with pytest.raises(ValueError, match="no layer 'block3'"):
        model.prepare(["block3"])
    model.prepare(["0"])
    with pytest.raises(ValueError, match="multiples of 16"):
        model.run(noise(1, 40, 32))


def test_a_network_that_fails_on_an_image_says_at_which_size():
    class Picky(nn.Conv2d):
        def forward(self, images):
            if images.shape[2] == 64:
                raise ValueError("64 rows are\ntoo many.")
            return super().forward(images)

    model = in_torch(nn.Sequential(Picky(3, 4, 4, 4)))
    model.prepare(["0"])
    with pytest.raises(ModelError, match=r"^Net cannot be run on an image of 64x32 pixels \(height x width\): 64 rows are; pass the size it takes with --input-size\.$"):
        model.run(noise(1, 64, 32))


def test_maps_that_are_not_those_promised_are_refused():
    class Growing(nn.Conv2d):
        def forward(self, images):
            return super().forward(images if images.shape[2] > 100 else images[:, :, ::2])

    model = in_torch(nn.Sequential(Growing(3, 4, 4, 4)))
    model.prepare(["0"])
    with pytest.raises(ModelError, match=r"Layer '0' of Net gave a map of \(4, 4, 8\) .* image of 32x32 pixels, expected \(4, 8, 8\); choose another layer or size"):
        model.run(noise(1, 32, 32))


def test_an_accelerator_takes_whole_batches_in_full_precision():
    """`cpu:0` is what torch calls the CPU too, and what is not told from an accelerator here."""
    network, seen = small(), []
    network.register_forward_pre_hook(lambda module, args: seen.append((len(args[0]), torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32)))
    model = in_torch(network)
    model.prepare(["3", "4"])
    expected = model.run(noise(3, 64, 32))
    model.device = "cpu:0"
    torch.set_float32_matmul_precision("medium")
    seen.clear()
    try:
        model.prepare(["3", "4"])
        found = model.run(noise(3, 64, 32))
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")
    assert seen == [(3, "highest", False)] and torch.backends.cudnn.allow_tf32
    assert all(distance(expected[name], found[name]) < 1e-5 for name in expected)


@pytest.fixture
def accelerators(monkeypatch):
    """Makes torch see these devices."""

    def see(*names):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in names)
        # torch itself asks for what that cache wraps.
        monkeypatch.setattr(torch.backends.mps, "is_available", cache(lambda: "mps" in names))

    return see


@pytest.mark.parametrize(("there", "chosen"), [((), "cpu"), (("cuda",), "cuda"), (("mps",), "mps"), (("cuda", "mps"), "cuda")])
def test_auto_is_the_accelerator_that_is_there(accelerators, there, chosen):
    accelerators(*there)
    assert choose_device("auto") == chosen
    assert [choose_device(name) for name in (*there, "cpu")] == [*there, "cpu"]


@pytest.mark.parametrize(
    ("there", "device", "message"),
    [
        ((), "cuda", "No device 'cuda' here: torch sees cpu; use --device auto, or install a torch built for it."),
        ((), "mps", "No device 'mps' here: torch sees cpu; use"),
        (("cuda",), "mps", "No device 'mps' here: torch sees cuda, cpu; use"),
        (("cuda",), "gpu", "Unknown device 'gpu': expected one of cpu, cuda, mps, auto; see --device."),
        ((), "", "Unknown device '': expected one of"),
    ],
)
def test_devices_that_are_not_here(accelerators, there, device, message):
    accelerators(*there)
    with pytest.raises(UsageError) as caught:
        open_model(device=device)
    assert str(caught.value).startswith(message)


def test_auto_is_the_cpu_here_and_needs_no_other_conversion(conversion, monkeypatch, accelerators):
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(conversion[0]))
    accelerators()
    assert type(open_model(device="auto", notify=pytest.fail)).__name__ == "OnnxModel"


def test_an_accelerator_gets_torch_and_its_table_from_the_cache(accelerators, monkeypatch, tmp_path):
    accelerators("cuda")
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(tmp_path))
    models = [open_model("squeezenet1_1", weights="random", device="cuda", notify=pytest.fail) for _ in range(2)]
    assert all(isinstance(model, TorchModel) and model.device == "cuda" and not model.notes for model in models)
    assert models[0].layers() == models[1].layers()
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]
