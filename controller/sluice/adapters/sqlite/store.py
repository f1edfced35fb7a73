"""The Store port on one SQLite file, with all live objects in memory.

Reading never touches the file; a write is decided on the caller's thread, checked and committed by the writer, and
answered from the commit.
"""

from __future__ import annotations

import builtins
from collections.abc import Collection
from typing import Any, Self

from sluice.adapters.sqlite import namespaces
from sluice.adapters.sqlite.applying import proposed_by_apply, proposed_by_patch, wanted_by_apply
from sluice.adapters.sqlite.changes import Changes, Proposal, Request, Schemas, require_version
from sluice.adapters.sqlite.collecting import Collector
from sluice.adapters.sqlite.listing import Lists, RawPage, matcher_of
from sluice.adapters.sqlite.memory import ObjectMemory
from sluice.adapters.sqlite.naming import generated_name, kind_in, namespace_in, ref_of
from sluice.adapters.sqlite.refusals import check_preconditions, not_found
from sluice.adapters.sqlite.rows import Row, decoded
from sluice.adapters.sqlite.transitions import (
    FOREGROUND,
    ORPHAN,
    created,
    marked_for_deletion,
    metadata_of,
    replaced,
    status_replaced,
)
from sluice.adapters.sqlite.watching import StoredEvent, StoredWatch, Subscription
from sluice.adapters.sqlite.writer import Writer
from sluice.api.kinds import NAMESPACE, KindInfo
from sluice.domain.objects.selectors import Matcher
from sluice.ports.admission import Admission
from sluice.ports.clock import Clock, SystemClock
from sluice.ports.errors import AlreadyExists, BadRequest, NotFound
from sluice.ports.store import (
    EVERYTHING,
    Actor,
    ChangeListener,
    Obj,
    Page,
    PatchType,
    Propagation,
    Ref,
    Selector,
    Watch,
    WatchEvent,
)

SYSTEM = Actor("system:sluice", ("system:masters",))
MAX_NAME_ATTEMPTS = 8
HELD_BY: dict[Propagation, tuple[str, ...]] = {"Background": (), "Foreground": (FOREGROUND,), "Orphan": (ORPHAN,)}
"""The finalizers that the collector works off for each way to treat dependents."""


class SqliteStore:
    """Objects in one SQLite file. Any thread may use it; ``acting_as`` gives the same store for another actor.

    ``schemas`` gives the structural schema of a kind where there is one: it decides how lists merge. Creates the
    namespace ``default`` in a new file and goes on with deletions that a crash interrupted.
    """

    def __init__(
        self,
        writer: Writer,
        admission: Admission | None = None,
        clock: Clock | None = None,
        schemas: Schemas = lambda _: None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._memory = ObjectMemory()
        self._actor = SYSTEM
        writer.run(self._memory.load)
        writer.join(self._memory)
        self._changes = Changes(self._memory, writer, admission, self._clock, schemas)
        self._lists = Lists(self._memory, self._clock)
        if not self._memory.table(NAMESPACE).rows:
            self.create(namespaces.manifest(namespaces.FIRST))
        Collector(self._memory, writer, self._changes.now).start()

    def acting_as(self, actor: Actor) -> Self:
        """The same store for writes by ``actor``."""
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._actor = actor
        return view

    def close(self) -> None:
        """End all watches. The writer is its owner's to close."""
        self._memory.close()

    def get(self, ref: Ref) -> Obj:
        """The newest object. NotFound if there is none."""
        return decoded(self.get_raw(ref))

    def get_raw(self, ref: Ref) -> bytes:
        """The newest object as stored, encoded. NotFound if there is none."""
        row = self._memory.table(ref.kind).rows.get((ref.namespace, ref.name))
        if row is None:
            raise not_found(ref.kind, ref.name)
        return row.raw

    def list(
        self,
        kind: KindInfo,
        namespace: str = "",
        selector: Selector = EVERYTHING,
        *,
        limit: int = 0,
        continue_: str = "",
    ) -> Page:
        """Objects by namespace and name, all of one moment; see the port."""
        raw = self.list_raw(kind, namespace, selector, limit=limit, continue_=continue_)
        return Page([decoded(item) for item in raw.items], raw.resource_version, raw.continue_, raw.remaining)

    def list_raw(
        self,
        kind: KindInfo,
        namespace: str = "",
        selector: Selector = EVERYTHING,
        *,
        limit: int = 0,
        continue_: str = "",
    ) -> RawPage:
        """As ``list``, with the items as they are stored: encoded, to be joined without being parsed."""
        table = self._memory.table(kind)
        matcher = matcher_of(table, selector)
        if continue_:
            return self._lists.go_on(table, continue_, limit=limit)
        return self._lists.take(table, namespace, matcher, limit=limit)

    def create(self, obj: Obj, *, manager: str = "sluice", dry_run: bool = False) -> Obj:
        """Store a new object; see the port."""
        kind = kind_in(obj)
        metadata = metadata_of(obj)
        namespace = namespace_in(kind, metadata)
        request = Request(self._actor, manager, dry_run=dry_run)
        given = metadata.get("name") or ""
        for attempt in range(1, MAX_NAME_ATTEMPTS + 1):
            name = given or generated_name(kind, metadata.get("generateName") or "")
            new = created(kind, obj, name=name, namespace=namespace, now=self._changes.now())
            if kind == NAMESPACE:
                namespaces.completed(new)
            try:
                return self._changes.create(kind, new, request)
            except AlreadyExists:
                if given or attempt == MAX_NAME_ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returned or raised")

    def update(self, obj: Obj, *, manager: str = "sluice", dry_run: bool = False) -> Obj:
        """Replace everything but status; see the port."""
        ref = ref_of(obj)

        def propose(old: Obj) -> Proposal:
            require_version(ref.kind, old, obj["metadata"].get("resourceVersion") or "")
            return Proposal(replaced(ref.kind, old, obj))

        return self._changes.rewrite(ref, Request(self._actor, manager, dry_run=dry_run), propose)

    def update_status(self, obj: Obj, *, manager: str = "sluice", dry_run: bool = False) -> Obj:
        """Replace status only; see the port."""
        ref = _with_status(ref_of(obj))

        def propose(old: Obj) -> Proposal:
            require_version(ref.kind, old, obj["metadata"].get("resourceVersion") or "")
            return Proposal(status_replaced(old, obj))

        return self._changes.rewrite(ref, Request(self._actor, manager, "status", dry_run), propose)

    def patch(
        self,
        ref: Ref,
        patch: Any,
        *,
        type: PatchType = "merge",
        status: bool = False,
        manager: str = "sluice",
        dry_run: bool = False,
    ) -> Obj:
        """Merge patch or JSON patch; see the port."""
        request = Request(self._actor, manager, "status" if status else "", dry_run)
        if status:
            _with_status(ref)
        return self._changes.rewrite(
            ref, request, lambda old: proposed_by_patch(ref.kind, old, patch, type, status=status)
        )

    def apply(self, obj: Obj, *, manager: str, force: bool = False, status: bool = False, dry_run: bool = False) -> Obj:
        """Server-side apply; see the port."""
        ref = ref_of(obj)
        request = Request(self._actor, manager, "status" if status else "", dry_run)
        if status:
            _with_status(ref)
        shape, by = self._changes.shape(ref.kind), self._changes.by(ref.kind, request)
        wanted = wanted_by_apply(shape, ref, obj, manager, status=status)
        exists = (ref.namespace, ref.name) in self._memory.table(ref.kind).rows
        if not exists and not status:
            new, managed = proposed_by_apply(ref.kind, shape, None, wanted, by=by, force=force)
            new = created(ref.kind, new, name=ref.name, namespace=ref.namespace, now=by.now)
            if ref.kind == NAMESPACE:
                namespaces.completed(new)
            try:
                return self._changes.create(ref.kind, new, request, managed)
            except AlreadyExists:
                pass  # somebody was faster: apply to theirs
        return self._changes.rewrite(
            ref, request, lambda old: proposed_by_apply(ref.kind, shape, old, wanted, by=by, force=force)
        )

    def delete(
        self,
        ref: Ref,
        *,
        uid: str = "",
        resource_version: str = "",
        propagation: Propagation = "Background",
        dry_run: bool = False,
    ) -> Obj:
        """Delete, or mark while finalizers remain; see the port."""

        def decide(old: Obj) -> Obj | None:
            check_preconditions(ref.kind, old, uid=uid, resource_version=resource_version)
            if ref.kind == NAMESPACE:
                return namespaces.terminating(old, self._changes.now())
            kept = [one for one in old["metadata"].get("finalizers") or () if one not in {FOREGROUND, ORPHAN}]
            finalizers = [*kept, *HELD_BY[propagation]]
            return marked_for_deletion(old, now=self._changes.now(), finalizers=finalizers) if finalizers else None

        return self._changes.remove(ref, Request(self._actor, dry_run=dry_run), decide)

    def watch(self, kind: KindInfo, namespace: str = "", selector: Selector = EVERYTHING, *, since: str = "") -> Watch:
        """Changes in order; see the port."""
        table = self._memory.table(kind)
        if since and not since.isdecimal():
            raise BadRequest(f"invalid resource version {since!r}: it is a number that a list or watch gave")
        version = int(since or 0) or None
        return StoredWatch(self._memory, table, namespace, matcher_of(table, selector), since=version)

    def subscribe(self, kinds: Collection[KindInfo], listener: ChangeListener) -> Subscription:
        """Call ``listener`` on the writer thread with each change from now on, in order: it must be quick."""
        return Subscription(self._memory, {kind.resource for kind in kinds}, listener)

    def snapshot_and_subscribe(
        self, kinds: Collection[KindInfo], listener: ChangeListener
    ) -> tuple[builtins.list[WatchEvent], str, Subscription]:
        """All objects as ADDED, their resource version, and a subscription to exactly what comes after."""
        with self._memory.lock:
            tables = [self._memory.table(kind) for kind in kinds]
            rows: builtins.list[tuple[Ref, Row]] = [
                (table.ref(row.key), row) for table in tables for row in table.select("", Matcher())
            ]
            subscription = self.subscribe(kinds, listener)
            version = str(self._memory.version)
        return [StoredEvent("ADDED", row.raw, str(row.version), ref) for ref, row in rows], version, subscription


def _with_status(ref: Ref) -> Ref:
    if not ref.kind.has_status:
        raise NotFound(f"{ref.kind.resource} have no status subresource")
    return ref
