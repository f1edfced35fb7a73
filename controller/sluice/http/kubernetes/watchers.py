"""One client's watch: what it wants, and what waits to be sent to it."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from sluice.api.kinds import KindInfo
from sluice.domain.objects.selectors import Matcher
from sluice.http.kubernetes.changes import Change
from sluice.http.kubernetes.errors import expired, status_body
from sluice.http.kubernetes.frames import Frames, bookmark, failure
from sluice.ports.store import EventType

MAX_WAITING = 16 * 1024 * 1024
"""Bytes that may wait for one client; who falls behind further is told to list again."""

Made = dict[tuple[Hashable, EventType, int], bytes]
"""Frames made in one round, by form, type and version, so that equal ones are made once."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a watch is about: objects in ``namespace`` (all when empty) that match, in the form of ``frames``."""

    namespace: str
    matcher: Matcher
    frames: Frames
    bookmarks: bool = False

    def may_concern(self, change: Change) -> bool:
        """False where namespace or name alone say no, which spares decoding the object for its labels."""
        if self.namespace and change.namespace != self.namespace:
            return False
        return all(
            one.met_by({"metadata.name": change.name}) for one in self.matcher.fields if one.key == "metadata.name"
        )


class Watcher:
    """Frames for one client, filled and emptied on the event loop."""

    def __init__(self, kind: KindInfo, wish: Wish, *, after: int) -> None:
        self.wish = wish
        self._kind = kind
        self._after = after
        self._waiting: list[bytes] = []
        self._size = 0
        self._ended = False
        self._woken: asyncio.Future[None] | None = None

    def begin_with(self, frames: Iterable[bytes]) -> None:
        """Queue the initial objects, however many there are: they are no sign of a slow client."""
        self._waiting.extend(frames)

    def offer(self, change: Change, made: Made) -> None:
        """Queue ``change`` if this watch is about it; ``wake`` follows when the round is complete."""
        wish = self.wish
        if change.version <= self._after or not wish.may_concern(change):
            return
        seen = change.seen_through(wish.matcher)
        if seen is None:
            return
        type_, raw = seen
        key = wish.frames.key
        if key is None or raw is not change.current.raw:
            self.put(wish.frames.frame(type_, raw))
            return
        frame = made.get((key, type_, change.version))
        if frame is None:
            frame = made[key, type_, change.version] = wish.frames.frame(type_, raw)
        self.put(frame)

    def bookmark(self, newest: int) -> None:
        """Tell the client that it has seen everything up to ``newest``, or to where it began if that is later."""
        if self.wish.bookmarks:
            raw = bookmark(self._kind, max(newest, self._after))
            self.put(self.wish.frames.frame("BOOKMARK", raw))
            self.wake()

    def put(self, frame: bytes) -> None:
        """Queue one frame; a client too far behind gets 410 instead of all that waits."""
        if self._ended:
            return
        self._waiting.append(frame)
        self._size += len(frame)
        if self._size > MAX_WAITING:
            self.fail("this watch fell too far behind: list again")

    def fail(self, message: str) -> None:
        """Tell the client that it must list again, and end."""
        if not self._ended:
            self._waiting = [failure(status_body(expired(message)))]
            self.close()

    def close(self) -> None:
        """End the watch after what waits was sent. Safe to call twice."""
        self._ended = True
        self.wake()

    def wake(self) -> None:
        """Let ``take`` go on if there is something for it."""
        if self._woken is not None and not self._woken.done() and (self._waiting or self._ended):
            self._woken.set_result(None)

    async def take(self) -> bytes:
        """All that waits, as soon as something does; empty once the watch has ended."""
        while not self._waiting and not self._ended:
            self._woken = asyncio.get_running_loop().create_future()
            await self._woken
        taken = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        return taken
