"""Classification networks by their names in torchvision, with published weights, those of a file, or random ones."""

import difflib
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporter.errors import UsageError, first_line
from exporter.models.aliases import aliases_of
from exporter.models.default import FAMILY as DEFAULT
from exporter.models.preprocessing import IMAGENET, Preprocessing
from exporter.models.recipe import SEED, Built, Options, Recipe, Weights, sha256_of

if TYPE_CHECKING:
    import torch

# They look at the image's size while they run (windows that are shifted only where there are several), so that a graph
# made at one size is silently wrong at others: 0.97 of the map's largest value for swin_t at 224 pixels, made at 256 x 320.
_SIZE_DEPENDENT = ("swin*",)
# Heads beside the classifier, used in training only, are built where the weights have them.
_WITH_AUXILIARY = ("googlenet", "inception_v3")


def recipe(name: str, options: Options) -> Recipe:
    """The recipe of a network; nothing is imported yet, so an unknown name shows when it is built."""
    return Recipe(
        title=name,
        source=name,
        build=lambda: build(name, options.weights, options.size),
        key=("torchvision", version("torchvision"), name),
        dynamic=not any(fnmatchcase(name, pattern) for pattern in _SIZE_DEPENDENT),
    )


def names() -> list[str]:
    """All classification networks that the installed torchvision has."""
    import torchvision

    return torchvision.models.list_models(module=torchvision.models)


def _check_name(name: str) -> None:
    everything = [DEFAULT, *names()]
    if name in everything:
        return
    near = difflib.get_close_matches(name.lower(), everything, n=3)
    hint = f"did you mean {' or '.join(repr(one) for one in near)}?" if near else "use one of these."
    raise UsageError(
        f"Unknown network '{name}': known are '{DEFAULT}', torchvision's classification networks such as 'resnet50', timm:NAME, files ending in .onnx, "
        f"and module:function or file.py:function for your own; {hint}"
    )


def build(name: str, weights: Weights, size: tuple[int, int] | None) -> Built:
    """The network with its weights. Raises UsageError for a name it does not know, ModelError for weights that do not load."""
    import torch

    from exporter.models.weights import load_into, read_state_dict, state_sha256

    _check_name(name)
    path, published = weights.path, None
    if path is None and not weights.random:
        published = _published(name, weights)
        path = _downloaded(published, name)
    state = read_state_dict(path) if path else None
    recognised = published or _recognised(name, weights)
    options = _options(name, recognised, state, size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        network = _make(name, options, state)
    if state is not None:
        load_into(network, state, path.name)
    return Built(
        network=network.eval(),
        name=f"{name}, {'random weights' if weights.random else f'ImageNet ({published.name})' if published else weights.text}",
        weights_sha256=sha256_of(path) if path else state_sha256(network),
        preprocessing=_preprocessing(published or _default_weights(name)),
        size=size,
        native=(_native(published or _default_weights(name)),) * 2,
        aliases=aliases_of(name),
    )


def _make(name: str, options: dict[str, Any], state: "dict[str, torch.Tensor] | None") -> "torch.nn.Module":
    """The network; its classifier, which no layer needs, is as wide as that of the weights."""
    from exporter.models.weights import stripped

    network = _construct(name, options)
    last, own = list(network.state_dict())[-1], network.state_dict()
    classes = None if state is None else stripped(state, network).get(last)
    if classes is None or not classes.ndim or classes.shape == own[last].shape or classes.shape[1:] != own[last].shape[1:]:
        return network
    return _construct(name, {**options, "num_classes": len(classes)})


def _construct(name: str, options: dict[str, Any]) -> "torch.nn.Module":
    import torchvision

    try:
        return torchvision.models.get_model(name, weights=None, **options)
    except Exception as error:  # asserts, ValueErrors: an image size that its patches do not divide
        side = options.get("image_size")
        raise UsageError(f"{name} cannot be made{f' for images of {side}x{side} pixels' if side else ''} ({first_line(error)}): expected a size that its patches divide; see --input-size.") from error


def _default_weights(name: str) -> Any:
    import torchvision

    return torchvision.models.get_model_weights(name).DEFAULT


def _published(name: str, weights: Weights) -> Any:
    import torchvision

    known = torchvision.models.get_model_weights(name)
    if not weights.text:
        return known.DEFAULT
    if weights.text not in known.__members__:
        raise UsageError(f"{name} has no published weights '{weights.text}': expected {', '.join(entry.name for entry in known)}, 'random', or a file; see --weights.")
    return known[weights.text]


def _recognised(name: str, weights: Weights) -> Any:
    """The published set that a file is, by the digits of its SHA-256 in the name it is published under; None for others."""
    import torchvision

    known = torchvision.models.get_model_weights(name)
    digits = ((one, one.url.rsplit("-", 1)[-1].partition(".")[0]) for one in known)
    return next((one for one, start in digits if weights.path and len(start) >= 8 and weights.key.startswith(start)), None)


def _downloaded(published: Any, name: str) -> Path:
    from exporter.models.weights import download

    return download(published.url, f"or leave out --model {name}: the default network needs no download")


def _options(name: str, published: Any, state: Any, size: tuple[int, int] | None) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if name in _WITH_AUXILIARY:
        options = {"aux_logits": state is not None and any("aux" in key.lower() for key in state), "init_weights": False, "transform_input": published is not None}
    if name.startswith("vit_"):
        side = size or (_native(published or _default_weights(name)),) * 2
        if side[0] != side[1]:
            raise UsageError(f"{name} takes square images only: expected one number for --input-size, got {side[0]},{side[1]}.")
        options["image_size"] = side[0]
    return options


def _native(published: Any) -> int:
    return int(published.transforms().crop_size[0])


def _preprocessing(published: Any) -> Preprocessing:
    preset = published.transforms()
    if not all(hasattr(preset, part) for part in ("mean", "std")):
        return IMAGENET
    return Preprocessing(tuple(map(float, preset.mean)), tuple(map(float, preset.std)), (0.0, 1.0))
