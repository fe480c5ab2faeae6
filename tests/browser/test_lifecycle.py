"""The element comes and goes while files are under way."""

import pytest
from playwright.sync_api import expect

from exporter import load_bundle
from tests.browser.conftest import Figure, shard_of


def hold(page, pattern):
    """Keep requests back; returns a function that lets them all go, or fail with an HTTP status."""
    held, open_ = [], []

    def route(one):
        if open_:
            one.continue_()
        else:
            held.append(one)

    page.route(pattern, route)

    def release(status=None):
        open_.append(True)
        for one in held:
            if status:
                one.fulfill(status=status)
            else:
                one.continue_()

    return release


def held_page(site, serve, new_page):
    """A page whose shards have been asked for and have not arrived; and what lets them."""
    page = new_page()
    address = serve(site)
    release = hold(page, "**/*.bin*")
    with page.expect_request("**/*.bin*"):
        page.goto(address)
    return page, release


@pytest.mark.parametrize("status", [None, 503])
def test_an_element_taken_away_while_it_loads_leaves_no_error(tiny_site, serve, new_page, watch, status):
    page, release = held_page(tiny_site, serve, new_page)
    page.evaluate("""() => {
        window.heard = [];
        for (const type of ['overlay-select', 'overlay-error', 'unhandledrejection']) addEventListener(type, (event) => heard.push(type));
        window.taken = [...document.querySelectorAll('similarity-overlay')];
        for (const element of taken) element.remove();
    }""")
    if status:
        watch.expect("503")
    with page.expect_response("**/*.bin*"):
        release(status)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("heard") == []
    assert page.evaluate("taken.map((element) => element.selection)") == [None, None]
    page.evaluate("document.querySelector('main').append(...taken)")
    for name in ("gallery", "pair"):
        figure = Figure(page, load_bundle(tiny_site), f"[figure={name}]").ready()
        figure.hover(0, 1, 2)
        figure.expect_selection(figure.patch(0, 1, 2))
        figure.expect_scores()


def test_a_promise_got_before_a_move_is_kept_after_it(tiny_site, serve, new_page):
    page, release = held_page(tiny_site, serve, new_page)
    page.evaluate("""() => {
        const element = document.querySelector('[figure=gallery]');
        window.promised = element.ready.then(() => element.selection);
        document.querySelector('footer').append(element);
    }""")
    release()
    assert page.evaluate("promised")["layer"] == "deep"


def test_a_figure_put_elsewhere_still_works(tiny_figure):
    figure = tiny_figure()
    figure.element.evaluate("element => document.querySelector('main').append(element)")
    figure.ready()
    expect(figure.tiles).to_have_count(4)
    figure.click(1, 2, 3)
    figure.expect_selection(figure.patch(1, 2, 3, pinned=True))
    figure.expect_scores()


def test_the_last_of_several_layers_wins(tiny_site, serve, new_page):
    page = new_page()
    shard = shard_of(tiny_site, "shallow").name
    release = hold(page, f"**/{shard}*")
    page.goto(serve(tiny_site))
    figure = Figure(page, load_bundle(tiny_site), "[figure=gallery]").ready()
    with page.expect_request(f"**/{shard}*"):
        figure.element.get_by_role("radio", name="shallow").click()
    expect(figure.element.get_by_role("status")).to_be_visible()
    figure.element.get_by_role("radio", name="deep").click()
    with page.expect_response(f"**/{shard}*"):
        release()
    page.wait_for_load_state("networkidle")
    assert figure.selection["layer"] == "deep"
    figure.expect_scores()


def test_a_server_that_fails_once_does_no_lasting_harm(tiny_site, serve, new_page, watch):
    page = new_page()
    down = [True]

    def answer(route):
        if down:
            route.fulfill(status=503, body="later")
        else:
            route.continue_()

    site = serve(tiny_site)
    watch.expect("503")
    page.route("**/*.bin*", answer)
    page.goto(site)
    figure = Figure(page, load_bundle(tiny_site), "[figure=gallery]")
    figure.expect_error(f"{shard_of(tiny_site, 'deep').relative_to(tiny_site).as_posix()}: could not be loaded (HTTP 503)")
    down.clear()
    figure.element.evaluate("element => { const parent = element.parentElement; element.remove(); parent.append(element); }")
    figure.ready()
    expect(figure.element.get_by_role("alert")).to_have_count(0)
    figure.hover(0, 1, 2)
    figure.expect_selection(figure.patch(0, 1, 2))
    figure.expect_scores()


def test_the_manifest_that_failed_once_is_asked_for_again(tiny_site, serve, new_page, watch):
    page = new_page()
    site = serve(tiny_site)
    watch.expect("503")
    down = [True]
    page.route("**/bundle.json", lambda route: route.fulfill(status=503) if down else route.continue_())
    page.goto(site)
    figure = Figure(page, load_bundle(tiny_site), "[figure=gallery]")
    figure.expect_error("bundle.json: could not be loaded (HTTP 503)")
    down.clear()
    figure.element.evaluate("element => { const parent = element.parentElement; element.remove(); parent.append(element); }")
    figure.ready()
    figure.hover(0, 1, 2)
    figure.expect_selection(figure.patch(0, 1, 2))


def test_a_layer_that_failed_once_is_asked_for_again_by_a_script(tiny_site, serve, new_page, watch):
    page = new_page()
    watch.expect("503")
    page.route(f"**/{shard_of(tiny_site, 'shallow').name}*", lambda route: route.fulfill(status=503), times=1)
    page.goto(serve(tiny_site))
    figure = Figure(page, load_bundle(tiny_site), "[figure=gallery]").ready()
    said = figure.element.evaluate("element => element.select({ image: 'ant', layer: 'shallow', row: 1, col: 1 }).then(() => null, (error) => error.message)")
    assert "HTTP 503" in said
    figure.select("ant", 2, 3)
    assert figure.selection == {"image": "ant", "layer": "shallow", "row": 2, "col": 3, "pinned": False}
    figure.expect_scores()
