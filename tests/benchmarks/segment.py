"""How well few examples segment, on composites whose masks are known to the pixel, and how long the page takes for new masks.

Cut-outs of the demo's photos, turned, scaled and brightened, stand on other photos; of each object one, two and four composites are the support and the others are found. Then the script work of a move of the threshold
on 20 images. Run by hand: `python tests/benchmarks/segment.py`. Ends with exit code 1 where a move takes longer than a frame.
"""

import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.masks import OUTLINES, draw_mask
from exporter import export, load_bundle
from exporter.manifest import Figure
from exporter.segment import LEVELS, iou, otsu, upsample
from exporter.serve import make_server
from exporter.site import write_site
from tests.benchmarks.hover import FLAGS, find_chromium
from tests.fixtures.make import LayerPlan, Plan, write_bundle

ROOT = Path(__file__).resolve().parents[2]
FRAME_MS = 16
OBJECTS = {
    "person": OUTLINES,
    "cat": {"chelsea-the-cat": "0.08 0, 0.27 0.02, 0.55 0.02, 0.72 0.05, 0.80 0.18, 0.78 0.45, 0.72 0.62, 0.66 0.85, 0.55 0.97, 0.35 0.99, 0.12 0.95, 0.02 0.70, 0.02 0.30"},
    "flower": {"orange-flower": "0.43 0.20, 0.54 0.22, 0.64 0.31, 0.70 0.50, 0.67 0.66, 0.58 0.80, 0.46 0.84, 0.34 0.76, 0.27 0.60, 0.27 0.43, 0.33 0.29"},
    "cup": {"coffee": "0.40 0.04, 0.55 0.05, 0.69 0.17, 0.78 0.35, 0.80 0.58, 0.73 0.80, 0.58 0.94, 0.40 0.96, 0.22 0.85, 0.13 0.65, 0.13 0.48, 0.20 0.33, 0.30 0.20"},
}
GROUNDS = ("bricks", "grass", "gravel", "hubble-deep-field", "tower-in-china", "falcon-9", "motorcycle", "greek-coins")
COMPOSITES, SUPPORTS, SIDE = 12, (1, 2, 4), 448
MOVES = """async () => {
  const element = document.querySelector('similarity-overlay');
  await element.ready;
  const slider = element.shadowRoot.querySelector('.threshold input');
  element.shadowRoot.querySelector('.gallery').scrollIntoView();
  const times = [];
  for (let i = 0; i < 300; i++) {
    slider.value = String(20 + (i * 37) % 200);
    const start = performance.now();
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    times.push(performance.now() - start);
    await new Promise(requestAnimationFrame);
  }
  const sorted = times.slice(50).sort((a, b) => a - b);
  return [...[0.5, 0.95].map((q) => sorted[Math.floor(q * (sorted.length - 1))]), element.shadowRoot.querySelectorAll('.of-masks canvas').length];
}"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, ROOT / "examples" / "photos.py", folder / "photos"], check=True, capture_output=True)
        print(f"mean IoU of {COMPOSITES} composites of each of {', '.join(OBJECTS)}, those that are not the support; at the best threshold for all of them, and at Otsu's")
        for object, outlines in OBJECTS.items():
            compose(folder, object, outlines)
        export(folder / "images", folder / "site", masks=folder / "masks", layers=["block3", "block4"], figures=["segment"])
        report(load_bundle(folder / "site"))
        sys.exit(1 if slider(folder / "moves") > FRAME_MS else 0)


def compose(folder: Path, object: str, outlines: dict[str, str]) -> None:
    """Cut an object out of its photos and put it on others, each time turned, scaled, brightened and placed otherwise."""
    random = np.random.default_rng(sum(object.encode()))
    for number in range(COMPOSITES):
        stem = list(outlines)[number % len(outlines)]
        photo, ground = (Image.open(next((folder / "photos").rglob(f"{one}.*"))).convert("RGB") for one in (stem, GROUNDS[number % len(GROUNDS)]))
        cutout, mask = photo, draw_mask(photo.size, outlines[stem])
        box = mask.getbbox()
        scale = random.uniform(0.45, 0.8) * SIDE / max(box[2] - box[0], box[3] - box[1])
        size = (round((box[2] - box[0]) * scale), round((box[3] - box[1]) * scale))
        angle, flip = random.uniform(-20, 20), random.random() < 0.5
        cutout, mask = (_placed(one, box, size, angle, flip, method) for one, method in ((cutout, Image.Resampling.BICUBIC), (mask, Image.Resampling.NEAREST)))
        cutout = ImageEnhance.Brightness(cutout).enhance(random.uniform(0.7, 1.3))
        picture, whole = ground.resize((SIDE, SIDE)), Image.new("L", (SIDE, SIDE), 0)
        place = tuple(round(random.uniform(0, max(0, SIDE - side))) for side in cutout.size)
        picture.paste(cutout, place, mask)
        whole.paste(mask, place)
        for kind, image in (("images", picture), ("masks", whole)):
            (folder / kind / object).mkdir(parents=True, exist_ok=True)
            image.save(folder / kind / object / f"{object}-{number}.png")


def _placed(image: Image.Image, box: tuple[int, ...], size: tuple[int, int], angle: float, flip: bool, method: Image.Resampling) -> Image.Image:
    part = image.crop(box).resize(size, method)
    part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else part
    return part.rotate(angle, method, expand=True)


def report(bundle) -> None:
    for layer in bundle.layers:
        for score, background in (("mean", False), ("mean", True), ("nearest", False), ("nearest", True)):
            found = []
            for count in SUPPORTS:
                results = [_quality(bundle, layer, object, count, score, background) for object in OBJECTS]
                best, by_otsu = np.mean(results, axis=0)
                found.append(f"{count} support{'s'[: count > 1]} {best:.3f}, {by_otsu:.3f}")
            print(f"  {layer.id}, {score}{' minus background' if background else ''}: {'; '.join(found)}")


def _quality(bundle, layer, object: str, count: int, score: str, background: bool) -> tuple[float, float]:
    """Mean IoU over the composites of an object that are never support, at the threshold that is best for all of them, and at Otsu's."""
    ids = [image.id for image in bundle.images if image.group == object]
    support = {id: bundle.mask(id) for id in ids[:count]}
    scores = bundle.foreground_scores(layer=layer, support=support, score=score, background=background)
    pixels = {id: upsample(scores[id], bundle.mask(id).shape) for id in ids[max(SUPPORTS) :]}
    flat = np.concatenate([scores[id].ravel() for id in pixels])
    levels = [*np.linspace(flat.min(), flat.max(), LEVELS // 4 + 1), otsu(flat)]
    means = [np.mean([iou(values >= level, bundle.mask(id)) for id, values in pixels.items()]) for level in levels]
    return max(means), means[-1]


def slider(site: Path) -> float:
    """The median script work of a move of the threshold on 20 images beside one example, printed."""
    manifest = write_bundle(site, Plan({f"image{n}": (448, 336) for n in range(21)}, (LayerPlan("28x21", 16, 112, signed=True),), 2 << 20, seed=5)).manifest
    write_site(site, replace(manifest, figures=(Figure("segment", {}),)))
    server, address = make_server(site, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1600})
        page.goto(address)
        median, slow, count = page.evaluate(MOVES)
        print(f"Chromium {browser.version}, a move of the threshold on {count} images of 28 x 21 patches: median {median:.1f} ms of script (limit {FRAME_MS}), 95 % {slow:.1f} ms")
        browser.close()
    server.shutdown()
    return median


if __name__ == "__main__":
    main()
