"""Pages with the figure `classes`: made-up images of several classes, one of them marked, and the figure as a reader handles it."""

from dataclasses import replace

import numpy as np
from playwright.sync_api import expect

from exporter import load_bundle
from exporter.images import Group
from exporter.manifest import Figure as Shown
from exporter.site import write_site
from tests.browser.conftest import Figure
from tests.browser.large import printed
from tests.fixtures.make import LayerPlan, Plan, write_bundle

LAYERS = (LayerPlan("fine", 8, 9, signed=False), LayerPlan("deep", 16, 12, signed=True))
# Which images are of which class, in the order of the bundle; the last of the dogs is marked.
MEMBERS = {"cats": ("tabby", "tiger"), "dogs": ("beagle", "pug", "drawn"), "birds": ("jay",), "": ("chair", "table")}
GROUPS = (Group("cats", "Cats", "Ears, and <b>eyes</b> & noses."), Group("dogs", "Dogs <i>all</i>", "What to try."), Group("birds", "Birds"), Group("", ""))
TITLES = {"cats": "Cats", "dogs": "Dogs <i>all</i>", "birds": "Birds", "": "other"}


def classes_site(site, members=None, groups=GROUPS, shown="classes"):
    """Write a site of images {group: ids} with a figure, opening on the second image. Returns it and its bundle."""
    members = MEMBERS if members is None else members
    of = {image: group for group, images in members.items() for image in images}
    sizes = ((96, 64), (64, 96), (80, 80))
    plan = Plan(images={image: sizes[i % 3] for i, image in enumerate(of)}, layers=LAYERS, shard_bytes=1 << 20, seed=5)
    manifest = write_bundle(site, plan).manifest
    images = tuple(replace(image, group=of[image.id], mark="generated" if image.id == "drawn" else "") for image in manifest.images)
    write_site(site, replace(manifest, images=images, groups=groups, figures=(Shown(shown, {}),)))
    return site, load_bundle(site)


class Classes(Figure):
    """The figure `classes`: the tiles of one class, a picker, and a table with a row for each class."""

    def __init__(self, page, bundle, selector="[figure=classes]"):
        super().__init__(page, bundle, selector, bundle.layers[-1].id)
        self.picker = self.element.get_by_role("group", name="Class")
        self.caption = self.element.locator(".about")
        self.rows = self.element.locator(".bars tbody tr")
        self.badges = self.element.locator(".badges")

    def pick(self, title):
        self.picker.get_by_role("radio", name=title).check()

    def button(self, title):
        return self.rows.get_by_role("button", name=title, exact=True)

    def expect_class(self, group, *, guest=None):
        """The images of that class stand there, marked ones first, after a guest; picker, caption and table tell it."""
        own = sorted(MEMBERS[group], key=lambda image: image != "drawn")
        wanted = [*([guest] if guest else []), *own]
        expect(self.tiles).to_have_count(len(wanted))
        assert [self.image(n) for n in range(len(wanted))] == wanted
        expect(self.picker.get_by_role("radio", checked=True)).to_have_value(group)
        expect(self.element.locator(".bars [aria-current=true]")).to_have_text(TITLES[group])
        expect(self.caption).to_have_text(next(one.caption for one in GROUPS if one.id == group))
        assert self.tiles.evaluate_all("tiles => tiles.filter((tile) => tile.tabIndex === 0).length") == 1

    def expect_values(self):
        """Every row tells what Python says of the selected patch, its own image left out."""
        at = self.selection
        scores = self.bundle.similarity(at["image"], at["layer"], at["row"], at["col"])
        for n, (group, images) in enumerate(MEMBERS.items()):
            of = [scores[image] for image in images if image != at["image"]]
            wanted = [printed(max(one.max() for one in of)), printed(np.concatenate([one.ravel() for one in of]).mean(dtype=np.float64))] if of else ["\N{EN DASH}"] * 2
            expect(self.rows.nth(n).get_by_role("cell")).to_have_text(["", *wanted])
            expect(self.rows.nth(n).get_by_role("rowheader")).to_have_text(TITLES[group])
            ticks = self.rows.nth(n).locator(".each").get_attribute("d") or ""
            assert sorted(int(tick.split()[0]) for tick in ticks.split("M")[1:]) == sorted(round(1000 * min(1, max(0, float(one.max())))) for one in of)
