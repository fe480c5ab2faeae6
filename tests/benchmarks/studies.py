"""Bytes of the article's case studies against those of the article itself, on the same counts and grids.

Run by hand: `python tests/benchmarks/studies.py`. Takes the photos of ../shared/cases where they are, else those of the demo. Ends with exit code 1 where a limit is exceeded.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from exporter import load_bundle, open_model
from exporter.site import content_bytes, file_sizes

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks.export import augmented, overlay_export
from tests.conftest import CASES

# Bytes that the article takes, and what of them these may take.
ROTATIONS, CLASSES, SHARE = 25_187_542, 26_738_842, 1 / 12
OPTIONS = ("--size", "224", "--fit", "crop", "--display-size", "224", "--layers", "block3", "--max-error", "0.01")


def main() -> None:
    exceeded = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = source_photos(folder)
        open_model()
        augmented(photos, folder / "flat", 60)
        classes = ten_classes(sorted((folder / "flat").iterdir()), folder / "classes")
        six = folder / "six"
        six.mkdir()
        for path in sorted((folder / "flat").iterdir())[:6]:
            shutil.copy(path, six)
        exceeded += study("classes, 60 images, and 3 and 4 factors of each class", classes, folder / "1", CLASSES, "--figures", "classes,factors", "--factors", "3:each,4:each")
        exceeded += study("rotate, 6 images x 8 angles", six, folder / "2", ROTATIONS, "--figures", "transforms", "--transforms", "rotate:45")
    sys.exit(1 if exceeded else 0)


def source_photos(folder: Path) -> Path:
    """Photos with a structure below them that does not matter."""
    if CASES.is_dir():
        print("photos: ../shared/cases/photos")
        return CASES / "photos"
    print("photos: those of the demo")
    subprocess.run([sys.executable, ROOT / "examples" / "photos.py", folder / "demo"], check=True, capture_output=True)
    return folder / "demo"


def ten_classes(paths: list[Path], folder: Path) -> Path:
    """The photos in ten folders of equal size."""
    for number, path in enumerate(paths):
        place = folder / f"class {number * 10 // len(paths)}"
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    return folder


def study(name: str, photos: Path, site: Path, article: int, *options: str) -> int:
    """Print the bytes of a site, of what it shows, and their ratios to the article's; whether it takes too many, or its codes are too far off."""
    overlay_export(photos, "-o", site, *OPTIONS, *options)
    bundle, whole = load_bundle(site), sum(file_sizes(site).values())
    (layer,) = bundle.layers
    sides = {max(image.width, image.height) for image in bundle.images}
    parts = ", ".join(f"{kind} {count:,}" for kind, count in content_bytes(bundle.manifest).items())
    print(f"{name}: {len(bundle.images)} images of {min(sides)} px, grid {layer.grids[0][0]} x {layer.grids[0][1]}, error at most {layer.error.max:.4f} (limit 0.01)")
    print(f"  {whole:,} bytes with page and scripts ({parts}), the article's {article:,}: {whole / article:.4f} (limit {SHARE:.4f})")
    return whole > SHARE * article or layer.error.max > 0.01 or min(sides) < 224 or set(layer.grids) != {(14, 14)}


if __name__ == "__main__":
    main()
