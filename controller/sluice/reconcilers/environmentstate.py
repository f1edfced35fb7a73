"""EnvironmentState: what is in force for one workflow in one environment, overrides counted."""

from __future__ import annotations

import datetime as dt

from sluice.api.environment import Environment
from sluice.api.environmentstate import EnvironmentState, EnvironmentStateStatus
from sluice.api.reasons import ConditionType, Reason
from sluice.api.workflow import Workflow
from sluice.domain.conditions import Because, Conditions, derive_ready
from sluice.domain.routing.state import EffectiveState, effective_state
from sluice.domain.timestamps import stamp
from sluice.ports.store import Obj
from sluice.reconcilers.reporting import write_status
from sluice.reconcilers.world import World
from sluice.runtime.outcome import Result, Stalled, Waiting
from sluice.runtime.queue import Key


class EnvironmentStateReconciler:
    """Checks what it names, and says what is in force."""

    def __init__(self, world: World) -> None:
        self._world = world

    def reconcile(self, obj: Obj) -> Result:
        """Work out the state in force; look again when an override runs out."""
        state = EnvironmentState.model_validate(obj)
        workflow, environment = self._subject(state)
        now = self._world.clock.now()
        effective = effective_state(workflow, environment, state, now=now)
        self._report(obj, state, effective, now)
        return Result(requeue_after=(effective.until - now).total_seconds() if effective.until else None)

    def gone(self, key: Key) -> Result:
        """The workflow's own reconcile sees that it is gone."""
        return Result()

    def failed(self, obj: Obj, ending: Waiting | Stalled) -> None:
        """Report what it names and is not there."""
        state = EnvironmentState.model_validate(obj)
        because = Because(ending.reason, ending.message)
        conditions = Conditions()
        stalled = isinstance(ending, Stalled)
        derive_ready(
            conditions, because, stalled=because if stalled else None, reconciling=None if stalled else because
        )
        generation = state.metadata.generation
        settled = conditions.settle(state.status.conditions, generation=generation, now=self._world.clock.now())
        write_status(self._world, obj, EnvironmentStateStatus(observed_generation=generation, conditions=settled))

    def _subject(self, state: EnvironmentState) -> tuple[Workflow, Environment]:
        namespace = state.metadata.namespace
        workflow_name, dot, environment_name = state.metadata.name.partition(".")
        if not dot:
            raise Stalled(
                Reason.NAME_MISMATCH, f"metadata.name is {workflow_name!r}; it must be <workflow>.<environment>"
            )
        workflow = self._world.caches.workflows.get(Key(namespace, workflow_name))
        if workflow is None:
            raise Waiting(Reason.WORKFLOW_NOT_FOUND, f"there is no workflow {workflow_name}", retry_after=600)
        environment = self._world.caches.environments.get(Key(namespace, environment_name))
        if environment is None:
            raise Waiting(Reason.ENVIRONMENT_NOT_FOUND, f"there is no environment {environment_name}", retry_after=600)
        return Workflow.model_validate(workflow), Environment.model_validate(environment)

    def _report(self, obj: Obj, state: EnvironmentState, effective: EffectiveState, now: dt.datetime) -> None:
        before, generation = state.status, state.metadata.generation
        workflow, _, environment = state.metadata.name.partition(".")
        conditions = Conditions()
        derive_ready(conditions, Because(Reason.SUCCEEDED, effective.why))
        if effective.state != state.spec.state:
            conditions.true(ConditionType.HELD_BY_HAND, Reason.INACTIVE_BY_HAND, effective.why)
        status = EnvironmentStateStatus(
            observed_generation=generation,
            state=effective.state,
            since=before.since if before.since and before.state == effective.state else stamp(now),
            workflow=workflow,
            environment=environment,
            conditions=conditions.settle(before.conditions, generation=generation, now=now),
        )
        write_status(self._world, obj, status)
