"""The proxy between two programs, by an HTTP server that answers with what it was sent."""

from __future__ import annotations

import http.client
import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.cluster.processes import free_port
from tests.cluster.proxy import Proxy


class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    proxy = Proxy(lambda: ("127.0.0.1", server.server_port), listen=("127.0.0.1", free_port()))
    proxy.start()
    yield proxy
    proxy.stop()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def caller(proxy: Proxy) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(*proxy._listen, timeout=0.5)
    yield connection
    connection.close()


def asked(connection: http.client.HTTPConnection, body: bytes) -> tuple[int, bytes]:
    connection.request("POST", "/things", body)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_it_passes_on_what_is_said_and_remembers_what_was_asked(proxy: Proxy, caller) -> None:  # type: ignore[no-untyped-def]
    body = b"x" * 300_000

    assert [asked(caller, body), asked(caller, b"more")] == [(200, body), (200, b"more")]
    assert [(seen.method, seen.path) for seen in proxy.seen] == [("POST", "/things")] * 2


def test_it_answers_in_the_servers_place_also_on_a_connection_that_was_kept(proxy: Proxy, caller) -> None:  # type: ignore[no-untyped-def]
    asked(caller, b"once")
    proxy.answer = (429, "7")
    caller.request("POST", "/things", b"y" * 300_000)
    answer = caller.getresponse()

    assert (answer.status, answer.headers["retry-after"], answer.read()) == (429, "7", b"")
    proxy.answer = None
    assert asked(caller, b"again") == (200, b"again")


def test_a_line_that_is_cut_can_be_had_anew(proxy: Proxy, caller) -> None:  # type: ignore[no-untyped-def]
    asked(caller, b"once")
    proxy.cut()
    assert caller.sock.recv(1) == b"" if _is_closed(caller.sock) else True
    caller.close()
    assert asked(caller, b"again") == (200, b"again")


def test_a_black_hole_loses_nothing(proxy: Proxy, caller) -> None:  # type: ignore[no-untyped-def]
    asked(caller, b"once")
    proxy.hangs = True
    caller.request("POST", "/things", b"late")
    with pytest.raises(TimeoutError):
        caller.sock.recv(1, socket.MSG_PEEK)
    proxy.hangs = False
    answer = caller.getresponse()

    assert answer.read() == b"late"


def test_who_is_denied_hears_nothing(proxy: Proxy, caller) -> None:  # type: ignore[no-untyped-def]
    proxy.denies = True
    with pytest.raises((OSError, http.client.HTTPException)):
        asked(caller, b"once")


def _is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except ConnectionError:
        return False
