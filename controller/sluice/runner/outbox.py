"""Appends on their way to the ledger: kept until acknowledged, sent again in order over each new connection.

A pure queue. The ledger takes repeats, so what may have arrived is sent again; what was acknowledged is not. An
acknowledgement names a sequence number and means everything up to it. The one append that it can't name is a closing
one without events, which has the number of the append before: that one leaves only after all others are acknowledged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

MAX_MESSAGE: Final = 16 * 1024 * 1024
"""Bytes of one message to the controller, at most. An event has 8 MiB and a little at most, so any event fits."""
MAX_KEPT: Final = 64 * 1024 * 1024
"""Bytes kept, beyond which nothing more is to be taken in."""
WINDOW: Final = 8
"""Messages on their way without an acknowledgement, at most."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An encoded ``events`` message; ``last`` is the sequence number that acknowledges it."""

    first: int
    last: int
    closes: bool
    body: bytes

    @property
    def is_empty(self) -> bool:
        """Whether it has no event, and so no sequence number of its own."""
        return self.last < self.first


class Outbox:
    """For one segment, whose number is always 1."""

    def __init__(self, *, message_limit: int = MAX_MESSAGE, limit: int = MAX_KEPT) -> None:
        self._message_limit = message_limit
        self._limit = limit
        self._entries: deque[Entry] = deque()
        self._sent = 0
        self._size = 0
        self.closed = False

    @property
    def empty(self) -> bool:
        """Whether everything put so far is acknowledged."""
        return not self._entries

    @property
    def full(self) -> bool:
        """Whether so much is kept that nothing should be added now."""
        return self._size >= self._limit

    def put(self, first: int, events: list[Any], *, closes: bool) -> None:
        """Keep an append. One that is too long for a message becomes several, the last of which closes."""
        for entry in _entries(first, events, closes, self._message_limit):
            self._entries.append(entry)
            self._size += len(entry.body)

    def next_unsent(self) -> Entry | None:
        """What is to be sent now, in order; from then on it counts as sent over this connection."""
        if self._sent >= min(len(self._entries), WINDOW):
            return None
        entry = self._entries[self._sent]
        if entry.is_empty and self._sent:
            return None
        self._sent += 1
        return entry

    def rewind(self) -> None:
        """There is a new connection: nothing was sent over it yet."""
        self._sent = 0

    def acknowledge(self, sequence: int) -> None:
        """Forget what is durable. ``closed`` is True once that holds for the closing append."""
        while self._entries and self._is_acknowledged(self._entries[0], sequence):
            entry = self._entries.popleft()
            self._sent = max(0, self._sent - 1)
            self._size -= len(entry.body)
            self.closed = self.closed or entry.closes

    def _is_acknowledged(self, head: Entry, sequence: int) -> bool:
        return head.last <= sequence and (not head.is_empty or self._sent > 0)


def _entries(first: int, events: list[Any], closes: bool, limit: int) -> Iterator[Entry]:
    """The append in messages within the limit, halved as often as it takes; one event is never taken apart."""
    body = orjson.dumps(["events", 1, first, events, closes])
    if len(body) <= limit or len(events) < 2:
        yield Entry(first, first + len(events) - 1, closes, body)
        return
    half = len(events) // 2
    yield from _entries(first, events[:half], False, limit)
    yield from _entries(first + half, events[half:], closes, limit)
