"""One object as the store keeps it: encoded once, with the few facts that lists, watches and owners ask for.

Encoded objects begin ``{"apiVersion":…,"kind":…,"metadata":{"resourceVersion":"``: the same bytes for all of a kind. So
the writer, which alone knows the resource version, puts it in without encoding the object a second time.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from sluice.api.kinds import KindInfo
from sluice.domain.objects.selectors import METADATA_FIELDS, Matcher, field_values
from sluice.ports.errors import BadRequest, TooLarge
from sluice.ports.store import EventType, Obj, Ref

MAX_OBJECT_BYTES = 1_572_864
"""What etcd takes in one request; an object that fits here fits on a cluster."""

Key = tuple[str, str]
"""Namespace and name."""


class Facts(NamedTuple):
    """What is known of an object without decoding it. ``selected`` are the values of the kind's selectable fields."""

    uid: str
    labels: dict[str, str]
    selected: tuple[str, ...]
    owners: tuple[str, ...]
    deleting: bool


class Draft(NamedTuple):
    """An object ready to be written: its bytes after the resource version."""

    key: Key
    tail: bytes
    facts: Facts


class Row(NamedTuple):
    """One stored object. ``id`` is its row in the file."""

    key: Key
    id: int
    version: int
    raw: bytes
    facts: Facts


class Change(NamedTuple):
    """One entry of the watch log: ``before`` and ``after`` are None around creation and removal."""

    version: int
    before: Row | None
    after: Row | None


class Table:
    """All live objects of one kind. Changed only by the writer thread, under the memory's lock."""

    def __init__(self, kind: KindInfo) -> None:
        self.kind = kind
        self.rows: dict[Key, Row] = {}
        self.order: list[Key] = []
        self.pending: dict[Key, Row | None] = {}
        head = orjson.dumps({"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"resourceVersion": ""}})
        self.head = head[: -len(b'"}}')]

    def draft(self, obj: Obj) -> Draft:
        """Encode ``obj``. Raises TooLarge beyond what a cluster would take."""
        metadata = obj["metadata"]
        versioned = {"resourceVersion": "", **metadata}
        versioned["resourceVersion"] = ""
        ordered: Obj = {"apiVersion": self.kind.api_version, "kind": self.kind.kind, "metadata": versioned}
        for key, value in obj.items():
            ordered.setdefault(key, value)
        tail = encoded(ordered)[len(self.head) :]
        if len(tail) > MAX_OBJECT_BYTES:
            raise TooLarge(
                f'{self.kind.resource} "{metadata["name"]}" has {len(tail)} bytes, more than the {MAX_OBJECT_BYTES} that '
                "an object may have; move large values elsewhere and refer to them"
            )
        return Draft((metadata.get("namespace", ""), metadata["name"]), tail, self.facts(obj))

    def facts(self, obj: Obj) -> Facts:
        """What lists, watches and owners ask for."""
        metadata = obj["metadata"]
        owners = metadata.get("ownerReferences")
        return Facts(
            uid=metadata["uid"],
            labels=dict(metadata.get("labels") or {}),  # the object is its caller's, who may change it
            selected=tuple(field_values(obj, self.kind.selectable).values()) if self.kind.selectable else (),
            owners=tuple(owner["uid"] for owner in owners) if owners else (),
            deleting="deletionTimestamp" in metadata,
        )

    def raw(self, version: int, tail: bytes) -> bytes:
        """The whole encoded object at ``version``."""
        return b"%b%d%b" % (self.head, version, tail)

    def raw_at(self, row: Row, version: int) -> bytes:
        """``row`` as it was, but with another resource version: how a deletion is told."""
        return self.raw(version, row.raw[len(self.head) + len(str(row.version)) :])

    def current(self, key: Key) -> Row | None:
        """The row as the running batch sees it. For the writer thread."""
        return self.pending[key] if key in self.pending else self.rows.get(key)

    def settle(self, key: Key, row: Row | None) -> None:
        """Make one pending row visible."""
        known = key in self.rows
        if row is not None:
            self.rows[key] = row
            if not known:
                bisect.insort(self.order, key)
        elif known:
            del self.rows[key]
            del self.order[bisect.bisect_left(self.order, key)]

    def keys_in(self, namespace: str) -> list[Key]:
        """The keys of one namespace, or of all when it is empty, in order."""
        if not namespace or not self.kind.namespaced:
            return self.order
        start = bisect.bisect_left(self.order, (namespace, ""))
        end = bisect.bisect_left(self.order, (namespace + "\0", ""))
        return self.order[start:end]

    def select(self, namespace: str, matcher: Matcher) -> list[Row]:
        """The rows of ``namespace`` that ``matcher`` selects, in order."""
        rows = self.rows
        return self.narrowed([rows[key] for key in self.keys_in(namespace)], matcher)

    def narrowed(self, rows: list[Row], matcher: Matcher) -> list[Row]:
        """The ``rows`` that ``matcher`` selects; one pass for each requirement, quick over thousands of rows."""
        for one in matcher.labels:
            key, values = one.key, one.values
            match one.operator:
                case "in":
                    rows = [row for row in rows if row.facts.labels.get(key) in values]
                case "notin":
                    rows = [row for row in rows if row.facts.labels.get(key) not in values]
                case "exists":
                    rows = [row for row in rows if key in row.facts.labels]
                case "absent":
                    rows = [row for row in rows if key not in row.facts.labels]
        for one in matcher.fields:
            value_of, values, wanted = self._field(one.key), one.values, one.operator == "in"
            rows = [row for row in rows if (value_of(row) in values) is wanted]
        return rows

    def _field(self, path: str) -> Callable[[Row], str]:
        if path in METADATA_FIELDS:
            part = 1 if path == "metadata.name" else 0
            return lambda row: row.key[part]
        index = self.kind.selectable.index(path)
        return lambda row: row.facts.selected[index]

    def matches(self, row: Row, matcher: Matcher) -> bool:
        """True if ``matcher`` selects the row."""
        return bool(self.narrowed([row], matcher))

    def ref(self, key: Key) -> Ref:
        """The full name of a key."""
        return Ref(self.kind, key[0], key[1])


def encoded(value: Any) -> bytes:
    """``value`` as JSON. Raises BadRequest for what JSON can't say."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise BadRequest(f"the object can't be written as JSON: {error}") from error


def decoded(raw: bytes) -> Obj:
    """The object that ``raw`` encodes: a copy of the caller's own."""
    obj: Obj = orjson.loads(raw)
    return obj


def copied(value: Any) -> Any:
    """A deep copy of JSON (six times faster than copy.deepcopy)."""
    return orjson.loads(encoded(value))


def same(one: Any, other: Any) -> bool:
    """True if both are the same JSON; unlike ``==``, 1, 1.0 and true are three values."""
    if one is other:
        return True
    if one != other:
        return False
    return orjson.dumps(one, option=orjson.OPT_SORT_KEYS) == orjson.dumps(other, option=orjson.OPT_SORT_KEYS)


def seen_through(table: Table, change: Change, namespace: str, matcher: Matcher) -> tuple[EventType, bytes] | None:
    """What a watch of ``namespace`` and ``matcher`` sees of a change: an object that stops matching is DELETED."""
    row = change.after or change.before
    if row is None or (namespace and row.key[0] != namespace):
        return None
    before, after = change.before, change.after
    was = before is not None and (matcher.matches_all or table.matches(before, matcher))
    if after is not None and (matcher.matches_all or table.matches(after, matcher)):
        return ("MODIFIED" if was else "ADDED"), after.raw
    if was and before is not None:
        return "DELETED", table.raw_at(before, change.version)
    return None
