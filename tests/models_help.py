"""What the tests of networks share: hooks and eager values of their own, a stand-in for conversion, a network nobody can reach."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import torch

PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


def noise(*shape: int) -> np.ndarray:
    """Seeded images, uint8."""
    return np.random.default_rng(11).integers(0, 256, (*shape, 3), dtype=np.uint8)


def normalised(model, images: np.ndarray) -> torch.Tensor:
    """Images as the network is to get them, computed in float64 and apart from the package."""
    own = model.preprocessing
    low, high = own.input_range
    pixels = (images / 255 * (high - low) + low - np.array(own.mean)) / np.array(own.std)
    return torch.from_numpy(pixels.transpose(0, 3, 1, 2).astype(np.float32))


def outputs(network: torch.nn.Module, pixels: torch.Tensor) -> dict[str, list]:
    """{module: what it returned, copied at once, for every call}."""
    seen: dict[str, list] = {name: [] for name, _ in network.named_modules(remove_duplicate=False) if name}
    handles = [
        module.register_forward_hook(lambda module, args, out, name=name: seen[name].append(out.clone() if isinstance(out, torch.Tensor) else out))
        for name, module in network.named_modules(remove_duplicate=False)
        if name
    ]
    with torch.inference_mode():
        network(pixels)
    for handle in handles:
        handle.remove()
    return seen


def distance(expected, found) -> float:
    """The largest difference, relative to the largest expected value."""
    expected, found = np.asarray(expected, np.float64), np.asarray(found, np.float64)
    assert expected.shape == found.shape
    return np.abs(expected - found).max() / np.abs(expected).max()


def closed_port() -> int:
    """A port of this machine at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def offline() -> dict[str, str]:
    """Variables with which everything that goes out meets a closed port."""
    return {name: f"http://127.0.0.1:{closed_port()}" for name in PROXIES}


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server of that folder, on this machine."""
    handler = partial(type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *arguments: None}), directory=folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
