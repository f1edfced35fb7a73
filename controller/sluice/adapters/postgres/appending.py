"""Adding to the logs of many runs with few statements: fenced by epoch, recorded once, ended once.

Almost every append is the next one of its unit, and all of those are moved on, recorded and counted together. The
others (repeats, gaps, old epochs) are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from sluice.adapters.postgres.connections import Connection
from sluice.adapters.postgres.ending import end, run_id
from sluice.domain.run.events import RUN_ENDED, Event
from sluice.ports.errors import NotFound
from sluice.ports.launcher import Append

Added = bool | NotFound

_ADVANCE = """
    UPDATE unit SET seq = wanted.last
    FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[])
        WITH ORDINALITY AS wanted (uid, path, epoch, first, last, k)
        JOIN run ON run.uid = wanted.uid
    WHERE unit.run = run.id AND unit.path = wanted.path AND unit.epoch = wanted.epoch AND unit.seq = wanted.first - 1
    RETURNING wanted.k, unit.run
"""
_INSERT = """
    INSERT INTO event (run, path, epoch, seq, at, kind, step, attempt, body)
    SELECT run, path, epoch, seq, at, kind, step, attempt, body
    FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[],
        %s::bigint[], %s::bytea[])
        WITH ORDINALITY AS fresh (run, path, epoch, seq, at, kind, step, attempt, body, k)
    ORDER BY k
"""
_UNIT = "SELECT epoch, seq FROM unit WHERE run = %s AND path = %s"
_OUTSIDE = """
    INSERT INTO unit (run, path, epoch, seq) VALUES (%s, 'controller', 0, 1)
    ON CONFLICT (run, path) DO UPDATE SET seq = unit.seq + 1 RETURNING seq
"""


@dataclass(frozen=True, slots=True)
class _Fresh:
    """Events that are new: the unit ``path`` of ``run`` stands behind them already."""

    run: int
    path: str
    epoch: int
    first: int
    events: Sequence[Event]


def append_all(connection: Connection, appends: Sequence[Append]) -> list[Added]:
    """For each append: True when it is recorded (or was before), False when its epoch is old or it leaves a gap.

    A run that ended from outside has had its units fenced, so its segments come with an old epoch. NotFound, as a
    value, for a run that was never admitted.
    """
    answers: list[Added] = []
    for wave in _waves(appends):
        answers += _append_wave(connection, wave)
    return answers


def _waves(appends: Sequence[Append]) -> Iterable[list[Append]]:
    """Slices in which no unit appears twice: a statement moves each row once."""
    wave: list[Append] = []
    seen: set[tuple[str, str]] = set()
    for append in appends:
        unit = (append.run_uid, append.unit)
        if unit in seen:
            yield wave
            wave, seen = [], set()
        wave.append(append)
        seen.add(unit)
    if wave:
        yield wave


def _append_wave(connection: Connection, wave: Sequence[Append]) -> list[Added]:
    moved = _advance(connection, wave)
    answers: list[Added] = []
    fresh: list[_Fresh] = []
    for append, run in zip(wave, moved, strict=True):
        if run is not None:
            fresh.append(_Fresh(run, append.unit, append.epoch, append.first_seq, append.events))
            answers.append(True)
        else:
            answers.append(_append_rest(connection, append, fresh))
    for added in fresh:
        for event in added.events:
            if event.kind == RUN_ENDED:
                end(connection, added.run, event)
    _insert(connection, fresh)
    return answers


def _advance(connection: Connection, appends: Sequence[Append]) -> list[int | None]:
    """Move units on that stand right before their append; answers with the run's id, None where they don't."""
    rows = [(a.run_uid, a.unit, a.epoch, a.first_seq, a.last_seq) for a in appends]
    moved: dict[int, int] = dict(
        connection.execute(_ADVANCE, [list(column) for column in zip(*rows, strict=True)]).fetchall()
    )
    return [moved.get(k) for k in range(1, len(appends) + 1)]


def _append_rest(connection: Connection, append: Append, fresh: list[_Fresh]) -> Added:
    """An append that is not simply the next: what of it is new is moved on and added to ``fresh``."""
    try:
        run = run_id(connection, append.run_uid)
    except NotFound as error:
        return error
    row = connection.execute(_UNIT, (run, append.unit)).fetchone()
    if row is None or row[0] != append.epoch or row[1] < append.first_seq - 1:
        return False
    known = row[1] - append.first_seq + 1
    if known >= len(append.events):
        return True
    rest = Append(append.run_uid, append.unit, append.epoch, row[1] + 1, append.events[known:])
    if _advance(connection, [rest]) == [None]:
        return False
    fresh.append(_Fresh(run, rest.unit, rest.epoch, rest.first_seq, rest.events))
    return True


def _insert(connection: Connection, fresh: Iterable[_Fresh]) -> None:
    rows = [
        (
            added.run,
            added.path,
            added.epoch,
            seq,
            event.at,
            event.kind,
            event.step,
            event.attempt,
            orjson.dumps(event.body),
        )
        for added in fresh
        for seq, event in enumerate(added.events, start=added.first)
    ]
    if rows:
        connection.execute(_INSERT, [list(column) for column in zip(*rows, strict=True)])


def append_outside(connection: Connection, run: int, event: Event) -> None:
    """Add an event of the controller's own, under the unit ``controller``."""
    row = connection.execute(_OUTSIDE, (run,)).fetchone()
    if row is not None:
        _insert(connection, [_Fresh(run, "controller", 0, row[0], [event])])


def take_over(connection: Connection, run: int, events: Sequence[Event]) -> None:
    """Begin the log with events of another run, under the unit ``replay``; a repeat changes nothing."""
    if connection.execute("SELECT 1 FROM event WHERE run = %s LIMIT 1", (run,)).fetchone() is None:
        _insert(connection, [_Fresh(run, "replay", 0, 1, events)])
