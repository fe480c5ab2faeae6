"""Non-negative factors of feature maps: components found on a stated number of patches, then the weights of every patch, image by image.

Everything is computed by scikit-learn from a fixed start, with its libraries at one thread (coordinate descent has no others), so that the bytes do not depend on threads.
"""

import hashlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from exporter.errors import ExportError
from exporter.factor_file import encode_weights
from exporter.factor_requests import Source, Wanted
from exporter.images import slug
from exporter.manifest import FactorSet
from exporter.parallel import ordered_map
from exporter.quantise import unit
from exporter.sample import Maps, SamplePlan

FOLDER = "factors"
# Components are found on at most so many patches, and so many numbers: 256 MiB.
MOST_PATCHES, MOST_NUMBERS = 2**16, 2**26
# It has converged where a round changes by less than this part of the first one's change.
TOLERANCE, MOST_ROUNDS = 1e-4, 2000
_DIGITS = 6
_BLOCK = 4096


@dataclass(frozen=True, eq=False)
class Patches:
    """Unit feature vectors of the patches of some images, made non-negative. parts: as in `FactorSet`."""

    maps: Maps
    images: Sequence[int]
    parts: str

    @classmethod
    def of(cls, maps: Maps, images: Sequence[int], positive: bool) -> "Patches":
        """Positive parts where these are asked for; else what is signed is split."""
        if positive:
            return cls(maps, images, "positive")
        return cls(maps, images, "split" if any((maps.read(image) < 0).any() for image in images) else "whole")

    @property
    def channels(self) -> int:
        return self.maps.channels * (2 if self.parts == "split" else 1)

    @property
    def cells(self) -> list[int]:
        """How many patches each of the images has."""
        return [rows * cols for rows, cols in (self.maps.grids[image] for image in self.images)]

    def read(self, image: int) -> np.ndarray:
        """float32 (patches, channels) of an image, not negative, of norm 1 or 0."""
        values = self.maps.read(image)
        split = [values.clip(0), (-values).clip(0)] if self.parts == "split" else [values.clip(0)]
        return unit(np.concatenate(split, axis=1)).astype(np.float32)

    def sample(self) -> np.ndarray:
        """All patches where they are few enough; else about as many as are, spread as `SamplePlan` says."""
        most = max(1, min(MOST_PATCHES, MOST_NUMBERS // self.channels))
        if sum(self.cells) <= most:
            return np.concatenate([self.read(image) for image in self.images])
        plan = SamplePlan(len(self.images), most)
        places = [plan.positions(place, cells) for place, cells in enumerate(self.cells)]
        return np.concatenate([self.read(image)[found] for image, found in zip(self.images, places, strict=True) if len(found)])


@dataclass(frozen=True, eq=False)
class Factors:
    """weights: float32 (count, patches), the heaviest factor first, of components of norm 1; error: on the patches they were found on; converged: everywhere."""

    weights: np.ndarray
    error: float
    converged: bool


def factorise(patches: Patches, sample: np.ndarray, count: int, threads: int = 1, advance: Callable[[], None] = lambda: None) -> Factors:
    """Find components on a sample of the patches, float32 (n, channels), then the weights of all patches. advance: called after each image.

    Raises ExportError for fewer patches than factors.
    """
    # Before the limit, which holds for what is loaded by then.
    from sklearn.decomposition import NMF  # noqa: F401
    from sklearn.exceptions import ConvergenceWarning

    if len(sample) < count:
        raise ExportError(f"{count} factors of {len(sample)} patches cannot be found, expected at most as many factors as patches; ask for fewer with --factors, or pass more images or a greater --size")
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        components, error, converged = _components(sample, count)
        weights = np.empty((count, sum(patches.cells)), np.float32)
        done = 0
        for found, one_converged in ordered_map(lambda image: _weights(patches.read(image), components), patches.images, threads):
            weights[:, done : done + len(found)] = found.T
            done, converged = done + len(found), converged and one_converged
            advance()
    heaviest = np.argsort(-weights.sum(axis=1, dtype=np.float64), kind="stable")
    return Factors(weights[heaviest], error, converged)


def _components(sample: np.ndarray, count: int) -> tuple[np.ndarray, float, bool]:
    """Components of norm 1, float32 (count, channels), zero where one is empty; the error of the reconstruction, and whether rounds were enough."""
    from sklearn.decomposition import NMF

    if not sample.any():
        return np.zeros((count, sample.shape[1]), np.float32), 0.0, True
    model = NMF(count, init="nndsvda", solver="cd", tol=TOLERANCE, max_iter=MOST_ROUNDS, random_state=0)
    weights = model.fit_transform(sample)
    return unit(model.components_).astype(np.float32), _error(sample, weights, model.components_), model.n_iter_ < MOST_ROUNDS


def _error(sample: np.ndarray, weights: np.ndarray, components: np.ndarray) -> float:
    """Norm of the residual by that of the sample, in double precision, to as many decimals as do not depend on the order of summation."""
    missed = total = 0.0
    for start in range(0, len(sample), _BLOCK):
        block = sample[start : start + _BLOCK].astype(np.float64)
        missed += float(np.square(block - weights[start : start + _BLOCK].astype(np.float64) @ components).sum())
        total += float(np.square(block).sum())
    return round((missed / total) ** 0.5, _DIGITS)


def _weights(features: np.ndarray, components: np.ndarray) -> tuple[np.ndarray, bool]:
    """Runs in a worker thread: weights of the patches of an image, float32 (patches, count), and whether rounds were enough."""
    from sklearn.decomposition import non_negative_factorization

    alive = components.any(axis=1)
    found = np.zeros((len(features), len(components)), np.float32)
    if not alive.any() or not features.any():
        return found, True
    used = components[alive]
    found[:, alive], _, rounds = non_negative_factorization(features, H=used, n_components=len(used), update_H=False, solver="cd", tol=TOLERANCE, max_iter=MOST_ROUNDS)
    return found, rounds < MOST_ROUNDS


def write_factors(
    root: Path, layer: str, number: int, source: Source, maps: Maps, wanted: Sequence[Wanted], images: Mapping[str | None, Sequence[int]], threads: int, advance: Callable[[], None]
) -> Iterator[tuple[FactorSet, list[str]]]:
    """Find all wanted factors of one layer and write their weights below root: the entry of each set, and what the user should be told of it.

    layer, number: its id, and its place in the bundle; maps: those of the source; images: of each group, None for all that take part.
    """
    groups = list(dict.fromkeys(one.group for one in wanted))
    for group, same in groupby(sorted(wanted, key=lambda one: groups.index(one.group)), key=lambda one: one.group):
        patches = Patches.of(maps, images[group], source.positive)
        sample = patches.sample()
        for one in same:
            try:
                found = factorise(patches, sample, one.count, threads, advance)
            except ExportError as error:
                raise ExportError(f"{layer}: {error}") from None
            id = f"{layer}:{one.text}"
            peaks = tuple(float(f"{peak:.{_DIGITS}g}") for peak in found.weights.max(axis=1))
            of = "" if group is None else f"-{groups.index(group)}-{slug(group, 'group')}"
            entry = {"id": id, "layer": layer, "module": source.info.module, "parts": patches.parts, "count": one.count, "error": found.error}
            entry |= {"patches": len(sample), "peaks": peaks, "group": group}
            file = _write(root, f"{FOLDER}/{number}-{slug(layer, 'layer')}-{one.count}{of}.bin", encode_weights(found.weights, np.array(peaks)))
            yield FactorSet(**entry, **file), _told(id, found, peaks)


def _write(root: Path, file: str, data: bytes) -> dict[str, str | int]:
    (root / file).write_bytes(data)
    return {"file": file, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _told(id: str, found: Factors, peaks: Sequence[float]) -> list[str]:
    told = [] if found.converged else [f"factors {id}: did not converge in {MOST_ROUNDS} rounds; they are what these gave, fewer factors may"]
    empty = [str(number) for number, peak in enumerate(peaks, 1) if not peak]
    if empty:
        which = f"factor {empty[0]} has" if len(empty) == 1 else f"factors {', '.join(empty)} have"
        why = "all features are zero" if len(empty) == len(peaks) else "the features have fewer directions; ask for fewer with --factors"
        told.append(f"factors {id}: {which} a weight of 0 everywhere, {why}")
    return told
