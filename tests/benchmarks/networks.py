"""Networks on ONNX Runtime, as an export runs them, against torch eager in the same process: speed, and what cutting the graph saves.

Run by hand: `python tests/benchmarks/networks.py`. Weights are random: speed does not depend on them.
"""

import platform
import time
from collections.abc import Callable

import numpy as np
import torch

from exporter import open_model
from exporter.models import from_torchvision
from exporter.models.recipe import choose_weights
from exporter.parallel import ordered_map, usable_cores

NETWORKS = ("resnet18", "resnet50", "googlenet")
SIDE, BATCH, REPEATS = 224, 8, 9


def main() -> None:
    cores = usable_cores()
    print(f"{platform.machine()}, {cores} cores, torch {torch.__version__}, {BATCH} images of {SIDE} pixels, medians of {REPEATS} pairs")
    images = np.random.default_rng(0).integers(0, 256, (BATCH, SIDE, SIDE, 3), dtype=np.uint8)
    torch.set_num_threads(cores)
    for name in NETWORKS:
        speed(name, images, cores)
    cut("googlenet", images, cores)


def speed(name: str, images: np.ndarray, cores: int) -> None:
    """The deepest block of a network for a batch, by both."""
    model = open_model(name, weights="random", threads=cores)
    deepest = model.resolve(["block4"])[0].info.module
    model.prepare([deepest])
    built = from_torchvision.build(name, choose_weights("random"), None)
    pixels = torch.from_numpy(np.concatenate([model.preprocessing.apply(image) for image in images]))

    def eager() -> None:
        with torch.inference_mode():
            built.network(pixels)

    ours, torchs = paired(lambda: run(model, images, cores), eager)
    print(f"{name} {deepest}: ONNX Runtime {1e3 * ours / BATCH:.1f} ms an image, torch eager {1e3 * torchs / BATCH:.1f} ms, torch / ONNX Runtime = {torchs / ours:.2f} (limit 1.3)")


def cut(name: str, images: np.ndarray, cores: int) -> None:
    """One layer in the middle of a network, against the graph with all its layers as outputs."""
    model, whole = (open_model(name, weights="random", threads=cores) for _ in range(2))
    model.prepare([model.resolve(["mixed4d"])[0].info.module])
    whole.prepare([layer.module for layer in whole.layers()])
    ours, uncut = paired(lambda: run(model, images, cores), lambda: run(whole, images, cores))
    print(f"{name} mixed4d alone: {1e3 * ours / BATCH:.1f} ms an image, all {len(whole.layers())} layers {1e3 * uncut / BATCH:.1f} ms, uncut / cut = {uncut / ours:.1f}")


def run(model, images: np.ndarray, cores: int) -> None:
    """As `exporter.features` does: one image a thread."""
    for _ in ordered_map(lambda i: model.run(images[i : i + 1]), range(len(images)), cores):
        pass


def paired(first: Callable[[], None], second: Callable[[], None]) -> tuple[float, float]:
    """Median seconds of each, measured in turns."""
    seconds: list[list[float]] = [[], []]
    for turn in range(REPEATS + 1):
        for index, work in enumerate((first, second)):
            start = time.perf_counter()
            work()
            if turn:  # the first one warms up
                seconds[index].append(time.perf_counter() - start)
    return float(np.median(seconds[0])), float(np.median(seconds[1]))


if __name__ == "__main__":
    main()
