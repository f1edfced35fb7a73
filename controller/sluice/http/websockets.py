"""uvicorn's WebSocket connections, made fit for a server that stops while some of them are ending by themselves."""

from __future__ import annotations

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection. Everything but its end when the server stops is uvicorn's."""

    def shutdown(self) -> None:
        """Say that the server stops; to a peer that has just said goodbye, nothing.

        uvicorn's own raises what it may not say then, and the server would leave all other connections as they are.
        """
        try:
            super().shutdown()
        except InvalidState:
            self.transport.close()
