"""uvicorn's WebSocket connections, made fit for a server that refuses some, and stops while others are ending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection, uvicorn's but for its end when the server stops, and for refusals."""

    async def send(self, message: ASGISendEvent) -> None:
        """Send it. A refusal, once whole, is an answer too: uvicorn's own would log each as an error of the application.

        Whoever was still being looked at when the server stopped has had its answer, and gets no second one.
        """
        if self.conn.eof_sent and not self.handshake_complete:
            raise ClientDisconnected
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True

    def shutdown(self) -> None:
        """Say that the server stops; to a peer that has just said goodbye, nothing.

        uvicorn's own raises what it may not say then, and the server would leave all other connections as they are.
        """
        try:
            super().shutdown()
        except InvalidState:
            self.transport.close()
