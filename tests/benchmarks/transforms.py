"""Script work of a hover in the figure `transforms`, from the pointer event to everything drawn: 24 versions of 14 x 14 x 192 and of 28 x 28 x 112.

Run by hand: `python tests/benchmarks/transforms.py`. Made-up features and pictures: the work is the same.
"""

import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from exporter.manifest import Figure, Selection, Series, Step, Version
from exporter.serve import make_server
from exporter.site import write_site
from tests.benchmarks.hover import FLAGS, find_chromium
from tests.fixtures.make import LayerPlan, Plan, write_bundle

STEPS = 24
LAYERS = (LayerPlan("28x28", 16, 112, signed=True), LayerPlan("14x14", 32, 192, signed=True))
HOVERS = """async ([layer, where]) => {
  const element = document.querySelector('similarity-overlay');
  await element.ready;
  await element.select({image: 'photo', row: 3, col: 3, layer, pin: where === 'chart'});
  const targets = [...element.shadowRoot.querySelectorAll({wall: '.version .tile', stage: '.stage .tile.source', chart: '.plot'}[where])];
  const times = [];
  for (let i = 0; i < 700; i++) {
    const target = targets[i % targets.length], box = target.getBoundingClientRect();
    const place = {clientX: box.left + ((i * 37) % 97) / 97 * box.width, clientY: box.top + ((i * 53) % 89) / 89 * box.height};
    const event = new PointerEvent('pointermove', {bubbles: true, composed: true, pointerType: 'mouse', ...place});
    const start = performance.now();
    target.dispatchEvent(event);
    times.push(performance.now() - start);
    if (i % 5 === 0) await new Promise(requestAnimationFrame);
  }
  const sorted = times.slice(100).sort((a, b) => a - b);
  return [0.5, 0.95].map((q) => sorted[Math.floor(q * (sorted.length - 1))]);
}"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        server, address = make_server(make_site(Path(name) / "site"), 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            page.goto(address)
            page.wait_for_load_state("networkidle")
            for layer in LAYERS:
                for where in ("wall", "stage", "chart"):
                    median, slow = page.evaluate(HOVERS, [layer.id, where])
                    print(f"Chromium {browser.version}, {STEPS} versions of {layer.id} x {layer.dims}, pointing at the {where}: script work, median {median:.2f} ms (limit 4), 95 % {slow:.2f} ms")
            browser.close()
        server.shutdown()


def make_site(site: Path) -> Path:
    """A photo of noise and its turns by 15 degrees."""
    ids = ["photo", *(f"photo@{step}" for step in range(1, STEPS))]
    manifest = write_bundle(site, Plan({id: (448, 448) for id in ids}, LAYERS, 2 << 20, seed=5)).manifest
    series = Series("turn", "rotate", "Rotation", "degrees", tuple(Step(15 * step, f"{15 * step}°") for step in range(STEPS)), 0, True, {}, "")
    images = tuple(replace(image, version=Version("photo", "turn", step, turn(step)) if step else None, group="") for step, image in enumerate(manifest.images))
    write_site(site, replace(manifest, images=images, series=(series,), selection=Selection("photo", LAYERS[0].id, 14, 14), figures=(Figure("transforms", {}),)))
    return site


def turn(step: int) -> tuple[float, ...]:
    cos, sin = np.cos(np.deg2rad(15 * step)), np.sin(np.deg2rad(15 * step))
    return tuple(map(float, (cos, -sin, 0.5 - 0.5 * cos + 0.5 * sin, sin, cos, 0.5 - 0.5 * sin - 0.5 * cos)))


if __name__ == "__main__":
    main()
