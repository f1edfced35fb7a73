"""What serves: the live version, the phase of the workflow and of each version."""

from __future__ import annotations

from sluice.api.rollout import Outcome, RolloutStatus
from sluice.api.workflow import Phase
from sluice.api.workflowversion import VersionPhase, WorkflowVersion
from sluice.domain.publishing.approvals import WITHDRAWN_OUTCOME, Ruling, Rulings
from sluice.domain.publishing.facts import VersionMove
from sluice.domain.routing import split


def live_number(rulings: Rulings, rollout: RolloutStatus | None) -> int:
    """The newest version that may take runs; 0 for none. Before any rollout was planned, the newest approved one."""
    mark = split.live(rollout) if rollout is not None else None
    if mark is not None:
        return mark.number
    approved = rulings.ruled(Ruling.APPROVED)
    return approved[-1].spec.number if approved else 0


def workflow_phase(*, live: bool, pending: bool, suspended: bool, problem: bool) -> Phase:
    """What serves decides (C2, C24): a bad draft or a pending version never hides a live one."""
    if not live:
        return Phase.APPROVAL if pending else Phase.DRAFT
    if problem:
        return Phase.FAILED
    return Phase.PAUSED if suspended else Phase.DEPLOYED


def version_moves(rulings: Rulings, rollout: RolloutStatus | None, live: int) -> tuple[VersionMove, ...]:
    """The statuses that say something else than what is."""
    moves = []
    for version in rulings.versions:
        move = _move(version, rulings.of[version.spec.number], rollout, live)
        if (version.status.phase, version.status.outcome) != (move.phase, move.outcome):
            moves.append(move)
    return tuple(moves)


def _move(version: WorkflowVersion, ruling: Ruling, rollout: RolloutStatus | None, live: int) -> VersionMove:
    name, number = version.metadata.name, version.spec.number
    if ruling is Ruling.PENDING:
        return VersionMove(name, VersionPhase.PENDING_APPROVAL, None)
    if ruling is Ruling.REJECTED:
        return VersionMove(name, VersionPhase.REJECTED, None)
    if ruling is Ruling.WITHDRAWN:
        return VersionMove(name, VersionPhase.SUPERSEDED, WITHDRAWN_OUTCOME)
    outcome = _outcome(version, rollout)
    if outcome == Outcome.STOPPED:
        return VersionMove(name, VersionPhase.STOPPED, outcome)
    if number == live:
        return VersionMove(name, VersionPhase.LIVE, outcome)
    return VersionMove(name, VersionPhase.SUPERSEDED if number < live else VersionPhase.PUBLISHED, outcome)


def _outcome(version: WorkflowVersion, rollout: RolloutStatus | None) -> str | None:
    """How its rollout ended; what the version remembers where the rollout's history does not tell any more."""
    for entry in rollout.history if rollout else ():
        if entry.number == version.spec.number:
            return None if entry.outcome is Outcome.PROGRESSING else entry.outcome.value
    return version.status.outcome
