"""Writing objects optimistically: decide on the caller's thread, check and commit on the writer's.

What is to be stored is computed and encoded from the committed state; the writer only compares resource versions and
writes. Whoever was overtaken decides again on the newer state, so no lock is held while rules run.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sluice.adapters.sqlite.memory import ObjectMemory
from sluice.adapters.sqlite.refusals import already_exists, modified, not_found, terminating
from sluice.adapters.sqlite.rows import Draft, Row, Table, decoded, same
from sluice.adapters.sqlite.transitions import check, is_finished, with_generation
from sluice.adapters.sqlite.writer import Writer
from sluice.api.kinds import NAMESPACE, KindInfo
from sluice.domain.objects.ownership import By, Entry, after_write, readable
from sluice.domain.objects.shapes import Shape, shape_of
from sluice.ports.admission import Admission, AdmissionRequest
from sluice.ports.clock import Clock
from sluice.ports.store import Actor, Obj, Ref

Schemas = Callable[[KindInfo], Mapping[str, Any] | None]
"""The structural OpenAPI v3 schema of a kind; None where there is none, and then merging follows the values."""

Subresource = Literal["", "status"]


class Overtaken(Exception):
    """Somebody else's write came first: decide again."""


@dataclass(frozen=True, slots=True)
class Request:
    """How a write was asked for, whatever it writes."""

    actor: Actor
    manager: str = "sluice"
    subresource: Subresource = ""
    dry_run: bool = False


class Proposal(NamedTuple):
    """A next object. ``managed`` is its field ownership where that is decided already (apply), else None."""

    obj: Obj
    managed: list[Entry] | None = None


class Changes:
    """The three ways an object changes: it is created, rewritten, taken away."""

    def __init__(
        self, memory: ObjectMemory, writer: Writer, admission: Admission | None, clock: Clock, schemas: Schemas
    ) -> None:
        self.memory = memory
        self._writer = writer
        self._admission = admission
        self._clock = clock
        self._schemas = schemas
        self._shapes: dict[str, Shape] = {}

    def now(self) -> str:
        """The time as Kubernetes writes it: RFC 3339, UTC, whole seconds."""
        return f"{self._clock.now().replace(tzinfo=None).isoformat(timespec='seconds')}Z"

    def shape(self, kind: KindInfo) -> Shape:
        """How objects of the kind merge; compiled from its schema once."""
        known = self._shapes.get(kind.resource)
        if known is None:
            known = self._shapes[kind.resource] = shape_of(self._schemas(kind))
        return known

    def by(self, kind: KindInfo, request: Request) -> By:
        """Who writes, as managed fields record it."""
        return By(request.manager, kind.api_version, self.now(), request.subresource)

    def create(self, kind: KindInfo, new: Obj, request: Request, managed: list[Entry] | None = None) -> Obj:
        """Store a new object. AlreadyExists if the name is taken; NotFound if its namespace is missing."""
        table = self.memory.table(kind)
        metadata = new["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        self._check_namespace(table, key)
        self._admit(AdmissionRequest(kind, "CREATE", request.actor, None, new))
        check(kind, new)
        if managed is None:
            managed = after_write(self.shape(kind), {}, new, [], self.by(kind, request))
        if managed:
            metadata["managedFields"] = managed
        draft = table.draft(new)
        if key in table.rows:
            raise already_exists(kind, key[1])
        if request.dry_run:
            return new

        def place(_: sqlite3.Connection) -> int:
            if table.current(key) is not None:
                raise already_exists(kind, key[1])
            self._check_namespace(table, key)
            return self.memory.put(table, draft).version

        metadata["resourceVersion"] = str(self._writer.run(place, size=len(draft.tail)))
        return new

    def rewrite(self, ref: Ref, request: Request, propose: Callable[[Obj], Proposal]) -> Obj:
        """Replace an object by what ``propose`` makes of its newest state; called again when somebody was faster.

        A change of nothing writes nothing. An object that is being deleted and loses its last finalizer is removed.
        """
        table = self.memory.table(ref.kind)
        while True:
            row = self._row(table, ref)
            old = decoded(row.raw)
            new = self._settled(ref.kind, old, propose(old), request)
            if same(old, new):
                return old
            draft = table.draft(new)
            if request.dry_run:
                return new
            gone = is_finished(new) and ref.kind != NAMESPACE
            try:
                version = self._writer.run(
                    self._removing(table, row) if gone else self._replacing(table, row, draft), size=len(draft.tail)
                )
            except Overtaken:
                continue
            new["metadata"]["resourceVersion"] = str(version)
            return new

    def remove(self, ref: Ref, request: Request, decide: Callable[[Obj], Obj | None]) -> Obj:
        """Take an object away, or store what ``decide`` makes of it (a mark) if that is not None."""
        table = self.memory.table(ref.kind)
        while True:
            row = self._row(table, ref)
            old = decoded(row.raw)
            marked = decide(old)
            self._admit(AdmissionRequest(ref.kind, "DELETE", request.actor, old, None))
            if request.dry_run or (marked is not None and same(old, marked)):
                return marked or old
            op = self._removing(table, row) if marked is None else self._replacing(table, row, table.draft(marked))
            try:
                version = self._writer.run(op)
            except Overtaken:
                continue
            final = old if marked is None else marked
            final["metadata"]["resourceVersion"] = str(version)
            return final

    def _row(self, table: Table, ref: Ref) -> Row:
        row = table.rows.get((ref.namespace, ref.name))
        if row is None:
            raise not_found(ref.kind, ref.name)
        return row

    def _settled(self, kind: KindInfo, old: Obj, proposal: Proposal, request: Request) -> Obj:
        """The proposal after admission, with its generation, checked, and with its field ownership."""
        new = proposal.obj
        managed = proposal.managed
        if managed is None:
            told = None if request.subresource else readable(new["metadata"].get("managedFields"))
            managed = old["metadata"].get("managedFields", []) if told is None else told
        self._admit(AdmissionRequest(kind, "UPDATE", request.actor, old, new, request.subresource))
        if not request.subresource:
            with_generation(old, new)
            check(kind, new, old)
        if proposal.managed is None:
            managed = after_write(self.shape(kind), old, new, managed, self.by(kind, request))
        new["metadata"].pop("managedFields", None)
        if managed:
            new["metadata"]["managedFields"] = managed
        return new

    def _admit(self, request: AdmissionRequest) -> None:
        if self._admission is not None:
            self._admission.admit(request)

    def _check_namespace(self, table: Table, key: tuple[str, str]) -> None:
        if not table.kind.namespaced:
            return
        namespace = self.memory.table(NAMESPACE).current(("", key[0]))
        if namespace is None:
            raise not_found(NAMESPACE, key[0])
        if namespace.facts.deleting:
            raise terminating(table.kind, key[1], key[0])

    def _replacing(self, table: Table, row: Row, draft: Draft) -> Callable[[sqlite3.Connection], int]:
        def op(_: sqlite3.Connection) -> int:
            _check_newest(table, row)
            return self.memory.put(table, draft).version

        return op

    def _removing(self, table: Table, row: Row) -> Callable[[sqlite3.Connection], int]:
        def op(_: sqlite3.Connection) -> int:
            _check_newest(table, row)
            return self.memory.remove(table, row)

        return op


def require_version(kind: KindInfo, old: Obj, wanted: str) -> None:
    """Conflict unless ``wanted`` is empty or the object's resource version."""
    metadata = old["metadata"]
    if wanted and wanted != metadata["resourceVersion"]:
        raise modified(kind, metadata["name"])


def _check_newest(table: Table, row: Row) -> None:
    current = table.current(row.key)
    if current is None or current.version != row.version:
        raise Overtaken
