"""Neighbours among 196,000 patches (1,000 images of 14 x 14 x 112) in Chromium: finding them against scoring, and against sorting all patches; means of all images.

Run by hand: `python tests/benchmarks/neighbours.py`. Features are made up: every patch shows one of 200 things, more or less. Ends with exit code 1 where
finding the neighbours takes longer than the limit.
"""

import shutil
import sys
import tempfile
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from exporter.serve import make_server
from tests.benchmarks.hover import FLAGS, find_chromium

IMAGES, SIDE, DIMS = 1000, 14, 112
MOST_MS = 4
MEASURE = """async ([images, side, dims]) => {
    const [{ makeKernel }, { nearestPatches }, { unitMean }] = await Promise.all(['kernel', 'neighbours/search', 'neighbours/means'].map((name) => import(new URL(`js/${name}.js`, document.baseURI))));
    const [patches, rows] = [side * side, images * side * side];
    const things = Array.from({ length: 200 }, () => Int8Array.from({ length: dims }, () => Math.random() * 160 - 80));
    const codes = new Int8Array(rows * dims);
    for (let row = 0; row < rows; row++) {
        const thing = things[Math.floor(Math.random() * things.length)];
        for (let d = 0; d < dims; d++) codes[row * dims + d] = thing[d] + Math.random() * 80 - 40;
    }
    const [kernel, values] = [await makeKernel(rows, dims), new Float32Array(rows)];
    kernel.put(0, codes);
    const fields = Array.from({ length: images }, (_, image) => ({ image, cols: side, values: values.subarray(image * patches, (image + 1) * patches) }));
    const find = (count, spacing) => () => nearestPatches(fields, { count, spacing });
    const subjects = {
        'scoring': (query) => kernel.score(query, 0, rows, values),
        'sorting all patches': () => Uint32Array.from({ length: rows }, (_, row) => row).sort((a, b) => values[b] - values[a]),
        '16, 2 cells apart': find(16, 2), '64, 2 cells apart': find(64, 2), '128, any': find(128, 0), '128, one of each image': find(128, Infinity),
    };
    const times = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]));
    for (let round = 0; round < 25; round++) {
        for (const [name, run] of Object.entries(subjects)) {
            const start = performance.now();
            run((round * 7919) % rows);
            times[name].push(performance.now() - start);
        }
        await new Promise(requestAnimationFrame);
    }
    const starts = Uint32Array.from({ length: images + 1 }, (_, image) => image * patches);
    const start = performance.now();
    for (let image = 0; image < images; image++) unitMean({ layer: { dims }, kernel, starts }, image);
    const means = performance.now() - start;
    return [Object.entries(times).map(([name, list]) => [name, list.slice(5).sort((a, b) => a - b)[10]]), means];
}"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        shutil.copytree(ROOT / "site_template" / "js", Path(name) / "js")
        (Path(name) / "index.html").write_text("<!doctype html>")
        server, address = make_server(Path(name), 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        page = browser.new_page()
        page.goto(address)
        found, means = page.evaluate(MEASURE, [IMAGES, SIDE, DIMS])
        print(f"Chromium {browser.version}, {IMAGES:,} images of {SIDE} x {SIDE} x {DIMS}, medians of 20 rounds")
        browser.close()
        server.shutdown()
    (_, scoring), (_, sorting), *searches = found
    print(f"scoring all patches {scoring:.2f} ms, sorting them {sorting:.1f} ms; means of all images {means:.0f} ms, in slices")
    for name, median in searches:
        print(f"nearest {name}: {median:.2f} ms (limit {MOST_MS}), {median / scoring:.2f} x scoring, {median / sorting:.3f} x sorting")
    sys.exit(1 if max(median for _, median in searches) > MOST_MS else 0)


if __name__ == "__main__":
    main()
