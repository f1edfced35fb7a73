"""What a rollout is planned from, and what comes out: values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sluice.api.reasons import Reason
from sluice.api.rollout import Outcome, RolloutStatus
from sluice.domain.routing.dealing import GateSample

SampleOf = Callable[[str, int, int, int], GateSample]
"""(environment, revision, min_runs, stable number) -> what the ledger has seen."""

DealtIn = Callable[[int], Mapping[str, tuple[int, int]]]
"""revision -> for each environment how many runs were dealt (candidate, stable)."""


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """A published and approved version. ``outcome`` is what its own status remembers of an earlier rollout."""

    number: int
    name: str
    digest: str
    percent: int | str | None = None
    """Where a revert asked its rollout to start."""
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class EnvironmentFacts:
    """An environment of the workspace as a gate sees it."""

    name: str
    production: bool
    active: bool
    """Whether the workflow is Active in it."""


def no_samples(environment: str, revision: int, min_runs: int, stable: int) -> GateSample:
    """Where no ledger is asked: nothing was seen."""
    del environment, revision, min_runs, stable
    return GateSample()


def nothing_dealt(revision: int) -> Mapping[str, tuple[int, int]]:
    """Where no ledger is asked: nothing was dealt."""
    del revision
    return {}


@dataclass(frozen=True, slots=True)
class RolloutFacts:
    """What is known beside spec and status. ``versions`` are the approved ones, by number, oldest first."""

    workflow: str
    versions: Sequence[VersionFacts]
    environments: Sequence[EnvironmentFacts] = ()
    sample: SampleOf = no_samples
    dealt: DealtIn = nothing_dealt
    managed_fields: Sequence[Mapping[str, Any]] = ()
    """Of the Rollout: tells who wrote a request."""
    generation: int = 0
    known_revision: int = 0
    """The highest revision that the ledger has dealt runs for; matters only when the status was lost."""


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """Something to tell people once."""

    type: Literal["Normal", "Warning"]
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """What is to be written. ``changed`` is False when the status already says so: then nothing is written."""

    status: RolloutStatus
    look_again: dt.timedelta | None = None
    events: tuple[PlannedEvent, ...] = field(default_factory=tuple)
    changed: bool = True
