"""Letting a run in: a slot, a draw, its row and a new epoch, in one operation of the writer."""

from __future__ import annotations

import sqlite3

import orjson

from sluice.domain.ledger.samples import HOUR
from sluice.domain.routing.quota import is_candidate
from sluice.domain.run.events import Event
from sluice.ports.launcher import MAIN_UNIT
from sluice.ports.ledger import Admitted, RunAdmission, Window

QUEUED = "Queued"

_FIND = "SELECT id, number, candidate, n, win, pinned, phase, ended FROM run WHERE uid = ?"
_OPEN = (
    "SELECT count(*) FROM (SELECT 1 FROM run WHERE workflow_uid = ? AND env = ? AND phase = 'Running'"
    " AND ended = 0 LIMIT ?)"
)
_FIRST_QUEUED = (
    "SELECT min(id) FROM run INDEXED BY run_open WHERE workflow_uid = ? AND env = ? AND phase = 'Queued' AND ended = 0"
)
_INSERT = (
    "INSERT INTO run (uid, ns, name, workflow, workflow_uid, env, number, candidate, win, n, counted, phase, actor, trig,"
    " replay_of, created, started) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
_UPDATE = "UPDATE run SET number = ?, candidate = ?, win = ?, n = ?, phase = ?, started = ? WHERE id = ?"
_RETURNED = "SELECT min(n) FROM returned WHERE win = ?"
_TAKE = "DELETE FROM returned WHERE win = ? AND n = ?"
_NEXT = (
    "INSERT INTO win (id, workflow_uid, env, revision, n, candidates, stables) VALUES (?,?,?,?,1,?,?)"
    " ON CONFLICT (id) DO UPDATE SET n = n + 1, candidates = candidates + excluded.candidates,"
    " stables = stables + excluded.stables"
    " WHERE NOT EXISTS (SELECT 1 FROM returned WHERE returned.win = excluded.id) RETURNING n"
)
"""The next new place of a window, counted at once where its version is known before; nothing while places were returned."""
_DEALT = "UPDATE win SET candidates = candidates + ?, stables = stables + ? WHERE id = ?"
_STARTED = (
    "INSERT INTO stat (workflow_uid, hour, env, number, started) VALUES (?,?,?,?,1)"
    " ON CONFLICT DO UPDATE SET started = started + 1"
)
_RAISE = (
    "INSERT INTO unit (run, path, epoch, seq) VALUES (?,?,1,0)"
    " ON CONFLICT DO UPDATE SET epoch = epoch + 1, seq = 0, holder = '' RETURNING epoch"
)
_BIND = (
    "UPDATE unit SET holder = ?1 WHERE run = (SELECT id FROM run WHERE uid = ?2 AND ended = 0) AND path = ?3"
    " AND epoch = ?4 AND holder IN ('', ?1)"
)
_RETURN = "INSERT OR IGNORE INTO returned (win, n) VALUES (?, ?)"


def admit(connection: sqlite3.Connection, admission: RunAdmission, now: int) -> Admitted:
    """See ``Ledger.admit``; ``now`` in microseconds."""
    row = connection.execute(_FIND, (admission.run_uid,)).fetchone()
    if row is None:
        return _admit_new(connection, admission, now)
    run, number, candidate, n, win, pinned, phase, ended = row
    if ended:
        return Admitted(number, bool(candidate), n, win, 0, refused=True)
    if phase == QUEUED:
        return _admit_queued(connection, run, admission, now)
    if not pinned and win != _window_id(admission):
        give_back(connection, win, n, candidate)
        number, candidate, n = _draw(connection, admission)
        win = _window_id(admission)
        connection.execute(_UPDATE, (number, candidate, win, n, "Running", now, run))
    return Admitted(number, bool(candidate), n, win, raise_epoch(connection, run, MAIN_UNIT))


def _admit_new(connection: sqlite3.Connection, admission: RunAdmission, now: int) -> Admitted:
    if _is_full(connection, admission) or _first_queued(connection, admission):
        if not admission.queue:
            return Admitted(0, False, 0, "", 0, refused=True)
        insert_run(connection, admission, (0, 0, "", 0), QUEUED, (now, 0))
        return Admitted(0, False, 0, "", 0, queued=True)
    number, candidate, n = _draw(connection, admission)
    win = _window_id(admission)
    run = insert_run(connection, admission, (number, candidate, win, n), "Running", (now, now))
    _count_start(connection, admission, number, now)
    connection.execute("INSERT INTO unit (run, path, epoch, seq) VALUES (?,?,1,0)", (run, MAIN_UNIT))
    return Admitted(number, bool(candidate), n, win, 1)


def _admit_queued(connection: sqlite3.Connection, run: int, admission: RunAdmission, now: int) -> Admitted:
    first = _first_queued(connection, admission)
    if _is_full(connection, admission) or (first and first != run):
        return Admitted(0, False, 0, "", 0, queued=True)
    number, candidate, n = _draw(connection, admission)
    win = _window_id(admission)
    connection.execute(_UPDATE, (number, candidate, win, n, "Running", now, run))
    _count_start(connection, admission, number, now)
    return Admitted(number, bool(candidate), n, win, raise_epoch(connection, run, MAIN_UNIT))


def _is_full(connection: sqlite3.Connection, admission: RunAdmission) -> bool:
    if not admission.limit:
        return False
    window = admission.window
    (held,) = connection.execute(_OPEN, (window.workflow_uid, window.environment, admission.limit)).fetchone()
    return bool(held >= admission.limit)


def _first_queued(connection: sqlite3.Connection, admission: RunAdmission) -> int:
    """The id of the run that waits longest, 0 if none; nobody is let in before it."""
    if not admission.queue:
        return 0
    window = admission.window
    return int(connection.execute(_FIRST_QUEUED, (window.workflow_uid, window.environment)).fetchone()[0] or 0)


def _draw(connection: sqlite3.Connection, admission: RunAdmission) -> tuple[int, int, int]:
    """Which version this run gets: (number, is it the candidate, place in the window)."""
    split, window = admission.split, admission.window
    if split.forced or not admission.counted:
        return split.forced or split.stable, 0, 0
    known = split.by_hash if split.candidate else False  # None: the place decides
    counts = (0, 0) if known is None else (int(known), int(not known))
    scope = (window.id, window.workflow_uid, window.environment, window.revision)
    row = connection.execute(_NEXT, (*scope, *counts)).fetchone()
    n = int(row[0]) if row else _returned_place(connection, window)
    candidate = is_candidate(n, split.hundredths) if known is None else known
    if row is None or known is None:
        connection.execute(_DEALT, (int(candidate), int(not candidate), window.id))
    return (split.candidate if candidate else split.stable), int(candidate), n


def _returned_place(connection: sqlite3.Connection, window: Window) -> int:
    (returned,) = connection.execute(_RETURNED, (window.id,)).fetchone()
    connection.execute(_TAKE, (window.id, returned))
    return int(returned)


def give_back(connection: sqlite3.Connection, win: str, n: int, candidate: int) -> None:
    """Return a draw to its window; it goes out again before new ones."""
    if n:
        connection.execute(_RETURN, (win, n))
        connection.execute(_DEALT, (-candidate, candidate - 1, win))


def raise_epoch(connection: sqlite3.Connection, run: int, path: str) -> int:
    """A new epoch for a unit; all older ones are fenced from now on."""
    return int(connection.execute(_RAISE, (run, path)).fetchone()[0])


def bind(connection: sqlite3.Connection, run_uid: str, path: str, epoch: int, holder: str) -> bool:
    """Give an epoch to the first who comes for it."""
    return bool(connection.execute(_BIND, (holder, run_uid, path, epoch)).rowcount)


def insert_run(
    connection: sqlite3.Connection,
    admission: RunAdmission,
    draw: tuple[int, int, str, int],
    phase: str,
    times: tuple[int, int],
) -> int:
    """The run's row; ``draw`` is (number, candidate, window, n), ``times`` (created, started). Answers with its id."""
    number, candidate, win, n = draw
    window = admission.window
    inserted = connection.execute(
        _INSERT,
        (
            admission.run_uid,
            admission.namespace,
            admission.name,
            admission.workflow,
            window.workflow_uid,
            window.environment,
            number,
            candidate,
            win,
            n,
            int(admission.counted),
            phase,
            admission.actor,
            admission.trigger,
            admission.replay_of,
            *times,
        ),
    )
    return int(inserted.lastrowid or 0)


def reject(connection: sqlite3.Connection, admission: RunAdmission, event: Event, now: int) -> None:
    """See ``Ledger.reject``: a row that has ended as it began, and counts for nothing."""
    if connection.execute(_FIND, (admission.run_uid,)).fetchone() is not None:
        return
    run = insert_run(connection, admission, (0, 0, "", 0), event.body["phase"], (now, 0))
    connection.execute(
        "UPDATE run SET ended = ?, counted = 0, body = ? WHERE id = ?", (event.at, orjson.dumps(event.body), run)
    )


def _count_start(connection: sqlite3.Connection, admission: RunAdmission, number: int, now: int) -> None:
    if admission.counted:
        window = admission.window
        connection.execute(_STARTED, (window.workflow_uid, now // HOUR, window.environment, number))


def _window_id(admission: RunAdmission) -> str:
    return "" if admission.split.forced or not admission.counted else admission.window.id
