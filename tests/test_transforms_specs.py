"""How series are asked for, what they say of themselves, which images get versions, and every way to ask wrongly."""

import inspect
import re
from dataclasses import replace
from pathlib import Path

import pytest

from exporter.errors import BundleError, UsageError
from exporter.images import ImageFile
from exporter.manifest import Step
from exporter.transforms import DEFAULT_SPECS, KINDS, check_series, done, parse_series
from exporter.versions import choose_images, version_file, versions_of
from tests.conftest import ROOT

NAMES = "rotate scale translate shear brightness contrast greyscale blur highpass noise saltpepper jpeg occlude".split()


def values(spec):
    (series,) = parse_series([spec])
    return [step.value for step in series.steps], series.steps[series.original].value


USUAL = {
    "rotate": ([15 * turn for turn in range(24)], 0),
    "scale": ([1, 1.1892, 1.4142, 1.6818, 2, 2.3784, 2.8284, 3.3636, 4], 1),
    "translate": (list(range(-40, 45, 5)), 0),
    "shear": (list(range(-40, 50, 10)), 0),
    "brightness": ([0.3333, 0.4387, 0.5774, 0.7598, 1, 1.3161, 1.7321, 2.2795, 3], 1),
    "contrast": ([0.25, 0.3536, 0.5, 0.7071, 1, 1.4142, 2, 2.8284, 4], 1),
    "greyscale": ([0, 20, 40, 60, 80, 100], 0),
    "blur": ([0, 0.25, 0.5, 1, 2, 4, 8], 0),
    "highpass": ([0.25, 0.5, 1, 2, 4, 8, 100], 100),
    "noise": (list(range(0, 45, 5)), 0),
    "saltpepper": (list(range(0, 45, 5)), 0),
    "jpeg": ([100, 80, 46, 26, 15, 9, 5], 100),
    "occlude": (list(range(0, 90, 10)), 0),
}


@pytest.mark.parametrize("name", NAMES)
def test_usual_steps(name):
    found, original = values(name)
    assert (found, original) == (pytest.approx(USUAL[name][0], abs=0.02), USUAL[name][1])
    assert values(f"{name}:{KINDS[name].usual:g}") == (found, original)


def test_there_is_nothing_else():
    assert list(KINDS) == NAMES and DEFAULT_SPECS == ("rotate", "scale")


GIVEN = {
    "rotate:90": [0, 90, 180, 270],
    "rotate:22.5": [22.5 * turn for turn in range(16)],
    "rotate:-15/15": [0, 15, 345],
    "scale:2": [1, 1.0905, 1.1892, 1.2968, 1.4142, 1.5422, 1.6818, 1.834, 2],
    "scale:2/0.5": [0.5, 1, 2],
    "scale: 1 / 3 @ 0.3x0.6": [1, 3],
    "translate:-20/20": [-20, 0, 20],
    "brightness:0/2/2": [0, 1, 2],
    "highpass:3/1": [1, 3, 100],
    "jpeg:10/50/30": [100, 50, 30, 10],
    "occlude:20/40@0x1": [0, 20, 40],
}


@pytest.mark.parametrize("spec", GIVEN)
def test_steps_that_are_given(spec):
    found, original = values(spec)
    assert found == GIVEN[spec] and original == KINDS[re.match("[a-z]+", spec)[0]].original


@pytest.mark.parametrize(("spec", "wraps"), [("rotate", True), ("rotate:90", True), ("rotate:0/120/240", True), ("rotate:0/90", False), ("rotate:0/180", True), ("scale", False), ("translate", False)])
def test_only_what_goes_all_the_way_round_wraps(spec, wraps):
    assert parse_series([spec])[0].wraps is wraps


def test_what_a_series_says_of_itself():
    rotate, scale, noise, occlude, again = parse_series(["rotate:90", "scale:2@.3x0.6", "noise", "occlude", "scale:1/0.5"], "reflect")
    assert (rotate.id, scale.id, again.id, again.transform) == ("rotate", "scale", "scale-2", "scale")
    assert rotate.options == {"fill": "reflect"} and "the photo's own reflection" in rotate.note
    assert scale.options == {"fill": "reflect", "point": "0.3x0.6"} and again.options["point"] == "0.5x0.5"
    assert noise.options == {"seed": "0"} and occlude.options == {"point": "0.5x0.5"}
    assert [step.label for step in rotate.steps] == ["0°", "90°", "180°", "270°"]
    assert [done(scale, 8), done(rotate, 1)] == ["zoomed ×2", "rotated 90° clockwise"]
    labels = {name: parse_series([name])[0].steps for name in ("translate", "jpeg", "highpass", "brightness")}
    assert [labels["translate"][i].label for i in (0, 8, 16)] == ["\N{MINUS SIGN}40 %", "0 %", "+40 %"]
    assert labels["jpeg"][0].label == "not compressed" and labels["highpass"][-1].label == "all" and labels["brightness"][0].label == "×0.333"
    assert "mid grey (127 of 255)" in parse_series(["rotate"])[0].note
    assert scale.note == "" and "reflection" in again.note  # zoomed in the photo covers everything, zoomed out it does not


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_tells_its_number_its_steps_and_its_source(name):
    text = " ".join(inspect.getdoc(KINDS[name].function).split())
    assert re.search(r"degrees|per cent|factor|quality", text) and "VALUE is the" in text and "By default" in text
    assert re.search(r"(Zeiler and Fergus|Geirhos et al\.|Hendrycks and Dietterich|Fong et al\.) 20\d\d", text)
    assert f"| `{name}` |" in (ROOT / "README.md").read_text("utf-8")


WRONG = {
    "rotat": 'unknown transformation "rotat", expected one or more of rotate, scale, .*occlude; did you mean "rotate"\\?$',
    "": 'unknown transformation "", expected one or more of',
    "zzz": 'unknown transformation "zzz", expected .*occlude$',
    "Rotate": 'unknown transformation "Rotate".*did you mean "rotate"',
    "rotate:": '"rotate:": "" is no number; expected NAME:VALUE, or steps as NAME:V1/V2/V3',
    "rotate:x": '"x" is no number',
    "rotate:15/": '"" is no number',
    "rotate:15:30": '"15:30" is no number',
    "scale:nan": '"nan" is no number',
    "scale:1/inf": '"inf" is no number',
    "rotate:7": r'"rotate:7": 360 degrees are no whole number of steps of 7; expected a divisor of 360',
    "rotate:0": "0 is out of range, VALUE of rotate is 1 to 180 .degrees clockwise.",
    "rotate:360": "360 is out of range, VALUE of rotate is 1 to 180",
    "rotate:0/360": '"rotate:0/360" has no step besides the original, 0°; expected at least one',
    "rotate:0/400": "400 is out of range, a step of rotate is -360 to 360",
    "scale:0.5": "0.5 is out of range, VALUE of scale is 1.01 to 32 .factor.",
    "scale:0.05/2": "0.05 is out of range, a step of scale is 0.1 to 32",
    "scale:1/1": "has no step besides the original, ×1",
    "shear:90": "90 is out of range",
    "translate:100/50": "100 is out of range",
    "brightness:-1/2": "-1 is out of range, a step of brightness is 0 to 20",
    "greyscale:101": "101 is out of range",
    "jpeg:0/5": "0 is out of range, a step of jpeg is 1 to 95",
    "jpeg:10.5/5": "a quality that is no whole number; expected 1 to 95",
    "jpeg:7.5": "a quality that is no whole number",
    "rotate@0.5x0.5": '"rotate@0.5x0.5" names a place, which only scale and occlude have; leave @0.5x0.5 out',
    "scale@0.5": '"0.5" is no place; expected @XxY, fractions from 0 to 1 of the width and the height, as in scale@0.3x0.6',
    "scale@2x0": '"2x0" is no place',
    "scale@nanx0": '"nanx0" is no place',
    "scale@": '"" is no place',
    "occlude@0.1x0.2x0.3": "is no place",
    "scale:2@0.1x0.1@0.2x0.2": "is no place",
}


@pytest.mark.parametrize("spec", WRONG)
def test_what_cannot_be_meant_is_refused(spec):
    with pytest.raises(UsageError, match=WRONG[spec]):
        parse_series(["noise", spec])


def test_nothing_twice_and_an_unknown_fill():
    with pytest.raises(UsageError, match="no transformation was asked for, expected one or more of rotate, "):
        parse_series([])
    with pytest.raises(UsageError, match='"rotate:15" is asked for twice'):
        parse_series(["rotate", "scale", "rotate:15"])
    with pytest.raises(UsageError, match='--fill is "gray", expected one of grey, black, white, mean, edge, reflect'):
        parse_series(["rotate"], "gray")


SCALE = parse_series(["scale:1/2"])[0]
FORGED = {
    "unknown": (replace(SCALE, transform="swirl"), 'series "scale" is of the transformation "swirl", this overlay-export knows rotate, .*; upgrade it'),
    "step": (replace(SCALE, steps=(Step(1, ""), Step(1e9, ""))), "has steps or options that scale does not have; export the site again"),
    "fill": (replace(SCALE, options={"point": "0.5x0.5", "fill": "pink"}), "has steps or options"),
    "no fill": (replace(SCALE, options={"point": "0.5x0.5"}), "has steps or options"),
    "point": (replace(SCALE, options={"point": "9x9", "fill": "grey"}), "has steps or options"),
    "seed": (replace(parse_series(["noise"])[0], options={"seed": "7"}), "has steps or options"),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_series_of_a_bundle_that_cannot_be_made_is_refused(kind):
    series, message = FORGED[kind]
    with pytest.raises(BundleError, match=message):
        check_series(series)


@pytest.mark.parametrize("name", NAMES)
def test_a_series_of_ones_own_is_not(name):
    check_series(*parse_series([name]))


def image(id, slug=None, **more):
    return ImageFile(Path("/photos") / f"{id}.png", id, id.title(), "", slug or id, **more)


def test_images_are_chosen_by_id_or_glob_in_their_own_order():
    images = [image(id) for id in ("cat", "dog", "dog-2", "[x]", "x")]
    assert [one.id for one in choose_images(images, ["x", "do*"])] == ["dog", "dog-2", "x"]
    assert [one.id for one in choose_images(images, ["[x]"])] == ["[x]"]
    assert choose_images(images, ["*", "cat"]) == images
    for wanted, message in ((["dogg"], 'no image "dogg", expected ids or globs; did you mean "dog"'), (["zz*"], r'no image "zz\*", expected ids or globs; there are cat, dog'), ([], "names no image")):
        with pytest.raises(UsageError, match=message):
            choose_images(images, wanted)


def test_names_of_versions_are_unique_and_safe():
    images = [image("dog", alt="A dog.", credit="Jane"), image("dog@rotate-90", "dog-rotate-01"), image("Ünï", "x" * 60, alt="An ä")]
    series = parse_series(["rotate:90", "translate:-10/10"])
    found = versions_of(images, images, series)
    assert len(found) == 3 * 5
    names = [[getattr(one, key) for one in [*images, *found]] for key in ("id", "slug")]
    assert all(len(set(all)) == 18 for all in names) and all(re.fullmatch("[a-z0-9-]{1,60}", slug) for slug in names[1])
    first, minus = found[0], found[3]
    assert (first.id, first.title, first.alt, first.credit, first.of) == ("dog@rotate-90-2", "Dog, rotated 90° clockwise", "A dog. Rotated 90° clockwise.", "", "dog")
    assert (minus.id, minus.title, minus.step) == ("dog@translate--10", "Dog, shifted \N{MINUS SIGN}10 % to the right", 0)
    assert [one.of for one in found] == [one.id for one in images for _ in range(5)]
    assert found[10].alt == "An ä. Rotated 90° clockwise." and found[5].alt == ""
    assert version_file(images[0], series[0], 2) == replace(found[1])
