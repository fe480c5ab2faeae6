"""Own architectures: `package.module:function` or `file.py:function`, a function without arguments that returns an nn.Module.

They are never cached: an edited `forward` must count at once.
"""

import contextlib
import copy
import hashlib
import importlib
import importlib.util
import os
import sys
import sysconfig
import traceback
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from exporter.errors import ModelError, UsageError, first_line
from exporter.models.preprocessing import IMAGENET
from exporter.models.recipe import SEED, Built, Options, Recipe, Weights

if TYPE_CHECKING:
    import torch


def is_code(spec: str) -> bool:
    """Whether it is `module:function` or `file.py:function`."""
    place, colon, function = spec.rpartition(":")
    module = place.endswith(".py") or all(part.isidentifier() for part in place.split("."))
    return bool(colon and place) and module and function.isidentifier()


def recipe(spec: str, options: Options) -> Recipe:
    """The recipe; UsageError where there is no such file, or weights are named that nobody published."""
    place, _, function = spec.rpartition(":")
    if place.endswith(".py") and not Path(place).is_file():
        raise UsageError(f"No such file: '{place}', expected a Python file with the function {function}; check the path given to --model.")
    if options.weights.path is None and options.weights.text:
        raise UsageError(f"{spec} takes no weights '{options.weights.text}', it comes with those its function gives it: expected a file for --weights, 'own', or none.")
    source = f"{Path(place).name if place.endswith('.py') else place}:{function}"
    return Recipe(title=source, source=source, build=lambda: build(place, function, source, options.weights, options.size), key=None)


def build(place: str, function: str, source: str, weights: Weights, size: tuple[int, int] | None) -> Built:
    """Import, call and check. Raises UsageError for a module or function that is not there, ModelError for what goes wrong inside."""
    import torch

    from exporter.models.weights import load_into, read_state_dict, state_sha256

    with _beside(place), torch.random.fork_rng(devices=[]):
        make = _function(place, function, source)
        torch.manual_seed(SEED)
        network = _inside(source, make)
    if not isinstance(network, torch.nn.Module):
        raise ModelError(f"{source} returned a {type(network).__name__}: expected a torch.nn.Module; return the network from the function.")
    network = _apart(network.float(), source)
    if weights.path:
        load_into(network, read_state_dict(weights.path), weights.path.name)
    with_weights = f", {weights.text or 'its own weights'}"
    return Built(network.eval(), source + with_weights, weights.key if weights.path else state_sha256(network), IMAGENET, size=size)


_handed_out: "weakref.WeakSet[torch.nn.Module]" = weakref.WeakSet()


def _apart(network: "torch.nn.Module", source: str) -> "torch.nn.Module":
    """A copy, since a module may hand out one network again and again: other checkpoints go into it then."""
    try:
        return copy.deepcopy(network)
    except Exception as error:  # what holds locks or open files cannot be copied
        if network in _handed_out:
            raise ModelError(f"{source} returned the same network as before, which cannot be copied ({first_line(error)}): expected a new one each time; make it inside the function.") from error
        _handed_out.add(network)
        return network


def _function(place: str, function: str, source: str) -> Callable[[], object]:
    module = _inside(source, lambda: _import(place))
    make = getattr(module, function, None)
    if callable(make):
        return make
    known = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
    raise UsageError(f"{place} has no function '{function}': expected one that returns the network; it has {', '.join(known[:8]) or 'none'}.")


def _import(place: str) -> ModuleType:
    if not place.endswith(".py"):
        if "" not in sys.path and str(Path.cwd()) not in sys.path:
            sys.path.insert(0, str(Path.cwd()))
        return importlib.import_module(place)
    path = Path(place).resolve()
    name = f"_overlay_export_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def _beside(place: str) -> Iterator[None]:
    """Imports find what stands beside a file, for it alone: another file's helper may have the same name. The working directory stays."""
    folder, before, modules, path = str(Path(place).resolve().parent), Path.cwd(), set(sys.modules), list(sys.path)
    if place.endswith(".py"):
        sys.path.insert(0, folder)
    try:
        yield
    finally:
        os.chdir(before)
        if place.endswith(".py"):
            sys.path[:] = path
            for name in set(sys.modules) - modules:
                if (getattr(sys.modules[name], "__file__", None) or "").startswith(folder + os.sep):
                    del sys.modules[name]


def _inside(source: str, call: Callable[[], object]) -> object:
    """Run somebody's code; what it raises becomes one sentence that says where."""
    try:
        return call()
    except ModuleNotFoundError as error:
        raise UsageError(f"{source} cannot be imported ({error}): expected module:function or file.py:function; check the name, or install what it needs.") from error
    except (Exception, SystemExit) as error:  # a script may end itself, or parse our command line as its own
        raise ModelError(f"{source} raised {type(error).__name__}{_where(error)} ({first_line(error)}): expected a function without arguments that returns the network; mend it.") from error


def _where(error: BaseException) -> str:
    """The last line of the user's own files that was on the way to the error, else of a package's; "" where there is none."""
    ours, packages = Path(__file__).parent, [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    lines = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    lines = [(file, number) for file, number in lines if file.is_file() and not file.is_relative_to(ours)]
    own = [(file, number) for file, number in lines if not any(file.is_relative_to(folder) for folder in packages)]
    return "".join(f" at {file.name}:{number}" for file, number in (own or lines)[-1:])
