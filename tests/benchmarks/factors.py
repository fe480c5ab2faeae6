"""Four factors of block3 on 60 photos at 448, all 47,040 patches, run to convergence: seconds, and against running the network, in the same export.

Run by hand: `python tests/benchmarks/factors.py`. Ends with exit code 1 where the limit is exceeded, by the seconds of all cores together, which are never fewer than
those on the clock of an idle machine and do not grow where others are at work.
"""

import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from exporter import export, open_model
from exporter.parallel import usable_cores

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks.export import augmented

PHOTOS, LAYER, COUNT, PATCHES = 60, "block3", 4, 60 * 28 * 28
MOST_SECONDS, REPEATS = 12, 3


def main() -> None:
    print(f"{platform.machine()}, {usable_cores()} cores, {PHOTOS} photos of 448 x 448, {COUNT} factors of {LAYER}, {REPEATS} runs")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, ROOT / "examples" / "photos.py", folder / "demo"], check=True, capture_output=True)
        augmented(folder / "demo", folder / "photos", PHOTOS)
        open_model()
        slowest = max(measured(folder / "photos", folder / str(turn)) for turn in range(REPEATS))
    sys.exit(1 if slowest > MOST_SECONDS else 0)


def measured(photos: Path, site: Path) -> float:
    """Seconds of cores that the factors took; prints them beside those of the network."""
    seconds: dict[str, tuple[float, float]] = {}
    report = export(photos, site, layers=LAYER, factors=COUNT, fit="stretch", progress=stopwatch(seconds))
    (found,) = report.manifest.factors
    if found.patches != PATCHES or report.warnings:
        sys.exit(f"{found.patches} patches, expected {PATCHES}; {'; '.join(report.warnings)}")
    (clock, factors), (network_clock, network) = seconds[f"Factors of {LAYER}"], seconds["Running the network"]
    print(f"factors of {found.module}: {factors:.1f} s of cores (limit {MOST_SECONDS}), {clock:.1f} s by the clock; the network: {network:.1f} s of cores, {network_clock:.1f} s by the clock")
    print(f"  factors / network = {factors / network:.2f}; reconstruction error {found.error:.4f}, {found.bytes / 1000:.0f} kB")
    return factors


def stopwatch(seconds: dict[str, tuple[float, float]]) -> Callable:
    """A progress that notes how long each thing took, by the clock and by cores."""

    @contextmanager
    def progress(label: str, total: int) -> Iterator[Callable[[], None]]:
        clock, cores = time.perf_counter(), time.process_time()
        yield lambda: None
        seconds[label] = time.perf_counter() - clock, time.process_time() - cores

    return progress


if __name__ == "__main__":
    main()
