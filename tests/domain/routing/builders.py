"""Workflows, environments and runs for tests of routing."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sluice.api.environment import Environment
from sluice.api.environmentstate import EnvironmentState
from sluice.api.kinds import API_VERSION
from sluice.api.workflow import Workflow
from sluice.api.workflowrun import RunInput
from sluice.domain.routing.gatekeeper import Door

NOW = dt.datetime(2026, 3, 1, 8, 0, tzinfo=dt.UTC)


def workflow(**spec: Any) -> Workflow:
    return Workflow.model_validate(
        {
            "apiVersion": API_VERSION,
            "kind": "Workflow",
            "metadata": {"name": "support", "namespace": "team", "uid": "uid-1"},
            "spec": {"owner": "ana@example.com", **spec},
        }
    )


def environment(name: str, default: str = "Inactive", type: str = "Sandbox") -> Environment:
    spec = {"type": type, "defaultState": default}
    return Environment.model_validate(
        {"apiVersion": API_VERSION, "kind": "Environment", "metadata": {"name": name}, "spec": spec}
    )


def state(name: str, active: str, **spec: Any) -> EnvironmentState:
    return EnvironmentState.model_validate(
        {
            "apiVersion": API_VERSION,
            "kind": "EnvironmentState",
            "metadata": {"name": f"support.{name}"},
            "spec": {"state": active, **spec},
        }
    )


def door(*environments: Environment, states: dict[str, EnvironmentState] | None = None, **spec: Any) -> Door:
    known = {each.metadata.name: each for each in environments}
    return Door(workflow(**spec), known, states or {})


def run(environment: str | None = None, **fields: Any) -> RunInput:
    return RunInput.model_validate({"workflow": "support", "environment": environment, **fields})
