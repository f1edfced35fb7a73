"""Rows as every ledger's tables spell them, and the records made of them. Bodies are JSON bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, Final

import orjson

from sluice.domain.ledger.records import AuditEvent, RunRecord, StepRecord
from sluice.domain.run.events import STEP_ENDED, STEP_STARTED, Event

RUN_COLUMNS: Final = (
    "uid, ns, name, workflow, workflow_uid, env, number, candidate, win, n, phase, actor, trig, created, started, ended,"
    " replay_of, body"
)
"""The columns of a run, in the order of ``RunRecord``'s fields."""
_RUN_FIELDS: Final = tuple(field.name for field in fields(RunRecord))

EVENT_COLUMNS: Final = "kind, step, attempt, at, body"
"""The columns of an event, in the order of ``Event``'s fields."""
AUDIT_COLUMNS: Final = "at, actor, action, ns, object, body"
"""The columns of an audit entry, in the order of ``AuditEvent``'s fields."""

ENDED_COLUMNS: Final = ("succeeded", "failed", "error", "other")
"""The counters of a workflow's hour, beside ``started``."""


def run_record(row: Sequence[Any]) -> RunRecord:
    """A run of ``RUN_COLUMNS``."""
    values = dict(zip(_RUN_FIELDS, row, strict=True))
    values["candidate"] = bool(values["candidate"])
    values["end"] = orjson.loads(values["end"]) if values["end"] else {}
    return RunRecord(**values)


def event(row: Sequence[Any]) -> Event:
    """An event of ``EVENT_COLUMNS``."""
    kind, step, attempt, at, body = row
    return Event(kind, step, attempt, at, orjson.loads(body))


def audit_event(row: Sequence[Any]) -> AuditEvent:
    """An audit entry of ``AUDIT_COLUMNS``."""
    at, actor, action, namespace, name, body = row
    return AuditEvent(at, actor, action, namespace, name, orjson.loads(body))


def ended_column(phase: str) -> str:
    """Which of ``ENDED_COLUMNS`` counts a run that ended in ``phase``."""
    column = phase.lower()
    return column if column in ENDED_COLUMNS else "other"


def step_records(events: Iterable[Event]) -> list[StepRecord]:
    """Where each step stands, folded from a run's log; in the order of their start."""
    found: dict[str, StepRecord] = {}
    for entry in events:
        if entry.kind == STEP_STARTED:
            found[entry.step] = StepRecord(entry.step, "Running", entry.attempt, "", "", entry.at, 0)
        elif entry.kind == STEP_ENDED:
            body = entry.body
            retrying = "retryAt" in body
            found[entry.step] = StepRecord(
                entry.step,
                "Retrying" if retrying else body["phase"],
                entry.attempt,
                body.get("reason", ""),
                body.get("message", ""),
                body.get("started", entry.at),
                0 if retrying else entry.at,
            )
    return sorted(found.values(), key=lambda step: step.started)
