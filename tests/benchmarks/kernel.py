"""Similarities of one patch with 196,000 codes of 112 dims (1,000 images of 14 x 14) in Chromium: the kernels, the plain loop, and the floor.

Run by hand: `python tests/benchmarks/kernel.py`. The floor only loads the memory that holds the codes: no kernel can be faster. All run in
turn in one page, so that a change of the machine's pace meets all of them.
"""

import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from exporter.serve import make_server
from tests.benchmarks.hover import FLAGS, find_chromium

ASSEMBLE = ROOT / "tests" / "assemble.js"
LOAD = Path(__file__).with_name("load.wat")
ROWS, DIMS = 196_000, 112
LEAST_SPEEDUP, LEAST_LOAD_RATE = 18, 0.6
MEASURE = """async ([base64, rows, dims]) => {
    const modules = ['kernel', 'similarity'].map((name) => import(new URL(`js/${name}.js`, document.baseURI)));
    const [{ makeKernel, ScalarKernel }, { similarities, squaredNorms }] = await Promise.all(modules);
    const codes = Int8Array.from({ length: rows * dims }, () => Math.floor(Math.random() * 255) - 127);
    const [simd, scalar, norms, out] = [await makeKernel(rows, dims), new ScalarKernel(rows, dims), squaredNorms(codes, dims), new Float32Array(rows)];
    const start = performance.now();
    simd.put(0, codes);
    const put = performance.now() - start;
    scalar.put(0, codes);
    // The same 22 MB once more, since the kernel keeps its memory to itself.
    const pages = Math.ceil(codes.length / 65536);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    new Int8Array(memory.buffer).set(codes);
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const { load } = (await WebAssembly.instantiate(bytes, { js: { memory } })).instance.exports;

    // The clock ticks in tenths of a millisecond: the fast ones run several times for one reading.
    const subjects = {
        loop: [1, (query) => similarities(codes.subarray(query * dims, (query + 1) * dims), norms[query], codes, norms, out)],
        scalar: [1, (query) => scalar.score(query, 0, rows, out)],
        simd: [20, (query) => simd.score(query, 0, rows, out)],
        load: [20, () => load(0, codes.length)],
    };
    const times = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]));
    for (let round = 0; round < 35; round++) {
        for (const [name, [repeats, run]] of Object.entries(subjects)) {
            const start = performance.now();
            for (let i = 0; i < repeats; i++) run((round * 37 + i) % rows);
            times[name].push((performance.now() - start) / repeats);
        }
        await new Promise(requestAnimationFrame);
    }
    const median = (list) => list.slice(5).sort((a, b) => a - b)[15];
    return { kind: simd.constructor.name, put, bytes: simd.bytes, ...Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)])) };
}"""


def main() -> None:
    load = subprocess.run(["node", ASSEMBLE, LOAD], check=True, capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(ROOT / "site_template" / "js", Path(name) / "js")
        (Path(name) / "index.html").write_text("<!doctype html>")
        server, address = make_server(Path(name), 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
            page = browser.new_page()
            page.goto(address)
            report(measure(page, load), browser.version)
            browser.close()
        server.shutdown()


def measure(page: Page, load: str) -> dict:
    """Medians in ms by name; `put`, and the `bytes` that the kernel holds."""
    return page.evaluate(MEASURE, [load, ROWS, DIMS])


def report(found: dict, version: str) -> None:
    loop, scalar, simd, load = (found[name] for name in ("loop", "scalar", "simd", "load"))
    print(f"Chromium {version}, {ROWS:,} codes of {DIMS} dims, {ROWS * DIMS / 1e6:.1f} MB, medians of 30 rounds")
    print(f"plain loop {loop:.1f} ms, scalar kernel {scalar:.1f} ms, {found['kind']} {simd:.2f} ms, only loading the bytes {load:.2f} ms")
    print(f"plain loop / {found['kind']} = {loop / simd:.1f} (at least {LEAST_SPEEDUP})")
    print(f"loading / {found['kind']} = {load / simd:.0%} (at least {LEAST_LOAD_RATE:.0%})")
    print(f"storing the codes takes {found['put']:.1f} ms and {found['bytes'] / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
