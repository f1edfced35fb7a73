"""GET: one object, or a list of them, in the form that the client asked for."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response

from sluice.http.kubernetes.answers import answer
from sluice.http.kubernetes.columns import columns_of
from sluice.http.kubernetes.errors import Refused, expired
from sluice.http.kubernetes.negotiation import Form, form_of
from sluice.http.kubernetes.options import ListOptions, Match
from sluice.http.kubernetes.reads import EncodedPage
from sluice.http.kubernetes.service import Call, Service
from sluice.http.kubernetes.tables import TableMaker, include_of, partial_metadata
from sluice.ports.store import Obj

FEW = 50
"""Items that are decoded at once on the event loop; more would keep other clients waiting for milliseconds."""


async def read_object(call: Call, service: Service) -> Response:
    """The named object, its stored bytes as they are unless another form is asked for."""
    form = form_of(call.request.headers.get("accept", ""))
    raw = await service.reader.get(call.target.ref)
    view = call.target.resource.view
    if not form.kind and view is None:
        return answer(raw)
    obj = orjson.loads(raw)
    shown = view(obj) if view else obj
    if form.is_table:
        metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        return answer(table_maker(call, service, form).table([shown], metadata))
    return answer(partial_metadata(shown, form.api_version) if form.is_metadata else shown)


async def read_list(call: Call, service: Service, options: ListOptions) -> Response:
    """The objects that are selected, a page of them when there is a limit."""
    form = form_of(call.request.headers.get("accept", ""))
    target = call.target
    page = await service.reader.page(
        target.resource.stored,
        target.namespace,
        options.selector,
        limit=options.limit,
        continue_=options.continue_,
    )
    require_version(options, page)
    if not form.kind and target.resource.view is None:
        return answer(_joined(call, page))
    if len(page.items) <= FEW:
        return _shown(call, service, page, form=form)
    return await service.threads.run(_shown, call, service, page, form=form)


def _shown(call: Call, service: Service, page: EncodedPage, *, form: Form) -> Response:
    """The list in a form for which its items must be decoded."""
    target = call.target
    objects = [orjson.loads(item) for item in page.items]
    if target.resource.view:
        objects = [target.resource.view(obj) for obj in objects]
    metadata = _list_metadata(page)
    if form.is_table:
        return answer(table_maker(call, service, form).table(objects, metadata))
    if form.is_metadata:
        objects = [partial_metadata(obj, form.api_version) for obj in objects]
        return answer(_list("PartialObjectMetadataList", form.api_version, metadata, objects))
    kind = target.resource.kind
    return answer(_list(f"{kind.kind}List", kind.api_version, metadata, objects))


def table_maker(call: Call, service: Service, form: Form) -> TableMaker:
    """What makes this request's tables."""
    columns = columns_of(call.target.resource.kind, service.catalog)
    return TableMaker(columns, form=form, include=include_of(call.query))


def require_version(options: ListOptions, page: EncodedPage) -> None:
    """Refuse a list at a version that is not there: one to come, or (``Exact``) one that has passed."""
    if not options.resource_version:
        return
    wanted, current = int(options.resource_version), int(page.resource_version)
    if wanted > current:
        raise too_new(wanted, current)
    if options.match is Match.EXACT and wanted < current:
        raise expired(f"The provided resource version is not kept: {wanted} (current: {current}): list without it")


def too_new(wanted: int, current: int) -> Refused:
    """504 as Kubernetes has it: clients that see it list again without a version."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    message = f"Timeout: Too large resource version: {wanted}, current: {current}"
    return Refused(504, "Timeout", message, {"causes": [cause], "retryAfterSeconds": 1}, {"retry-after": "1"})


def _joined(call: Call, page: EncodedPage) -> bytes:
    """The list's bytes put together from the items' bytes."""
    kind = call.target.resource.kind
    head = _list(f"{kind.kind}List", kind.api_version, _list_metadata(page), [])
    return orjson.dumps(head)[: -len(b"]}")] + b",".join(page.items) + b"]}"


def _list(kind: str, api_version: str, metadata: Obj, items: list[Any]) -> Obj:
    return {"kind": kind, "apiVersion": api_version, "metadata": metadata, "items": items}


def _list_metadata(page: EncodedPage) -> Obj:
    metadata: Obj = {"resourceVersion": page.resource_version}
    if page.continue_:
        metadata["continue"] = page.continue_
        if page.remaining:
            metadata["remainingItemCount"] = page.remaining
    return metadata
