"""Files of the weights of factors, written and read. `FORMAT.md` ("Factors") is the specification."""

import zlib

import numpy as np

from exporter.encodings import inflate
from exporter.errors import BundleError
from exporter.manifest import FactorSet
from exporter.shards import HEADER, check_file, read_header

MAGIC = b"OVLF"
VERSION = 1
_MOST = 255
_LEVEL = 9


def encode_weights(weights: np.ndarray, peaks: np.ndarray) -> bytes:
    """The bytes of a file. weights: float (count, patches), not negative; peaks: (count,), what 255 stands for; greater weights are cut to it."""
    shares = np.divide(weights, peaks[:, None], out=np.zeros(weights.shape), where=peaks[:, None] > 0)
    levels = np.rint(shares.clip(0, 1) * _MOST).astype(np.uint8)
    return HEADER.pack(MAGIC, VERSION, 0, *levels.shape) + zlib.compress(levels.tobytes(), _LEVEL)


def decode_weights(data: bytes, factors: FactorSet, patches: int) -> np.ndarray:
    """Check a file against its entry and return the weights, float32 (count, patches).

    patches: on the images that the factors are of. Raises BundleError naming the file and the first difference.
    """
    check_file(data, factors)
    found = read_header(data, factors.file, MAGIC, VERSION, "weights file")
    if found != (factors.count, patches):
        raise BundleError(f"{factors.file}: holds {found[0]} factors of {found[1]} patches, expected {factors.count} of {patches}; export the site again")
    size = factors.count * patches
    try:
        levels = inflate(data[HEADER.size :], size)
    except ValueError as error:
        raise BundleError(f"{factors.file}: {error}; export the site again") from None
    if len(levels) != size:
        raise BundleError(f"{factors.file}: holds {len(levels)} weights, expected {size}; export the site again")
    table = np.frombuffer(levels, np.uint8).reshape(factors.count, patches)
    return (table / _MOST * np.array(factors.peaks)[:, None]).astype(np.float32)
