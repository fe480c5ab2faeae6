"""Converting networks from torch to ONNX, with every module's output as an output of the graph.

Imports torch: only for what is not in the cache.
"""

import contextlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch
from efficientnet_lite_pytorch import EfficientNet

from exporter.errors import ModelError
from exporter.models import graph, probe, session
from exporter.models.cache import Converted
from exporter.models.preprocessing import EFFICIENTNET_LITE

HEAD = "head"

_EXAMPLE = (2, 3, 224, 256)


class Taps(torch.nn.Module):
    """Returns the output of every module named, and the network's own last as `head`, as a tuple.

    A layer's value is what its module returned, copied before anything can change it in place.
    """

    def __init__(self, network: torch.nn.Module, modules: list[str]):
        super().__init__()
        self.network, self.modules_named = network, modules
        self.eval()

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(n, 3, height, width) -> one (n, channels, rows, cols) for each name, then the head's."""
        outputs: dict[str, torch.Tensor] = {}
        with _hooks(self.network, self.modules_named, lambda name, out: outputs.update({name: out.clone()})):
            head = self.network.extract_features(image)
        return *(outputs[name] for name in self.modules_named), head


@contextlib.contextmanager
def _hooks(network: torch.nn.Module, names: list[str], keep) -> Iterator[None]:
    handles = [
        network.get_submodule(name).register_forward_hook(lambda module, args, out, name=name: keep(name, out))
        for name in names
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def efficientnet_lite0(weights: Path, threads: int | None) -> Converted:
    """Convert the network with the weights of that file; ModelError where a step of it fails."""
    try:
        with _quiet(), _bounded(threads), torch.no_grad():
            network = _load(weights)
            modules, unavailable = _modules(network)
            data = _export(Taps(network, modules), [*modules, HEAD])
    except Exception as error:  # whatever torch, its exporter or the unpickler raise
        raise ModelError(
            f"EfficientNet-Lite0 could not be converted to ONNX ({session.first_line(error)}): "
            "expected torch >= 2.6, onnxscript and whole weights; install overlay-export again."
        ) from error
    found = _probe(data, [*modules, HEAD], threads)
    return Converted(data, found.layers, (*unavailable, *found.unavailable))


def _probe(data: bytes, names: list[str], threads: int | None) -> probe.Found:
    label = "EfficientNet-Lite0"
    inspected = probe.Probe(graph.parse(data, label), names, EFFICIENTNET_LITE, label=label, threads=threads)
    return inspected.find(probe.SIZES)


def _load(weights: Path) -> torch.nn.Module:
    network = EfficientNet.from_name("efficientnet-lite0", image_size=224)
    # weights_only: no code in the file is run.
    network.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
    return network.eval()


def _modules(network: torch.nn.Module) -> tuple[list[str], tuple[tuple[str, str], ...]]:
    """Names of the modules that run once and return a feature map, in forward order; the others with the reason."""
    seen: dict[str, list] = {}
    names = [name for name, _ in network.named_modules() if name]
    with _hooks(network, names, lambda name, out: seen.setdefault(name, []).append(out)):
        network.extract_features(torch.zeros(_EXAMPLE))
    reasons = {name: _reason(seen.get(name, [])) for name in names}
    return [name for name in seen if not reasons[name]], tuple((name, why) for name, why in reasons.items() if why)


def _reason(outputs: list) -> str:
    if len(outputs) != 1:
        return f"is called {len(outputs)} times" if outputs else "is never run"
    if not isinstance(outputs[0], torch.Tensor):
        return f"returns a {type(outputs[0]).__name__}"
    shape = tuple(outputs[0].shape)
    return "" if len(shape) == 4 else f"has no spatial grid: output shape {(1, *shape[1:])}"


def _export(taps: Taps, names: list[str]) -> bytes:
    dynamic = torch.export.Dim.DYNAMIC
    program = torch.onnx.export(
        taps,
        (torch.randn(_EXAMPLE, generator=torch.Generator().manual_seed(0)),),
        dynamo=True,
        verbose=False,
        input_names=["image"],
        output_names=names,
        dynamic_shapes={"image": {0: dynamic, 2: dynamic, 3: dynamic}},
    )
    return program.model_proto.SerializeToString()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _bounded(threads: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
