"""Names that would do harm if they were anything but text."""

import pytest
from playwright.sync_api import expect

from exporter import export, load_bundle
from tests.browser.conftest import Figure
from tests.conftest import make_photo

NAMES = [
    "<script>window.ran = 1<∕script>.png",
    "<img src=x onerror=ran=1>.png",
    "\"quotes\" and 'more'.png",
    "50% # & ? %41 {{ 7*7 }}.png",
    "ünï→ 猫 \N{RIGHT-TO-LEFT OVERRIDE}gnp.png",
]
TITLE = "</title><script>window.ran = 2</script>\"'&<b>% # {{ 7*7 }} 猫"
CREDIT = "</script><script>window.ran = 3</script><!-- <script> ]]>"


@pytest.fixture(scope="module")
def strange_photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strange") / "photos & <i>so</i> #1"
    for seed, name in enumerate(NAMES):
        make_photo(folder / name, seed)
    make_photo(folder / "plain.png", 9)
    (folder / "images.toml").write_text(f"[images.plain]\ntitle = '''{CREDIT}'''\nalt = '''{CREDIT}'''\ncredit = '''{CREDIT}'''\n")
    return folder


@pytest.mark.parametrize("form", ["site", "page.html"])
def test_strange_names_are_text(strange_photos, tiny_network, tmp_path, serve, open_page, form):
    target = tmp_path / "50% # out" / form
    target.parent.mkdir()
    export(strange_photos, target, model=str(tiny_network), layers=["shallow", "deep"], size=96, title=TITLE)
    bundle = load_bundle(target)
    page = open_page(serve(target) if form == "site" else target)
    titles = sorted([name.removesuffix(".png") for name in NAMES] + [CREDIT])
    assert sorted(image.title for image in bundle.images) == titles
    assert page.title() == TITLE.strip()
    expect(page.locator("h1")).to_have_text(TITLE)
    expect(page.locator("footer li")).to_have_text(f"{CREDIT}: {CREDIT}")
    gallery, pair = (Figure(page, bundle, f"[figure={name}]").ready() for name in ("gallery", "pair"))
    assert sorted(gallery.element.locator(".tile .name").all_text_contents()) == titles
    assert sorted(pair.control("Select on").locator("option").all_text_contents()) == titles
    for n in range(len(titles)):
        gallery.hover(n, 2, 3)
        gallery.expect_selection(gallery.patch(n, 2, 3))
        expect(gallery.element.get_by_role("status")).to_contain_text(gallery.title(n))
        assert gallery.title(n) in gallery.tiles.nth(n).get_attribute("aria-label")
    gallery.expect_scores()
    pictures = gallery.element.locator(".tile img")
    pictures.evaluate_all("all => Promise.all(all.map((one) => one.decode()))")
    assert page.evaluate("window.ran") is None
    assert page.locator("script").evaluate_all("all => all.filter((one) => one.textContent.includes('ran =') && one.type !== 'application/json').length") == 0
    ids = [image.id for image in bundle.images]
    gallery.element.evaluate("(element, ids) => { element.images = ids; }", ids[:2])
    expect(gallery.tiles).to_have_count(2)
    gallery.ready()
    assert [gallery.image(n) for n in (0, 1)] == ids[:2]


def test_an_unknown_name_in_an_attribute_is_text(tiny_figure):
    figure = tiny_figure()
    figure.element.evaluate("element => { element.images = ['<img src=x onerror=\"window.ran = 1\">']; }")
    expect(figure.element.get_by_role("alert")).to_contain_text('no image "<img src=x onerror="window.ran = 1">"')
    assert figure.page.evaluate("window.ran") is None
