"""Watches of an API server: they go on from where they were when a connection ends, breaks or falls silent."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import get_args

import orjson

from sluice.adapters.kubernetes.answers import from_status
from sluice.adapters.kubernetes.streams import Stream
from sluice.adapters.kubernetes.transport import Transport
from sluice.api.kinds import KindInfo
from sluice.domain.objects.encoding import encoded
from sluice.ports.errors import BadRequest, Invalid, Unavailable
from sluice.ports.store import EventType, Obj, Page, Ref, WatchEvent

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
_TYPES = frozenset(get_args(EventType))


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """When a connection counts as lost, and how long a lost one is mended. Seconds."""

    silence_s: float = 150.0
    """The server sends a bookmark every minute, so a live connection is never silent for this long."""
    lifetime_s: float = 300.0
    """The server is asked to end the answer after one to two times this, so that watches spread over its replicas."""
    first_pause_s: float = 0.1
    longest_pause_s: float = 5.0
    patience_s: float = 60.0
    """How long to try again, in pauses, before the watch gives up."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What a watch is about: where it is, how it is chosen, and how to list it."""

    kind: KindInfo
    path: str
    query: dict[str, str]
    listed: Callable[[], Page]


class KubernetesWatch:
    """Changes of one collection, read by one thread; ``close`` from any thread ends the iteration.

    With an empty ``since`` the server streams what is there first, one object at a time, and ends it with a bookmark. A
    connection that is lost during that can't be continued: Unavailable, and the caller begins again.
    """

    def __init__(self, transport: Transport, watched: Watched, *, since: str, limits: WatchLimits) -> None:
        if since and not since.isdecimal():
            raise BadRequest(f'resourceVersion: Invalid value: "{since}": give a number that the server gave you')
        self._transport = transport
        self._watched = watched
        self._version = since
        self._limits = limits
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._stream: Stream | None = None

    def __iter__(self) -> Iterator[WatchEvent]:
        failures = 0
        while not self._closed.is_set():
            try:
                for event in self._connection():
                    failures = 0
                    yield event
                    if self._closed.is_set():
                        return
            except Unavailable:
                if self._closed.is_set():
                    return
                failures += 1
                if not self._version or not self._pause(failures):
                    raise

    def close(self) -> None:
        """End the watch. Safe to call twice."""
        with self._lock:
            self._closed.set()
            if self._stream is not None:
                self._stream.close()

    def _connection(self) -> Iterator[WatchEvent]:
        """The events of one connection, from the last version that was seen."""
        try:
            stream = self._transport.open(self._watched.path, self._asked(), silence_s=self._limits.silence_s)
        except Invalid:
            if self._version:
                raise
            yield from self._listed()
            return
        with self._lock:
            self._stream = stream
            if self._closed.is_set():
                stream.close()
        told = False
        with contextlib.closing(stream.lines()) as lines:
            for line in lines:
                if line:
                    told = True
                    yield self._event(line)
        if not (told and self._version):
            raise Unavailable("the API server ended a watch before it had told what a watch begins with")

    def _listed(self) -> Iterator[WatchEvent]:
        """What is there, by a list: some servers (1.33 and older, as they come) don't stream it."""
        page = self._watched.listed()
        for obj in page.items:
            metadata = obj["metadata"]
            yield WatchEvent("ADDED", obj, metadata["resourceVersion"], encoded(obj), self._ref("ADDED", metadata))
        self._version = version = page.resource_version
        kind = self._watched.kind
        metadata = {"resourceVersion": version, "annotations": {INITIAL_EVENTS_END: "true"}}
        bookmark = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
        yield WatchEvent("BOOKMARK", bookmark, version, orjson.dumps(bookmark))

    def _asked(self) -> dict[str, str]:
        lifetime = self._limits.lifetime_s * random.uniform(1, 2)
        asked = {
            **self._watched.query,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": f"{lifetime:.0f}",
        }
        if self._version:
            return {**asked, "resourceVersion": self._version}
        return {**asked, "sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}

    def _event(self, line: bytes) -> WatchEvent:
        told = orjson.loads(line)
        type, obj = told["type"], told["object"]
        if type not in _TYPES:
            raise from_status(obj)
        metadata = obj["metadata"]
        version = str(metadata["resourceVersion"])
        if self._version or type == "BOOKMARK":
            self._version = version
        return WatchEvent(type, obj, version, _inner(line, type, obj), self._ref(type, metadata))

    def _ref(self, type: str, metadata: Obj) -> Ref | None:
        return None if type == "BOOKMARK" else Ref(self._watched.kind, metadata.get("namespace", ""), metadata["name"])

    def _pause(self, failures: int) -> bool:
        """Wait before the next connection; False when there were enough."""
        first, longest = self._limits.first_pause_s, self._limits.longest_pause_s
        pauses = [min(first * 2**past, longest) for past in range(failures)]
        if sum(pauses) > self._limits.patience_s:
            return False
        self._closed.wait(pauses[-1])
        return True


def _inner(line: bytes, type: str, obj: Obj) -> bytes:
    """The object's own bytes within an event's line, without encoding it again where the line is as servers write it."""
    before = b'{"type":"%s","object":' % type.encode()
    return line[len(before) : -1] if line.startswith(before) and line.endswith(b"}") else encoded(obj)
