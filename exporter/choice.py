"""Which codes a layer gets: of many ways to make integers and to store them, the one of fewest bytes whose similarities are exact enough.

Everything is measured on the layer itself. What decides is computed with BLAS at one thread, so that a choice does not depend on threads.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from exporter.candidates import PLAIN, Coder, Family, plain_families, rotated_families
from exporter.encodings import is_deflated, pack, packed_bytes
from exporter.manifest import SimilarityError, Tried
from exporter.parallel import ordered_map
from exporter.quantise import encode_int8, unit
from exporter.rotation import MOST_CHANNELS, MOST_PATCHES, Rotation, find_rotation
from exporter.sample import Maps, PatchSample, spread, take_sample

_SEARCHED_PATCHES, _ROTATED_IMAGES, _REFINEMENTS = 512, 1024, 6
_MEASURED_INTEGERS = 2_000_000
# Another code than the plain one must be worth it, and so must a stream that readers have to inflate.
_WORTH_ANOTHER, _WORTH_DEFLATING = 0.98, 0.9
# A rotation fills vectors of mostly zeros.
_MOST_ZEROS = 0.75
# As web servers compress what they serve.
_SERVED_LEVEL = 6
_PLAIN = Family((PLAIN.level,), lambda level: PLAIN, "int8")


@dataclass(frozen=True)
class Choice:
    """How a layer is coded and stored, what that costs, and all that was tried; fits: whether the error is within what was asked for."""

    coder: Coder
    encoding: str
    error: SimilarityError
    display: tuple[float, float]
    tried: tuple[Tried, ...]
    fits: bool


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A family at one of its levels. error: over the patches searched, and once `display` is there over the whole sample."""

    family: Family
    index: int
    coder: Coder
    dims: int
    encoding: str
    bytes: int
    error: SimilarityError
    display: tuple[float, float] | None = None

    @property
    def cost(self) -> float:
        return self.bytes * (_WORTH_ANOTHER if self.family is _PLAIN else 1)

    def tried(self) -> Tried:
        return Tried(self.encoding, self.dims, self.coder.text, self.bytes, self.error.max, self.error.rms, self.error.patches)

    def choice(self, fits: bool, tried: Iterable["_Candidate"]) -> Choice:
        return Choice(self.coder, self.encoding, self.error, self.display, tuple(one.tried() for one in tried), fits)


def choose(maps: Maps, max_error: float, encoding: str | None = None, threads: int = 1) -> Choice:
    """The codes of fewest bytes, as a server sends them, whose greatest similarity error over the sample is within max_error.

    encoding: consider only what is stored so. Where nothing is exact enough, the most exact is chosen.
    """
    with threadpool_limits(1):
        return _Search(maps, max_error, encoding, threads).run()


class _Search:
    """The work of `choose` on one layer: a few patches and whole images of it, and what is computed of them once."""

    def __init__(self, maps: Maps, max_error: float, encoding: str | None, threads: int) -> None:
        self.max_error, self.encoding, self.threads = max_error, encoding, threads
        self.sample = take_sample(maps)
        few = spread(len(self.sample.features), _SEARCHED_PATCHES)
        self.few = PatchSample(self.sample.features[few], self.sample.images[few])
        self.exact = _cosines(self.few.features)
        self.pictures, self.share = _whole_images(maps)
        self.rotation = self._find_rotation(maps)
        self.rotated = None if self.rotation is None else self.rotation(self.few.features)
        self.tried: dict[Family, _Candidate] = {}

    def run(self) -> Choice:
        families = self._families()
        for found in ordered_map(self._coarsest, families, self.threads):
            if found:
                self.tried[found.family] = found
        hopeful = dict(self.tried)
        while hopeful:
            best = min(hopeful.values(), key=lambda one: one.cost)
            if best.display is not None:
                return best.choice(True, self.tried.values())
            settled = self.tried[best.family] = self._settled(best)
            if settled.error.max <= self.max_error:
                hopeful[best.family] = settled
            else:
                del hopeful[best.family]
        return self._most_exact(families)

    def _families(self) -> list[Family]:
        if self.encoding == _PLAIN.raw:
            return [_PLAIN]
        families = plain_families() + ([] if self.rotation is None else rotated_families(self.rotation, self.rotation(self.sample.features)))
        return [_PLAIN, *families] if self.encoding is None else [family for family in families if self.encoding in family.encodings]

    def _find_rotation(self, maps: Maps) -> Rotation | None:
        if maps.channels > MOST_CHANNELS or self.encoding == _PLAIN.raw or (encode_int8(self.few.features) == 0).mean() > _MOST_ZEROS:
            return None
        images = spread(len(maps.grids), _ROTATED_IMAGES)
        each = MOST_PATCHES // len(images)
        return find_rotation(vectors[spread(len(vectors), each)] for vectors in map(maps.read, images))

    def _coarsest(self, family: Family) -> _Candidate | None:
        """The coarsest level whose error over a few patches is small enough, by bisection: errors grow as levels fall."""
        if self._quick(family, 0) > self.max_error:
            return None
        good, bad = 0, len(family.levels)
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if self._quick(family, middle) <= self.max_error else (good, middle)
        return self._candidate(family, good)

    def _settled(self, candidate: _Candidate) -> _Candidate:
        """The coarsest level of its family that is exact enough on the whole sample, which needs one a little finer; where none is, the most exact one."""
        measured, failed = self._measured(candidate), candidate.index + 1
        while measured.error.max > self.max_error and measured.index > 0:
            failed, measured = measured.index, self._measured(self._tighter(measured))
        return self._coarser(measured, failed)

    def _tighter(self, failed: _Candidate) -> _Candidate:
        """The next more exact level that should do, if the whole sample always exceeds the few patches by as much as it did now."""
        excess = failed.error.max / max(self._quick(failed.family, failed.index), 1e-12)
        finer = range(failed.index - 1, 0, -1)
        return self._candidate(failed.family, next((index for index in finer if self._quick(failed.family, index) * excess <= self.max_error), 0))

    def _coarser(self, good: _Candidate, failed: int) -> _Candidate:
        """The coarsest of a few levels between one that is exact enough and the one that was not; good itself where none is."""
        between = range(failed - 1, good.index, -1)
        tries = (self._measured(self._candidate(good.family, between[at])) for at in spread(len(between), _REFINEMENTS))
        return next((one for one in tries if one.error.max <= self.max_error), good)

    def _most_exact(self, families: list[Family]) -> Choice:
        for family in families:
            self.tried[family] = self._measured(self._candidate(family, 0))
        return min(self.tried.values(), key=lambda one: (one.error.max, one.cost)).choice(False, self.tried.values())

    def _quick(self, family: Family, index: int) -> float:
        """The greatest error over the few patches, in single precision."""
        errors = np.abs(_cosines(self._integers(family.coder(family.levels[index]))) - self.exact)
        np.fill_diagonal(errors, 0)
        return float(errors.max())

    def _integers(self, coder: Coder) -> np.ndarray:
        return coder.integers(self.few.features if coder.rotation is None else self.rotated)

    def _candidate(self, family: Family, index: int) -> _Candidate:
        coder = family.coder(family.levels[index])
        integers = self._integers(coder)
        encoding, size = self._size(coder, family)
        return _Candidate(family, index, coder, integers.shape[1], encoding, size, self.few.measure(integers)[0])

    def _measured(self, candidate: _Candidate) -> _Candidate:
        error, display = self.sample.measure(candidate.coder(self.sample.features), self.threads)
        return replace(candidate, error=error, display=display)

    def _size(self, coder: Coder, family: Family) -> tuple[str, int]:
        """The better of a family's encodings, or the one that was asked for, and the bytes that a server will send."""
        codes = coder(self.pictures)
        raw, deflated = family.encodings
        if family is _PLAIN or self.encoding == raw:
            return raw, self._served(codes, raw)
        size = self._served(codes, deflated)
        if self.encoding == deflated or size < _WORTH_DEFLATING * self.share * packed_bytes(*codes.shape, raw):
            return deflated, size
        return raw, self._served(codes, raw)

    def _served(self, codes: np.ndarray, encoding: str) -> int:
        data = pack(codes, encoding)
        return round(self.share * len(data if is_deflated(encoding) else zlib.compress(data, _SERVED_LEVEL)))


def _whole_images(maps: Maps) -> tuple[np.ndarray, float]:
    """Features of evenly spread images, float32 (patches, channels), and how many times as many patches there are in all."""
    cells = [rows * cols for rows, cols in maps.grids]
    count = max(1, _MEASURED_INTEGERS * len(cells) // (sum(cells) * maps.channels))
    found = np.concatenate([maps.read(image) for image in spread(len(cells), count)])
    return found, sum(cells) / len(found)


def _cosines(vectors: np.ndarray) -> np.ndarray:
    """float or int (n, dims) -> float32 (n, n)."""
    units = unit(vectors).astype(np.float32)
    return units @ units.T
