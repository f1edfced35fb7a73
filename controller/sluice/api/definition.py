"""What is versioned: parameters, trigger, steps. No field here has a default of its own on the server: the canonical form
fills them in, so that a new release changes no digest."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from sluice.api.fields import ApiModel, Duration, Json, JsonMap, LongText, ParamName, StepName, Template
from sluice.api.steps import Edge, Node, Steps, Task
from sluice.api.triggers import Trigger


class ParameterType(StrEnum):
    """JSON's types."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ARRAY = "array"
    OBJECT = "object"


class Parameter(ApiModel):
    """A value that environments and runs fill in; only the declaration is versioned."""

    type: ParameterType
    default: Json | None = None
    description: LongText | None = None
    enum: Annotated[list[Json], Field(max_length=64)] | None = None


Parameters = Annotated[dict[ParamName, Parameter], Field(max_length=64)]


class Execution(StrEnum):
    """Whether branches may run at the same time."""

    PARALLEL = "Parallel"
    SEQUENTIAL = "Sequential"


class FailurePolicy(StrEnum):
    """What a failure does to steps that run beside it."""

    DRAIN = "Drain"
    CANCEL = "Cancel"


class ConcurrencyPolicy(StrEnum):
    """What happens to a run for which there is no room."""

    ALLOW = "Allow"
    FORBID = "Forbid"
    REPLACE = "Replace"
    QUEUE = "Queue"


class Concurrency(ApiModel):
    """How many runs at a time, in each environment."""

    limit: Annotated[int, Field(ge=1, le=10000)] | None = None
    policy: ConcurrencyPolicy | None = None


class Graph(ApiModel):
    """A named graph: the body of a loop or a call."""

    params: Parameters | None = None
    steps: Steps
    outputs: JsonMap | None = None


class Definition(ApiModel):
    """A graph of steps and what starts it. Written as ``steps``, as ``nodes`` and ``edges``, or as ``tasks``."""

    params: Parameters | None = None
    trigger: Trigger | None = None
    """Exactly one; ``manual: {}`` unless said."""
    context: JsonMap | None = None
    """Workflow-level context at the start of each run; every step reads and writes it."""
    execution: Execution | None = None
    """Parallel unless said; Sequential runs one step at a time in topological order."""
    sticky_key: Template | None = None
    """With ``split: Hash``: who is to see always the same version."""
    timeout: Duration | None = None
    """How long a run may take, without waits."""
    failure_policy: FailurePolicy | None = None
    """Drain (the default) lets steps in flight finish; Cancel stops them."""
    concurrency: Concurrency | None = None
    steps: Steps | None = None
    nodes: Annotated[dict[StepName, Node], Field(max_length=500)] | None = None
    edges: Annotated[dict[Annotated[str, Field(max_length=63)], Edge], Field(max_length=2000)] | None = None
    tasks: (
        Annotated[
            list[Task],
            Field(
                max_length=500,
                json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
            ),
        ]
        | None
    ) = None
    graphs: Annotated[dict[StepName, Graph], Field(max_length=64)] | None = None
    finally_: Steps | None = Field(None, alias="finally")
    """After the verdict, in every case; never changes it."""
    outputs: JsonMap | None = None
    """What the run answers."""
