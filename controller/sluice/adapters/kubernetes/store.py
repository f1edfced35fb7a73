"""The Store port on a Kubernetes API server. Who writes is whose credential it is."""

from __future__ import annotations

import builtins
from typing import Any

import orjson

from sluice.adapters.kubernetes.addresses import collection, item, kind_in, ref_in
from sluice.adapters.kubernetes.transport import JSON, Transport
from sluice.adapters.kubernetes.watching import KubernetesWatch, Watched, WatchLimits
from sluice.api.kinds import KindInfo
from sluice.ports.errors import BadRequest
from sluice.ports.store import EVERYTHING, Obj, Page, PatchType, Propagation, Ref, Selector

PAGE = 500
"""Objects that one request of an unlimited list fetches."""
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
"""JSON is YAML: the server takes it under this name alone."""


class KubernetesStore:
    """Objects on an API server. Any thread may use it; a forked child may go on using it with connections of its own."""

    def __init__(self, transport: Transport, *, watches: WatchLimits | None = None) -> None:
        self._transport = transport
        self._watches = watches or WatchLimits()

    def close(self) -> None:
        """Let go of the connections. Safe to call twice; watches are closed by who opened them."""
        self._transport.close()

    def get(self, ref: Ref) -> Obj:
        """See the port."""
        return _object(self._transport.send("GET", item(ref)))

    def list(
        self,
        kind: KindInfo,
        namespace: str = "",
        selector: Selector = EVERYTHING,
        *,
        limit: int = 0,
        continue_: str = "",
    ) -> Page:
        """See the port. Without a limit it is fetched in pages of one moment; Gone if that takes minutes."""
        page = self._page(kind, namespace, selector, limit=limit or PAGE, continue_=continue_)
        if limit:
            return page
        items = page.items
        while page.continue_:
            page = self._page(kind, namespace, selector, limit=PAGE, continue_=page.continue_)
            items.extend(page.items)
        return Page(items, page.resource_version)

    def create(self, obj: Obj, *, manager: str = "sluice", dry_run: bool = False) -> Obj:
        """See the port."""
        namespace = str((obj.get("metadata") or {}).get("namespace", ""))
        path = collection(kind_in(obj), namespace)
        return self._write("POST", path, obj, _query(manager, dry_run=dry_run))

    def update(self, obj: Obj, *, manager: str = "sluice", dry_run: bool = False) -> Obj:
        """See the port. Who owns which field is not written: a cache may hold less of it than the server does."""
        metadata = {name: value for name, value in obj["metadata"].items() if name != "managedFields"}
        return self._write("PUT", item(ref_in(obj)), {**obj, "metadata": metadata}, _query(manager, dry_run=dry_run))

    def update_status(self, obj: Obj, *, manager: str = "sluice", dry_run: bool = False) -> Obj:
        """See the port."""
        return self._write("PUT", item(ref_in(obj), status=True), obj, _query(manager, dry_run=dry_run))

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
        content_type = MERGE_PATCH if type == "merge" else JSON_PATCH
        query = _query(manager, dry_run=dry_run)
        return self._write("PATCH", item(ref, status=status), patch, query, content_type=content_type)

    def apply(self, obj: Obj, *, manager: str, force: bool = False, status: bool = False, dry_run: bool = False) -> Obj:
        """See the port."""
        query = _query(manager, dry_run=dry_run)
        if force:
            query["force"] = "true"
        return self._write("PATCH", item(ref_in(obj), status=status), obj, query, content_type=APPLY_PATCH)

    def delete(
        self,
        ref: Ref,
        *,
        uid: str = "",
        resource_version: str = "",
        propagation: Propagation = "Background",
        dry_run: bool = False,
    ) -> Obj:
        """See the port. Of an object that is gone at once the server tells no more than name, namespace and uid."""
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        options: dict[str, Any] = {
            "propagationPolicy": propagation,
            "preconditions": {name: value for name, value in preconditions.items() if value},
        }
        if dry_run:
            options["dryRun"] = ["All"]
        answered = _object(self._transport.send("DELETE", item(ref), body=_encoded(options)))
        if answered.get("kind") != "Status":
            return answered
        told = {"name": ref.name, "namespace": ref.namespace, "uid": (answered.get("details") or {}).get("uid", "")}
        metadata = {name: value for name, value in told.items() if value}
        return {"apiVersion": ref.kind.api_version, "kind": ref.kind.kind, "metadata": metadata}

    def watch(
        self, kind: KindInfo, namespace: str = "", selector: Selector = EVERYTHING, *, since: str = ""
    ) -> KubernetesWatch:
        """See the port. Goes on by itself after a connection ended; bookmarks come about every minute."""
        watched = Watched(
            kind,
            collection(kind, namespace),
            _selection(selector),
            listed=lambda: self.list(kind, namespace, selector),
        )
        return KubernetesWatch(self._transport, watched, since=since, limits=self._watches)

    def _page(self, kind: KindInfo, namespace: str, selector: Selector, *, limit: int, continue_: str) -> Page:
        query = {**_selection(selector), "limit": str(limit)}
        if continue_:
            query["continue"] = continue_
        told = _object(self._transport.send("GET", collection(kind, namespace), query))
        metadata, items = told["metadata"], told.get("items") or []
        for obj in items:
            # Of its own kinds the server leaves out in lists what every object of the list shares.
            obj.setdefault("apiVersion", kind.api_version)
            obj.setdefault("kind", kind.kind)
        remaining = int(metadata.get("remainingItemCount", 0))
        return Page(items, metadata["resourceVersion"], metadata.get("continue", ""), remaining)

    def _write(self, method: str, path: str, body: Any, query: dict[str, str], *, content_type: str = JSON) -> Obj:
        return _object(self._transport.send(method, path, query, body=_encoded(body), content_type=content_type))


def _query(manager: str, *, dry_run: bool) -> dict[str, str]:
    query = {"fieldManager": manager}
    if dry_run:
        query["dryRun"] = "All"
    return query


def _selection(selector: Selector) -> dict[str, str]:
    given = {"labelSelector": selector.labels, "fieldSelector": selector.fields}
    return {name: value for name, value in given.items() if value}


def _encoded(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise BadRequest(f"the object is no JSON: {error}") from error


def _object(body: bytes) -> builtins.dict[str, Any]:
    made: dict[str, Any] = orjson.loads(body)
    return made
