"""Which networks an export runs: specs, labels, weights and checkpoints, and their layers."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporter.errors import UsageError
from exporter.models import DEFAULT_MODEL, Model, RequestedLayer, open_model
from exporter.models.recipe import short_name

DEFAULT_LAYERS = ("block3", "block4")
# What `--weights` says for a network that keeps its own while others get some.
OWN = "own"
_LABELLED = re.compile(r"([^=/\\:,]+)=(.+)", re.S)


@dataclass(frozen=True)
class NetworkRequest:
    """A network as it was asked for. label: what its layers are called by among several networks."""

    label: str
    spec: str
    weights: str | None = None


Texts = str | os.PathLike | Sequence[str | os.PathLike]


def several(given: Any) -> list:
    """A list of one or of several, paths as text."""
    one = isinstance(given, str | os.PathLike | Model)
    return [os.fspath(item) if isinstance(item, os.PathLike) else item for item in ([given] if one else given)]


def requested_networks(models: Texts, weights: Texts = (), checkpoints: Texts = ()) -> list[NetworkRequest]:
    """One network for each of `models`, each a spec or `NAME=SPEC`; or one for each of `checkpoints`, weights of the one model.

    models: none means the default network; weights: none, one for all, or one for each, "own" for the network's own. Raises UsageError where they do not go together,
    or two networks have the same label.
    """
    models, weights, checkpoints = several(models) or [DEFAULT_MODEL], several(weights), several(checkpoints)
    if checkpoints:
        found = _over_training(models, weights, checkpoints)
    else:
        if len(weights) not in (0, 1, len(models)):
            raise UsageError(f"--weights is given {len(weights)} times for {len(models)} network{'s'[: len(models) > 1]}: expected it once for all, or once for each --model in order.")
        each = [None if one == OWN else one for one in weights] * (len(models) if len(weights) == 1 else 1) or [None] * len(models)
        found = [NetworkRequest(label or short_name(spec), spec, given) for (label, spec), given in zip(map(_labelled, models), each, strict=True)]
    _check_labels([one.label for one in found])
    return found


def _over_training(models: list[str], weights: Sequence[str], checkpoints: Sequence[str]) -> list[NetworkRequest]:
    if len(models) > 1 or weights:
        raise UsageError("--checkpoint goes with one --model and no --weights: expected one architecture, whose weights the checkpoints are.")
    label, spec = _labelled(models[0])
    if label:
        raise UsageError(f"--model {models[0]} has a label, but its checkpoints are the networks: expected labels there, as in --checkpoint {label}=FILE.")
    return [NetworkRequest(label or Path(file).stem, spec, file) for label, file in map(_labelled, checkpoints)]


def _labelled(text: str) -> tuple[str | None, str]:
    """`NAME=SPEC` in its parts; (None, text) without a name."""
    match = None if Path(text).exists() else _LABELLED.fullmatch(text)
    return (match[1].strip(), match[2]) if match and match[1].strip() else (None, text)


def _check_labels(labels: Sequence[str]) -> None:
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise UsageError(f"two networks have the label '{twice}': expected a different one for each; give labels, as in --model first={twice} or --checkpoint epoch1=FILE.")


@dataclass(frozen=True)
class Opened:
    """An opened network with its label and the layers wanted of it, their ids as the bundle has them."""

    label: str
    model: Model
    layers: tuple[RequestedLayer, ...]


def open_networks(requests: Sequence[NetworkRequest | Model], layers: Sequence[Sequence[str]] | None, notify: Callable[[str], None] | None = None, **options: object) -> list[Opened]:
    """Open networks in order and find their layers. options: those of `open_model`.

    layers: names, aliases and globs; one list for all networks, or one for each; None: block3 and block4, as far as a network has them.
    With several networks a layer's id is `label/name`. Raises UsageError and ModelError.
    """
    if layers is not None and len(layers) not in (1, len(requests)):
        raise UsageError(f"--layers is given {len(layers)} times for {len(requests)} network{'s'[: len(requests) > 1]}: expected it once for all, or once for each network in order.")
    _check_labels([one.id if isinstance(one, Model) else one.label for one in requests])
    opened = []
    for index, one in enumerate(requests):
        label, model = (one.id, one) if isinstance(one, Model) else (one.label, open_model(one.spec, weights=one.weights, notify=notify, **options))
        found = _default_layers(model) if layers is None else model.resolve(layers[index if len(layers) > 1 else 0])
        named = found if len(requests) == 1 else tuple(RequestedLayer(f"{label}/{layer.id}", layer.info) for layer in found)
        opened.append(Opened(label, model, named))
    return opened


def _default_layers(model: Model) -> tuple[RequestedLayer, ...]:
    known = {alias for layer in model.layers() for alias in layer.aliases}
    names = [name for name in DEFAULT_LAYERS if name in known]
    if not names:
        deepest = [layer.module for layer in model.layers()][-3:]
        raise UsageError(
            f"{model.source} has no {' or '.join(DEFAULT_LAYERS)}, which are shown where --layers is left out: expected --layers; its deepest are "
            f"{', '.join(deepest)}, overlay-layers with the same --model lists all."
        )
    return model.resolve(names)
