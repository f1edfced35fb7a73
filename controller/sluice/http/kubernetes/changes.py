"""The recent changes of one kind, kept so that a watch can go on from where its client stopped."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import orjson

from sluice.api.kinds import KindInfo
from sluice.domain.objects.selectors import METADATA_FIELDS, Matcher, field_values
from sluice.ports.store import EventType

MAX_CHANGES = 20_000
MAX_BYTES = 64 * 1024 * 1024


class Revision:
    """One stored state of an object: its bytes, and what selectors look at, decoded when the first one asks."""

    __slots__ = ("_facts", "_kind", "raw")

    def __init__(self, raw: bytes, kind: KindInfo) -> None:
        self.raw = raw
        self._kind = kind
        self._facts: tuple[dict[str, str], dict[str, str]] | None = None

    def fits(self, matcher: Matcher) -> bool:
        """Whether a selector selects this state; labels and fields are kept, the decoded object is not."""
        if self._facts is None:
            whole = orjson.loads(self.raw)
            fields = field_values(whole, (*METADATA_FIELDS, *self._kind.selectable))
            self._facts = whole["metadata"].get("labels") or {}, fields
        return matcher.matches(*self._facts)

    def at(self, version: int) -> bytes:
        """The same state under another resource version, for a deletion that only one watcher sees."""
        whole = orjson.loads(self.raw)
        whole["metadata"]["resourceVersion"] = str(version)
        return orjson.dumps(whole)


@dataclass(frozen=True, slots=True)
class Change:
    """One change: the state after it (of a deletion: the last one) and the state before, if there was one."""

    type: EventType
    version: int
    namespace: str
    name: str
    current: Revision
    previous: Revision | None

    def seen_through(self, matcher: Matcher) -> tuple[EventType, bytes] | None:
        """What a watcher with this selector sees: an object that stops matching is deleted for it, and the reverse."""
        if matcher.matches_all:
            return self.type, self.current.raw
        was = self.previous is not None and self.previous.fits(matcher)
        if self.type == "DELETED":
            return ("DELETED", self.current.raw) if was or self.current.fits(matcher) else None
        if self.current.fits(matcher):
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
        change = Change(type_, version, namespace, name, current, self._objects.get((namespace, name)))
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
