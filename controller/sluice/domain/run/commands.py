"""What ``decide`` asks for: values, carried out by whoever drives the run. Times are microseconds, UTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from sluice.domain.run.events import RUN_ENDED, Event


@dataclass(frozen=True, slots=True)
class Record:
    """Append this event and apply it: a skip, a switch's choice, an expression that failed, a run that timed out.

    Records come alone: what follows from them is asked for once they are applied.
    """

    event: Event


@dataclass(frozen=True, slots=True)
class StartStep:
    """Begin an attempt. ``timeout`` is the attempt's own in microseconds, 0 for none.

    It is asked for again until a StepStarted or StepEnded of this attempt is applied.
    """

    step: str
    attempt: int
    timeout: int


@dataclass(frozen=True, slots=True)
class CancelSteps:
    """Stop what runs in these steps; each then ends as Failed with this reason. A repeat is harmless."""

    steps: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Decide again at this time: a retry is due, the run or its ``finally`` times out."""

    at: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is in flight and nothing can start: only these steps remain, which wait (for people, time, a retry)."""

    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EndRun:
    """All is over, ``finally`` too. ``body`` is a RunBody."""

    body: dict[str, Any]

    def event(self, now: int) -> Event:
        """The last event of the run."""
        return Event(RUN_ENDED, "", 0, now, self.body)


Command: TypeAlias = Record | StartStep | CancelSteps | WakeAt | Wait | EndRun
