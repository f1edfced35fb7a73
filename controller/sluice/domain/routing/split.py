"""How new runs are dealt out now: from what a rollout has in force to what the ledger draws by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sluice.api.rollout import RolloutStatus, VersionMark
from sluice.domain.routing.dealing import Split, Window
from sluice.domain.routing.hash import salt_of, takes
from sluice.domain.routing.quota import FULL, percent_hundredths


@dataclass(frozen=True, slots=True)
class StickyKey:
    """What ``stickyKey`` of the stable version gave for a run; any JSON value."""

    workflow_uid: str
    key: Any


def split_for(status: RolloutStatus, *, sticky: StickyKey | None = None, forced: int = 0) -> Split:
    """The split in force; ``stable`` 0 means that no version takes runs.

    ``sticky`` is given with ``split: Hash`` only; without a key (no stickyKey, or it could not be evaluated) Quota decides.
    ``forced`` is the number that a replay names. A stopped candidate, and one at 0 %, gets nothing.
    """
    stable = status.stable.number if status.stable else 0
    candidate = status.candidate
    hundredths = percent_hundredths(status.percent)
    if candidate is None or candidate.stopped or not hundredths:
        return Split(stable=stable, forced=forced)
    if not stable or hundredths == FULL:
        return Split(stable=candidate.number, forced=forced)
    by_hash = None
    if sticky is not None:
        by_hash = takes(salt_of(sticky.workflow_uid, candidate.number, candidate.digest), sticky.key, hundredths)
    return Split(stable=stable, candidate=candidate.number, hundredths=hundredths, by_hash=by_hash, forced=forced)


def window_for(status: RolloutStatus, workflow_uid: str, environment: str) -> Window:
    """What the split is counted in: each environment by itself."""
    return Window(workflow_uid, environment, status.revision)


def in_force(status: RolloutStatus) -> VersionMark | None:
    """The version whose trigger, stickyKey and concurrency count: the stable one, until the candidate reaches 100 %."""
    return status.stable or status.candidate


def live(status: RolloutStatus) -> VersionMark | None:
    """The newest version that may take runs: the candidate unless it was stopped, else the stable one."""
    candidate = status.candidate
    return candidate if candidate is not None and not candidate.stopped else status.stable
