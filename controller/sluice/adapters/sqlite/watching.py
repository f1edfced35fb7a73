"""Watches: one that a thread iterates, and a subscription that is called on the writer thread."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from sluice.adapters.sqlite.memory import Moved, ObjectMemory
from sluice.adapters.sqlite.rows import Row, Table, decoded, encoded, seen_through
from sluice.domain.objects.selectors import Matcher
from sluice.ports.store import ChangeListener, EventType, Obj, Ref, WatchEvent

INITIAL_EVENTS_END = "k8s.io/initial-events-end"


class StoredEvent(WatchEvent):
    """A change whose ``object`` is decoded when somebody asks for it: most watchers only pass ``raw`` on."""

    __slots__ = ("_decoded",)
    _decoded: Obj | None

    def __init__(self, type: EventType, raw: bytes, resource_version: str, ref: Ref | None = None) -> None:
        store = object.__setattr__
        store(self, "type", type)
        store(self, "raw", raw)
        store(self, "resource_version", resource_version)
        store(self, "ref", ref)
        store(self, "_decoded", None)

    @property
    def object(self) -> Obj:
        """The object as it is after the change; of a removed one, its last state. Read-only."""
        known = self._decoded
        if known is None:
            known = decoded(self.raw)
            object.__setattr__(self, "_decoded", known)
        return known


class StoredWatch:
    """A watch that reads the log from its position; waits, without polling, when there is nothing new."""

    def __init__(
        self, memory: ObjectMemory, table: Table, namespace: str, matcher: Matcher, *, since: int | None
    ) -> None:
        self._memory = memory
        self._table = table
        self._namespace = namespace
        self._matcher = matcher
        self._arrival = memory.arrival(table)
        self._closed = False
        self._initial: list[Row] | None = None
        with memory.lock:
            log = memory.log(table)
            if since is None:
                self._initial = table.select(namespace, matcher)
                self._version = memory.version
                self._position = log.end
            else:
                self._position = log.position_after(since, memory.version)

    def __iter__(self) -> Iterator[WatchEvent]:
        if self._initial is not None:
            initial, self._initial = self._initial, None
            for row in initial:
                if self._closed:
                    return
                yield StoredEvent("ADDED", row.raw, str(row.version), self._table.ref(row.key))
            yield self._bookmark()
        while True:
            with self._arrival:
                log = self._memory.log(self._table)
                while not self._ended and log.end == self._position:
                    self._arrival.wait()
                if self._ended:
                    return
                changes = log.since(self._position)
                self._position = log.end
            for change in changes:
                if self._closed:
                    return
                seen = seen_through(self._table, change, self._namespace, self._matcher)
                changed = change.after or change.before
                if seen is not None and changed is not None:
                    yield StoredEvent(*seen, str(change.version), self._table.ref(changed.key))

    def close(self) -> None:
        """End the watch. Safe to call twice."""
        with self._arrival:
            self._closed = True
            self._arrival.notify_all()

    @property
    def _ended(self) -> bool:
        return self._closed or self._memory.closed

    def _bookmark(self) -> WatchEvent:
        kind, version = self._table.kind, str(self._version)
        metadata = {"resourceVersion": version, "annotations": {INITIAL_EVENTS_END: "true"}}
        raw = encoded({"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata})
        return StoredEvent("BOOKMARK", raw, version)


class Subscription:
    """Calls ``listener`` on the writer thread with each change of some kinds, in order, after the commit."""

    def __init__(self, memory: ObjectMemory, resources: Collection[str], listener: ChangeListener) -> None:
        self._memory = memory
        self._resources = frozenset(resources)
        self._listener = listener
        self._hear: Callable[[list[Moved]], None] = self._tell
        memory.add_listener(self._hear)

    def close(self) -> None:
        """Stop calling the listener; a call that is under way is finished. Safe to call twice."""
        self._memory.remove_listener(self._hear)

    def _tell(self, moved: list[Moved]) -> None:
        everything = Matcher()
        for table, change in moved:
            row = change.after or change.before
            if row is None or table.kind.resource not in self._resources:
                continue
            seen = seen_through(table, change, "", everything)
            if seen is not None:
                self._listener(StoredEvent(*seen, str(change.version), table.ref(row.key)))
