"""Networks in torch: on an accelerator, and on the CPU where there is no graph for ONNX Runtime.

Imports torch when it is prepared.
"""

import contextlib
import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from exporter.errors import ModelError, UsageError, first_line
from exporter.models.model import Model
from exporter.models.recipe import Built

if TYPE_CHECKING:
    from exporter.models.tap import Recorder

CPU = "cpu"
DEVICES = (CPU, "cuda", "mps", "auto")


def choose_device(device: str) -> str:
    """The device that is meant; UsageError for one that is not known or not here."""
    if device not in DEVICES:
        raise UsageError(f"Unknown device '{device}': expected one of {', '.join(DEVICES)}; see --device.")
    if device == CPU:
        return CPU
    import torch

    there = [name for name, here in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())) if here]
    if device == "auto":
        return (there or [CPU])[0]
    if device not in there:
        raise UsageError(f"No device '{device}' here: torch sees {', '.join([*there, CPU])}; use --device auto, or install a torch built for it.")
    return device


@dataclass(kw_only=True, eq=False)
class TorchModel(Model):
    """A `Model` that runs in torch. built: makes the network, when it is needed; device: cpu, cuda or mps."""

    built: Callable[[], Built] = field(repr=False)
    device: str = CPU
    _prepared: "_Prepared | None" = field(default=None, init=False, repr=False)

    def prepare(self, modules: Sequence[str]) -> None:
        wanted = {self.info(name).module for name in modules}
        self.release()
        self._prepared = _Prepared(self.built(), [layer.module for layer in self.layer_table if layer.module in wanted], self.device)

    def release(self) -> None:
        if self._prepared is not None:
            self._prepared.close()
        self._prepared = None

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        if self._prepared is None:
            raise RuntimeError("call prepare() with the modules to compute before run()")
        self.check_batch(batch)
        # On the CPU one image at a time on one thread, as many as there are threads: the result then depends on neither.
        step = 1 if self.device == CPU else len(batch)
        parts = [self._run_part(batch[start : start + step]) for start in range(0, len(batch), step)]
        return self.finished({name: np.concatenate([part[name] for part in parts]) for name in self._prepared.names}, batch.shape[1:3])

    def _run_part(self, images: np.ndarray) -> dict[str, np.ndarray]:
        import torch

        size = f"{images.shape[1]}x{images.shape[2]} pixels"
        pixels = torch.from_numpy(np.concatenate([self.preprocessing.apply(image) for image in images]))
        try:
            with self._prepared.recorder() as recorder, torch.inference_mode(), self._precisely():
                found = {name: output.float().cpu().numpy() for name, output in recorder(pixels.to(self.device)).items()}
        except (Exception, SystemExit) as error:  # whatever a network raises
            raise ModelError(
                f"{self.name} cannot be run on an image of {size} (height x width): {first_line(error)}; pass the size it takes with --input-size."
            ) from error
        for name in self._prepared.names:
            if name not in found:
                raise ModelError(f"Layer '{name}' of {self.name} was not run for an image of {size}: expected one that the network computes for every image; choose another layer.")
        return found

    @contextlib.contextmanager
    def _precisely(self) -> Iterator[None]:
        """On the CPU one thread; elsewhere full single precision: accelerators would round the inputs of products (TF32) to save time."""
        import torch

        if self.device == CPU:
            threads = torch.get_num_threads()
            torch.set_num_threads(1)
            try:
                yield
            finally:
                torch.set_num_threads(threads)
            return
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            before = torch.get_float32_matmul_precision()
            torch.set_float32_matmul_precision("highest")
            try:
                yield
            finally:
                torch.set_float32_matmul_precision(before)


class _Prepared:
    """A network ready to run: on the CPU a copy for each thread, since a network may keep things of an image on itself while it runs.

    One that cannot be copied, and one on an accelerator, serves one thread at a time.
    """

    def __init__(self, built: Built, names: Sequence[str], device: str) -> None:
        built.network.to(device)
        self.names, self._built, self._copies = list(names), built, device == CPU
        self._free: list[Recorder] = []
        self._all: list[Recorder] = []
        self._changing = threading.Condition()

    @contextlib.contextmanager
    def recorder(self) -> Iterator["Recorder"]:
        """One that no other thread has meanwhile."""
        with self._changing:
            while not self._free and not self._add():
                self._changing.wait()
            taken = self._free.pop()
        try:
            yield taken
        finally:
            with self._changing:
                self._free.append(taken)
                self._changing.notify()

    def _add(self) -> bool:
        """One more; False where there can be no other beside those there are."""
        from exporter.models.tap import Recorder

        copied = self._copy() if self._copies or not self._all else None
        if copied is None:
            return False
        self._all.append(Recorder(copied, self.names))
        self._free.append(self._all[-1])
        return True

    def _copy(self) -> Built | None:
        """The network with the same parameters in modules of its own; the network itself, once, where it holds locks or open files."""
        parameters = {id(one): one for one in self._built.network.parameters()}
        try:
            return copy.deepcopy(self._built, parameters) if self._copies else self._built
        except Exception:
            self._copies = False
            return None if self._all else self._built

    def close(self) -> None:
        """Leave the network as it was."""
        for recorder in self._all:
            recorder.close()
