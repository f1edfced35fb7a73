"""WorkflowRun: one execution, pinned once to one version."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from sluice.api.fields import (
    AnyObjectName,
    ApiModel,
    Conditions,
    Json,
    JsonMap,
    LongText,
    ObjectName,
    Resource,
    ShortText,
    StatusModel,
    StepName,
    Timestamp,
    VersionName,
    WorkflowName,
)
from sluice.api.triggers import TRIGGER_KINDS


class ReplayFrom(StrEnum):
    """Where a replay begins."""

    START = "Start"
    FAILED = "Failed"


class ReplayVersion(StrEnum):
    """Which version a replay runs."""

    ORIGINAL = "Original"
    LIVE = "Live"


class Replay(ApiModel):
    """Run an ended run's input again."""

    of: AnyObjectName
    from_: ReplayFrom = Field(ReplayFrom.START, alias="from")
    version: ReplayVersion = ReplayVersion.ORIGINAL


class TriggerInfo(ApiModel):
    """What started a run."""

    type: Annotated[str, Field(max_length=8, pattern=f"^({'|'.join(TRIGGER_KINDS)})$")] = "manual"
    headers: Annotated[dict[ShortText, LongText], Field(max_length=64)] | None = None
    query: Annotated[dict[ShortText, LongText], Field(max_length=64)] | None = None
    received_at: Timestamp | None = None
    scheduled_at: Timestamp | None = None
    commit: ShortText | None = None
    key: ShortText | None = None
    """What makes a repeated delivery the same run."""
    hops: Annotated[int, Field(ge=0, le=10)] = 0


class RunInput(ApiModel):
    """Frozen when the run is created."""

    workflow: WorkflowName
    environment: ObjectName | None = None
    """May be left out when the workflow is Active in exactly one."""
    payload: Json | None = None
    payload_ref: ShortText | None = None
    """Where a payload over 16 KiB is kept in the ledger."""
    params: JsonMap | None = None
    replay: Replay | None = None
    trigger: TriggerInfo | None = None
    actor: ShortText | None = None
    """Who started it, as the server knows them."""


class Draw(ApiModel):
    """How the version was chosen."""

    window: ShortText
    place: Annotated[int, Field(ge=0)]
    """The run's place in its window, from 1; 0 when nothing was drawn."""
    candidate: bool
    percent: ShortText
    revision: Annotated[int, Field(ge=0)] = 0


class Pin(ApiModel):
    """Written once, by the controller."""

    version: AnyObjectName
    """Name of the WorkflowVersion."""
    number: Annotated[int, Field(ge=1)]
    digest: ShortText
    environment: ObjectName
    params: JsonMap | None = None
    draw: Draw | None = None
    level: Annotated[int, Field(ge=1)] = 1
    """The level of the rules by which steps are decided."""
    at: Timestamp


class Signal(ApiModel):
    """What a waiting step is told; the first write wins."""

    payload: Json | None = None


class WorkflowRunSpec(ApiModel):
    """``input`` is frozen, ``pin`` is written once, ``cancel`` goes one way."""

    input: RunInput
    pin: Pin | None = None
    cancel: bool = False
    signals: Annotated[dict[StepName, Signal], Field(max_length=64)] | None = None


class RunPhase(StrEnum):
    """Where a run is."""

    PENDING = "Pending"
    QUEUED = "Queued"
    RUNNING = "Running"
    WAITING = "Waiting"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ERROR = "Error"
    CANCELLED = "Cancelled"
    REJECTED = "Rejected"

    @property
    def is_terminal(self) -> bool:
        """Whether the run has ended."""
        return self in TERMINAL_PHASES


TERMINAL_PHASES = frozenset(
    {RunPhase.SUCCEEDED, RunPhase.FAILED, RunPhase.ERROR, RunPhase.CANCELLED, RunPhase.REJECTED}
)


class Failure(StatusModel):
    """Why a run did not succeed."""

    step: str | None = None
    attempt: int | None = None
    reason: str
    message: str = ""
    log_tail: str | None = None
    pod: str | None = None


class StepSummary(StatusModel):
    """One step that is unfinished or failed."""

    name: str
    phase: str
    attempt: int = 1
    reason: str | None = None
    message: str | None = None
    started_at: Timestamp | None = None
    ended_at: Timestamp | None = None


class StepCounts(StatusModel):
    """How many steps are in which state."""

    total: int = 0
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    running: int = 0


class WorkflowRunStatus(StatusModel):
    """What is; under 64 KiB whatever the run does."""

    observed_generation: int = 0
    id: str = ""
    """``wfr_`` and an identifier derived from the object's uid."""
    phase: RunPhase = RunPhase.PENDING
    version: VersionName | None = None
    started_at: Timestamp | None = None
    ended_at: Timestamp | None = None
    duration: str | None = None
    step: str | None = None
    """What runs now, or what failed."""
    reason: str | None = None
    counts: StepCounts = StepCounts()
    steps: Annotated[list[StepSummary], Field(max_length=100)] = []
    outputs: JsonMap | None = None
    failure: Failure | None = None
    conditions: Conditions = []


class WorkflowRun(Resource):
    """One execution of a workflow."""

    kind: str = "WorkflowRun"
    spec: WorkflowRunSpec
    status: WorkflowRunStatus = WorkflowRunStatus()
