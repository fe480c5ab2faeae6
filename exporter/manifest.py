"""bundle.json as objects, and the bytes that are stored of it; `reading.py` is the way back. Nothing here touches a file."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from exporter.images import Group
from exporter.marks import FORMAT
from exporter.shards import Shard
from exporter.tables import Table

VERSION = 1
# Optional members, and the values at which they say nothing and are left out.
_SILENT = {"selection": None, "weights": "", "input_size": None, "prefix_tokens": None, "thumbnail": None, "centered": False, "integers": "", "max_error": None, "tried": (), "mark": "", "version": None, "series": (), "factors": (), "group": None, "mask": None, "maps": (), "components": None, "activations": None, "basis": None, "lows": None, "low_values": None}


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
class Version:
    """What makes an image a version of another: that one, `of`, under a series at one of its steps.

    matrix: (a, b, c, d, e, f); the point (x, y) of the original, in fractions of its width and height, is at (ax + by + c, dx + ey + f) of the version.
    """

    of: str
    series: str
    step: int
    matrix: tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class Image:
    """A published image; width and height in pixels of the published file. mark: what sets it apart from its group, as in `generated`; mask: u8 (height, width), 1 where its foreground is."""

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
    mark: str = ""
    version: Version | None = None
    mask: Table | None = None


@dataclass(frozen=True)
class Step:
    """One parameter of a series, and how it is printed, with its unit."""

    value: float
    label: str


@dataclass(frozen=True)
class Series:
    """A transformation at several parameters, its steps. title, axis, note: of its chart, of the chart's axis, and what else must be known.

    original: the step at which an image is as it was; wraps: whether the first step follows the last; options: what else makes the pixels, by name.
    """

    id: str
    transform: str
    title: str
    axis: str
    steps: tuple[Step, ...]
    original: int
    wraps: bool
    options: dict[str, str]
    note: str


@dataclass(frozen=True)
class FactorSet:
    """Non-negative factors of the patches of one layer, and the file of their weights.

    module: whose features were factorised; parts: `whole`, `positive` (negative values were taken for 0) or `split` (positive and negative values
    as channels of their own); count: of factors; group: id of the group whose images they are of, None for all images that are no versions; error:
    norm of features minus reconstruction, by the norm of the features; patches: on how many factors were found; peaks: the weights that 255 stands for.
    """

    id: str
    layer: str
    module: str
    parts: str
    count: int
    error: float
    patches: int
    peaks: tuple[float, ...]
    file: str
    bytes: int
    sha256: str
    group: str | None = None


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
class PointMap:
    """Patches or images of a layer as points in the plane; versions take no part.

    method: `pca` or `tsne`; of: `patches` or `images`; total: how many of these there are, of which as many as `items` has columns were taken; explained:
    by PCA, the part of the variance along each axis; perplexity: of t-SNE, else 0. items: u32 (1, points), rising: the rows of patches among the codes
    of all images, or indices of images; coordinates: u16 (2, points), x to the right and y down, 0 and 65535 at the edges of the map's square.
    """

    method: str
    of: str
    total: int
    explained: tuple[float, ...]
    perplexity: float
    items: Table
    coordinates: Table


@dataclass(frozen=True)
class Components:
    """The first three principal components of a layer as colours.

    explained: the part of the variance of each; ranges: of each the values that 0 and 255 stand for, and all below and above them; colors: u8 (3, patches
    of the images that are no versions).
    """

    explained: tuple[float, float, float]
    ranges: tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
    colors: Table


@dataclass(frozen=True)
class Activations:
    """The network's own values, which unit vectors do not tell.

    peaks: u32 (channels, peaks), of each channel the rows among the codes of all images of the patches with the greatest values, these first; values: f32
    of the same shape; norms: f32 (1, patches of the images that are no versions) of the vectors before they were scaled; basis: f32 (channels, dims),
    which turns codes that are rotated back, None where they are not; lows, low_values: as peaks and values, of the least values, None where none is negative.
    """

    peaks: Table
    values: Table
    norms: Table
    basis: Table | None = None
    lows: Table | None = None
    low_values: Table | None = None

    @property
    def tables(self) -> list[Table]:
        return [table for table in (self.peaks, self.values, self.norms, self.basis, self.lows, self.low_values) if table]


@dataclass(frozen=True)
class Layer:
    """One feature map of one network; grids[i] is (rows, cols) on image i; range is for display; centered: without its mean feature.

    integers: how they were made, in words; max_error: the greatest similarity error that was asked for; tried: what the encoding was chosen from;
    maps to activations: what else was made of its features.
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
    maps: tuple[PointMap, ...] = ()
    components: Components | None = None
    activations: Activations | None = None

    @property
    def tables(self) -> list[Table]:
        """All tables that belong to it."""
        found = [table for one in self.maps for table in (one.items, one.coordinates)]
        found += [self.components.colors] if self.components else []
        found += self.activations.tables if self.activations else []
        return list(dict.fromkeys(found))


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
    series: tuple[Series, ...] = ()
    factors: tuple[FactorSet, ...] = ()

    @property
    def originals(self) -> tuple[Image, ...]:
        """The images that are no versions of others."""
        return tuple(image for image in self.images if image.version is None)

    @property
    def tables(self) -> list[Table]:
        """All tables: masks of images, and what was made of layers."""
        return [*(image.mask for image in self.images if image.mask), *(table for layer in self.layers for table in layer.tables)]

    @property
    def binaries(self) -> list[Shard | FactorSet | Table]:
        """The entries of all files but pictures."""
        return [*(shard for layer in self.layers for shard in layer.shards), *self.factors, *self.tables]


def to_json(manifest: Manifest) -> bytes:
    """The bytes of bundle.json: UTF-8, sorted keys, no spaces, without the optional members that say nothing."""
    members = {"format": FORMAT, "version": VERSION, **_telling(asdict(manifest))}
    for key in ("networks", "images", "layers", "factors"):
        if key in members:
            members[key] = [_telling(one) for one in members[key]]
    return json.dumps(members, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def to_entry(item: Image | Layer | FactorSet) -> dict[str, Any]:
    """An image, a layer or a set of factors as bundle.json has it, arrays as lists."""
    return json.loads(json.dumps(_telling(asdict(item))))


def _telling(members: dict[str, Any]) -> dict[str, Any]:
    told = {key: value for key, value in members.items() if key not in _SILENT or value != _SILENT[key]}
    return told | ({"activations": _telling(told["activations"])} if "activations" in told else {})
