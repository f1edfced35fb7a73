"""What is read of the ledger: every query by an index."""

from __future__ import annotations

from typing import Any

from sluice.adapters.postgres.connections import Connection
from sluice.domain.ledger import rows
from sluice.domain.ledger.chain import first_broken
from sluice.domain.ledger.records import AuditEvent, RunMetrics, RunRecord
from sluice.domain.ledger.rows import AUDIT_COLUMNS, EVENT_COLUMNS, RUN_COLUMNS, audit_event, run_record
from sluice.domain.ledger.samples import DAY, HOUR, P95_SAMPLE, RATE_SPAN, percentile_95, run_metrics
from sluice.domain.ledger.samples import gate_sample as folded
from sluice.domain.routing.dealing import GateSample, Window
from sluice.domain.run.events import Event

EPOCH = "SELECT epoch FROM unit JOIN run ON run.id = unit.run WHERE run.uid = %s AND path = %s"
_CANDIDATES = """
    SELECT phase, ended, started FROM run WHERE win = %s AND candidate = 1
    AND phase NOT IN ('Cancelled', 'Rejected', 'Error') ORDER BY id LIMIT %s
"""
_ERRORS = "SELECT count(*) FROM run WHERE win = %s AND candidate = 1 AND phase = 'Error'"
_STABLE = "SELECT phase, count(*) FROM run WHERE win = %s AND candidate = 0 AND ended > 0 GROUP BY phase"
_RECENT = "SELECT count(*) FROM run WHERE win = %s AND candidate = 1 AND started > %s"
_TOOK = """
    SELECT took FROM run WHERE workflow_uid = %s AND env = %s AND number = %s AND ended > 0
    AND phase IN ('Succeeded', 'Failed') ORDER BY ended DESC LIMIT %s
"""
_LAST = "SELECT created, phase FROM run WHERE workflow_uid = %s AND counted = 1 ORDER BY id DESC LIMIT 1"
_SPANS = """
    SELECT coalesce(sum(succeeded), 0), coalesce(sum(succeeded + failed + error), 0),
        coalesce(sum(started) FILTER (WHERE hour > %(week)s), 0),
        min(hour) FILTER (WHERE succeeded + failed + error > 0),
        min(hour) FILTER (WHERE hour > %(week)s AND started > 0)
    FROM stat WHERE workflow_uid = %(uid)s AND hour > %(month)s
"""


def run(reader: Connection, uid: str) -> RunRecord | None:
    """One run."""
    row = reader.execute(f"SELECT {RUN_COLUMNS} FROM run WHERE uid = %s", (uid,)).fetchone()
    return run_record(row) if row else None


def run_named(reader: Connection, namespace: str, name: str) -> RunRecord | None:
    """The newest run of this name."""
    query = f"SELECT {RUN_COLUMNS} FROM run WHERE ns = %s AND name = %s ORDER BY id DESC LIMIT 1"
    row = reader.execute(query, (namespace, name)).fetchone()
    return run_record(row) if row else None


def runs(
    reader: Connection, namespace: str, workflow: str, environment: str, *, limit: int, before: int
) -> list[RunRecord]:
    """Newest first; ``before`` is a ``created`` time, 0 for none."""
    where, values = ["ns = %s"], [namespace]
    for column, value in (("workflow", workflow), ("env", environment)):
        if value:
            where.append(f"{column} = %s")
            values.append(value)
    bounds: list[int] = []
    if before:
        where.append("created < %s")
        bounds.append(before)
    query = f"SELECT {RUN_COLUMNS} FROM run WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT %s"
    return [run_record(row) for row in reader.execute(query, (*values, *bounds, limit))]


def open_runs(reader: Connection) -> list[RunRecord]:
    """Every run that was admitted or queued and has not ended."""
    return [run_record(row) for row in reader.execute(f"SELECT {RUN_COLUMNS} FROM run WHERE ended = 0")]


def next_queued(reader: Connection, workflow_uid: str, environment: str) -> str:
    """The uid of the run that waits longest."""
    row = reader.execute(
        "SELECT uid FROM run WHERE workflow_uid = %s AND env = %s AND phase = 'Queued' AND ended = 0 ORDER BY id LIMIT 1",
        (workflow_uid, environment),
    ).fetchone()
    return str(row[0]) if row else ""


def history(reader: Connection, uid: str) -> tuple[Event, ...]:
    """All events of a run, in the order of acceptance."""
    query = f"SELECT {EVENT_COLUMNS} FROM event WHERE run = (SELECT id FROM run WHERE uid = %s) ORDER BY id"
    return tuple(rows.event(row) for row in reader.execute(query, (uid,)))


def dealt(reader: Connection, workflow_uid: str, revision: int) -> dict[str, tuple[int, int]]:
    """Environment to (candidate, stable)."""
    found = reader.execute(
        "SELECT env, candidates, stables FROM win WHERE workflow_uid = %s AND revision = %s", (workflow_uid, revision)
    )
    return {env: (candidates, stables) for env, candidates, stables in found}


def gate_sample(reader: Connection, window: Window, min_runs: int, stable: int, *, now: int) -> GateSample:
    """The first ``min_runs`` candidate runs of the window that count, and stable's runs of the same window."""
    took = reader.execute(_TOOK, (window.workflow_uid, window.environment, stable, P95_SAMPLE)).fetchall()
    return folded(
        [(phase, ended, started) for phase, ended, started in reader.execute(_CANDIDATES, (window.id, min_runs))],
        dict(reader.execute(_STABLE, (window.id,)).fetchall()),
        errors=number(reader, _ERRORS, window.id),
        recent=number(reader, _RECENT, window.id, now - RATE_SPAN),
        stable_p95=percentile_95(row[0] for row in took),
        now=now,
    )


def metrics(reader: Connection, workflow_uid: str, *, now: int) -> RunMetrics:
    """Figures over the last 7 and 30 days, by the hour."""
    last = reader.execute(_LAST, (workflow_uid,)).fetchone()
    spans = {"uid": workflow_uid, "month": (now - 30 * DAY) // HOUR, "week": (now - 7 * DAY) // HOUR}
    (figures,) = reader.execute(_SPANS, spans).fetchall()
    return run_metrics(last, figures)


def audit_tail(reader: Connection, limit: int) -> list[AuditEvent]:
    """The newest entries, newest first."""
    found = reader.execute(f"SELECT {AUDIT_COLUMNS} FROM audit ORDER BY n DESC LIMIT %s", (limit,))
    return [audit_event(row) for row in found]


def audit_broken_at(reader: Connection) -> int:
    """The number of the first entry whose hash does not fit, or 0 when the chain is whole."""
    found = reader.execute(f"SELECT n, hash, {AUDIT_COLUMNS} FROM audit ORDER BY n")
    return first_broken((int(n), audit_event(row), stored) for n, stored, *row in found)


def number(reader: Connection, query: str, *values: Any) -> int:
    """The single number that a query answers with; 0 for NULL."""
    row = reader.execute(query, values).fetchone()
    return int(row[0] or 0) if row else 0
