"""All live objects in memory, in step with the file: what the writer changes and everybody else reads.

Operations change ``pending`` maps on the writer thread while the transaction is open; the commit makes them visible in
one step, under a lock held for microseconds per object. When the commit fails, the pending maps are dropped.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable
from typing import NamedTuple

from sluice.adapters.sqlite.rows import Change, Draft, Key, Row, Table, decoded
from sluice.adapters.sqlite.watchlog import WatchLog
from sluice.api.kinds import ALL_KINDS, KindInfo

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS object (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, namespace TEXT NOT NULL, "
    "name TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (kind, namespace, name))",
    "CREATE TABLE IF NOT EXISTS object_version (only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL)",
    "INSERT OR IGNORE INTO object_version VALUES (1, 0)",
)
UPSERT_HEAD = "INSERT INTO object (id, kind, namespace, name, body) VALUES "
UPSERT_TAIL = " ON CONFLICT (id) DO UPDATE SET body = excluded.body"
DELETE = "DELETE FROM object WHERE id = ?"
SAVE_VERSION = "UPDATE object_version SET version = ?"
UPSERTS = {
    count: f"{UPSERT_HEAD}{', '.join(['(?, ?, ?, ?, ?)'] * count)}{UPSERT_TAIL}" for count in (64, 16, 8, 4, 3, 2, 1)
}
"""Statements for so many rows at once. Between two statements the interpreter may let other threads run first, so
under load one statement of eight rows takes an eighth of the time of eight."""

log = logging.getLogger(__name__)


class Moved(NamedTuple):
    """One visible change and the table it happened in."""

    table: Table
    change: Change


Listener = Callable[[list[Moved]], None]


class ObjectMemory:
    """The tables of all kinds, their watch logs, and the one resource version. A participant of the writer.

    ``version`` is the newest visible resource version: an integer for all kinds, never used twice, also not after a
    restart.
    """

    def __init__(self, kinds: Iterable[KindInfo] = ALL_KINDS) -> None:
        self.lock = threading.RLock()
        self.version = 0
        self.closed = False
        self.uids: dict[str, tuple[Table, Key]] = {}
        self.dependents: dict[str, set[tuple[str, Key]]] = {}
        self._tables = {(kind.api_version, kind.kind): Table(kind) for kind in kinds}
        self.by_resource = {table.kind.resource: table for table in self._tables.values()}
        self._pending_version = 0
        self._next_id = 1
        self._moved: list[Moved] = []
        self._listeners: list[Listener] = []
        self._logs: dict[str, WatchLog] = {}
        self._arrivals = {resource: threading.Condition(self.lock) for resource in self.by_resource}

    def load(self, connection: sqlite3.Connection) -> None:
        """Create the tables if they are missing and read all objects. Runs as the first operation of the writer."""
        for statement in SCHEMA:
            connection.execute(statement)
        (self.version,) = connection.execute("SELECT version FROM object_version").fetchone()
        self._pending_version = self.version
        self._logs = {resource: WatchLog(self.version) for resource in self.by_resource}
        for row_id, resource, namespace, name, body in connection.execute(
            "SELECT id, kind, namespace, name, body FROM object"
        ):
            self._next_id = max(self._next_id, row_id + 1)
            table = self.by_resource.get(resource)
            if table is None:
                continue  # a kind of another release: kept, not served
            obj = decoded(body)
            row = Row((namespace, name), row_id, int(obj["metadata"]["resourceVersion"]), body, table.facts(obj))
            table.rows[row.key] = row
            self._index(table, None, row)
        for table in self._tables.values():
            table.order = sorted(table.rows)

    def table(self, kind: KindInfo) -> Table:
        """The table of a kind."""
        return self._tables[kind.api_version, kind.kind]

    def log(self, table: Table) -> WatchLog:
        """The watch log of a kind; read it under the lock."""
        return self._logs[table.kind.resource]

    def arrival(self, table: Table) -> threading.Condition:
        """Notified after each commit that changed objects of the kind."""
        return self._arrivals[table.kind.resource]

    def add_listener(self, listener: Listener) -> None:
        """Call ``listener`` on the writer thread with what each commit changed, in order. Hold the lock to be exact."""
        with self.lock:
            self._listeners = [*self._listeners, listener]

    def remove_listener(self, listener: Listener) -> None:
        """Stop calling it. Safe to call twice."""
        with self.lock:
            self._listeners = [one for one in self._listeners if one is not listener]

    def close(self) -> None:
        """End all watches."""
        with self.lock:
            self.closed = True
            for arrival in self._arrivals.values():
                arrival.notify_all()

    def put(self, table: Table, draft: Draft) -> Row:
        """Give one object its next resource version. On the writer thread, inside an operation."""
        before = table.current(draft.key)
        version = self._pending_version + 1
        if before is None:
            self._next_id += 1
        row_id = self._next_id - 1 if before is None else before.id
        row = Row(draft.key, row_id, version, table.raw(version, draft.tail), draft.facts)
        self._note(table, Change(version, before, row), draft.key)
        return row

    def remove(self, table: Table, row: Row) -> int:
        """Remove one object; answers with the resource version of the removal. On the writer thread."""
        version = self._pending_version + 1
        self._note(table, Change(version, row, None), row.key)
        return version

    def undoing(self, operation: Callable[[], None]) -> None:
        """Run an operation of several writes; if it fails, its changes are forgotten here as in the transaction."""
        mark = len(self._moved)
        try:
            operation()
        except BaseException:
            for table, change in reversed(self._moved[mark:]):
                row = change.after or change.before
                if row is not None:
                    table.pending[row.key] = change.before
            del self._moved[mark:]
            raise

    def seal(self, connection: sqlite3.Connection) -> None:
        """Write what the batch made of the objects, each once, and the resource version."""
        if self._pending_version == self.version:
            return
        written: dict[int, tuple[Table, Row]] = {}
        removed: list[int] = []
        for table, change in self._moved:
            if change.after is not None:
                written[change.after.id] = (table, change.after)
            elif change.before is not None:
                written.pop(change.before.id, None)
                removed.append(change.before.id)
        for row_id in removed:
            connection.execute(DELETE, (row_id,))
        values = [
            value for table, row in written.values() for value in (row.id, table.kind.resource, *row.key, row.raw)
        ]
        start, left = 0, len(written)
        for count, statement in UPSERTS.items():
            while left >= count:
                connection.execute(statement, values[start : start + 5 * count])
                start, left = start + 5 * count, left - count
        connection.execute(SAVE_VERSION, (self._pending_version,))

    def committed(self) -> None:
        """Show what the batch changed, wake the watches, tell the listeners."""
        if not self._moved:
            self.version = self._pending_version
            return
        moved, self._moved = self._moved, []
        with self.lock:
            self.version = self._pending_version
            touched: dict[str, Table] = {}
            for table, change in moved:
                row = change.after or change.before
                if row is not None:
                    table.settle(row.key, change.after)
                self._index(table, change.before, change.after)
                self._logs[table.kind.resource].append(change)
                touched[table.kind.resource] = table
            for resource, table in touched.items():
                table.pending.clear()
                self._arrivals[resource].notify_all()
            listeners = self._listeners
        for listener in listeners:
            try:
                listener(moved)
            except Exception:
                log.exception("a listener to store changes failed")

    def rolled_back(self) -> None:
        """Forget the batch."""
        self._moved.clear()
        self._pending_version = self.version
        for table in self._tables.values():
            table.pending.clear()

    def _note(self, table: Table, change: Change, key: Key) -> None:
        self._pending_version = change.version
        table.pending[key] = change.after
        self._moved.append(Moved(table, change))

    def _index(self, table: Table, before: Row | None, after: Row | None) -> None:
        old = before.facts if before is not None else None
        new = after.facts if after is not None else None
        if before is not None and old is not None and (new is None or new.uid != old.uid):
            self.uids.pop(old.uid, None)
        if after is not None and new is not None and (old is None or new.uid != old.uid):
            self.uids[new.uid] = (table, after.key)
        if (old.owners if old else ()) == (new.owners if new else ()):
            return
        if before is not None and old is not None:
            for owner in old.owners:
                known = self.dependents.get(owner, set())
                known.discard((table.kind.resource, before.key))
                if not known:
                    self.dependents.pop(owner, None)
        if after is not None and new is not None:
            for owner in new.owners:
                self.dependents.setdefault(owner, set()).add((table.kind.resource, after.key))
