"""Whether a run may start, and where. What is asked comes before any version is chosen.

Paused and Inactive drop automatic triggers, counted and never made up for; a run made by hand there ends as Rejected.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from sluice.api.environment import Environment
from sluice.api.environmentstate import EnvironmentState, Triggers
from sluice.api.reasons import Reason
from sluice.api.workflow import Scope, Workflow
from sluice.api.workflowrun import ReplayVersion, RunInput
from sluice.domain.routing.state import EffectiveState, effective_state

AUTOMATIC: Final = frozenset({"webhook", "schedule", "event", "queue"})
"""Triggers that nobody stands behind: they are dropped where a run by hand would be told why."""
SEVERAL: Final = 5


@dataclass(frozen=True, slots=True)
class Door:
    """What is known of a workflow when a run wants in; environments and states of its workspace, by environment's name."""

    workflow: Workflow
    environments: Mapping[str, Environment]
    states: Mapping[str, EnvironmentState] = field(default_factory=dict)
    has_version: bool = True
    """Whether any version takes runs."""
    problem: str = ""
    """Why the version in force can't run; empty when it can."""


@dataclass(frozen=True, slots=True)
class Admit:
    """The run may start in this environment."""

    environment: str
    state: EffectiveState


@dataclass(frozen=True, slots=True)
class Rejected:
    """The run does not start. ``dropped``: no run is recorded, the trigger is counted under ``reason``."""

    reason: Reason
    message: str
    environment: str = ""
    dropped: bool = False


def admission(door: Door, run: RunInput, *, now: dt.datetime) -> Admit | Rejected:
    """Decide on one run or trigger; the message says what to do."""
    automatic = run.trigger is not None and run.trigger.type in AUTOMATIC and run.replay is None
    found = _environment(door, run, now)
    refused = found if isinstance(found, Rejected) else _refusal(door, run, found, automatic=automatic)
    return found if refused is None else replace(refused, dropped=automatic)


def active_environments(door: Door, *, now: dt.datetime) -> list[str]:
    """Where the workflow is Active, by name."""
    return [name for name in sorted(door.environments) if _state(door, name, now).active]


def _state(door: Door, name: str, now: dt.datetime) -> EffectiveState:
    return effective_state(door.workflow, door.environments[name], door.states.get(name), now=now)


def _environment(door: Door, run: RunInput, now: dt.datetime) -> Admit | Rejected:
    """The environment that is meant, and its state."""
    workflow = door.workflow
    only = workflow.spec.environment if workflow.spec.scope is Scope.ENVIRONMENT else None
    name = run.environment or only
    if name is None:
        active = active_environments(door, now=now)
        if len(active) != 1:
            return Rejected(Reason.ENVIRONMENT_REQUIRED, _name_one(door, active))
        name = active[0]
    if only is not None and name != only:
        message = f"{workflow.metadata.name} has scope Environment and runs in {only} only, not in {name}"
        return Rejected(Reason.ENVIRONMENT_MISMATCH, message, name)
    if name not in door.environments:
        known = ", ".join(sorted(door.environments)[:SEVERAL]) or "none"
        message = f"there is no Environment {name} in this namespace; there are: {known}"
        return Rejected(Reason.ENVIRONMENT_NOT_FOUND, message, name)
    return Admit(name, _state(door, name, now))


def _refusal(door: Door, run: RunInput, found: Admit, *, automatic: bool) -> Rejected | None:
    workflow, state, where = door.workflow, found.state, found.environment
    name = workflow.metadata.name
    original = run.replay is not None and run.replay.version is ReplayVersion.ORIGINAL
    if not door.has_version and not original:
        return Rejected(Reason.NO_VERSION, f"{name} has no published version that takes runs", where)
    if door.problem and not original:
        return Rejected(Reason.NOT_EXECUTABLE, f"the version of {name} in force can't run: {door.problem}", where)
    if not state.active:
        message = f"{name} is Inactive in {where}: {state.why}; run `sluice activate {name} --env {where}`"
        return Rejected(state.reason, message, where)
    if workflow.spec.suspend and run.replay is None:
        return Rejected(Reason.SUSPENDED, f"{name} is paused (spec.suspend); set it to false to start runs", where)
    if automatic and state.triggers is Triggers.MANUAL:
        message = f"{name} hears no triggers in {where} (triggers: Manual); start it by hand, or set triggers to All"
        return Rejected(Reason.TRIGGERS_MANUAL, message, where)
    return None


def _name_one(door: Door, active: list[str]) -> str:
    workflow = door.workflow.metadata.name
    if not door.environments:
        return f"there is no Environment in this namespace, and runs need one; apply one (kind: Environment) to run {workflow}"
    if not active:
        known = ", ".join(sorted(door.environments)[:SEVERAL])
        return f"{workflow} is Active in no environment; run `sluice activate {workflow} --env NAME` ({known})"
    return f"{workflow} is Active in {', '.join(active[:SEVERAL])}; say which with --env (spec.input.environment)"
