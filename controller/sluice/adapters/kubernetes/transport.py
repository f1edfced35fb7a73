"""Requests to an API server: pooled connections, a pace, patience when it says "not now", and errors of the port.

What is written once is never sent twice by itself: a request is repeated only if the server said that it did not begin
with it (429), or if it only reads. Where there is one leader among several, every write is held back once it is not this
process any more.
"""

from __future__ import annotations

import os
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProtocolError

from sluice import __version__
from sluice.adapters.kubernetes.answers import refusal
from sluice.adapters.kubernetes.credentials import Credentials, Server
from sluice.adapters.kubernetes.pacing import Pace
from sluice.adapters.kubernetes.requests import Requests
from sluice.adapters.kubernetes.streams import Stream
from sluice.ports.errors import Fenced, PortError, Unavailable

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


@dataclass(frozen=True, slots=True)
class _Request:
    """What is asked. ``silence_s`` above 0 is for an answer that goes on: how long nothing may come."""

    method: str
    url: str
    body: bytes | None = None
    content_type: str = JSON
    silence_s: float = 0.0
    reads: bool = False
    """It changes nothing, so it may be sent again, and anybody may send it."""

    @property
    def verb(self) -> str:
        """What it is counted as."""
        return "WATCH" if self.silence_s else self.method


class Transport:
    """One server, one identity, any number of threads; a forked child opens connections of its own.

    ``may_write`` is asked right before anything is sent that is not a mere read, each time that it is sent; what it says
    no to is Fenced. Without it everything may be written. ``requests`` counts what is asked, by itself or beside others.
    """

    def __init__(
        self,
        credentials: Credentials,
        limits: Limits | None = None,
        *,
        may_write: Callable[[], bool] | None = None,
        requests: Requests | None = None,
    ) -> None:
        self.requests = requests or Requests()
        self._credentials = credentials
        self._limits = limits or Limits()
        self._may_write = may_write
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
        """The body of a good answer; any other is raised as an error of the port.

        Fenced for anything but a GET when this process may not write (any more); nothing was sent then.
        """
        request = _Request(method, _url(path, query), body, content_type, reads=method == "GET")
        return self._ask(request).data

    def review(self, path: str, body: bytes) -> bytes:
        """POST a question that the server answers and does not keep, such as a TokenReview: it counts as a read."""
        return self._ask(_Request("POST", path, body, reads=True)).data

    def open(self, path: str, query: Mapping[str, str], *, silence_s: float) -> Stream:
        """A long answer, line by line; it fails when nothing comes for ``silence_s``."""
        return Stream(self._ask(_Request("GET", _url(path, query), silence_s=silence_s, reads=True)))

    def pause(self, seconds: float) -> None:
        """Wait, unless the transport is closed meanwhile: Unavailable then."""
        if self._closed.wait(seconds) if seconds > 0 else self._closed.is_set():
            raise Unavailable("the connection to the API server was closed: nothing was written")

    def _ask(self, request: _Request) -> urllib3.BaseHTTPResponse:
        """Ask until there is an answer that is neither "later" nor "who are you"."""
        renewed = False
        error: PortError = Unavailable("nothing was sent")
        for _ in range(self._limits.attempts):
            pause = self._pace.reserve()
            self.requests.paced(pause)
            self.pause(pause)
            answer = self._once(request)
            if answer.status < 300:
                return answer
            error = refusal(answer.status, answer.data)
            answer.release_conn()
            if answer.status == 401 and not renewed:
                renewed = True
                self._credentials.renew()
                self._connect()
            elif answer.status == 429 or (request.reads and answer.status == 503):
                self.pause(self._delay(answer.headers.get("retry-after", "")))
            else:
                raise error
        raise error

    def _once(self, request: _Request) -> urllib3.BaseHTTPResponse:
        """One request. A reading one is sent again when a kept connection turns out to be dead."""
        headers = {"accept": JSON, "user-agent": f"sluice/{__version__}"}
        if request.body is not None:
            headers["content-type"] = request.content_type
        if authorization := self._credentials.authorization():
            headers["authorization"] = authorization
        options: dict[str, Any] = {
            "body": request.body,
            "headers": headers,
            "timeout": urllib3.Timeout(connect=self._limits.connect_s, read=request.silence_s or self._limits.answer_s),
            "retries": False,
            "preload_content": not request.silence_s,
            "decode_content": not request.silence_s,
        }
        pool, target = self._current(), f"{self._prefix}{request.url}"
        if not request.reads and self._may_write is not None and not self._may_write():
            path, _, _ = request.url.partition("?")
            raise Fenced(f"{request.method} {path}: not the leader any more; nothing was written")
        asked, code = time.monotonic(), "<error>"
        try:
            try:
                answer = pool.urlopen(request.method, target, **options)
            except ProtocolError:
                if not request.reads:
                    raise
                answer = pool.urlopen(request.method, target, **options)
            code = str(answer.status)
        except (HTTPError, OSError) as error:
            raise _outage(self._server.url, error) from error
        finally:
            self.requests.answered(request.verb, code, time.monotonic() - asked)
        return answer

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


def _url(path: str, query: Mapping[str, str] | None) -> str:
    return f"{path}?{urlencode(query)}" if query else path


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
