"""overlay-export: what a neural network sees as similar, as a static page.

`export` writes a site, `load_bundle` reads one back, `open_model` opens a network. They load when first used, so that
importing the package costs nothing.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = ["export", "load_bundle", "open_model"]

_HOMES = {"export": "exporter.pipeline", "load_bundle": "exporter.bundle", "open_model": "exporter.models"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
