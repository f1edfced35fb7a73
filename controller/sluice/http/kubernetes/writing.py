"""POST, PUT, PATCH: the body is decoded, checked and stored on a thread, in one hop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response

from sluice.api.kinds import SECRET
from sluice.http.kubernetes.answers import answer
from sluice.http.kubernetes.bodies import decode, media_type_of, read_body
from sluice.http.kubernetes.defaults import fill_in, fold_string_data
from sluice.http.kubernetes.errors import refusal_of
from sluice.http.kubernetes.negotiation import Form, form_of
from sluice.http.kubernetes.options import Validation, WriteOptions, write_options
from sluice.http.kubernetes.patches import APPLY, decode_patch
from sluice.http.kubernetes.reading import table_maker
from sluice.http.kubernetes.service import Call, Service
from sluice.http.kubernetes.tables import partial_metadata
from sluice.http.kubernetes.validation import check_applied, check_fields, require_object
from sluice.ports.errors import NotFound, PortError
from sluice.ports.store import Obj, PatchType, Store


@dataclass(frozen=True, slots=True)
class Written:
    """What a write answers with."""

    obj: Obj
    warnings: tuple[str, ...] = ()
    created: bool = False


@dataclass(frozen=True, slots=True)
class _Write:
    """One write, ready to be done on a thread."""

    call: Call
    service: Service
    options: WriteOptions
    body: bytes
    media_type: str

    @property
    def store(self) -> Store:
        """The store that writes as this request's actor."""
        return self.service.acting_as(self.call.actor)

    @property
    def of_status(self) -> bool:
        """Whether this is about status alone."""
        return self.call.target.subresource == "status"

    @property
    def finds_duplicates(self) -> bool:
        """Whether fields given twice matter."""
        return self.options.validation is not Validation.IGNORE

    def decoded(self) -> tuple[Obj, tuple[str, ...]]:
        """The body as an object in its place, and the warnings about it."""
        read = decode(self.body, self.media_type, find_duplicates=self.finds_duplicates)
        obj = require_object(read.content, self.call.target)
        return obj, self.warnings(obj, read.duplicates)

    def warnings(self, content: Any, duplicates: tuple[str, ...]) -> tuple[str, ...]:
        """The warnings about fields; refuses them where the client wants that."""
        found = check_fields(
            content,
            duplicates,
            resource=self.call.target.resource,
            catalog=self.service.catalog,
            validation=self.options.validation,
        )
        return tuple(found)


async def create(call: Call, service: Service) -> Response:
    """POST of a collection."""
    return await _write(_create, call, service)


async def update(call: Call, service: Service) -> Response:
    """PUT of an object or its status."""
    return await _write(_update, call, service)


async def patch(call: Call, service: Service) -> Response:
    """PATCH of an object or its status: merge, JSON patch, or server-side apply."""
    return await _write(_patch, call, service)


async def _write(do: Callable[[_Write], Written], call: Call, service: Service) -> Response:
    form = form_of(call.request.headers.get("accept", ""))
    media_type = media_type_of(call.request)
    agent = call.request.headers.get("user-agent", "")
    options = write_options(call.query, user_agent=agent, is_apply=media_type == APPLY)
    write = _Write(call, service, options, await read_body(call.request), media_type)
    return await service.threads.run(_answered, do, write, form)


def _answered(do: Callable[[_Write], Written], write: _Write, form: Form) -> Response:
    written = do(write)
    code = 201 if written.created else 200
    if not form.kind:
        return answer(orjson.dumps(written.obj), code=code, warnings=written.warnings)
    if form.is_table:
        metadata = {"resourceVersion": written.obj["metadata"].get("resourceVersion", "")}
        shown = table_maker(write.call, write.service, form).table([written.obj], metadata)
    else:
        shown = partial_metadata(written.obj, form.api_version)
    return answer(shown, code=code, warnings=written.warnings)


def _create(write: _Write) -> Written:
    obj, warnings = write.decoded()
    fill_in(obj, write.call.target.resource.kind)
    options = write.options
    try:
        made = write.store.create(obj, manager=options.manager, dry_run=options.dry_run)
    except PortError as error:
        # The URL of a creation has no name; the refusal names what was to be created.
        raise refusal_of(error, write.call.target.resource.kind, obj["metadata"].get("name", "")) from error
    return Written(made, warnings, created=True)


def _update(write: _Write) -> Written:
    obj, warnings = write.decoded()
    options = write.options
    if write.of_status:
        return Written(write.store.update_status(obj, manager=options.manager, dry_run=options.dry_run), warnings)
    fill_in(obj, write.call.target.resource.kind)
    return Written(write.store.update(obj, manager=options.manager, dry_run=options.dry_run), warnings)


def _patch(write: _Write) -> Written:
    resource = write.call.target.resource
    type_, content, duplicates = decode_patch(
        write.body, write.media_type, resource, find_duplicates=write.finds_duplicates
    )
    if type_ is None:
        return _apply(write, content)
    warnings = write.warnings(content, duplicates)
    if resource.kind == SECRET and isinstance(content, dict):
        fold_string_data(content)
    return Written(_patched(write, type_, content), warnings)


def _patched(write: _Write, type_: PatchType, content: Any) -> Obj:
    return write.store.patch(
        write.call.target.ref,
        content,
        type=type_,
        status=write.of_status,
        manager=write.options.manager,
        dry_run=write.options.dry_run,
    )


def _apply(write: _Write, content: Obj) -> Written:
    target = write.call.target
    obj = require_object(content, target)
    check_applied(obj, target, write.service.catalog)
    if not write.of_status:
        fill_in(obj, target.resource.kind)
    existed = _exists(write)
    applied = write.store.apply(
        obj,
        manager=write.options.manager,
        force=write.options.force,
        status=write.of_status,
        dry_run=write.options.dry_run,
    )
    return Written(applied, created=not existed)


def _exists(write: _Write) -> bool:
    try:
        write.store.get(write.call.target.ref)
    except NotFound:
        return False
    return True
