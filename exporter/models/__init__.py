"""Networks: `open_model` is the one way in, `Model` is what everything else sees of a network."""

import os
from collections.abc import Callable, Sequence

from exporter.errors import UsageError
from exporter.models.model import LayerInfo, Model, RequestedLayer
from exporter.models.preprocessing import IMAGENET, Preprocessing, preprocessing
from exporter.models.recipe import Options, Recipe, choose_weights
from exporter.models.torch_model import CPU, DEVICES, choose_device

__all__ = ["CPU", "DEFAULT_MODEL", "DEVICES", "LayerInfo", "Model", "Preprocessing", "RequestedLayer", "open_model"]

DEFAULT_MODEL = "efficientnet-lite0"


def open_model(
    spec: str | os.PathLike = DEFAULT_MODEL,
    *,
    weights: str | os.PathLike | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    input_range: Sequence[float] | None = None,
    input_size: int | Sequence[int] | None = None,
    prefix_tokens: int | None = None,
    device: str = CPU,
    threads: int | None = None,
    notify: Callable[[str], None] | None = None,
) -> Model:
    """Open a network; nothing is loaded for inference before `Model.prepare`.

    spec: `DEFAULT_MODEL`, a classification network of torchvision by its name, `timm:NAME`, the path of a file ending in .onnx, or own
    code as `package.module:function` or `file.py:function`, a function that returns an nn.Module.
    weights: None for the published ones (own code: as it makes them), "random" for seeded random ones, the path of a state dict (.pt, .pth,
    .safetensors), or the name of another set that torchvision publishes.
    input_range: (low, high), what pixel values 0..255 are mapped to linearly; mean, std: 1 or 3 numbers in its units;
    the network is given (x - mean) / std. What is left out is the network's own (ONNX files and own code: 0..1, ImageNet's mean
    and std), except that with `input_range` given the mean is 0 and the std 1: pixels arrive in just that range.
    input_size: pixels of the side, or (height, width), that every image is to be given at. prefix_tokens: class and register tokens before
    those of the patches, where that is not clear from their number.
    device: cpu (ONNX Runtime), cuda or mps (torch), or auto. threads: how many CPU threads conversion and probing may use
    (`Model.run` itself uses one for each call). notify: called with one line of text where opening takes long.

    Raises UsageError (unknown network or weights, no such file, bad numbers) and ModelError (damaged or unfit file, failed download or conversion).
    """
    spec, tell, size = os.fspath(spec), notify or (lambda line: None), _size(input_size)
    preprocessing(IMAGENET, mean, std, input_range)  # complain before the work
    if prefix_tokens is not None and prefix_tokens < 0:
        raise UsageError(f"--prefix-tokens is {prefix_tokens}: expected 0 or more.")
    if spec.lower().endswith(".onnx"):
        return _open_onnx(spec, weights, preprocessing(IMAGENET, mean, std, input_range), size, prefix_tokens, device, threads)
    from exporter.models import build

    options = Options(choose_weights(None if weights is None else os.fspath(weights)), size, prefix_tokens, choose_device(device))
    return build.open_recipe(_recipe(spec, options), options, lambda own: preprocessing(own, mean, std, input_range), threads, tell)


def _open_onnx(spec: str, weights: object, pixels: Preprocessing, size: tuple[int, int] | None, prefix: int | None, device: str, threads: int | None) -> Model:
    from exporter.models import onnx_file

    if weights is not None:
        raise UsageError(f"{spec} holds its own weights: expected no --weights with an ONNX file; leave it out.")
    if device not in (CPU, "auto"):
        raise UsageError(f"{spec} runs on the CPU only, expected --device cpu, got {device}; pass the network as torch code for an accelerator.")
    return onnx_file.open_file(spec, pixels, size, prefix, threads)


def _recipe(spec: str, options: Options) -> Recipe:
    from exporter.models import default, from_code, from_timm, from_torchvision

    if spec == DEFAULT_MODEL:
        return default.recipe(options)
    if spec.startswith(from_timm.PREFIX):
        return from_timm.recipe(spec, options)
    if from_code.is_code(spec):
        return from_code.recipe(spec, options)
    return from_torchvision.recipe(spec, options)


def _size(given: int | Sequence[int] | None) -> tuple[int, int] | None:
    if given is None:
        return None
    sides = (given, given) if isinstance(given, int) else tuple(given)
    sides = sides * 2 if len(sides) == 1 else sides
    if len(sides) != 2 or not all(isinstance(side, int) and 8 <= side <= 4096 for side in sides):
        raise UsageError(f"--input-size is {given!r}: expected one number, or height,width, of 8 to 4096 pixels, like --input-size 224.")
    return sides
