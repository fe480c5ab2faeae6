"""bundle.json as objects: parse it with every check that FORMAT.md demands, and write it.

`parse` takes what `json.loads` returned; `to_json` gives the bytes that are stored. Nothing here touches a file.
"""

import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from exporter.errors import BundleError
from exporter.images import Group
from exporter.marks import FORMAT, MANIFEST_NAME
from exporter.shards import Shard

VERSION = 1
ENCODINGS = ("int8",)
_PATH = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Network:
    """A network and the preprocessing of its input: ((low + p * (high - low) / 255) - mean) / std."""

    id: str
    name: str
    source: str
    weights_sha256: str
    input_range: tuple[float, float]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True)
class Image:
    """A published image; width and height in pixels of the published file."""

    id: str
    title: str
    group: str
    file: str
    bytes: int
    sha256: str
    width: int
    height: int
    alt: str
    credit: str


@dataclass(frozen=True)
class SimilarityError:
    """Similarity from codes minus float64 cosine, over `pairs` pairs of `patches` sampled patches."""

    max: float
    rms: float
    patches: int
    pairs: int


@dataclass(frozen=True)
class Layer:
    """One feature map of one network; grids[i] is (rows, cols) on image i; range is for display."""

    id: str
    network: str
    module: str
    stride: int
    channels: int
    dims: int
    signed: bool
    encoding: str
    range: tuple[float, float]
    error: SimilarityError
    grids: tuple[tuple[int, int], ...]
    shards: tuple[Shard, ...]


@dataclass(frozen=True)
class Figure:
    """One figure of the page: its type and the attributes of its element."""

    type: str
    attributes: dict[str, str]


@dataclass(frozen=True)
class Selection:
    """The patch a page opens with."""

    image: str
    layer: str
    row: int
    col: int


@dataclass(frozen=True)
class Manifest:
    """All of bundle.json."""

    generator: str
    title: str
    fit: str
    size: int
    networks: tuple[Network, ...]
    groups: tuple[Group, ...]
    images: tuple[Image, ...]
    layers: tuple[Layer, ...]
    figures: tuple[Figure, ...]
    selection: Selection | None


def to_json(manifest: Manifest) -> bytes:
    """The bytes of bundle.json: UTF-8, sorted keys, no spaces, no selection where there is none."""
    members = {"format": FORMAT, "version": VERSION, **asdict(manifest)}
    if manifest.selection is None:
        del members["selection"]
    return json.dumps(members, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def parse(data: bytes) -> Manifest:
    """Check and read bundle.json. Raises BundleError naming the member, what was found and what was expected."""
    try:
        root = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{MANIFEST_NAME} is not JSON ({error}); copy the whole site again or export it again") from None
    if not isinstance(root, dict) or root.get("format") != FORMAT:
        raise BundleError(f'{MANIFEST_NAME} has no "format": "{FORMAT}"; it was not written by overlay-export')
    version = _Node(root, "").integer("version", least=1)
    if version > VERSION:
        raise BundleError(f"{MANIFEST_NAME} is format version {version}, this overlay-export reads up to {VERSION}; upgrade it with pip install -U overlay-export")
    manifest = _manifest(_Node(root, ""))
    _check_references(manifest)
    return manifest


def _refuse_constant(name: str) -> None:
    """JSON has no NaN and no Infinity; `json` would take them."""
    raise ValueError(f"it holds {name}")


class _Node:
    """A JSON object whose members are fetched by type; every complaint names the member's path."""

    def __init__(self, value: Any, path: str) -> None:
        self._path = path
        self._value = self._expect(isinstance(value, dict), value, "an object", "")

    def _expect(self, good: bool, value: Any, expected: str, key: str) -> Any:
        if not good:
            name = f"{self._path}.{key}".strip(".") or "the root"
            raise BundleError(f"{MANIFEST_NAME}: {name} is {_short(value)}, expected {expected}; export the site again")
        return value

    def has(self, key: str) -> bool:
        return key in self._value

    def get(self, key: str) -> Any:
        self._expect(self.has(key), "missing", "it to be there", key)
        return self._value[key]

    def string(self, key: str, pattern: re.Pattern | None = None, expected: str = "a string") -> str:
        value = self.get(key)
        good = isinstance(value, str) and (pattern is None or pattern.fullmatch(value) is not None)
        return self._expect(good, value, expected, key)

    def path(self, key: str) -> str:
        value = self.string(key, _PATH, "a relative path of A-Z a-z 0-9 . _ -")
        return self._expect(not {".", ".."} & set(value.split("/")), value, "a path without . and ..", key)

    def integer(self, key: str, least: int = 0) -> int:
        value = self.get(key)
        return self._expect(_is_integer(value, least), value, f"an integer of at least {least}", key)

    def number(self, key: str) -> float:
        value = self.get(key)
        return self._expect(_is_number(value), value, "a number", key)

    def boolean(self, key: str) -> bool:
        value = self.get(key)
        return self._expect(isinstance(value, bool), value, "true or false", key)

    def numbers(self, key: str, count: int) -> tuple[float, ...]:
        value = self.get(key)
        good = isinstance(value, list) and len(value) == count and all(map(_is_number, value))
        return tuple(self._expect(good, value, f"{count} numbers", key))

    def node(self, key: str) -> "_Node":
        return _Node(self.get(key), f"{self._path}.{key}".strip("."))

    def strings(self, key: str) -> dict[str, str]:
        value = self.get(key)
        good = isinstance(value, dict) and all(isinstance(v, str) for v in value.values())
        return self._expect(good, value, "an object of strings", key)

    def grids(self, key: str) -> tuple[tuple[int, int], ...]:
        value = self.get(key)
        good = isinstance(value, list) and all(isinstance(g, list) and len(g) == 2 and all(_is_integer(n, 1) for n in g) for g in value)
        return tuple(tuple(grid) for grid in self._expect(good, value, "pairs of integers of at least 1", key))

    def each(self, key: str, build: Callable[["_Node"], Any], least: int = 0) -> tuple:
        value = self.get(key)
        self._expect(isinstance(value, list) and len(value) >= least, value, f"an array of at least {least}", key)
        return tuple(build(_Node(item, f"{self._path}.{key}[{i}]".strip("."))) for i, item in enumerate(value))


def _is_integer(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_number(value: Any) -> bool:
    # An integer of 400 digits is JSON, but no double.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _short(value: Any) -> str:
    text = value if value == "missing" else json.dumps(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _manifest(root: _Node) -> Manifest:
    return Manifest(
        generator=root.string("generator"),
        title=root.string("title"),
        fit=root.string("fit"),
        size=root.integer("size", 1),
        networks=root.each("networks", _network, least=1),
        groups=root.each("groups", lambda n: Group(n.string("id"), n.string("title"), n.string("caption"))),
        images=root.each("images", _image, least=1),
        layers=root.each("layers", _layer, least=1),
        figures=root.each("figures", lambda n: Figure(n.string("type"), n.strings("attributes"))),
        selection=_selection(root.node("selection")) if root.has("selection") else None,
    )


def _network(node: _Node) -> Network:
    sha256 = node.string("weights_sha256", _SHA256, "64 hex digits")
    input_range, mean, std = node.numbers("input_range", 2), node.numbers("mean", 3), node.numbers("std", 3)
    return Network(node.string("id"), node.string("name"), node.string("source"), sha256, input_range, mean, std)


def _image(node: _Node) -> Image:
    texts = {key: node.string(key) for key in ("id", "title", "group", "alt", "credit")}
    sha256 = node.string("sha256", _SHA256, "64 hex digits")
    return Image(file=node.path("file"), bytes=node.integer("bytes"), sha256=sha256, width=node.integer("width", 1), height=node.integer("height", 1), **texts)


def _layer(node: _Node) -> Layer:
    texts = {key: node.string(key) for key in ("id", "network", "module", "encoding")}
    counts = {key: node.integer(key, 1) for key in ("stride", "channels", "dims")}
    error = node.node("error")
    return Layer(
        signed=node.boolean("signed"),
        range=node.numbers("range", 2),
        error=SimilarityError(error.number("max"), error.number("rms"), error.integer("patches"), error.integer("pairs")),
        grids=node.grids("grids"),
        shards=node.each("shards", _shard, least=1),
        **texts,
        **counts,
    )


def _shard(node: _Node) -> Shard:
    sha256 = node.string("sha256", _SHA256, "64 hex digits")
    return Shard(node.path("file"), node.integer("bytes"), sha256, node.integer("first"), node.integer("count", 1))


def _selection(node: _Node) -> Selection:
    return Selection(node.string("image"), node.string("layer"), node.integer("row"), node.integer("col"))


def _check_references(manifest: Manifest) -> None:
    """Check what spans several members: unique ids, ids that exist, grids and shards that fit the images."""
    for key in ("networks", "groups", "images", "layers"):
        ids = [item.id for item in getattr(manifest, key)]
        if len(set(ids)) < len(ids):
            twice = next(i for i in ids if ids.count(i) > 1)
            raise BundleError(f'{MANIFEST_NAME}: {key} has the id "{twice}" twice, expected unique ids; export the site again')
    groups = {""} | {group.id for group in manifest.groups}
    for image in manifest.images:
        _refer(image.group in groups, f'image "{image.id}"', f'group "{image.group}"')
    for layer in manifest.layers:
        _refer(layer.network in {n.id for n in manifest.networks}, f'layer "{layer.id}"', f'network "{layer.network}"')
        _check_layer(layer, len(manifest.images))
    if manifest.selection is not None:
        _check_selection(manifest, manifest.selection)


def _refer(good: bool, who: str, what: str) -> None:
    if not good:
        raise BundleError(f"{MANIFEST_NAME}: {who} refers to {what}, which is not there; export the site again")


def _check_layer(layer: Layer, images: int) -> None:
    who = f'{MANIFEST_NAME}: layer "{layer.id}"'
    if len(layer.grids) != images:
        raise BundleError(f"{who} has {len(layer.grids)} grids, expected one for each of {images} images; export the site again")
    if not layer.range[0] < layer.range[1]:
        raise BundleError(f"{who} has the range {list(layer.range)}, expected low < high; export the site again")
    if covered(layer.shards) != images:
        raise BundleError(f"{who} has shards that do not cover its {images} images once, in order; export the site again")


def covered(shards: Sequence[Shard]) -> int | None:
    """The number of images that consecutive shards cover, None where they overlap or leave a gap."""
    total = 0
    for shard in shards:
        if shard.first != total:
            return None
        total += shard.count
    return total


def _check_selection(manifest: Manifest, selection: Selection) -> None:
    images = [image.id for image in manifest.images]
    layers = {layer.id: layer for layer in manifest.layers}
    _refer(selection.image in images, "selection", f'image "{selection.image}"')
    _refer(selection.layer in layers, "selection", f'layer "{selection.layer}"')
    rows, cols = layers[selection.layer].grids[images.index(selection.image)]
    _refer(selection.row < rows and selection.col < cols, "selection", f"row {selection.row}, col {selection.col} of a {rows} x {cols} grid")
