"""bundle.json as objects: parse it with every check that FORMAT.md demands, and write it.

`parse` takes what `json.loads` returned; `to_json` gives the bytes that are stored. Nothing here touches a file.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from exporter.errors import BundleError
from exporter.images import Group
from exporter.marks import FORMAT, MANIFEST_NAME
from exporter.nodes import Node
from exporter.shards import Shard

VERSION = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Optional members, and the values at which they say nothing and are left out.
_SILENT = {"selection": None, "weights": "", "input_size": None, "prefix_tokens": None, "thumbnail": None, "centered": False, "integers": "", "max_error": None, "tried": ()}


@dataclass(frozen=True)
class Network:
    """A network and the preprocessing of its input: ((low + p * (high - low) / 255) - mean) / std.

    weights: what they were opened from, "" for the network's own; input_size: the only (height, width) it was run at, or None;
    prefix_tokens: as asked for, or None.
    """

    id: str
    name: str
    source: str
    weights_sha256: str
    input_range: tuple[float, float]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    weights: str = ""
    input_size: tuple[int, int] | None = None
    prefix_tokens: int | None = None


@dataclass(frozen=True)
class Thumbnail:
    """A second, smaller copy of an image; width and height in pixels of its file."""

    file: str
    bytes: int
    sha256: str
    width: int
    height: int


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
    thumbnail: Thumbnail | None = None


@dataclass(frozen=True)
class SimilarityError:
    """Similarity from codes minus float64 cosine, over `pairs` pairs of `patches` sampled patches."""

    max: float
    rms: float
    patches: int
    pairs: int


@dataclass(frozen=True)
class Tried:
    """Codes that a layer might have had: how its integers would have been made, the bytes estimated as served, and the error over `patches` sampled patches."""

    encoding: str
    dims: int
    integers: str
    bytes: int
    max: float
    rms: float
    patches: int


@dataclass(frozen=True)
class Layer:
    """One feature map of one network; grids[i] is (rows, cols) on image i; range is for display; centered: without its mean feature.

    integers: how they were made, in words; max_error: the greatest similarity error that was asked for; tried: what the encoding was chosen from.
    """

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
    centered: bool = False
    integers: str = ""
    max_error: float | None = None
    tried: tuple[Tried, ...] = ()


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
    """The bytes of bundle.json: UTF-8, sorted keys, no spaces, without the optional members that say nothing."""
    members = {"format": FORMAT, "version": VERSION, **_telling(asdict(manifest))}
    for key in ("networks", "images", "layers"):
        members[key] = [_telling(one) for one in members[key]]
    return json.dumps(members, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def to_entry(item: Image | Layer) -> dict[str, Any]:
    """An image or a layer as bundle.json has it."""
    return _telling(asdict(item))


def image_of(entry: Any) -> Image:
    """The image that an entry describes; raises BundleError for one that is none."""
    return _image(Node(entry, "image"))


def layer_of(entry: Any) -> Layer:
    """The layer that an entry describes; raises BundleError for one that is none."""
    return _layer(Node(entry, "layer"))


def _telling(members: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in members.items() if key not in _SILENT or value != _SILENT[key]}


def parse(data: bytes) -> Manifest:
    """Check and read bundle.json. Raises BundleError naming the member, what was found and what was expected."""
    try:
        root = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{MANIFEST_NAME} is not JSON ({error}); copy the whole site again or export it again") from None
    if not isinstance(root, dict) or root.get("format") != FORMAT:
        raise BundleError(f'{MANIFEST_NAME} has no "format": "{FORMAT}"; it was not written by overlay-export')
    version = Node(root, "").integer("version", least=1)
    if version > VERSION:
        raise BundleError(f"{MANIFEST_NAME} is format version {version}, this overlay-export reads up to {VERSION}; upgrade it with pip install -U overlay-export")
    manifest = _manifest(Node(root, ""))
    _check_references(manifest)
    return manifest


def _refuse_constant(name: str) -> None:
    """JSON has no NaN and no Infinity; `json` would take them."""
    raise ValueError(f"it holds {name}")


def _manifest(root: Node) -> Manifest:
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


def _network(node: Node) -> Network:
    sha256 = node.string("weights_sha256", _SHA256, "64 hex digits")
    texts = {key: node.string(key) for key in ("id", "name", "source")}
    numbers = {"input_range": node.numbers("input_range", 2), "mean": node.numbers("mean", 3), "std": node.numbers("std", 3)}
    optional = {"weights": node.string, "input_size": lambda key: node.integers(key, 2), "prefix_tokens": node.integer}
    return Network(weights_sha256=sha256, **texts, **numbers, **{key: read(key) for key, read in optional.items() if node.has(key)})


def _image(node: Node) -> Image:
    texts = {key: node.string(key) for key in ("id", "title", "group", "alt", "credit")}
    thumbnail = Thumbnail(**_picture(node.node("thumbnail"))) if node.has("thumbnail") else None
    return Image(**texts, **_picture(node), thumbnail=thumbnail)


def _picture(node: Node) -> dict[str, Any]:
    sha256 = node.string("sha256", _SHA256, "64 hex digits")
    return {"file": node.path("file"), "bytes": node.integer("bytes"), "sha256": sha256, "width": node.integer("width", 1), "height": node.integer("height", 1)}


def _layer(node: Node) -> Layer:
    texts = {key: node.string(key) for key in ("id", "network", "module", "encoding")}
    counts = {key: node.integer(key, 1) for key in ("stride", "channels", "dims")}
    error = node.node("error")
    optional = {"centered": node.boolean, "integers": node.string, "max_error": node.number, "tried": lambda key: node.each(key, _tried)}
    return Layer(
        signed=node.boolean("signed"),
        range=node.numbers("range", 2),
        error=SimilarityError(error.number("max"), error.number("rms"), error.integer("patches"), error.integer("pairs")),
        grids=node.grids("grids"),
        shards=node.each("shards", _shard, least=1),
        **{key: read(key) for key, read in optional.items() if node.has(key)},
        **texts,
        **counts,
    )


def _tried(node: Node) -> Tried:
    return Tried(node.string("encoding"), node.integer("dims", 1), node.string("integers"), node.integer("bytes"), node.number("max"), node.number("rms"), node.integer("patches"))


def _shard(node: Node) -> Shard:
    sha256 = node.string("sha256", _SHA256, "64 hex digits")
    return Shard(node.path("file"), node.integer("bytes"), sha256, node.integer("first"), node.integer("count", 1))


def _selection(node: Node) -> Selection:
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
