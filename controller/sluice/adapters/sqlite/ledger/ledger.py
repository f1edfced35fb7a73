"""SqliteLedger: the Ledger port on the file that also holds the objects."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence

from sluice.adapters.sqlite.ledger import admission as admissions
from sluice.adapters.sqlite.ledger import audit, reads
from sluice.adapters.sqlite.ledger import events as log_events
from sluice.adapters.sqlite.ledger.schema import bring_up
from sluice.adapters.sqlite.writer import Writer
from sluice.domain.ledger.samples import HOUR
from sluice.domain.run.events import Event
from sluice.ports.clock import Clock
from sluice.ports.errors import Conflict
from sluice.ports.launcher import Append
from sluice.ports.ledger import (
    Admitted,
    AppendDone,
    AuditEvent,
    GateSample,
    RunAdmission,
    RunMetrics,
    RunRecord,
    StepRecord,
    Window,
)

_NEVER_RAN = frozenset({"Cancelled", "Rejected"})
"""Phases in which a run that was not pinned leaves its draw to another one."""

log = logging.getLogger(__name__)


class SqliteLedger:
    """Writes go to the one writer thread and are acknowledged from its commits; reads use a connection per thread."""

    def __init__(self, writer: Writer, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock
        writer.run(bring_up)

    def now(self) -> int:
        """The ledger's clock, in microseconds."""
        return int(self._clock.now().timestamp() * 1_000_000)

    # -- versions ---------------------------------------------------------------------------------------------------
    def record_version(
        self, workflow_uid: str, number: int, digest: str, level: int, published: AuditEvent | None = None
    ) -> None:
        """See the port."""
        now = self.now()

        def record(connection: sqlite3.Connection) -> None:
            row = connection.execute(
                "SELECT digest FROM version WHERE workflow_uid = ? AND number = ?", (workflow_uid, number)
            ).fetchone()
            if row is None:
                connection.execute("INSERT INTO version VALUES (?,?,?,?,?)", (workflow_uid, number, digest, level, now))
                if published is not None:
                    audit.append(connection, [published])
            elif row[0] != digest:
                raise Conflict(f"version {number} of {workflow_uid} is recorded with digest {row[0]}")

        self._writer.run(record)

    def highest_version(self, workflow_uid: str) -> int:
        """See the port."""
        reader = self._writer.readonly()
        row = reader.execute("SELECT max(number) FROM version WHERE workflow_uid = ?", (workflow_uid,)).fetchone()
        return int(row[0] or 0)

    # -- runs -------------------------------------------------------------------------------------------------------
    def admit(self, admission: RunAdmission) -> Admitted:
        """See the port."""
        now = self.now()
        return self._writer.run(lambda connection: admissions.admit(connection, admission, now))

    def pinned(self, run_uid: str) -> None:
        """See the port. Not waited for: a restart reads the pin from the object."""

        def mark(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE run SET pinned = 1 WHERE uid = ?", (run_uid,))

        self._writer.submit(mark, _log_failure)

    def raise_epoch(self, run_uid: str, unit: str) -> int:
        """See the port."""

        def raised(connection: sqlite3.Connection) -> int:
            run = log_events.run_id(connection, run_uid)
            if not connection.execute("UPDATE run SET pinned = 1 WHERE id = ? AND ended = 0", (run,)).rowcount:
                raise Conflict(f"run {run_uid} has ended; nothing of it is launched any more")
            return admissions.raise_epoch(connection, run, unit)

        return self._writer.run(raised)

    def epoch(self, run_uid: str, unit: str) -> int:
        """See the port."""
        return reads.epoch(self._writer.readonly(), run_uid, unit)

    def bind(self, run_uid: str, unit: str, epoch: int, holder: str) -> bool:
        """See the port."""
        return self._writer.run(lambda connection: admissions.bind(connection, run_uid, unit, epoch, holder))

    def append(self, append: Append, done: AppendDone) -> None:
        """See the port."""

        def added(connection: sqlite3.Connection) -> bool:
            return log_events.append(connection, append)

        def answer(result: bool | None, error: BaseException | None) -> None:
            done(error if error is not None else bool(result))

        self._writer.submit(added, answer)

    def take_over(self, run_uid: str, events: Sequence[Event]) -> None:
        """See the port."""
        self._writer.run(
            lambda connection: log_events.take_over(connection, log_events.run_id(connection, run_uid), events)
        )

    def end_run(self, run_uid: str, event: Event) -> bool:
        """See the port."""

        def ended(connection: sqlite3.Connection) -> bool:
            run = log_events.run_id(connection, run_uid)
            if event.body["phase"] in _NEVER_RAN:
                log_events.return_unused(connection, run)
            if not log_events.end(connection, run, event):
                return False
            log_events.fence(connection, run)
            log_events.append_outside(connection, run, event)
            return True

        return self._writer.run(ended)

    def reject(self, admission: RunAdmission, event: Event) -> None:
        """See the port."""
        now = self.now()
        self._writer.run(lambda connection: admissions.reject(connection, admission, event, now))

    def abandon(self, run_uid: str) -> None:
        """See the port."""
        now = self.now()
        self._writer.run(lambda connection: log_events.abandon(connection, run_uid, now))

    def run(self, run_uid: str) -> RunRecord | None:
        """See the port."""
        return reads.run(self._writer.readonly(), run_uid)

    def run_named(self, namespace: str, name: str) -> RunRecord | None:
        """See the port."""
        return reads.run_named(self._writer.readonly(), namespace, name)

    def runs(
        self, namespace: str, workflow: str = "", environment: str = "", *, limit: int = 100, before: int = 0
    ) -> Sequence[RunRecord]:
        """See the port."""
        return reads.runs(self._writer.readonly(), namespace, workflow, environment, limit=limit, before=before)

    def open_runs(self) -> Sequence[RunRecord]:
        """See the port."""
        return reads.open_runs(self._writer.readonly())

    def next_queued(self, workflow_uid: str, environment: str) -> str:
        """See the port."""
        return reads.next_queued(self._writer.readonly(), workflow_uid, environment)

    def history(self, run_uid: str) -> tuple[Event, ...]:
        """See the port."""
        return reads.history(self._writer.readonly(), run_uid)

    def steps(self, run_uid: str) -> Sequence[StepRecord]:
        """See the port."""
        return reads.steps(self._writer.readonly(), run_uid)

    # -- what is decided from ---------------------------------------------------------------------------------------
    def dealt(self, workflow_uid: str, revision: int) -> dict[str, tuple[int, int]]:
        """See the port."""
        return reads.dealt(self._writer.readonly(), workflow_uid, revision)

    def highest_revision(self, workflow_uid: str) -> int:
        """See the port."""
        reader = self._writer.readonly()
        row = reader.execute("SELECT max(revision) FROM win WHERE workflow_uid = ?", (workflow_uid,)).fetchone()
        return int(row[0] or 0)

    def gate_sample(self, window: Window, min_runs: int, stable: int) -> GateSample:
        """See the port."""
        return reads.gate_sample(self._writer.readonly(), window, min_runs, stable, now=self.now())

    def metrics(self, workflow_uid: str) -> RunMetrics:
        """See the port."""
        return reads.metrics(self._writer.readonly(), workflow_uid, now=self.now())

    def dropped(self, workflow_uid: str, environment: str, reason: str) -> None:
        """See the port."""
        hour = self.now() // HOUR

        def count(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO dropped VALUES (?,?,?,?,1) ON CONFLICT DO UPDATE SET n = n + 1",
                (workflow_uid, hour, environment, reason),
            )

        self._writer.run(count)

    # -- keys, bodies, audit ----------------------------------------------------------------------------------------
    def claim_key(self, scope: str, key: str, object: str, ttl_seconds: int) -> str:
        """See the port."""
        now = self.now()

        def claim(connection: sqlite3.Connection) -> str:
            connection.execute("DELETE FROM once WHERE scope = ? AND k = ? AND expires <= ?", (scope, key, now))
            connection.execute(
                "INSERT OR IGNORE INTO once VALUES (?,?,?,?)", (scope, key, object, now + ttl_seconds * 1_000_000)
            )
            return str(
                connection.execute("SELECT object FROM once WHERE scope = ? AND k = ?", (scope, key)).fetchone()[0]
            )

        return self._writer.run(claim)

    def put_part(self, run_uid: str, kind: str, body: bytes) -> None:
        """See the port."""

        def put(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO part VALUES (?,?,?)", (run_uid, kind, body))

        self._writer.run(put, size=len(body))

    def part(self, run_uid: str, kind: str) -> bytes | None:
        """See the port."""
        row = (
            self._writer.readonly()
            .execute("SELECT body FROM part WHERE run = ? AND kind = ?", (run_uid, kind))
            .fetchone()
        )
        return row[0] if row else None

    def audit(self, events: Sequence[AuditEvent]) -> None:
        """See the port."""
        self._writer.run(lambda connection: audit.append(connection, events))

    def audit_tail(self, limit: int = 100) -> Sequence[AuditEvent]:
        """See the port."""
        return audit.tail(self._writer.readonly(), limit)

    def audit_broken_at(self) -> int:
        """The number of the first audit entry that was changed, or 0."""
        return audit.broken_at(self._writer.readonly())


def _log_failure(_result: object, error: BaseException | None) -> None:
    if error is not None:
        log.warning("a ledger write that nobody waits for failed: %s", error)
