"""The kinds of ``logic``: branches, loops and waits."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sluice.api.fields import (
    ApiModel,
    Duration,
    Json,
    JsonMap,
    StepName,
    Template,
)
from sluice.api.unions import ONE_KEY, StepNames


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
