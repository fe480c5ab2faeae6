"""A page of 1,000 images of 14 x 14 patches in Chromium: how soon it can be used, what a hover takes, whether it keeps its frames, what memory it takes.

Run by hand: `python tests/benchmarks/gallery.py`. What is timed inside the page is timed by the page's own clock; memory is that of the page's
process against the same process with an empty page. Ends with exit code 1 where a limit is exceeded.
"""

import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from exporter import export, load_bundle
from exporter.serve import make_server
from tests.benchmarks.export import augmented
from tests.benchmarks.hover import FLAGS, find_chromium

IMAGES = 1000
VIEW = {"width": 1280, "height": 1000}
MOVING_SECONDS = 6
FIGURE = "document.querySelector('similarity-overlay')"
# Resolves when a pointer on an image has selected a patch of it.
SELECTABLE = """async () => {
  await customElements.whenDefined('similarity-overlay');
  const figure = document.querySelector('similarity-overlay');
  await figure.ready;
  const tile = figure.shadowRoot.querySelector(`.tile[data-image="${figure.state.begin}"]`);
  const { left, top } = tile.getBoundingClientRect();
  tile.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, composed: true, pointerType: 'mouse', clientX: left + 5, clientY: top + 5 }));
  const { image, row, col } = figure.selection;
  return { after: performance.now(), selected: [image, row, col].join(' '), shards: figure.state.codes.arrived.size };
}"""
ALL_HERE = """async () => {
  const { state } = document.querySelector('similarity-overlay');
  state.want(state.images);
  while (state.arriving !== null) await new Promise(requestAnimationFrame);
  return state.images.filter((image) => state.has(image)).length;
}"""
HOVERS = """async (count) => {
  const figure = document.querySelector('similarity-overlay');
  const seen = (tile) => { const { top, bottom } = tile.getBoundingClientRect(); return bottom > 0 && top < innerHeight; };
  const tiles = [...figure.shadowRoot.querySelectorAll('.tile')].filter(seen);
  const times = [];
  for (let i = 0; i < count; i++) {
    const tile = tiles[(i >> 3) % tiles.length];
    const { left, top, width, height } = tile.getBoundingClientRect();
    const place = { clientX: left + ((i * 37) % 97) / 97 * width, clientY: top + ((i * 53) % 89) / 89 * height };
    const event = new PointerEvent('pointermove', { bubbles: true, composed: true, pointerType: 'mouse', ...place });
    const start = performance.now();
    tile.dispatchEvent(event);
    times.push(performance.now() - start);
    await new Promise(requestAnimationFrame);
  }
  const sorted = times.slice(count / 6).sort((a, b) => a - b);
  return { tiles: tiles.length, median: sorted[sorted.length >> 1], p95: sorted[Math.floor(0.95 * sorted.length)] };
}"""
COUNT_FRAMES = """() => {
  window.frames_ = [];
  window.selections_ = 0;
  document.addEventListener('overlay-select', () => window.selections_++);
  const next = (now) => { window.frames_.push(now); requestAnimationFrame(next); };
  requestAnimationFrame(next);
}"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        site = make_site(Path(name))
        server, address = make_server(site, 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
            layer = load_bundle(site).layers[0]
            decoded = sum(rows * cols for rows, cols in layer.grids) * layer.dims
            print(f"Chromium {browser.version}, {IMAGES:,} images of {layer.grids[0][0]} x {layer.grids[0][1]} x {layer.dims}, {decoded / 1e6:.1f} MB of codes, {layer.encoding}")
            exceeded = measure(browser, address, len(layer.shards), decoded)
            browser.close()
        server.shutdown()
    sys.exit(1 if exceeded else 0)


def make_site(folder: Path) -> Path:
    subprocess.run([sys.executable, ROOT / "examples" / "photos.py", folder / "demo"], check=True, capture_output=True)
    augmented(folder / "demo", folder / "photos", IMAGES)
    export(folder / "photos", folder / "site", layers=["block3"], size=224, fit="crop", figures=["gallery"])
    return folder / "site"


def measure(browser: Browser, address: str, shards: int, decoded: int) -> int:
    """Print every figure with its limit; how many exceed it."""
    page = browser.new_page(viewport=VIEW)
    before = page_bytes(page)
    page.goto(address, wait_until="commit")
    first = page.evaluate(SELECTABLE)
    exceeded = told("first image selectable, ms after navigation began", first["after"], 1000)
    exceeded += told(f"shards that had arrived by then, of {shards}", first["shards"], shards - 1)
    if page.evaluate(ALL_HERE) != IMAGES:
        raise SystemExit("not all codes arrived")
    page.evaluate(f"() => {FIGURE}.scrollIntoView()")
    page.wait_for_load_state("networkidle")
    hover = page.evaluate(HOVERS, 600)
    exceeded += told(f"script work of a hover, median ms, {hover['tiles']} images in view", hover["median"], 4)
    exceeded += told("script work of a hover, 95 % ms", hover["p95"], 8)
    frames, moves, selections = move(page)
    print(f"  {moves} moves of the pointer, {selections} selections")
    exceeded += told("frames a second while the pointer moves", frames, 55, least=True)
    return exceeded + told("memory of the page / (1.3 x codes + 100 MB)", (page_bytes(page) - before) / (1.3 * decoded + 100e6), 1)


def move(page: Page) -> tuple[float, int, int]:
    """Frames a second while a real pointer crosses the gallery, its moves, and the patches it selected."""
    box = page.locator("similarity-overlay").bounding_box()
    page.evaluate(COUNT_FRAMES)
    end, moves = time.monotonic() + MOVING_SECONDS, 0
    while time.monotonic() < end:
        page.mouse.move(box["x"] + 20 + (moves * 7) % (VIEW["width"] - 150), max(box["y"], 0) + 60 + (moves * 5) % 600)
        moves += 1
    frames, selections = page.evaluate("() => [window.frames_, window.selections_]")
    return 1000 * (len(frames) - 1) / (frames[-1] - frames[0]), moves, selections


def page_bytes(page: Page) -> int:
    """What the process of a page has allocated once its garbage is collected: anonymous memory, without what it shares of the program's files."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    browser = page.context.browser.new_browser_cdp_session()
    processes = browser.send("SystemInfo.getProcessInfo")["processInfo"]
    # A browser keeps a spare process for the next page; that of this one holds more.
    return max(anonymous_bytes(process["id"]) for process in processes if process["type"] == "renderer")


def anonymous_bytes(pid: int) -> int:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("RssAnon:"))
    return 1024 * int(line.split()[1])


def told(what: str, value: float, limit: float, least: bool = False) -> int:
    """Print a figure with its limit; 1 where it is exceeded."""
    print(f"  {what}: {value:.2f} ({'at least' if least else 'limit'} {limit:g})")
    return int(value < limit if least else value > limit)


if __name__ == "__main__":
    main()
