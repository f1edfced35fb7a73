"""The one thread of a controller that writes to the ledger.

Whatever is queued is written in one transaction, committed once and answered from there (group commit): a commit waits
for the disk, and hundreds of appends can share that wait. Controllers take turns: a batch holds an advisory lock until
its commit. So slots and queues are counted exactly, ids are in the order of commits, and batches can't deadlock. While
one controller leads, nobody waits for a turn.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg

from sluice.adapters.postgres.appending import append_all
from sluice.adapters.postgres.connections import Connection, connect
from sluice.adapters.postgres.schema import check_term
from sluice.ports.errors import Invalid, PortError, Unavailable
from sluice.ports.launcher import Append

T = TypeVar("T")
Operation = Callable[[Connection], T]
Done = Callable[[Any, BaseException | None], None]
Outcome = tuple[Any, BaseException | None]

TURN = 0x51_1CE_002
"""Advisory lock: who holds it writes a batch."""
MAX_BATCH = 512

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Job:
    work: Operation[Any] | Append
    done: Done


class Lane:
    """Writes operations in batches. ``term`` is the leader's term that all of them are written under; None: no leader's.

    An operation raises errors of the ports before it has written anything; it may be run twice, the first time undone.
    """

    def __init__(self, url: str, schema: str, term: int | None = None) -> None:
        self.term = term
        self._url = url
        self._schema = schema
        self._connection: Connection | None = None
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="ledger-lane", daemon=True)
        self._thread.start()

    def run(self, operation: Operation[T]) -> T:
        """Run ``operation`` and wait for the commit that holds it. Raises what it raised, Fenced, or Unavailable."""
        if threading.get_ident() == self._thread.ident:
            raise RuntimeError("run() on the lane's thread would wait for itself; use submit()")
        arrived = threading.Event()
        outcome: list[Any] = []

        def done(result: T | None, error: BaseException | None) -> None:
            outcome.extend((result, error))
            arrived.set()

        self.submit(operation, done)
        arrived.wait()
        result, error = outcome
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]

    def submit(self, work: Operation[Any] | Append, done: Done) -> None:
        """Queue it and return. ``done`` is called on the lane's thread after the commit or failure: be brief."""
        with self._gate:
            if self._closed:
                raise Unavailable("the ledger is closed; nothing was written")
            self._queue.put(_Job(work, done))

    def close(self) -> None:
        """Write what is queued, then stop. Safe to call twice."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        stopping = False
        while not stopping:
            batch: list[_Job] = []
            job = self._queue.get()
            while job is not None:
                batch.append(job)
                if len(batch) >= MAX_BATCH or self._queue.empty():
                    break
                job = self._queue.get()
            stopping = job is None
            if batch:
                self._write(batch)
        self._disconnect()

    def _write(self, batch: list[_Job]) -> None:
        try:
            outcomes = self._commit(batch)
        except PortError as error:
            outcomes = [(None, error)] * len(batch)
        except Exception as error:
            if len(batch) > 1:  # one of them can't be written: each by itself, to find out which
                for job in batch:
                    self._write([job])
                return
            outcomes = [(None, _translated(error))]
        for job, (result, refusal) in zip(batch, outcomes, strict=True):
            _answer(job, result, refusal)

    def _commit(self, batch: list[_Job]) -> list[Outcome]:
        """Write a batch whole or not at all. Raises Unavailable, Fenced, or what can't be blamed on the database."""
        committing = False
        try:
            connection = self._connected()
            connection.execute("BEGIN")
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (TURN,))
            if self.term is not None:
                check_term(connection, self.term)
            outcomes = _run_all(connection, batch)
            committing = True
            status = connection.execute("COMMIT").statusmessage
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            self._roll_back()
            written = "the write may or may not have happened" if committing else "nothing was written"
            raise Unavailable(f"the ledger's database failed: {error}; {written}; try again") from error
        except BaseException:
            self._roll_back()
            raise
        if status != "COMMIT":
            raise Unavailable("the ledger's database undid the write; nothing was written; try again")
        return outcomes

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url, self._schema)
        return self._connection

    def _roll_back(self) -> None:
        """Undo the transaction, or leave the connection: the next batch makes another."""
        if self._connection is None:
            return
        try:
            self._connection.rollback()
        except psycopg.Error:
            self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error):
                self._connection.close()
            self._connection = None


def _run_all(connection: Connection, batch: list[_Job]) -> list[Outcome]:
    """The outcome of each job. Appends go first, all together: whoever cares for order waits for the answer."""
    appends = {k: job.work for k, job in enumerate(batch) if isinstance(job.work, Append)}
    outcomes: dict[int, Outcome] = {}
    for k, added in zip(appends, append_all(connection, list(appends.values())), strict=True):
        outcomes[k] = (None, added) if isinstance(added, PortError) else (added, None)
    for k, job in enumerate(batch):
        if not isinstance(job.work, Append):
            try:
                outcomes[k] = (job.work(connection), None)
            except PortError as error:
                outcomes[k] = (None, error)
    return [outcomes[k] for k in range(len(batch))]


def _translated(error: Exception) -> Exception:
    """What the caller of an operation that can't be written hears; an error that is not the database's stays itself."""
    refused: PortError
    if isinstance(error, psycopg.DataError):
        refused = Invalid(f"the ledger's database can't store this: {error}; nothing was written")
    elif isinstance(error, psycopg.Error):
        refused = PortError(f"the ledger's database refused: {error}; nothing was written")
    else:
        return error
    refused.__cause__ = error
    return refused


def _answer(job: _Job, result: Any, error: BaseException | None) -> None:
    try:
        job.done(result, error)
    except Exception:
        log.exception("the answer to a write could not be delivered")
