"""The end of a run: its verdict, what it counts for, and the draw of one that never ran."""

from __future__ import annotations

import orjson

from sluice.adapters.postgres.connections import Connection
from sluice.domain.ledger.rows import ENDED_COLUMNS, ended_column
from sluice.domain.ledger.samples import HOUR
from sluice.domain.run.events import RUN_ENDED, Event
from sluice.ports.errors import NotFound

_END = """
    UPDATE run SET phase = %s, ended = %s, took = %s - started, body = %s, pinned = 1 WHERE id = %s AND ended = 0
    RETURNING workflow_uid, env, number, counted, started
"""
_ENDED = {
    column: f"""
    INSERT INTO stat (workflow_uid, hour, env, number, {column}) VALUES (%s, %s, %s, %s, 1)
    ON CONFLICT (workflow_uid, hour, env, number) DO UPDATE SET {column} = stat.{column} + 1
"""
    for column in ENDED_COLUMNS
}
_FENCE = "UPDATE unit SET epoch = epoch + 1, seq = 0, holder = '' WHERE run = %s AND path <> 'controller'"
_RETURN = "INSERT INTO returned (win, n) VALUES (%s, %s) ON CONFLICT DO NOTHING"
_UNDEALT = "UPDATE win SET candidates = candidates - %s, stables = stables - %s WHERE id = %s"


def run_id(connection: Connection, run_uid: str) -> int:
    """The number of a run's row. NotFound for a run that was never admitted."""
    row = connection.execute("SELECT id FROM run WHERE uid = %s", (run_uid,)).fetchone()
    if row is None:
        raise NotFound(f"the ledger has no run {run_uid}")
    return int(row[0])


def end(connection: Connection, run: int, event: Event) -> bool:
    """Write the verdict; False when the run had ended before: the first one wins."""
    phase = event.body["phase"]
    values = (phase, event.at, event.at, orjson.dumps(event.body), run)
    row = connection.execute(_END, values).fetchone()
    if row is None:
        return False
    workflow_uid, env, number, counted, started = row
    if counted and started:
        connection.execute(_ENDED[ended_column(phase)], (workflow_uid, event.at // HOUR, env, number))
    return True


def fence(connection: Connection, run: int) -> None:
    """Refuse whatever is still on its way from the run's units."""
    connection.execute(_FENCE, (run,))


def give_back(connection: Connection, win: str, n: int, candidate: int) -> None:
    """Return a draw to its window; it goes out again before new ones."""
    if n:
        connection.execute(_RETURN, (win, n))
        connection.execute(_UNDEALT, (candidate, 1 - candidate, win))


def return_unused(connection: Connection, run: int) -> None:
    """Give back the draw of a run that ends without ever having been pinned: it never ran, so it counts for nothing."""
    row = connection.execute(
        "SELECT win, n, candidate FROM run WHERE id = %s AND pinned = 0 AND ended = 0", (run,)
    ).fetchone()
    if row is not None:
        give_back(connection, *row)
        connection.execute("UPDATE run SET win = '', n = 0, candidate = 0 WHERE id = %s", (run,))


def abandon(connection: Connection, run_uid: str, now: int) -> None:
    """See ``Ledger.abandon``."""
    row = connection.execute("SELECT id FROM run WHERE uid = %s AND ended = 0", (run_uid,)).fetchone()
    if row is None:
        return
    run = int(row[0])
    return_unused(connection, run)
    body = {
        "phase": "Cancelled",
        "reason": "Cancelled",
        "failure": {"reason": "Cancelled", "message": "the run was deleted"},
    }
    end(connection, run, Event(RUN_ENDED, "", 0, now, body))
    fence(connection, run)
