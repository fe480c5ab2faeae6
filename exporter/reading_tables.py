"""The members of bundle.json that name tables back into objects, with every check that FORMAT.md demands."""

import re
from collections.abc import Mapping

from exporter.errors import BundleError
from exporter.manifest import Activations, Components, Layer, PointMap
from exporter.marks import MANIFEST_NAME
from exporter.nodes import Node
from exporter.tables import TYPES, Table

_SHA256 = re.compile(r"[0-9a-f]{64}")
_TYPE, _METHOD, _OF = re.compile("|".join(TYPES)), re.compile("pca|tsne"), re.compile("patches|images")


def mask(node: Node, width: int, height: int) -> Table:
    """The mask of an image of this size."""
    return _table(node, "u8", rows=height, cols=width)


def point_map(node: Node) -> PointMap:
    """A map of patches or images as points."""
    method, of = node.string("method", _METHOD, "pca or tsne"), node.string("of", _OF, "patches or images")
    items = _table(node.node("items"), "u32", rows=1)
    coordinates = _table(node.node("coordinates"), "u16", rows=2, cols=items.shape[1])
    explained = node.numbers("explained", 2 if method == "pca" else 0)
    return PointMap(method, of, node.integer("total", 1), explained, node.number("perplexity"), items, coordinates)


def components(node: Node) -> Components:
    """The principal components of a layer as colours."""
    return Components(node.numbers("explained", 3), node.pairs("ranges", 3), _table(node.node("colors"), "u8", rows=3))


def activations(node: Node, counts: Mapping[str, int]) -> Activations:
    """The peaks and norms of a layer. counts: its `channels` and `dims`."""
    peaks = _table(node.node("peaks"), "u32", rows=counts["channels"])
    values, norms = _table(node.node("values"), "f32", *peaks.shape), _table(node.node("norms"), "f32", rows=1)
    basis = _table(node.node("basis"), "f32", counts["channels"], counts["dims"]) if node.has("basis") else None
    lows = _table(node.node("lows"), "u32", *peaks.shape) if node.has("lows") else None
    return Activations(peaks, values, norms, basis, lows, _table(node.node("low_values"), "f32", *peaks.shape) if lows else None)


def check_tables(layer: Layer, originals: int) -> None:
    """Hold the shapes of a layer's tables against its grids. originals: how many images, the first, are no versions."""
    patches = sum(rows * cols for rows, cols in layer.grids[:originals])
    whole = [*([layer.components.colors] if layer.components else []), *([layer.activations.norms] if layer.activations else [])]
    for table in whole:
        _expect(table.shape[1] == patches, layer, f"{table.file} of {table.shape[1]} columns", f"one for each of {patches} patches")
    kinds = [(one.method, one.of) for one in layer.maps]
    _expect(len(set(kinds)) == len(kinds), layer, "two maps of one method of the same", "one of each")
    for one in layer.maps:
        most = patches if one.of == "patches" else originals
        _expect(one.total == most and one.items.shape[1] <= most, layer, f"a map of {one.items.shape[1]} of {one.total} {one.of}", f"of at most {most}")


def _expect(good: bool, layer: Layer, found: str, expected: str) -> None:
    if not good:
        raise BundleError(f'{MANIFEST_NAME}: layer "{layer.id}" has {found}, expected {expected}; export the site again')


def _table(node: Node, type: str, rows: int | None = None, cols: int | None = None) -> Table:
    """A table of this type, and of this shape as far as that is known."""
    shape = node.integers("shape", 2)
    for wanted, found, what in ((rows, shape[0], "rows"), (cols, shape[1], "columns")):
        node.expect(wanted in (None, found), list(shape), f"{wanted} {what}", "shape")
    found = node.string("type", _TYPE, "one of " + ", ".join(TYPES))
    node.expect(found == type, found, type, "type")
    return Table(node.path("file"), node.integer("bytes"), node.string("sha256", _SHA256, "64 hex digits"), type, shape)
