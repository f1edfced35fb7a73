"""What controller and Runner have said of the one segment, and so what each is to be told. Pure.

The courier between them adds nothing of its own but the end: it lets the Runner go once the segment is over. Every word
that keeps the Runner's lease alive is one of the controller's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from sluice.runner.outbox import Outbox
from sluice.runner.protocol import Message, ProtocolError

_BYE = b'["bye"]'


class Exchange:
    """``outbox`` holds what is to reach the controller in any case; ``for_controller`` what only this connection is for;
    ``for_runner`` what the Runner is to be told. Whoever takes something out of these lists clears them.

    ``over`` says why nothing is left to do, empty while something is.
    """

    def __init__(self, scratch: str, *, version: str, say_once: Callable[[str], None]) -> None:
        self.outbox = Outbox()
        self.assigned = False
        self.over = ""
        self.for_runner: list[bytes] = []
        self.for_controller: list[bytes] = []
        self._scratch = scratch
        self._version = version
        self._say_once = say_once
        self._terms: dict[str, Any] | None = None
        self._cancelled: set[bytes] = set()

    def connect(self) -> None:
        """There is a new connection: say hello, and again what was not acknowledged."""
        self._terms = None
        self.outbox.rewind()
        self.for_controller = [orjson.dumps(["hello", {"assigned": self.assigned, "version": self._version}])]

    def hear_controller(self, body: bytes) -> None:
        """Take in a message; raises ProtocolError for what is none."""
        if self.over:
            return
        name = _name_of(body)
        if name in ("heartbeat", "told"):
            self.for_runner.append(body)
        elif name == "cancel":
            self._cancel(body)
        elif name == "ack":
            self._acknowledged(body)
        elif name == "define":
            self._define(body)
        elif name == "assign":
            self._assign(body)
        elif name == "drop":
            self._end(body, "the controller wants no more of this segment")
        else:
            self._say_once(f"the controller said {name!r}, which this version does not know; ignored")

    def hear_runner(self, message: Message) -> None:
        """Take in what the Runner says. It asks to leave whenever it has nothing to do, and hears of it in time."""
        match message:
            case ["events", 1, int(first), list(events), bool(closes)]:
                self.outbox.put(first, events, closes=closes)
            case ["heartbeat"]:
                self.for_controller.append(b'["heartbeat"]')

    def _define(self, body: bytes) -> None:
        match _decode(body):
            case ["define", dict(terms)]:
                self._terms = terms | {"scratch": self._scratch, "idle": 0}
            case _:
                raise ProtocolError("terms are a map")

    def _assign(self, body: bytes) -> None:
        """Terms and assignment reach the Runner together and once, however often a connection breaks between them."""
        if self.assigned:
            return
        if self._terms is None:
            raise ProtocolError("an assignment came before its terms")
        self.for_runner += [orjson.dumps(["define", self._terms]), body]
        self._terms = None
        self.assigned = True

    def _cancel(self, body: bytes) -> None:
        """A controller says so again over each new connection; to the run it happens once."""
        if body not in self._cancelled:
            self._cancelled.add(body)
            self.for_runner.append(body)

    def _acknowledged(self, body: bytes) -> None:
        match _decode(body):
            case ["ack", 1, int(sequence), True]:
                self.outbox.acknowledge(sequence)
            case ["ack", 1, int(), False]:
                self._end(body, "the segment belongs to a newer epoch")
                return
            case _:
                raise ProtocolError(
                    "an acknowledgement names the segment, a sequence number, and whether it is accepted"
                )
        if self.outbox.closed:
            self._end(body, "all of it is recorded")
        else:
            self.for_runner.append(body)

    def _end(self, body: bytes, why: str) -> None:
        self.over = why
        self.for_runner += [body, _BYE]


def _name_of(body: bytes) -> str:
    """A message's first item, without decoding the rest, which may be long."""
    parts = body[:200].split(b'"', 2)
    if len(parts) != 3 or parts[0].strip() != b"[":
        raise ProtocolError("a message is no list that begins with its name")
    return parts[1].decode("ascii", "replace")


def _decode(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ProtocolError(f"a message is no JSON: {error}") from error
