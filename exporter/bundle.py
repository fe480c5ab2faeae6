"""Read a bundle from a site's folder, its bundle.json or a single-file page, and compute similarities."""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Protocol

import numpy as np

from exporter import quantise, segment
from exporter.encodings import ENCODINGS
from exporter.errors import BundleError, UsageError
from exporter.factor_file import decode_weights
from exporter.manifest import FactorSet, Image, Layer, Manifest
from exporter.marks import MANIFEST_NAME
from exporter.reading import parse
from exporter.shards import decode_shard
from exporter.tables import Table, decode_table

PAGE_ID = "bundle"


class Files(Protocol):
    """Where a bundle's files come from; read raises BundleError naming the file."""

    def read(self, file: str) -> bytes: ...


class FolderFiles:
    """The files of a site's folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, file: str) -> bytes:
        try:
            return (self.root / file).read_bytes()
        except FileNotFoundError:
            raise BundleError(f"{file}: is missing in {self.root}; copy the whole site again or export it again") from None
        except OSError as error:
            raise BundleError(f"{file}: cannot be read ({error.strerror}); check its permissions") from None


class PageFiles(HTMLParser):
    """The files inside a single-file page; see FORMAT.md, "In one HTML file"."""

    def __init__(self, page: Path) -> None:
        super().__init__(convert_charrefs=False)
        self._page, self._key, self._texts = page, "", {}
        self.feed(page.read_text(encoding="utf-8", errors="replace"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "script" and attributes.get("id") == PAGE_ID:
            self._key = MANIFEST_NAME
        elif attributes.get("data-bundle") == PAGE_ID and tag == "script":
            self._key = attributes.get("data-file") or ""
        elif attributes.get("data-bundle") == PAGE_ID and tag == "img":
            self._texts[attributes.get("data-file") or ""] = [(attributes.get("src") or "").partition(",")[2]]

    def handle_endtag(self, tag: str) -> None:
        self._key = ""

    def handle_data(self, data: str) -> None:
        if self._key:
            self._texts.setdefault(self._key, []).append(data)

    def read(self, file: str) -> bytes:
        if file not in self._texts:
            raise BundleError(f"{file}: is missing in {self._page}; the page is incomplete or not one of overlay-export, export it again")
        text = "".join(self._texts[file])
        try:
            return text.encode() if file == MANIFEST_NAME else base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError) as error:
            raise BundleError(f"{file}: is not base64 ({error}) in {self._page}; copy or export the page again") from None


class Bundle:
    """The codes of some images under some layers, and their similarities; the weights of factors.

    `images`, `layers` and `factors` list what is there (see `manifest.Image`, `manifest.Layer`, `manifest.FactorSet`). Wherever one of them is asked for, its
    id or its object will do. Files are read and checked when needed; the last shard of each layer and the last weights stay in memory.
    """

    def __init__(self, files: Files, content: Manifest) -> None:
        self.files, self.manifest = files, content
        self.images: list[Image] = list(content.images)
        self.layers: list[Layer] = list(content.layers)
        self.factors: list[FactorSet] = list(content.factors)
        self._image_index = {image.id: i for i, image in enumerate(self.images)}
        self._layer_by_id = {layer.id: layer for layer in self.layers}
        self._factors_by_id = {factors.id: factors for factors in self.factors}
        self._decoded: dict[str, tuple[int, list[np.ndarray]]] = {}
        self._weights: tuple[str, dict[str, np.ndarray]] = ("", {})

    def grid(self, image: Image | str, layer: Layer | str) -> tuple[int, int]:
        """(rows, cols) of a layer on an image."""
        return self._layer(layer).grids[self._index(image)]

    def codes(self, image: Image | str, layer: Layer | str) -> np.ndarray:
        """The codes of an image, int8 (rows, cols, dims). Raises BundleError for a damaged shard."""
        index, layer = self._index(image), self._layer(layer)
        if layer.encoding not in ENCODINGS:
            raise BundleError(f'layer "{layer.id}" has the encoding "{layer.encoding}", this overlay-export knows {", ".join(ENCODINGS)}; upgrade it')
        number = bisect_right([shard.first for shard in layer.shards], index) - 1
        if self._decoded.get(layer.id, (None,))[0] != number:
            self._decoded[layer.id] = (number, self._read_shard(layer, number))
        return self._decoded[layer.id][1][index - layer.shards[number].first]

    def factored(self, factors: FactorSet | str) -> list[Image]:
        """The images that a set of factors is of, in order: those of its group, or all, without versions."""
        group = self._factor_set(factors).group
        return [image for image in self.manifest.originals if group in (None, image.group)]

    def weights(self, factors: FactorSet | str, image: Image | str) -> np.ndarray:
        """The weights of a set's factors on an image, float32 (rows, cols, count).

        Raises UsageError for an image that the set is not of, BundleError for a damaged file.
        """
        factors, image = self._factor_set(factors), self.images[self._index(image)]
        if self._weights[0] != factors.id:
            self._weights = (factors.id, self._read_weights(factors))
        if image.id not in self._weights[1]:
            raise UsageError(f'the factors "{factors.id}" are not of image "{image.id}"; they are of {_some(self._weights[1])}')
        return self._weights[1][image.id]

    def table(self, table: Table) -> np.ndarray:
        """The numbers of a table, such as `layer.components.colors` (see `manifest.py`), of its type and shape. Raises BundleError for a damaged file."""
        return decode_table(self.files.read(table.file), table)

    def mask(self, image: Image | str) -> np.ndarray | None:
        """The mask that an image was published with, bool (height, width) of the published image; None where it has none. Raises BundleError for a damaged file."""
        table = self.images[self._index(image)].mask
        return None if table is None else self.table(table) > 0

    def channel(self, layer: Layer | str, channel: int) -> Mapping[str, np.ndarray]:
        """The network's own values of one channel, as the codes have kept them: {image id: float32 (rows, cols)} of the images that are no versions.

        Of a centred layer they are without the channel's mean. Raises UsageError for a channel that is not there or a layer exported without activations
        (`--figures channels`), BundleError for a damaged file.
        """
        layer = self._layer(layer)
        if layer.activations is None:
            raise UsageError(f'the layer "{layer.id}" has no activations; export with --figures channels')
        if not 0 <= channel < layer.channels:
            raise UsageError(f'the layer "{layer.id}" has no channel {channel}, expected 0 to {layer.channels - 1}')
        axis = quantise.channel_axis(layer.dims, channel) if layer.activations.basis is None else self.table(layer.activations.basis)[channel]
        lengths, starts = self.table(layer.activations.norms)[0], np.cumsum([0, *(rows * cols for rows, cols in layer.grids)])
        return {
            image.id: quantise.projection(self.codes(image, layer), axis, lengths[start:end].reshape(self.grid(image, layer)))
            for image, start, end in zip(self.manifest.originals, starts[:-1], starts[1:], strict=False)
        }

    def similarity(self, image: Image | str, layer: Layer | str, row: int, col: int) -> Mapping[str, np.ndarray]:
        """Cosine similarity of one patch with every patch: {image id: float32 (rows, cols)}.

        Computed from the codes to the bit as the page does (FORMAT.md, "Similarity"). Raises UsageError for a patch outside the grid.
        """
        rows, cols = self.grid(image, layer)
        if not (0 <= row < rows and 0 <= col < cols):
            raise UsageError(f"patch ({row}, {col}) is outside the grid of {rows} rows and {cols} columns; rows and columns count from 0")
        query = self.codes(image, layer)[row, col][None]
        return {other.id: self._scores(query, other, layer) for other in self.images}

    def foreground_scores(
        self, *, layer: Layer | str, support: Mapping[str, np.ndarray], score: str = "mean", background: bool = False
    ) -> dict[str, np.ndarray]:
        """How much every patch looks like the foreground of the support images: {image id: float32 (rows, cols)}, for every other image that is no version.

        support: {image id: mask, bool (height, width) of the published image}; a patch of which more than half is foreground counts. score: `mean` cosine
        similarity with the foreground, or `nearest`, the greatest. background: the same of the other patches of the support images is subtracted.
        Raises UsageError for masks that do not fit, or without foreground (or background, where that is subtracted).
        """
        sizes = {id: (self.images[self._index(id)].height, self.images[self._index(id)].width) for id in support}
        masks = segment.check_support(support, sizes, score)
        cells = [(self.codes(id, layer), segment.support_cells(mask, self.grid(id, layer))) for id, mask in masks.items()]
        inside, outside = segment.split_support(cells, list(masks), background)
        queries = [image.id for image in self.manifest.originals if image.id not in masks]
        flat = {id: self.codes(id, layer).reshape(-1, self._layer(layer).dims) for id in queries}
        return {id: segment.patch_scores(codes, inside, outside, score).reshape(self.grid(id, layer)) for id, codes in flat.items()}

    def segment(
        self, *, layer: Layer | str, support: Mapping[str, np.ndarray], threshold: float | None = None, score: str = "mean", background: bool = False
    ) -> dict[str, np.ndarray]:
        """Masks of the other images, to the pixel the page's: {image id: bool (height, width) of the published image}, for every image that is no version and not in the support.

        True where the score, bilinear between the centres of patches, is at least the threshold; None: Otsu's value of all their scores. The rest as for
        `foreground_scores`.
        """
        scores = self.foreground_scores(layer=layer, support=support, score=score, background=background)
        if not scores:
            return {}
        level = segment.otsu(np.concatenate([values.ravel() for values in scores.values()])) if threshold is None else threshold
        sizes = {image.id: (image.height, image.width) for image in self.images}
        return {id: segment.upsample(values, sizes[id]) >= level for id, values in scores.items()}

    def _scores(self, query: np.ndarray, image: Image, layer: Layer | str) -> np.ndarray:
        codes = self.codes(image, layer)
        return quantise.similarity(query, codes.reshape(-1, codes.shape[-1])).reshape(codes.shape[:2])

    def _read_shard(self, layer: Layer, number: int) -> list[np.ndarray]:
        shard = layer.shards[number]
        grids = layer.grids[shard.first : shard.first + shard.count]
        return decode_shard(self.files.read(shard.file), shard, grids, layer.dims, layer.encoding)

    def _read_weights(self, factors: FactorSet) -> dict[str, np.ndarray]:
        """{image id: weights}"""
        grids = {image.id: self.grid(image, factors.layer) for image in self.factored(factors)}
        cells = [rows * cols for rows, cols in grids.values()]
        table = decode_weights(self.files.read(factors.file), factors, sum(cells)).T
        return {id: part.reshape(*grid, -1) for (id, grid), part in zip(grids.items(), np.split(table, np.cumsum(cells)[:-1]), strict=True)}

    def _index(self, image: Image | str) -> int:
        id = image if isinstance(image, str) else image.id
        if id not in self._image_index:
            raise UsageError(f'no image "{id}" in this bundle; it has {_some(self._image_index)}')
        return self._image_index[id]

    def _layer(self, layer: Layer | str) -> Layer:
        id = layer if isinstance(layer, str) else layer.id
        if id not in self._layer_by_id:
            raise UsageError(f'no layer "{id}" in this bundle; it has {_some(self._layer_by_id)}')
        return self._layer_by_id[id]

    def _factor_set(self, factors: FactorSet | str) -> FactorSet:
        id = factors if isinstance(factors, str) else factors.id
        if id not in self._factors_by_id:
            raise UsageError(f'no factors "{id}" in this bundle; it has {_some(self._factors_by_id) or "none"}')
        return self._factors_by_id[id]


def _some(ids: Mapping[str, object]) -> str:
    return ", ".join(list(ids)[:8]) + (f" and {len(ids) - 8} more" if len(ids) > 8 else "")


def load_bundle(path: str | Path) -> Bundle:
    """Open a bundle: a site's folder, its bundle.json, or a single-file page.

    Raises UsageError where there is no such path or no bundle, BundleError where bundle.json is damaged.
    """
    path = Path(path)
    if not path.exists():
        raise UsageError(f"no such file or folder: {path}; expected a site's folder, its {MANIFEST_NAME} or a single-file page")
    files = _open_files(path)
    return Bundle(files, parse(files.read(MANIFEST_NAME)))


def _open_files(path: Path) -> Files:
    if path.is_file() and path.name != MANIFEST_NAME:
        return PageFiles(path)
    root = path if path.is_dir() else path.parent
    if not (root / MANIFEST_NAME).is_file():
        raise UsageError(f"{root} holds no {MANIFEST_NAME}; expected a folder that overlay-export wrote")
    return FolderFiles(root)
