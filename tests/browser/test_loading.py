"""A layer that comes in parts: what is here works, what is not comes near by near, and what cannot be had spares the rest."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, STRICT_HOST
from tests.browser.large import DESK, GATE, OPENING, PER_SHARD, SHARDS, Many
from tests.browser.test_element import ADD
from tests.browser.watch import origin

SELECT = "(element, request) => element.select(request).then(() => null, (error) => error.message)"


def file(number):
    return f"features/wide-{number:04d}.bin"


@pytest.fixture
def begun(many):
    """A function that gives a gallery of which only the shard of the opening patch has come."""
    return lambda **options: many(let=[2], **options).ready()


def test_nothing_is_shown_before_the_first_codes(many):
    gallery = many()
    gallery.expect_asked(2)
    status = gallery.element.get_by_role("status")
    expect(status).to_have_text("Loading the features of wide…")
    expect(gallery.element.locator(".figure")).to_have_attribute("aria-busy", "true")
    gallery.hover(0, 3, 4)
    assert gallery.selection is None and gallery.scores("p030") is None
    gallery.let(2)
    gallery.ready()
    expect(status).to_contain_text("Picture 30 row 4, column 5")
    expect(gallery.element.locator(".figure")).to_have_attribute("aria-busy", "false")


def test_the_first_image_works_while_the_others_come(begun):
    gallery = begun()
    assert gallery.selection == {"image": "p030", "layer": "wide", "row": 3, "col": 4, "pinned": False}
    gallery.expect_asked(2, 0, 1)
    gallery.expect_present(2)
    expect(gallery.progress).to_have_text("features of 12 of 120 images")
    expect(gallery.bar).to_have_js_property("value", 12)
    assert not gallery.tiles.nth(0).evaluate("tile => tile.classList.contains('mapped')") and not any(gallery.drawn(0))
    gallery.let(0)
    expect(gallery.tiles.nth(0)).to_have_class(re.compile("mapped"))
    assert any(gallery.drawn(0))
    expect(gallery.progress).to_have_text("features of 24 of 120 images")
    gallery.expect_present(0, 2)
    gallery.let(1)
    expect(gallery.bar).to_be_hidden()
    gallery.expect_present(0, 1, 2)


def test_a_patch_can_be_selected_while_the_others_come(begun):
    gallery = begun()
    gallery.show(26)
    gallery.hover(26, 2, 3)
    gallery.expect_selection(gallery.patch(26, 2, 3))
    gallery.expect_present(2)
    gallery.let(3)
    gallery.expect_present(2, 3)


def test_scrolling_brings_what_comes_near_and_only_that(many):
    gallery = many(let=SHARDS).ready()
    gallery.expect_asked(*{n // PER_SHARD for n in gallery.in_view(screens=1)} | {2})
    before = set(gallery.asked)
    gallery.show(119)
    near = {n // PER_SHARD for n in gallery.in_view(screens=1)}
    gallery.expect_asked(*before | near)
    assert before | near < set(SHARDS)
    gallery.expect_present(*before | near)
    expect(gallery.bar).to_be_hidden()


def test_in_view_comes_first(many):
    gallery = many(let=[2]).ready()
    gallery.let(0, 1)
    gallery.expect_present(0, 1, 2)
    gallery.tiles.nth(75).evaluate("tile => scrollTo({ top: tile.getBoundingClientRect().top + scrollY, behavior: 'instant' })")
    gallery.page.wait_for_function("() => gate.asked.length > 3")
    assert gallery.asked[3] == gallery.in_view()[0] // PER_SHARD


def test_who_points_has_all_images_come_each_shard_once(begun):
    gallery = begun()
    gallery.let(0, 1)
    gallery.expect_present(0, 1, 2)
    assert sorted(gallery.asked) == [0, 1, 2]
    gallery.hover(0, 3, 4)
    expect(gallery.progress).to_have_text("features of 36 of 120 images")
    gallery.expect_asked(0, 1, 2, 3, 4, 5, 6)
    gallery.hover(1, 3, 4)
    gallery.let(*SHARDS)
    expect(gallery.bar).to_be_hidden()
    gallery.expect_present(*SHARDS)
    assert gallery.asked == list(dict.fromkeys(gallery.asked))


def test_in_view_comes_first_also_after_pointing(begun):
    gallery = begun()
    gallery.let(0, 1)
    gallery.expect_present(0, 1, 2)
    gallery.hover(0, 3, 4)
    gallery.expect_asked(0, 1, 2, 3, 4, 5, 6)
    gallery.tiles.nth(115).evaluate("tile => scrollTo({ top: tile.getBoundingClientRect().top + scrollY, behavior: 'instant' })")
    gallery.frames()
    gallery.let(3)
    gallery.page.wait_for_function("() => gate.asked.length > 7")
    assert gallery.asked[7] == gallery.in_view()[0] // PER_SHARD


SLOW_THEN_OTHER = """async (element, [slow, other]) => {
  const first = element.select(slow);
  await new Promise(requestAnimationFrame);
  if (other) await element.select(other);
  else element.clear();
  gate.let([9]);
  await first;
  return element.selection;
}"""


def test_the_later_of_two_selections_wins_whichever_codes_come_first(begun):
    gallery = begun()
    slow, other = ({"image": gallery.bundle.images[n].id, "row": 1, "col": 1} for n in (119, 26))
    assert gallery.element.evaluate(SLOW_THEN_OTHER, [slow, {**other, "pin": True}]) == {**other, "layer": "wide", "pinned": True}


def test_clearing_ends_a_selection_that_waits(begun):
    gallery = begun()
    assert gallery.element.evaluate(SLOW_THEN_OTHER, [{"image": gallery.bundle.images[119].id, "row": 1, "col": 1}, None]) is None


def test_what_is_compared_with_a_part_says_so(many):
    gallery = many(let=SHARDS).ready()
    gallery.expect_present(*sorted(set(gallery.asked)))
    count = PER_SHARD * len(set(gallery.asked))
    expect(gallery.progress).to_have_text(f"features of {count} of 120 images")
    expect(gallery.bar).to_be_hidden()


def test_patches_without_codes_cannot_be_pointed_at_yet(begun):
    gallery = begun()
    before = gallery.selection
    gallery.click(0, 3, 4)
    assert gallery.selection == before
    gallery.let(0)
    expect(gallery.tiles.nth(0)).to_have_class(re.compile("mapped"))
    gallery.click(0, 3, 4)
    gallery.expect_selection(gallery.patch(0, 3, 4, pinned=True))
    gallery.expect_present(0, 2)


def test_by_keyboard_onto_an_image_whose_codes_then_come(begun):
    gallery = begun()
    gallery.let(0)
    gallery.show(11)
    expect(gallery.tiles.nth(11)).to_have_class(re.compile("mapped"))
    gallery.tiles.nth(11).focus()
    gallery.page.keyboard.press("ArrowUp")
    here = gallery.selection
    assert here["image"] == "p011"
    gallery.page.keyboard.press("Shift+ArrowRight")
    expect(gallery.tiles.nth(12)).to_be_focused()
    gallery.page.keyboard.press("ArrowLeft")
    assert gallery.selection == here
    gallery.let(1)
    gallery.expect_present(0, 1, 2)
    gallery.page.keyboard.press("ArrowLeft")
    rows, cols = gallery.grid(12)
    gallery.expect_selection(gallery.patch(12, rows // 2, cols // 2 - 1))
    gallery.page.keyboard.press("Shift+ArrowLeft")
    gallery.expect_selection({"image": "p011"})


def test_a_tap_selects_where_codes_are(begun):
    gallery = begun(**PHONE)
    before = gallery.selection
    gallery.tap(0, 3, 4)
    assert gallery.selection == before
    gallery.let(0)
    expect(gallery.tiles.nth(0)).to_have_class(re.compile("mapped"))
    gallery.tap(0, 3, 4)
    gallery.expect_selection(gallery.patch(0, 3, 4))
    gallery.expect_present(0, 2)


def test_a_script_selects_far_away(begun):
    gallery = begun()
    gallery.let(0, 1)
    gallery.expect_present(0, 1, 2)
    before = gallery.selection
    gallery.element.evaluate("element => { window.selected = element.select({ image: 'p100', row: 1, col: 2 }); }")
    gallery.expect_asked(0, 1, 2, 8)
    assert gallery.selection == before
    gallery.let(8)
    gallery.page.evaluate("selected")
    assert gallery.selection == {**before, "image": "p100", "row": 1, "col": 2}
    gallery.expect_present(0, 1, 2, 8)
    gallery.expect_asked(0, 1, 2, 8)


DAMAGE = {"missing": "could not be loaded (HTTP 404)", "altered": "was altered (SHA-256"}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_shard_spares_the_others(many, damage):
    gallery = many(let=SHARDS, init=f"gate.spoilt[1] = '{damage}';").ready()
    expect(gallery.gaps).to_contain_text(f"Some maps cannot be shown. {file(1)}: {DAMAGE[damage]}")
    expect(gallery.gaps).to_have_attribute("role", "alert")
    gallery.hover(0, 3, 4)
    gallery.expect_selection(gallery.patch(0, 3, 4))
    gallery.expect_present(*(number for number in SHARDS if number != 1))
    expect(gallery.bar).to_be_hidden()
    (message,) = gallery.page.evaluate("heard")
    assert message.startswith(f"{file(1)}: {DAMAGE[damage]}")
    here = gallery.selection
    gallery.click(12, 3, 4)
    assert gallery.selection == here and gallery.asked.count(1) == 1
    assert gallery.element.evaluate(SELECT, {"image": "p013", "row": 1, "col": 2}) == message
    assert gallery.selection == here and gallery.asked.count(1) == 2
    gallery.page.evaluate("gate.spoilt = {}")
    gallery.select("p013", 1, 2)
    expect(gallery.gaps).to_be_hidden()
    gallery.expect_present(*SHARDS)


def test_a_damaged_shard_that_only_a_script_asked_for_is_told_in_the_figure(many):
    gallery = many(let=SHARDS, init="gate.spoilt[8] = 'altered';").ready()
    expect(gallery.bar).to_be_hidden()
    expect(gallery.gaps).to_be_hidden()
    message = gallery.element.evaluate(SELECT, {"image": "p100", "row": 1, "col": 2})
    expect(gallery.gaps).to_contain_text(message)
    assert gallery.page.evaluate("heard") == [message]


def test_where_the_opening_patch_is_lost_the_others_work(many):
    gallery = many(let=SHARDS, init="gate.spoilt[2] = 'altered';").ready()
    expect(gallery.gaps).to_contain_text(f"{file(2)}: was altered")
    assert gallery.selection is None
    gallery.hover(0, 3, 4)
    gallery.expect_selection(gallery.patch(0, 3, 4))
    gallery.expect_present(*(number for number in SHARDS if number != 2))
    assert len(gallery.page.evaluate("heard")) == 1


def test_where_all_shards_are_lost_the_layer_is(many):
    gallery = many(let=SHARDS, init=f"for (const number of {list(SHARDS)}) gate.spoilt[number] = 'missing';")
    gallery.expect_error("This figure cannot be shown. ", "features/wide-", "could not be loaded (HTTP 404)")
    expect(gallery.gaps).to_be_hidden()
    assert "HTTP 404" in gallery.element.evaluate("element => element.ready.then(() => null, (error) => error.message)")
    assert len(gallery.page.evaluate("heard")) == 1 and gallery.selection is None
    gallery.element.get_by_role("radio", name="small").click()
    gallery.expect_selection({"image": "p030", "layer": "small"})
    gallery.expect_scores()


def test_without_webassembly_the_scores_are_the_same(many):
    gallery = many(init="delete window.WebAssembly;").whole()
    gallery.hover(0, 3, 4)
    gallery.expect_present(*SHARDS)


def test_where_a_host_forbids_webassembly_the_scores_are_the_same(many_site, serve, host, open_page):
    site, bundle = many_site
    address = serve(site)
    html = f'<main><similarity-overlay src="{address}" figure="gallery"></similarity-overlay></main><script type="module" src="{address}js/element.js"></script>'
    page = open_page(host({"/": html}, STRICT_HOST.format(site=origin(address))), init=f"{GATE} gate.let({list(SHARDS)});", **DESK)
    gallery = Many(page, bundle).ready()
    assert page.evaluate("WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).then(() => true, () => false)") is False
    gallery.hover(0, 3, 4)
    gallery.expect_present(*SHARDS)


def test_without_decompressionstream_the_raw_layer_works(many):
    gallery = many(let=SHARDS, init="delete window.DecompressionStream;")
    gallery.expect_error("is deflated, which this browser cannot undo (no DecompressionStream); use Chrome or Edge 80, Firefox 113, Safari 16.4 or newer")
    gallery.element.get_by_role("radio", name="small").click()
    gallery.expect_selection({"layer": "small", "image": OPENING.image})
    gallery.expect_scores()
    expect(gallery.element.get_by_role("alert")).to_have_count(0)


LEAVING = {
    "takes the element away": "element => element.remove()",
    "takes another layer": "element => element.shadowRoot.querySelector('input[value=small]').click()",
    "takes another figure": "element => element.setAttribute('images', 'p000,p001')",
}


@pytest.mark.parametrize("leaving", LEAVING)
def test_for_a_reader_who_leaves_nothing_more_is_fetched(begun, leaving):
    gallery = begun()
    gallery.let(0, 1)
    gallery.expect_present(0, 1, 2)
    gallery.hover(0, 3, 4)
    gallery.expect_asked(0, 1, 2, 3, 4, 5, 6)
    page = gallery.page
    gallery.element.evaluate(LEAVING[leaving])
    gallery.frames()
    gallery.let(*SHARDS)
    page.wait_for_load_state("networkidle")
    gallery.frames()
    assert sorted(gallery.asked) == [0, 1, 2, 3, 4, 5, 6] and page.evaluate("heard") == []


def test_who_follows_a_link_leaves_no_complaint(begun):
    gallery = begun()
    gallery.let(0)
    expect(gallery.tiles.nth(0)).to_have_class(re.compile("mapped"))
    gallery.hover(0, 3, 4)
    gallery.expect_asked(0, 1, 2, 3, 4, 5)
    gallery.page.goto("about:blank")


def test_who_comes_back_to_a_layer_finds_what_had_come(begun):
    gallery = begun()
    gallery.let(0)
    gallery.hover(24, 1, 1)
    gallery.element.get_by_role("radio", name="small").click()
    gallery.expect_selection({"layer": "small"})
    gallery.expect_scores()
    gallery.let(*SHARDS)
    gallery.element.get_by_role("radio", name="wide").click()
    gallery.expect_selection({"layer": "wide"})
    gallery.hover(24, 5, 6)
    gallery.expect_present(*SHARDS)


def test_two_figures_share_what_comes(begun):
    gallery = begun()
    gallery.page.evaluate(ADD, {"figure": "gallery", "layer": "wide"})
    added = Many(gallery.page, gallery.bundle, "#added").ready()
    gallery.let(*SHARDS)
    added.hover(24, 3, 4)
    added.expect_present(*SHARDS)
    gallery.select("p110", 1, 1)
    gallery.expect_present(*SHARDS)
    assert sorted(gallery.asked) == list(SHARDS)
