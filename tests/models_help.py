"""What the tests of networks share: the default network, networks that nothing converts, values by hooks of their own, a web without a way out."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from exporter.models import convert, open_model

PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


@pytest.fixture
def model(conversion, monkeypatch):
    """The default network out of the cache."""
    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(conversion[0]))
    return open_model(notify=pytest.fail)


@pytest.fixture
def unconverted(tmp_path, monkeypatch):
    """An empty cache, and nothing is converted: every network runs in torch, on one thread, and opens at once."""

    def never(*arguments):
        raise convert.NoGraph("the test wants none.")

    monkeypatch.setenv("OVERLAY_EXPORT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(convert, "convert", never)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


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
    """The largest difference, relative to the largest expected value (absolute where that is 0)."""
    expected, found = np.asarray(expected, np.float64), np.asarray(found, np.float64)
    assert expected.shape == found.shape and np.isfinite(expected).all() and np.isfinite(found).all()
    return np.abs(expected - found).max() / (np.abs(expected).max() or 1.0)


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
