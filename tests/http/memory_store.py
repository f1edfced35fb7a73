"""A Store in memory, as small as the port allows: enough to see what the HTTP layer makes of what a store answers.

Ownership of fields and cascades are the real store's and are tested there, and here with kubectl over the real store.
"""

from __future__ import annotations

import itertools
import queue
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import orjson

from sluice.api.kinds import KindInfo, kind_of
from sluice.domain.objects.patches import json_patched, merge_patched
from sluice.domain.objects.selectors import BadSelector, field_values, parse_selector
from sluice.ports.errors import AlreadyExists, BadRequest, Conflict, Gone, NotFound
from sluice.ports.store import EVERYTHING, EventType, Obj, Page, Ref, Selector, WatchEvent

CREATED = "2026-01-01T00:00:00Z"


def copied(obj: Obj) -> Obj:
    return orjson.loads(orjson.dumps(obj))


def is_selected(obj: Obj, kind: KindInfo, selector: Selector) -> bool:
    try:
        matcher = parse_selector(selector.labels, selector.fields, kind.selectable)
    except BadSelector as error:
        raise BadRequest(str(error)) from error
    fields = field_values(obj, ("metadata.name", "metadata.namespace", *kind.selectable))
    return matcher.matches(obj["metadata"].get("labels") or {}, fields)


class MemoryWatch:
    def __init__(self, events: list[WatchEvent]) -> None:
        self.queue: queue.SimpleQueue[WatchEvent | None] = queue.SimpleQueue()
        for event in events:
            self.queue.put(event)

    def __iter__(self) -> Iterator[WatchEvent]:
        while (event := self.queue.get()) is not None:
            yield event

    def close(self) -> None:
        self.queue.put(None)


class MemoryStore:
    def __init__(self) -> None:
        self._objects: dict[Ref, Obj] = {}
        self._lock = threading.RLock()
        self._versions = itertools.count(1)
        self.version = 0
        self._watches: list[tuple[KindInfo, MemoryWatch]] = []
        self.refuse: Exception | None = None

    def get(self, ref: Ref) -> Obj:
        with self._lock:
            if self.refuse:
                raise self.refuse
            if ref not in self._objects:
                raise NotFound(f'{ref.kind.resource} "{ref.name}" not found')
            return copied(self._objects[ref])

    def list(
        self,
        kind: KindInfo,
        namespace: str = "",
        selector: Selector = EVERYTHING,
        *,
        limit: int = 0,
        continue_: str = "",
    ) -> Page:
        with self._lock:
            found = (
                sorted(
                    (ref[1:], obj)
                    for ref, obj in self._objects.items()
                    if ref.kind == kind and namespace in {"", ref.namespace} and is_selected(obj, kind, selector)
                )
                if self._objects
                else []
            )
            if continue_ == "expired":
                raise Gone("The provided continue parameter is too old")
            start = int(continue_ or 0)
            end = start + limit if limit else len(found)
            more = str(end) if end < len(found) else ""
            items = [copied(obj) for _, obj in found[start:end]]
            return Page(items, str(self.version), more, max(0, len(found) - end))

    def create(self, obj: Obj, *, manager: str = "sluice", dry_run: bool = False) -> Obj:
        with self._lock:
            made = copied(obj)
            metadata = made["metadata"]
            if not metadata.get("name"):
                metadata["name"] = metadata["generateName"] + "x7k2p"
            ref = self._ref(made)
            if ref in self._objects:
                raise AlreadyExists(f'{ref.kind.resource} "{ref.name}" already exists')
            if ref.kind.has_status:
                made.pop("status", None)
            metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": CREATED, "generation": 1}
            metadata["managedFields"] = [{"manager": manager, "operation": "Update"}]
            return self._store(ref, made, "ADDED", dry_run=dry_run)

    def update(self, obj: Obj, *, manager: str = "sluice", dry_run: bool = False) -> Obj:
        with self._lock:
            old = self.get(self._ref(obj))
            return self._replace(old, {**copied(obj), "status": old.get("status", {})}, dry_run=dry_run)

    def update_status(self, obj: Obj, *, manager: str = "sluice", dry_run: bool = False) -> Obj:
        with self._lock:
            old = self.get(self._ref(obj))
            return self._replace(old, {**old, "status": obj.get("status", {})}, dry_run=dry_run)

    def patch(
        self,
        ref: Ref,
        patch: Any,
        *,
        type: str = "merge",
        status: bool = False,
        manager: str = "sluice",
        dry_run: bool = False,
    ) -> Obj:
        with self._lock:
            old = self.get(ref)
            new = merge_patched(old, patch) if type == "merge" else json_patched(copied(old), patch)
            kept = "status" if not status else "spec"
            return self._replace(old, {**new, kept: old.get(kept, {})}, dry_run=dry_run)

    def apply(self, obj: Obj, *, manager: str, force: bool = False, status: bool = False, dry_run: bool = False) -> Obj:
        ref = self._ref(obj)
        with self._lock:
            if ref not in self._objects:
                return self.create(obj, manager=manager, dry_run=dry_run)
            return self.patch(ref, obj, status=status, manager=manager, dry_run=dry_run)

    def delete(
        self,
        ref: Ref,
        *,
        uid: str = "",
        resource_version: str = "",
        propagation: str = "Background",
        dry_run: bool = False,
    ) -> Obj:
        with self._lock:
            old = self.get(ref)
            if uid and uid != old["metadata"]["uid"]:
                raise Conflict(f'Operation cannot be fulfilled on {ref.kind.resource} "{ref.name}": the UID differs')
            if old["metadata"].get("finalizers"):
                marked = {**old, "metadata": {**old["metadata"], "deletionTimestamp": CREATED}}
                return self._replace(old, marked, dry_run=dry_run)
            return self._store(ref, old, "DELETED", dry_run=dry_run)

    def watch(
        self, kind: KindInfo, namespace: str = "", selector: Selector = EVERYTHING, *, since: str = ""
    ) -> MemoryWatch:
        with self._lock:
            page = self.list(kind, namespace, selector)
            events = [WatchEvent("ADDED", item, item["metadata"]["resourceVersion"]) for item in page.items]
            watch = MemoryWatch([*events, WatchEvent("BOOKMARK", {}, page.resource_version)])
            self._watches.append((kind, watch))
            return watch

    def break_watches(self) -> None:
        """As when the connection to a store is lost."""
        with self._lock:
            for _, watch in self._watches:
                watch.close()
            self._watches.clear()

    def _ref(self, obj: Obj) -> Ref:
        kind = kind_of(obj["apiVersion"], obj["kind"])
        assert kind is not None
        return Ref(kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])

    def _replace(self, old: Obj, new: Obj, *, dry_run: bool) -> Obj:
        ref = self._ref(old)
        wanted = new["metadata"].get("resourceVersion", "")
        if wanted and wanted != old["metadata"]["resourceVersion"]:
            raise Conflict(f'Operation cannot be fulfilled on {ref.kind.resource} "{ref.name}": it has been modified')
        for field in ("uid", "creationTimestamp", "generation"):
            new["metadata"].setdefault(field, old["metadata"][field])
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        if new.get("status") == {} and "status" not in old:
            del new["status"]
        return old if new == old else self._store(ref, new, "MODIFIED", dry_run=dry_run)

    def _store(self, ref: Ref, obj: Obj, type_: EventType, *, dry_run: bool) -> Obj:
        if dry_run:
            return copied(obj)
        self.version = next(self._versions)
        obj["metadata"]["resourceVersion"] = str(self.version)
        if type_ == "DELETED":
            del self._objects[ref]
        else:
            self._objects[ref] = obj
        event = WatchEvent(type_, copied(obj), str(self.version))
        for kind, watch in self._watches:
            if kind == ref.kind:
                watch.queue.put(event)
        return copied(obj)
