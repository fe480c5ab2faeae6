"""What is made of a layer's features beside its codes and factors, where a figure needs it: maps of points, components as colours, activations."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from exporter.activations import measure_activations
from exporter.candidates import Coder
from exporter.components import color_components
from exporter.images import slug
from exporter.manifest import Layer
from exporter.point_maps import MapRequest, Points, draw_maps
from exporter.progress import Progress
from exporter.sample import Maps
from exporter.tables import Table, write_table

FOLDER = "tables"


@dataclass(frozen=True)
class Derivation:
    """What is asked for of every layer: which maps of points, and whether components and activations."""

    maps: MapRequest | None = None
    components: bool = False
    activations: bool = False


def derive(root: Path, number: int, layer: Layer, maps: Maps, coder: Coder, originals: int, wanted: Derivation, progress: Progress) -> Layer:
    """Write what is wanted of a layer below root, a site's folder; returns its entry with what was written.

    number: its place in the bundle; maps: its features, in which versions stand behind the `originals` other images; coder: that of its codes.
    """
    stem = f"{FOLDER}/{number}-{slug(layer.id, 'layer')}"

    def write(name: str, values: np.ndarray, type: str) -> Table:
        return write_table(root, f"{stem}-{name}.bin", values, type)

    if wanted.maps:
        layer = replace(layer, maps=tuple(draw_maps(Points(maps, originals), layer.id, wanted.maps, write, progress)))
    if wanted.components:
        layer = replace(layer, components=color_components(maps, originals, layer.id, write, progress))
    if wanted.activations:
        layer = replace(layer, activations=measure_activations(maps, originals, coder, layer.signed, layer.id, write, progress))
    return layer

