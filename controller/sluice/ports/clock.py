"""Time as a value that is handed in."""

from __future__ import annotations

import datetime as dt
import time
from typing import Protocol


class Clock(Protocol):
    """Wall and monotonic time; tests set both by hand."""

    def now(self) -> dt.datetime:
        """The time of day, in UTC, aware."""

    def monotonic(self) -> float:
        """Seconds that never go back."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> dt.datetime:
        """The time of day, in UTC, aware."""
        return dt.datetime.now(dt.UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()
