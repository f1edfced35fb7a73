"""WorkflowVersion: a published definition, frozen."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from sluice.api.fields import (
    Conditions,
    Json,
    LongText,
    Percent,
    Resource,
    ShortText,
    StatusModel,
    Timestamp,
    VersionName,
    WorkflowName,
)

DIGEST_PATTERN = "^sha256:[0-9a-f]{64}$"
Digest = Annotated[str, Field(max_length=71, pattern=DIGEST_PATTERN)]


class VersionSource(StatusModel):
    """Where a version came from."""

    manager: ShortText | None = None
    """The field manager that wrote the draft."""
    revision: ShortText | None = None
    """Git revision, ``main@sha1:...``."""


class WorkflowVersionSpec(StatusModel):
    """Frozen: the server refuses every change."""

    workflow: WorkflowName
    workflow_uid: Annotated[str, Field(max_length=64)]
    number: Annotated[int, Field(ge=1)]
    digest: Digest
    """Of the canonical definition, at ``level``."""
    draft_digest: Digest
    """Of the draft as it stood; differs from ``digest`` after a revert by request."""
    level: Annotated[int, Field(ge=1)]
    definition: Annotated[dict[str, Any], Field(json_schema_extra={"x-kubernetes-preserve-unknown-fields": True})]
    """The canonical definition; neither defaulted nor pruned by the server."""
    resolved: Json | None = None
    """Spec and digest of each Skill, and image digests, as they were at publishing."""
    published_by: ShortText
    published_at: Timestamp
    source: VersionSource | None = None
    revert_of: VersionName | None = None
    percent: Percent | None = None
    """Where a revert asked its rollout to start."""
    reason: LongText | None = None
    approval_required: bool = False


class VersionPhase(StrEnum):
    """Where a version stands."""

    PENDING_APPROVAL = "PendingApproval"
    REJECTED = "Rejected"
    PUBLISHED = "Published"
    LIVE = "Live"
    SUPERSEDED = "Superseded"
    STOPPED = "Stopped"


class WorkflowVersionStatus(StatusModel):
    """What became of it."""

    observed_generation: int = 0
    id: str = ""
    """``wflv_`` and an identifier derived from the object's uid."""
    phase: VersionPhase | None = None
    outcome: ShortText | None = None
    """How its rollout ended: Completed, Stopped, Superseded."""
    conditions: Conditions = []


class WorkflowVersion(Resource):
    """Named ``<workflow>-v<N>``."""

    kind: str = "WorkflowVersion"
    spec: WorkflowVersionSpec
    status: WorkflowVersionStatus = WorkflowVersionStatus()
