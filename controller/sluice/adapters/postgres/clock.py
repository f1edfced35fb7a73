"""The database's time of day, kept between two looks by this machine's monotonic clock.

Several controllers write to one ledger, and the clocks of their machines differ; the database's is the one they share.
Asking for it each time would cost a round trip, so it is asked every ``LOOK_AGAIN`` seconds.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable

from sluice.adapters.postgres.connections import Readers
from sluice.ports.errors import Unavailable

LOOK_AGAIN = 10.0
_LOOKS = 3

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_TIME = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


class DatabaseClock:
    """A Clock of the database's time. It is off by at most half of the shortest round trip, and never goes back."""

    def __init__(self, readers: Readers, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._readers = readers
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._last = 0
        self._looked = self._monotonic()
        self._offset = self._look()

    def now(self) -> dt.datetime:
        """The time of day, in UTC, aware."""
        with self._lock:
            if self._monotonic() - self._looked > LOOK_AGAIN:
                self._look_again()
            self._last = max(self._last, int(self._monotonic() * 1_000_000) + self._offset)
            return _EPOCH + dt.timedelta(microseconds=self._last)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._monotonic()

    def _look_again(self) -> None:
        self._looked = self._monotonic()
        try:
            self._offset = self._look()
        except Unavailable:
            return  # time goes on while the database is away

    def _look(self) -> int:
        """How far the database's time is ahead of the monotonic clock, microseconds; of some looks the quickest counts."""
        looks: list[tuple[float, int]] = []
        with self._readers.lend() as connection:
            for _ in range(_LOOKS):
                before = self._monotonic()
                row = connection.execute(_TIME).fetchone()
                took = self._monotonic() - before
                if row is not None:
                    looks.append((took, int(row[0]) - int((before + took / 2) * 1_000_000)))
        return min(looks)[1]
