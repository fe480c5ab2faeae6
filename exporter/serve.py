"""A local preview of a site: static files on 127.0.0.1, with the headers that GitHub Pages sends."""

import sys
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

from exporter.errors import ExportError, UsageError

DEFAULT_PORT = 8000


class _Handler(SimpleHTTPRequestHandler):
    # The operating system's table can be wrong, and a browser refuses a module of another type.
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript", ".json": "application/json", ".bin": "application/octet-stream", ".webp": "image/webp"}

    # Connections stay open for the next file: a gallery asks for hundreds.
    protocol_version = "HTTP/1.1"
    # A file goes out behind its headers at once; or every answer waits 40 ms for the browser to acknowledge these.
    disable_nagle_algorithm = True

    def __init__(self, *args: Any, only: Path | None = None, **kwargs: Any) -> None:
        self._only = only
        super().__init__(*args, **kwargs)

    def send_head(self) -> Any:
        # What lies around a single-file page is not published with it: it may be somebody's home.
        if self._only and Path(self.translate_path(self.path)) != self._only:
            self.send_error(404)
            return None
        return super().send_head()

    def send_response(self, code: int, message: str | None = None) -> None:
        self._code = code
        super().send_response(code, message)

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        # An address with a hash changes with its file; all others may be of an earlier export, and what is missing may come.
        lasting = self._code in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED) and "?" in self.path
        self.send_header("Cache-Control", "max-age=600" if lasting else "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Silent: a reader of the terminal wants the address, not a line for every image."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Readers leave while files are on their way: that is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def make_server(site: Path, port: int | None = None) -> tuple[ThreadingHTTPServer, str]:
    """A server for a site's folder or a single-file page, and the address to open.

    port: None takes DEFAULT_PORT, or any free one where that is taken; 0 any free one. Raises UsageError where there is no site, ExportError
    where the port cannot be had.
    """
    single = site.is_file()
    page = (site if single else site / "index.html").absolute()
    if not page.is_file():
        raise UsageError(f"{site} holds no index.html; expected a folder that overlay-export wrote, or a single-file page")
    handler = partial(_Handler, directory=str(page.parent), only=page if single else None)
    server = _bind(handler, port)
    name = quote(page.name) if single else ""
    return server, f"http://127.0.0.1:{server.server_address[1]}/{name}"


def _bind(handler: partial, port: int | None) -> ThreadingHTTPServer:
    try:
        return _Server(("127.0.0.1", DEFAULT_PORT if port is None else port), handler)
    except OSError as error:
        if port is None:
            return _Server(("127.0.0.1", 0), handler)
        raise ExportError(f"port {port} cannot be used ({error.strerror}); choose another --port, or leave it out") from None
