"""Which factors are wanted: how many, of the images of which groups, and of whose feature maps."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exporter.errors import UsageError
from exporter.models import LayerInfo, Model, RequestedLayer
from exporter.models.factor_taps import tap_of
from exporter.networks import Opened

# As many colours as a page can tell apart.
MOST_FACTORS = 12
# In place of a group: a set for each.
EACH = "each"
DEFAULT_FACTORS = (4,)
_ENTRY = re.compile(r"(\d{1,9})(?::(.*))?", re.S)
_SIDE = 448


@dataclass(frozen=True)
class Wanted:
    """A set of that many factors of the images of one group, or of all (None)."""

    count: int
    group: str | None = None

    @property
    def text(self) -> str:
        """As it is asked for."""
        return str(self.count) if self.group is None else f"{self.count}:{self.group}"


@dataclass(frozen=True)
class Source:
    """Whose feature map is factorised, and whether its negative values are taken for 0."""

    info: LayerInfo
    positive: bool = False

    @property
    def text(self) -> str:
        """As it is asked for."""
        return f"{self.info.module}{'+' if self.positive else ''}"


def wanted_factors(given: str | int | Sequence[str | int]) -> tuple[Wanted, ...]:
    """The sets that entries `COUNT` or `COUNT:GROUP` ask for, several between commas or in a sequence, each once. Raises UsageError."""
    entries = given.split(",") if isinstance(given, str) else [given] if isinstance(given, int) else given
    if not entries:
        raise UsageError(f"--factors names no count, expected COUNT or COUNT:GROUP, as in 4, 4:dogs or 4:{EACH}")
    return tuple(dict.fromkeys(_wanted(str(entry).strip()) for entry in entries))


def _wanted(entry: str) -> Wanted:
    match = _ENTRY.fullmatch(entry)
    if not match:
        raise UsageError(f'--factors has "{entry}", expected COUNT or COUNT:GROUP, as in 4, 4:dogs or 4:{EACH}')
    if not 1 <= int(match[1]) <= MOST_FACTORS:
        raise UsageError(f"--factors is {match[1]}, expected 1 to {MOST_FACTORS}: a page can tell no more colours apart")
    return Wanted(int(match[1]), match[2])


def of_groups(wanted: Sequence[Wanted], groups: Sequence[str]) -> tuple[Wanted, ...]:
    """The same with a set for each group where `each` is asked for. groups: ids, those of all images. Raises UsageError for a group that no image has."""
    known = [group for group in dict.fromkeys(groups) if group]
    found: dict[Wanted, None] = {}
    for one in wanted:
        if one.group not in (None, EACH, *known):
            near = difflib.get_close_matches(one.group, known, n=1, cutoff=0.5)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            raise UsageError(f'--factors {one.text}: no image has the group "{one.group}"{hint}; {_listed(known)}')
        if one.group == EACH and not known:
            raise UsageError(f"--factors {one.text}: {_listed(known)}")
        found |= dict.fromkeys([Wanted(one.count, group) for group in known] if one.group == EACH else [one])
    return tuple(found)


def _listed(groups: Sequence[str]) -> str:
    if not groups:
        return "the images have no groups; sub-folders become groups"
    return f"expected {EACH} or one of {', '.join(groups[:8])}{f' and {len(groups) - 8} more' if len(groups) > 8 else ''}"


def find_sources(networks: Sequence[Opened], names: Sequence[str], wanted: Sequence[Wanted]) -> list[dict[str, Source]]:
    """For each network {id of its layer: what is factorised for it}.

    names: modules to factorise for the layers of the same grid, in whichever network has them, `+` behind the name for the positive part; other
    layers have what `factor_taps` says, or their own. Raises UsageError for names that fit nothing, and for more factors than channels.
    """
    found = [{layer.id: _usual(network.model, layer) for layer in network.layers} for network in networks]
    given: dict[str, Source] = {}
    for name in names:
        for number, layer, source in _named(networks, name):
            other = given.setdefault(layer.id, source)
            if other != source:
                raise UsageError(f"--factors-from names both {other.text} and {source.text} for the layer {layer.id}, whose grid they share: expected one of them")
            found[number][layer.id] = source
    most = max((one.count for one in wanted), default=0)
    for id, source in ((id, source) for sources in found for id, source in sources.items()):
        if most > source.info.channels:
            raise UsageError(f"--factors is {most}, but {source.info.module}, which is factorised for {id}, has {source.info.channels} channels: expected at most as many factors")
    return found


def _usual(model: Model, layer: RequestedLayer) -> Source:
    tap = tap_of(model.source, layer.info.module)
    return Source(layer.info) if tap is None else Source(model.info(tap), positive=True)


def _named(networks: Sequence[Opened], name: str) -> Iterator[tuple[int, RequestedLayer, Source]]:
    """(number of the network, layer, what is factorised for it) for the layers whose grids a module shares."""
    module, positive = name.removesuffix("+"), name.endswith("+")
    maps, failures = [], []
    for number, network in enumerate(networks):
        try:
            maps += [(number, one.info) for one in network.model.resolve([module])]
        except UsageError as error:
            failures.append(error)
    if not maps:
        raise UsageError(f"--factors-from {name}: {failures[0]}")
    fitting = [(number, layer, Source(info, positive)) for number, info in maps for layer in networks[number].layers if _grid(layer.info) == _grid(info)]
    if not fitting:
        number, info = maps[0]
        have = ", ".join(f"{layer.id} {_shown(networks[number].model, layer.info)}" for layer in networks[number].layers)
        raise UsageError(f"--factors-from {name} has a grid of {_shown(networks[number].model, info)}, expected that of a layer of the page: {have}")
    yield from fitting


def _grid(info: LayerInfo) -> tuple[int, tuple[int, int]]:
    """What the number of its cells depends on, whatever the image."""
    return info.stride, info.border


def _shown(model: Model, info: LayerInfo) -> str:
    """Its grid on a square image of usual size."""
    sides = model.fixed_size or (-(-_SIDE // model.multiple) * model.multiple,) * 2
    return "{} x {}".format(*info.grid(*sides))
