"""Who did what, when, from where: every write that somebody makes through the embedded server, and every denial.

The controller's own writes are nobody's acts, apart from a publish, which the ledger enters together with the version's
number (R252 to R254).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sluice.api.kinds import WORKFLOW, WORKFLOW_RUN, KindInfo, kind_of
from sluice.bootstrap.journal import Journal
from sluice.http.origin import ORIGIN
from sluice.ports.errors import Forbidden, NotFound
from sluice.ports.store import EVERYTHING, Actor, Obj, Page, PatchType, Propagation, Ref, Selector, Store, Watch

DENIED = "authz.denied"
DRAFT = ("definition", "definitionFrom")
"""The fields of a Workflow that are its draft."""


class AuditedStore:
    """A store whose writes are entered in the journal under the name of one actor. Reads are as they are."""

    def __init__(self, store: Store, actor: Actor, journal: Journal, origin: str = "") -> None:
        """``origin`` is told where no request tells it."""
        self._store = store
        self._actor = actor
        self._journal = journal
        self._origin = ORIGIN.get() or origin
        self._tells_denials = not ORIGIN.get()

    def get(self, ref: Ref) -> Obj:
        """See the port."""
        return self._store.get(ref)

    def list(
        self,
        kind: KindInfo,
        namespace: str = "",
        selector: Selector = EVERYTHING,
        *,
        limit: int = 0,
        continue_: str = "",
    ) -> Page:
        """See the port."""
        return self._store.list(kind, namespace, selector, limit=limit, continue_=continue_)

    def watch(self, kind: KindInfo, namespace: str = "", selector: Selector = EVERYTHING, *, since: str = "") -> Watch:
        """See the port."""
        return self._store.watch(kind, namespace, selector, since=since)

    def create(self, obj: Obj, *, manager: str = "sluice", dry_run: bool = False) -> Obj:
        """See the port."""

        def write() -> Obj:
            return self._store.create(obj, manager=manager, dry_run=dry_run)

        return self._audited(None, write, manager, dry_run=dry_run)

    def update(self, obj: Obj, *, manager: str = "sluice", dry_run: bool = False) -> Obj:
        """See the port."""

        def write() -> Obj:
            return self._store.update(obj, manager=manager, dry_run=dry_run)

        return self._audited(_ref_of(obj), write, manager, dry_run=dry_run)

    def update_status(self, obj: Obj, *, manager: str = "sluice", dry_run: bool = False) -> Obj:
        """See the port."""

        def write() -> Obj:
            return self._store.update_status(obj, manager=manager, dry_run=dry_run)

        return self._audited(_ref_of(obj), write, manager, dry_run=dry_run)

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
        """See the port."""

        def write() -> Obj:
            return self._store.patch(ref, patch, type=type, status=status, manager=manager, dry_run=dry_run)

        return self._audited(ref, write, manager, dry_run=dry_run)

    def apply(self, obj: Obj, *, manager: str, force: bool = False, status: bool = False, dry_run: bool = False) -> Obj:
        """See the port."""

        def write() -> Obj:
            return self._store.apply(obj, manager=manager, force=force, status=status, dry_run=dry_run)

        return self._audited(_ref_of(obj), write, manager, dry_run=dry_run)

    def delete(
        self,
        ref: Ref,
        *,
        uid: str = "",
        resource_version: str = "",
        propagation: Propagation = "Background",
        dry_run: bool = False,
    ) -> Obj:
        """See the port."""

        def write() -> Obj:
            return self._store.delete(
                ref, uid=uid, resource_version=resource_version, propagation=propagation, dry_run=dry_run
            )

        last = self._permitted(ref, write)
        if not dry_run:
            self._enter(f"{ref.kind.singular}.deleted", last, "")
        return last

    def _audited(self, ref: Ref | None, write: Callable[[], Obj], manager: str, *, dry_run: bool) -> Obj:
        """``ref`` names what is there before; None for a creation, which may have no name yet."""
        before = self._before(ref)
        after = self._permitted(ref, write)
        if not dry_run:
            for action in actions(before, after):
                self._enter(action, after, manager)
        return after

    def _permitted(self, ref: Ref | None, write: Callable[[], Obj]) -> Obj:
        """The result of ``write``; a denial is entered here unless a request's answer will tell of it."""
        try:
            return write()
        except Forbidden as error:
            if self._tells_denials:
                place = (ref.namespace, f"{ref.kind.singular}/{ref.name}") if ref else ("", "")
                body = {"message": str(error), "from": self._origin}
                self._journal.enter(self._actor.user, DENIED, place, body)
            raise

    def _before(self, ref: Ref | None) -> Obj | None:
        try:
            return self._store.get(ref) if ref is not None else None
        except NotFound:
            return None

    def _enter(self, action: str, obj: Obj, manager: str) -> None:
        metadata = obj["metadata"]
        body = {
            "uid": metadata["uid"],
            "generation": metadata.get("generation", 0),
            "manager": manager,
            "from": self._origin,
        }
        place = (metadata.get("namespace", ""), f"{obj['kind'].lower()}/{metadata['name']}")
        self._journal.enter(self._actor.user, action, place, body, urgent=obj["kind"] != WORKFLOW_RUN.kind)


def actions(before: Obj | None, after: Obj) -> list[str]:
    """What a write amounts to, by the names of the audit log; nothing for one that changed nothing.

    A Workflow is ``edited`` by each change of its spec, and its draft is ``draft_saved`` by each change of the draft.
    """
    kind = after["kind"].lower()
    if before is None or before["metadata"]["uid"] != after["metadata"]["uid"]:
        return [f"{kind}.created", *([f"{kind}.draft_saved"] if after["kind"] == WORKFLOW.kind else [])]
    if before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]:
        return []
    if before.get("status") != after.get("status"):
        return [f"{kind}.status_updated"]
    if after["kind"] != WORKFLOW.kind or before["spec"] == after["spec"]:
        return [f"{kind}.updated"]
    saved = any(before["spec"].get(field) != after["spec"].get(field) for field in DRAFT)
    return ["workflow.edited", *(["workflow.draft_saved"] if saved else [])]


def _ref_of(obj: Obj) -> Ref | None:
    kind, metadata = kind_of(obj.get("apiVersion", ""), obj.get("kind", "")), obj.get("metadata") or {}
    if kind is None or not metadata.get("name"):
        return None
    return Ref(kind, metadata.get("namespace") or "", metadata["name"])
