"""Garbage collection: what nobody owns any more, what waits for its dependents, what a namespace leaves behind.

Nothing of this is remembered on disk: it follows from the objects themselves, so after a crash it is simply found again.
It runs as ordinary operations of the writer, a slice at a time, so that a large cascade doesn't hold up other writes.
"""

from __future__ import annotations

import itertools
import logging
import sqlite3
from collections.abc import Callable

from sluice.adapters.sqlite.memory import Moved, ObjectMemory
from sluice.adapters.sqlite.rows import Key, Row, Table, decoded
from sluice.adapters.sqlite.transitions import FOREGROUND, ORPHAN, is_finished, marked_for_deletion
from sluice.adapters.sqlite.writer import Writer
from sluice.api.kinds import NAMESPACE
from sluice.ports.errors import Unavailable
from sluice.ports.store import Obj

SLICE = 200
"""Objects per operation: some milliseconds."""

log = logging.getLogger(__name__)

Item = tuple[str, Key]
"""A kind's resource name and an object's key."""


class Collector:
    """Looks again at each object whose owners or namespace changed. Lives on the writer thread."""

    def __init__(self, memory: ObjectMemory, writer: Writer, now: Callable[[], str]) -> None:
        self._memory = memory
        self._writer = writer
        self._now = now
        self._namespaces = memory.table(NAMESPACE)
        self._waiting: dict[Item, None] = {}
        self._taken: list[Item] = []
        self._scheduled = False

    def start(self) -> None:
        """Finish what a crash left unfinished, then follow every commit."""
        with self._memory.lock:
            for table in self._memory.by_resource.values():
                for row in table.rows.values():
                    if row.facts.deleting or self._misses_an_owner(row):
                        self._look_at(table, row.key)
        self._memory.add_listener(self._hear)
        self._schedule()

    def _hear(self, moved: list[Moved]) -> None:
        for table, change in moved:
            before, after = change.before, change.after
            if after is None and before is not None:
                for item in self._memory.dependents.get(before.facts.uid, ()):
                    self._waiting[item] = None
                for owner in before.facts.owners:
                    self._look_at_owner(owner)
                namespace = self._namespaces.rows.get(("", before.key[0]))
                if namespace is not None and namespace.facts.deleting:
                    self._look_at(self._namespaces, namespace.key)
            elif after is not None and (after.facts.deleting or after.facts.owners):
                newly_owned = before is None or before.facts.owners != after.facts.owners
                if after.facts.deleting or (newly_owned and self._misses_an_owner(after)):
                    self._look_at(table, after.key)
        self._schedule()

    def _misses_an_owner(self, row: Row) -> bool:
        """True if an owner is gone, or going in a way that takes this object along."""
        for uid in row.facts.owners:
            owner = self._owner(uid, row.key[0])
            if owner is None or owner[1].facts.deleting:
                return True
        return False

    def _owner(self, uid: str, namespace: str) -> tuple[Table, Row] | None:
        place = self._memory.uids.get(uid)
        row = place[0].current(place[1]) if place is not None else None
        if place is None or row is None or row.facts.uid != uid or row.key[0] not in {"", namespace}:
            return None
        return place[0], row

    def _look_at(self, table: Table, key: Key) -> None:
        self._waiting[table.kind.resource, key] = None

    def _look_at_owner(self, uid: str) -> None:
        place = self._memory.uids.get(uid)
        row = place[0].rows.get(place[1]) if place is not None else None
        if place is not None and row is not None and row.facts.deleting:
            self._look_at(*place)

    def _schedule(self) -> None:
        if self._waiting and not self._scheduled:
            self._scheduled = True
            try:
                self._writer.submit(self._collect, self._collected)
            except Unavailable:
                log.debug("closing: the next start goes on with the collection")

    def _collect(self, _: sqlite3.Connection) -> None:
        self._waiting = {**dict.fromkeys(self._taken), **self._waiting}  # a second run, after the first was undone
        self._taken = list(itertools.islice(self._waiting, SLICE))
        for item in self._taken:
            del self._waiting[item]

        def all_of_them() -> None:
            for resource, key in self._taken:
                self._examine(self._memory.by_resource[resource], key)

        self._memory.undoing(all_of_them)

    def _collected(self, _: None, error: BaseException | None) -> None:
        self._scheduled = False
        taken, self._taken = self._taken, []
        if error is None:
            self._schedule()
        elif isinstance(error, Unavailable):
            self._waiting.update(dict.fromkeys(taken))  # the next commit that succeeds tries again
        else:
            log.error("garbage collection failed", exc_info=error)

    def _examine(self, table: Table, key: Key) -> None:
        row = table.current(key)
        if row is None:
            return
        if table is self._namespaces:
            if row.facts.deleting:
                self._empty_namespace(row)
            return
        obj = decoded(row.raw)
        finalizers = obj["metadata"].get("finalizers") or []
        if row.facts.deleting and FOREGROUND in finalizers and self._dependents_are_gone(row):
            self._unhold(table, row, FOREGROUND)
        elif row.facts.deleting and ORPHAN in finalizers:
            for dependent_table, dependent in self._dependents(row):
                self._disown(dependent_table, dependent, {row.facts.uid})
            self._unhold(table, row, ORPHAN)
        elif row.facts.owners and not row.facts.deleting:
            self._check_owners(table, row, obj)

    def _check_owners(self, table: Table, row: Row, obj: Obj) -> None:
        owners = {uid: self._owner(uid, row.key[0]) for uid in row.facts.owners}
        absent = {uid for uid, owner in owners.items() if owner is None}
        solid = [owner for owner in owners.values() if owner is not None and not _takes_dependents(owner[1])]
        if not solid:
            held = [FOREGROUND] if len(absent) < len(owners) and any(self._dependents(row)) else []
            self._delete(table, row, obj, held)
        elif absent:
            self._disown(table, row, absent)

    def _delete(self, table: Table, row: Row, obj: Obj, held: list[str]) -> None:
        finalizers = [*(obj["metadata"].get("finalizers") or []), *held]
        if finalizers:
            self._memory.put(table, table.draft(marked_for_deletion(obj, now=self._now(), finalizers=finalizers)))
        else:
            self._memory.remove(table, row)

    def _dependents(self, owner: Row) -> list[tuple[Table, Row]]:
        found = []
        for resource, key in self._memory.dependents.get(owner.facts.uid, ()):
            table = self._memory.by_resource[resource]
            row = table.current(key)
            if row is not None and owner.facts.uid in row.facts.owners:
                found.append((table, row))
        return found

    def _dependents_are_gone(self, owner: Row) -> bool:
        """True if no dependent blocks the owner's deletion any more; those that are left are looked at."""
        blocked = False
        for table, row in self._dependents(owner):
            if not row.facts.deleting:
                self._look_at(table, row.key)
            references = decoded(row.raw)["metadata"]["ownerReferences"]
            blocked |= any(one["uid"] == owner.facts.uid and one.get("blockOwnerDeletion") for one in references)
        return not blocked

    def _disown(self, table: Table, row: Row, uids: set[str]) -> None:
        obj = decoded(row.raw)
        metadata = obj["metadata"]
        metadata["ownerReferences"] = [one for one in metadata["ownerReferences"] if one["uid"] not in uids]
        if not metadata["ownerReferences"]:
            del metadata["ownerReferences"]
        self._memory.put(table, table.draft(obj))

    def _unhold(self, table: Table, row: Row, finalizer: str) -> None:
        obj = decoded(row.raw)
        metadata = obj["metadata"]
        metadata["finalizers"] = [one for one in metadata["finalizers"] if one != finalizer]
        if is_finished(obj):
            self._memory.remove(table, row)
        else:
            self._memory.put(table, table.draft(obj))

    def _empty_namespace(self, namespace: Row) -> None:
        """Delete a slice of what is in a namespace that is being deleted; the namespace itself when nothing is left."""
        name = namespace.key[1]
        left = 0
        for table in self._memory.by_resource.values():
            if not table.kind.namespaced:
                continue
            created = [key for key in table.pending if key[0] == name and key not in table.rows]
            for key in [*table.keys_in(name), *created]:
                row = table.current(key)
                if row is None:
                    continue
                left += 1
                if left > SLICE:
                    self._look_at(self._namespaces, namespace.key)
                    return
                if not row.facts.deleting:
                    self._delete(table, row, decoded(row.raw), [])
        if not left and not decoded(namespace.raw)["metadata"].get("finalizers"):
            self._memory.remove(self._namespaces, namespace)


def _takes_dependents(owner: Row) -> bool:
    """True if the owner is being deleted in the foreground: dependents first."""
    return owner.facts.deleting and FOREGROUND in (decoded(owner.raw)["metadata"].get("finalizers") or ())
