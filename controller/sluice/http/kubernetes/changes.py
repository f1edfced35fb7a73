"""The recent changes of one kind, kept so that a watch can go on from where its client stopped."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from sluice.api.kinds import KindInfo
from sluice.ports.store import EventType, Obj

Matches = Callable[[Obj], bool]

MAX_CHANGES = 20_000
MAX_BYTES = 64 * 1024 * 1024


class Revision:
    """One stored state of an object: its bytes, and what selectors look at, decoded when one asks."""

    __slots__ = ("_facts", "_kind", "raw")

    def __init__(self, raw: bytes, kind: KindInfo) -> None:
        self.raw = raw
        self._kind = kind
        self._facts: Obj | None = None

    def facts(self) -> Obj:
        """Name, labels and selectable fields at their places; the rest of the object is not held decoded."""
        if self._facts is None:
            whole = orjson.loads(self.raw)
            metadata = whole["metadata"]
            kept: Obj = {"metadata": {key: metadata[key] for key in _SELECTED_METADATA if key in metadata}}
            for path in self._kind.selectable:
                _copy_field(whole, kept, path.split("."))
            self._facts = kept
        return self._facts

    def at(self, version: int) -> bytes:
        """The same state under another resource version, for a deletion that only one watcher sees."""
        whole = orjson.loads(self.raw)
        whole["metadata"]["resourceVersion"] = str(version)
        return orjson.dumps(whole)


_SELECTED_METADATA = ("name", "namespace", "labels")


def _copy_field(source: Any, target: Obj, path: list[str]) -> None:
    for name in path[:-1]:
        if not isinstance(source, dict) or name not in source:
            return
        source, target = source[name], target.setdefault(name, {})
    if isinstance(source, dict) and path[-1] in source:
        target[path[-1]] = source[path[-1]]


@dataclass(frozen=True, slots=True)
class Change:
    """One change: the state after it (of a deletion: the last one) and the state before, if there was one."""

    type: EventType
    version: int
    namespace: str
    current: Revision
    previous: Revision | None

    def seen_through(self, matches: Matches | None) -> tuple[EventType, bytes] | None:
        """What a watcher with this selector sees: an object that stops matching is deleted for it, and the reverse."""
        if matches is None:
            return self.type, self.current.raw
        was = self.previous is not None and matches(self.previous.facts())
        if self.type == "DELETED":
            return ("DELETED", self.current.raw) if was or matches(self.current.facts()) else None
        if matches(self.current.facts()):
            return "MODIFIED" if was else "ADDED", self.current.raw
        return ("DELETED", self.previous.at(self.version)) if was and self.previous else None


class ChangeLog:
    """The changes of one kind since ``horizon``, and the newest state of each object. Used on one thread."""

    def __init__(self, kind: KindInfo) -> None:
        self.kind = kind
        self.horizon = self.newest = 0
        self._changes: deque[Change] = deque()
        self._bytes = 0
        self._objects: dict[tuple[str, str], Revision] = {}

    def reset(self) -> None:
        """Forget everything; the feed begins anew."""
        self._changes.clear()
        self._objects.clear()
        self._bytes = 0

    def hold(self, namespace: str, name: str, raw: bytes) -> None:
        """Take in an object that was there before the first change."""
        self._objects[namespace, name] = Revision(raw, self.kind)

    def open_at(self, version: int) -> None:
        """What is held is the state at ``version``; changes come after it."""
        self.horizon = self.newest = version

    def record(self, type_: EventType, namespace: str, name: str, raw: bytes, *, version: int) -> Change:
        """Take in one change."""
        current = Revision(raw, self.kind)
        change = Change(type_, version, namespace, current, self._objects.get((namespace, name)))
        if type_ == "DELETED":
            self._objects.pop((namespace, name), None)
        else:
            self._objects[namespace, name] = current
        self.newest = version
        self._changes.append(change)
        self._bytes += len(raw)
        while len(self._changes) > MAX_CHANGES or self._bytes > MAX_BYTES:
            oldest = self._changes.popleft()
            self._bytes -= len(oldest.current.raw)
            self.horizon = oldest.version
        return change

    def after(self, version: int) -> list[Change]:
        """Everything after ``version``, which must not be before the horizon."""
        newer: list[Change] = []
        for change in reversed(self._changes):
            if change.version <= version:
                break
            newer.append(change)
        newer.reverse()
        return newer
