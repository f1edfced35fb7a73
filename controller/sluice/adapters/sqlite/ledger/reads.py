"""What is read of the ledger: every query by an index."""

from __future__ import annotations

import sqlite3

from sluice.domain.ledger import rows
from sluice.domain.ledger.records import RunMetrics, RunRecord, StepRecord
from sluice.domain.ledger.rows import EVENT_COLUMNS, RUN_COLUMNS, run_record
from sluice.domain.ledger.samples import DAY, HOUR, P95_SAMPLE, RATE_SPAN, percentile_95, run_metrics
from sluice.domain.ledger.samples import gate_sample as folded
from sluice.domain.routing.dealing import GateSample, Window
from sluice.domain.run.events import Event


def run(reader: sqlite3.Connection, uid: str) -> RunRecord | None:
    """One run."""
    row = reader.execute(f"SELECT {RUN_COLUMNS} FROM run WHERE uid = ?", (uid,)).fetchone()
    return run_record(row) if row else None


def run_named(reader: sqlite3.Connection, namespace: str, name: str) -> RunRecord | None:
    """The newest run of this name."""
    row = reader.execute(
        f"SELECT {RUN_COLUMNS} FROM run WHERE ns = ? AND name = ? ORDER BY id DESC LIMIT 1",
        (namespace, name),
    ).fetchone()
    return run_record(row) if row else None


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
    query = f"SELECT {RUN_COLUMNS} FROM run WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?"
    return [run_record(row) for row in reader.execute(query, (*values, limit))]


def open_runs(reader: sqlite3.Connection) -> list[RunRecord]:
    """Every run that was admitted or queued and has not ended."""
    query = f"SELECT {RUN_COLUMNS} FROM run INDEXED BY run_open WHERE ended = 0"
    return [run_record(row) for row in reader.execute(query)]


def epoch(reader: sqlite3.Connection, run_uid: str, unit: str) -> int:
    """The newest epoch of a unit, 0 if it has none."""
    row = reader.execute(
        "SELECT epoch FROM unit WHERE run = (SELECT id FROM run WHERE uid = ?) AND path = ?", (run_uid, unit)
    ).fetchone()
    return int(row[0]) if row else 0


def next_queued(reader: sqlite3.Connection, workflow_uid: str, environment: str) -> str:
    """The uid of the run that waits longest."""
    row = reader.execute(
        "SELECT uid FROM run WHERE workflow_uid = ? AND env = ? AND phase = 'Queued' AND ended = 0 ORDER BY id LIMIT 1",
        (workflow_uid, environment),
    ).fetchone()
    return row[0] if row else ""


def history(reader: sqlite3.Connection, uid: str) -> tuple[Event, ...]:
    """All events of a run, in the order of acceptance."""
    found = reader.execute(
        f"SELECT {EVENT_COLUMNS} FROM event WHERE run = (SELECT id FROM run WHERE uid = ?) ORDER BY id",
        (uid,),
    )
    return tuple(rows.event(row) for row in found)


def steps(reader: sqlite3.Connection, uid: str) -> list[StepRecord]:
    """Where each step stands, folded from the log."""
    return rows.step_records(history(reader, uid))


def dealt(reader: sqlite3.Connection, workflow_uid: str, revision: int) -> dict[str, tuple[int, int]]:
    """Environment to (candidate, stable)."""
    dealt_out = reader.execute(
        "SELECT env, candidates, stables FROM win WHERE workflow_uid = ? AND revision = ?", (workflow_uid, revision)
    )
    return {env: (candidates, stables) for env, candidates, stables in dealt_out}


def gate_sample(reader: sqlite3.Connection, window: Window, min_runs: int, stable: int, *, now: int) -> GateSample:
    """The first ``min_runs`` candidate runs of the window that count, and stable's runs of the same window."""
    candidates = reader.execute(
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
    (recent,) = reader.execute(
        "SELECT count(*) FROM run WHERE win = ? AND candidate = 1 AND started > ?", (window.id, now - RATE_SPAN)
    ).fetchone()
    return folded(
        candidates,
        dict(stable_rows),
        errors=errors,
        recent=recent,
        stable_p95=_p95(reader, window, stable),
        now=now,
    )


def _p95(reader: sqlite3.Connection, window: Window, number: int) -> int:
    took = reader.execute(
        "SELECT took FROM run INDEXED BY run_took WHERE workflow_uid = ? AND env = ? AND number = ? AND ended > 0"
        " AND phase IN ('Succeeded', 'Failed') ORDER BY ended DESC LIMIT ?",
        (window.workflow_uid, window.environment, number, P95_SAMPLE),
    )
    return percentile_95(row[0] for row in took)


def metrics(reader: sqlite3.Connection, workflow_uid: str, *, now: int) -> RunMetrics:
    """Figures over the last 7 and 30 days, by the hour."""
    last = reader.execute(
        "SELECT created, phase FROM run WHERE workflow_uid = ? AND counted = 1 ORDER BY id DESC LIMIT 1",
        (workflow_uid,),
    ).fetchone()
    month, week = (now - 30 * DAY) // HOUR, (now - 7 * DAY) // HOUR
    spans = reader.execute(
        "SELECT total(succeeded), total(succeeded + failed + error), total(CASE WHEN hour > :week THEN started END),"
        " min(CASE WHEN succeeded + failed + error > 0 THEN hour END),"
        " min(CASE WHEN hour > :week AND started > 0 THEN hour END)"
        " FROM stat WHERE workflow_uid = :uid AND hour > :month",
        {"uid": workflow_uid, "week": week, "month": month},
    ).fetchone()
    return run_metrics(last, spans)
