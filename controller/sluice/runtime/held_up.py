"""Runs that the place of their environment does not take: each asks again in its own time, all at once when it is fit again."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sluice.runtime.queue import Key


class HeldUp:
    """Which runs wait for which environment. Any thread may tell."""

    def __init__(self, enqueue: Callable[[Key, float], None]) -> None:
        """``enqueue`` has a key looked at after so many seconds."""
        self._enqueue = enqueue
        self._runs: dict[Key, set[Key]] = {}
        self._lock = threading.Lock()

    def add(self, namespace: str, *, environment: str, run: str) -> None:
        """Its place refused this run, or could not be asked."""
        with self._lock:
            self._runs.setdefault(Key(namespace, environment), set()).add(Key(namespace, run))

    def release(self, environment: Key) -> None:
        """It is fit for use: whoever waited for it asks again now."""
        with self._lock:
            runs = self._runs.pop(environment, ())
        for run in runs:
            self._enqueue(run, 0.0)
