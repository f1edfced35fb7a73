"""The HTTP server: groups of routes put together into one application, and run on the main thread."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from ssl import SSLContext
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Match

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

GRACE = 5
"""Seconds that requests in flight have to end when the server stops."""

BACKLOG = 2048
"""Connections that may wait to be accepted."""

_WEBSOCKETS = "sluice.http.websockets:WebSocketProtocol"
"""Loaded only where there are any."""

KEEP_ALIVE = 120
"""Seconds that an idle connection stays open: longer than clients keep theirs, so that none sends into a closed one."""


def _nothing() -> None:
    """What a group does that needs nothing at start or end."""


@dataclass(frozen=True, slots=True)
class RouteGroup:
    """Routes that belong together, and what is called for them on the event loop.

    ``starting`` before the first request; ``closing`` as the first thing at the end, maybe twice: it must end every
    response that would go on; ``stopped`` after the last response.
    """

    routes: Sequence[BaseRoute]
    starting: Callable[[], None] = _nothing
    closing: Callable[[], None] = _nothing
    stopped: Callable[[], None] = _nothing


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM form: the certificate chain and its key."""

    certfile: str
    keyfile: str


@dataclass(frozen=True, slots=True)
class WebSockets:
    """WebSockets are served too; a message has at most ``max_message`` bytes."""

    max_message: int


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers. ``stop`` ends it from any thread, and returns at once."""

    url: str
    port: int
    stop: Callable[[], None]


class Segments(BaseRoute):
    """All paths whose first segment is one of ``names`` go to one application, their path unchanged."""

    def __init__(self, names: Iterable[str], app: ASGIApp) -> None:
        self._names = frozenset(names)
        self._app = app

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the path begins so."""
        if scope["type"] == "http" and scope["path"].split("/", 2)[1] in self._names:
            return Match.FULL, {}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on."""
        await self._app(scope, receive, send)


def compose(groups: Sequence[RouteGroup]) -> Starlette:
    """One application of all groups; a path goes to the first route that takes it."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        for group in groups:
            group.starting()
        try:
            yield
        finally:
            _close(groups)
            for group in groups:
                group.stopped()

    app = Starlette(routes=[route for group in groups for route in group.routes], lifespan=lifespan)
    app.state.groups = groups
    return app


def serve(  # noqa: PLR0913 - what a server is told
    app: Starlette,
    *,
    host: str = "127.0.0.1",
    port: int = 7717,
    fd: int | None = None,
    tls: Tls | SSLContext | None = None,
    websockets: WebSockets | None = None,
    ready: Callable[[Running], None],
) -> None:
    """Serve ``app`` on the calling thread until SIGINT, SIGTERM (where that is the main one) or ``Running.stop``.

    ``ready`` is called on the event loop once requests are answered; port 0 takes a free one. ``fd`` is a listening
    socket that was inherited. A context given as ``tls`` may get other certificates while it serves. Raises OSError,
    naming the address, when it can't be listened on.
    """
    files = tls if isinstance(tls, Tls) else None
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws=_WEBSOCKETS if websockets else "none",
        ws_max_size=websockets.max_message if websockets else 0,
        ws_ping_interval=None,  # what keeps a connection alive is said by the application
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
        ssl_certfile=files.certfile if files else None,
        ssl_keyfile=files.keyfile if files else None,
    )
    config.load()
    if isinstance(tls, SSLContext):
        config.ssl = tls

    def tell_ready() -> None:
        ready(_running(listener, server, is_tls=tls is not None))

    with _listening(host, port) if fd is None else socket.socket(fileno=fd) as listener:
        server = _Server(config, tell_ready, partial(_close, app.state.groups))
        server.run(sockets=[listener])


class CannotListenError(OSError):
    """The address is taken, not this machine's, or not allowed; says what to do."""


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        # Python adds to strerror what was tried; the system's own words are enough here.
        why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise CannotListenError(
            f"can't listen on {host}:{port}: {why}; choose another address with --listen, such as --listen 127.0.0.1:0"
        ) from error


def _running(listener: socket.socket, server: uvicorn.Server, *, is_tls: bool) -> Running:
    host, port = listener.getsockname()[:2]

    def stop() -> None:
        server.should_exit = True

    shown = f"[{host}]" if ":" in host else host
    return Running(f"{'https' if is_tls else 'http'}://{shown}:{port}", port, stop)


class _Server(uvicorn.Server):
    """uvicorn's server, which tells when it is ready and ends endless responses before it waits for the others."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], closing: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready
        self._closing = closing

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what would never end by itself, then wait for the rest."""
        self._closing()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Stop; a second Ctrl-C waits for nothing.

        uvicorn's own raises the signal once more at the end, which would kill the program before it has cleaned up.
        """
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def _close(groups: Sequence[RouteGroup]) -> None:
    for group in groups:
        group.closing()
