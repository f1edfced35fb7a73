"""Rollout: shows, as its own status, where the workflow of its name stands. The walk itself is the workflow's."""

from __future__ import annotations

from sluice.api.reasons import Reason
from sluice.api.rollout import Rollout, RolloutStatus
from sluice.api.workflow import Workflow
from sluice.domain.conditions import Because, Conditions, derive_ready
from sluice.ports.store import Obj
from sluice.reconcilers.reporting import write_status
from sluice.reconcilers.world import DEFAULT_ROLLOUT, World
from sluice.runtime.outcome import DONE, Result, Stalled, Waiting
from sluice.runtime.queue import Key


class RolloutReconciler:
    """Mirrors the workflow's rollout once the workflow has seen this generation."""

    def __init__(self, world: World) -> None:
        self._world = world

    def reconcile(self, obj: Obj) -> Result:
        """Copy what the workflow's reconcile decided."""
        rollout = Rollout.model_validate(obj)
        metadata = rollout.metadata
        if metadata.deletion_timestamp:
            return DONE
        found = self._world.caches.workflows.get(Key(metadata.namespace, metadata.name))
        if found is None:
            return self._policy_or_waiting(obj, rollout)
        shown = Workflow.model_validate(found).status.rollout
        if shown is not None and shown.observed_generation == metadata.generation:
            write_status(self._world, obj, shown)
        return DONE

    def gone(self, key: Key) -> Result:
        """The workflow's own reconcile treats the deletion as what it is."""
        return DONE

    def failed(self, obj: Obj, ending: Waiting | Stalled) -> None:
        """Report that there is no workflow yet."""
        rollout = Rollout.model_validate(obj)
        because = Because(ending.reason, ending.message)
        write_status(self._world, obj, self._alone(rollout, because, waiting=True))

    def _policy_or_waiting(self, obj: Obj, rollout: Rollout) -> Result:
        if rollout.metadata.name != DEFAULT_ROLLOUT:
            raise Waiting(
                Reason.WORKFLOW_NOT_FOUND,
                f"there is no workflow {rollout.metadata.name} in this namespace; a rollout has its workflow's name",
                retry_after=600,
            )
        because = Because(Reason.SUCCEEDED, "the policy of every workflow without a rollout of its own")
        write_status(self._world, obj, self._alone(rollout, because, waiting=False))
        return DONE

    def _alone(self, rollout: Rollout, because: Because, *, waiting: bool) -> RolloutStatus:
        conditions = Conditions()
        derive_ready(conditions, because, reconciling=because if waiting else None)
        generation = rollout.metadata.generation
        return RolloutStatus(
            observed_generation=generation,
            conditions=conditions.settle(rollout.status.conditions, generation=generation, now=self._world.clock.now()),
        )
