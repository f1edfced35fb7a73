"""The kinds of ``action``: what a step does outside."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sluice.api.fields import (
    ApiModel,
    Json,
    JsonMap,
    ObjectName,
    ShortText,
    StepName,
    Template,
    WorkflowName,
)
from sluice.api.unions import ONE_KEY, Code, TemplateMap, Templates


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
    """A container of its own image, in a pod of its own; on a cluster only."""

    image: Template
    script: Code | None = None
    """A shell script, run by ``/bin/sh -ec``; instead of ``command`` and ``args``."""
    command: Templates | None = None
    """The image's own entry point unless given."""
    args: Templates | None = None
    env: TemplateMap | None = None
    """Environment variables. A value that is no text is given as JSON."""
    connections: Annotated[list[ObjectName], Field(max_length=16)] | None = None
    output_from: Annotated[str, Field(max_length=512)] | None = None
    """A file in the container whose JSON is the output, at most 4,095 bytes; ``{exitCode: 0}`` is, unless given."""


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
