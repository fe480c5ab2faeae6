"""A real Chromium, pages that must stay free of errors, and figures as a reader handles them."""

import json
import os
import shutil
import threading
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect, sync_playwright

from exporter import export, load_bundle
from exporter.serve import make_server
from tests.browser.watch import Watch
from tests.conftest import make_photo

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
STRICT_HOST = "default-src 'none'; style-src 'self'; script-src 'self' {site}; img-src {site}; connect-src {site}"
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}

# What is on the canvas of a tile; nothing where a tile is a mere box.
DRAWN = """tile => {
    const canvas = tile.querySelector('canvas');
    return canvas ? [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data] : [];
}"""


@pytest.fixture(scope="session")
def browser():
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.fail(f"no browser to test in: none of {', '.join(BROWSERS)} is on the PATH; install Chromium or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def watch():
    watch = Watch()
    yield watch
    watch.check()


@pytest.fixture(scope="session")
def context_of(browser):
    """A browser context for each set of options (as JSON): a new one costs as much as a test. The pages keep nothing in it.

    An empty page stays open in each: the first page of a context and the end of its last one cost Chromium as much as a whole test.
    """

    @cache
    def context_of(options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **json.loads(options)})
        context.set_default_timeout(15_000)
        context.new_page()
        return context

    return context_of


@pytest.fixture
def new_page(context_of, watch):
    """A function that gives an empty page: new_page(init="script run before any other", has_touch=True, ...)."""
    pages = []

    def new(*, init=None, **options):
        page = context_of(json.dumps(options, sort_keys=True)).new_page()
        pages.append(page)
        watch.attach(page)
        if init:
            page.add_init_script(init)
        return page

    yield new
    for page in pages:
        page.close()


@pytest.fixture
def open_page(new_page, watch):
    """A function that opens an address or a file: open_page(url, **options of new_page)."""

    def open_(target, **options):
        url = target.as_uri() if isinstance(target, Path) else target
        watch.allow(url)
        page = new_page(**options)
        page.goto(url)
        return page

    return open_


@pytest.fixture
def running():
    """A function that runs a server until the test ends and returns its address."""
    servers = []

    def run(server):
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}/"

    yield run
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def serve(running, watch):
    """A function that serves a site as overlay-serve does and returns its address."""

    def serve(site):
        server, address = make_server(site, 0)
        running(server)
        watch.allow(address)
        return address

    return serve


class _HostPages(BaseHTTPRequestHandler):
    def __init__(self, pages, policy, *args):
        self.pages, self.policy = pages, policy
        super().__init__(*args)

    def do_GET(self):
        body = self.pages.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        if self.policy:
            self.send_header("Content-Security-Policy", self.policy)
        self.end_headers()
        self.wfile.write((body or "").encode())

    def log_message(self, format, *args):
        pass


@pytest.fixture
def host(running, watch):
    """A function that serves pages of another origin: host({"/": html}, "policy") returns their address."""

    def host(pages, policy=""):
        icon = '<!doctype html><link rel="icon" href="data:,">' if not policy else "<!doctype html>"
        address = running(ThreadingHTTPServer(("127.0.0.1", 0), partial(_HostPages, {"/favicon.ico": "", **{path: icon + html for path, html in pages.items()}}, policy)))
        watch.allow(address)
        return address

    return host


class Figure:
    """A <similarity-overlay> on a page: its tiles by their place, patches by tile, row and column."""

    def __init__(self, frame, bundle, selector, layer=None):
        self.frame, self.page = frame, getattr(frame, "page", frame)
        self.bundle, self.layer = bundle, layer or bundle.manifest.selection.layer
        self.element = frame.locator(selector)
        self.tiles = self.element.locator(".tile")

    def ready(self):
        """Wait until the element says so; fails with what `ready` rejects with."""
        self.element.wait_for(state="attached")
        self.frame.wait_for_function("element => customElements.get('similarity-overlay') && element.ready.then(() => true)", arg=self.element.element_handle())
        return self

    def image(self, n):
        """The id of the image that the tile at a place shows."""
        return self.bundle.images[int(self.tiles.nth(n).get_attribute("data-image"))].id

    def title(self, n):
        return self.bundle.images[int(self.tiles.nth(n).get_attribute("data-image"))].title

    def tile_of(self, image):
        """The place of the first tile with an image."""
        shown = self.tiles.evaluate_all("tiles => tiles.map(tile => Number(tile.dataset.image))")
        return shown.index([one.id for one in self.bundle.images].index(image))

    def grid(self, n):
        return self.bundle.grid(self.image(n), self.layer)

    def at(self, n, row, col, scroll=True):
        """Where the centre of a patch is on the screen, in CSS pixels."""
        if scroll:
            self.tiles.nth(n).evaluate("tile => tile.scrollIntoView({block: 'center', behavior: 'instant'})")
        box = self.tiles.nth(n).bounding_box()
        rows, cols = self.grid(n)
        return box["x"] + (col + 0.5) / cols * box["width"], box["y"] + (row + 0.5) / rows * box["height"]

    def hover(self, n, row, col):
        self.page.mouse.move(*self.at(n, row, col))

    def click(self, n, row, col):
        self.page.mouse.click(*self.at(n, row, col))

    def tap(self, n, row, col):
        self.page.touchscreen.tap(*self.at(n, row, col))

    def select(self, image, row, col, **more):
        self.element.evaluate("(element, request) => element.select(request)", {"image": image, "row": row, "col": col, **more})

    @property
    def selection(self):
        return self.element.evaluate("element => element.selection")

    def patch(self, n, row, col, pinned=False):
        """A patch of a tile as `selection` gives it."""
        return {"image": self.image(n), "layer": self.layer, "row": row, "col": col, "pinned": pinned}

    def expect_selection(self, wanted):
        """Wait until the selection is that, in the members given; None: until there is none."""
        same = "([element, wanted]) => { const s = element.selection; return wanted === null ? s === null : s !== null && Object.keys(wanted).every(k => wanted[k] === s[k]); }"
        try:
            self.frame.wait_for_function(same, arg=[self.element.element_handle(), wanted], timeout=5_000)
        except PlaywrightError:
            assert self.selection == wanted
            raise

    def scores(self, image, layer=None):
        """(rows, cols, values) of an image on a layer, the present one if none is given, or None."""
        found = self.element.evaluate("(element, [image, layer]) => { const s = element.scores(image, layer ?? undefined); return s && [s.rows, s.cols, [...s.values]]; }", [image, layer])
        return found and (found[0], found[1], found[2])

    def expect_scores(self):
        """What the element says of every image is what Python says of its selection."""
        at = self.selection
        wanted = self.bundle.similarity(at["image"], at["layer"], at["row"], at["col"])
        assert {image: self.scores(image) for image in wanted} == {image: (*values.shape, values.ravel().tolist()) for image, values in wanted.items()}

    def value(self, selected, n, row, col):
        """Similarity of a patch of a tile with the selected (tile, row, col), as a figure prints it."""
        found = self.bundle.similarity(self.image(selected[0]), self.layer, selected[1], selected[2])[self.image(n)][row, col]
        return f"{found:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")

    def drawn(self, n):
        """Whether anything is painted on the map of a tile, and what, as a list of bytes."""
        return self.tiles.nth(n).evaluate(DRAWN)

    def expect_error(self, *parts):
        """The message in the figure's place names all that, is announced, and no map is drawn."""
        box = self.element.get_by_role("alert")
        for part in parts:
            expect(box).to_contain_text(part)
        expect(self.tiles.filter(visible=True)).to_have_count(0)
        assert not any(map(any, self.tiles.evaluate_all(f"tiles => tiles.map({DRAWN})")))

    def control(self, label):
        """A list, slider or check box by its label."""
        return self.element.locator(".choice").filter(has=self.frame.get_by_text(label, exact=True)).locator("select, input")


@pytest.fixture(scope="session")
def tiny_photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny") / "photos"
    for seed, (name, size) in enumerate({"ant.png": (96, 64), "bee.png": (64, 96), "cow.png": (80, 80), "dog.png": (96, 64)}.items()):
        make_photo(folder / name, seed, size)
    return folder


@pytest.fixture(scope="session")
def tiny_site(tmp_path_factory, tiny_network, tiny_photos):
    """A site of four made photos with the layers `shallow` (not signed) and `deep` (signed), and the figures gallery and pair. Not to be changed."""
    site = tmp_path_factory.mktemp("tiny") / "site"
    export(tiny_photos, site, model=str(tiny_network), layers=["shallow", "deep"], size=96, figures=["gallery", "pair"])
    return site


@pytest.fixture
def tiny_copy(tiny_site, tmp_path):
    """A copy of the tiny site that a test may damage."""
    return Path(shutil.copytree(tiny_site, tmp_path / "tiny"))


@pytest.fixture(scope="session")
def bundle(default_site):
    """The bundle of the default site, as Python reads it."""
    return load_bundle(default_site)


@pytest.fixture
def tiny_figure(tiny_site, serve, open_page):
    """A function that opens the tiny site over http and gives one of its figures: tiny_figure("pair", **options of new_page)."""
    return lambda name="gallery", **options: Figure(open_page(serve(tiny_site), **options), load_bundle(tiny_site), f"[figure={name}]").ready()


@pytest.fixture
def panels(tmp_path_factory, made_once, serve, open_page):
    """A function that opens a page with the figure `layers`, not waiting for it: panels(change of the manifest, spoil=ids of layers, **options of new_page)."""
    from tests.browser.panels import Panels, layers_site

    def open_(change=None, spoil=(), **options):
        if change or spoil:
            site = tmp_path_factory.mktemp("layers") / "site"
            layers_site(site, change, spoil)
        else:
            site = made_once("layers", lambda folder: layers_site(folder / "site")) / "site"
        return Panels(open_page(serve(site), **options), load_bundle(site))

    return open_


@pytest.fixture(scope="session")
def whole_factored(tmp_path_factory):
    """A site with the figure `factors`, its bundle and its weights. Not to be changed."""
    from tests.browser.factored import factor_site

    site = tmp_path_factory.mktemp("factors") / "site"
    return site, *factor_site(site)


@pytest.fixture
def factored(tmp_path_factory, whole_factored, serve, open_page):
    """A function that opens a page with the figure `factors`, not waiting for it: factored(spoil=function of the site, attributes=of the figure, **options of new_page)."""
    from tests.browser.factored import Factored, factor_site

    def open_(spoil=None, attributes=None, layer="deep", **options):
        site, bundle, weights = whole_factored
        if spoil or attributes:
            site = tmp_path_factory.mktemp("factors") / "site"
            bundle, weights = factor_site(site, attributes=attributes)
        if spoil:
            spoil(site)
        return Factored(open_page(serve(site), **options), bundle, weights, layer)

    return open_


@pytest.fixture
def mapped(tmp_path_factory, serve, open_page):
    """A function that opens a page with the figure `map`, not waiting for it: mapped(spoil=function of the site, attributes=of the figure, **options of new_page)."""
    from tests.browser.mapped import Mapped, map_site

    def open_(spoil=None, attributes=None, layer="deep", **options):
        site = tmp_path_factory.mktemp("map") / "site"
        bundle, made = map_site(site, attributes)
        if spoil:
            spoil(site)
        return Mapped(open_page(serve(site), **options), bundle, made, layer)

    return open_


@pytest.fixture(scope="session")
def many_site(tmp_path_factory):
    """A site of 120 images with a large layer and a small one, and its bundle. Not to be changed."""
    from tests.browser.large import large_site

    site = tmp_path_factory.mktemp("many") / "site"
    return site, large_site(site)


@pytest.fixture
def many(many_site, serve, open_page):
    """A function that opens the gallery of that site with the shards of the large layer held back: many(let=numbers of shards, **options of new_page)."""
    from tests.browser.large import DESK, GATE, Many

    def open_(let=(), init="", **options):
        site, bundle = many_site
        script = f"{GATE} gate.let({list(let)}); {init}"
        return Many(open_page(serve(site), init=script, **(options or DESK)), bundle)

    return open_


def read_manifest(site):
    return json.loads((site / "bundle.json").read_text())


def shard_of(site, layer):
    """The path of the only shard of a layer."""
    (shard,) = next(one for one in read_manifest(site)["layers"] if one["id"] == layer)["shards"]
    return site / shard["file"]
