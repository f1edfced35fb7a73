"""The audit chain: the hash of each entry covers the one before, so that nothing in the middle can be changed unseen."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence

import orjson

from sluice.ports.ledger import AuditEvent

GENESIS = "0" * 64


def entry_hash(before: str, event: AuditEvent) -> str:
    """SHA-256, in hex, of the hash before and the entry as canonical JSON."""
    entry = [event.at, event.actor, event.action, event.namespace, event.object, event.body]
    return hashlib.sha256(before.encode() + orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)).hexdigest()


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
    rows = reader.execute("SELECT at, actor, action, ns, object, body FROM audit ORDER BY n DESC LIMIT ?", (limit,))
    return [AuditEvent(at, actor, action, ns, name, orjson.loads(body)) for at, actor, action, ns, name, body in rows]


def broken_at(reader: sqlite3.Connection) -> int:
    """The number of the first entry whose hash does not fit, or 0 when the chain is whole."""
    last = GENESIS
    for n, at, actor, action, namespace, name, body, stored in reader.execute(
        "SELECT n, at, actor, action, ns, object, body, hash FROM audit ORDER BY n"
    ):
        last = entry_hash(last, AuditEvent(at, actor, action, namespace, name, orjson.loads(body)))
        if last != stored:
            return int(n)
    return 0
