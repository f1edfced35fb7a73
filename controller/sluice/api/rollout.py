"""Rollout: how new versions take over."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from sluice.api.fields import (
    ApiModel,
    Conditions,
    Duration,
    LongText,
    ObjectName,
    Percent,
    Resource,
    ShortText,
    StatusModel,
    Timestamp,
    VersionKey,
)


class Pause(ApiModel):
    """How long a step is held; without a duration it waits to be advanced."""

    duration: Duration | None = None


class Gate(ApiModel):
    """What the candidate's runs must show before the next step."""

    min_runs: Annotated[int, Field(ge=1, le=100000)]
    """How many candidate runs, started in this step, must have ended."""
    max_failure_rate: Percent | None = None
    """Percent of them that may have failed; 0 when neither bound is given."""
    compared_to_stable: Percent | None = None
    """Instead: how many percentage points worse than stable the failure rate may be."""
    max_wait: Duration | None = None
    """When ``onNoData`` decides."""
    slow: Duration | None = None
    """A run that is older and still runs counts as failed; twice stable's 95th percentile unless said."""
    environments: Annotated[list[ObjectName], Field(max_length=64)] | None = None
    """Which environments must pass, each by itself; the Active Production ones unless said, or all if there is none."""


class RolloutStep(ApiModel):
    """One step of the walk."""

    percent: Percent
    pause: Pause | None = None
    gate: Gate | None = None


class OnGateFailure(StrEnum):
    """What a failed gate does."""

    STOP = "Stop"
    HOLD = "Hold"


class OnNoData(StrEnum):
    """What a gate without enough runs does at ``maxWait``; no data is never a pass."""

    HOLD = "Hold"
    STOP = "Stop"


class OnSupersede(StrEnum):
    """What a publish in the middle of a walk does."""

    RESTART = "Restart"
    QUEUE = "Queue"


class Split(StrEnum):
    """How runs are dealt out."""

    QUOTA = "Quota"
    HASH = "Hash"


class Stop(ApiModel):
    """Every new run goes to the stable version, at once."""

    attempt: Annotated[int, Field(ge=1, le=1000)] = 1
    reason: LongText | None = None


class Hold(ApiModel):
    """The walk stays where it is."""

    reason: LongText | None = None


class Override(ApiModel):
    """This percentage instead of the step's."""

    percent: Percent


class Promotion(ApiModel):
    """The step, counted from 0, that the walk is let on to without the pauses and gates before it; 1 lets it leave step 0."""

    step: Annotated[int, Field(ge=0, le=100)]


class RetryRequest(ApiModel):
    """A stopped candidate starts again; attempts count from 1."""

    attempt: Annotated[int, Field(ge=2, le=1000)]


class RolloutSpec(ApiModel):
    """``percent`` or ``steps``, and the requests of people, keyed by version (``v7``, or ``d-`` and 12 hex digits of the
    digest). Precedence: stop, hold, override, promotion, steps."""

    percent: Percent | None = None
    steps: Annotated[list[RolloutStep], Field(min_length=1, max_length=32)] | None = None
    on_gate_failure: OnGateFailure = OnGateFailure.STOP
    on_no_data: OnNoData = OnNoData.HOLD
    on_supersede: OnSupersede = OnSupersede.RESTART
    fast_revert: Duration = "30d"
    """A return to what was stable this recently goes to its percent at once: the last step's, or the one its revert asked
    for."""
    split: Split = Split.QUOTA
    stops: Annotated[dict[VersionKey, Stop], Field(max_length=64)] | None = None
    holds: Annotated[dict[VersionKey, Hold], Field(max_length=64)] | None = None
    overrides: Annotated[dict[VersionKey, Override], Field(max_length=64)] | None = None
    promotions: Annotated[dict[VersionKey, Promotion], Field(max_length=64)] | None = None
    retries: Annotated[dict[VersionKey, RetryRequest], Field(max_length=64)] | None = None


class RolloutPhase(StrEnum):
    """Where the walk is."""

    IDLE = "Idle"
    PROGRESSING = "Progressing"
    PAUSED = "Paused"
    HELD = "Held"
    STOPPED = "Stopped"
    COMPLETED = "Completed"


class VersionMark(StatusModel):
    """A version and its digest, with when it got there."""

    number: int
    version: str
    digest: str
    since: Timestamp = ""


class Candidate(VersionMark):
    """The version that is taking over, and where its walk stands."""

    step: int = 0
    step_started: Timestamp = ""
    attempt: int = 1
    stopped: bool = False
    stop_reason: str = ""
    stop_message: str = ""
    spent_retry: int = 0
    """The highest retry that came while the candidate was running: it does nothing, also after a later stop."""


class StableEntry(StatusModel):
    """A digest that was stable, until when: what ``fastRevert`` looks at."""

    digest: str
    until: Timestamp


class Outcome(StrEnum):
    """How one version's rollout ended."""

    PROGRESSING = "Progressing"
    COMPLETED = "Completed"
    STOPPED = "Stopped"
    SUPERSEDED = "Superseded"


class HistoryEntry(StatusModel):
    """One version's rollout."""

    number: int
    version: str
    outcome: Outcome
    attempt: int = 1
    reason: str = ""
    message: str = ""
    started: Timestamp = ""
    ended: Timestamp | None = None


class EnvironmentRuns(StatusModel):
    """How the runs of the current window were dealt out in one environment."""

    environment: str
    candidate: int = 0
    stable: int = 0


class RequestState(StatusModel):
    """What became of one request."""

    kind: Literal["stop", "hold", "override", "promotion", "retry"]
    key: str
    state: Literal["InForce", "Done", "Waiting", "Unknown"]
    by: ShortText = ""
    since: Timestamp | None = None
    message: str = ""


class RolloutStatus(StatusModel):
    """What is."""

    observed_generation: int = 0
    phase: RolloutPhase = RolloutPhase.IDLE
    workflow: str = ""
    policy: str = ""
    """Name of the Rollout that is in force; empty when there is none."""
    stable: VersionMark | None = None
    candidate: Candidate | None = None
    queued: VersionMark | None = None
    """With ``onSupersede: Queue``: the version that waits until the candidate is through."""
    revision: int = 0
    """Rises when candidate, stable, percent or step change: the windows of the quota are counted by it."""
    percent: str = "0"
    """In force for new runs."""
    actual_percent: str | None = None
    """Of the current window's runs, over all environments."""
    step: int = 0
    since: Timestamp | None = None
    supersessions: int = 0
    """How many candidates in a row were superseded before they got to 100 %."""
    runs: Annotated[list[EnvironmentRuns], Field(max_length=64)] = []
    requests: Annotated[list[RequestState], Field(max_length=320)] = []
    history: Annotated[list[HistoryEntry], Field(max_length=50)] = []
    """Newest first."""
    former: Annotated[list[StableEntry], Field(max_length=50)] = []
    """Newest first."""
    conditions: Conditions = []


class Rollout(Resource):
    """Its name is the workflow's; one named ``default`` is the policy of every workflow without one of its own."""

    kind: str = "Rollout"
    spec: RolloutSpec
    status: RolloutStatus = RolloutStatus()
