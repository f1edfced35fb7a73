"""Where a request came from, known to everything that is done for it; and a word to whoever keeps account of denials."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ORIGIN: ContextVar[str] = ContextVar("origin", default="")
"""The client's address and program, empty outside of requests."""

AGENT_LIMIT = 128


@dataclass(frozen=True, slots=True)
class Denial:
    """A request that was refused for who sent it: 401 or 403."""

    scope: Scope
    status: int
    origin: str


class Origins:
    """Notes where each request comes from while ``app`` answers it, and reports denials."""

    def __init__(self, app: ASGIApp, denied: Callable[[Denial], None]) -> None:
        """``denied`` is called on the event loop: it must be quick."""
        self._app = app
        self._denied = denied

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        origin = _origin_of(scope)
        token = ORIGIN.set(origin)

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in (401, 403):
                self._denied(Denial(scope, message["status"], origin))
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            ORIGIN.reset(token)


def _origin_of(scope: Scope) -> str:
    client = scope.get("client")
    agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
    return f"{client[0] if client else 'local'} {agent[:AGENT_LIMIT].decode('latin-1')}".strip()
