"""The one thread that writes to the SQLite file.

A full sync costs more than hundreds of writes, so whatever is queued is written in one transaction, synced once and
answered from there (group commit). An operation that fails is undone alone; when the commit fails, nothing of the
batch was written and everybody in it hears so.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sluice.adapters.sqlite.connections import Database
from sluice.ports.errors import Unavailable

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], T]
Done = Callable[[Any, BaseException | None], None]
Outcome = tuple[Any, BaseException | None]

MAX_BATCH_OPERATIONS = 512
MAX_BATCH_BYTES = 4 * 1024 * 1024

log = logging.getLogger(__name__)


class StopTheWorld(BaseException):
    """Raised by a ``fault`` hook: the writer stops as if the process had been killed at this point."""


class _Redo(Exception):
    """An operation failed after it had written: the batch is undone and run again with a savepoint for each."""


class Participant(Protocol):
    """Memory that moves with the transaction: it becomes visible when the commit succeeded, and only then."""

    def seal(self, connection: sqlite3.Connection) -> None:
        """Write what is written once per batch; the last statements before the commit."""

    def committed(self) -> None:
        """The batch is durable: show it. Called before its operations are answered."""

    def rolled_back(self) -> None:
        """Nothing of the batch was written: forget it."""


@dataclass(slots=True)
class Counters:
    """Totals since the start. Times are in seconds; ``operating`` includes Python, ``committing`` is the sync."""

    commits: int = 0
    operations: int = 0
    failed_commits: int = 0
    operating: float = 0.0
    committing: float = 0.0


@dataclass(slots=True)
class _Job:
    op: Operation[Any]
    done: Done
    size: int


class Writer:
    """Runs operations on the only writing connection, each in the order it was handed over.

    An operation may be run twice, the first time undone (when another of its batch failed half-way): it changes nothing
    but the database and what participants undo with it.

    ``fault`` is for crash tests: it is called with ``operation`` after each operation, and with ``before-commit`` and
    ``after-commit``; what it raises happens there (an sqlite3.Error is a failing disk, StopTheWorld a kill).
    """

    def __init__(self, path: Path | str, *, fault: Callable[[str], None] | None = None) -> None:
        self.counters = Counters()
        self._fault = fault
        self._database = Database(path)
        try:
            self._connection = self._database.open_writer()
        except sqlite3.Error as error:
            self._database.close()
            raise Unavailable(f"can't open {path}: {error}") from error
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._dead = False
        self._participants: list[Participant] = []
        self._listeners: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._work, name="sqlite-writer", daemon=True)
        self._thread.start()

    @property
    def stopped(self) -> bool:
        """Whether a fault stopped the world: nothing is written any more."""
        return self._dead

    def run(self, op: Operation[T], *, size: int = 0) -> T:
        """Run ``op`` and wait for the commit that holds it. Raises what ``op`` raised, or Unavailable."""
        if threading.get_ident() == self._thread.ident:
            raise RuntimeError("run() on the writer thread would wait for itself; use submit()")
        arrived = threading.Lock()
        arrived.acquire()
        outcome: list[Any] = []

        def done(result: T | None, error: BaseException | None) -> None:
            outcome.extend((result, error))
            arrived.release()

        self.submit(op, done, size=size)
        arrived.acquire()
        result, error = outcome
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]

    def submit(
        self, op: Operation[T], done: Callable[[T | None, BaseException | None], None], *, size: int = 0
    ) -> None:
        """Queue ``op`` and return. ``done`` is called on the writer thread after the commit or failure: be brief.

        ``size`` is roughly how many bytes the operation writes. Raises Unavailable when the writer is closed.
        """
        with self._gate:
            if self._closed:
                raise Unavailable("the store is closed; nothing was written")
            self._queue.put(_Job(op, done, size))

    def join(self, participant: Participant) -> None:
        """Let ``participant`` follow every batch from the next one on."""
        self._participants.append(participant)

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` on the writer thread once per commit, after its operations were answered."""
        self._listeners.append(listener)

    def readonly(self) -> sqlite3.Connection:
        """This thread's reading connection, for cold queries; it sees what was committed."""
        if self._closed:
            raise Unavailable("the store is closed")
        return self._database.reader()

    def close(self) -> None:
        """Write what is queued, then stop. Safe to call twice."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()
        self._connection.close()
        self._database.close()

    def _work(self) -> None:
        stopping = False
        while not stopping:
            batch: list[_Job] = []
            size = 0
            job = self._queue.get()
            while job is not None:
                batch.append(job)
                size += job.size
                if len(batch) >= MAX_BATCH_OPERATIONS or size >= MAX_BATCH_BYTES or self._queue.empty():
                    break
                job = self._queue.get()
            stopping = job is None
            if batch:
                self._write(batch)

    def _write(self, batch: list[_Job]) -> None:
        if self._dead:
            _refuse_all(batch, "the store was stopped; nothing was written")
            return
        try:
            try:
                outcomes = self._commit(batch, guarded=False)
            except _Redo:
                self._roll_back()
                outcomes = self._commit(batch, guarded=True)
        except StopTheWorld:
            self._dead = True
            self._roll_back()
            _refuse_all(batch, "the store was stopped; the write may or may not have happened")
            return
        except Exception as error:
            self.counters.failed_commits += 1
            self._roll_back()
            _refuse_all(batch, f"nothing was written: {error}; try again", cause=error)
            return
        for participant in self._participants:
            participant.committed()
        for job, (result, refusal) in zip(batch, outcomes, strict=True):
            _answer(job, result, refusal)
        for listener in self._listeners:
            try:
                listener()
            except Exception:
                log.exception("a commit listener failed")

    def _commit(self, batch: list[_Job], *, guarded: bool) -> list[Outcome]:
        connection, counters = self._connection, self.counters
        started = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        attempt = self._attempt_guarded if guarded else self._attempt
        outcomes = [attempt(job) for job in batch]
        for participant in self._participants:
            participant.seal(connection)
        if self._fault is not None:
            self._fault("before-commit")
        ready = time.perf_counter()
        connection.execute("COMMIT")
        counters.committing += time.perf_counter() - ready
        counters.operating += ready - started
        counters.commits += 1
        counters.operations += len(batch)
        if self._fault is not None:
            self._fault("after-commit")
        return outcomes

    def _attempt(self, job: _Job) -> Outcome:
        """Run one operation without a way back: what fails before it wrote needs none, and little else fails."""
        connection = self._connection
        before = connection.total_changes
        try:
            result = job.op(connection)
        except StopTheWorld:
            raise
        except BaseException as error:
            if not connection.in_transaction:
                raise  # a full disk undoes the whole transaction, not just this operation
            if connection.total_changes != before:
                raise _Redo from error
            return None, _translated(error)
        if self._fault is not None:
            self._fault("operation")
        return result, None

    def _attempt_guarded(self, job: _Job) -> Outcome:
        """Run one operation under a savepoint, to undo it alone."""
        connection = self._connection
        connection.execute("SAVEPOINT op")
        result, error = None, None
        try:
            result = job.op(connection)
        except StopTheWorld:
            raise
        except BaseException as raised:
            if not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO op")
            error = _translated(raised)
        connection.execute("RELEASE op")
        if error is None and self._fault is not None:
            self._fault("operation")
        return result, error

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.Error):  # a failing disk may already have undone it
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        for participant in self._participants:
            participant.rolled_back()


def _translated(error: BaseException) -> BaseException:
    """What the caller of one failed operation hears: a failing database is Unavailable, all else is its own."""
    if isinstance(error, sqlite3.OperationalError):
        unavailable = Unavailable(f"nothing was written: {error}; try again")
        unavailable.__cause__ = error
        return unavailable
    return error


def _refuse_all(batch: list[_Job], message: str, cause: BaseException | None = None) -> None:
    for job in batch:
        error = Unavailable(message)
        error.__cause__ = cause
        _answer(job, None, error)


def _answer(job: _Job, result: Any, error: BaseException | None) -> None:
    try:
        job.done(result, error)
    except Exception:
        log.exception("the answer to a write could not be delivered")
