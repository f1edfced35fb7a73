"""A controller that a test plays: a real server with TLS, which keeps what pods append and fails as it is told to.

It has a thread of its own, with an event loop: Python's TLS sockets are not to be used by two threads at once.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from sluice.domain.run.events import Event
from sluice.runner.protocol import Message
from tests.contracts.launcher.segments import LIMITS
from tests.runner.authority import Vouched

GIVEN = {"payload": None, "params": {}, "env": {}, "run": {"id": "r", "name": "r"}, "trigger": {}}
TERMS = {"level": 1, "limits": LIMITS, "scratch": "/nowhere", "keep": 60, "idle": 30, "lease": 60}
PATIENCE = 30


@dataclass(frozen=True)
class Refusal:
    """An answer instead of the upgrade."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)


class Cut(Exception):
    """The connection is to be broken here."""


@dataclass
class Played:
    """What is played, and what was seen. ``refusals`` are answers for the next connections, ``cuts`` the moments (counted
    over all connections) after which the line breaks: each message heard, recorded, or said is one.

    ``script`` sees each message heard before it is acted upon, and may say or raise something; it is awaited if it can be.
    """

    graph: dict[str, Any]
    terms: dict[str, Any] = field(default_factory=dict)
    refusals: deque[Refusal] = field(default_factory=deque)
    cuts: set[int] = field(default_factory=set)
    repeats_acknowledgements: bool = False
    assigns: bool = True
    script: Callable[[Conversation, Message], Awaitable[Any] | None] = lambda _, __: None
    history: list[Event] = field(default_factory=list)
    ledger: list[Event] = field(default_factory=list)
    closed: bool = False
    accepted: bool = True
    moments: list[str] = field(default_factory=list)
    hellos: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    farewells: list[tuple[int, str]] = field(default_factory=list)
    conversations: list[Conversation] = field(default_factory=list)
    url: str = ""
    changed: threading.Condition = field(default_factory=threading.Condition)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Until it is true."""
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE), "waited in vain"

    def say(self, message: Message) -> None:
        """Say something over the latest connection, from the test's own thread."""
        said = asyncio.run_coroutine_threadsafe(self.conversations[-1].say(message), self.loop)
        said.result(PATIENCE)

    @property
    def told(self) -> list[str]:
        """The ledger in short."""
        return [f"{event.kind} {event.step}".strip() for event in self.ledger]

    def record(self, first: int, events: list[Any], closes: bool) -> None:
        """As the ledger does: repeats are taken, gaps are not."""
        assert first <= len(self.ledger) + 1, "an append is missing"
        for place, event in enumerate(events, start=first - 1):
            if place < len(self.ledger):
                assert self.ledger[place] == Event(*event)
            else:
                assert not self.closed, "something came after the end"
                self.ledger.append(Event(*event))
        self.closed = self.closed or closes


class Conversation:
    """One connection of a pod."""

    def __init__(self, played: Played, socket_: ServerConnection) -> None:
        self.played = played
        self.socket = socket_

    async def say(self, *messages: Message) -> None:
        for message in messages:
            await self.socket.send(orjson.dumps(message))
            self._moment(f"said {message[0]}")

    async def serve(self) -> None:
        try:
            async for body in self.socket:
                assert isinstance(body, bytes)
                message = orjson.loads(body)
                self._moment(f"heard {message[0]}")
                scripted = self.played.script(self, message)
                if scripted is not None:
                    await scripted
                await self._obey(message)
        except Cut:
            self.socket.transport.abort()
        except ConnectionClosed:
            return
        finally:
            with self.played.changed:
                self.played.farewells.append((self.socket.close_code or 0, self.socket.close_reason or ""))
                self.played.changed.notify_all()

    async def assign(self) -> None:
        """Give the pod its work."""
        played = self.played
        segment = {"run": {"uid": "r"}, "unit": "main", "epoch": 1, "input": GIVEN, "deadline": 0}
        await self.say(["define", TERMS | {"definition": played.graph} | played.terms])
        await self.say(["assign", 1, segment | {"history": [list(event) for event in played.history]}])

    async def _obey(self, message: Message) -> None:
        match message:
            case ["hello", hello]:
                self.played.hellos.append(hello)
                if not hello["assigned"] and self.played.assigns:
                    await self.assign()
            case ["events", 1, first, events, closes]:
                if self.played.accepted:
                    self.played.record(first, events, closes)
                    self._moment("recorded")
                answer = ["ack", 1, first + len(events) - 1, self.played.accepted]
                await self.say(*[answer] * (2 if self.played.repeats_acknowledgements else 1))

    def _moment(self, what: str) -> None:
        played = self.played
        with played.changed:
            played.moments.append(what)
            played.changed.notify_all()
            if len(played.moments) in played.cuts:
                raise Cut


@contextmanager
def playing(played: Played, vouched: Vouched) -> Iterator[Played]:
    """Serve; ``url`` is where."""

    def answer(connection: ServerConnection, request: Request) -> Response | None:
        with played.changed:
            played.requests.append((request.path, request.headers["Authorization"]))
            played.changed.notify_all()
            refusal = played.refusals.popleft() if played.refusals else None
        if refusal is None:
            return None
        response = connection.respond(refusal.status, "no\n")
        response.headers.update(refusal.headers)
        return response

    async def converse(connection: ServerConnection) -> None:
        conversation = Conversation(played, connection)
        played.conversations.append(conversation)
        await conversation.serve()

    async def begin() -> None:
        nonlocal server
        subprotocols = [Subprotocol("sluice.runner.v1")]
        server = await serve(
            converse, "127.0.0.1", 0, ssl=vouched.context, subprotocols=subprotocols, process_request=answer,
            compression=None, max_size=16 * 1024 * 1024, close_timeout=1,
        )  # fmt: skip
        (listening,) = server.sockets
        played.url = f"https://127.0.0.1:{listening.getsockname()[1]}"

    async def end() -> None:
        server.close()
        await server.wait_closed()

    def run(step: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(step, played.loop).result(PATIENCE)

    server: Server
    thread = threading.Thread(target=played.loop.run_forever)
    thread.start()
    try:
        run(begin())
        try:
            yield played
        finally:
            run(end())
    finally:
        played.loop.call_soon_threadsafe(played.loop.stop)
        thread.join()
        played.loop.close()
