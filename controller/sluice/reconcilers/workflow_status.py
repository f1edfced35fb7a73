"""A workflow's status, put together in one place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sluice.api.environment import Environment
from sluice.api.environmentstate import State
from sluice.api.reasons import ConditionType
from sluice.api.workflow import EnvironmentSummary, Metrics, Workflow, WorkflowStatus
from sluice.domain.conditions import Because, Conditions, derive_ready
from sluice.domain.identity import workflow_id
from sluice.domain.publishing.facts import DraftFacts, PublishPlan
from sluice.domain.rollouts.facts import RolloutPlan
from sluice.domain.routing.state import EffectiveState
from sluice.domain.timestamps import from_micros, stamp
from sluice.ports.ledger import Ledger, RunMetrics
from sluice.ports.store import Obj
from sluice.reconcilers.world import World
from sluice.runtime.outcome import Stalled, Waiting
from sluice.runtime.queue import Key

METRICS_EVERY = dt.timedelta(seconds=30)


class MetricsPace:
    """Figures move at most every 30 s, so that a busy workflow is not written once per run."""

    def __init__(self) -> None:
        self._moved: dict[Key, dt.datetime] = {}

    def current(self, workflow: Workflow, ledger: Ledger, now: dt.datetime) -> tuple[Metrics, dt.timedelta | None]:
        """What the status is to show, and when to look again: at the end of the pace, or when a run leaves its span."""
        key, shown = Key(workflow.metadata.namespace, workflow.metadata.name), workflow.status.metrics
        figures = ledger.metrics(workflow.metadata.uid)
        current = metrics_of(figures)
        if current != shown:
            wait = self._moved.get(key, now - METRICS_EVERY) + METRICS_EVERY - now
            if wait > dt.timedelta():
                return shown, wait
            self._moved[key] = now
        return current, from_micros(figures.fades) - now if figures.fades else None

    def forget(self, key: Key) -> None:
        """The workflow is gone."""
        self._moved.pop(key, None)


def build(
    workflow: Workflow,
    draft: DraftFacts,
    *,
    plan: PublishPlan,
    rollout: RolloutPlan,
    environments: Sequence[tuple[Environment, EffectiveState]],
    metrics: Metrics,
) -> WorkflowStatus:
    """The whole status, from spec, plans and ledger."""
    walk = rollout.status
    return WorkflowStatus(
        observed_generation=workflow.metadata.generation,
        id=workflow_id(workflow.metadata.uid),
        phase=plan.phase,
        version=plan.version,
        live=plan.live,
        stable=walk.stable.version if walk.stable else None,
        candidate=walk.candidate.version if walk.candidate else None,
        percent=walk.percent if walk.candidate else None,
        rollout=walk,
        draft_digest=draft.digest or None,
        publishing=plan.claim,
        last_number=plan.last_number,
        contains=plan.contains,
        metrics=metrics,
        environments=[_summary(environment.metadata.name, state) for environment, state in environments],
        active_in=", ".join(env.metadata.name for env, state in environments if state.state is State.ACTIVE) or None,
        resumed_at=workflow.status.resumed_at,
        conditions=list(plan.conditions),
    )


def _summary(name: str, state: EffectiveState) -> EnvironmentSummary:
    return EnvironmentSummary(name=name, state=state.state.value, reason=state.why or None)


def metrics_of(figures: RunMetrics) -> Metrics:
    """Figures as the status spells them (R226 to R229)."""
    rate = f"{100 * figures.succeeded_30d / figures.ended_30d:.1f}" if figures.ended_30d else None
    return Metrics(
        last_run=stamp(from_micros(figures.last_run)) if figures.last_run else None,
        last_run_status=figures.last_phase or None,
        success_rate=rate,
        runs7d=figures.started_7d,
    )


def stuck(world: World, obj: Obj, ending: Waiting | Stalled) -> WorkflowStatus:
    """The status as it was, with why nothing moves."""
    workflow = Workflow.model_validate(obj)
    status, metadata = workflow.status, workflow.metadata
    because = Because(ending.reason, ending.message)
    conditions = Conditions()
    derive_ready(
        conditions,
        because,
        stalled=because if isinstance(ending, Stalled) else None,
        reconciling=because if isinstance(ending, Waiting) else None,
    )
    kept = [
        condition
        for condition in status.conditions
        if condition.type not in {ConditionType.READY, ConditionType.STALLED, ConditionType.RECONCILING}
    ]
    settled = conditions.settle(status.conditions, generation=metadata.generation, now=world.clock.now())
    return status.model_copy(update={"conditions": sorted([*kept, *settled], key=lambda condition: condition.type)})
