"""The work queue: keys of objects to look at, each once, never two workers on one key.

A key that is added while it is being worked on is handed out again afterwards. A key that fails comes back later and
later: 5 ms, doubling, 15 minutes at most. Nothing polls: workers sleep on a condition, delays are a heap with one timer.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from sluice.ports.clock import Clock

FIRST_BACKOFF = 0.005
LONGEST_BACKOFF = 900.0


class Key(NamedTuple):
    """Names one object of the queue's kind."""

    namespace: str
    name: str


@dataclass(slots=True)
class QueueCounters:
    """Totals since the start."""

    added: int = 0
    retried: int = 0


@dataclass(slots=True)
class _Delayed:
    heap: list[tuple[float, int, Key]] = field(default_factory=list)
    due: dict[Key, float] = field(default_factory=dict)
    order: itertools.count[int] = field(default_factory=itertools.count)


class WorkQueue:
    """Deduplicated keys with delays and back-off. Every method may be called from any thread."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.counters = QueueCounters()
        self._clock = clock
        self._ready: deque[Key] = deque()
        self._dirty: set[Key] = set()
        self._working: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._delayed = _Delayed()
        self._condition = threading.Condition(threading.Lock())
        self._closed = False

    def add(self, key: Key) -> None:
        """Hand ``key`` out as soon as a worker is free."""
        with self._condition:
            self._add(key)

    def _add(self, key: Key) -> None:
        if key in self._dirty or self._closed:
            return
        self.counters.added += 1
        self._dirty.add(key)
        if key not in self._working:
            self._ready.append(key)
            self._condition.notify()

    def add_after(self, key: Key, seconds: float) -> None:
        """Hand ``key`` out after a delay; an earlier time wins over a later one."""
        if seconds <= 0:
            self.add(key)
            return
        with self._condition:
            due = self._clock.monotonic() + seconds
            known = self._delayed.due.get(key)
            if self._closed or (known is not None and known <= due):
                return
            self._delayed.due[key] = due
            heapq.heappush(self._delayed.heap, (due, next(self._delayed.order), key))
            self._condition.notify()

    def retry(self, key: Key) -> float:
        """Hand ``key`` out after its back-off; answers with the delay in seconds."""
        with self._condition:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
            self.counters.retried += 1
        delay: float = min(FIRST_BACKOFF * 2 ** min(failures, 20), LONGEST_BACKOFF)
        self.add_after(key, delay)
        return delay

    def forget(self, key: Key) -> None:
        """``key`` went well: its next failure starts from the shortest back-off."""
        if self._failures:
            with self._condition:
                self._failures.pop(key, None)

    def take(self, *, wait: bool = True) -> Key | None:
        """The next key, marked as being worked on; None when the queue is closed, or nothing is ready and not ``wait``."""
        with self._condition:
            while True:
                next_due = self._promote()
                if self._closed:
                    return None
                if self._ready:
                    key = self._ready.popleft()
                    self._dirty.discard(key)
                    self._working.add(key)
                    return key
                if not wait:
                    return None
                self._condition.wait(next_due)

    def done(self, key: Key) -> None:
        """The worker is through with ``key``."""
        with self._condition:
            self._working.discard(key)
            if key in self._dirty:
                self._ready.append(key)
                self._condition.notify()

    def close(self) -> None:
        """Let every worker go home; keys that wait are dropped (they are found again at the next start)."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    @property
    def depth(self) -> int:
        """How many keys are ready."""
        return len(self._ready)

    def next_due(self) -> float | None:
        """Seconds until the earliest delayed key, or None; for tests that drive the clock by hand."""
        with self._condition:
            return self._promote()

    def _promote(self) -> float | None:
        """Move what is due to the ready keys; answers with the seconds until the next one."""
        delayed, now = self._delayed, self._clock.monotonic()
        while delayed.heap:
            due, _, key = delayed.heap[0]
            if delayed.due.get(key) != due:
                heapq.heappop(delayed.heap)  # replaced by an earlier time
            elif due <= now:
                heapq.heappop(delayed.heap)
                del delayed.due[key]
                self._add(key)
            else:
                return due - now
        return None
