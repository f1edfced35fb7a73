"""Watches: a response that goes on, a line of JSON for each change, until somebody closes it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from sluice.domain.objects.selectors import BadSelector, Matcher, parse_selector
from sluice.http.kubernetes.errors import bad_request
from sluice.http.kubernetes.frames import (
    Frames,
    PlainFrames,
    TableFrames,
    ViewFrames,
    bookmark,
    metadata_frames,
)
from sluice.http.kubernetes.hub import Hub
from sluice.http.kubernetes.negotiation import JSON, form_of
from sluice.http.kubernetes.options import ListOptions
from sluice.http.kubernetes.reading import require_version, table_maker, too_new
from sluice.http.kubernetes.service import Call, Service
from sluice.http.kubernetes.watchers import Watcher, Wish
from sluice.ports.store import EVERYTHING

DEFAULT_TIMEOUT = (1800.0, 3600.0)
"""Seconds after which a watch without a timeout ends, at random in between so that clients don't return all at once."""


@dataclass(frozen=True, slots=True)
class WatchResponse:
    """An ASGI response that sends what the watcher gets."""

    watcher: Watcher
    hub: Hub
    call: Call
    timeout: float

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the client leaves, the time is over or the server stops."""
        kind = self.call.target.resource.stored
        timer = asyncio.get_running_loop().call_later(self.timeout, self._finish)
        leaving = asyncio.ensure_future(self._close_when_gone(receive))
        headers = [(b"content-type", JSON.encode()), (b"cache-control", b"no-cache, private")]
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            # An empty chunk sends the headers at once: clients wait for these before they believe in the watch.
            await send({"type": "http.response.body", "body": b"", "more_body": True})
            while chunk := await self.watcher.take():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            timer.cancel()
            leaving.cancel()
            self.hub.leave(kind, self.watcher)

    def _finish(self) -> None:
        self.hub.send_bookmark(self.call.target.resource.stored, self.watcher)
        self.watcher.close()

    async def _close_when_gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.watcher.close()


async def watch(call: Call, service: Service, options: ListOptions) -> WatchResponse:
    """A watch from where the client asks: after a version, or from all objects that there are now."""
    resource = call.target.resource
    wish = Wish(
        namespace=call.target.namespace,
        matcher=_matcher(options, resource.stored.selectable),
        frames=_frames(call, service),
        bookmarks=options.bookmarks,
    )
    version = options.resource_version
    from_start = options.send_initial if options.send_initial is not None else version in {"", "0"}
    if from_start or version in {"", "0"}:
        watcher = await _from_now(call, service, options, wish=wish, with_objects=from_start)
    else:
        watcher = await _from_version(call, service, wish, after=int(version))
    return WatchResponse(watcher, service.hub, call, options.timeout or random.uniform(*DEFAULT_TIMEOUT))


async def _from_now(call: Call, service: Service, options: ListOptions, *, wish: Wish, with_objects: bool) -> Watcher:
    """All objects as ADDED first, unless the client wants none, then what changes after them."""
    kind = call.target.resource.stored
    await service.hub.ready(kind)
    page = await service.reader.page(kind, call.target.namespace, options.selector)
    require_version(options, page)
    version = int(page.resource_version)
    initial: Sequence[bytes] = page.items if with_objects else ()
    first = [wish.frames.frame("ADDED", raw) for raw in initial]
    if with_objects and options.send_initial and options.bookmarks:
        end = bookmark(call.target.resource.kind, version, ends_initial=True)
        first.append(wish.frames.frame("BOOKMARK", end))
    return await service.hub.open(kind, wish, after=version, first=first)


async def _from_version(call: Call, service: Service, wish: Wish, *, after: int) -> Watcher:
    kind = call.target.resource.stored
    watcher = await service.hub.open(kind, wish, after=after)
    if after > service.hub.newest(kind):
        # The hub may merely lag behind the store; only a version that the store has not reached is refused.
        page = await service.reader.page(kind, "", EVERYTHING, limit=1)
        if after > int(page.resource_version):
            service.hub.leave(kind, watcher)
            raise too_new(after, int(page.resource_version))
    return watcher


def _matcher(options: ListOptions, selectable: tuple[str, ...]) -> Matcher:
    try:
        return parse_selector(options.selector.labels, options.selector.fields, selectable)
    except BadSelector as error:
        raise bad_request(str(error)) from error


def _frames(call: Call, service: Service) -> Frames:
    form = form_of(call.request.headers.get("accept", ""))
    resource = call.target.resource
    if form.is_table:
        return TableFrames(table_maker(call, service, form), resource.view)
    if form.is_metadata:
        return metadata_frames(form.api_version)
    return PlainFrames() if resource.view is None else ViewFrames(resource.view, name=resource.kind.api_version)
