"""Layers by name: module names, aliases and globs."""

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from exporter.errors import UsageError

if TYPE_CHECKING:
    from exporter.models.model import LayerInfo, Model

def resolve(model: "Model", names: Sequence[str]) -> "dict[str, LayerInfo]":
    """{id: layer} for names, aliases and globs, in the order asked for; UsageError where one fits nothing."""
    if not names:
        raise UsageError(f"No layer was named: expected names, aliases or globs; {_listing()}.")
    known = {name: layer for layer in model.layers() for name in (*layer.aliases, layer.module)}
    found: dict[str, LayerInfo] = {}
    for name in names:
        if name in known:
            found.setdefault(name, known[name])
        elif name not in dict(model.unavailable) and any(sign in name for sign in "*?["):
            found.update({layer.module: layer for layer in _expand(model, name) if layer.module not in found})
        else:
            raise UsageError(_not_found(model, name, list(known)))
    return found


def _expand(model: "Model", pattern: str) -> "list[LayerInfo]":
    matches = [
        layer
        for layer in model.layers()
        if any(fnmatchcase(name, pattern) for name in (layer.module, *layer.aliases))
    ]
    if not matches:
        raise UsageError(f"The pattern '{pattern}' matches no layer with a spatial grid; {_listing()}.")
    return matches


def _not_found(model: "Model", name: str, known: list[str]) -> str:
    reason = dict(model.unavailable).get(name)
    if reason is not None:
        return f"Layer '{name}' {reason}, so there is no one map to overlay; {_listing()}."
    near = difflib.get_close_matches(name, known, n=5, cutoff=0.5)
    hint = f" near names are {', '.join(near)};" if near else ""
    return f"{model.source} has no layer '{name}':{hint} {_listing()}."


def _listing() -> str:
    return "overlay-layers with the same --model lists all"
