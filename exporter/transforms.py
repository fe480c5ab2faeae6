"""The series of transformations that images can be seen under: what there is, how it is asked for, and what a network then reads."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

import numpy as np
from PIL import Image

from exporter import geometry, photometry
from exporter.errors import BundleError, UsageError
from exporter.geometry import GREY, IDENTITY, Matrix
from exporter.manifest import Series, Step
from exporter.photometry import SEED, WHOLE
from exporter.pixels import Fit, fit_image

DEFAULT_SPECS = ("rotate", "scale")
DEFAULT_FILL = "grey"
_SPEC = re.compile(r"([^:@]*)(?::([^@]*))?(?:@(.*))?", re.S)
_DIGITS = 4


@dataclass(frozen=True)
class Kind:
    """A transformation by one number. title, axis: of its chart; label: how a number is printed; done: what was done to an image, with a place for that.

    function: makes a matrix of a number if moves, else pixels of pixels; its docstring tells what the number is. original: the number at which an
    image stays as it is; usual: VALUE by default; values, limits: the least and greatest VALUE, and number of a step; spread: VALUE -> steps.
    """

    title: str
    axis: str
    label: Callable[[float], str]
    done: str
    function: Callable
    original: float
    usual: float
    values: tuple[float, float]
    limits: tuple[float, float]
    spread: Callable[[float], Sequence[float]]
    note: str = ""
    moves: bool = False
    placed: bool = False
    options: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.function.__name__


def _degrees(value: float) -> str:
    return f"{value:g}°"


def _percent(value: float) -> str:
    return f"{value:g} %"


def _shift(value: float) -> str:
    return f"{value:+g} %" if value else "0 %"


def _factor(value: float) -> str:
    return f"×{value:.3g}"


def _share(value: float) -> str:
    return "all" if value == WHOLE else _percent(value)


def _quality(value: float) -> str:
    return "not compressed" if value == WHOLE else f"{value:g}"


def _turns(step: float) -> Sequence[float]:
    count = round(360 / step)
    return [step * turn for turn in range(count)] if count * step == 360 else []


def _up_to(count: int) -> Callable[[float], Sequence[float]]:
    return lambda most: np.linspace(0, most, count).tolist()


def _either_way(count: int) -> Callable[[float], Sequence[float]]:
    return lambda most: np.linspace(-most, most, count).tolist()


def _times(most: float) -> Sequence[float]:
    return [most ** (power / 4) for power in range(-4, 5)]


def _zooms(most: float) -> Sequence[float]:
    return [most ** (power / 8) for power in range(9)]


def _doubled(most: float) -> Sequence[float]:
    return [most / 2**power for power in range(5, -1, -1)]


def _qualities(least: float) -> Sequence[float]:
    return [*(round(80 * (least / 80) ** (power / 5)) for power in range(6)), WHOLE]


_EVERYWHERE = (0.0, 100.0)
_NOISE = {"seed": str(SEED)}
_AXIS_FACTOR = "factor, 1 as it is"
KINDS = {
    kind.name: kind
    for kind in (
        Kind("Rotation", "degrees clockwise", _degrees, "rotated {} clockwise", geometry.rotate, 0, 15, (1, 180), (-360, 360), _turns, moves=True),
        Kind("Zoom", "factor", _factor, "zoomed {}", geometry.scale, 1, 4, (1.01, 32), (0.1, 32), _zooms, moves=True, placed=True),
        Kind("Shift", "% of the width, to the right", _shift, "shifted {} to the right", geometry.translate, 0, 40, (0.1, 95), (-95, 95), _either_way(17), moves=True),
        Kind("Shear", "degrees to the right", _degrees, "sheared {} to the right", geometry.shear, 0, 40, (0.1, 80), (-80, 80), _either_way(9), moves=True),
        Kind("Brightness", _AXIS_FACTOR, _factor, "brightness {}", photometry.brightness, 1, 3, (1.01, 20), (0, 20), _times, "Every value times the factor."),
        Kind("Contrast", _AXIS_FACTOR, _factor, "contrast {}", photometry.contrast, 1, 4, (1.01, 20), (0, 20), _times, "About the image's mean grey."),
        Kind("Less colour", "% of the colour taken away", _percent, "{} of its colour taken away", photometry.greyscale, 0, 100, (0.1, 100), _EVERYWHERE, _up_to(6)),
        Kind("Blur (low-pass)", "standard deviation, % of the longer side", _percent, "blurred by {}", photometry.blur, 0, 8, (0.01, 50), (0, 50), lambda most: [0, *_doubled(most)]),
        Kind("High-pass", "standard deviation of what is taken away, % of the longer side", _share, "high-pass at {}", photometry.highpass, WHOLE, 8, (0.01, 50), (0.01, 50), lambda most: [*_doubled(most), WHOLE],
             "The image minus its blur, plus mid grey; at the end the image as it is."),
        Kind("Noise", "standard deviation, % of the range of values", _percent, "noise of {}", photometry.noise, 0, 40, (0.1, 100), _EVERYWHERE, _up_to(9), "The same noise on every image of one size.", options=_NOISE),
        Kind("Salt and pepper", "% of the pixels", _percent, "salt and pepper on {} of it", photometry.saltpepper, 0, 40, (0.1, 100), _EVERYWHERE, _up_to(9), "The same pixels on every image of one size.", options=_NOISE),
        Kind("JPEG", "quality", _quality, "JPEG of quality {}", photometry.jpeg, WHOLE, 5, (1, 70), (1, 95), _qualities, "Before the page's own compression."),
        Kind("Occlusion", "side of the square, % of the shorter side", _percent, "a grey square of {} on it", photometry.occlude, 0, 80, (0.1, 100), _EVERYWHERE, _up_to(9), placed=True),
    )
}
_FILLED = {
    "black": "black (0)",
    "white": "white (255)",
    "grey": f"mid grey ({GREY} of 255), which is nearly 0 to most networks",
    "mean": "the mean colour of the photo",
    "edge": "the nearest pixel of the photo",
    "reflect": "the photo's own reflection",
}


def parse_series(specs: Sequence[str], fill: str = DEFAULT_FILL) -> tuple[Series, ...]:
    """The series that specs ask for, each `NAME`, `NAME:VALUE` or `NAME:V1/V2/...`, with `@XxY` behind it where it has a place.

    fill: what stands where a picture was moved away. Raises UsageError for whatever cannot be meant.
    """
    if fill not in geometry.FILLS:
        raise UsageError(f'--fill is "{fill}", expected one of {", ".join(geometry.FILLS)}')
    if not specs:
        raise UsageError(f"no transformation was asked for, expected one or more of {', '.join(KINDS)}")
    found: list[Series] = []
    for spec in specs:
        one = _parse(spec, fill)
        same = [other for other in found if other.transform == one.transform]
        if any((other.steps, other.options) == (one.steps, one.options) for other in same):
            raise UsageError(f'the transformation "{spec}" is asked for twice, expected other steps or another place; leave one out')
        found.append(replace(one, id=f"{one.id}-{len(same) + 1}") if same else one)
    return tuple(found)


def _parse(spec: str, fill: str) -> Series:
    name, numbers, place = (None if part is None else part.strip() for part in _SPEC.fullmatch(spec).groups())
    if name not in KINDS:
        near = get_close_matches(name, KINDS, n=1)
        raise UsageError(f'unknown transformation "{name}", expected one or more of {", ".join(KINDS)}' + (f'; did you mean "{near[0]}"?' if near else ""))
    kind = KINDS[name]
    values = _steps(kind, spec, numbers)
    options = {**kind.options, **({"fill": fill} if kind.moves else {}), **_place(kind, spec, place)}
    # Zooming in leaves no place without the photo.
    uncovers = kind.moves and not (kind.function is geometry.scale and min(values) >= 1)
    note = f"Where the photo was moved away stands {_FILLED[fill]}." if uncovers else kind.note
    steps, original = tuple(Step(value, kind.label(value).replace("-", "\N{MINUS SIGN}")) for value in values), values.index(kind.original)
    return Series(name, name, kind.title, kind.axis, steps, original, _wraps(kind, values), options, note)


def _steps(kind: Kind, spec: str, numbers: str | None) -> list[float]:
    """The numbers of a spec's steps in order, that of the original among them."""
    given = [kind.usual] if numbers is None else [_number(spec, part) for part in numbers.split("/")]
    if len(given) == 1:
        _check_range(kind, spec, given[0], kind.values, "VALUE")
        found = [round(value, _DIGITS) for value in kind.spread(given[0])]
        if not found:
            raise UsageError(f'"{spec}": 360 degrees are no whole number of steps of {given[0]:g}; expected a divisor of 360')
    else:
        for value in given:
            if value != kind.original:
                _check_range(kind, spec, value, kind.limits, "a step")
        found = [value % 360 for value in given] if kind.name == "rotate" else given
    if kind.name == "jpeg" and any(value != int(value) for value in given):
        raise UsageError(f'"{spec}" has a quality that is no whole number; expected 1 to 95')
    # In order, but the compressed: the image as it is stands first there.
    found = sorted({float(value) for value in (*found, kind.original)}, reverse=kind.name == "jpeg")
    if len(found) < 2:
        raise UsageError(f'"{spec}" has no step besides the original, {kind.label(kind.original)}; expected at least one')
    return found


def _number(spec: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(f'"{spec}": "{text.strip()}" is no number; expected NAME:VALUE, or steps as NAME:V1/V2/V3')
    return value


def _check_range(kind: Kind, spec: str, value: float, limits: tuple[float, float], what: str) -> None:
    if not limits[0] <= value <= limits[1]:
        raise UsageError(f'"{spec}": {value:g} is out of range, {what} of {kind.name} is {limits[0]:g} to {limits[1]:g} ({kind.axis})')


def _place(kind: Kind, spec: str, place: str | None) -> dict[str, str]:
    if place is not None and not kind.placed:
        raise UsageError(f'"{spec}" names a place, which only {" and ".join(one.name for one in KINDS.values() if one.placed)} have; leave @{place} out')
    point = _point("0.5x0.5" if place is None else place)
    if point is None:
        raise UsageError(f'"{spec}": "{place}" is no place; expected @XxY, fractions from 0 to 1 of the width and the height, as in {kind.name}@0.3x0.6')
    return {"point": "{:g}x{:g}".format(*point)} if kind.placed else {}


def _point(text: str) -> tuple[float, float] | None:
    try:
        x, y = map(float, text.split("x"))
    except ValueError:
        return None
    return (x, y) if 0 <= x <= 1 and 0 <= y <= 1 else None


def _wraps(kind: Kind, values: Sequence[float]) -> bool:
    """Whether the steps go all the way round."""
    return kind.name == "rotate" and np.allclose(np.diff([*values, 360]), 360 / len(values))


def check_series(series: Series) -> None:
    """Raises BundleError for a series, from a bundle, that cannot be made here."""
    kind = KINDS.get(series.transform)
    if kind is None:
        raise BundleError(f'series "{series.id}" is of the transformation "{series.transform}", this overlay-export knows {", ".join(KINDS)}; upgrade it')
    good = all(step.value == kind.original or kind.limits[0] <= step.value <= kind.limits[1] for step in series.steps)
    good &= not kind.placed or _point(series.options.get("point", "")) is not None
    good &= not kind.moves or series.options.get("fill") in geometry.FILLS
    if not good or kind.options != {key: series.options.get(key) for key in kind.options}:
        raise BundleError(f'series "{series.id}" has steps or options that {series.transform} does not have; export the site again')


def matrix(series: Series, step: int, fit: Fit, width: int, height: int) -> Matrix:
    """Where points of an image, a picture of these pixels, are on its version: fractions to fractions, as in `manifest.Version`."""
    kind, value = KINDS[series.transform], series.steps[step].value
    if not kind.moves:
        return IDENTITY
    left, top, right, bottom = geometry.seen(fit, width, height)
    return geometry.about(kind.function(value), _about(series), (right - left) / (bottom - top))


def apply(picture: Image.Image, fit: Fit, series: Series, step: int) -> np.ndarray:
    """What a network reads of a decoded picture's version: uint8 (height, width, 3)."""
    kind, value = KINDS[series.transform], series.steps[step].value
    if kind.moves:
        return geometry.warp(picture, fit, matrix(series, step, fit, *picture.size), series.options["fill"])
    place = (_about(series),) if kind.placed else ()
    return kind.function(fit_image(picture, fit), value, *place)


def zoom(series: Series, step: int) -> float:
    """How many times as many pixels of the picture a version shows in each of its own, at least 1."""
    return max(1.0, series.steps[step].value) if series.transform == "scale" else 1.0


def done(series: Series, step: int) -> str:
    """What was done to an image, in a few words: `rotated 45° clockwise`."""
    return KINDS[series.transform].done.format(series.steps[step].label)


def _about(series: Series) -> tuple[float, float]:
    """The place of a series: the centre, where it has none."""
    return _point(series.options.get("point", "")) or (0.5, 0.5)
