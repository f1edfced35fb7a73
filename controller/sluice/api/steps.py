"""What a step may be: the envelope around its kind, and the kinds that are small."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from sluice.api.actions import Action, BuildAction, CopyAction, PromoteAction, RunAction
from sluice.api.approvers import Approvers
from sluice.api.fields import (
    ApiModel,
    Duration,
    Json,
    JsonMap,
    LongText,
    Need,
    ObjectName,
    ShortText,
    StepName,
    Strings,
    Template,
)
from sluice.api.logic import Logic
from sluice.api.unions import ONE_KEY, STEP_KINDS, Code, TemplateMap, Templates


class DataStep(ApiModel):
    """Reads from or writes to a datastore."""

    connection: ObjectName
    operation: Annotated[str, Field(max_length=7, pattern="^(Query|Execute|Upsert|Read|Write|Delete)$")]
    query: Annotated[str, Field(max_length=32768)] | None = None
    """SQL with named parameters; never a template, values go through ``values``."""
    values: JsonMap | None = None
    table: ShortText | None = None
    rows: Json | None = None
    keys: Strings | None = None
    save_as: StepName | None = None


class SkillStep(ApiModel):
    """Calls a Skill of the namespace with a checked input."""

    name: ObjectName
    input: JsonMap | None = None
    save_as: StepName | None = None


class AgentTool(ApiModel):
    """What an agent may call; exactly one of these."""

    model_config = {"json_schema_extra": ONE_KEY}

    skill: ObjectName | None = None
    mcp: ObjectName | None = None


class AgentStep(ApiModel):
    """Asks a language model, with tools if it is given any."""

    connection: ObjectName
    prompt: Template
    instructions: Template | None = None
    model: ShortText | None = None
    output: JsonMap | None = None
    """JSON Schema of the answer."""
    tools: Annotated[list[AgentTool], Field(max_length=32)] | None = None
    max_turns: Annotated[int, Field(ge=1, le=100)] | None = None
    save_as: StepName | None = None


class McpStep(ApiModel):
    """Calls one tool of a registered MCP server."""

    connection: ObjectName
    tool: ShortText
    arguments: JsonMap | None = None


class Notice(ApiModel):
    """Where to tell somebody."""

    connection: ObjectName
    to: Templates | None = None


class ApprovalStep(Approvers):
    """Pauses until people decide."""

    payload: Json | None = None
    """What is to be approved; an approver may edit it, and the edited payload is the output."""
    summary: Template | None = None
    risk: Annotated[str, Field(max_length=8, pattern="^(Low|Medium|High|Critical)$")] | None = None
    minimum: Annotated[int, Field(ge=1, le=64)] | None = None
    """How many must approve; 1 unless said."""
    exclude_requester: bool | None = None
    notify: Notice | None = None
    sla: Duration | None = None
    """After this time ``escalate`` may decide too; the run keeps waiting."""
    escalate: Approvers | None = None
    timeout: Duration | None = None
    """After this time it counts as rejected."""


class NotifyStep(ApiModel):
    """Sends a message."""

    connection: ObjectName
    to: Annotated[list[Template], Field(min_length=1, max_length=64)] | None = None
    subject: Template | None = None
    text: Template


class StorageStep(ApiModel):
    """Reads from or writes to object storage."""

    connection: ObjectName
    operation: Annotated[str, Field(max_length=6, pattern="^(Get|Put|List|Delete)$")]
    key: Template | None = None
    prefix: Template | None = None
    content: Json | None = None
    artifact: StepName | None = None


class Backoff(ApiModel):
    """How long to wait between attempts."""

    duration: Duration | None = None
    """Before the first retry; 1s unless said."""
    factor: Annotated[int, Field(ge=1, le=10)] | None = None
    """Each wait is this many times the one before; 2 unless said."""
    max: Duration | None = None
    """No wait is longer; 5m unless said."""


class Retry(ApiModel):
    """Tries a failed step again."""

    limit: Annotated[int, Field(ge=0, le=100)]
    """Retries after the first attempt."""
    when: Template | None = None
    """An expression over ``error``; unless said, everything that failed but Rejected, InvalidInput and HTTP 4xx other than
    408 and 429."""
    backoff: Backoff | None = None
    max_duration: Duration | None = None
    """No retry starts later than this after the first attempt."""


class ErrorAction(StrEnum):
    """What a step's failure does to the run."""

    FAIL = "Fail"
    CONTINUE = "Continue"


class OnError(ApiModel):
    """What happens when the last attempt failed: an ``action``, or ``goto`` a step that handles it."""

    action: ErrorAction | None = None
    """Fail (the default) or Continue."""
    goto: StepName | None = None
    then: ErrorAction | None = None
    """With ``goto``: whether the run fails all the same; Continue unless said."""


class Resources(ApiModel):
    """What one step needs; it then runs in a segment of its own."""

    cpu: Annotated[str, Field(max_length=16, pattern=r"^[0-9]+(\.[0-9]+)?m?$")] | None = None
    memory: Annotated[str, Field(max_length=16, pattern=r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|k|M|G)?$")] | None = None


class ArtifactOut(ApiModel):
    """A file that a step leaves behind."""

    path: Annotated[str, Field(max_length=512)]
    type: ShortText | None = None


class Artifacts(ApiModel):
    """Files that go in and out of a step."""

    in_: TemplateMap | None = Field(None, alias="in")
    out: Annotated[dict[StepName, ArtifactOut], Field(max_length=32)] | None = None


class StepEnvelope(ApiModel):
    """What every step may have around its kind, and the kind itself: exactly one of the nine."""

    description: LongText | None = None
    when: Template | None = None
    """An expression; false skips the step."""
    retry: Retry | None = None
    timeout: Duration | None = None
    """How long one attempt may take."""
    on_error: OnError | None = None
    resources: Resources | None = None
    artifacts: Artifacts | None = None

    data: DataStep | None = None
    skill: SkillStep | None = None
    agent: AgentStep | None = None
    mcp: McpStep | None = None
    logic: Logic | None = None
    approval: ApprovalStep | None = None
    action: Action | None = None
    notify: NotifyStep | None = None
    storage: StorageStep | None = None


class Step(StepEnvelope):
    """One step: a name, what it needs, its kind."""

    model_config = {"json_schema_extra": {"x-sluice-one-of": list(STEP_KINDS)}}

    name: StepName
    needs: Annotated[list[Need], Field(max_length=256)] | None = None
    """Steps that come before this one. If one of them is skipped this one is too, unless written with a ``?``."""


Steps = Annotated[
    list[Step],
    Field(max_length=500, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}),
]


class Node(StepEnvelope):
    """One node of the node editors' spelling."""

    name: ShortText | None = None
    """What the editor shows."""
    type: Annotated[str, Field(max_length=7, pattern="^(trigger|action)$")] | None = None
    position: JsonMap | None = None
    """Where the node stands on a canvas; no part of a version. Free-form: YAML 1.1 reads an unquoted ``y`` as true."""
    py_code: Code | None = None
    """Short for ``action: {python: {code: ...}}``."""


class Edge(ApiModel):
    """``target`` runs after ``source`` and sees its output."""

    source: StepName
    target: StepName


class Task(StepEnvelope):
    """One task of the deploy pipelines' spelling: it runs after the one before."""

    model_config = {"json_schema_extra": {"x-sluice-one-of": [*STEP_KINDS, "build", "promote", "run", "copy"]}}

    name: StepName
    build: BuildAction | None = None
    promote: PromoteAction | None = None
    run: RunAction | None = None
    copy_: CopyAction | None = Field(None, alias="copy")
