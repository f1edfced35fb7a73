"""DELETE of one object or of a whole collection."""

from __future__ import annotations

from starlette.responses import Response

from sluice.http.kubernetes.answers import answer
from sluice.http.kubernetes.bodies import JSON_TYPE, decode, media_type_of, read_body
from sluice.http.kubernetes.errors import success
from sluice.http.kubernetes.options import DeleteOptions, delete_options, list_options
from sluice.http.kubernetes.service import Call, Service
from sluice.ports.errors import NotFound
from sluice.ports.store import Obj, Ref, Store


async def delete(call: Call, service: Service) -> Response:
    """Answers with ``Success`` when the object is gone, with the object while finalizers hold it."""
    body = await read_body(call.request)
    return await service.threads.run(_delete, call, service.acting_as(call.actor), body)


async def delete_collection(call: Call, service: Service) -> Response:
    """Answers with the list of what was deleted."""
    body = await read_body(call.request)
    return await service.threads.run(_delete_all, call, service.acting_as(call.actor), body)


def _options(call: Call, body: bytes) -> DeleteOptions:
    media_type = media_type_of(call.request) if body else JSON_TYPE
    return delete_options(call.query, decode(body, media_type).content if body else None)


def _delete(call: Call, store: Store, body: bytes) -> Response:
    last = _delete_one(store, call.target.ref, _options(call, body))
    metadata = last["metadata"]
    if metadata.get("finalizers") or (last.get("spec") or {}).get("finalizers"):
        return answer(last)
    return answer(success(call.target.resource.kind, metadata["name"], metadata.get("uid", "")))


def _delete_all(call: Call, store: Store, body: bytes) -> Response:
    options, selector = _options(call, body), list_options(call.query).selector
    target = call.target
    kind = target.resource.kind
    page = store.list(target.resource.stored, target.namespace, selector)
    deleted = []
    for obj in page.items:
        metadata = obj["metadata"]
        ref = Ref(target.resource.stored, metadata.get("namespace", ""), metadata["name"])
        try:
            deleted.append(_delete_one(store, ref, options))
        except NotFound:
            continue  # somebody else was faster
    metadata = {"resourceVersion": page.resource_version}
    return answer({"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata, "items": deleted})


def _delete_one(store: Store, ref: Ref, options: DeleteOptions) -> Obj:
    return store.delete(
        ref,
        uid=options.uid,
        resource_version=options.resource_version,
        propagation=options.propagation,
        dry_run=options.dry_run,
    )
