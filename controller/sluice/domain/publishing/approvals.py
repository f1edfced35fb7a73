"""What people decided on a version, or on anything else that has an Approval; read from its spec, never from its status."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sluice.api.approval import Approval, ApprovalPhase, ApprovalSpec, ApprovalSubject, Verdict
from sluice.api.approvers import Approvers
from sluice.api.workflow import PublishApproval
from sluice.api.workflowversion import VersionPhase, WorkflowVersion, WorkflowVersionSpec
from sluice.domain import durations
from sluice.domain.conditions import capped
from sluice.domain.publishing.facts import NewApproval
from sluice.domain.timestamps import parse_stamp

WITHDRAWN_OUTCOME = "Withdrawn"


class Ruling(StrEnum):
    """Whether a version may take runs."""

    APPROVED = "Approved"
    PENDING = "Pending"
    REJECTED = "Rejected"
    WITHDRAWN = "Withdrawn"


@dataclass(frozen=True, slots=True)
class Decided:
    """Where an Approval stands; ``by`` and ``reason`` are of the decision that made it so, ``expires`` is its timeout."""

    phase: ApprovalPhase
    by: str = ""
    reason: str = ""
    expires: dt.datetime | None = None


def decided(spec: ApprovalSpec, created: dt.datetime | None, *, now: dt.datetime) -> Decided:
    """One rejection rejects, ``minimum`` approvals approve, and an explicit timeout rejects. The requester's own word does not
    count with ``excludeRequester``."""
    decisions = [
        decision
        for _, decision in sorted((spec.decisions or {}).items())
        if not (spec.exclude_requester and spec.requester is not None and decision.by == spec.requester)
    ]
    for decision in decisions:
        if decision.verdict is Verdict.REJECTED:
            return Decided(ApprovalPhase.REJECTED, decision.by, decision.reason or "")
    approving = sorted({decision.by for decision in decisions})
    if len(approving) >= spec.minimum:
        return Decided(ApprovalPhase.APPROVED, ", ".join(approving))
    expires = created + durations.bounded(spec.timeout) if spec.timeout and created else None
    if expires is not None and now >= expires:
        return Decided(ApprovalPhase.REJECTED, reason=f"nobody decided within {spec.timeout}")
    return Decided(ApprovalPhase.PENDING, expires=expires)


@dataclass(frozen=True, slots=True)
class Rulings:
    """All versions, oldest first, with what was ruled on each."""

    versions: tuple[WorkflowVersion, ...]
    of: Mapping[int, Ruling]
    decisions: Mapping[int, Decided]

    def ruled(self, *rulings: Ruling) -> list[WorkflowVersion]:
        """The versions with one of these rulings, oldest first."""
        return [version for version in self.versions if self.of[version.spec.number] in rulings]

    @property
    def newest(self) -> WorkflowVersion | None:
        """The newest version, whatever was ruled."""
        return self.versions[-1] if self.versions else None


def rule(versions: Sequence[WorkflowVersion], approvals: Mapping[str, Approval], *, now: dt.datetime) -> Rulings:
    """Rule on every version. A newer publish withdraws what is still pending."""
    ordered = tuple(sorted(versions, key=lambda version: version.spec.number))
    decisions = {
        version.spec.number: decided(approval.spec, _created(approval), now=now)
        for version in ordered
        if (approval := approvals.get(version.metadata.name)) is not None
    }
    rulings = {
        version.spec.number: _ruling(version, approvals.get(version.metadata.name), decisions, version is ordered[-1])
        for version in ordered
    }
    return Rulings(ordered, rulings, decisions)


def _ruling(
    version: WorkflowVersion, approval: Approval | None, decisions: Mapping[int, Decided], newest: bool
) -> Ruling:
    if not version.spec.approval_required:
        return Ruling.APPROVED
    if approval is None:
        return _remembered(version, newest)
    if approval.status.phase is ApprovalPhase.WITHDRAWN:
        return Ruling.WITHDRAWN
    phase = decisions[version.spec.number].phase
    if phase is ApprovalPhase.PENDING:
        return Ruling.PENDING if newest else Ruling.WITHDRAWN
    return Ruling.APPROVED if phase is ApprovalPhase.APPROVED else Ruling.REJECTED


def _remembered(version: WorkflowVersion, newest: bool) -> Ruling:
    """The Approval is gone (or not there yet): the version's own status is all that is left of it."""
    phase = version.status.phase
    if phase is VersionPhase.REJECTED:
        return Ruling.REJECTED
    if phase is None or phase is VersionPhase.PENDING_APPROVAL:
        return Ruling.PENDING if newest else Ruling.WITHDRAWN
    return Ruling.WITHDRAWN if version.status.outcome == WITHDRAWN_OUTCOME else Ruling.APPROVED


def missing_approvals(
    rulings: Rulings, approvals: Mapping[str, Approval], wanted: PublishApproval | None
) -> tuple[NewApproval, ...]:
    """The Approvals that pending versions lack."""
    return tuple(
        NewApproval(version.metadata.name, _approval_for(version, wanted or PublishApproval()))
        for version in rulings.ruled(Ruling.PENDING)
        if version.metadata.name not in approvals
    )


def to_withdraw(rulings: Rulings, approvals: Mapping[str, Approval]) -> tuple[str, ...]:
    """The names of Approvals that a newer publish made pointless."""
    return tuple(
        version.metadata.name
        for version in rulings.ruled(Ruling.WITHDRAWN)
        if (approval := approvals.get(version.metadata.name)) is not None
        and approval.status.phase is not ApprovalPhase.WITHDRAWN
    )


def _approval_for(version: WorkflowVersion, wanted: PublishApproval) -> ApprovalSpec:
    spec = version.spec
    return ApprovalSpec(
        subject=ApprovalSubject(version=version.metadata.name),
        approvers=Approvers(users=wanted.users, groups=wanted.groups),
        minimum=wanted.minimum or 1,
        exclude_requester=bool(wanted.exclude_requester),
        requester=spec.published_by,
        summary=_summary(spec),
        sla=wanted.sla,
        timeout=wanted.timeout,
    )


def _summary(spec: WorkflowVersionSpec) -> str:
    back = f", a return to {spec.revert_of}" if spec.revert_of else ""
    return capped(f"Deploy v{spec.number} of {spec.workflow}{back}" + (f": {spec.reason}" if spec.reason else ""))


def _created(approval: Approval) -> dt.datetime | None:
    created = approval.metadata.creation_timestamp
    return parse_stamp(created) if created else None
