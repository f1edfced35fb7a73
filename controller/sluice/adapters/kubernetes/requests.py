"""What is asked of API servers, counted."""

from __future__ import annotations

import threading

from sluice.domain.tallies import Durations, Tally


class Requests:
    """Requests by verb and answer, and how long they took. Any number of transports may share one."""

    def __init__(self) -> None:
        self.counts = Tally()
        """By verb (``WATCH`` for an answer that goes on) and code, ``<error>`` where there was no answer."""
        self._lock = threading.Lock()
        self._durations: dict[str, Durations] = {}
        self._paced = 0.0

    def answered(self, verb: str, code: str, seconds: float) -> None:
        """One request was sent and ended. A watch ends here when its answer begins."""
        self.counts.add(verb, code)
        durations = self._durations.get(verb)
        if durations is None:
            with self._lock:
                durations = self._durations.setdefault(verb, Durations())
        durations.add(seconds)

    def paced(self, seconds: float) -> None:
        """A request was held back for so long, so that the server is not asked too much."""
        if seconds > 0:
            with self._lock:
                self._paced += seconds

    @property
    def paced_seconds(self) -> float:
        """Seconds for which requests were held back, in all."""
        return self._paced

    def durations(self) -> list[tuple[str, Durations]]:
        """By verb."""
        with self._lock:
            return sorted(self._durations.items())
