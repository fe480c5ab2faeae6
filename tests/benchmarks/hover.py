"""Script work of a hover in Chromium, from the pointer event to the canvases written, at 8 images of 28 x 28 x 112.

Run by hand: `python tests/benchmarks/hover.py`. Handlers run inside dispatchEvent, so timing it times them; the plain loop over the same
codes, timed in the same page, is the baseline.
"""

import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from exporter import export
from exporter.serve import make_server

ROOT = Path(__file__).resolve().parents[2]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
HOVERS = """async () => {
  const element = document.querySelector('similarity-overlay');
  await element.ready;
  const tiles = [...element.shadowRoot.querySelectorAll('.tile')];
  const times = [];
  for (let i = 0; i < 600; i++) {
    const box = tiles[i % tiles.length].getBoundingClientRect();
    const place = {clientX: box.left + ((i * 37) % 97) / 97 * box.width, clientY: box.top + ((i * 53) % 89) / 89 * box.height};
    const event = new PointerEvent('pointermove', {bubbles: true, composed: true, pointerType: 'mouse', ...place});
    const start = performance.now();
    tiles[i % tiles.length].dispatchEvent(event);
    times.push(performance.now() - start);
    if (i % 20 === 0) await new Promise(requestAnimationFrame);
  }
  const {ScalarKernel} = await import(new URL('js/kernel.js', document.baseURI));
  const {codes: {kernel, rows}, layer: {dims}} = element.state;
  const plain = new ScalarKernel(rows, dims);
  for (let row = 0; row < rows; row++) plain.put(row, kernel.code(row).slice());
  const out = new Float32Array(rows);
  const loops = [];
  for (let i = 0; i < 200; i++) {
    const start = performance.now();
    plain.score(0, 0, rows, out);
    loops.push(performance.now() - start);
  }
  const at = (list, q) => list.slice().sort((a, b) => a - b)[Math.floor(q * (list.length - 1))];
  return {median: at(times.slice(100), 0.5), p95: at(times.slice(100), 0.95), loop: at(loops.slice(50), 0.5), rows};
}"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        server, address = make_server(make_site(Path(name)), 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
            measure(browser.new_page(viewport={"width": 1280, "height": 1000}), address, browser.version)
            browser.close()
        server.shutdown()


def make_site(folder: Path) -> Path:
    photos = folder / "photos"
    subprocess.run([sys.executable, ROOT / "examples" / "photos.py", photos], check=True, capture_output=True)
    eight = sorted(photos.rglob("*.[jp][pn]g"))[:8]
    export(eight, folder / "site", layers=["block3"], fit="crop", figures=["gallery"])
    return folder / "site"


def find_chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise SystemExit("no Chromium found; install one (apt-get install chromium)")


def measure(page: Page, address: str, version: str) -> None:
    page.goto(address)
    page.wait_for_load_state("networkidle")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    result = page.evaluate(HOVERS)
    fetched = [url for url in requests if not url.endswith("kernel.js")]
    print(f"Chromium {version}, {result['rows']} rows of 112: script work of a hover, median {result['median']:.2f} ms (limit 2), 95 % {result['p95']:.2f} ms")
    print(f"the dot products alone, by the plain loop, {result['loop']:.2f} ms; hover / dot products = {result['median'] / result['loop']:.2f}")
    print(f"requests while hovering: {len(fetched)} (limit 0)")


if __name__ == "__main__":
    main()
