"""Approval: a pending human decision."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from sluice.api.approvers import Approvers
from sluice.api.fields import (
    AnyObjectName,
    ApiModel,
    Conditions,
    Duration,
    Json,
    LongText,
    Resource,
    ShortText,
    StatusModel,
    StepName,
    Timestamp,
)


class ApprovalSubject(ApiModel):
    """What is decided on: a version, or a run's step."""

    version: AnyObjectName | None = None
    run: AnyObjectName | None = None
    step: StepName | None = None


class Verdict(StrEnum):
    """What was decided."""

    APPROVED = "Approved"
    REJECTED = "Rejected"


class Decision(ApiModel):
    """One person's decision; made once."""

    verdict: Verdict
    by: ShortText
    """The one who made it, as the server knows them."""
    at: Timestamp | None = None
    reason: LongText | None = None
    payload: Json | None = None
    """With a step: the edited payload."""


class ApprovalSpec(ApiModel):
    """Who may decide on what; everything but ``decisions`` is frozen."""

    subject: ApprovalSubject
    approvers: Approvers
    escalate: Approvers | None = None
    minimum: Annotated[int, Field(ge=1, le=64)] = 1
    exclude_requester: bool = False
    requester: ShortText | None = None
    summary: LongText | None = None
    risk: Annotated[str, Field(max_length=8, pattern="^(Low|Medium|High|Critical)$")] | None = None
    payload: Json | None = None
    sla: Duration | None = None
    timeout: Duration | None = None
    decisions: Annotated[dict[ShortText, Decision], Field(max_length=64)] | None = None
    """Keyed by who decided."""


class ApprovalPhase(StrEnum):
    """Where it stands."""

    PENDING = "Pending"
    APPROVED = "Approved"
    REJECTED = "Rejected"
    WITHDRAWN = "Withdrawn"


class ApprovalStatus(StatusModel):
    """What is."""

    observed_generation: int = 0
    phase: ApprovalPhase = ApprovalPhase.PENDING
    subject: str = ""
    decided_by: str | None = None
    decided_at: Timestamp | None = None
    escalated: bool = False
    conditions: Conditions = []


class Approval(Resource):
    """A decision that people have to make."""

    kind: str = "Approval"
    spec: ApprovalSpec
    status: ApprovalStatus = ApprovalStatus()
