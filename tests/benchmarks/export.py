"""Figures of the exporter: speed against its parts, memory against the number of images, bytes against codes, error against float64.

Run by hand: `python tests/benchmarks/export.py`, or with the names of some parts: error, warm_run, many, memory, large (10,000 photos, some minutes, only where it is named).
Every figure is a ratio to something measured in the same run, or a count.
"""

import io
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from exporter import load_bundle, open_model
from exporter.display import FEW_IMAGES, default_size, published_copies
from exporter.parallel import usable_cores
from exporter.pixels import Fit, decode, fit_image

ROOT = Path(__file__).resolve().parents[2]
PHOTO_SIZE = (640, 480)
REPEATS = 5


def main() -> None:
    print(f"{platform.machine()}, {usable_cores()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = folder / "demo"
        subprocess.run([sys.executable, ROOT / "examples" / "photos.py", photos], check=True, capture_output=True)
        open_model()
        for name in sys.argv[1:] or ("error", "warm_run", "many", "memory"):
            PARTS[name](photos, folder)


def error(photos: Path, folder: Path) -> None:
    """Similarity error that the exporter states for plain codes of every block of the default network, and what shards hold beside codes."""
    overlay_export(photos, "-o", folder / "error", "--layers", "block2,block3,block4", "--encoding", "int8")
    bundle = load_bundle(folder / "error")
    for layer in bundle.layers:
        codes = sum(rows * cols * layer.dims for rows, cols in layer.grids)
        stored = sum(shard.bytes for shard in layer.shards)
        e = layer.error
        print(f"error {layer.id}: max {e.max:.4f} (limit 0.01), rms {e.rms:.5f} (limit 0.0015), {e.pairs:,} pairs of {e.patches:,} patches")
        print(f"bytes {layer.id}: shards / codes = {stored / codes:.5f} (limit 1.01)")


def warm_run(photos: Path, folder: Path) -> None:
    """The whole process on 8 photos at 448 with two layers, against its parts alone."""
    eight = folder / "eight"
    eight.mkdir()
    for path in sorted(photos.rglob("*.[jp][pn]g"))[:8]:
        shutil.copy(path, eight)
    wall, total = against_parts(eight, folder, 448, {"block3": "_blocks.10", "block4": "_blocks.14"})
    print(f"  wall / (1.5 x parts + 1 s) = {wall / (1.5 * total + 1):.2f} (limit 1)")


def many(photos: Path, folder: Path) -> None:
    """The whole process on 200 photos at 224 with one layer, against its parts alone."""
    augmented(photos, folder / "200", 200)
    wall, total = against_parts(folder / "200", folder, 224, {"block3": "_blocks.10"})
    print(f"  wall / parts = {wall / total:.2f} (limit 1.15)")


def against_parts(photos: Path, folder: Path, size: int, layers: dict[str, str]) -> tuple[float, float]:
    """Seconds of a warm run, and of decoding, inference and writing published copies alone, one after the other; layers: {alias: module}."""
    paths = sorted(photos.iterdir())
    model = open_model()
    model.prepare(list(layers.values()))
    fit = Fit("contain", size, model.multiple, None, default_size(len(paths)))
    decoded = [decode(path, least=fit.least) for path in paths]
    fitted = [fit_image(picture, fit) for picture in decoded]
    written = folder / f"display-{len(paths)}"
    written.mkdir()
    parts = {
        "decode": lambda: [fit_image(decode(path, least=fit.least), fit) for path in paths],
        "infer": lambda: [model.run(pixels[None]) for pixels in fitted],
        "display": lambda: write_copies(decoded, fit, written),
    }
    alone = {name: fastest(work) for name, work in parts.items()}
    wall = fastest(lambda: overlay_export(photos, "-o", folder / "warm", "--layers", ",".join(layers), "--size", size, "--force"))
    total = sum(alone.values())
    shown = ", ".join(f"{name} {1e3 * seconds:.0f} ms" for name, seconds in alone.items())
    print(f"warm run of {len(paths)} photos at {size}: {wall:.2f} s; parts alone: {shown}, together {total:.2f} s")
    return wall, total


def write_copies(decoded: list[Image.Image], fit: Fit, folder: Path) -> None:
    """What an export publishes of its images."""
    for number, picture in enumerate(decoded):
        for kind, copy in zip(("image", "thumbnail"), published_copies(picture, fit, len(decoded) > FEW_IMAGES), strict=True):
            if copy:
                (folder / f"{number}-{kind}{copy.suffix}").write_bytes(copy.data)


def memory(photos: Path, folder: Path) -> None:
    """Peak resident memory of a run of 1,000 photos against one of 100."""
    augmented(photos, folder / "100", 100)
    augmented(photos, folder / "1000", 1000)
    peaks = {count: overlay_export(folder / str(count), "-o", folder / f"site-{count}") for count in (100, 1000)}
    print(f"peak memory: 100 photos {peaks[100] / 1024:.0f} MB, 1,000 photos {peaks[1000] / 1024:.0f} MB, ratio {peaks[1000] / peaks[100]:.2f} (limit 1.3)")


def large(photos: Path, folder: Path) -> None:
    """Peak resident memory of a run of 10,000 photos against one of 1,000, at 224 with one layer."""
    peaks = {}
    for count in (1000, 10_000):
        augmented(photos, folder / f"large-{count}", count)
        peaks[count] = overlay_export(folder / f"large-{count}", "-o", folder / f"large-site-{count}", "--layers", "block3", "--size", 224)
    print(f"peak memory at 224: 1,000 photos {peaks[1000] / 1024:.0f} MB, 10,000 photos {peaks[10_000] / 1024:.0f} MB, ratio {peaks[10_000] / peaks[1000]:.2f} (limit 1.2)")


def augmented(photos: Path, target: Path, count: int) -> None:
    """Write `count` distinct JPEGs: demo photos cropped, mirrored and brightened at seeded random."""
    target.mkdir()
    sources = [Image.open(path).convert("RGB").resize((800, 600)) for path in sorted(photos.rglob("*.[jp][pn]g"))]
    random = np.random.default_rng(0)
    for i in range(count):
        x, y = random.integers(0, 160), random.integers(0, 120)
        photo = sources[i % len(sources)].crop((x, y, x + PHOTO_SIZE[0], y + PHOTO_SIZE[1]))
        photo = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if random.random() < 0.5 else photo
        data = io.BytesIO()
        ImageEnhance.Brightness(photo).enhance(random.uniform(0.7, 1.2)).save(data, "JPEG")
        (target / f"{i:05d}.jpg").write_bytes(data.getvalue())


def fastest(work: Callable[[], object]) -> float:
    """Seconds of the fastest of several runs."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def overlay_export(*arguments: object) -> int:
    """Run the command as a process of its own and return its peak resident memory in kB."""
    command = [str(Path(sys.executable).with_name("overlay-export")), *map(str, arguments), "--quiet"]
    pid = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return usage.ru_maxrss


PARTS = {part.__name__: part for part in (error, warm_run, many, memory, large)}

if __name__ == "__main__":
    main()
