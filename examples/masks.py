#!/usr/bin/env python3
"""Write masks of the people on the photos of `photos.py`, from outlines that were drawn by hand.

    python examples/masks.py PHOTOS FOLDER
"""

import argparse
from pathlib import Path

from PIL import Image, ImageDraw

# Points in fractions of width and height.
OUTLINES = {
    "eileen-collins": "0.31 0.15, 0.35 0.05, 0.44 0.02, 0.54 0.04, 0.59 0.13, 0.58 0.23, 0.55 0.31, 0.61 0.45, 0.69 0.56, 0.71 0.66, 0.61 0.71, 0.57 0.80, 0.56 1, 0.20 1, 0.05 0.88, 0.05 0.68, 0.09 0.55, 0.22 0.46, 0.24 0.35, 0.34 0.30",
    "grace-hopper": "0.30 0.10, 0.37 0.05, 0.46 0.03, 0.56 0.05, 0.68 0.10, 0.72 0.17, 0.71 0.27, 0.71 0.42, 0.68 0.50, 0.73 0.54, 0.95 0.61, 0.99 0.69, 1 1, 0.06 1, 0.09 0.69, 0.29 0.58, 0.38 0.53, 0.32 0.42, 0.29 0.25, 0.27 0.18",
    "cameraman": "0.32 0.23, 0.35 0.14, 0.44 0.12, 0.51 0.16, 0.53 0.24, 0.50 0.31, 0.52 0.37, 0.49 0.43, 0.41 0.50, 0.31 0.62, 0.27 0.73, 0.29 1, 0.12 1, 0.14 0.79, 0.08 0.73, 0.04 0.58, 0.07 0.45, 0.19 0.35, 0.31 0.29",
}


def draw_mask(size: tuple[int, int], outline: str) -> Image.Image:
    """An outline filled with white, on black. outline: its points as `x y`, between commas, in fractions of the size."""
    points = [tuple(float(part) * side for part, side in zip(point.split(), size, strict=True)) for point in outline.split(",")]
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).polygon(points, fill=255)
    return mask


def main() -> None:
    parser = argparse.ArgumentParser(description="Write masks of the people on the photos of photos.py.")
    parser.add_argument("photos", type=Path, help="the folder that photos.py wrote")
    parser.add_argument("folder", type=Path, help="where to write; a new folder, or that of an earlier run")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for stem, outline in OUTLINES.items():
        (photo,) = given.photos.rglob(f"{stem}.*")
        with Image.open(photo) as image:
            draw_mask(image.size, outline).save(given.folder / f"{stem}.png")
    print(f"{len(OUTLINES)} masks: {given.folder}")


if __name__ == "__main__":
    main()
