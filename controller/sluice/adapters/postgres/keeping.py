"""What is kept once and for ever: version numbers, keys, bodies, audit entries."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from sluice.adapters.postgres.connections import Connection
from sluice.domain.ledger.chain import GENESIS, entry_hash
from sluice.domain.ledger.records import AuditEvent
from sluice.ports.errors import Conflict

_VERSION = """
    INSERT INTO version (workflow_uid, number, digest, level, at) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (workflow_uid, number) DO NOTHING
"""
_DROPPED = """
    INSERT INTO dropped (workflow_uid, hour, env, reason, n) VALUES (%s, %s, %s, %s, 1)
    ON CONFLICT (workflow_uid, hour, env, reason) DO UPDATE SET n = dropped.n + 1
"""
_CLAIM = """
    INSERT INTO once (scope, k, object, expires) VALUES (%s, %s, %s, %s)
    ON CONFLICT (scope, k) DO UPDATE SET object = excluded.object, expires = excluded.expires WHERE once.expires <= %s
    RETURNING object
"""
_PART = """
    INSERT INTO part (run, kind, body) VALUES (%s, %s, %s)
    ON CONFLICT (run, kind) DO UPDATE SET body = excluded.body
"""
_AUDIT = """
    INSERT INTO audit (at, actor, action, ns, object, body, hash) VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


def record_version(connection: Connection, key: tuple[str, int], digest: str, level: int, *, now: int) -> bool:
    """Remember a number, ``key`` being (workflow, number); whether it is new. Conflict for another digest."""
    if connection.execute(_VERSION, (*key, digest, level, now)).rowcount:
        return True
    row = connection.execute("SELECT digest FROM version WHERE workflow_uid = %s AND number = %s", key).fetchone()
    if row is not None and row[0] != digest:
        raise Conflict(f"version {key[1]} of {key[0]} is recorded with digest {row[0]}")
    return False


def count_dropped(connection: Connection, workflow_uid: str, hour: int, environment: str, reason: str) -> None:
    """One more trigger in this hour that started nothing."""
    connection.execute(_DROPPED, (workflow_uid, hour, environment, reason))


def claim_key(connection: Connection, key: tuple[str, str], object: str, *, expires: int, now: int) -> str:
    """What is stored under ``key`` (scope, key): ``object`` if there was nothing that had not expired."""
    row = connection.execute(_CLAIM, (*key, object, expires, now)).fetchone()
    row = row or connection.execute("SELECT object FROM once WHERE scope = %s AND k = %s", key).fetchone()
    return str(row[0]) if row else ""


def put_part(connection: Connection, run_uid: str, kind: str, body: bytes) -> None:
    """Keep a body, in place of an older one."""
    connection.execute(_PART, (run_uid, kind, body))


def append_audit(connection: Connection, events: Sequence[AuditEvent]) -> None:
    """Add entries at the end of the chain; batches take turns, so nobody else adds one in between."""
    row = connection.execute("SELECT hash FROM audit ORDER BY n DESC LIMIT 1").fetchone()
    last = row[0] if row else GENESIS
    for event in events:
        last = entry_hash(last, event)
        entry = (event.at, event.actor, event.action, event.namespace, event.object, orjson.dumps(event.body))
        connection.execute(_AUDIT, (*entry, last))
