"""Modules without a figure, where a browser differs from node: WebAssembly under a page's policy, inflating."""

import base64
import shutil
import zlib

import pytest

from exporter.site import template_folder
from tests.browser.conftest import STRICT_HOST

# Which kernel serves, and how many of its similarities are not those of similarity.js.
KERNEL = """async (site) => {
    const [{ makeKernel }, { similarities, squaredNorms }] = await Promise.all(['kernel', 'similarity'].map((name) => import(`${site}js/${name}.js`)));
    const [rows, dims] = [2051, 37];
    const codes = Int8Array.from({ length: rows * dims }, (_, i) => ((i * 7919) % 255) - 127);
    const [kernel, norms] = [await makeKernel(rows, dims), squaredNorms(codes, dims)];
    kernel.put(0, codes);
    let different = 0;
    for (const query of [0, 1, 1023, 2050]) {
        const [found, wanted] = [new Float32Array(rows), new Float32Array(rows)];
        kernel.score(query, 0, rows, found);
        similarities(kernel.code(query).slice(), norms[query], codes, norms, wanted);
        different += found.filter((value, i) => !Object.is(value, wanted[i])).length;
    }
    return [kernel.constructor.name, different];
}"""
UNPACK = """async ([site, base64, patches, dims]) => {
    const { unpack } = await import(`${site}js/codecs.js`);
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    return unpack(bytes, 'int8-deflate', patches, dims).then((codes) => [...codes], (error) => error.message);
}"""


@pytest.fixture
def modules(tmp_path, serve):
    """The address of a site of nothing but modules."""
    shutil.copytree(template_folder() / "js", tmp_path / "js")
    (tmp_path / "index.html").write_text('<!doctype html><link rel="icon" href="data:,">')
    return serve(tmp_path)


def test_simd_serves_and_gives_the_bits_of_the_scalar_loop(modules, open_page):
    assert open_page(modules).evaluate(KERNEL, modules) == ["SimdKernel", 0]


def test_where_the_page_forbids_webassembly_the_scalar_kernel_serves(modules, host, open_page):
    page = open_page(host({"/": ""}, STRICT_HOST.format(site=modules)))
    assert page.evaluate(KERNEL, modules) == ["ScalarKernel", 0]


def test_a_browser_inflates_what_zlib_deflated(modules, open_page):
    codes = [(i * 31) % 255 - 127 for i in range(70 * 9)]
    stream = deflated([codes[patch * 9 + dim] & 255 for dim in range(9) for patch in range(70)])
    assert open_page(modules).evaluate(UNPACK, [modules, stream, 70, 9]) == codes


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda stream: stream + b"\0", id="a byte behind it"),
        pytest.param(lambda stream: stream + stream, id="a second stream behind it"),
        pytest.param(lambda stream: stream[:-1], id="its last byte gone"),
        pytest.param(lambda stream: stream[:-1] + bytes([stream[-1] ^ 1]), id="another checksum"),
        pytest.param(lambda stream: b"", id="nothing"),
    ],
)
def test_a_browser_refuses_a_stream_that_is_not_whole_and_alone(modules, open_page, damage):
    stream = base64.b64encode(damage(zlib.compress(bytes(range(100))))).decode()
    assert open_page(modules).evaluate(UNPACK, [modules, stream, 10, 10]).startswith("cannot be inflated (")


def test_a_browser_stops_a_stream_far_longer_than_its_codes(modules, open_page):
    stream = deflated(bytes(50_000_000))
    assert open_page(modules).evaluate(UNPACK, [modules, stream, 10, 10]) == "inflates to more than 100 bytes"


def deflated(integers) -> str:
    return base64.b64encode(zlib.compress(bytes(integers))).decode()
