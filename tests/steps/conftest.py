from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Handler(BaseHTTPRequestHandler):
    """Answers by the path; remembers what was asked."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        self._respond()

    def _respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.seen.append((self.command, self.path, dict(self.headers.items()), body))
        path = self.path.partition("?")[0]
        if path == "/hang":
            self.server.released.wait(10)
        if path.startswith("/hop/"):
            left = int(path[5:])
            return self._send(302, b"", Location="/echo" if left == 0 else f"/hop/{left - 1}")
        if path == "/elsewhere":
            return self._send(302, b"", Location="https://127.0.0.1:1/")
        if path.startswith("/status/"):
            return self._send(int(path[8:]), b"out of order")
        if path == "/large":
            return self._send(200, b"x" * 1_100_000)
        if path == "/text":
            return self._send(
                200, "grün".encode(), **{"Content-Type": "text/plain; charset=utf-8", "Set-Cookie": "a=b"}
            )
        answer = {"method": self.command, "path": self.path, "body": body.decode()}
        return self._send(200, json.dumps(answer).encode(), **{"Content-Type": "application/json", "X-Other": "1"})

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silence."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is part of these tests."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield made
        made.released.set()
        made.shutdown()
        thread.join()
