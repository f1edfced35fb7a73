"""Counts that any thread may add to, and that are read when somebody asks for metrics."""

from __future__ import annotations

import threading
from bisect import bisect_left
from itertools import accumulate
from typing import Final

BOUNDS: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds at which durations are told apart."""


class Tally:
    """How often something happened, by labels."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, ...], int] = {}

    def add(self, *labels: str) -> None:
        """It happened once more."""
        with self._lock:
            self._counts[labels] = self._counts.get(labels, 0) + 1

    def all(self) -> list[tuple[tuple[str, ...], int]]:
        """Labels and counts, in order."""
        with self._lock:
            return sorted(self._counts.items())


class Durations:
    """How long something took, each time that it happened; seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = [0] * (len(BOUNDS) + 1)
        self._total = 0.0

    def add(self, seconds: float) -> None:
        """It took so long once more."""
        with self._lock:
            self._counts[bisect_left(BOUNDS, seconds)] += 1
            self._total += seconds

    @property
    def total(self) -> float:
        """Seconds in all."""
        return self._total

    def buckets(self) -> list[tuple[str, float]]:
        """How many took no longer than each bound, as Prometheus has it: the last bound is ``+Inf``."""
        with self._lock:
            reached = list(accumulate(self._counts))
        names = [*map(str, BOUNDS), "+Inf"]
        return [(name, float(count)) for name, count in zip(names, reached, strict=True)]
