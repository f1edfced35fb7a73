"""Requests to an API server: pooled connections, a pace, patience when it says "not now", and errors of the port.

What is written once is never sent twice by itself: a request is repeated only if the server said that it did not begin
with it (429), or if it only reads.
"""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProtocolError

from sluice import __version__
from sluice.adapters.kubernetes.answers import refusal
from sluice.adapters.kubernetes.credentials import Credentials, Server
from sluice.adapters.kubernetes.pacing import Pace
from sluice.adapters.kubernetes.streams import Stream
from sluice.ports.errors import PortError, Unavailable

JSON = "application/json"
CONNECTIONS = 64
"""Idle connections that are kept: one for each thread that asks at a time."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How fast and how patiently this process asks. Times are in seconds."""

    qps: float = 500.0
    burst: int = 1000
    connect_s: float = 5.0
    answer_s: float = 60.0
    attempts: int = 6
    """How often a request is sent at most while the server says that it has no time for it."""
    longest_pause_s: float = 30.0


class Transport:
    """One server, one identity, any number of threads; a forked child opens connections of its own."""

    def __init__(self, credentials: Credentials, limits: Limits | None = None) -> None:
        self._credentials = credentials
        self._limits = limits or Limits()
        self._pace = Pace(self._limits.qps, self._limits.burst)
        self._closed = threading.Event()
        self._connect()

    def close(self) -> None:
        """Let go of all connections; whoever waits for its turn gets Unavailable. Safe to call twice."""
        self._closed.set()
        self._pool.close()

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: bytes | None = None,
        content_type: str = JSON,
    ) -> bytes:
        """The body of a good answer; any other is raised as an error of the port."""
        answer = self._ask(method, path, query or {}, body=body, content_type=content_type)
        return answer.data

    def open(self, path: str, query: Mapping[str, str], *, silence_s: float) -> Stream:
        """A long answer, line by line; it fails when nothing comes for ``silence_s``."""
        return Stream(self._ask("GET", path, query, silence_s=silence_s))

    def pause(self, seconds: float) -> None:
        """Wait, unless the transport is closed meanwhile: Unavailable then."""
        if self._closed.wait(seconds) if seconds > 0 else self._closed.is_set():
            raise Unavailable("the connection to the API server was closed: nothing was written")

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        body: bytes | None = None,
        content_type: str = JSON,
        silence_s: float = 0.0,
    ) -> urllib3.BaseHTTPResponse:
        """Ask until there is an answer that is neither "later" nor "who are you"."""
        url = f"{path}?{urlencode(query)}" if query else path
        renewed = False
        error: PortError = Unavailable("nothing was sent")
        for _ in range(self._limits.attempts):
            self.pause(self._pace.reserve())
            answer = self._once(method, url, body, content_type, silence_s)
            if answer.status < 300:
                return answer
            error = refusal(answer.status, answer.data)
            answer.release_conn()
            if answer.status == 401 and not renewed:
                renewed = True
                self._credentials.renew()
                self._connect()
            elif answer.status == 429 or (method == "GET" and answer.status == 503):
                self.pause(self._delay(answer.headers.get("retry-after", "")))
            else:
                raise error
        raise error

    def _once(
        self, method: str, url: str, body: bytes | None, content_type: str, silence_s: float
    ) -> urllib3.BaseHTTPResponse:
        """One request. A reading one is sent again when a kept connection turns out to be dead."""
        headers = {"accept": JSON, "user-agent": f"sluice/{__version__}"}
        if body is not None:
            headers["content-type"] = content_type
        if authorization := self._credentials.authorization():
            headers["authorization"] = authorization
        options: dict[str, Any] = {
            "body": body,
            "headers": headers,
            "timeout": urllib3.Timeout(connect=self._limits.connect_s, read=silence_s or self._limits.answer_s),
            "retries": False,
            "preload_content": not silence_s,
            "decode_content": not silence_s,
        }
        pool, target = self._current(), f"{self._prefix}{url}"
        try:
            try:
                return pool.urlopen(method, target, **options)
            except ProtocolError:
                if method != "GET":
                    raise
                return pool.urlopen(method, target, **options)
        except (HTTPError, OSError) as error:
            raise _outage(self._server.url, error) from error

    def _current(self) -> urllib3.HTTPConnectionPool:
        """The pool of this process: two processes on one connection would read each other's answers."""
        if self._process != os.getpid():
            self._connect()
        return self._pool

    def _connect(self) -> None:
        self._server = self._credentials.server()
        self._prefix = urlsplit(self._server.url).path.rstrip("/")
        self._pool = _pool(self._server)
        self._process = os.getpid()

    def _delay(self, retry_after: str) -> float:
        """Seconds, as the server wishes; a second where it only refused."""
        return min(float(retry_after) if retry_after.isdecimal() else 1.0, self._limits.longest_pause_s)


def _pool(server: Server) -> urllib3.HTTPConnectionPool:
    options: dict[str, object] = {"maxsize": CONNECTIONS, "block": False}
    if server.tls is not None:
        options["ssl_context"] = server.tls
        if server.tls.verify_mode == ssl.CERT_NONE:
            options["cert_reqs"] = "CERT_NONE"
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        if server.tls_name:
            options["server_hostname"] = options["assert_hostname"] = server.tls_name
    manager = urllib3.ProxyManager(server.proxy, **options) if server.proxy else urllib3.PoolManager(**options)  # type: ignore[arg-type]
    return manager.connection_from_url(server.url)


def _outage(url: str, error: BaseException) -> Unavailable:
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, NewConnectionError | ConnectTimeoutError):
        return Unavailable(f"no connection to the API server {url}: {reason}; nothing was written")
    if isinstance(reason, ssl.SSLError | urllib3.exceptions.SSLError):
        return Unavailable(f"no trusted connection to the API server {url}: {reason}; nothing was written")
    return Unavailable(f"the API server {url} did not answer: {reason}; whether a write happened is unknown")
