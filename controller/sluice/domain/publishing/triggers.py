"""What acts before a version is chosen is the stable version's, until the candidate reaches 100 %."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sluice.api.rollout import RolloutStatus
from sluice.api.workflowversion import WorkflowVersion

BEFORE_THE_CHOICE: Final = ("trigger", "stickyKey", "concurrency")
"""Fields of a definition that count before a run has a version."""


def pending_differences(versions: Mapping[int, WorkflowVersion], rollout: RolloutStatus | None) -> tuple[str, ...]:
    """Which of these fields the candidate has otherwise; empty when nothing waits."""
    if rollout is None or rollout.stable is None or rollout.candidate is None or rollout.candidate.stopped:
        return ()
    stable, candidate = versions.get(rollout.stable.number), versions.get(rollout.candidate.number)
    if stable is None or candidate is None:
        return ()
    return tuple(name for name in BEFORE_THE_CHOICE if _field(stable, name) != _field(candidate, name))


def _field(version: WorkflowVersion, name: str) -> Any:
    return version.spec.definition.get(name)
