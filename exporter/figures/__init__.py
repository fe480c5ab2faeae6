"""Figure types: every module in this package describes one, in its constant FIGURE; being there is being known."""

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from exporter.errors import UsageError


@dataclass(frozen=True)
class FigureType:
    """A kind of figure: its name (that of its Python and of its JavaScript module), heading and caption on the page."""

    name: str
    title: str
    caption: str


@cache
def figure_types() -> dict[str, FigureType]:
    """All figure types by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: importlib.import_module(f"{__name__}.{name}").FIGURE for name in names}


def choose_figures(names: Sequence[str]) -> list[FigureType]:
    """The figure types with these names, in this order, each once. Raises UsageError for an unknown name or none at all."""
    known = figure_types()
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            raise UsageError(f'unknown figure "{name}", expected one or more of {", ".join(known)}{hint}')
    if not names:
        raise UsageError(f"no figure was asked for, expected one or more of {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)]
