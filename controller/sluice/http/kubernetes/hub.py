"""One stream of changes from the store, fanned out to any number of watches.

The store calls ``push`` on its own thread after each commit. The hub wakes the event loop at most once for all that
has come in until the loop gets to it, makes each frame once, and hands the same bytes to every watch. With many watches
it waits a little, so that each client is written to once for several changes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Protocol

import orjson

from sluice.api.kinds import KindInfo
from sluice.http.kubernetes.changes import Change, ChangeLog
from sluice.http.kubernetes.errors import expired
from sluice.http.kubernetes.watchers import Made, Watcher, Wish
from sluice.ports.store import WatchEvent

MANY_WATCHERS = 20
COALESCE = 0.010
"""Seconds for which changes gather once there are many watches."""

BOOKMARK_INTERVAL = 60.0
"""Seconds between bookmarks on a quiet watch."""

MAX_UNREAD = 1_000
"""Changes that may wait to be taken in while nobody watches."""

RESTART = None
"""Pushed instead of an event: the kind's objects follow from the start, because the stream broke."""


class Sink(Protocol):
    """Where a feed puts what happens, from any thread."""

    def push(self, kind: KindInfo, event: WatchEvent | None) -> None:
        """First all objects of a kind as ADDED, then a BOOKMARK, then its changes in order. None begins anew."""


class Feed(Protocol):
    """Brings the store's changes."""

    def start(self, kinds: Sequence[KindInfo], sink: Sink) -> None:
        """Begin to push; returns at once."""

    def stop(self) -> None:
        """Push no more. Safe to call twice."""


class _Topic:
    """One kind: its log, its watches, and whether the log is complete.

    ``interest`` counts watches from before they are served: it decides whether a change wakes the loop.
    """

    def __init__(self, kind: KindInfo) -> None:
        self.log = ChangeLog(kind)
        self.watchers: set[Watcher] = set()
        self.interest = 0
        self.ready = asyncio.Event()


class Hub:
    """Lives on one event loop; only ``push`` may be called from elsewhere."""

    def __init__(self, feed: Feed, kinds: Iterable[KindInfo], *, bookmark_interval: float = BOOKMARK_INTERVAL) -> None:
        self._feed = feed
        self._topics = {kind: _Topic(kind) for kind in kinds}
        self._incoming: deque[tuple[KindInfo, WatchEvent | None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = False
        self._bookmark_interval = bookmark_interval
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def watching(self) -> int:
        """How many watches are open."""
        return sum(topic.interest for topic in self._topics.values())

    def start(self) -> None:
        """Begin to listen, on the running loop. Does nothing when it runs already."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._timer = self._loop.call_later(self._bookmark_interval, self._send_bookmarks)
            self._feed.start(tuple(self._topics), self)

    def close(self) -> None:
        """End every watch at once and listen no more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for topic in self._topics.values():
            for watcher in tuple(topic.watchers):
                watcher.close()
        self._feed.stop()

    def push(self, kind: KindInfo, event: WatchEvent | None) -> None:
        """Take in one change; from any thread, cheap, never blocks."""
        self._incoming.append((kind, event))
        topic = self._topics[kind]
        if self._woken or not (topic.interest or not topic.ready.is_set() or len(self._incoming) >= MAX_UNREAD):
            return
        self._woken = True
        if self._loop is not None and not self._closed:
            self._loop.call_soon_threadsafe(self._on_wake)

    async def ready(self, kind: KindInfo) -> None:
        """Wait until the log of ``kind`` is complete."""
        self.start()
        await self._topics[kind].ready.wait()

    def newest(self, kind: KindInfo) -> int:
        """The newest version of ``kind`` that has come in."""
        self._drain()
        return self._topics[kind].log.newest

    def send_bookmark(self, kind: KindInfo, watcher: Watcher) -> None:
        """Tell one watch, if it wants that, how far it has seen."""
        watcher.bookmark(self.newest(kind))

    async def open(self, kind: KindInfo, wish: Wish, *, after: int, first: Iterable[bytes] = ()) -> Watcher:
        """A watch that begins with ``first`` and goes on after version ``after``; 410 when that is not kept any more."""
        await self.ready(kind)
        topic = self._topics[kind]
        watcher = Watcher(kind, wish, after=after)
        topic.interest += 1
        self._drain()
        if after < topic.log.horizon:
            topic.interest -= 1
            raise expired(f"too old resource version: {after} ({topic.log.horizon})")
        watcher.begin_with(first)
        made: Made = {}
        for change in topic.log.after(after):
            watcher.offer(change, made)
        topic.watchers.add(watcher)
        if self._closed:
            watcher.close()
        return watcher

    def leave(self, kind: KindInfo, watcher: Watcher) -> None:
        """Forget a watch whose client is gone."""
        topic = self._topics[kind]
        if watcher in topic.watchers:
            topic.watchers.discard(watcher)
            topic.interest -= 1

    def _on_wake(self) -> None:
        if self.watching > MANY_WATCHERS and self._loop is not None:
            self._loop.call_later(COALESCE, self._drain)
        else:
            self._drain()

    def _drain(self) -> None:
        # Cleared before reading: a change that comes in from now on wakes the loop again.
        self._woken = False
        made: Made = {}
        touched: set[_Topic] = set()
        while self._incoming:
            kind, event = self._incoming.popleft()
            topic = self._topics[kind]
            change = self._take_in(topic, event)
            if change is not None:
                for watcher in topic.watchers:
                    watcher.offer(change, made)
                touched.add(topic)
        for topic in touched:
            for watcher in topic.watchers:
                watcher.wake()

    def _take_in(self, topic: _Topic, event: WatchEvent | None) -> Change | None:
        if event is RESTART:
            self._restart(topic)
            return None
        version = int(event.resource_version)
        if event.type == "BOOKMARK":
            if not topic.ready.is_set():
                topic.log.open_at(version)
                topic.ready.set()
            return None
        namespace, name = _place_of(event)
        raw = event.raw or orjson.dumps(event.object)
        if not topic.ready.is_set():
            topic.log.hold(namespace, name, raw)
            return None
        return topic.log.record(event.type, namespace, name, raw, version=version)

    def _restart(self, topic: _Topic) -> None:
        topic.ready.clear()
        topic.log.reset()
        for watcher in topic.watchers:
            watcher.fail("the stream of changes broke: list again")

    def _send_bookmarks(self) -> None:
        self._drain()
        for topic in self._topics.values():
            for watcher in topic.watchers:
                watcher.bookmark(topic.log.newest)
        if self._loop is not None:
            self._timer = self._loop.call_later(self._bookmark_interval, self._send_bookmarks)


def _place_of(event: WatchEvent) -> tuple[str, str]:
    """Namespace and name, without decoding the object where the store names it."""
    if event.ref is not None:
        return event.ref.namespace, event.ref.name
    metadata = event.object["metadata"]
    return metadata.get("namespace", ""), metadata["name"]
