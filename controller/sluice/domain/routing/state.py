"""Whether a workflow runs in an environment: the EnvironmentState over ``spec.environments`` over ``defaultState``.

Overrides are the kill switch: any one that has not run out makes it Inactive, whatever the rest says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sluice.api.environment import Environment
from sluice.api.environmentstate import EnvironmentState, State, StateOverride, Triggers
from sluice.api.reasons import Reason
from sluice.api.workflow import Scope, Workflow
from sluice.domain.timestamps import parse_stamp, stamp

FOREVER: Final = dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class EffectiveState:
    """The state in force. ``why`` is a sentence; ``until`` is when an override ends and the state is to be looked at again
    (None: nothing ends by itself)."""

    state: State
    reason: Reason
    why: str
    until: dt.datetime | None = None
    triggers: Triggers = Triggers.ALL
    params: Mapping[str, Any] = field(default_factory=dict)
    """The EnvironmentState's values."""

    @property
    def active(self) -> bool:
        """Whether runs may start."""
        return self.state is State.ACTIVE


def effective_state(
    workflow: Workflow, environment: Environment, declared: EnvironmentState | None, *, now: dt.datetime
) -> EffectiveState:
    """The state of a workflow in an environment at this moment."""
    name = environment.metadata.name
    only = workflow.spec.environment
    if workflow.spec.scope is Scope.ENVIRONMENT and only != name:
        why = f"{workflow.metadata.name} has scope Environment and exists in {only} only"
        return EffectiveState(State.INACTIVE, Reason.ENVIRONMENT_MISMATCH, why)
    if declared is not None:
        return _declared(declared, name, now)
    listed = (workflow.spec.environments or {}).get(name)
    if listed is not None:
        return EffectiveState(listed, _reason(listed), f"spec.environments says {listed} for {name}")
    default = environment.spec.default_state
    return EffectiveState(default, _reason(default), f"defaultState of {name} is {default}")


def _declared(declared: EnvironmentState, environment: str, now: dt.datetime) -> EffectiveState:
    spec = declared.spec
    in_force = overrides_in_force(spec.overrides, now)
    if not in_force:
        why = f"EnvironmentState {declared.metadata.name} says {spec.state}"
        return EffectiveState(spec.state, _reason(spec.state), why, triggers=spec.triggers, params=spec.params or {})
    ends = [end for end in (_end(override) for override in in_force.values()) if end is not None]
    told = "; ".join(_told(by, override) for by, override in in_force.items())
    return EffectiveState(
        State.INACTIVE,
        Reason.INACTIVE_BY_HAND,
        f"switched off in {environment} by {told}",
        until=min(ends) if ends else None,
        triggers=spec.triggers,
        params=spec.params or {},
    )


def overrides_in_force(overrides: Mapping[str, StateOverride] | None, now: dt.datetime) -> dict[str, StateOverride]:
    """The overrides that have not run out, by name. One whose ``until`` is no time never runs out: better off than on."""
    ends = {name: _end(override) for name, override in (overrides or {}).items()}
    return {name: (overrides or {})[name] for name in sorted(ends) if (ends[name] or FOREVER) > now}


def _end(override: StateOverride) -> dt.datetime | None:
    try:
        return parse_stamp(override.until) if override.until else None
    except ValueError:
        return None


def _told(by: str, override: StateOverride) -> str:
    reason = f" ({override.reason})" if override.reason else ""
    end = _end(override)
    if end is not None:
        return f"{by}{reason} until {stamp(end)}"
    return f"{by}{reason}" + (f" (until {override.until!r} is no time)" if override.until else "")


def _reason(state: State) -> Reason:
    return Reason.ACTIVE if state is State.ACTIVE else Reason.INACTIVE
