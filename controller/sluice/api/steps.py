"""What a step may be: one class per kind, and the envelope around them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field
from pydantic.config import JsonDict

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
    WorkflowName,
)

ONE_KEY: JsonDict = {"x-sluice-one-of": True}
"""Marks a union that is told apart by the one key it carries, as with Kubernetes volumes."""

Code = Annotated[str, Field(max_length=65536)]
StepNames = Annotated[list[StepName], Field(max_length=256)]
Templates = Annotated[list[Template], Field(max_length=256)]
TemplateMap = Annotated[dict[str, Template], Field(max_length=128)]
Milliseconds = Annotated[int, Field(ge=0)]


class PythonAction(ApiModel):
    """Python code, run in a worker process of its own with curated built-ins."""

    code: Code | None = None
    """The source. It sees ``payload``, ``context``, ``params``, ``steps`` and ``files``; what it assigns to ``output`` is
    the step's output."""
    file: Annotated[str, Field(max_length=512)] | None = None
    """A file beside the manifest, inlined into ``code`` by everything that reads files. A server never sees it."""
    requirements: Annotated[list[ShortText], Field(max_length=128)] | None = None
    """Exact requirements (``pandas==2.2.3``), locked with hashes by ``sluice lock``."""
    lock: Annotated[list[Annotated[str, Field(max_length=16384)]], Field(max_length=512)] | None = None
    """The locked requirements with their hashes, written by ``sluice lock``."""
    connections: Annotated[list[ObjectName], Field(max_length=16)] | None = None
    """Connections whose credentials the code may use."""


class HttpAction(ApiModel):
    """One HTTP request."""

    connection: ObjectName | None = None
    """A Connection of type http; ``path`` is then relative to its URL and its credentials are sent."""
    url: Template | None = None
    """The whole URL, where there is no connection."""
    path: Template | None = None
    """Path below the connection's URL."""
    method: Annotated[str, Field(max_length=7, pattern="^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$")] | None = None
    """GET unless said otherwise."""
    headers: TemplateMap | None = None
    query: TemplateMap | None = None
    """Query parameters, added to those of the URL."""
    body: Json | None = None
    """Sent as JSON; a string is sent as it is."""
    success_codes: Annotated[list[Annotated[int, Field(ge=100, le=599)]], Field(max_length=32)] | None = None
    """Statuses that count as success; any 2xx unless said otherwise."""
    save_as: StepName | None = None
    """Keep the body as an artifact of this name; the output is then its size, digest and type."""


class ContainerAction(ApiModel):
    """A container of its own image, in a pod of its own."""

    image: Template
    script: Code | None = None
    """A shell script; instead of ``command`` and ``args``."""
    command: Templates | None = None
    args: Templates | None = None
    env: TemplateMap | None = None
    connections: Annotated[list[ObjectName], Field(max_length=16)] | None = None
    output_from: Annotated[str, Field(max_length=512)] | None = None
    """A file in the container whose JSON is the output."""


class WorkflowAction(ApiModel):
    """Starts a run of another workflow of the namespace and waits for it."""

    name: WorkflowName
    environment: ObjectName | None = None
    """The run's own environment unless said otherwise."""
    payload: Json | None = None
    params: JsonMap | None = None


class BuildAction(ApiModel):
    """Builds an App from a commit."""

    app: ObjectName
    ref: Template | None = None
    manifest: Annotated[str, Field(max_length=512)] | None = None
    args: TemplateMap | None = None
    promote: bool | None = None
    """Promote the resulting Release when the build succeeded."""


class PromoteAction(ApiModel):
    """Makes a Release live and waits until it is healthy."""

    app: ObjectName
    release: Template | None = None
    """The release of ``buildFrom`` unless named."""
    build_from: StepName | None = None
    """The step that made or copied the build."""


class RunAction(ApiModel):
    """Runs a command against one service of a Build."""

    app: ObjectName
    service: ObjectName
    command: Templates
    build_from: StepName | None = None


class CopyAction(ApiModel):
    """Copies a Build to another App."""

    app: ObjectName
    to: ObjectName
    build_from: StepName | None = None


class Action(ApiModel):
    """Does something outside; exactly one of these keys."""

    model_config = {"json_schema_extra": ONE_KEY}

    http: HttpAction | None = None
    python: PythonAction | None = None
    container: ContainerAction | None = None
    workflow: WorkflowAction | None = None
    build: BuildAction | None = None
    promote: PromoteAction | None = None
    run: RunAction | None = None
    copy_: CopyAction | None = Field(None, alias="copy")


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


class SwitchCase(ApiModel):
    """One way out of a switch."""

    when: Template
    """An expression of type bool."""
    next: StepNames


class Switch(ApiModel):
    """Chooses which steps run next: the first case that is true wins."""

    cases: Annotated[list[SwitchCase], Field(min_length=1, max_length=64)]
    default: StepNames | None = None
    """Where to go when no case is true; nowhere unless said."""


class ForEach(ApiModel):
    """Runs a graph once for each item of a list."""

    in_: Json = Field(alias="in")
    as_: StepName = Field(alias="as")
    graph: StepName
    max_parallel: Annotated[int, Field(ge=1, le=1000)] | None = None
    max_failures: Annotated[int, Field(ge=0, le=100000)] | None = None


class While(ApiModel):
    """Runs a graph again and again while a condition holds."""

    condition: Template
    graph: StepName
    max_iterations: Annotated[int, Field(ge=1, le=10000)]
    params: JsonMap | None = None


class Call(ApiModel):
    """Runs a named graph once."""

    graph: StepName
    params: JsonMap | None = None


class Wait(ApiModel):
    """Waits; exactly one of ``for``, ``until`` and ``signal``."""

    for_: Template | None = Field(None, alias="for")
    until: Template | None = None
    signal: StepName | None = None
    timeout: Duration | None = None
    """Only with ``signal``: how long it may take."""


class Logic(ApiModel):
    """Branches, loops and waits; exactly one of these keys."""

    model_config = {"json_schema_extra": ONE_KEY}

    switch: Switch | None = None
    for_each: ForEach | None = None
    while_: While | None = Field(None, alias="while")
    call: Call | None = None
    wait: Wait | None = None


class Approvers(ApiModel):
    """Who decides, as the API server knows them."""

    users: Annotated[list[ShortText], Field(max_length=64)] | None = None
    groups: Annotated[list[ShortText], Field(max_length=64)] | None = None


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


STEP_KINDS = ("data", "skill", "agent", "mcp", "logic", "approval", "action", "notify", "storage")
ACTION_KINDS = ("http", "python", "container", "workflow", "build", "promote", "run", "copy")
LOGIC_KINDS = ("switch", "forEach", "while", "call", "wait")


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
