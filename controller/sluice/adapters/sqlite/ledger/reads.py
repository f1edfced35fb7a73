"""What is read of the ledger: every query by an index."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import orjson

from sluice.domain.run.events import STEP_ENDED, STEP_STARTED, Event
from sluice.ports.ledger import GateSample, RunMetrics, RunRecord, StepRecord, Window

HOUR = 3_600_000_000
DAY = 24 * HOUR
P95_SAMPLE = 200
RATE_SPAN = 6 * HOUR

_COLUMNS = (
    "uid, ns, name, workflow, workflow_uid, env, number, candidate, win, n, phase, actor, trig, created, started, ended,"
    " replay_of, body"
)
_FIELDS = (
    "uid",
    "namespace",
    "name",
    "workflow",
    "workflow_uid",
    "environment",
    "number",
    "candidate",
    "window",
    "n",
    "phase",
    "actor",
    "trigger",
    "created",
    "started",
    "ended",
    "replay_of",
    "end",
)


def _record(row: Sequence[Any]) -> RunRecord:
    fields = dict(zip(_FIELDS, row, strict=True))
    fields["candidate"] = bool(fields["candidate"])
    fields["end"] = orjson.loads(fields["end"]) if fields["end"] else {}
    return RunRecord(**fields)


def run(reader: sqlite3.Connection, uid: str) -> RunRecord | None:
    """One run."""
    row = reader.execute(f"SELECT {_COLUMNS} FROM run WHERE uid = ?", (uid,)).fetchone()
    return _record(row) if row else None


def run_named(reader: sqlite3.Connection, namespace: str, name: str) -> RunRecord | None:
    """The newest run of this name."""
    row = reader.execute(
        f"SELECT {_COLUMNS} FROM run WHERE ns = ? AND name = ? ORDER BY id DESC LIMIT 1",
        (namespace, name),
    ).fetchone()
    return _record(row) if row else None


def runs(
    reader: sqlite3.Connection, namespace: str, workflow: str, environment: str, *, limit: int, before: int
) -> list[RunRecord]:
    """Newest first; ``before`` is a ``created`` time, 0 for none."""
    where, values = ["ns = ?"], [namespace]
    for column, value in (("workflow", workflow), ("env", environment)):
        if value:
            where.append(f"{column} = ?")
            values.append(value)
    if before:
        where.append("created < ?")
        values.append(str(before))
    query = f"SELECT {_COLUMNS} FROM run WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?"
    return [_record(row) for row in reader.execute(query, (*values, limit))]


def open_runs(reader: sqlite3.Connection) -> list[RunRecord]:
    """Every run that was admitted or queued and has not ended."""
    query = f"SELECT {_COLUMNS} FROM run INDEXED BY run_open WHERE ended = 0"
    return [_record(row) for row in reader.execute(query)]


def next_queued(reader: sqlite3.Connection, workflow_uid: str, environment: str) -> str:
    """The uid of the run that waits longest."""
    row = reader.execute(
        "SELECT uid FROM run WHERE workflow_uid = ? AND env = ? AND phase = 'Queued' AND ended = 0 ORDER BY id LIMIT 1",
        (workflow_uid, environment),
    ).fetchone()
    return row[0] if row else ""


def history(reader: sqlite3.Connection, uid: str) -> tuple[Event, ...]:
    """All events of a run, in the order of acceptance."""
    rows = reader.execute(
        "SELECT kind, step, attempt, at, body FROM event WHERE run = (SELECT id FROM run WHERE uid = ?) ORDER BY id",
        (uid,),
    )
    return tuple(Event(kind, step, attempt, at, orjson.loads(body)) for kind, step, attempt, at, body in rows)


def steps(reader: sqlite3.Connection, uid: str) -> list[StepRecord]:
    """Where each step stands, folded from the log."""
    found: dict[str, StepRecord] = {}
    for event in history(reader, uid):
        if event.kind == STEP_STARTED:
            found[event.step] = StepRecord(event.step, "Running", event.attempt, "", "", event.at, 0)
        elif event.kind == STEP_ENDED:
            body = event.body
            retrying = "retryAt" in body
            found[event.step] = StepRecord(
                event.step,
                "Retrying" if retrying else body["phase"],
                event.attempt,
                body.get("reason", ""),
                body.get("message", ""),
                body.get("started", event.at),
                0 if retrying else event.at,
            )
    return sorted(found.values(), key=lambda step: step.started)


def dealt(reader: sqlite3.Connection, workflow_uid: str, revision: int) -> dict[str, tuple[int, int]]:
    """Environment to (candidate, stable)."""
    rows = reader.execute(
        "SELECT env, candidates, stables FROM win WHERE workflow_uid = ? AND revision = ?", (workflow_uid, revision)
    )
    return {env: (candidates, stables) for env, candidates, stables in rows}


def gate_sample(reader: sqlite3.Connection, window: Window, min_runs: int, stable: int, *, now: int) -> GateSample:
    """The first ``min_runs`` candidate runs of the window that count, and stable's runs of the same window."""
    rows = reader.execute(
        "SELECT phase, ended, started FROM run INDEXED BY run_by_window WHERE win = ? AND candidate = 1"
        " AND phase NOT IN ('Cancelled', 'Rejected', 'Error') ORDER BY id LIMIT ?",
        (window.id, min_runs),
    ).fetchall()
    (errors,) = reader.execute(
        "SELECT count(*) FROM run WHERE win = ? AND candidate = 1 AND phase = 'Error'", (window.id,)
    ).fetchone()
    stable_rows = reader.execute(
        "SELECT phase, count(*) FROM run WHERE win = ? AND candidate = 0 AND ended > 0 GROUP BY phase", (window.id,)
    ).fetchall()
    by_phase = dict(stable_rows)
    (recent,) = reader.execute(
        "SELECT count(*) FROM run WHERE win = ? AND candidate = 1 AND started > ?", (window.id, now - RATE_SPAN)
    ).fetchone()
    first = min((row[2] for row in rows), default=now)
    hours = max(min(now - first, RATE_SPAN), HOUR // 60) / HOUR
    return GateSample(
        started=len(rows),
        succeeded=sum(1 for phase, _, _ in rows if phase == "Succeeded"),
        failed=sum(1 for phase, _, _ in rows if phase == "Failed"),
        errors=errors,
        open_starts=tuple(started for _, ended, started in rows if not ended),
        stable_ended=by_phase.get("Succeeded", 0) + by_phase.get("Failed", 0),
        stable_failed=by_phase.get("Failed", 0),
        stable_errors=by_phase.get("Error", 0),
        stable_p95=_p95(reader, window, stable),
        rate_per_hour=recent / hours,
    )


def _p95(reader: sqlite3.Connection, window: Window, number: int) -> int:
    took = sorted(
        row[0]
        for row in reader.execute(
            "SELECT took FROM run INDEXED BY run_took WHERE workflow_uid = ? AND env = ? AND number = ? AND ended > 0"
            " AND phase IN ('Succeeded', 'Failed') ORDER BY ended DESC LIMIT ?",
            (window.workflow_uid, window.environment, number, P95_SAMPLE),
        )
    )
    return took[min(len(took) - 1, len(took) * 95 // 100)] if took else 0


def metrics(reader: sqlite3.Connection, workflow_uid: str, *, now: int) -> RunMetrics:
    """Figures over the last 7 and 30 days, by the hour."""
    last = reader.execute(
        "SELECT created, phase FROM run WHERE workflow_uid = ? AND counted = 1 ORDER BY id DESC LIMIT 1",
        (workflow_uid,),
    ).fetchone()
    month, week = (now - 30 * DAY) // HOUR, (now - 7 * DAY) // HOUR
    succeeded, ended, started, of_month, of_week = reader.execute(
        "SELECT total(succeeded), total(succeeded + failed + error), total(CASE WHEN hour > :week THEN started END),"
        " min(CASE WHEN succeeded + failed + error > 0 THEN hour END),"
        " min(CASE WHEN hour > :week AND started > 0 THEN hour END)"
        " FROM stat WHERE workflow_uid = :uid AND hour > :month",
        {"uid": workflow_uid, "week": week, "month": month},
    ).fetchone()
    fades = [hour * HOUR + span for hour, span in ((of_month, 30 * DAY), (of_week, 7 * DAY)) if hour is not None]
    return RunMetrics(
        last_run=last[0] if last else 0,
        last_phase=last[1] if last else "",
        succeeded_30d=int(succeeded),
        ended_30d=int(ended),
        started_7d=int(started),
        fades=min(fades, default=0),
    )
