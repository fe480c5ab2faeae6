"""Feature vectors <-> integer codes, the cosine similarity of codes, and the error that codes cost.

Pure functions on numpy arrays. `FORMAT.md` ("Encodings", "Similarity") is the specification.
"""

import numpy as np

CODE_MAX = 127
_NORM_BITS = 18


def encode_int8(features: np.ndarray) -> np.ndarray:
    """The plain code: `by_peak` with the largest integer that int8 has on both sides."""
    return by_peak(features, CODE_MAX)


def by_peak(features: np.ndarray, limit: int) -> np.ndarray:
    """Quantise each vector by its own largest absolute value, which becomes `limit`.

    features: float (..., channels), any scale. Returns int8 of the same shape, in -limit..limit. A zero vector
    becomes a zero code. Cosine similarity does not depend on a vector's scale, so none is kept.
    """
    values = np.asarray(features, dtype=np.float64)
    return np.rint(values * _ratio(limit, _peaks(values))).astype(np.int8)


def by_step(features: np.ndarray, steps: int) -> np.ndarray:
    """Quantise each vector in `steps` steps to its norm, or as many as let its largest value fit into -127..127.

    As `by_peak`, but a vector with one large value keeps the others as fine as any vector does.
    """
    values = np.asarray(features, dtype=np.float64)
    scale = np.minimum(_ratio(steps, norms(values)[..., None]), _ratio(CODE_MAX, _peaks(values)))
    return np.rint(values * scale).astype(np.int8)


def norms(features: np.ndarray) -> np.ndarray:
    """The L2 norm of each vector; (..., channels) -> float64 (...), 0 for a zero vector.

    The same to the bit however it is summed, for codes come from it: components are rounded to 2^-18 of the largest, and the sum of the squares
    of these integers is exact below 2^53, that is for up to 2^17 channels.
    """
    values = np.asarray(features, dtype=np.float64)
    peaks = _peaks(values)
    integers = np.rint(values * _ratio(2.0**_NORM_BITS, peaks))
    return np.sqrt(np.einsum("...c,...c->...", integers, integers)) * (peaks[..., 0] / 2.0**_NORM_BITS)


def _peaks(values: np.ndarray) -> np.ndarray:
    return np.abs(values).max(axis=-1, keepdims=True)


def _ratio(limit: float, size: np.ndarray) -> np.ndarray:
    """limit / size. Dividing by a subnormal size overflows; such a vector is zero to every purpose."""
    return np.divide(limit, size, out=np.zeros_like(size), where=size > np.finfo(np.float32).tiny)


def squared_norms(codes: np.ndarray) -> np.ndarray:
    """Exact squared norms. codes: int8 (..., dims) -> int64 (...)."""
    wide = codes.astype(np.int64)
    return np.einsum("...d,...d->...", wide, wide)


def dots(queries: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Exact dot products. int8 (n, dims) and (m, dims) -> float64 (n, m) that holds integers.

    Floats have a fast matrix product, and sums of integers are exact in it: below 2^24 in single precision, which is twice as fast, below 2^53 in double.
    """
    kind = np.float32 if queries.shape[1] * CODE_MAX**2 < 2**24 else np.float64
    return (queries.astype(kind) @ codes.astype(kind).T).astype(np.float64)


def similarity(queries: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Cosine similarity from codes, to the bit as the browser computes it.

    int8 (n, dims) and (m, dims) -> float32 (n, m): dot / sqrt(na * nb) in double, stored as float32; 0 where
    either code is zero.
    """
    norms = np.multiply.outer(squared_norms(queries).astype(np.float64), squared_norms(codes).astype(np.float64))
    scores = np.zeros(norms.shape)
    np.divide(dots(queries, codes), np.sqrt(norms), out=scores, where=norms > 0)
    return scores.astype(np.float32)


def channel_axis(dims: int, channel: int) -> np.ndarray:
    """The axis of a channel in codes that are not rotated."""
    return np.eye(1, dims, channel)[0]


def projection(codes: np.ndarray, axis: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """What vectors of these lengths (...) that have these codes, int8 (..., dims), are along an axis, float (dims,): float32 (...); 0 for a zero code."""
    sizes = np.sqrt(squared_norms(codes).astype(np.float64))
    found = codes.astype(np.float64) @ axis.astype(np.float64) * lengths
    return np.divide(found, sizes, out=np.zeros_like(found), where=sizes > 0).astype(np.float32)


def unit(features: np.ndarray) -> np.ndarray:
    """L2-normalise vectors in double precision; (..., channels) -> float64; a zero vector stays zero."""
    values = np.asarray(features, dtype=np.float64)
    norms = np.linalg.norm(values, axis=-1, keepdims=True)
    return np.divide(values, norms, out=np.zeros_like(values), where=norms > 0)
