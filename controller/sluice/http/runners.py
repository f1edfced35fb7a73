"""The runners' door: a WebSocket for each segment, over which its pod fetches the assignment and reports.

The protocol is that of ``sluice.runner.protocol``, one message in each binary frame. Who comes is asked for the token of
its pod; what a refusal means to a runner is told by the HTTP status that stands in place of the upgrade.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol

import orjson
from starlette.responses import PlainTextResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from sluice.adapters.kubernetes.launching.desk import Refusal
from sluice.adapters.kubernetes.launching.seats import Claim, Link, Seat
from sluice.http.server import RouteGroup
from sluice.runner.protocol import Message

PATH: Final = "/runner/v1/segments/{run}/{unit}/{epoch:int}"
SUBPROTOCOL: Final = "sluice.runner.v1"
CONNECTIONS: Final = 5000
"""Runners that are connected at a time, at most."""
MAX_MESSAGE: Final = 16 * 1024 * 1024
REVIEWS: Final = 16
"""Tokens that are reviewed at a time."""
HELLO_S: Final = 15.0
MISBEHAVED: Final = 1008
"""A runner that is told this stops: it would only do it again."""
LATER: Final = 1013
"""A runner that is told this comes again."""

log = logging.getLogger(__name__)


class Desk(Protocol):
    """Who decides about runners; see ``adapters.kubernetes.launching.desk``."""

    def admit(self, claim: Claim, token: str) -> Seat | Refusal:
        """May block."""

    def begin(self, seat: Seat, link: Link, *, assigned: bool) -> None:
        """Connected."""

    def heard(self, seat: Seat, link: Link, message: Message) -> None:
        """Said something."""

    def left(self, seat: Seat, link: Link) -> None:
        """Gone."""


class WebSocketLink:
    """One connection. What any thread sends leaves on the event loop, in order; a round of it in one wake-up."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._loop = asyncio.get_running_loop()
        self._unsent: deque[bytes] = deque()
        self._closing: tuple[int, str] | None = None
        self._wake = asyncio.Event()

    def send(self, *messages: Message) -> None:
        """See ``seats.Link``."""
        for message in messages:
            self._unsent.append(orjson.dumps(message))
        self._wake_up()

    def close(self, code: int, reason: str) -> None:
        """See ``seats.Link``."""
        self._closing = self._closing or (code, reason)
        self._wake_up()

    async def deliver(self) -> None:
        """Send what there is to send until the connection is to be closed, and close it."""
        while True:
            while self._unsent:
                await self._websocket.send_bytes(self._unsent.popleft())
            if self._closing is not None:
                await self._websocket.close(*self._closing)
                return
            await self._wake.wait()
            self._wake.clear()

    def _wake_up(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it the connection
            self._loop.call_soon_threadsafe(self._wake.set)


class RunnerDoor:
    """The endpoint."""

    def __init__(self, desk: Desk, *, hello_s: float = HELLO_S) -> None:
        self._desk = desk
        self._hello_s = hello_s
        self._reviews = ThreadPoolExecutor(REVIEWS, thread_name_prefix="review")
        self._connected: set[WebSocketLink] = set()

    @property
    def connected(self) -> int:
        """How many runners are connected."""
        return len(self._connected)

    async def __call__(self, websocket: WebSocket) -> None:
        """One runner, from its upgrade to its end."""
        admitted = await self._admit(websocket)
        if isinstance(admitted, Refusal):
            await websocket.send_denial_response(
                PlainTextResponse(admitted.reason, status_code=admitted.status, headers=admitted.headers)
            )
            return
        await websocket.accept(subprotocol=SUBPROTOCOL)
        link = WebSocketLink(websocket)
        self._connected.add(link)
        delivery = asyncio.create_task(link.deliver())
        try:
            await self._listen(websocket, admitted, link)
        except TimeoutError:  # of a process that stood still the runner's word is there, and so is the end of its time
            link.close(LATER, "no hello in time")
        except (WebSocketDisconnect, RuntimeError):  # RuntimeError: it was closed from here while we waited
            pass
        finally:
            self._connected.discard(link)
            self._desk.left(admitted, link)
            link.close(1000, "")
            await _end(delivery)

    def close(self) -> None:
        """Send all runners away, to come again."""
        for link in tuple(self._connected):
            link.close(1012, "the controller stops")

    async def _admit(self, websocket: WebSocket) -> Seat | Refusal:
        given = websocket.path_params
        scheme, _, token = websocket.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return Refusal(401, "show the pod's token of audience sluice as a bearer token")
        if SUBPROTOCOL not in websocket.scope.get("subprotocols", ()):
            return Refusal(400, f"speak {SUBPROTOCOL}")
        if self.connected >= CONNECTIONS:
            return Refusal(503, "too many runners are connected", {"Retry-After": "5"})
        claim = Claim(given["run"], given["unit"], given["epoch"])
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._reviews, self._desk.admit, claim, token)
        except Exception:
            log.exception("a runner of run %s could not be let in", claim.run_uid)
            return Refusal(503, "something went wrong here", {"Retry-After": "5"})

    async def _listen(self, websocket: WebSocket, seat: Seat, link: WebSocketLink) -> None:
        hello = _decoded(await asyncio.wait_for(websocket.receive_bytes(), self._hello_s))
        match hello:
            case ["hello", {"assigned": bool(assigned)}]:
                self._desk.begin(seat, link, assigned=assigned)
            case _:
                link.close(MISBEHAVED, "no hello")
        while True:
            message = _decoded(await websocket.receive_bytes())
            if message is None:
                link.close(MISBEHAVED, "no message")
            else:
                self._desk.heard(seat, link, message)


def runner_group(desk: Desk, *, hello_s: float = HELLO_S) -> tuple[RouteGroup, RunnerDoor]:
    """The route, and the door behind it. A runner has ``hello_s`` seconds for its first word."""
    door = RunnerDoor(desk, hello_s=hello_s)

    async def endpoint(websocket: WebSocket) -> None:
        await door(websocket)

    return RouteGroup([WebSocketRoute(PATH, endpoint)], closing=door.close), door


def _decoded(data: bytes) -> Message | None:
    try:
        message: Any = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return message if isinstance(message, list) and message else None


async def _end(task: asyncio.Task[None]) -> None:
    """Let it say its last words, briefly."""
    _, pending = await asyncio.wait({task}, timeout=1)
    for unfinished in pending:
        unfinished.cancel()
    with contextlib.suppress(asyncio.CancelledError, RuntimeError, WebSocketDisconnect):
        await task
