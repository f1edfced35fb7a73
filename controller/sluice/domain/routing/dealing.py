"""The values by which runs are dealt out to versions: the ledger counts by them, the planners decide with them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """What a quota is counted in: one revision of a workflow's rollout in one environment."""

    workflow_uid: str
    environment: str
    revision: int

    @property
    def id(self) -> str:
        """The window's key."""
        return f"{self.workflow_uid}/{self.environment}/{self.revision}"


@dataclass(frozen=True, slots=True)
class Split:
    """How new runs are dealt out now. ``candidate`` 0 means that there is none.

    ``hundredths`` is the percentage in hundredths of a percent, 0 to 10000. ``by_hash`` is the decision of a Hash split
    (None: Quota decides). ``forced`` overrides everything: a replay's version.
    """

    stable: int
    candidate: int = 0
    hundredths: int = 0
    by_hash: bool | None = None
    forced: int = 0


@dataclass(frozen=True, slots=True)
class GateSample:
    """The first candidate runs that were started in a window, and stable's runs beside them.

    ``started`` counts at most ``minRuns``. Cancelled runs and Errors are left out of it, so that a later run takes their
    place; ``errors`` counts the window's Errors beside it. ``open_starts`` are when the unfinished ones of the sample
    started, in microseconds. ``stable_ended`` leaves out cancelled runs and Errors too. ``stable_p95`` is in microseconds,
    0 when nothing is known; ``rate_per_hour`` is how many candidate runs start in an hour.
    """

    started: int = 0
    succeeded: int = 0
    failed: int = 0
    errors: int = 0
    open_starts: tuple[int, ...] = ()
    stable_ended: int = 0
    stable_failed: int = 0
    stable_errors: int = 0
    stable_p95: int = 0
    rate_per_hour: float = 0.0
