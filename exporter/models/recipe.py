"""How a torch network is made: a recipe is cheap to hold; building it imports torch and reads weights."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporter.errors import ModelError, UsageError
from exporter.models.preprocessing import Preprocessing

if TYPE_CHECKING:
    import torch

RANDOM = "random"
SEED = 0


@dataclass(frozen=True)
class Weights:
    """Which weights a network gets: its published ones, seeded random ones, a file's, or another published set by its name.

    text: as it was asked for, without folders; "" for the published ones; key: what tells them from others, or None.
    """

    text: str = ""
    path: Path | None = None
    key: str | None = None

    @property
    def random(self) -> bool:
        return self.text == RANDOM


def choose_weights(given: str | None) -> Weights:
    """None, "random", a file, or the name of a published set (capitals, digits and _, as in IMAGENET1K_V2)."""
    if given is None:
        return Weights()
    path = Path(given)
    if path.is_file():
        return Weights(path.name, path, sha256_of(path))
    if given == RANDOM or (given.isupper() and given.isidentifier()):
        return Weights(given, None, given)
    raise UsageError(f"No such file: '{given}', expected weights (a state dict or .safetensors), or 'random'; check the path given to --weights.")


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file; ModelError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"The weights {path.name} cannot be read ({error.strerror or error}); check the file and its permissions.") from error


@dataclass(frozen=True)
class Options:
    """How a network is wanted: its weights, the only (height, width) to run it at, tokens before those of the patches, the device."""

    weights: Weights
    size: tuple[int, int] | None = None
    prefix_tokens: int | None = None
    device: str = "cpu"


def short_name(spec: str) -> str:
    """What a network is called among others: the stem of a file, the function of own code, else its name."""
    return Path(spec).stem if spec.lower().endswith(".onnx") else spec.rpartition(":")[2]


@dataclass(frozen=True)
class Built:
    """A network in evaluation mode, with what is to be known of it.

    name: for people; weights_sha256: of the file of its weights, or of their bytes where there is none; size: the only
    (height, width) in pixels to run it at, None for any; native: the size to try where others fail; aliases: {alias:
    module}; call: what runs it on images (n, 3, height, width); output: the name of what `call` returns, as a layer.
    """

    network: "torch.nn.Module"
    name: str
    weights_sha256: str
    preprocessing: Preprocessing
    size: tuple[int, int] | None = None
    native: tuple[int, int] = (224, 224)
    aliases: Mapping[str, str] = field(default_factory=dict)
    call: "Callable[[torch.Tensor], Any] | None" = None
    output: str = "output"

    def run(self, images: "torch.Tensor") -> Any:
        """What the network returns for float images (n, 3, height, width)."""
        return (self.call or self.network)(images)


@dataclass(frozen=True)
class Recipe:
    """A network that can be built. title: for people; source: what opens it again, without folders.

    key: parts that change whenever another network is built, or None for one that is never cached (own code); dynamic:
    whether a graph of it can serve every image size.
    """

    title: str
    source: str
    build: Callable[[], Built]
    key: tuple[str, ...] | None
    dynamic: bool = True
