"""An answer that goes on: its lines as they come, and an end that another thread may set."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Generator

import urllib3
from urllib3.exceptions import HTTPError

from sluice.ports.errors import Unavailable

_AT_MOST = 1 << 16


class Stream:
    """Lines of one long answer, read by one thread."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response
        self._socket: socket.socket | None = getattr(response.connection, "sock", None)

    def lines(self) -> Generator[bytes, None, None]:
        """Whole lines; ends when the server ends the answer. Unavailable when the connection breaks or is silent."""
        rest = b""
        try:
            for chunk in self._response.stream(_AT_MOST, decode_content=False):
                *whole, rest = (rest + chunk).split(b"\n")
                yield from whole
        except (HTTPError, OSError, ValueError) as error:
            raise Unavailable(f"the connection broke: {error}") from error
        finally:
            self._response.close()

    def close(self) -> None:
        """End the reading, whichever thread does it. Safe to call twice.

        Closing the socket would not wake a thread that reads from it, shutting it down does; past the TLS layer, which
        another thread is inside of.
        """
        if self._socket is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
