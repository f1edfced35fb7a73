"""EnvironmentState: one workflow's state in one environment, and the kill switch."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from sluice.api.fields import (
    ApiModel,
    Conditions,
    JsonMap,
    LongText,
    ObjectName,
    Resource,
    ShortText,
    StatusModel,
    Timestamp,
)


class State(StrEnum):
    """Whether a workflow runs in an environment."""

    ACTIVE = "Active"
    INACTIVE = "Inactive"


class Triggers(StrEnum):
    """Which triggers are heard."""

    ALL = "All"
    MANUAL = "Manual"


class StateOverride(ApiModel):
    """One person's or program's word that the workflow must not run here; any one wins."""

    state: Literal["Inactive"] = "Inactive"
    reason: LongText | None = None
    until: Timestamp | None = None
    """After this time the override counts no more."""


class EnvironmentStateSpec(ApiModel):
    """What is wanted of one workflow in one environment."""

    state: State
    """Active runs; Inactive runs nothing at all, old or new."""
    triggers: Triggers = Triggers.ALL
    """Manual: only runs made by hand."""
    params: JsonMap | None = None
    """Values of parameters, over those of the Environment."""
    overrides: Annotated[dict[ObjectName, StateOverride], Field(max_length=64)] | None = None


class EnvironmentStateStatus(StatusModel):
    """What is."""

    observed_generation: int = 0
    state: State | None = None
    """The state in force, overrides counted."""
    since: Timestamp | None = None
    workflow: ShortText | None = None
    environment: ShortText | None = None
    conditions: Conditions = []


class EnvironmentState(Resource):
    """Named ``<workflow>.<environment>``."""

    kind: str = "EnvironmentState"
    spec: EnvironmentStateSpec
    status: EnvironmentStateStatus = EnvironmentStateStatus()
