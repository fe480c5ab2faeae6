"""Bytes of a layer's codes as a web server sends them, for several errors, against plain int8 codes of the same run.

Run by hand: `python tests/benchmarks/bytes.py`. Ends with exit code 1 where a limit is exceeded.
"""

import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from exporter import load_bundle, open_model
from exporter.bundle import Bundle
from exporter.encodings import is_deflated
from exporter.manifest import Layer
from exporter.shards import HEADER

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks.export import augmented, overlay_export

LAYERS = ("block2", "block3", "block4", "head")
ERRORS = (0.004, 0.01, 0.03, 0.1)
# What all layers together may take of deflated int8 codes.
MOST = {0.03: 0.6, 0.1: 0.6}
SERVED_LEVEL = 9


def main() -> None:
    exceeded = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, ROOT / "examples" / "photos.py", folder / "demo"], check=True, capture_output=True)
        open_model()
        for count in (8, 60):
            augmented(folder / "demo", folder / str(count), count)
            exceeded += table(folder / str(count), folder, count)
    sys.exit(1 if exceeded else 0)


def table(photos: Path, folder: Path, count: int) -> int:
    """Print the bytes of all layers at all errors, and what exceeds a limit; how much does."""
    plain = exported(photos, folder / f"{count}-int8", "--encoding", "int8")
    raw, deflated = ({layer.id: size(plain, layer) for layer in plain.layers} for size in (raw_bytes, served_bytes))
    print(f"{count} photos at 448, kB; in brackets: of deflated int8\n{'':12}" + "".join(f"{name:>26}" for name in (*LAYERS, "all")))
    print(row("int8", raw, deflated), row("deflated", deflated, deflated), sep="\n")
    exceeded = 0
    for error in ERRORS:
        bundle = exported(photos, folder / f"{count}-{error}", "--max-error", error)
        found = {layer.id: served_bytes(bundle, layer) for layer in bundle.layers}
        print(row(f"E = {error}", found, deflated))
        print(" " * 12 + "".join(f"{layer.integers} {layer.error.max:.4f}".rjust(26) for layer in bundle.layers))
        larger = [layer.id for layer in plain.layers if layer.error.max <= error and found[layer.id] > deflated[layer.id]]
        share = sum(found.values()) / sum(deflated.values())
        exceeded += len(larger) + (share > MOST.get(error, 1))
        print(f"{'':12}larger than deflated int8 that is exact enough: {', '.join(larger) or 'none'}; all {share:.3f}" + (f" (limit {MOST[error]})" if error in MOST else ""))
    return exceeded


def exported(photos: Path, site: Path, *options: object) -> Bundle:
    overlay_export(photos, "-o", site, "--layers", ",".join(LAYERS), *options)
    return load_bundle(site)


def row(name: str, found: dict[str, int], against: dict[str, int]) -> str:
    cells = [*((found[id], against[id]) for id in LAYERS), (sum(found.values()), sum(against.values()))]
    return f"{name:12}" + "".join(f"{size / 1e3:.0f} ({size / other:.2f})".rjust(26) for size, other in cells)


def raw_bytes(bundle: Bundle, layer: Layer) -> int:
    return sum(shard.bytes for shard in layer.shards)


def served_bytes(bundle: Bundle, layer: Layer) -> int:
    """What a web server sends of a layer: streams as they are, everything else deflated."""
    shards = [bundle.files.read(shard.file) for shard in layer.shards]
    return sum(len(data) if is_deflated(layer.encoding) else HEADER.size + len(zlib.compress(data[HEADER.size :], SERVED_LEVEL)) for data in shards)


if __name__ == "__main__":
    main()
