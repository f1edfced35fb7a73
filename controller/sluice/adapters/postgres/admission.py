"""Letting a run in: a slot, a draw, its row and a new epoch, inside one batch of the lane.

Batches take turns, so what is counted here stays true until the commit, whoever else writes.
"""

from __future__ import annotations

import orjson

from sluice.adapters.postgres.connections import Connection
from sluice.adapters.postgres.ending import give_back
from sluice.domain.ledger.samples import HOUR
from sluice.domain.routing.quota import is_candidate
from sluice.domain.run.events import Event
from sluice.ports.launcher import MAIN_UNIT
from sluice.ports.ledger import Admitted, RunAdmission, Window

QUEUED = "Queued"
_NO_DRAW = (0, 0, "", 0)

_FIND = "SELECT id, number, candidate, n, win, pinned, phase, ended FROM run WHERE uid = %s"
_OPEN = """
    SELECT count(*) FROM (SELECT 1 FROM run WHERE workflow_uid = %s AND env = %s AND phase = 'Running' AND ended = 0
    LIMIT %s) AS held
"""
_FIRST_QUEUED = """
    SELECT id FROM run WHERE workflow_uid = %s AND env = %s AND phase = 'Queued' AND ended = 0 ORDER BY id LIMIT 1
"""
_INSERT_RUN = """
    INSERT INTO run (uid, ns, name, workflow, workflow_uid, env, number, candidate, win, n, counted, phase, actor, trig,
        replay_of, created, started)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id
"""
_INSERT = f"""
    WITH inserted AS ({_INSERT_RUN})
    INSERT INTO unit (run, path, epoch, seq) SELECT id, '{MAIN_UNIT}', 1, 0 FROM inserted
"""
_UPDATE = "UPDATE run SET number = %s, candidate = %s, win = %s, n = %s, phase = 'Running', started = %s WHERE id = %s"
_TAKE_RETURNED = """
    DELETE FROM returned WHERE win = %s AND n = (SELECT min(n) FROM returned WHERE win = %s) RETURNING n
"""
_NEXT = """
    INSERT INTO win (id, workflow_uid, env, revision, n, candidates, stables) VALUES (%s, %s, %s, %s, 1, %s, %s)
    ON CONFLICT (id) DO UPDATE SET n = win.n + 1, candidates = win.candidates + excluded.candidates,
        stables = win.stables + excluded.stables
    WHERE NOT EXISTS (SELECT 1 FROM returned WHERE returned.win = excluded.id) RETURNING n
"""
"""The next new place of a window, counted at once where its version is known before; nothing while places were returned."""
_DEALT = "UPDATE win SET candidates = candidates + %s, stables = stables + %s WHERE id = %s"
_STARTED = """
    INSERT INTO stat (workflow_uid, hour, env, number, started) VALUES (%s, %s, %s, %s, 1)
    ON CONFLICT (workflow_uid, hour, env, number) DO UPDATE SET started = stat.started + 1
"""
_RAISE = """
    INSERT INTO unit (run, path, epoch, seq) VALUES (%s, %s, 1, 0)
    ON CONFLICT (run, path) DO UPDATE SET epoch = unit.epoch + 1, seq = 0, holder = '' RETURNING epoch
"""
_BIND = """
    UPDATE unit SET holder = %(holder)s FROM run WHERE run.uid = %(run)s AND run.ended = 0 AND unit.run = run.id
    AND unit.path = %(path)s AND unit.epoch = %(epoch)s AND unit.holder IN ('', %(holder)s)
"""


def admit(connection: Connection, admission: RunAdmission, now: int) -> Admitted:
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
        number, candidate, win, n = draw = _draw(connection, admission)
        connection.execute(_UPDATE, (*draw, now, run))
    return Admitted(number, bool(candidate), n, win, raise_epoch(connection, run, MAIN_UNIT))


def _admit_new(connection: Connection, admission: RunAdmission, now: int) -> Admitted:
    if _is_full(connection, admission) or _first_queued(connection, admission):
        if not admission.queue:
            return Admitted(0, False, 0, "", 0, refused=True)
        connection.execute(_INSERT_RUN, _row(admission, _NO_DRAW, QUEUED, (now, 0)))
        return Admitted(0, False, 0, "", 0, queued=True)
    number, candidate, win, n = draw = _draw(connection, admission)
    connection.execute(_INSERT, _row(admission, draw, "Running", (now, now)))
    _count_start(connection, admission, number, now)
    return Admitted(number, bool(candidate), n, win, 1)


def _admit_queued(connection: Connection, run: int, admission: RunAdmission, now: int) -> Admitted:
    first = _first_queued(connection, admission)
    if _is_full(connection, admission) or (first and first != run):
        return Admitted(0, False, 0, "", 0, queued=True)
    number, candidate, win, n = draw = _draw(connection, admission)
    connection.execute(_UPDATE, (*draw, now, run))
    _count_start(connection, admission, number, now)
    return Admitted(number, bool(candidate), n, win, raise_epoch(connection, run, MAIN_UNIT))


def _is_full(connection: Connection, admission: RunAdmission) -> bool:
    if not admission.limit:
        return False
    window = admission.window
    row = connection.execute(_OPEN, (window.workflow_uid, window.environment, admission.limit)).fetchone()
    return row is not None and row[0] >= admission.limit


def _first_queued(connection: Connection, admission: RunAdmission) -> int:
    """The id of the run that waits longest, 0 if none; nobody is let in before it."""
    if not admission.queue:
        return 0
    window = admission.window
    row = connection.execute(_FIRST_QUEUED, (window.workflow_uid, window.environment)).fetchone()
    return int(row[0]) if row else 0


def _draw(connection: Connection, admission: RunAdmission) -> tuple[int, int, str, int]:
    """Which version this run gets: (number, is it the candidate, window, place in it)."""
    split, window = admission.split, admission.window
    if not _window_id(admission):
        return split.forced or split.stable, 0, "", 0
    known = split.by_hash if split.candidate else False  # None: the place decides
    counts = (0, 0) if known is None else (int(known), int(not known))
    scope = (window.id, window.workflow_uid, window.environment, window.revision)
    row = connection.execute(_NEXT, (*scope, *counts)).fetchone()
    n = int(row[0]) if row else _returned_place(connection, window)
    candidate = is_candidate(n, split.hundredths) if known is None else known
    if row is None or known is None:
        connection.execute(_DEALT, (int(candidate), int(not candidate), window.id))
    return (split.candidate if candidate else split.stable), int(candidate), window.id, n


def _returned_place(connection: Connection, window: Window) -> int:
    row = connection.execute(_TAKE_RETURNED, (window.id, window.id)).fetchone()
    if row is None:
        raise RuntimeError(f"window {window.id} gives neither a new place nor a returned one")
    return int(row[0])


def raise_epoch(connection: Connection, run: int, path: str) -> int:
    """A new epoch for a unit; all older ones are fenced from now on."""
    row = connection.execute(_RAISE, (run, path)).fetchone()
    return int(row[0]) if row else 0


def bind(connection: Connection, run_uid: str, path: str, epoch: int, holder: str) -> bool:
    """Give an epoch to the first who comes for it."""
    values = {"run": run_uid, "path": path, "epoch": epoch, "holder": holder}
    return bool(connection.execute(_BIND, values).rowcount)


def reject(connection: Connection, admission: RunAdmission, event: Event, now: int) -> None:
    """See ``Ledger.reject``: a row that has ended as it began, and counts for nothing."""
    if connection.execute(_FIND, (admission.run_uid,)).fetchone() is not None:
        return
    row = connection.execute(_INSERT_RUN, _row(admission, _NO_DRAW, event.body["phase"], (now, 0))).fetchone()
    connection.execute(
        "UPDATE run SET ended = %s, counted = 0, body = %s WHERE id = %s",
        (event.at, orjson.dumps(event.body), *(row or (0,))),
    )


def _row(
    admission: RunAdmission, draw: tuple[int, int, str, int], phase: str, times: tuple[int, int]
) -> tuple[object, ...]:
    """The values of a run's row; ``draw`` is (number, candidate, window, n), ``times`` (created, started)."""
    window = admission.window
    return (
        admission.run_uid,
        admission.namespace,
        admission.name,
        admission.workflow,
        window.workflow_uid,
        window.environment,
        *draw,
        int(admission.counted),
        phase,
        admission.actor,
        admission.trigger,
        admission.replay_of,
        *times,
    )


def _count_start(connection: Connection, admission: RunAdmission, number: int, now: int) -> None:
    if admission.counted:
        window = admission.window
        connection.execute(_STARTED, (window.workflow_uid, now // HOUR, window.environment, number))


def _window_id(admission: RunAdmission) -> str:
    """The window that a run draws from; empty if it draws from none."""
    return "" if admission.split.forced or not admission.counted else admission.window.id
