"""The audit chain's rows; see ``sluice.domain.ledger.chain``."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import orjson

from sluice.domain.ledger.chain import GENESIS, entry_hash, first_broken
from sluice.domain.ledger.records import AuditEvent
from sluice.domain.ledger.rows import AUDIT_COLUMNS, audit_event


def append(connection: sqlite3.Connection, events: Sequence[AuditEvent]) -> None:
    """Add entries at the end of the chain."""
    row = connection.execute("SELECT hash FROM audit ORDER BY n DESC LIMIT 1").fetchone()
    last = row[0] if row else GENESIS
    for event in events:
        last = entry_hash(last, event)
        connection.execute(
            "INSERT INTO audit (at, actor, action, ns, object, body, hash) VALUES (?,?,?,?,?,?,?)",
            (event.at, event.actor, event.action, event.namespace, event.object, orjson.dumps(event.body), last),
        )


def tail(reader: sqlite3.Connection, limit: int) -> list[AuditEvent]:
    """The newest entries, newest first."""
    rows = reader.execute(f"SELECT {AUDIT_COLUMNS} FROM audit ORDER BY n DESC LIMIT ?", (limit,))
    return [audit_event(row) for row in rows]


def broken_at(reader: sqlite3.Connection) -> int:
    """The number of the first entry whose hash does not fit, or 0 when the chain is whole."""
    rows = reader.execute(f"SELECT n, hash, {AUDIT_COLUMNS} FROM audit ORDER BY n")
    return first_broken((int(n), audit_event(row), stored) for n, stored, *row in rows)
