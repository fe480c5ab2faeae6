"""Pages with the figure `neighbours`: made-up images, what Python finds nearest, and the figure as a reader handles it."""

import re
from dataclasses import replace

import numpy as np
from playwright.sync_api import expect

from exporter import load_bundle
from exporter.manifest import Figure as Shown
from exporter.site import write_site
from tests.browser.conftest import Figure
from tests.browser.large import printed
from tests.fixtures.make import LayerPlan, Plan, write_bundle

PLAN = Plan(
    images={"ant": (160, 96), "bee": (96, 160), "cow": (128, 128), "dog": (160, 112), "elk": (192, 96)},
    layers=(LayerPlan("fine", 8, 9, signed=False), LayerPlan("deep", 16, 12, signed=True)),
    shard_bytes=800,
    seed=23,
)
LABEL = re.compile(r"(\d+)\. (.+?)(?:, row (\d+), column (\d+))?: cosine (\S+), distance (\S+)")


def neighbour_site(site, attributes=None):
    """Write a site with the figure, opening on a patch of `bee`; a layer has a shard for each image or two. Returns its bundle."""
    manifest = write_bundle(site, PLAN).manifest
    write_site(site, replace(manifest, figures=(Shown("neighbours", attributes or {}),)))
    return load_bundle(site)


def nearest(bundle, at, k, spacing, images=None):
    """[(image id, row, col, value)]: greedy non-maximum suppression, on these images or on all but that of the patch. spacing: None for one patch of each image."""
    scores = bundle.similarity(at["image"], at["layer"], at["row"], at["col"])
    images = [image for image in scores if image != at["image"]] if images is None else images
    all_of = [(-float(scores[id][row, col]), n, row, col) for n, id in enumerate(images) for row, col in np.ndindex(scores[id].shape)]
    kept = [(at["image"], at["row"], at["col"], 1.0)]
    for value, n, row, col in sorted(all_of):
        near = [one for one in kept if one[0] == images[n] and (spacing is None or max(abs(one[1] - row), abs(one[2] - col)) <= spacing)]
        if not near:
            kept.append((images[n], row, col, -value))
    return kept[1 : k + 1]


def nearest_images(bundle, image, layer, k):
    """[(image id, value)] by the cosine between the means of the unit vectors."""
    means = {}
    for one in bundle.images:
        codes = bundle.codes(one.id, layer).astype(float).reshape(-1, bundle.codes(one.id, layer).shape[-1])
        norms = np.linalg.norm(codes, axis=1, keepdims=True)
        mean = (codes / np.where(norms == 0, 1, norms)).sum(0)
        means[one.id] = mean / np.linalg.norm(mean)
    return sorted(((id, float(mean @ means[image])) for id, mean in means.items() if id != image), key=lambda match: -match[1])[:k]


class Neighbours(Figure):
    """The figure: its tiles are the image selected on and that of a neighbour, `crops` the neighbours."""

    def __init__(self, page, bundle, selector="[figure=neighbours]"):
        super().__init__(page, bundle, selector, "deep")
        self.tiles = self.element.locator(".stage .tile")
        self.crops = self.element.locator(".neighbours .strip button")
        self.shown = self.crops.filter(visible=True)
        self.found = self.element.locator(".found")
        self.back = self.element.get_by_role("button", name="Back")
        self.readout = self.element.get_by_role("status")
        self.titles = {image.id: image.title for image in bundle.images}

    def expect_crops(self, wanted):
        """Wait until the crops are these, [(image id, row, col, value)] or [(image id, value)], and tell so. Values may differ in the last digit of a mean."""
        labels = []
        for rank, (id, *place, value) in enumerate(wanted, 1):
            where = f", row {place[0] + 1}, column {place[1] + 1}" if place else ""
            labels.append(f"{rank}. {self.titles[id]}{where}: cosine {printed(value)}, distance {printed(np.sqrt(max(0.0, 2 - 2 * value)))}")
        expect(self.shown).to_have_text([printed(value) for *_, value in wanted])
        told = "([element, wanted]) => JSON.stringify([...element.shadowRoot.querySelectorAll('.neighbours .strip button')].filter((one) => !one.hidden).map((one) => one.ariaLabel)) === wanted"
        try:
            self.page.wait_for_function(told, arg=[self.element.element_handle(), self.page.evaluate("JSON.stringify", labels)], timeout=5_000)
        except Exception:
            assert self.shown.evaluate_all("all => all.map((one) => one.ariaLabel)") == labels
            raise

    def expect_nearest(self, k=16, spacing=2, **more):
        """Wait until the crops are the neighbours of the selected patch. Returns them."""
        wanted = nearest(self.bundle, self.selection, k, spacing, **more)
        self.expect_crops(wanted)
        return wanted

    def expect_compared(self, image, row=None, col=None):
        """The second tile shows an image; a patch of it is framed with its value."""
        expect(self.tiles.nth(1)).to_have_attribute("data-image", str([one.id for one in self.bundle.images].index(image)))
        if row is None:
            return
        framed = self.tiles.nth(1).locator(".mark").filter(visible=True).first
        box, (x, y) = framed.bounding_box(), self.at(1, row, col, scroll=False)
        assert abs(box["x"] + box["width"] / 2 - x) < 1 and abs(box["y"] + box["height"] / 2 - y) < 1
