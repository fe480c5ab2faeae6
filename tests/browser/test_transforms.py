"""The figure `transforms` by mouse and by script: the corresponding patch on every version, the stage, the chart, the table."""

import re
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from exporter.manifest import Figure as Shown
from tests.browser.versions import COMPARED, SLIDE, TURN, transforms, versions_site


@pytest.fixture
def figure(transforms):
    return transforms().ready()


def with_attributes(**attributes):
    return lambda manifest: replace(manifest, figures=(Shown("transforms", attributes),))


def test_it_opens_with_the_bundles_patch_and_a_tile_for_each_step(figure):
    assert figure.selection == {"image": "wide", "layer": "fine", "row": 4, "col": 6, "pinned": False}
    assert [figure.image(n) for n in range(figure.tiles.count())] == figure.steps()
    expect(figure.wall.locator(".step")).to_have_text(["original 0°", *(step.label for step in TURN.steps[1:])])
    expect(figure.element.locator(".view figcaption")).to_have_text(["Selected: 0°", "Compared: 90°"])
    expect(figure.element.locator(".series-note")).to_have_text(TURN.note)
    figure.expect_outlines("wide", 4, 6)
    figure.expect_values("90°", "wide", 4, 6, "wide@turn-90")
    assert any(figure.drawn(3))


@pytest.mark.parametrize(("image", "row", "col"), [("wide@turn-45", 4, 6), ("wide@turn-270", 0, 1), ("wide", 7, 11)])
def test_hovering_a_version_selects_there_and_outlines_it_everywhere(figure, image, row, col):
    figure.hover_id(image, row, col)
    figure.expect_selection({"image": image, "row": row, "col": col, "pinned": False})
    figure.expect_outlines(image, row, col)
    figure.expect_values("90°", image, row, col, "wide@turn-90")
    expect(figure.element.locator(".view figcaption").first).to_have_text(f"Selected: {image.partition('-')[2] or '0'}°")
    expect(figure.source).to_have_attribute("data-image", str([one.id for one in figure.bundle.images].index(image)))
    found = figure.bundle.similarity(image, "fine", row, col)
    assert {one: figure.scores(one) for one in figure.steps()} == {one: (*found[one].shape, found[one].ravel().tolist()) for one in figure.steps()}


def test_some_of_these_are_out_of_frame(figure):
    figure.select("wide@turn-45", 0, 0)
    figure.expect_outlines("wide@turn-45", 0, 0)
    assert [figure.corresponding("wide@turn-45", 0, 0, one) is None for one in figure.steps()].count(True) >= 3
    expect(figure.element.locator(".view figcaption").last).to_have_text("Compared: 90° · out of frame")
    expect(figure.compared.locator(".corresponding")).to_be_hidden()
    expect(figure.compared.locator(".best").last).to_be_visible()


def test_the_large_tiles_show_the_three_patches(figure):
    figure.click_id("wide@turn-315", 3, 5)
    figure.page.mouse.move(2, 2)
    for kind, (row, col) in {"corresponding": figure.corresponding("wide@turn-315", 3, 5, "wide@turn-90"), "same": (3, 5)}.items():
        mark = figure.compared.locator(f".{kind}").bounding_box()
        tile, (rows, cols) = figure.compared.bounding_box(), figure.bundle.grid("wide", "fine")
        assert abs(mark["x"] + mark["width"] / 2 - tile["x"] - (col + 0.5) / cols * tile["width"]) < 1
        assert abs(mark["y"] + mark["height"] / 2 - tile["y"] - (row + 0.5) / rows * tile["height"]) < 1


def test_the_selected_version_can_be_pointed_at_on_the_stage(figure):
    figure.hover_id("wide@turn-45", 4, 6)
    box = figure.source.bounding_box()
    figure.page.mouse.move(box["x"] + box["width"] * 2.5 / 12, box["y"] + box["height"] * 1.5 / 8)
    figure.expect_selection({"image": "wide@turn-45", "row": 1, "col": 2})


def test_pointing_at_the_compared_version_reads_and_does_not_select(figure):
    before = figure.selection
    box = figure.compared.bounding_box()
    figure.page.mouse.move(box["x"] + box["width"] * 2.5 / 12, box["y"] + box["height"] * 1.5 / 8)
    value = figure.value((figure.tile_of("wide"), 4, 6), figure.tile_of("wide@turn-90"), 1, 2)
    expect(figure.compared.locator(".cursor")).to_have_text(value)
    expect(figure.element.get_by_role("status")).to_contain_text(f"→ 90°, row 2, column 3: {value}")
    assert figure.selection == before


def test_a_pinned_patch_stays_and_the_version_pointed_at_is_compared(figure):
    figure.click_id("wide", 2, 3)
    pinned = {"image": "wide", "layer": "fine", "row": 2, "col": 3, "pinned": True}
    figure.expect_selection(pinned)
    figure.hover_id("wide@turn-225", 5, 5)
    expect(figure.compared).to_have_attribute("data-image", str([one.id for one in figure.bundle.images].index("wide@turn-225")))
    figure.expect_values("225°", "wide", 2, 3, "wide@turn-225")
    assert figure.selection == pinned
    figure.page.keyboard.press("Escape")
    figure.expect_selection(None)
    expect(figure.plot).to_have_attribute("aria-valuetext", "225°: no patch is selected")
    expect(figure.element.locator(".corresponding.mark, .best.mark, .same.mark").filter(visible=True)).to_have_count(3)


@pytest.mark.parametrize(("place", "label", "step"), [(0, "0°", 0), (3, "135°", 3), (7, "315°", 7), (8, "360°", 0)])
def test_pointing_at_the_chart_compares_with_that_step(figure, place, label, step):
    figure.click_id("wide@turn-90", 2, 3)
    figure.pick(place)
    other = figure.steps()[step]
    figure.expect_values(label, "wide@turn-90", 2, 3, other)
    expect(figure.element.locator(".version.compared")).to_have_count(1)
    expect(figure.wall.nth(step)).to_contain_class("compared")
    expect(figure.compared).to_have_attribute("data-image", str([one.id for one in figure.bundle.images].index(other)))
    assert figure.selection["image"] == "wide@turn-90"


def test_a_version_is_not_compared_with_itself_unless_it_is_chosen(figure):
    figure.hover_id("wide@turn-90", 2, 3)
    figure.expect_values("0°", "wide@turn-90", 2, 3, "wide")
    figure.pick(2)
    figure.expect_values("90°", "wide@turn-90", 2, 3, "wide@turn-90")
    expect(figure.element.locator(".entries b")).to_have_text(["1.00"] * 3)


def points(path):
    """The points of a line, as lists of (x, y) between gaps."""
    return [[tuple(map(float, point.split())) for point in part.removesuffix("h0.01").split("L")] for part in path.split("M")[1:]]


def test_lines_have_gaps_out_of_frame_and_end_where_they_began(figure):
    figure.select("wide@turn-45", 0, 0)
    lines = {kind: points(figure.plot.locator(f".line.{kind}").get_attribute("d")) for kind in ("corresponding", "best", "same")}
    outside = [figure.corresponding("wide@turn-45", 0, 0, one) is None for one in [*figure.steps(), "wide"]]
    assert sum(map(len, lines["corresponding"])) == outside.count(False)
    assert [len(part) for part in lines["best"]] == [len(TURN.steps) + 1] == [len(part) for part in lines["same"]]
    for kind in ("best", "same"):
        assert lines[kind][0][0][1] == lines[kind][0][-1][1]
    assert (figure.plot.locator(".tick").count(), figure.plot.locator("text").all_text_contents().count("360°")) == (9, 1)


def test_the_axis_reaches_below_zero_where_values_do(figure):
    lowest = min(values.min() for values in figure.bundle.similarity("wide", "fine", 4, 6).values())
    assert lowest < 0
    figure.select("wide", 2, 3)
    box = figure.plot.bounding_box()
    for kind in ("corresponding", "best", "same"):
        line = figure.plot.locator(f".line.{kind}").bounding_box()
        assert box["y"] <= line["y"] and line["y"] + line["height"] <= box["y"] + box["height"] - 42 + 2
    texts = figure.plot.locator("text").all_text_contents()
    assert "1" in texts and "0" in texts and "cosine similarity" in texts and TURN.axis in texts
    expect(figure.plot.locator(".zero")).to_have_count(int(any(text.startswith("\N{MINUS SIGN}") for text in texts)))


def test_the_table_has_what_python_computes(figure):
    figure.element.get_by_text("Values as a table").click()
    for image, row, col in (("wide", 4, 6), ("wide@turn-45", 0, 0)):
        figure.select(image, row, col)
        rows = [[step.label, *figure.expected(image, row, col, other)] for step, other in zip(TURN.steps, figure.steps(), strict=True)]
        expect(figure.element.locator("tbody tr").last).to_have_text("".join(rows[-1]))
        expect(figure.element.locator("caption")).to_contain_text(f"row {row + 1}, column {col + 1} of Title of {image}")
        assert figure.table() == [[TURN.axis, *COMPARED], *rows]
    assert figure.element.locator("th").evaluate_all("cells => cells.map((cell) => cell.scope)") == ["col"] * 4 + ["row"] * len(TURN.steps)


def test_another_series_keeps_the_patch_of_the_original(figure):
    figure.click_id("wide", 2, 3)
    figure.control("Series").select_option(label="Shift")
    assert [figure.image(n) for n in range(figure.tiles.count())] == figure.steps("wide", SLIDE)
    figure.expect_selection({"image": "wide", "row": 2, "col": 3, "pinned": True})
    figure.expect_outlines("wide", 2, 3)
    figure.expect_values("+60 %", "wide", 2, 3, "wide@slide-60")
    expect(figure.element.locator(".series-note")).to_be_hidden()
    boxes = [figure.tiles.nth(n).bounding_box() for n in range(5)]
    assert len({(round(box["width"]), round(box["height"])) for box in boxes}) == 1, "a version has the shape of its original"


def test_another_series_follows_the_patch_to_the_original(figure):
    figure.select("wide@turn-90", 4, 6)
    figure.control("Series").select_option(label="Shift")
    row, col = figure.corresponding("wide@turn-90", 4, 6, "wide")
    figure.expect_selection({"image": "wide", "row": row, "col": col, "pinned": False})


def test_another_image_has_the_series_that_it_has(figure):
    figure.control("Series").select_option(label="Shift")
    figure.control("Image").select_option(label="Title of tall")
    assert [figure.image(n) for n in range(figure.tiles.count())] == figure.steps("tall")
    assert figure.control("Series").locator("option").all_inner_texts() == ["Rotation"]
    assert figure.control("Image").locator("option").all_inner_texts() == ["Title of wide", "Title of tall"]
    assert figure.selection["image"] == "tall"
    figure.expect_outlines("tall", figure.selection["row"], figure.selection["col"])


def test_another_image_keeps_the_step(figure):
    figure.select("wide@turn-135", 4, 6)
    figure.control("Image").select_option(label="Title of tall")
    figure.expect_selection({"image": "tall@turn-135", "pinned": False})


def test_a_script_may_select_on_any_version(figure):
    for image in ("wide@slide-30", "tall@turn-180", "tall"):
        figure.select(image, 1, 2, pin=True)
        figure.expect_selection({"image": image, "row": 1, "col": 2, "pinned": True})
        assert image in [figure.image(n) for n in range(figure.tiles.count())]
        figure.expect_outlines(image, 1, 2)
    with pytest.raises(Exception, match="does not show the image \"plain\""):
        figure.select("plain", 0, 0)
    expect(figure.element.locator(".error")).to_have_count(0)


def test_attributes_choose_the_image_and_the_series(transforms):
    figure = transforms(with_attributes(series="slide", range="layer")).ready()
    assert figure.tiles.count() == len(SLIDE.steps) and figure.control("Range").input_value() == "layer"
    figure.element.evaluate("element => { element.series = ''; element.image = 'tall@turn-90'; element.row = 3; element.col = 1; }")
    figure.element.evaluate("element => { element.images = ['tall']; }")
    figure.ready()
    figure.expect_selection({"image": "tall@turn-90", "row": 3, "col": 1})
    assert figure.control("Image").locator("option").all_inner_texts() == ["Title of tall"]


def test_an_image_alone_opens_in_its_middle(transforms):
    figure = transforms(with_attributes(image="wide@slide-30")).ready()
    figure.expect_selection({"image": "wide@slide-30", "row": 4, "col": 6})
    assert figure.control("Series").input_value() == "slide"


def test_without_an_opening_on_its_images_it_opens_in_the_middle(transforms):
    opening = lambda manifest: replace(manifest, selection=replace(manifest.selection, image="plain", row=0, col=0))  # noqa: E731
    figure = transforms(opening).ready()
    figure.expect_selection({"image": "wide", "row": 4, "col": 6})
    assert figure.control("Range").input_value() == "unit"


def test_an_unknown_series_is_told(transforms):
    figure = transforms(with_attributes(series="squeeze"))
    figure.expect_error('no series "squeeze" in this bundle; it has turn, slide')


def test_a_bundle_without_versions_says_how_to_get_them(transforms):
    figure = transforms(lambda manifest: replace(manifest, images=tuple(replace(image, version=None) for image in manifest.images), series=()))
    figure.expect_error("no image of this bundle has versions", "--transforms rotate,scale")


def test_images_without_versions_are_told_from_those_that_have_them(transforms):
    figure = transforms(with_attributes(images='["plain"]'))
    figure.expect_error("none of the images asked for has versions; those that have are wide, tall")


def test_versions_whose_codes_are_missing_leave_the_others_working(transforms, tmp_path):
    def spoil(site, bundle):
        shards = next(layer for layer in bundle.layers if layer.id == "fine").shards
        damaged.extend(shards[4:6])
        for shard in damaged:
            data = (site / shard.file).read_bytes()
            (site / shard.file).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))

    damaged = []
    figure = transforms(spoil=spoil, made={"shard_bytes": 500}).ready()
    lost = [figure.bundle.images[n].id for shard in damaged for n in range(shard.first, shard.first + shard.count)]
    gone = [one in lost for one in figure.steps()]
    assert 0 < gone.count(True) < len(gone) - 1 and not gone[0]
    figure.bundle = versions_site(tmp_path / "whole")
    expect(figure.element.locator(".gaps")).to_contain_text("Some maps cannot be shown. ")
    figure.select("wide", 2, 3)
    ring = [*gone, gone[0]]
    drawn = points(figure.plot.locator(".line.best").get_attribute("d"))
    assert sum(map(len, drawn)) == ring.count(False)
    for n, other in enumerate(figure.steps()):
        if gone[n]:
            figure.pick(n)
            expect(figure.plot).to_have_attribute("aria-valuetext", f"{TURN.steps[n].label}: corresponding patch not loaded, best match not loaded, same place not loaded")
        elif n:
            figure.pick(n)
            figure.expect_values(TURN.steps[n].label, "wide", 2, 3, other)


LARGE = {"shard_bytes": 1 << 17, "dims": 2400}


def test_of_a_large_layer_only_the_steps_that_are_shown_are_fetched(transforms, watch):
    """Here every image has a shard of its own, but for the first two."""
    figure = transforms(made=LARGE).ready()
    fine = next(layer for layer in figure.bundle.layers if layer.id == "fine")
    owner = {shard.file: figure.bundle.images[shard.first + shard.count - 1].id for shard in fine.shards}
    fetched = lambda: sorted(owner[path.lstrip("/")] for path in watch.paths(".bin"))  # noqa: E731
    arrived = lambda points: expect(figure.plot.locator(".line.best")).to_have_attribute("d", re.compile(f"^M[^ML]*(L[^ML]*){{{points - 1}}}$"))  # noqa: E731
    arrived(9)
    assert fetched() == sorted(figure.steps())
    figure.control("Series").select_option(label="Shift")
    arrived(5)
    assert fetched() == sorted({*figure.steps(), *figure.steps("wide", SLIDE)})
    figure.select("tall@turn-90", 3, 3)
    arrived(9)
    assert fetched() == sorted({*figure.steps(), *figure.steps("wide", SLIDE), *figure.steps("tall")})
