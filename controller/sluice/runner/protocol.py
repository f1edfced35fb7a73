"""What the program inside a run and the controller say to each other: length-prefixed JSON frames over a stream.

A frame is four bytes of length, big-endian, and a JSON list whose first item names the message:

========== ========== ==================================================================================================
sent by    message    means
========== ========== ==================================================================================================
controller define     ``[definition]``: ``{level, definition, limits, scratch, keep, idle, lease}``; once, first. From
                      another machine with ``now``, its time (microseconds, UTC): all times are the controller's
controller assign     ``[number, segment]``: ``{run, unit, epoch, input, limits, history, deadline, cancel}``; numbers are
                      by link, ``cancel`` is why the run is to end, empty if it is not
controller ack        ``[number, sequence, accepted]``: everything up to ``sequence`` is durable, or the epoch is old
controller cancel     ``[number, reason]``: cancel the steps, run ``finally``, end
controller drop       ``[number]``: stop at once, report nothing more
controller told       ``[number, event]``: this was recorded elsewhere: the end of a step that has a pod of its own
runner     events     ``[number, first, events, closes]``: an append; an event is ``[kind, step, attempt, at, body]``
both       heartbeat  ``[]``: the runner answers each; a silent controller ends the lease
both       bye        ``[]``: the runner asks to leave, the controller agrees by the same word (or has assigned more)
========== ========== ==================================================================================================

The same messages pass between runner and workers as ``[task, ...]``; see ``worker``. Nothing here knows sockets'
addresses, so that another transport can carry the frames.
"""

from __future__ import annotations

import socket
import struct
from typing import Any

import orjson

_LENGTH = struct.Struct(">I")
_READ = 256 * 1024
MAX_FRAME = 64 * 1024 * 1024

Message = list[Any]


class ProtocolError(Exception):
    """The other side sent something that is no frame; the link is of no use any more."""


class Closed(Exception):
    """The other side is gone."""


def encode(message: Message) -> bytes:
    """The frame of a message. `orjson.Fragment` may stand for JSON that is encoded already."""
    return _frame(orjson.dumps(message))


class Frames:
    """Takes bytes as they come and gives the messages that are complete."""

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._awaited = _LENGTH.size

    def feed(self, data: bytes) -> list[Message]:
        """Messages completed by ``data``, in order; raises ProtocolError for what is none."""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._awaited:
                return []
            data, self._rest = bytes(self._rest), bytearray()
        return self._split(data)

    def _split(self, data: bytes) -> list[Message]:
        view, position, messages = memoryview(data), 0, []
        self._awaited = _LENGTH.size
        while len(data) - position >= _LENGTH.size:
            start = position + _LENGTH.size
            (size,) = _LENGTH.unpack_from(data, position)
            if size > self._limit:
                raise ProtocolError(f"a frame of {size} bytes is over the limit of {self._limit}")
            if len(data) - start < size:
                self._awaited = _LENGTH.size + size
                break
            messages.append(_decode(view[start : start + size]))
            position = start + size
        self._rest += view[position:]
        return messages


def _frame(body: bytes) -> bytes:
    return _LENGTH.pack(len(body)) + body


def _decode(body: memoryview) -> Message:
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ProtocolError(f"a frame is no JSON: {error}") from error
    if not isinstance(message, list) or not message:
        raise ProtocolError("a frame is no list with something in it")
    return message


class Channel:
    """A socket that never blocks, with what could not be sent yet. For one thread; the owner guards it otherwise."""

    def __init__(self, sock: socket.socket, *, limit: int = MAX_FRAME) -> None:
        sock.setblocking(False)
        self.sock = sock
        self._frames = Frames(limit)
        self._unsent = bytearray()

    def fileno(self) -> int:
        """The descriptor, for a selector."""
        return self.sock.fileno()

    @property
    def pending(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._unsent)

    def put(self, message: Message) -> None:
        """Queue a message; it leaves with the next `flush`."""
        self._unsent += encode(message)

    def put_encoded(self, body: bytes) -> None:
        """Queue a message that is JSON already."""
        self._unsent += _frame(body)

    def flush(self) -> None:
        """Send what the socket takes now; raises Closed if nobody is there."""
        while self._unsent:
            try:
                sent = self.sock.send(self._unsent)
            except BlockingIOError:
                return
            except OSError as error:
                raise Closed(str(error)) from error
            del self._unsent[:sent]

    def receive(self) -> list[Message]:
        """The messages that have arrived, none if there are none; raises Closed at the end of the stream."""
        try:
            data = self.sock.recv(_READ)
        except BlockingIOError:
            return []
        except OSError as error:
            raise Closed(str(error)) from error
        if not data:
            raise Closed("the stream ended")
        return self._frames.feed(data)

    def close(self) -> None:
        """Close the socket; safe to repeat."""
        self.sock.close()
