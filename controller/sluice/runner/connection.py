"""One connection to a controller, from the TCP handshake to the last frame: TLS and WebSocket without ever blocking.

The socket is the courier's selector's business; the WebSocket protocol itself is the ``websockets`` library's, its part
without input and output. Only looking up a name blocks, before there is anything to relay.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI

from sluice.runner.dialling import Failure, Lost, Refused, Unreached

SUBPROTOCOL: Final = "sluice.runner.v1"
MAX_MESSAGE: Final = 64 * 1024 * 1024
"""Bytes of one message from the controller, at most."""
_ENOUGH: Final = 256 * 1024
_READ: Final = 256 * 1024
_REASON: Final = 120
_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
_UNDER_WAY = (0, errno.EINPROGRESS)


def call(url: str, *, attempt: int) -> socket.socket:
    """A socket on its way to the address; OSError where that can't even begin. Each attempt takes the next of a name's
    addresses."""
    parts = urlsplit(url)
    found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    family, kind, number, _, address = found[attempt % len(found)]
    sock = socket.socket(family, kind, number)
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    result = sock.connect_ex(address)
    if result not in _UNDER_WAY:
        sock.close()
        raise OSError(result, os.strerror(result))
    return sock


def ask(url: str, path: str, *, token: str) -> ClientProtocol:
    """The WebSocket's side of the line, with the request for the upgrade ready to be sent."""
    parts = urlsplit(url)
    uri = WebSocketURI(True, parts.hostname or "", parts.port or 443, path, "")
    protocol = ClientProtocol(uri, subprotocols=[Subprotocol(SUBPROTOCOL)], max_size=MAX_MESSAGE)
    request = protocol.connect()
    request.headers["Authorization"] = f"Bearer {token}"
    protocol.send_request(request)
    return protocol


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to believe: certificates of this name by the context's authority, whatever the address is."""

    context: ssl.SSLContext
    server_name: str

    @classmethod
    def of(cls, authority: str, server_name: str) -> Trust:
        """From the authority's certificate, PEM; ValueError where it is none."""
        try:
            context = ssl.create_default_context(cadata=authority)
        except ssl.SSLError as error:
            raise ValueError(f"it has no certificate that can be read: {error}") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return cls(context, server_name)


class Connection:
    """``failure`` says that it is over, and how. ``heard`` is when something came that was no mere sign of life of the
    library at the other end, seconds of the monotonic clock; at first, when it began.

    `advance` is called whenever the socket is ready for what is ``wanted``, and does what can be done.
    """

    def __init__(self, sock: socket.socket, protocol: ClientProtocol, trust: Trust, *, now: float) -> None:
        self.failure: Failure | None = None
        self.is_open = False
        self.heard = now
        self.wanted = selectors.EVENT_WRITE
        self._sock = sock
        self._protocol = protocol
        self._trust = trust
        self._tls: ssl.SSLSocket | None = None
        self._unsent = bytearray()
        self._parts: list[bytes] = []

    def fileno(self) -> int:
        """The descriptor, for a selector."""
        return (self._tls or self._sock).fileno()

    @property
    def has_room(self) -> bool:
        """Whether another message may be sent now; else it would only wait here."""
        return self.is_open and not self.failure and len(self._unsent) < _ENOUGH

    def advance(self, now: float) -> list[bytes]:
        """Connect, shake hands, send and receive as far as the socket allows; the messages that have arrived."""
        messages: list[bytes] = []
        try:
            tls = self._secured()
            self._flush(tls)
            self._receive(tls, now, messages)
            self._flush(tls)
        except ssl.SSLWantReadError:
            self.wanted = selectors.EVENT_READ
        except ssl.SSLWantWriteError:
            self.wanted = selectors.EVENT_READ | selectors.EVENT_WRITE
        except OSError as error:
            self._broke(error)
        return messages

    def send(self, body: bytes) -> None:
        """Queue a message; it leaves with the next `flush`."""
        if self.is_open and not self.failure:
            self._protocol.send_binary(body)
            self._unsent += b"".join(self._protocol.data_to_send())

    def flush(self) -> None:
        """Send what the socket takes now."""
        if self._tls is not None and self.is_open and not self.failure:
            try:
                self._flush(self._tls)
            except OSError as error:
                self._broke(error)

    def abandon(self, failure: Lost) -> None:
        """It is over from this side; say so, if anybody is there."""
        if self.is_open and not self.failure:
            self._protocol.send_close(failure.code, failure.why[:_REASON])
            self.flush()
        self._end(failure if self.is_open else Unreached(failure.why))

    def close(self) -> None:
        """Let go of the socket; safe to repeat."""
        (self._tls or self._sock).close()

    def _secured(self) -> ssl.SSLSocket:
        """The socket once TLS stands; SSLWantReadError and SSLWantWriteError until then."""
        if self._tls is None:
            failed = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if failed:
                raise OSError(failed, os.strerror(failed))
            context, name = self._trust.context, self._trust.server_name
            self._tls = context.wrap_socket(self._sock, server_hostname=name, do_handshake_on_connect=False)
        if self._tls.version() is None:
            self._tls.do_handshake()
        return self._tls

    def _flush(self, tls: ssl.SSLSocket) -> None:
        self._unsent += b"".join(self._protocol.data_to_send())
        self.wanted = selectors.EVENT_READ
        while self._unsent:
            try:
                sent = tls.send(self._unsent)
            except ssl.SSLWantWriteError:
                self.wanted = selectors.EVENT_READ | selectors.EVENT_WRITE
                return
            except ssl.SSLWantReadError:
                return
            del self._unsent[:sent]

    def _receive(self, tls: ssl.SSLSocket, now: float, messages: list[bytes]) -> None:
        while not self.failure:
            try:
                data = tls.recv(_READ)
            except ssl.SSLWantReadError:
                return
            if data:
                self._protocol.receive_data(data)
                self._take(self._protocol.events_received(), now, messages)
            else:
                self._protocol.receive_eof()
                self._take(self._protocol.events_received(), now, messages)
                self._broke(OSError("the other side hung up"))

    def _take(self, events: list[Any], now: float, messages: list[bytes]) -> None:
        if not events or not all(isinstance(event, Frame) and event.opcode not in _DATA for event in events):
            self.heard = now
        for event in events:
            if isinstance(event, Response):
                self._answered(event)
            elif event.opcode in _DATA:
                self._parts.append(bytes(event.data))
                if event.fin:
                    messages.append(b"".join(self._parts))
                    self._parts.clear()
            elif event.opcode is Opcode.CLOSE and self._protocol.close_rcvd:
                self._end(Lost(self._protocol.close_rcvd.code, self._protocol.close_rcvd.reason))
        if self._protocol.parser_exc is not None and self._protocol.close_sent is not None:
            self._end(Lost(self._protocol.close_sent.code, str(self._protocol.parser_exc)))
        if self._protocol.handshake_exc is not None:
            self._end(Unreached(f"what answers is no controller: {self._protocol.handshake_exc}"))

    def _answered(self, response: Response) -> None:
        """The upgrade, or an answer instead of it."""
        if isinstance(self._protocol.handshake_exc, InvalidStatus):
            leader = _first(response.headers.get_all("Sluice-Leader"))
            retry_after = _first(response.headers.get_all("Retry-After"))
            self._end(Refused(response.status_code, leader, retry_after))
        elif self._protocol.subprotocol is None:
            self._end(Unreached(f"what answers is no controller: it does not speak {SUBPROTOCOL}"))
        else:
            self.is_open = True

    def _broke(self, error: OSError) -> None:
        why = getattr(error, "verify_message", "") or error.strerror or str(error) or type(error).__name__
        self._end(Lost(1006, why) if self.is_open else Unreached(why))

    def _end(self, failure: Failure) -> None:
        """The first cause is the cause."""
        self.failure = self.failure or failure


def _first(values: Iterable[str]) -> str:
    return next(iter(values), "").strip()
