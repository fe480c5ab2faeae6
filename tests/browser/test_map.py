"""The figure `map` by mouse: points and patches find each other, regions light up the images, colours say what they should."""

import math

import numpy as np
from playwright.sync_api import expect

from tests.browser.mapped import COLORS, GREY, SAMPLED


def classes_of(figure):
    """The image `wide` is in no class, the others are in one."""
    return np.array([min(1, figure.image_of(point)[0]) for point in range(len(figure.map.items))])


def lasso(page, figure, middle, radius):
    """Draw around a place of the plot; returns the corners in CSS pixels of the plot."""
    box = figure.box()
    corners = [(middle[0] + radius * math.cos(k / 4), middle[1] + 0.8 * radius * math.sin(k / 4)) for k in range(26)]
    page.mouse.move(box["x"] + corners[0][0], box["y"] + corners[0][1])
    page.mouse.down()
    for x, y in corners[1:]:
        page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.up()
    return corners


def test_points_and_patches_find_each_other(mapped):
    figure = mapped().ready()
    page, probe = figure.page, figure.element.locator(".probe")
    figure.expect_selection({"image": "tall", "row": 0, "col": 1})
    figure.expect_ring("selected", figure.point_of("tall", 0, 1))
    figure.expect_colors(COLORS[classes_of(figure)])
    for point in (3, 40, 88):
        figure.hover_point(point)
        figure.expect_selection(figure.patch_of(point))
        figure.expect_ring("selected", point)
        figure.expect_ring("cursor", None)
        number, (row, col) = figure.image_of(point)
        expect(probe).to_contain_text(figure.bundle.images[number].title)
        expect(probe).to_contain_text(f"row {row + 1}, column {col + 1}")
        figure.expect_scores()
    page.mouse.down()
    page.mouse.up()
    figure.expect_selection(figure.patch_of(88, pinned=True))
    figure.hover_point(5)
    figure.expect_ring("cursor", 5)
    figure.expect_ring("selected", 88)
    number, (row, col) = figure.image_of(5)
    at = figure.patch_of(88)
    value = figure.bundle.similarity(at["image"], "deep", at["row"], at["col"])[figure.bundle.images[number].id][row, col]
    expect(probe).to_contain_text(f"similarity {value:.2f} to the selected patch".replace("-", "\N{MINUS SIGN}"))
    figure.hover(2, 1, 3)
    figure.expect_ring("cursor", figure.point_of(figure.image(2), 1, 3))
    figure.click(2, 1, 3)
    figure.click(2, 1, 3)
    figure.expect_selection({**figure.patch(2, 1, 3), "pinned": False})
    figure.show(method="pca")
    figure.expect_ring("selected", figure.point_of(figure.image(2), 1, 3))
    expect(figure.element.locator(".made")).to_contain_text("31\N{THIN SPACE}% and 12\N{THIN SPACE}% of the variance")
    box = figure.box()
    page.mouse.move(box["x"] + 1, box["y"] + 1)
    page.keyboard.press("Escape")
    figure.expect_selection(None)
    figure.expect_ring("selected", None)


def test_regions_light_up_their_patches(mapped):
    figure = mapped().ready()
    page = figure.page
    figure.expect_region(None)
    figure.use("lasso")
    members = figure.inside(lasso(page, figure, (200, 180), 110))
    assert 5 < members.sum() < 60
    figure.expect_region(members)
    figure.expect_colors(COLORS[classes_of(figure)], np.where(members, 255, round(0.22 * 255)))
    figure.show(method="pca")  # the same patches, wherever they are
    figure.expect_region(members)
    figure.element.get_by_role("button", name="Clear region").click()
    figure.expect_region(None)
    assert any(figure.drawn(1))
    figure.use("point")
    box = figure.box()
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + 60, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 120)
    page.mouse.move(box["x"] + 290, box["y"] + 300)
    page.mouse.up()
    page.keyboard.up("Shift")
    figure.expect_region(figure.inside([(60, 80), (290, 80), (290, 300), (60, 300)]))
    page.keyboard.press("Escape")
    figure.expect_region(None)
    figure.expect_selection(None)
    figure.show(of="images")
    figure.use("box")
    x, y = figure.where(2)
    page.mouse.move(box["x"] + x - 25, box["y"] + y - 25)
    page.mouse.down()
    page.mouse.move(box["x"] + x + 10, box["y"] + y + 10)
    page.mouse.move(box["x"] + x + 25, box["y"] + y + 25)
    page.mouse.up()
    figure.expect_region(np.arange(4) == 2)


def test_colours_legend_and_zoom(mapped):
    figure = mapped().ready()
    page, element = figure.page, figure.element
    colored = figure.control("Colour by")
    images = np.array([figure.image_of(point)[0] for point in range(91)])
    colored.select_option("image")
    figure.expect_colors(COLORS[images])
    element.get_by_role("button", name="Title of square").hover()
    figure.expect_colors(COLORS[images], np.where(images == 2, 255, round(0.22 * 255)))
    page.mouse.move(2, 2)
    figure.expect_colors(COLORS[images])
    colored.select_option("factors deep-3")
    expect(element.locator(".key button")).to_have_text(["factor 1", "factor 2", "factor 3"])
    assert np.abs(figure.pixels()[:, :3] - figure.factor_colors()).max() <= 2
    figure.select("square", 2, 2, pin=True)
    colored.select_option("similarity")
    expect(element.locator(".key button")).to_have_count(0)
    found = figure.bundle.similarity("square", "deep", 2, 2)
    values = np.array([found[figure.bundle.images[figure.image_of(point)[0]].id][figure.image_of(point)[1]] for point in range(91)])
    page.wait_for_function("([canvas, x, y]) => canvas.getContext('2d').getImageData(x, y, 1, 1).data[0] > 200", arg=[figure.canvas.element_handle(), *map(round, map(float, figure.where(int(values.argmax()))))])
    drawn = figure.pixels()[:, :3].astype(int)
    assert values.argmax() == figure.point_of("square", 2, 2)
    low = values < figure.bundle.layers[2].range[0]
    assert low.any() and (np.abs(drawn[low] - GREY) <= 1).all()
    assert (drawn[values.argmax()] - drawn[low][0]).sum() > 60
    before = figure.where(figure.point_of("square", 2, 2))
    element.get_by_role("button", name="Magnify").click()
    ring = element.locator(".ring.selected")
    place = [float(value) for value in ring.get_attribute("transform").removeprefix("translate(").removesuffix(")").split()]
    assert np.abs(np.array(place) - before).max() < 2  # what is selected stays where it is
    box = figure.box()
    x, y = box["x"] + place[0], box["y"] + place[1]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 12, y - 8)
    page.mouse.move(x + 24, y - 16)  # the dot comes along: a click would let it go
    page.mouse.up()
    moved = [float(value) for value in ring.get_attribute("transform").removeprefix("translate(").removesuffix(")").split()]
    assert moved != place
    assert figure.selection["pinned"]  # a drag pins nothing and lets nothing go
    element.get_by_role("button", name="Show the whole map").click()
    figure.expect_ring("selected", figure.point_of("square", 2, 2))


def test_a_layer_of_which_some_patches_are_placed(mapped):
    figure = mapped().ready()
    element = figure.element
    figure.layer = "fine"
    element.locator("input[value=fine]").check(force=True)
    expect(element.locator(".made")).to_contain_text(f"{SAMPLED} of 364 patches")
    expect(element.locator(".map-pickers input[value=pca]")).to_be_hidden()  # it has one map only
    taken = {(figure.image_of(point)[0], *figure.image_of(point)[1]) for point in range(SAMPLED)}
    n, (rows, cols) = 1, figure.grid(1)
    number = int(figure.tiles.nth(n).get_attribute("data-image"))
    row, col = next((row, col) for row in range(rows) for col in range(cols) if (number, row, col) not in taken)
    figure.hover(n, row, col)
    figure.expect_selection(figure.patch(n, row, col))
    away = [math.inf if figure.image_of(point)[0] != number else (figure.image_of(point)[1][0] - row) ** 2 + (figure.image_of(point)[1][1] - col) ** 2 for point in range(SAMPLED)]
    figure.expect_ring("selected", int(np.argmin(away)), near=True)
    expect(element.locator(".probe")).to_contain_text("not among the dots")
    figure.hover_point(7)
    figure.expect_selection(figure.patch_of(7))
    figure.expect_ring("selected", 7)


def test_a_map_of_images(mapped):
    figure = mapped(attributes={"points": "images", "method": "pca", "color": "image"})
    figure.method, figure.of = "pca", "images"
    figure.ready()
    thumbs = figure.element.locator(".thumbs img")
    expect(thumbs).to_have_count(4)
    figure.hover_point(3)
    expect(figure.element.locator(".tile.pointed")).to_have_attribute("data-image", "3")
    expect(figure.element.locator(".probe")).to_contain_text("Title of strip")
    expect(figure.element.locator(".probe")).not_to_contain_text("row")
    figure.expect_selection({"image": "tall"})  # an image is no patch
    figure.hover(figure.tile_of("square"), 1, 1)
    expect(thumbs.nth(2)).to_have_class("chosen")
    assert thumbs.nth(2).evaluate("thumb => getComputedStyle(thumb).outlineColor") == f"rgb({COLORS[2][0]}, {COLORS[2][1]}, {COLORS[2][2]})"
