"""Networks by their names in timm (`timm:NAME`), where that package is installed."""

import contextlib
import difflib
import logging
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from exporter.errors import ModelError, UsageError, first_line
from exporter.models.aliases import BLOCKS
from exporter.models.preprocessing import Preprocessing
from exporter.models.recipe import SEED, Built, Options, Recipe, Weights

if TYPE_CHECKING:
    import torch

PREFIX = "timm:"


def recipe(spec: str, options: Options) -> Recipe:
    """The recipe for `timm:NAME`; UsageError where timm is not installed or the weights are named otherwise than by a file."""
    name = spec.removeprefix(PREFIX)
    if options.weights.path is None and options.weights.text not in ("", "random"):
        raise UsageError(f"timm has no weights '{options.weights.text}' for {name}: expected 'random' or a file; timm's own sets are part of the name, as in timm:vit_base_patch16_224.dino.")
    try:
        installed = version("timm")
    except PackageNotFoundError:
        raise UsageError(f'{spec} needs the package timm, which is not installed: pip install "overlay-export[timm]".') from None
    return Recipe(title=name, source=spec, build=lambda: build(name, options.weights, options.size), key=("timm", installed, name))


def build(name: str, weights: Weights, size: tuple[int, int] | None) -> Built:
    """The network with its weights. Raises UsageError for a name that timm does not know, ModelError for weights that do not load."""
    import timm
    import torch

    from exporter.models.weights import load_into, read_state_dict, state_sha256

    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models(), n=3)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise UsageError(f"timm knows no network '{name}': {hint}timm.list_models() lists all.")
    published = not weights.text
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        network = _create(name, published, size)
    if weights.path:
        load_into(network, read_state_dict(weights.path), weights.path.name)
    config = network.pretrained_cfg
    return Built(
        network=network.eval(),
        name=f"{name} (timm), {'random weights' if weights.random else weights.text or 'published weights'}",
        weights_sha256=weights.key if weights.path else state_sha256(network),
        preprocessing=Preprocessing(tuple(map(float, config["mean"])), tuple(map(float, config["std"])), (0.0, 1.0)),
        size=size,
        native=tuple(config["input_size"][1:]),
        aliases=_aliases(network),
    )


def _create(name: str, published: bool, size: tuple[int, int] | None) -> "torch.nn.Module":
    import timm

    # Networks of a fixed size are made for the one asked for; the others take no such argument.
    for options in [{"img_size": size}, {}] if size else [{}]:
        try:
            with _quiet():
                return timm.create_model(name, pretrained=published, **options)
        except TypeError:
            continue
        except Exception as error:  # its hub's exceptions share no base class
            if not published:
                raise UsageError(f"timm could not make {name} ({first_line(error)}): expected another size or none; see --input-size.") from error
            raise ModelError(
                f"timm could not make {name} ({first_line(error)}): expected its weights to be in the hub's cache or to be downloaded; put them there on a machine "
                "with internet access, pass --weights, or leave out --model: the default network needs no download."
            ) from error
    raise UsageError(f"timm could not make {name} with the arguments that every network takes: expected another network.")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The hub logs every try of a download on stderr; the error at the end says it."""
    loggers = [logging.getLogger(name) for name in ("huggingface_hub", "timm")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _aliases(network: Any) -> dict[str, str]:
    """block1 to block4 from timm's own list of the last maps of every stride; none where all have one stride (ViT)."""
    import torch

    try:
        stages = [(info["reduction"], info["module"]) for info in network.feature_info]
    except (AttributeError, KeyError, TypeError):
        return {}
    if len({stride for stride, _ in stages}) < len(stages):
        return {}
    places, modules, found, start = dict(zip((4, 8, 16, 32), BLOCKS, strict=True)), dict(network.named_modules()), {}, 0
    for stride, stage in stages:
        end = max((place for place, name in enumerate(modules, 1) if name == stage or name.startswith(f"{stage}.")), default=start)
        found[stride] = _last_with_a_path(list(modules.items())[start:end]) or stage
        start = end
    return {places[stride]: module for stride, module in found.items() if stride in places and not isinstance(modules.get(module), torch.nn.MaxPool2d)}


def _last_with_a_path(modules: "list[tuple[str, torch.nn.Module]]") -> str | None:
    """The last block around which a path leads, where a block without one follows it, as at the end of EfficientNet."""
    blocks = [(name, module.has_skip) for name, module in modules if hasattr(module, "has_skip")]
    if not blocks or blocks[-1][1]:
        return None
    return next((name for name, has_path in reversed(blocks) if has_path), None)
