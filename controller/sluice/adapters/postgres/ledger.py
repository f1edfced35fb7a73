"""PostgresLedger: the Ledger port on PostgreSQL, for one controller among several."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sluice.adapters.postgres import admission as admissions
from sluice.adapters.postgres import appending, ending, keeping, reads
from sluice.adapters.postgres.clock import DatabaseClock
from sluice.adapters.postgres.connections import Connection, Readers, connect
from sluice.adapters.postgres.lane import Lane
from sluice.adapters.postgres.schema import bring_up, raise_term
from sluice.domain.ledger.rows import step_records
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


class PostgresLedger:
    """Writes go through one lane and are acknowledged from its commits; reads use a few connections of their own.

    ``url`` is a libpq connection string, ``schema`` where the tables are (made if need be). ``term`` is the leader's term
    that is written under; ``lead`` begins one. Without a ``clock`` it is the database's that counts.
    """

    def __init__(
        self, url: str, clock: Clock | None = None, *, schema: str = "sluice", term: int | None = None
    ) -> None:
        connection = connect(url, schema)
        try:
            bring_up(connection, schema)
        finally:
            connection.close()
        self._readers = Readers(url, schema)
        self._lane = Lane(url, schema, term)
        try:
            self._clock = clock or DatabaseClock(self._readers)
        except BaseException:
            self.close()
            raise

    @property
    def term(self) -> int | None:
        """The leader's term that is written under; None where nobody leads."""
        return self._lane.term

    def lead(self) -> int:
        """Begin a leader's term: writes under older ones are Fenced from now on. Called once leadership was won."""
        with self._readers.lend() as connection:
            self._lane.term = raise_term(connection)
        return self._lane.term

    def close(self) -> None:
        """Write what is queued, then disconnect. Safe to call twice."""
        self._lane.close()
        self._readers.close()

    def now(self) -> int:
        """The ledger's clock, in microseconds."""
        return int(self._clock.now().timestamp() * 1_000_000)

    # -- versions ---------------------------------------------------------------------------------------------------
    def record_version(
        self, workflow_uid: str, number: int, digest: str, level: int, published: AuditEvent | None = None
    ) -> None:
        """See the port."""
        now = self.now()

        def record(connection: Connection) -> None:
            is_new = keeping.record_version(connection, (workflow_uid, number), digest, level, now=now)
            if is_new and published is not None:
                keeping.append_audit(connection, [published])

        self._lane.run(record)

    def highest_version(self, workflow_uid: str) -> int:
        """See the port."""
        with self._readers.lend() as reader:
            return reads.number(reader, "SELECT max(number) FROM version WHERE workflow_uid = %s", workflow_uid)

    # -- runs -------------------------------------------------------------------------------------------------------
    def admit(self, admission: RunAdmission) -> Admitted:
        """See the port."""
        now = self.now()
        return self._lane.run(lambda connection: admissions.admit(connection, admission, now))

    def pinned(self, run_uid: str) -> None:
        """See the port. Not waited for: a restart reads the pin from the object."""

        def mark(connection: Connection) -> None:
            connection.execute("UPDATE run SET pinned = 1 WHERE uid = %s", (run_uid,))

        self._lane.submit(mark, _log_failure)

    def raise_epoch(self, run_uid: str, unit: str) -> int:
        """See the port."""

        def raised(connection: Connection) -> int:
            run = ending.run_id(connection, run_uid)
            if not connection.execute("UPDATE run SET pinned = 1 WHERE id = %s AND ended = 0", (run,)).rowcount:
                raise Conflict(f"run {run_uid} has ended; nothing of it is launched any more")
            return admissions.raise_epoch(connection, run, unit)

        return self._lane.run(raised)

    def epoch(self, run_uid: str, unit: str) -> int:
        """See the port."""
        with self._readers.lend() as reader:
            return reads.number(reader, reads.EPOCH, run_uid, unit)

    def bind(self, run_uid: str, unit: str, epoch: int, holder: str) -> bool:
        """See the port."""
        return self._lane.run(lambda connection: admissions.bind(connection, run_uid, unit, epoch, holder))

    def append(self, append: Append, done: AppendDone) -> None:
        """See the port."""

        def answer(result: bool | None, error: BaseException | None) -> None:
            done(error if error is not None else bool(result))

        self._lane.submit(append, answer)

    def take_over(self, run_uid: str, events: Sequence[Event]) -> None:
        """See the port."""
        self._lane.run(lambda connection: appending.take_over(connection, ending.run_id(connection, run_uid), events))

    def end_run(self, run_uid: str, event: Event) -> bool:
        """See the port."""

        def ended(connection: Connection) -> bool:
            run = ending.run_id(connection, run_uid)
            if event.body["phase"] in _NEVER_RAN:
                ending.return_unused(connection, run)
            if not ending.end(connection, run, event):
                return False
            ending.fence(connection, run)
            appending.append_outside(connection, run, event)
            return True

        return self._lane.run(ended)

    def reject(self, admission: RunAdmission, event: Event) -> None:
        """See the port."""
        now = self.now()
        self._lane.run(lambda connection: admissions.reject(connection, admission, event, now))

    def abandon(self, run_uid: str) -> None:
        """See the port."""
        now = self.now()
        self._lane.run(lambda connection: ending.abandon(connection, run_uid, now))

    def run(self, run_uid: str) -> RunRecord | None:
        """See the port."""
        with self._readers.lend() as reader:
            return reads.run(reader, run_uid)

    def run_named(self, namespace: str, name: str) -> RunRecord | None:
        """See the port."""
        with self._readers.lend() as reader:
            return reads.run_named(reader, namespace, name)

    def runs(
        self, namespace: str, workflow: str = "", environment: str = "", *, limit: int = 100, before: int = 0
    ) -> Sequence[RunRecord]:
        """See the port."""
        with self._readers.lend() as reader:
            return reads.runs(reader, namespace, workflow, environment, limit=limit, before=before)

    def open_runs(self) -> Sequence[RunRecord]:
        """See the port."""
        with self._readers.lend() as reader:
            return reads.open_runs(reader)

    def next_queued(self, workflow_uid: str, environment: str) -> str:
        """See the port."""
        with self._readers.lend() as reader:
            return reads.next_queued(reader, workflow_uid, environment)

    def history(self, run_uid: str) -> tuple[Event, ...]:
        """See the port."""
        with self._readers.lend() as reader:
            return reads.history(reader, run_uid)

    def steps(self, run_uid: str) -> Sequence[StepRecord]:
        """See the port."""
        return step_records(self.history(run_uid))

    # -- what is decided from ---------------------------------------------------------------------------------------
    def dealt(self, workflow_uid: str, revision: int) -> dict[str, tuple[int, int]]:
        """See the port."""
        with self._readers.lend() as reader:
            return reads.dealt(reader, workflow_uid, revision)

    def highest_revision(self, workflow_uid: str) -> int:
        """See the port."""
        with self._readers.lend() as reader:
            return reads.number(reader, "SELECT max(revision) FROM win WHERE workflow_uid = %s", workflow_uid)

    def gate_sample(self, window: Window, min_runs: int, stable: int) -> GateSample:
        """See the port."""
        now = self.now()
        with self._readers.lend() as reader:
            return reads.gate_sample(reader, window, min_runs, stable, now=now)

    def metrics(self, workflow_uid: str) -> RunMetrics:
        """See the port."""
        now = self.now()
        with self._readers.lend() as reader:
            return reads.metrics(reader, workflow_uid, now=now)

    def dropped(self, workflow_uid: str, environment: str, reason: str) -> None:
        """See the port."""
        hour = self.now() // HOUR
        self._lane.run(lambda connection: keeping.count_dropped(connection, workflow_uid, hour, environment, reason))

    # -- keys, bodies, audit ----------------------------------------------------------------------------------------
    def claim_key(self, scope: str, key: str, object: str, ttl_seconds: int) -> str:
        """See the port."""
        now = self.now()
        expires = now + ttl_seconds * 1_000_000
        return self._lane.run(
            lambda connection: keeping.claim_key(connection, (scope, key), object, expires=expires, now=now)
        )

    def put_part(self, run_uid: str, kind: str, body: bytes) -> None:
        """See the port."""
        self._lane.run(lambda connection: keeping.put_part(connection, run_uid, kind, body))

    def part(self, run_uid: str, kind: str) -> bytes | None:
        """See the port."""
        with self._readers.lend() as reader:
            query = "SELECT body FROM part WHERE run = %s AND kind = %s"
            row = reader.cursor(binary=True).execute(query, (run_uid, kind)).fetchone()
            return bytes(row[0]) if row else None

    def audit(self, events: Sequence[AuditEvent]) -> None:
        """See the port."""
        self._lane.run(lambda connection: keeping.append_audit(connection, events))

    def audit_tail(self, limit: int = 100) -> Sequence[AuditEvent]:
        """See the port."""
        with self._readers.lend() as reader:
            return reads.audit_tail(reader, limit)

    def audit_broken_at(self) -> int:
        """The number of the first audit entry that was changed, or 0."""
        with self._readers.lend() as reader:
            return reads.audit_broken_at(reader)


def _log_failure(_result: object, error: BaseException | None) -> None:
    if error is not None:
        log.warning("a ledger write that nobody waits for failed: %s", error)
