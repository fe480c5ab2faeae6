"""Patches and images as points in the plane: by principal components, and by t-SNE (van der Maaten and Hinton, 2008), both scikit-learn's."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from io import TextIOBase

import numpy as np
from threadpoolctl import threadpool_limits

from exporter.components import find_components, sample_places, sampled
from exporter.errors import UsageError
from exporter.manifest import PointMap
from exporter.progress import Progress
from exporter.quantise import unit
from exporter.sample import Maps
from exporter.tables import Table

METHODS = ("pca", "tsne")
DEFAULT_POINTS, MOST_POINTS = 3000, 50_000
# t-SNE starts on the first of so many components: with more, neighbours change little and the search for them takes longer.
_DIMS = 50
_PERPLEXITY, _ROUNDS, _ROUNDS_TOLD = 30, 1000, 50
# Its points begin so close together, as scikit-learn's do; so few of them have no neighbourhoods.
_START, _FEWEST = 1e-4, 4
_SEED, _STEPS = 0, 65535
Write = Callable[[str, np.ndarray, str], Table]


@dataclass(frozen=True)
class MapRequest:
    """Which maps are wanted, by name of `METHODS`, and of how many patches at most."""

    methods: tuple[str, ...] = METHODS
    points: int = DEFAULT_POINTS


def map_request(methods: Sequence[str], points: int) -> MapRequest:
    """Check what is asked for. Raises UsageError for an unknown method, none, or a number of points out of range."""
    unknown = [name for name in methods if name not in METHODS]
    if unknown or not methods:
        raise UsageError(f'unknown map "{unknown[0] if unknown else ""}" in --map, expected one or more of {", ".join(METHODS)}')
    if not 2 <= points <= MOST_POINTS:
        raise UsageError(f"--map-points is {points}, expected 2 to {MOST_POINTS}")
    return MapRequest(tuple(dict.fromkeys(methods)), points)


@dataclass(frozen=True, eq=False)
class Points:
    """The features that points stand for: those of the first `originals` images."""

    maps: Maps
    originals: int

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.concatenate([[0], np.cumsum([rows * cols for rows, cols in self.maps.grids[: self.originals]])])

    def patches(self, limit: int) -> tuple[np.ndarray, np.ndarray, int]:
        """Rows among all codes of at most about `limit` patches, evenly sampled, their unit vectors, and how many patches there are."""
        places = sample_places(self.maps, self.originals, limit)
        rows = np.concatenate([self._starts[image] + found for image, found in enumerate(places)])
        return rows, sampled(self.maps, self.originals, limit), int(self._starts[-1])

    def images(self) -> tuple[np.ndarray, np.ndarray, int]:
        """Indices of the images, the unit vectors of their mean features, and their number."""
        means = [unit(self.maps.read(image)).mean(axis=0) for image in range(self.originals)]
        return np.arange(self.originals), unit(np.array(means)), self.originals


def draw_maps(points: Points, layer: str, wanted: MapRequest, write: Write, progress: Progress) -> Iterator[PointMap]:
    """Place the points of a layer by each of the wanted methods, and write where they are."""
    import sklearn.manifold  # noqa: F401 - before the limit: it holds only for libraries that are loaded

    with threadpool_limits(1):
        for of, (items, vectors, total) in (("patches", points.patches(wanted.points)), ("images", points.images())):
            listed = write(f"map-{of}", items[None], "u32")
            mean, axes, explained = find_components(vectors, max(2, min(_DIMS, vectors.shape[1])))
            principal = (vectors - mean) @ axes.T
            for method in wanted.methods:
                placed, perplexity = (principal[:, :2], 0.0) if method == "pca" else _tsne(principal, f"t-SNE of {layer}, {of}", progress)
                yield PointMap(method, of, total, explained[:2] if method == "pca" else (), perplexity, listed, write(f"map-{of}-{method}", _square(placed), "u16"))


def _tsne(principal: np.ndarray, label: str, progress: Progress) -> tuple[np.ndarray, float]:
    """Places (points, 2) and the perplexity used: less than usual for few points, which have no more neighbours.

    It begins with the first two of the principal components, so that both maps lie the same way round. Where there is no neighbourhood to keep, these are it.
    """
    from sklearn.manifold import TSNE

    perplexity, spread = float(min(_PERPLEXITY, max(1, (len(principal) - 1) // 3))), principal[:, 0].std()
    if len(principal) < _FEWEST or not spread:
        return principal[:, :2], perplexity
    start = (principal[:, :2] / spread * _START).astype(np.float32)
    model = TSNE(2, perplexity=perplexity, init=start, random_state=_SEED, n_jobs=1, max_iter=_ROUNDS, verbose=2)
    with progress(label, _ROUNDS // _ROUNDS_TOLD) as advance:
        rounds = _Rounds(advance)
        with redirect_stdout(rounds):
            placed = model.fit_transform(principal.astype(np.float32)).astype(np.float64)
        rounds.finish()
    return placed, perplexity


class _Rounds(TextIOBase):
    """Takes what scikit-learn prints, the only thing by which it tells how far it is: a line for every 50 rounds, and fewer where it has converged."""

    def __init__(self, advance: Callable[[], None]) -> None:
        self._advance, self._left = advance, _ROUNDS // _ROUNDS_TOLD

    def write(self, text: str) -> int:
        if self._left and "Iteration" in text and "error" in text:
            self._left -= 1
            self._advance()
        return len(text)

    def finish(self) -> None:
        for _ in range(self._left):
            self._advance()


def _square(places: np.ndarray) -> np.ndarray:
    """Places (points, 2) onto 0..65535, both axes by one scale, in the middle; y grows upwards before and downwards after: u16 (2, points)."""
    low, high = places.min(axis=0), places.max(axis=0)
    side = float((high - low).max()) or 1.0
    centred = (places - (low + high) / 2) / side * [1, -1] + 0.5
    return np.rint(centred.clip(0, 1) * _STEPS).astype(np.uint16).T
