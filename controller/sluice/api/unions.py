"""Unions that are told apart by the one key they carry, and what such a key may be."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.config import JsonDict

from sluice.api.fields import StepName, Template

ONE_KEY: JsonDict = {"x-sluice-one-of": True}
"""Marks a union that is told apart by the one key it carries, as with Kubernetes volumes."""

STEP_KINDS = ("data", "skill", "agent", "mcp", "logic", "approval", "action", "notify", "storage")
ACTION_KINDS = ("http", "python", "container", "workflow", "build", "promote", "run", "copy")
LOGIC_KINDS = ("switch", "forEach", "while", "call", "wait")

Code = Annotated[str, Field(max_length=65536)]
StepNames = Annotated[list[StepName], Field(max_length=256)]
Templates = Annotated[list[Template], Field(max_length=256)]
TemplateMap = Annotated[dict[str, Template], Field(max_length=128)]
