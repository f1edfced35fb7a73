"""The recent changes of one kind, in memory: what watches are fed from.

Watches pull: each has a position in the log and reads on when woken, so the writer does the same little work however
many watches there are, and one that falls behind further than the log reaches is told to list again.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence

from sluice.adapters.sqlite.rows import Change
from sluice.ports.errors import Gone

MAX_EVENTS = 20_000
MAX_BYTES = 32 * 1024 * 1024
TRIM_SHARE = 8
"""When full, an eighth is dropped at once: dropping one by one would move the list at each write."""


class WatchLog:
    """A bounded log; positions are absolute and survive trimming. Guarded by the memory's lock."""

    def __init__(self, floor: int, *, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES) -> None:
        self._changes: list[Change] = []
        self._first = 0
        self._floor = floor
        self._bytes = 0
        self._max_events = max_events
        self._max_bytes = max_bytes

    @property
    def end(self) -> int:
        """The position after the newest change."""
        return self._first + len(self._changes)

    def append(self, change: Change) -> None:
        """Add the newest change, and drop the oldest when there are too many."""
        self._changes.append(change)
        self._bytes += _size(change)
        if len(self._changes) > self._max_events or self._bytes > self._max_bytes:
            self._trim()

    def position_after(self, version: int, newest: int) -> int:
        """Where to read on after resource version ``version``. Raises Gone when the log doesn't reach back that far.

        ``newest`` is the store's resource version: a later one was never given out by this store.
        """
        if version < self._floor or version > newest:
            raise Gone(f"too old resource version: {version} ({self._floor}); list again")
        return self._first + bisect.bisect_right(self._changes, version, key=lambda change: change.version)

    def since(self, position: int) -> Sequence[Change]:
        """The changes from ``position`` on. Raises Gone when some of them were dropped."""
        if position < self._first:
            raise Gone(
                f"too old resource version: this watch fell behind by more than {self._max_events} changes; list again"
            )
        return self._changes[position - self._first :]

    def _trim(self) -> None:
        count = max(1, len(self._changes) // TRIM_SHARE)
        dropped = self._changes[:count]
        del self._changes[:count]
        self._first += count
        self._floor = dropped[-1].version
        self._bytes -= sum(map(_size, dropped))


def _size(change: Change) -> int:
    row = change.after or change.before
    return len(row.raw) if row is not None else 0
