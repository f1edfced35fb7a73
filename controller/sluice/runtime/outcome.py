"""How a reconcile ends: a Result, or one of two errors. Anything else that is raised is a bug or an outage."""

from __future__ import annotations

from dataclasses import dataclass

from sluice.api.reasons import Reason


@dataclass(frozen=True, slots=True)
class Result:
    """Done. ``requeue_after`` in seconds: look again then, whatever happens. ``settled``: never again of its own accord."""

    requeue_after: float | None = None
    settled: bool = False


DONE = Result()
SETTLED = Result(settled=True)
"""The object has reached its end: looks that were asked for earlier are of no use any more."""


class Waiting(Exception):
    """Something that this object needs is not there yet; look again after ``retry_after`` seconds or on a change."""

    def __init__(self, reason: Reason, message: str, *, retry_after: float = 30.0) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retry_after = retry_after


class Stalled(Exception):
    """A person must act; nothing is tried again before the object changes."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
