"""Feature maps out of torch modules: by hooks that copy, so that nothing can change a value in place afterwards.

Imports torch.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch.utils.hooks import RemovableHandle

from exporter.errors import ModelError, first_line
from exporter.models import grids
from exporter.models.model import Found, LayerInfo, agreed_size, multiple
from exporter.models.recipe import Built

_BATCH = 2

Keep = Callable[[str, Any], None]


class Taps(torch.nn.Module):
    """A network that returns the outputs of the layers named, as a tuple; a layer's value is what its module returned."""

    def __init__(self, built: Built, names: Sequence[str]):
        super().__init__()
        self.network, self.built, self.names = built.network, built, list(names)
        self.eval()

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(n, 3, height, width) -> one output for each name."""
        outputs: dict[str, torch.Tensor] = {}
        with _hooks(self.built, self.names, lambda name, out: outputs.update({name: out.clone()})):
            returned = self.built.run(image)
        outputs.setdefault(self.built.output, returned)
        return tuple(outputs[name] for name in self.names)


class _Enough(BaseException):
    """The last layer that is wanted has been computed."""


class Recorder:
    """Runs a network up to the deepest of the layers wanted; several threads may do so at once."""

    def __init__(self, built: Built, names: Sequence[str]):
        self.built, self.names, self.local = built, list(names), threading.local()
        self.handles = _register(built, self.names, self._keep)

    def __call__(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """(n, 3, height, width) -> {name: output} of the layers that were run, all of them unless the network left one out for this image."""
        self.local.outputs = {}
        try:
            self.local.outputs.setdefault(self.built.output, self.built.run(image))
        except _Enough:
            pass
        return {name: self.local.outputs[name] for name in self.names if name in self.local.outputs}

    def close(self) -> None:
        """Leave the network as it was."""
        for handle in self.handles:
            handle.remove()

    def _keep(self, name: str, output: torch.Tensor) -> None:
        self.local.outputs[name] = output.clone()
        # Counted, not the last by name: a network may change the order of its modules with the image.
        if len(self.local.outputs) == len(self.names):
            raise _Enough


def _register(built: Built, names: Sequence[str], keep: Keep) -> list[RemovableHandle]:
    modules = dict(built.network.named_modules(remove_duplicate=False))
    return [
        modules[name].register_forward_hook(lambda module, args, out, name=name: keep(name, out))
        for name in names
        if name in modules
    ]


@contextlib.contextmanager
def _hooks(built: Built, names: Sequence[str], keep: Keep) -> Iterator[None]:
    """Have keep(name, output) called whenever one of these modules has run."""
    handles = _register(built, names, keep)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def find_layers(built: Built, label: str, prefix: int | None = None) -> tuple[Found, tuple[int, int] | None]:
    """The layers of a network, and the only image size it takes, if so; found by running it on seeded images.

    Raises ModelError where it runs at no size.
    """
    failure: BaseException | None = None
    for tried in [grids.PAIRS, [(built.size or built.native,)]]:
        best, sizes = Found((), ()), tried[0]
        for sizes in tried:
            try:
                # Both pairs: patches of 14 pixels follow the second only, and what is computed of single pixels follows either.
                best = max(best, _look(built, sizes, prefix), key=lambda found: len(found.layers))
            except (Exception, SystemExit) as error:  # whatever a network raises
                failure = failure or error
        if best.layers:
            return best, agreed_size(best, built.size, label) if len(sizes) > 1 else sizes[0]
    if failure is not None:
        raise ModelError(
            f"{label} cannot be run ({first_line(failure)}): expected it to take images (n, 3, height, width) of {sizes[0][0]}x{sizes[0][1]} "
            "pixels, say, as float32; pass the size it takes with --input-size, or mend what it says."
        ) from failure
    raise ModelError(f"{label} has no layer with a spatial grid, expected a network with feature maps or patch tokens.")


def changing_layer(built: Built, found: Found, size: tuple[int, int] | None) -> str | None:
    """The first layer whose values are others when the same image is run again (dropout, noise, counters); None where all stay."""
    whole = multiple(found.layers)
    sides = size or next((pair[0] for pair in grids.PAIRS if not any(side % whole for side in pair[0])), grids.PAIRS[0][0])
    recorder = Recorder(built, [layer.module for layer in found.layers])
    image = torch.from_numpy(built.preprocessing.apply(grids.probe_images(*sides)[0]))
    try:
        with torch.inference_mode():
            first, second = recorder(image), recorder(image)
    finally:
        recorder.close()
    return next((name for name in first if name in second and not torch.equal(first[name].nan_to_num(), second[name].nan_to_num())), None)


def _look(built: Built, sizes: Sequence[tuple[int, int]], prefix: int | None) -> Found:
    looks = [_outputs(built, size) for size in sizes]
    names = [name for name in dict(built.network.named_modules(remove_duplicate=False)) if name]
    order = [*looks[0], *(name for name in names if name not in looks[0])]
    aliases: dict[str, list[str]] = {}
    for alias, module in built.aliases.items():
        aliases.setdefault(module, []).append(alias)
    layers, unavailable = [], []
    for name in order:
        seen = [look.get(name, _Seen()) for look in looks]
        why = next((one.reason for one in seen if one.reason), "")
        layout = why or grids.find_layout([one.shape for one in seen], sizes, _BATCH, prefix)
        if isinstance(layout, str):
            # What the network returns is no module: nobody asks for it by name unless it is a layer.
            unavailable += [(name, layout)] if name in names else []
        else:
            layers.append(LayerInfo.of(name, layout, any(one.signed for one in seen), tuple(aliases.get(name, ()))))
    return Found(tuple(layers), tuple(unavailable))


class _Seen:
    """What a module was seen to do in one run."""

    def __init__(self) -> None:
        self.calls, self.shape, self.signed, self.kind = 0, (), False, "Tensor"

    def note(self, output: Any) -> None:
        self.calls += 1
        if not isinstance(output, torch.Tensor):
            self.kind = type(output).__name__
        elif not output.is_floating_point():
            self.kind = str(output.dtype)
        else:
            self.shape, self.signed = tuple(output.shape), self.signed or bool((output < 0).any())

    @property
    def reason(self) -> str:
        if self.calls != 1:
            return f"is called {self.calls} times" if self.calls else "is never run"
        return "" if self.kind == "Tensor" else f"returns a {self.kind}"


def _outputs(built: Built, size: tuple[int, int]) -> dict[str, _Seen]:
    """{module: what it did on two seeded images of that size}, in forward order, the network's own output last."""
    seen: dict[str, _Seen] = {}
    names = [name for name, _ in built.network.named_modules(remove_duplicate=False) if name]
    images = torch.cat([torch.from_numpy(built.preprocessing.apply(image)) for image in grids.probe_images(*size)])
    with torch.inference_mode(), _hooks(built, names, lambda name, out: seen.setdefault(name, _Seen()).note(out)):
        returned = built.run(images)
    if built.output not in names:
        seen.setdefault(built.output, _Seen()).note(returned)
    return seen
