"""Runs that the place of their environment does not take: each asks again in its own time, all of them when it is fit again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from sluice.ports.clock import Clock
from sluice.runtime.queue import Key

A_SECOND: Final = 30
"""So many are let go: a thousand at once would stand before the runs of every other environment."""
APART_S: Final = 10.0
"""Between two times that an environment lets go: one that is fit now and then is not asked all the time."""


class HeldUp:
    """Which runs wait for which environment, the first one first. Any thread may tell."""

    def __init__(self, enqueue: Callable[[Key, float], None], clock: Clock) -> None:
        """``enqueue`` has a key looked at after so many seconds."""
        self._enqueue = enqueue
        self._clock = clock
        self._runs: dict[Key, dict[Key, None]] = {}
        self._next: dict[Key, float] = {}
        self._lock = threading.Lock()

    def add(self, namespace: str, *, environment: str, run: str) -> None:
        """Its place refused this run, or could not be asked."""
        with self._lock:
            self._runs.setdefault(Key(namespace, environment), {})[Key(namespace, run)] = None

    def discard(self, run: Key) -> None:
        """It waits for nothing any more."""
        if not self._runs:
            return
        with self._lock:
            for waiting in self._runs.values():
                waiting.pop(run, None)

    def release(self, environment: Key) -> None:
        """It is fit for use: whoever waited for it asks again, one after the other."""
        with self._lock:
            runs = self._runs.pop(environment, None)
            if not runs:
                return
            now = self._clock.monotonic()
            begin = max(now, self._next.get(environment, now))
            self._next[environment] = begin + max(APART_S, len(runs) / A_SECOND)
        for number, run in enumerate(runs):
            self._enqueue(run, begin - now + number / A_SECOND)

    def gone(self, environment: Key) -> None:
        """There is no such environment any more: whoever waited for it is told why by the next look."""
        self.release(environment)
        with self._lock:
            self._next.pop(environment, None)
