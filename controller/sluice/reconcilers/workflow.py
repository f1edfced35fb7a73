"""Workflow: publish the draft, walk the rollout, say what serves.

Both live in one reconcile because they are one decision: what is published and what takes runs must never be seen apart. The
rollout's state stands in the workflow's status; a Rollout of the same name only shows it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from sluice.api.approval import Approval
from sluice.api.environment import Environment, EnvironmentType
from sluice.api.environmentstate import EnvironmentState, State
from sluice.api.rollout import Outcome, Rollout, RolloutStatus
from sluice.api.workflow import Workflow
from sluice.api.workflowversion import WorkflowVersion
from sluice.domain.publishing.facts import DraftFacts, PublishFacts, PublishPlan
from sluice.domain.publishing.plan import plan_publish
from sluice.domain.rollouts.facts import EnvironmentFacts, RolloutFacts, RolloutPlan, VersionFacts
from sluice.domain.rollouts.plan import plan_rollout
from sluice.domain.routing.dealing import Window
from sluice.domain.routing.parameters import parameters
from sluice.domain.routing.split import in_force
from sluice.domain.routing.state import EffectiveState, effective_state
from sluice.ports.store import Obj, Ref
from sluice.reconcilers import publishing, workflow_status
from sluice.reconcilers.drafts import Drafts
from sluice.reconcilers.reporting import write_status
from sluice.reconcilers.world import BY_NAMESPACE, BY_WORKFLOW, DEFAULT_ROLLOUT, World
from sluice.runtime.outcome import DONE, Result, Stalled, Waiting
from sluice.runtime.queue import Key


@dataclass(frozen=True, slots=True)
class Observed:
    """All that one reconcile is decided from."""

    versions: list[WorkflowVersion]
    approvals: dict[str, Approval]
    rollout: Rollout | None
    environments: list[tuple[Environment, EffectiveState]]
    managed_fields: list[Obj]


class WorkflowReconciler:
    """Observe, plan, apply, report."""

    def __init__(self, world: World, drafts: Drafts, wake_queued: Callable[[str, str], None]) -> None:
        """``wake_queued`` is told a workflow's uid and an environment in which there may be more room for runs."""
        self._world = world
        self._drafts = drafts
        self._wake_queued = wake_queued
        self._pace = workflow_status.MetricsPace()

    def reconcile(self, obj: Obj) -> Result:
        """Publish what is to be published, move the rollout, report; safe to repeat at any point."""
        workflow = Workflow.model_validate(obj)
        if workflow.metadata.deletion_timestamp:
            return publishing.let_go(self._world, obj)
        obj = publishing.hold_on(self._world, obj)
        now = self._world.clock.now()

        fields = obj["metadata"].get("managedFields", [])
        observed = self._observe(workflow, fields, now)
        draft = self._draft(obj, workflow, observed)
        plan = self._plan(workflow, draft, observed, now)
        if plan.create is not None or _is_taking_over(plan, workflow.status.rollout):
            observed = self._observe(workflow, fields, now, live=True)
            plan = self._plan(workflow, draft, observed, now)

        publishing.apply(self._world, workflow, plan)
        rollout = self._walk(workflow, plan, observed, now)
        if rollout.status != workflow.status.rollout:
            # What serves is read from where the rollout stands: it has just moved.
            plan = self._plan(workflow, draft, observed, now, walk=rollout.status)
        metrics, figures_move = self._pace.current(workflow, self._world.ledger, now)
        status = workflow_status.build(
            workflow,
            draft,
            plan=plan,
            rollout=rollout,
            environments=observed.environments,
            metrics=metrics,
        )
        write_status(self._world, obj, status)
        publishing.move(self._world, workflow, plan)
        if in_force(rollout.status) != in_force(workflow.status.rollout or RolloutStatus()):
            for environment, _ in observed.environments:
                self._wake_queued(workflow.metadata.uid, environment.metadata.name)
        for event in rollout.events:
            self._world.recorder.record(obj, event.type, event.reason, event.message)
        if plan.claim is not None or _standing(rollout.status) != _standing(workflow.status.rollout):
            return Result(requeue_after=0.0)  # what is live follows from where the rollout stands
        return Result(
            requeue_after=_soonest(plan.look_again, rollout.look_again, figures_move, *_untils(observed, now))
        )

    def gone(self, key: Key) -> Result:
        """Nothing is kept that the next workflow of this name must not find."""
        self._drafts.forget(key)
        self._pace.forget(key)
        return DONE

    def failed(self, obj: Obj, ending: Waiting | Stalled) -> None:
        """Report why nothing moves."""
        write_status(self._world, obj, workflow_status.stuck(self._world, obj, ending))

    def _draft(self, obj: Obj, workflow: Workflow, observed: Observed) -> DraftFacts:
        newest = max(observed.versions, key=lambda version: version.spec.number, default=None)
        return self._drafts.of(obj, workflow, newest.spec.level if newest else 0)

    def _plan(
        self,
        workflow: Workflow,
        draft: DraftFacts,
        observed: Observed,
        now: dt.datetime,
        *,
        walk: RolloutStatus | None = None,
    ) -> PublishPlan:
        facts = PublishFacts(
            versions=observed.versions,
            approvals=observed.approvals,
            rollout_exists=observed.rollout is not None,
            rollout=walk or workflow.status.rollout,
            ledger_highest=self._world.ledger.highest_version(workflow.metadata.uid),
            managed_fields=observed.managed_fields,
            live_problems=self._drafts.problems_of(_in_force(workflow, observed.versions)),
            missing_params=_missing_params(_in_force(workflow, observed.versions), observed.environments),
        )
        return plan_publish(workflow, draft, facts, now=now)

    def _walk(self, workflow: Workflow, plan: PublishPlan, observed: Observed, now: dt.datetime) -> RolloutPlan:
        uid, ledger = workflow.metadata.uid, self._world.ledger
        facts = RolloutFacts(
            workflow=workflow.metadata.name,
            versions=[_facts_of(version) for version in plan.approved],
            environments=[
                EnvironmentFacts(
                    environment.metadata.name,
                    environment.spec.type is EnvironmentType.PRODUCTION,
                    effective.state is State.ACTIVE,
                )
                for environment, effective in observed.environments
            ],
            sample=lambda environment, revision, runs, stable: ledger.gate_sample(
                Window(uid, environment, revision), runs, stable
            ),
            dealt=lambda revision: ledger.dealt(uid, revision),
            managed_fields=self._managed_fields(workflow, observed),
            generation=observed.rollout.metadata.generation if observed.rollout else 0,
            known_revision=0 if workflow.status.rollout else ledger.highest_revision(uid),
        )
        status = workflow.status.rollout or RolloutStatus()
        rollout = observed.rollout
        if rollout is None or _was_deleted(status, rollout):
            return plan_rollout(None, status, facts, now=now)
        walked = plan_rollout(rollout.spec, status, facts, now=now)
        return dataclasses.replace(walked, status=walked.status.model_copy(update={"policy": rollout.metadata.name}))

    def _observe(
        self, workflow: Workflow, managed_fields: list[Obj], now: dt.datetime, *, live: bool = False
    ) -> Observed:
        """From the caches; ``live`` reads from the server what could open something (rollout and states)."""
        caches, metadata = self._world.caches, workflow.metadata
        indexed = f"{metadata.namespace}/{metadata.name}"
        versions = [WorkflowVersion.model_validate(obj) for obj in caches.versions.by(BY_WORKFLOW, indexed)]
        approvals = [Approval.model_validate(obj) for obj in caches.approvals.by(BY_WORKFLOW, indexed)]
        return Observed(
            versions=[version for version in versions if version.spec.workflow_uid == metadata.uid],
            approvals={approval.spec.subject.version or "": approval for approval in approvals},
            rollout=self._rollout(workflow, live=live),
            environments=self._environments(workflow, now, live=live),
            managed_fields=managed_fields,
        )

    def _rollout(self, workflow: Workflow, *, live: bool) -> Rollout | None:
        """The workflow's own, or ``default``. That the one in force is gone is believed only of the server itself, and a
        copy that is older than what was walked by is none."""
        metadata, walk = workflow.metadata, workflow.status.rollout
        for name in (metadata.name, DEFAULT_ROLLOUT):
            ref = Ref(self._world.caches.rollouts.kind, metadata.namespace, name)
            obj = publishing.read(self._world, ref, live=live)
            known = obj["metadata"].get("generation", 0) if obj else -1
            if not live and walk is not None and walk.policy == name and known < walk.observed_generation:
                obj = publishing.read(self._world, ref, live=True)
            if obj is not None:
                return Rollout.model_validate(obj)
        return None

    def _environments(
        self, workflow: Workflow, now: dt.datetime, *, live: bool
    ) -> list[tuple[Environment, EffectiveState]]:
        caches, metadata = self._world.caches, workflow.metadata
        found = []
        for obj in caches.environments.by(BY_NAMESPACE, metadata.namespace):
            environment = Environment.model_validate(obj)
            ref = Ref(caches.states.kind, metadata.namespace, f"{metadata.name}.{environment.metadata.name}")
            state = publishing.read(self._world, ref, live=live)
            parsed = EnvironmentState.model_validate(state) if state else None
            found.append((environment, effective_state(workflow, environment, parsed, now=now)))
        return found

    def _managed_fields(self, workflow: Workflow, observed: Observed) -> list[Obj]:
        if observed.rollout is None:
            return []
        key = Key(workflow.metadata.namespace, observed.rollout.metadata.name)
        obj = self._world.caches.rollouts.get(key)
        return list(obj["metadata"].get("managedFields", ())) if obj else []


def _facts_of(version: WorkflowVersion) -> VersionFacts:
    outcome = version.status.outcome
    return VersionFacts(
        number=version.spec.number,
        name=f"v{version.spec.number}",
        digest=version.spec.digest,
        percent=version.spec.percent,
        outcome=Outcome(outcome) if outcome in set(Outcome) else None,
    )


def _is_taking_over(plan: PublishPlan, status: RolloutStatus | None) -> bool:
    """Whether the newest version is about to enter the rollout: what lets it have runs must not be of yesterday."""
    if not plan.approved:
        return False
    marks = (status.stable, status.candidate) if status else ()
    return plan.approved[-1].spec.number not in {mark.number for mark in marks if mark is not None}


def _standing(status: RolloutStatus | None) -> tuple[object, ...]:
    """What versions are said to be goes by this."""
    return (status.stable, status.candidate, status.history) if status else ()


def _was_deleted(status: RolloutStatus, rollout: Rollout) -> bool:
    """Whether the walk under way was that of another Rollout: falling back to ``default`` must not go on with it."""
    walking = status.candidate is not None and not status.candidate.stopped
    return walking and bool(status.policy) and status.policy != rollout.metadata.name


def _missing_params(
    version: WorkflowVersion | None, environments: list[tuple[Environment, EffectiveState]]
) -> dict[str, str]:
    """Where a run without parameters of its own could not start."""
    declared = version.spec.definition.get("params") if version else None
    if not declared:
        return {}
    resolved = {
        environment.metadata.name: parameters(declared, environment=environment.spec.params, state=state.params)
        for environment, state in environments
        if state.active
    }
    return {name: found.message for name, found in resolved.items() if not found.usable}


def _in_force(workflow: Workflow, versions: list[WorkflowVersion]) -> WorkflowVersion | None:
    live = workflow.status.live
    return next((version for version in versions if f"v{version.spec.number}" == live), None)


def _untils(observed: Observed, now: dt.datetime) -> list[dt.timedelta]:
    """When an override of a state runs out."""
    return [state.until - now for _, state in observed.environments if state.until is not None]


def _soonest(*times: dt.timedelta | None) -> float | None:
    seconds = [time.total_seconds() for time in times if time is not None]
    return max(0.0, min(seconds)) if seconds else None
