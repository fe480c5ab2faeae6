"""Feature vectors <-> integer codes, the cosine similarity of codes, and the error that codes cost.

Pure functions on numpy arrays. `FORMAT.md` ("Encodings", "Similarity") is the specification.
"""

import numpy as np

CODE_MAX = 127


def encode_int8(features: np.ndarray) -> np.ndarray:
    """Quantise each vector by its own largest absolute value.

    features: float (..., channels), any scale. Returns int8 of the same shape, in -127..127. A zero vector
    becomes a zero code. Cosine similarity does not depend on a vector's scale, so none is kept.
    """
    values = np.asarray(features, dtype=np.float64)
    peak = np.abs(values).max(axis=-1, keepdims=True)
    # Dividing by a subnormal peak overflows; such a vector is zero to every purpose.
    scale = np.divide(CODE_MAX, peak, out=np.zeros_like(peak), where=peak > np.finfo(np.float32).tiny)
    return np.rint(values * scale).astype(np.int8)


def squared_norms(codes: np.ndarray) -> np.ndarray:
    """Exact squared norms. codes: int8 (..., dims) -> int64 (...)."""
    wide = codes.astype(np.int64)
    return np.einsum("...d,...d->...", wide, wide)


def dots(queries: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Exact dot products. int8 (n, dims) and (m, dims) -> float64 (n, m) that holds integers.

    Products of int8 summed in float64 are exact below 2^53, and float64 has a fast matrix product.
    """
    return queries.astype(np.float64) @ codes.astype(np.float64).T


def similarity(queries: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Cosine similarity from codes, to the bit as the browser computes it.

    int8 (n, dims) and (m, dims) -> float32 (n, m): dot / sqrt(na * nb) in double, stored as float32; 0 where
    either code is zero.
    """
    norms = np.multiply.outer(squared_norms(queries).astype(np.float64), squared_norms(codes).astype(np.float64))
    scores = np.zeros(norms.shape)
    np.divide(dots(queries, codes), np.sqrt(norms), out=scores, where=norms > 0)
    return scores.astype(np.float32)


def unit(features: np.ndarray) -> np.ndarray:
    """L2-normalise vectors in double precision; (..., channels) -> float64; a zero vector stays zero."""
    values = np.asarray(features, dtype=np.float64)
    norms = np.linalg.norm(values, axis=-1, keepdims=True)
    return np.divide(values, norms, out=np.zeros_like(values), where=norms > 0)
