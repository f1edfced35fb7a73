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


class _Idlers:
    """The workers that wait. One of them, the keeper, keeps the time of the next delay; the others just sleep.

    So a delay that is added wakes nobody but the keeper, and only when it is the next one. For use under ``lock``.
    """

    def __init__(self, lock: threading.Lock) -> None:
        self._sleepers = threading.Condition(lock)
        self._keeping = threading.Condition(lock)
        self._sleeping = 0
        self._kept = False

    def rest(self, seconds: float | None) -> None:
        """Wait to be woken; as the keeper, at most so long."""
        if self._kept:
            self._sleeping += 1
            self._sleepers.wait()
            return
        self._kept = True
        self._keeping.wait(seconds)
        self._kept = False

    def wake_one(self) -> None:
        """A key is ready: wake a sleeper, the keeper only where nobody else is idle."""
        if self._sleeping:
            self._sleeping -= 1
            self._sleepers.notify()
        else:
            self._keeping.notify()

    def look_at_time(self) -> None:
        """Another delay is the next one."""
        if self._kept:
            self._keeping.notify()
        else:
            self.appoint_keeper()

    def appoint_keeper(self) -> None:
        """If nobody keeps the time, wake a sleeper, who will."""
        if not self._kept and self._sleeping:
            self.wake_one()

    def wake_all(self) -> None:
        """Everybody goes home."""
        self._sleeping = 0
        self._sleepers.notify_all()
        self._keeping.notify_all()


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
        self._lock = threading.Lock()
        self._idlers = _Idlers(self._lock)
        self._closed = False

    def add(self, key: Key) -> None:
        """Hand ``key`` out as soon as a worker is free."""
        with self._lock:
            self._add(key)

    def _add(self, key: Key) -> None:
        if key in self._dirty or self._closed:
            return
        self.counters.added += 1
        self._dirty.add(key)
        if key not in self._working:
            self._ready.append(key)
            self._idlers.wake_one()

    def add_after(self, key: Key, seconds: float) -> None:
        """Hand ``key`` out after a delay; an earlier time wins over a later one."""
        if seconds <= 0:
            self.add(key)
            return
        with self._lock:
            due = self._clock.monotonic() + seconds
            known = self._delayed.due.get(key)
            if self._closed or (known is not None and known <= due):
                return
            self._delayed.due[key] = due
            entry = (due, next(self._delayed.order), key)
            heapq.heappush(self._delayed.heap, entry)
            if self._delayed.heap[0] is entry:
                self._idlers.look_at_time()

    def settle(self, key: Key) -> None:
        """Nothing is to be looked at later any more: drop the delay of ``key``, if it has one."""
        with self._lock:
            self._delayed.due.pop(key, None)

    def retry(self, key: Key) -> float:
        """Hand ``key`` out after its back-off; answers with the delay in seconds."""
        with self._lock:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
            self.counters.retried += 1
        delay: float = min(FIRST_BACKOFF * 2 ** min(failures, 20), LONGEST_BACKOFF)
        self.add_after(key, delay)
        return delay

    def forget(self, key: Key) -> None:
        """``key`` went well: its next failure starts from the shortest back-off."""
        if self._failures:
            with self._lock:
                self._failures.pop(key, None)

    def take(self, *, wait: bool = True) -> Key | None:
        """The next key, marked as being worked on; None when the queue is closed, or nothing is ready and not ``wait``."""
        with self._lock:
            while True:
                next_due = self._promote()
                if self._closed:
                    return None
                if self._ready:
                    key = self._ready.popleft()
                    self._dirty.discard(key)
                    self._working.add(key)
                    if next_due is not None:
                        self._idlers.appoint_keeper()
                    return key
                if not wait:
                    return None
                self._idlers.rest(next_due)

    def done(self, key: Key) -> None:
        """The worker is through with ``key``."""
        with self._lock:
            self._working.discard(key)
            if key in self._dirty:
                self._ready.append(key)
                self._idlers.wake_one()

    def close(self) -> None:
        """Let every worker go home; keys that wait are dropped (they are found again at the next start)."""
        with self._lock:
            self._closed = True
            self._idlers.wake_all()

    @property
    def depth(self) -> int:
        """How many keys are ready."""
        return len(self._ready)

    def next_due(self) -> float | None:
        """Seconds until the earliest delayed key, or None; for tests that drive the clock by hand."""
        with self._lock:
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
