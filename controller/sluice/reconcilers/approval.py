"""Approval: what the decisions in its spec amount to."""

from __future__ import annotations

from sluice.api.approval import Approval, ApprovalPhase, ApprovalStatus
from sluice.api.reasons import Reason
from sluice.domain.conditions import Because, Conditions, derive_ready
from sluice.domain.publishing.approvals import Decided, decided
from sluice.domain.timestamps import parse_stamp, stamp
from sluice.ports.store import Obj
from sluice.reconcilers.reporting import write_status
from sluice.reconcilers.world import World
from sluice.runtime.outcome import DONE, Result, Stalled, Waiting
from sluice.runtime.queue import Key

_REASONS = {ApprovalPhase.PENDING: Reason.DECISION_PENDING, ApprovalPhase.WITHDRAWN: Reason.WITHDRAWN}


class ApprovalReconciler:
    """Shows where a decision stands; whoever asked for it reads the decisions themselves."""

    def __init__(self, world: World) -> None:
        self._world = world

    def reconcile(self, obj: Obj) -> Result:
        """Count the decisions; look again when the time for them is over."""
        approval = Approval.model_validate(obj)
        now = self._world.clock.now()
        if approval.status.phase is ApprovalPhase.WITHDRAWN:
            self._report(obj, approval, Decided(ApprovalPhase.WITHDRAWN, reason="a newer version was published"))
            return DONE
        created = approval.metadata.creation_timestamp
        outcome = decided(approval.spec, parse_stamp(created) if created else None, now=now)
        self._report(obj, approval, outcome)
        if outcome.expires is not None:
            return Result(requeue_after=max(0.0, (outcome.expires - now).total_seconds()))
        return DONE

    def gone(self, key: Key) -> Result:
        """Whoever asked sees that it is gone."""
        return DONE

    def failed(self, obj: Obj, ending: Waiting | Stalled) -> None:
        """Nothing here waits or stalls."""

    def _report(self, obj: Obj, approval: Approval, outcome: Decided) -> None:
        generation, before = approval.metadata.generation, approval.status
        pending = outcome.phase is ApprovalPhase.PENDING
        conditions = Conditions()
        message = f"waits for {approval.spec.minimum} of its approvers" if pending else outcome.reason
        because = Because(_REASONS.get(outcome.phase, Reason.DECIDED), message)
        derive_ready(conditions, because, reconciling=because if pending else None)
        now = self._world.clock.now()
        subject = approval.spec.subject
        status = ApprovalStatus(
            observed_generation=generation,
            phase=outcome.phase,
            subject=subject.version or f"{subject.run}/{subject.step}",
            decided_by=outcome.by or None,
            decided_at=None if pending else before.decided_at or stamp(now),
            conditions=conditions.settle(before.conditions, generation=generation, now=now),
        )
        write_status(self._world, obj, status)
