"""Which codes a layer gets: of many ways to make integers and to store them, the one of fewest bytes whose similarities are exact enough.

Everything is measured on the layer itself. What decides is computed with BLAS at one thread, so that a choice does not depend on threads.
"""

import zlib
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from exporter.candidates import PLAIN, Coder, Family, plain_families, rotated_families
from exporter.encodings import is_deflated, pack, packed_bytes
from exporter.manifest import SimilarityError, Tried
from exporter.parallel import ordered_map
from exporter.quantise import encode_int8, unit
from exporter.rotation import MOST_CHANNELS, MOST_PATCHES, Rotation, find_rotation
from exporter.sample import Maps, PatchSample, spread, take_sample

_SEARCHED_PATCHES, _ROTATED_IMAGES, _REFINEMENTS = 512, 1024, 5
# Enough for estimates that are off by less than a per cent.
_MEASURED_INTEGERS = 2**19
# Another code than the plain one must be worth it, and so must a stream that readers have to inflate.
_WORTH_ANOTHER, _WORTH_DEFLATING = 0.98, 0.9
# A rotation fills vectors of mostly zeros.
_MOST_ZEROS = 0.75
# As web servers compress what they serve.
_SERVED_LEVEL = 6
_PLAIN = Family((PLAIN.level,), lambda level: PLAIN, "int8")


@dataclass(frozen=True)
class Choice:
    """How a layer is coded and stored, what that costs, and all that was tried."""

    coder: Coder
    encoding: str
    error: SimilarityError
    display: tuple[float, float]
    tried: tuple[Tried, ...]


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A family at one of its levels. error: over the patches searched, and once it is settled over the whole sample."""

    family: Family
    index: int
    coder: Coder
    dims: int
    encoding: str
    bytes: int
    error: SimilarityError
    settled: bool = False

    @property
    def cost(self) -> float:
        return self.bytes * (_WORTH_ANOTHER if self.family is _PLAIN else 1)

    def tried(self) -> Tried:
        return Tried(self.encoding, self.dims, self.coder.text, self.bytes, self.error.max, self.error.rms, self.error.patches)


def choose(maps: Maps, max_error: float, encoding: str | None = None, threads: int = 1, originals: int | None = None) -> Choice:
    """The codes of fewest bytes, as a server sends them, whose greatest similarity error over the sample is within max_error.

    encoding: consider only what is stored so. originals: of so many images, the first, is the display range; None: of all. Where nothing is exact
    enough, the most exact is chosen.
    """
    with threadpool_limits(1):
        return _Search(maps, max_error, encoding, threads, len(maps.grids) if originals is None else originals).run()


class _Search:
    """The work of `choose` on one layer: a few patches and whole images of it, and what is computed of them once."""

    def __init__(self, maps: Maps, max_error: float, encoding: str | None, threads: int, originals: int) -> None:
        self.max_error, self.encoding, self.threads = max_error, encoding, threads
        self.sample = take_sample(maps)
        # Versions of an image resemble it, and what stands beyond its edges resembles all others: neither says what is worth showing.
        self.shown = self.sample if originals == len(maps.grids) else take_sample(maps, originals)
        self.at_few = spread(len(self.sample.features), _SEARCHED_PATCHES)
        self.few = PatchSample(self.sample.features[self.at_few], self.sample.images[self.at_few])
        self.exact = _cosines(self.few.features)
        self.pictures, self.share = _whole_images(maps)
        self.rotation = self._find_rotation(maps)
        self.rotated = None if self.rotation is None else self.rotation(self.sample.features)
        self.tried: dict[Family, _Candidate] = {}

    def run(self) -> Choice:
        families = self._families()
        for found in ordered_map(self._coarsest, families, self.threads):
            if found:
                self.tried[found.family] = found
        hopeful = dict(self.tried)
        while hopeful:
            best = min(hopeful.values(), key=lambda one: one.cost)
            if best.settled:
                return self._choice(best)
            settled = self.tried[best.family] = self._settled(best)
            if settled.error.max <= self.max_error:
                hopeful[best.family] = settled
            else:
                del hopeful[best.family]
        return self._most_exact(families)

    def _families(self) -> list[Family]:
        if self.encoding == _PLAIN.raw:
            return [_PLAIN]
        families = plain_families() + ([] if self.rotation is None else rotated_families(self.rotation, self.rotated))
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
        return self._candidate(family, good, self.few.error(self._codes(family, good, self.at_few)))

    def _settled(self, candidate: _Candidate) -> _Candidate:
        """The coarsest level of its family that is exact enough on the whole sample, which needs one a little finer; where none is, the most exact one."""
        family, index, failed = candidate.family, candidate.index, candidate.index + 1
        measured = self._measured(family, index)
        while measured.max > self.max_error and index > 0:
            failed, index = index, self._tighter(family, index, measured.max)
            measured = self._measured(family, index)
        between = range(failed - 1, index, -1)
        for at in spread(len(between), _REFINEMENTS):
            coarser = self._measured(family, between[at])
            if coarser.max <= self.max_error:
                return self._candidate(family, between[at], coarser, settled=True)
        return self._candidate(family, index, measured, settled=True)

    def _tighter(self, family: Family, index: int, error: float) -> int:
        """The next more exact level that should do, if the whole sample always exceeds the few patches by as much as it does here."""
        excess = error / max(self._quick(family, index), 1e-12)
        return next((finer for finer in range(index - 1, 0, -1) if self._quick(family, finer) * excess <= self.max_error), 0)

    def _most_exact(self, families: list[Family]) -> Choice:
        for family in families:
            self.tried[family] = self._candidate(family, 0, self._measured(family, 0), settled=True)
        return self._choice(min(self.tried.values(), key=lambda one: (one.error.max, one.cost)))

    def _choice(self, best: _Candidate) -> Choice:
        codes = self._codes(best.family, best.index) if self.shown is self.sample else best.coder(self.shown.features)
        display = self.shown.display(codes, self.threads)
        return Choice(best.coder, best.encoding, best.error, display, tuple(one.tried() for one in self.tried.values()))

    def _quick(self, family: Family, index: int) -> float:
        """The greatest error over the few patches, in single precision."""
        errors = np.abs(_cosines(self._codes(family, index, self.at_few)) - self.exact)
        np.fill_diagonal(errors, 0)
        return float(errors.max())

    def _measured(self, family: Family, index: int) -> SimilarityError:
        return self.sample.error(self._codes(family, index), self.threads)

    def _codes(self, family: Family, index: int, which: slice | list[int] = slice(None)) -> np.ndarray:
        """The codes of sampled patches."""
        coder = family.coder(family.levels[index])
        return coder.integers((self.sample.features if coder.rotation is None else self.rotated)[which])

    def _candidate(self, family: Family, index: int, error: SimilarityError, settled: bool = False) -> _Candidate:
        coder = family.coder(family.levels[index])
        codes = coder(self.pictures)
        encoding, size = self._size(codes, family)
        return _Candidate(family, index, coder, codes.shape[1], encoding, size, error, settled)

    def _size(self, codes: np.ndarray, family: Family) -> tuple[str, int]:
        """The better of a family's encodings, or the one that was asked for, and the bytes that a server will send."""
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
