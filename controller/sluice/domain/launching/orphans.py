"""Which Jobs, pods and policies elsewhere are nobody's any more. In doubt they are somebody's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sluice.domain.timestamps import parse_stamp

GRACE_S: Final = 600
"""After the end of its run a pod may still tell what it knows, for so long."""

_OVER: Final = ("Complete", "Failed", "SuccessCriteriaMet", "FailureTarget")


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known of a workload's run, asked anew: ``ended`` in microseconds (0: it has not), and the newest epoch of the
    workload's unit. An ``epoch`` of 0 says that the ledger does not know the run, and that its object is there."""

    ended: int = 0
    epoch: int = 0


def why_orphan(workload: Mapping[str, Any], epoch: int, run: RunFacts | None, *, now: dt.datetime) -> str:
    """Why a Job or pod without an owner is nobody's; empty while it is somebody's, or goes by itself.

    ``epoch`` is its own, ``run`` is None where neither the ledger nor the store has its run.
    """
    if has_ended(workload) or workload["metadata"].get("deletionTimestamp"):
        return ""
    if run is None:
        return "its run does not exist"
    if run.ended and now.timestamp() - run.ended / 1e6 > GRACE_S:
        return "its run has ended"
    if run.epoch > epoch:
        return f"its run went on in epoch {run.epoch}"
    return ""


def is_worn_out(pod: Mapping[str, Any], ttl_s: int, *, now: dt.datetime) -> bool:
    """Whether a pod without a Job ended longer than ``ttl_s`` ago. Of Jobs the cluster itself sees to that."""
    ended = _ended_at(pod) if has_ended(pod) else None
    return ended is not None and (now - ended).total_seconds() > ttl_s


def has_ended(workload: Mapping[str, Any]) -> bool:
    """Whether nothing of a Job or pod runs, or will."""
    status: Mapping[str, Any] = workload.get("status") or {}
    if workload.get("kind") == "Pod":
        return status.get("phase") in ("Succeeded", "Failed")
    conditions = status.get("conditions") or ()
    return any(condition.get("type") in _OVER and condition.get("status") == "True" for condition in conditions)


def _ended_at(pod: Mapping[str, Any]) -> dt.datetime | None:
    """When the last of its containers ended; of one that never had any, when it was made."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    ends = [((status.get("state") or {}).get("terminated") or {}).get("finishedAt") for status in statuses]
    made = (pod.get("metadata") or {}).get("creationTimestamp")
    known = [parse_stamp(end) for end in ends if end] or ([parse_stamp(made)] if made else [])
    return max(known, default=None)
