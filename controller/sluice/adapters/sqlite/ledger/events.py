"""Adding to the log of a run: fenced by epoch, recorded once, ended once."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import orjson

from sluice.adapters.sqlite.ledger.admission import give_back
from sluice.domain.ledger.rows import ENDED_COLUMNS, ended_column
from sluice.domain.ledger.samples import HOUR
from sluice.domain.run.events import RUN_ENDED, Event
from sluice.ports.errors import NotFound
from sluice.ports.launcher import Append

_ADVANCE = (
    "UPDATE unit SET seq = ? WHERE run = (SELECT id FROM run WHERE uid = ?) AND path = ? AND epoch = ? AND seq = ?"
    " RETURNING run"
)
_UNIT = "SELECT epoch, seq FROM unit WHERE run = ? AND path = ?"
_EVENTS = {
    count: "INSERT INTO event (run, path, epoch, seq, at, kind, step, attempt, body) VALUES "
    + ", ".join(["(?,?,?,?,?,?,?,?,?)"] * count)
    for count in (32, 8, 4, 3, 2, 1)
}
"""Statements for so many events at once: between two statements the interpreter may let other threads run first."""
_END = (
    "UPDATE run SET phase = ?, ended = ?, took = ? - started, body = ?, pinned = 1 WHERE id = ? AND ended = 0"
    " RETURNING workflow_uid, env, number, counted, started"
)
_ENDED = {
    column: (
        f"INSERT INTO stat (workflow_uid, hour, env, number, {column}) VALUES (?,?,?,?,1)"
        f" ON CONFLICT DO UPDATE SET {column} = {column} + 1"
    )
    for column in ENDED_COLUMNS
}


def append(connection: sqlite3.Connection, append: Append) -> bool:
    """Add what is new of ``append``; False when its epoch is old or it leaves a gap. Repeats count as added.

    A run that ended from outside has had its units fenced, so its segments come with an old epoch. NotFound for a run
    that was never admitted.
    """
    fresh, first = append.events, append.first_seq
    moved = _advance(connection, append, first - 1)
    if moved is None:
        run = run_id(connection, append.run_uid)
        row = connection.execute(_UNIT, (run, append.unit)).fetchone()
        if row is None or row[0] != append.epoch or row[1] < first - 1:
            return False
        known = row[1] - first + 1
        if known >= len(fresh):
            return True
        fresh, first = fresh[known:], first + known
        moved = _advance(connection, append, row[1])
    if moved is None:
        return False
    for event in fresh:
        if event.kind == RUN_ENDED:
            end(connection, moved, event)
    _insert(connection, (moved, append.unit, append.epoch, first), fresh)
    return True


def _advance(connection: sqlite3.Connection, append: Append, seq: int) -> int | None:
    """Move the unit on from ``seq``; answers with the run's id, None when the unit stands elsewhere."""
    values = (append.last_seq, append.run_uid, append.unit, append.epoch, seq)
    row = connection.execute(_ADVANCE, values).fetchone()
    return int(row[0]) if row else None


def run_id(connection: sqlite3.Connection, run_uid: str) -> int:
    """The number of a run's row. NotFound for a run that was never admitted."""
    row = connection.execute("SELECT id FROM run WHERE uid = ?", (run_uid,)).fetchone()
    if row is None:
        raise NotFound(f"the ledger has no run {run_uid}")
    return int(row[0])


def fence(connection: sqlite3.Connection, run: int) -> None:
    """Refuse whatever is still on its way from the run's units."""
    connection.execute(
        "UPDATE unit SET epoch = epoch + 1, seq = 0, holder = '' WHERE run = ? AND path <> 'controller'", (run,)
    )


def _insert(connection: sqlite3.Connection, key: tuple[int, str, int, int], events: Sequence[Event]) -> None:
    """Add events from ``key`` (run, unit, epoch, sequence number of the first) on."""
    run, unit, epoch, first = key
    rows = [
        (run, unit, epoch, seq, event.at, event.kind, event.step, event.attempt, orjson.dumps(event.body))
        for seq, event in enumerate(events, start=first)
    ]
    start = 0
    for count, statement in _EVENTS.items():
        while len(rows) - start >= count:
            connection.execute(statement, [value for row in rows[start : start + count] for value in row])
            start += count


def append_outside(connection: sqlite3.Connection, run: int, event: Event) -> None:
    """Add an event of the controller's own, under the unit ``controller``."""
    row = connection.execute(
        "INSERT INTO unit (run, path, epoch, seq) VALUES (?, 'controller', 0, 1)"
        " ON CONFLICT DO UPDATE SET seq = seq + 1 RETURNING seq",
        (run,),
    ).fetchone()
    _insert(connection, (run, "controller", 0, row[0]), [event])


def take_over(connection: sqlite3.Connection, run: int, events: Sequence[Event]) -> None:
    """Begin the log with events of another run, under the unit ``replay``; a repeat changes nothing."""
    known = connection.execute("SELECT 1 FROM event WHERE run = ? LIMIT 1", (run,)).fetchone()
    if known is None:
        _insert(connection, (run, "replay", 0, 1), events)


def return_unused(connection: sqlite3.Connection, run: int) -> None:
    """Give back the draw of a run that ends without ever having been pinned: it never ran, so it counts for nothing."""
    row = connection.execute("SELECT win, n, candidate FROM run WHERE id = ? AND pinned = 0 AND ended = 0", (run,))
    for win, n, candidate in row.fetchall():
        give_back(connection, win, n, candidate)
        connection.execute("UPDATE run SET win = '', n = 0, candidate = 0 WHERE id = ?", (run,))


def end(connection: sqlite3.Connection, run: int, event: Event) -> bool:
    """Write the verdict; False when the run had ended before: the first one wins."""
    phase = event.body["phase"]
    row = connection.execute(_END, (phase, event.at, event.at, orjson.dumps(event.body), run)).fetchone()
    if row is None:
        return False
    workflow_uid, env, number, counted, started = row
    if counted and started:
        connection.execute(_ENDED[ended_column(phase)], (workflow_uid, event.at // HOUR, env, number))
    return True


def abandon(connection: sqlite3.Connection, run_uid: str, now: int) -> None:
    """See ``Ledger.abandon``."""
    row = connection.execute("SELECT id FROM run WHERE uid = ? AND ended = 0", (run_uid,)).fetchone()
    if row is None:
        return
    run = row[0]
    return_unused(connection, run)
    body = {
        "phase": "Cancelled",
        "reason": "Cancelled",
        "failure": {"reason": "Cancelled", "message": "the run was deleted"},
    }
    end(connection, run, Event(RUN_ENDED, "", 0, now, body))
    fence(connection, run)
