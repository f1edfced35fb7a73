"""Workflow: who owns it, how it is published, and the draft of what it does."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from sluice.api.approvers import Approvers
from sluice.api.definition import Definition
from sluice.api.environmentstate import State
from sluice.api.fields import (
    ApiModel,
    Conditions,
    Duration,
    Email,
    Json,
    JsonMap,
    LongText,
    ObjectName,
    Percent,
    Resource,
    ShortText,
    StatusModel,
    StepName,
    Timestamp,
    VersionName,
    WorkflowName,
)
from sluice.api.rollout import RolloutStatus


class Scope(StrEnum):
    """One history for all environments, or one environment only."""

    ORGANIZATION = "Organization"
    ENVIRONMENT = "Environment"


class PublishPolicy(StrEnum):
    """Whether a changed draft is published by itself."""

    AUTOMATIC = "Automatic"
    MANUAL = "Manual"


class RolloutPolicy(StrEnum):
    """Whether anything may be published while no Rollout exists."""

    OPTIONAL = "Optional"
    REQUIRED = "Required"


class PublishRequest(ApiModel):
    """A person's word that the draft of this digest is to be published."""

    digest: Annotated[str, Field(max_length=71, pattern="^sha256:[0-9a-f]{64}$")]
    attempt: Annotated[int, Field(ge=1, le=1000)] = 1
    """How many times this draft is to have been published; 2 resubmits a rejected one, or brings it back after a revert."""


class PublishApproval(Approvers):
    """Who must approve a version before it takes runs."""

    minimum: Annotated[int, Field(ge=1, le=64)] | None = None
    exclude_requester: bool | None = None
    sla: Duration | None = None
    timeout: Duration | None = None


class Publish(ApiModel):
    """How drafts become versions."""

    policy: PublishPolicy = PublishPolicy.AUTOMATIC
    """Automatic: a changed draft is a publish. Manual: ``sluice publish`` or ``request`` says so."""
    rollout: RolloutPolicy = RolloutPolicy.OPTIONAL
    """Required: nothing is published while no Rollout exists."""
    approval: PublishApproval | None = None
    request: PublishRequest | None = None


class Revert(ApiModel):
    """Publish an older version again."""

    to: VersionName
    percent: Percent | None = None
    """Where the rollout of the new version starts; the Rollout's own way unless said."""
    reason: LongText | None = None


class DefinitionFrom(ApiModel):
    """Take the definition of a version of another workflow of this namespace."""

    workflow: WorkflowName
    version: VersionName


class HmacAuth(ApiModel):
    """How the sender signs."""

    connection: ObjectName
    key: ShortText
    scheme: Annotated[str, Field(max_length=16, pattern="^(github|gitlab|stripe|sluice)$")] = "sluice"


class WebhookAuth(ApiModel):
    """What a sender must prove beyond knowing the URL."""

    hmac: HmacAuth | None = None


class Rotation(ApiModel):
    """How long an old URL still works."""

    grace: Annotated[str, Field(max_length=32, pattern=r"^(Never|([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+)$")] = "0s"
    """A duration, or Never: the URL does not change."""


class WebhookSettings(ApiModel):
    """Settings of the webhook, not versioned."""

    rotation: Rotation | None = None
    auth: WebhookAuth | None = None


class NotifyOn(StrEnum):
    """What can be told."""

    RUN_FAILED = "RunFailed"
    RUN_SUCCEEDED = "RunSucceeded"
    GATE_FAILED = "GateFailed"
    PUBLISHED = "Published"
    APPROVAL_REQUESTED = "ApprovalRequested"


class Notification(ApiModel):
    """Whom to tell of what, not versioned."""

    events: Annotated[list[NotifyOn], Field(min_length=1, max_length=8)]
    """What is told. (Not ``on``: YAML 1.1, and so kubectl, reads that word as true.)"""
    environments: Annotated[list[ObjectName], Field(max_length=64)] | None = None
    connection: ObjectName
    to: Annotated[list[ShortText], Field(max_length=64)] | None = None


class TestExpectation(ApiModel):
    """What a test run must end as."""

    phase: Annotated[str, Field(max_length=9, pattern="^(Succeeded|Failed)$")] | None = None
    ran: Annotated[list[StepName], Field(max_length=256)] | None = None
    skipped: Annotated[list[StepName], Field(max_length=256)] | None = None
    outputs: JsonMap | None = None
    failed_step: StepName | None = None
    reason: ShortText | None = None


class WorkflowTest(ApiModel):
    """A run with mocked steps that ``sluice test`` plays through."""

    name: ShortText
    payload: Json | None = None
    params: JsonMap | None = None
    mocks: Annotated[dict[StepName, Json], Field(max_length=256)] | None = None
    """The output of each mocked step, or ``{error: {reason, message}}``."""
    expect: TestExpectation


class WorkflowSpec(ApiModel):
    """What is wanted of a workflow. Only what stands under ``definition`` is versioned."""

    display_name: ShortText | None = None
    description: LongText | None = None
    owner: Email
    """E-mail address of who answers for this workflow."""
    team: ShortText | None = None
    tags: Annotated[list[Annotated[str, Field(min_length=1, max_length=63)]], Field(max_length=32)] = []
    scope: Scope = Scope.ORGANIZATION
    environment: ObjectName | None = None
    """The one environment of a workflow of scope Environment; immutable."""
    logical_name: WorkflowName | None = None
    """What ties together the siblings of scope Environment in several environments."""
    suspend: bool = False
    """Paused: no new runs; runs in progress go on."""
    environments: Annotated[dict[ObjectName, State], Field(max_length=64)] | None = None
    """The same as EnvironmentState objects, which win."""
    publish: Publish | None = None
    webhook: WebhookSettings | None = None
    notifications: Annotated[list[Notification], Field(max_length=32)] | None = None
    reverts: Annotated[dict[VersionName, Revert], Field(max_length=256)] | None = None
    """Requests to publish an older version, keyed by the number each is to become."""
    definition: Definition | None = None
    definition_from: DefinitionFrom | None = None
    tests: Annotated[list[WorkflowTest], Field(max_length=64)] | None = None


class Phase(StrEnum):
    """What serves: see ``WorkflowStatus.phase``."""

    DRAFT = "Draft"
    APPROVAL = "Approval"
    PAUSED = "Paused"
    DEPLOYED = "Deployed"
    FAILED = "Failed"


class Publishing(StatusModel):
    """The claim on the next number: it is written before the version is created."""

    number: int
    digest: str


class Contains(StatusModel):
    """Which kinds of steps the live version has."""

    agent: bool = False
    mcp: bool = False
    skill: bool = False
    approval: bool = False


class Metrics(StatusModel):
    """From the ledger; moves at most every 30 s."""

    last_run: Timestamp | None = None
    last_run_status: str | None = None
    success_rate: str | None = None
    """Percent of ended runs that succeeded over 30 days, cancelled and rejected ones left out; absent without runs."""
    runs7d: int = Field(0, alias="runs7d")


class EnvironmentSummary(StatusModel):
    """How the workflow stands in one environment."""

    name: str
    state: str
    reason: str | None = None
    since: Timestamp | None = None
    next_run: Timestamp | None = None
    webhook_secret: str | None = None


class WorkflowStatus(StatusModel):
    """What is. Everything here can be rebuilt."""

    observed_generation: int = 0
    id: str = ""
    """``wfl_`` and an identifier derived from the object's uid."""
    phase: Phase = Phase.DRAFT
    version: str = "v1"
    """The newest version, or v1 before there is one."""
    live: str | None = None
    """The newest published version that may take runs."""
    stable: str | None = None
    candidate: str | None = None
    percent: str | None = None
    rollout: RolloutStatus | None = None
    """Where the rollout stands; a Rollout of the same name shows it as its own status."""
    draft_digest: str | None = None
    publishing: Publishing | None = None
    last_number: int = 0
    contains: Contains = Contains()
    metrics: Metrics = Metrics()
    environments: Annotated[list[EnvironmentSummary], Field(max_length=64)] = []
    active_in: str | None = None
    """Names of the environments where it is Active, for the printer column."""
    resumed_at: Timestamp | None = None
    conditions: Conditions = []


class Workflow(Resource):
    """A graph of steps with an owner, a history of versions and a state in each environment."""

    kind: str = "Workflow"
    spec: WorkflowSpec
    status: WorkflowStatus = WorkflowStatus()
