"""Networks on ONNX Runtime, on the CPU."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
import onnxruntime as ort

from exporter.errors import ModelError, first_line
from exporter.models import graph
from exporter.models.model import Model


def load(model: onnx.ModelProto, label: str, threads: int = 1) -> ort.InferenceSession:
    """A session for the graph; ModelError with ONNX Runtime's reason where it refuses it."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors arrive as exceptions, and are told once
    # Patterns are kept for every input shape ever seen: without them memory stays flat over images of many shapes and
    # runs are as fast. The arena stays on, without it runs were 7 % slower and took more memory.
    options.enable_mem_pattern = False
    try:
        return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
        raise ModelError(
            f"ONNX Runtime cannot load {label} ({first_line(error)}): expected a whole file with standard operators; "
            "export it again without custom ones."
        ) from error


def execute(session: ort.InferenceSession, outputs: Sequence[str], pixels: np.ndarray, label: str) -> list[np.ndarray]:
    """The outputs for float32 (n, 3, height, width); ModelError with ONNX Runtime's reason where the run fails."""
    try:
        return session.run(list(outputs), {session.get_inputs()[0].name: pixels})
    except Exception as error:
        size = f"{pixels.shape[2]}x{pixels.shape[3]} pixels"
        raise ModelError(
            f"{label} cannot be run on an image of {size} (height x width): {first_line(error)}; "
            "pass the size it takes with --input-size, or export it for images of any size."
        ) from error


@dataclass(kw_only=True, eq=False)
class OnnxModel(Model):
    """A `Model` from an ONNX graph; read: gives the whole graph; batch: the only batch size the graph takes, or None."""

    read: Callable[[], onnx.ModelProto] = field(repr=False)
    batch: int | None = None
    _prepared: tuple[ort.InferenceSession, tuple[str, ...]] | None = field(default=None, init=False, repr=False)

    def prepare(self, modules: Sequence[str]) -> None:
        names = tuple(dict.fromkeys(modules))
        for name in names:
            self.info(name)
        self._prepared = load(graph.cut(self.read(), names), self.name), names

    def release(self) -> None:
        self._prepared = None

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        if self._prepared is None:
            raise RuntimeError("call prepare() with the modules to compute before run()")
        self.check_batch(batch)
        # One image at a time: no slower than a batch on one thread, less memory, and independent of the batch size.
        step = self.batch or 1
        parts = [self._run_part(batch[start : start + step]) for start in range(0, len(batch), step)]
        outputs = {name: _join([part[name] for part in parts]) for name in self._prepared[1]}
        return self.finished(outputs, batch.shape[1:3])

    def _run_part(self, images: np.ndarray) -> dict[str, np.ndarray]:
        session, names = self._prepared
        pixels = np.concatenate([self.preprocessing.apply(image) for image in images])
        missing = (self.batch or 1) - len(images)
        if missing:
            pixels = np.concatenate([pixels, np.zeros((missing, *pixels.shape[1:]), np.float32)])
        outputs = execute(session, names, pixels, self.name)
        return {name: output[: len(images)] for name, output in zip(names, outputs, strict=True)}


def _join(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
