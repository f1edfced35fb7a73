"""Ended runs do not stay for ever as objects: their record lives on in the ledger.

Unless an installation says otherwise they stay for 7 days, at most 50 that succeeded and 50 others per workflow and
environment, and 2,000 per namespace.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sluice.api.workflowrun import TERMINAL_PHASES
from sluice.domain.timestamps import parse_stamp

_TERMINAL = frozenset(phase.value for phase in TERMINAL_PHASES)


@dataclass(frozen=True, slots=True)
class Keep:
    """How many, and for how long."""

    age: dt.timedelta = dt.timedelta(days=7)
    succeeded: int = 50
    others: int = 50
    per_namespace: int = 2000


@dataclass(frozen=True, slots=True)
class EndedRun:
    """An ended run's object. ``ended`` RFC 3339."""

    namespace: str
    name: str
    uid: str
    workflow: str
    environment: str
    phase: str
    ended: str


def ended_run(obj: Mapping[str, Any]) -> EndedRun | None:
    """What retention needs of a run's object; None while it has not ended."""
    status, spec, metadata = obj.get("status"), obj["spec"], obj["metadata"]
    if not status or status.get("phase") not in _TERMINAL:
        return None
    pin = spec.get("pin") or {}
    return EndedRun(
        metadata["namespace"],
        metadata["name"],
        metadata["uid"],
        spec["input"]["workflow"],
        pin.get("environment") or spec["input"].get("environment") or "",
        status["phase"],
        status.get("endedAt") or metadata["creationTimestamp"],
    )


def superfluous(runs: Iterable[EndedRun], keep: Keep, *, now: dt.datetime) -> list[EndedRun]:
    """The runs whose objects may go, oldest last kept."""
    newest_first = sorted(runs, key=lambda run: run.ended, reverse=True)
    counted: Counter[tuple[str, ...]] = Counter()
    going = []
    for run in newest_first:
        good = run.phase == "Succeeded"
        own = (run.namespace, run.workflow, run.environment, "succeeded" if good else "others")
        counted[own] += 1
        counted[(run.namespace,)] += 1
        too_many = (
            counted[own] > (keep.succeeded if good else keep.others) or counted[(run.namespace,)] > keep.per_namespace
        )
        if too_many or now - parse_stamp(run.ended) > keep.age:
            counted[(run.namespace,)] -= 1
            going.append(run)
    return going
