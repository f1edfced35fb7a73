"""The working copy of a rollout's status while a plan is made of it, and the moves that change it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Literal

from sluice.api.reasons import Reason
from sluice.api.rollout import Candidate, Outcome, RolloutPhase, RolloutSpec, RolloutStatus, VersionMark
from sluice.domain.rollouts import history
from sluice.domain.rollouts.facts import PlannedEvent, RolloutFacts, VersionFacts
from sluice.domain.routing.quota import FULL, percent_hundredths, percent_text
from sluice.domain.timestamps import fine_stamp, parse_stamp, stamp

WindowKey = tuple[int, int, int, str, int]
"""Stable, candidate, attempt, percent, step: a change of any of them begins a new window (a new ``revision``)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the walk stands and why. ``starving`` is empty, or what the gate lacks."""

    phase: RolloutPhase
    reason: Reason
    message: str
    starving: str = ""


@dataclass(slots=True)
class Course:
    """One planning. ``status`` is private to it and changes; ``before`` does not."""

    spec: RolloutSpec | None
    before: RolloutStatus
    facts: RolloutFacts
    now: dt.datetime
    status: RolloutStatus = field(init=False)
    events: list[PlannedEvent] = field(default_factory=list)
    due: list[dt.datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.status = self.before.model_copy(deep=True)
        self.status.workflow = self.facts.workflow

    def version(self, number: int) -> VersionFacts | None:
        """The version with this number, if it is known."""
        return next((version for version in self.facts.versions if version.number == number), None)

    def tell(self, type: Literal["Normal", "Warning"], reason: Reason, message: str) -> None:
        """Have people told once."""
        self.events.append(PlannedEvent(type, reason, message))

    def revision(self) -> int:
        """The revision in force after the moves so far."""
        if window_key(self.status) == window_key(self.before) and self.before.revision:
            return self.before.revision
        if self.before.revision:
            return max(self.before.revision, self.facts.known_revision) + 1
        # A status that was lost: with two versions at work the old windows must not be counted on.
        splits = self.status.candidate is not None and not self.status.candidate.stopped
        return self.facts.known_revision + 1 if splits else max(1, self.facts.known_revision)

    def step_started(self, candidate: Candidate) -> dt.datetime:
        """When the candidate's step began; now, if that was lost."""
        return parse_stamp(candidate.step_started) if candidate.step_started else self.now

    def set_percent(self, candidate: Candidate, hundredths: int) -> None:
        """Put a percentage in force; a change begins the step's pause and gate anew, since its window is new."""
        if percent_hundredths(self.status.percent) != hundredths:
            self.status.percent = percent_text(hundredths)
            candidate.step_started = fine_stamp(self.now)

    def begin(self, version: VersionFacts) -> Candidate:
        """Make a version the candidate, at 0 % until its walk says more."""
        candidate = Candidate(
            number=version.number,
            version=version.name,
            digest=version.digest,
            since=fine_stamp(self.now),
            step_started=fine_stamp(self.now),
        )
        self.status.candidate = candidate
        self.status.percent = "0"
        history.opened(self.status, candidate, self.now)
        return candidate

    def settle_on(self, version: VersionFacts | VersionMark, name: str) -> None:
        """Make a version the stable one, which takes all runs."""
        former = self.status.stable
        if former is not None and former.digest != version.digest:
            history.was_stable(self.status, former.digest, self.now)
        self.status.stable = VersionMark(
            number=version.number, version=name, digest=version.digest, since=stamp(self.now)
        )
        self.status.candidate = None
        self.status.percent = percent_text(FULL)
        self.status.supersessions = 0

    def complete(self, candidate: Candidate, message: str) -> None:
        """The candidate reached 100 %: it is stable now."""
        history.closed(self.status, candidate, Outcome.COMPLETED, (Reason.COMPLETED, message), self.now)
        self.settle_on(candidate, candidate.version)
        self.tell("Normal", Reason.COMPLETED, message)

    def stop(self, candidate: Candidate, reason: Reason, message: str) -> None:
        """Every new run goes to the stable version from now on."""
        candidate.stopped = True
        candidate.stop_reason, candidate.stop_message = reason.value, message
        self.status.percent = "0"
        self.status.supersessions = 0
        history.closed(self.status, candidate, Outcome.STOPPED, (reason, message), self.now)
        self.tell("Warning", reason, f"v{candidate.number} is stopped: {message}")

    def retry(self, candidate: Candidate, attempt: int) -> None:
        """Start a stopped candidate's walk again."""
        candidate.attempt, candidate.step, candidate.stopped = attempt, 0, False
        candidate.stop_reason = candidate.stop_message = ""
        candidate.step_started = fine_stamp(self.now)
        self.status.percent = "0"
        history.opened(self.status, candidate, self.now)
        self.tell("Normal", Reason.WALKING, f"v{candidate.number} starts again, attempt {attempt}")

    def go_to_step(self, candidate: Candidate, step: int) -> None:
        """Take the walk on to another step, whose pause and gate begin now."""
        candidate.step = step
        candidate.step_started = fine_stamp(self.now)
        self.tell("Normal", Reason.WALKING, f"v{candidate.number} goes on to step {step}")


def window_key(status: RolloutStatus) -> WindowKey:
    """What a window of the quota stands for."""
    stable, candidate = status.stable, status.candidate
    if candidate is None:
        return (stable.number if stable else 0, 0, 0, status.percent, 0)
    return (stable.number if stable else 0, candidate.number, candidate.attempt, status.percent, candidate.step)
