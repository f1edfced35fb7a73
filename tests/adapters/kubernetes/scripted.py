"""A server of a few lines that answers as a test tells it to, for what a healthy API server never does."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    port: int
    """Which connection it came by."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer. ``lines`` are sent one by one instead of a body; ``then`` says what comes after them."""

    code: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    lines: tuple[Any, ...] = ()
    then: str = "end"
    """``end`` it, ``break`` the connection, ``vanish`` before a word, or ``hold`` it silently until the server stops."""


class Scripted:
    """Gives its answers in order, the last one for ever, and remembers what it was asked."""

    def __init__(self, *answers: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self._answers = list(answers)
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """End it, and all answers that it holds."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE_S)

    def next_answer(self, asked: Asked) -> Answer:
        """Take the next answer."""
        with self._lock:
            self.asked.append(asked)
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def hold(self) -> None:
        """Wait until the server stops."""
        self._over.wait(PATIENCE_S)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_any(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(
                    self.command, parts.path, dict(parse_qsl(parts.query)), headers, body, self.client_address[1]
                )
                _give(self, scripted.next_answer(asked), scripted.hold)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_CONNECT = do_any  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:
                """The test says what went wrong."""

        return Handler


def _give(handler: BaseHTTPRequestHandler, answer: Answer, hold: Callable[[], None]) -> None:
    if answer.then == "vanish":
        handler.close_connection = True
        return
    handler.send_response(answer.code)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    if answer.lines or answer.then != "end":
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        for line in answer.lines:
            _chunk(handler, json.dumps(line, separators=(",", ":")).encode() + b"\n")
        _finish(handler, answer.then, hold)
        return
    body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body or {}).encode()
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _finish(handler: BaseHTTPRequestHandler, then: str, hold: Callable[[], None]) -> None:
    handler.wfile.flush()
    if then == "hold":
        hold()
    if then == "end":
        handler.wfile.write(b"0\r\n\r\n")
    else:
        handler.close_connection = True


def _chunk(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


@contextmanager
def scripted(*answers: Answer, tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """A server for the length of a block."""
    server = Scripted(*answers, tls=tls)
    try:
        yield server
    finally:
        server.stop()


def refused(code: int, reason: str, message: str = "no", **details: Any) -> Answer:
    """A Status as API servers send it."""
    status = {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}
    return Answer(code, {**status, "details": details})
