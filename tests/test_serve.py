"""overlay-serve: a preview that behaves as GitHub Pages does, for this machine only."""

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from exporter import cli, serve
from exporter.errors import ExportError, UsageError
from tests.conftest import command_line, invoke, refused


@contextmanager
def serving(*arguments):
    """A running overlay-serve: (process, the address it told)."""
    default = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    process = subprocess.Popen(command_line("overlay-serve", *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **default)
    try:
        line = process.stdout.readline()
        found = re.search(r" is at (http://127\.0\.0\.1:\d+/\S*) \(Ctrl\+C ends it\)$", line)
        assert found, line + process.stderr.read()
        yield process, found[1]
    finally:
        process.kill()
        process.communicate()


@contextmanager
def server_of(site, port=0):
    """A server in a thread of this process: its address."""
    server, address = serve.make_server(site, port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server, address
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fetch(address, path=None, method="GET"):
    """(status, headers, body)."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname, place.port)
    try:
        connection.request(method, place.path if path is None else path)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_a_process_that_serves_until_ctrl_c(default_site):
    with serving(default_site, "--port", "0") as (process, address):
        status, headers, body = fetch(address)
        assert (status, body) == (200, (default_site / "index.html").read_bytes())
        assert fetch(address, "/bundle.json")[0] == 200
        os.kill(process.pid, signal.SIGINT)
        out, errors = process.communicate()
    assert (process.returncode, errors, out) == (0, "", "")


def test_a_process_that_is_terminated(default_page):
    with serving(default_page, "--port", "0") as (process, address):
        assert fetch(address)[2] == default_page.read_bytes()
        os.kill(process.pid, signal.SIGTERM)
        _, errors = process.communicate()
    assert (process.returncode, errors) == (143, "")


MEDIA = {
    "/": "text/html",
    "/index.html": "text/html",
    "/bundle.json": "application/json",
    "/style.css": "text/css",
    "/js/element.js": "text/javascript",
    "/js/figures/gallery.js": "text/javascript",
    "/features/0-block3-0000.bin": "application/octet-stream",
    "/images/coffee.webp": "image/webp",
}


def test_media_types_and_headers(default_site):
    with server_of(default_site) as (_, address):
        for path, media in MEDIA.items():
            status, headers, body = fetch(address, path)
            assert (status, headers["Content-Type"]) == (200, media), path
            assert headers["Access-Control-Allow-Origin"] == "*" and headers["Cache-Control"] == "no-store"
            assert body == (default_site / (path[1:] or "index.html")).read_bytes()
        status, headers, _ = fetch(address, "/nothing.bin")
        assert status == 404 and headers["Access-Control-Allow-Origin"] == "*"
        assert fetch(address, "/bundle.json", "HEAD")[0] == 200
        assert fetch(address, "/", "POST")[0] == 501


def test_nothing_outside_the_site_is_served(default_site, capfd):
    (default_site.parent / "secret.txt").write_text("secret")
    with server_of(default_site) as (_, address):
        for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/js/../../secret.txt", "//secret.txt"):
            assert fetch(address, path)[0] == 404
    assert tuple(capfd.readouterr()) == ("", "")


def test_only_this_machine_is_answered(default_site):
    with server_of(default_site) as (server, address):
        assert server.server_address[0] == "127.0.0.1"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", server.server_address[1]))


def test_a_page_is_served_and_nothing_beside_it(default_page, tmp_path):
    page = tmp_path / "my page #1 100%.html"
    shutil.copy(default_page, page)
    (tmp_path / "letter.txt").write_text("private")
    with server_of(page) as (_, address):
        status, headers, body = fetch(address)
        assert (status, headers["Content-Type"], body) == (200, "text/html", page.read_bytes())
        for path in ("/", "/letter.txt", "/../" + tmp_path.name + "/letter.txt"):
            status, headers, body = fetch(address, path)
            assert status == 404 and b"letter" not in body
            assert headers["Access-Control-Allow-Origin"] == "*"


def test_relative_names(default_page, tmp_path, monkeypatch):
    shutil.copy(default_page, tmp_path / "page.html")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    with server_of(Path("../page.html")) as (_, address):
        assert fetch(address)[0] == 200


@pytest.fixture
def taken():
    """A port on which something else listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_taken_port(default_site, taken, monkeypatch):
    run = subprocess.run(command_line("overlay-serve", default_site, "--port", taken), capture_output=True, text=True)
    refused(run, 1, rf"^Error: port {taken} cannot be used \(Address already in use\); choose another --port, or leave it out\n$")
    with pytest.raises(ExportError):
        serve.make_server(default_site, taken)
    monkeypatch.setattr(serve, "DEFAULT_PORT", taken)
    with server_of(default_site, None) as (server, address):
        assert server.server_address[1] not in (0, taken) and fetch(address)[0] == 200


def test_no_site(tmp_path, default_site):
    with pytest.raises(UsageError, match="holds no index.html; expected a folder that overlay-export wrote, or a single-file page"):
        serve.make_server(tmp_path)
    run = subprocess.run(command_line("overlay-serve", tmp_path), capture_output=True, text=True)
    refused(run, 2, "holds no index.html")
    run = subprocess.run(command_line("overlay-serve", default_site, "--port", "70000"), capture_output=True, text=True)
    refused(run, 2, "--port")


def test_open_opens_the_address(default_site, monkeypatch):
    opened = []
    monkeypatch.setattr(cli.webbrowser, "open", opened.append)
    monkeypatch.setattr(serve.ThreadingHTTPServer, "serve_forever", lambda server: (_ for _ in ()).throw(KeyboardInterrupt))
    run = invoke("overlay-serve", default_site, "--port", 0, "--open")
    assert run.exit_code == 0
    assert opened == [run.stdout.split(" is at ")[1].split(" ")[0]]


def test_answers_do_not_wait_to_be_acknowledged():
    """Headers and file are two packets: with Nagle's algorithm the second would wait 40 ms for the first, on every file of a page."""
    assert serve._Handler.disable_nagle_algorithm


def test_only_addresses_with_a_hash_may_be_kept(default_site):
    with server_of(default_site) as (_, address):
        assert fetch(address, "/bundle.json?01234567")[1]["Cache-Control"] == "max-age=600"
        assert fetch(address, "/bundle.json")[1]["Cache-Control"] == "no-store"
        status, headers, _ = fetch(address, "/nothing.bin?01234567")
        assert (status, headers["Cache-Control"]) == (404, "no-store")


def test_a_request_that_is_none_is_answered(default_site):
    with server_of(default_site) as (_, address), socket.create_connection((urlsplit(address).hostname, urlsplit(address).port)) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        assert b"400" in connection.recv(4096)


def test_a_reader_who_leaves_is_no_error(tmp_path, capsys):
    (tmp_path / "index.html").write_text("")
    (tmp_path / "large.bin").write_bytes(bytes(20_000_000))
    with server_of(tmp_path) as (server, address):
        gone = threading.Event()
        shutdown = server.shutdown_request
        server.shutdown_request = lambda request: (shutdown(request), gone.set())
        with socket.create_connection((urlsplit(address).hostname, urlsplit(address).port)) as connection:
            connection.sendall(b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(1)
        assert gone.wait(30)
    assert capsys.readouterr().err == ""
