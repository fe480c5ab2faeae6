"""The figure `factors` by mouse: two views of every image, one factor alone, and what a patch is made of."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.factored import GROUP, PLAN

NAMES = list(PLAN.images)


@pytest.fixture
def figure(factored):
    return factored().ready()


def made_of(figure):
    return figure.element.locator(".made")


def test_every_image_has_two_views(figure):
    assert [figure.image(n) for n in range(figure.tiles.count())] == NAMES
    assert figure.maps.evaluate_all("tiles => tiles.map((tile) => Number(tile.dataset.image))") == [0, 1, 2, 3]
    figure.expect_painted("deep-3")
    expect(figure.chips).to_have_text([re.compile(f"^factor {n + 1}") for n in range(3)])
    expect(made_of(figure)).to_have_text("3 factors of deep by non-negative matrix factorisation of deep.expand (positive part), reconstruction error 0.63, on 91 patches.")
    for n in range(len(NAMES)):
        above, below = figure.tiles.nth(n).bounding_box(), figure.maps.nth(n).bounding_box()
        assert (above["x"], above["width"], above["height"]) == (below["x"], below["width"], below["height"])
        assert 0 < below["y"] - above["y"] - above["height"] < 8


@pytest.mark.parametrize("on_map", [False, True])
def test_pointing_at_either_view_selects_on_both(figure, on_map):
    for n, row, col in ((0, 0, 1), (1, 5, 3), (3, 2, 4)):
        figure.page.mouse.move(*(figure.on_map(n, row, col) if on_map else figure.at(n, row, col)))
        figure.expect_selection(figure.patch(n, row, col))
        figure.expect_scores()
        figure.expect_shares("deep-3", figure.image(n), row, col)
        for tile in (figure.tiles.nth(n), figure.maps.nth(n)):
            expect(tile.locator(".selected")).to_be_visible()
        expect(figure.element.locator(".selected").filter(visible=True)).to_have_count(2)
        assert all(any(figure.drawn(m)) for m in range(len(NAMES)))


def test_the_mixture_is_told_as_a_bar(figure):
    figure.hover(1, 2, 3)
    weights = figure.weights["deep-3"].of("tall")[2, 3]
    bar = figure.element.locator(".mixture .bar")
    whole = bar.bounding_box()["width"]
    widths = [part.bounding_box()["width"] / whole for part in bar.locator("i").all()]
    assert widths == pytest.approx((weights / weights.sum()).tolist(), abs=0.01)
    words = ", ".join(f"factor {n + 1} {share}" for n, share in enumerate(figure.weights["deep-3"].shares("tall", 2, 3)))
    expect(figure.element.locator(".mixture")).to_have_attribute("aria-label", words)


def test_pointing_at_a_map_shows_the_strongest_factor_alone(figure):
    weights = figure.weights["deep-3"].of("square")
    for row, col in ((0, 0), (2, 1), (4, 4)):
        strongest = int(weights[row, col].argmax())
        figure.page.mouse.move(*figure.on_map(2, row, col))
        figure.expect_alone(strongest)
        figure.expect_painted("deep-3", strongest)
        expect(figure.maps.nth(2).locator(".cursor")).to_have_text(f"{weights[row, col, strongest]:.2f}")
        expect(figure.maps.nth(2)).to_have_attribute("aria-label", re.compile(rf"^factors, Title of square .*, weight of factor {strongest + 1} {weights[row, col, strongest]:.2f}$"))
    figure.hover(2, row, col)
    figure.expect_alone(None)
    figure.expect_painted("deep-3")
    shares = figure.weights["deep-3"].shares("square", row, col)
    assert f"factor {strongest + 1} {shares[strongest]}" in figure.maps.nth(2).get_attribute("aria-label")


def test_while_a_patch_is_pinned_the_mixture_under_the_pointer_is_told(figure):
    figure.click(0, 1, 1)
    figure.expect_selection(figure.patch(0, 1, 1, pinned=True))
    figure.page.mouse.move(*figure.on_map(1, 4, 2))
    figure.expect_shares("deep-3", "tall", 4, 2)
    expect(figure.maps.nth(1).locator(".cursor")).to_be_visible()
    assert figure.selection == figure.patch(0, 1, 1, pinned=True)
    figure.page.mouse.move(2, 450)
    figure.expect_shares("deep-3", "wide", 1, 1)
    figure.expect_alone(None)


def test_a_chip_shows_its_factor_alone_and_holds_it(figure):
    figure.chips.nth(1).hover()
    figure.expect_alone(1)
    figure.expect_painted("deep-3", 1)
    figure.page.mouse.move(2, 450)
    figure.expect_alone(None)
    figure.expect_painted("deep-3")
    figure.chips.nth(1).click()
    figure.page.mouse.move(2, 450)
    assert figure.held() == ["false", "true", "false"]
    figure.page.mouse.move(*figure.on_map(0, 1, 1))
    figure.expect_alone(1)
    figure.expect_painted("deep-3", 1)
    expect(figure.maps.nth(0).locator(".cursor")).to_have_text(f"{figure.weights['deep-3'].of('wide')[1, 1, 1]:.2f}")
    figure.chips.nth(2).hover()
    figure.expect_alone(2)
    figure.chips.nth(1).click()
    figure.expect_alone(None)
    assert figure.held() == ["false"] * 3


def test_escape_lets_go_of_a_factor(figure):
    figure.chips.nth(0).click()
    figure.page.mouse.move(*figure.at(0, 1, 1))
    figure.page.keyboard.press("Escape")
    assert figure.held() == ["false"] * 3
    figure.expect_painted("deep-3")


@pytest.mark.parametrize("factor", range(3))
def test_a_patch_to_try_is_the_one_with_the_most_of_its_factor(figure, factor):
    cuts = figure.rows.nth(factor).locator(".strip button")
    best = figure.weights["deep-3"].best(factor)
    expect(cuts.filter(visible=True)).to_have_count(len(best))
    for n, (weight, image, row, col) in enumerate(best):
        expect(cuts.nth(n)).to_have_attribute("aria-label", f"Title of {image}, weight of factor {factor + 1} {weight:.2f}")
        cuts.nth(n).click()
        figure.expect_selection({"image": image, "layer": "deep", "row": row, "col": col, "pinned": True})
        figure.expect_shares("deep-3", image, row, col)
        figure.expect_scores()


def test_another_number_of_factors(figure):
    figure.click(2, 1, 1)
    figure.control("Number").select_option("4")
    expect(figure.chips).to_have_count(4)
    figure.expect_painted("deep-4")
    figure.expect_shares("deep-4", "square", 1, 1)
    figure.expect_selection(figure.patch(2, 1, 1, pinned=True))
    expect(made_of(figure)).to_contain_text("4 factors of deep by non-negative matrix factorisation of deep (positive and negative parts taken apart)")


def test_the_factors_of_a_group_show_its_images(figure):
    figure.click(1, 1, 1)
    made = figure.element.locator(".made")
    before = made.inner_text()
    figure.control("Factors of").select_option(label="Animals <all>")
    expect(made).not_to_have_text(before)
    expect(figure.tiles).to_have_count(len(NAMES) - 1)
    assert [image.id for image in figure.bundle.images if image.group == GROUP] == [figure.image(n) for n in range(3)]
    figure.expect_painted("deep-3-animals")
    figure.expect_selection(figure.patch(0, 1, 1, pinned=True))
    assert "wide" not in figure.element.get_by_role("status").inner_text()
    expect(figure.control("Number")).to_be_hidden()
    figure.control("Factors of").select_option(label="all images")
    expect(made).to_have_text(before)
    expect(figure.tiles).to_have_count(len(NAMES))
    figure.expect_painted("deep-3")


def test_a_selection_of_another_image_brings_its_factors(figure):
    figure.control("Factors of").select_option(label="Animals <all>")
    expect(figure.tiles).to_have_count(3)
    figure.select("wide", 1, 2, pin=True)
    expect(figure.tiles).to_have_count(4)
    figure.expect_painted("deep-3")
    assert figure.selection == {"image": "wide", "layer": "deep", "row": 1, "col": 2, "pinned": True}


def test_layers_without_factors_are_not_offered(figure):
    radios = figure.element.locator("input[name=Layer]")
    assert radios.evaluate_all("radios => radios.map((radio) => radio.value)") == ["deep", "fine"]
    figure.element.locator("input[value=fine]").check()
    expect(figure.chips).to_have_count(4)
    figure.layer = "fine"
    figure.expect_painted("fine-4")
    figure.page.mouse.move(*figure.on_map(1, 20, 3))
    figure.expect_selection(figure.patch(1, 20, 3))
    figure.expect_alone(int(figure.weights["fine-4"].of("tall")[20, 3].argmax()))
    figure.expect_scores()


def test_a_factor_without_weights_is_empty(figure):
    figure.element.locator("input[value=fine]").check()
    empty = figure.chips.nth(2)
    expect(empty).to_have_text("factor 3empty")
    expect(empty).to_be_disabled()
    expect(figure.rows.nth(2).locator(".strip")).to_have_count(0)
    empty.hover(force=True)
    figure.expect_alone(None)


def test_opacity_and_crispness_follow_the_display(figure):
    figure.element.evaluate("element => { element.opacity = 0.5; }")
    figure.expect_painted("deep-3", opacity=0.5)
    expect(figure.maps.nth(0).locator("canvas")).to_have_class("map smooth")
    figure.element.evaluate("element => { element.smooth = false; }")
    expect(figure.maps.nth(0).locator("canvas")).to_have_class("map")
