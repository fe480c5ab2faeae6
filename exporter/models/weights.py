"""State dicts: read from files without running what is in them, fitted to a network, downloaded where published.

Imports torch.
"""

import hashlib
import os
import pickle
import re
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch

from exporter.errors import ModelError, first_line
from exporter.models.recipe import sha256_of

StateDict = dict[str, torch.Tensor]

# What training scripts call the state dict among an optimizer's state and an epoch, and what wrappers put before names.
_WRAPPERS = ("state_dict", "model_state_dict", "model", "model_state", "network", "net", "weights", "params", "params_ema", "model_ema", "module", "ema")
_PREFIXES = ("module.", "_orig_mod.", "model.", "network.", "net.")
_SHOWN = 60


def read_state_dict(path: Path) -> StateDict:
    """The tensors of a .pt, .pth or .safetensors file; a wrapper around the state dict is taken off.

    Raises ModelError for a damaged file, one that needs code to be run, or one without a state dict.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is to be said is said once, by the error
            content = _read_safetensors(path) if path.suffix.lower() == ".safetensors" else torch.load(path, map_location="cpu", weights_only=True)
    except ModelError:
        raise
    except Exception as error:  # zip, pickle and tensor readers raise nearly anything on damaged files
        raise ModelError(_refusal(path, error)) from error
    return _unwrap(content, path)


def _read_safetensors(path: Path) -> StateDict:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise ModelError(f'{path.name} needs the package safetensors; install it with pip install "overlay-export[timm]", or pip install safetensors.') from error
    return load_file(path)


def _refusal(path: Path, error: Exception) -> str:
    if "TorchScript" in str(error):
        return f"{path.name} is a TorchScript archive, which is a program: expected its tensors only; load it in Python and save torch.save(model.state_dict(), 'weights.pt')."
    code = isinstance(error, pickle.UnpicklingError)
    found = code and re.search(r"(?:GLOBAL|global|Unsupported class|class) (\S*\w)", str(error))
    if not found:
        # The first sentence of a reader; pickle's are about its opcodes, and some of its errors are a bare number.
        reason = "" if code or isinstance(error, LookupError) else f" ({first_line(error).split('. ')[0]})"
        return f"{path.name} cannot be read{reason}: expected whole weights (a state dict or .safetensors), it is damaged or something else; copy or save it again."
    return (
        f"{path.name} is refused: it is a pickle that names code ({found.group(1)}), which could do anything on this machine when read; "
        "expected tensors only. Where you trust it, load it in Python and save torch.save(model.state_dict(), 'weights.pt')."
    )


def _unwrap(content: object, path: Path) -> StateDict:
    for _ in range(3):
        inner = [content[key] for key in _WRAPPERS if isinstance(content, Mapping) and isinstance(content.get(key), Mapping)]
        if not inner:
            break
        content = inner[0]
    # An epoch or a version may stand among the tensors.
    tensors = {str(name): value for name, value in content.items() if isinstance(value, torch.Tensor)} if isinstance(content, Mapping) else {}
    if tensors:
        return tensors
    keys = ", ".join(map(str, list(content)[:5])) if isinstance(content, Mapping) else ""
    found = f"the keys {keys}" if keys else "nothing" if isinstance(content, Mapping) else f"a {type(content).__name__}"
    raise ModelError(f"{path.name} holds no state dict but {found}: expected names and tensors, or those under a key such as state_dict; save torch.save(model.state_dict(), 'weights.pt').")


def stripped(state: StateDict, network: torch.nn.Module) -> StateDict:
    """Without the prefixes that DataParallel, torch.compile and trainers put before every name, where the network has none such."""
    own = list(network.state_dict())
    while prefix := next((p for p in _PREFIXES if all(name.startswith(p) for name in state) and not any(name.startswith(p) for name in own)), None):
        state = {name[len(prefix) :]: value for name, value in state.items()}
    return state


def load_into(network: torch.nn.Module, state: StateDict, label: str) -> None:
    """Give a network these weights; ModelError naming what does not fit."""
    state, own = stripped(state, network), network.state_dict()
    missing = [name for name in own if name not in state and not name.endswith(("num_batches_tracked", "_extra_state"))]
    unexpected = [name for name in state if name not in own]
    other = [name for name in own if name in state and own[name].shape != state[name].shape]
    if missing or unexpected or other:
        parts = [_listed("missing", missing), _listed("unexpected", unexpected)]
        parts += [f"{other[0]} is {tuple(state[other[0]].shape)}, expected {tuple(own[other[0]].shape)} ({len(other)} of another shape)"] if other else []
        raise ModelError(f"{label} does not fit the network: {'; '.join(filter(None, parts))}. Expected the state dict of just this network; check --model and --weights.")
    try:
        network.load_state_dict(state, strict=False)
    except Exception as error:  # sparse tensors and the like
        raise ModelError(f"{label} cannot be loaded into the network ({first_line(error)}): expected dense tensors; save it again.") from error


def _listed(what: str, names: list[str]) -> str:
    return f"{len(names)} {what} key{'s' if len(names) > 1 else ''}, the first {names[0][:_SHOWN]}" if names else ""


def state_sha256(network: torch.nn.Module) -> str:
    """SHA-256 of all names, types, shapes and values: for weights that come from no file."""
    digest = hashlib.sha256()
    try:
        for name, value in network.state_dict().items():
            if isinstance(value, torch.Tensor):
                digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
                digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    except Exception as error:  # lazy and meta parameters have no values
        raise ModelError(f"The network has no values for {name} ({first_line(error)}): expected whole weights; run it once in the function that makes it, or pass --weights.") from error
    return digest.hexdigest()


def download(url: str, remedy: str) -> Path:
    """The file of an address in torch's cache, downloaded where it is not there yet; ModelError, saying what helps, where that fails.

    The first digits of a file's SHA-256 stand in its name (`resnet18-f37072fd.pth`) and are checked.
    """
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    path = folder / url.rsplit("/", 1)[-1]
    expected = re.search(r"-([0-9a-f]{8,})\.", path.name)
    if not path.is_file():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(url, os.fspath(path), expected and expected.group(1), progress=sys.stderr.isatty())
        except Exception as error:  # URLError, HTTPError, OSError, RuntimeError (hash)
            raise ModelError(f"The weights {path.name} could not be downloaded ({first_line(error)}): put the file of {url} into {folder} by hand, {remedy}.") from error
    elif expected and not sha256_of(path).startswith(expected.group(1)):
        raise ModelError(f"The weights {path} are damaged: expected a SHA-256 that begins with {expected.group(1)}; delete the file, and it is downloaded again.")
    return path
