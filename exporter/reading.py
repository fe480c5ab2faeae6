"""bundle.json back into objects, with every check that FORMAT.md demands."""

import json
import re
from collections.abc import Sequence
from typing import Any

from exporter.errors import BundleError
from exporter.images import Group
from exporter.manifest import VERSION, FactorSet, Figure, Image, Layer, Manifest, Network, Selection, Series, SimilarityError, Step, Thumbnail, Tried, Version
from exporter.marks import FORMAT, MANIFEST_NAME
from exporter.nodes import Node
from exporter.reading_tables import activations, check_tables, components, mask, point_map
from exporter.shards import Shard

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PARTS = re.compile("whole|positive|split")


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


def image_of(entry: Any) -> Image:
    """The image that an entry describes; raises BundleError for one that is none."""
    return _image(Node(entry, "image"))


def layer_of(entry: Any) -> Layer:
    """The layer that an entry describes; raises BundleError for one that is none."""
    return _layer(Node(entry, "layer"))


def factors_of(entry: Any) -> FactorSet:
    """The set of factors that an entry describes; raises BundleError for one that is none."""
    return _factor_set(Node(entry, "factors"))


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
        series=root.each("series", _series) if root.has("series") else (),
        factors=root.each("factors", _factor_set) if root.has("factors") else (),
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
    marked, version = node.string("mark") if node.has("mark") else "", _version(node.node("version")) if node.has("version") else None
    picture = _picture(node)
    truth = mask(node.node("mask"), picture["width"], picture["height"]) if node.has("mask") else None
    return Image(**texts, **picture, thumbnail=thumbnail, mark=marked, version=version, mask=truth)


def _version(node: Node) -> Version:
    return Version(node.string("of"), node.string("series"), node.integer("step"), node.numbers("matrix", 6))


def _series(node: Node) -> Series:
    texts = {key: node.string(key) for key in ("id", "transform", "title", "axis", "note")}
    steps = node.each("steps", lambda n: Step(n.number("value"), n.string("label")), least=2)
    return Series(**texts, steps=steps, original=node.integer("original"), wraps=node.boolean("wraps"), options=node.strings("options"))


def _factor_set(node: Node) -> FactorSet:
    count = node.integer("count", 1)
    return FactorSet(
        parts=node.string("parts", _PARTS, "whole, positive or split"),
        count=count,
        error=node.number("error"),
        patches=node.integer("patches", 1),
        peaks=node.numbers("peaks", count),
        file=node.path("file"),
        bytes=node.integer("bytes"),
        sha256=node.string("sha256", _SHA256, "64 hex digits"),
        group=node.string("group") if node.has("group") else None,
        **{key: node.string(key) for key in ("id", "layer", "module")},
    )


def _picture(node: Node) -> dict[str, Any]:
    sha256 = node.string("sha256", _SHA256, "64 hex digits")
    return {"file": node.path("file"), "bytes": node.integer("bytes"), "sha256": sha256, "width": node.integer("width", 1), "height": node.integer("height", 1)}


def _layer(node: Node) -> Layer:
    texts = {key: node.string(key) for key in ("id", "network", "module", "encoding")}
    counts = {key: node.integer(key, 1) for key in ("stride", "channels", "dims")}
    error = node.node("error")
    optional = {"centered": node.boolean, "integers": node.string, "max_error": node.number, "tried": lambda key: node.each(key, _tried)}
    optional |= {"maps": lambda key: node.each(key, point_map), "components": lambda key: components(node.node(key)), "activations": lambda key: activations(node.node(key), counts)}
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
    for key in ("networks", "groups", "images", "layers", "series", "factors"):
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
        check_tables(layer, len(manifest.originals))
    _check_versions(manifest)
    for factors in manifest.factors:
        _refer(factors.layer in {layer.id for layer in manifest.layers}, f'factors "{factors.id}"', f'layer "{factors.layer}"')
        _refer(factors.group is None or factors.group in {image.group for image in manifest.originals}, f'factors "{factors.id}"', f'group "{factors.group}"')
    if manifest.selection is not None:
        _check_selection(manifest, manifest.selection)


def _check_versions(manifest: Manifest) -> None:
    """Versions are of originals, at steps of a series; and of an image all of them are there, once."""
    originals, series = {image.id for image in manifest.originals}, {one.id: one for one in manifest.series}
    steps: dict[tuple[str, str], list[int]] = {}
    for image in manifest.images:
        if image.version is not None:
            _refer(image.version.of in originals, f'image "{image.id}"', f'original "{image.version.of}"')
            _refer(image.version.series in series, f'image "{image.id}"', f'series "{image.version.series}"')
            steps.setdefault((image.version.of, image.version.series), []).append(image.version.step)
    for one in manifest.series:
        _refer(one.original < len(one.steps), f'series "{one.id}"', f"step {one.original} of {len(one.steps)}")
    for (of, id), found in steps.items():
        expected = [step for step in range(len(series[id].steps)) if step != series[id].original]
        if sorted(found) != expected:
            raise BundleError(f'{MANIFEST_NAME}: image "{of}" has the steps {sorted(found)} of series "{id}", expected each of {expected} once; export the site again')


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
