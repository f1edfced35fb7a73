"""How a watch writes its events: a JSON document per line, in the form that the client asked for."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Protocol

import orjson

from sluice.api.kinds import KindInfo
from sluice.http.kubernetes.tables import TableMaker, partial_metadata
from sluice.ports.store import EventType, Obj

INITIAL_EVENTS_END = "k8s.io/initial-events-end"


class Frames(Protocol):
    """Writes events of one kind in one form."""

    @property
    def key(self) -> Hashable | None:
        """Equal where the next frames are equal, so that they are made once; None while they are for nobody else."""

    def frame(self, type_: EventType, raw: bytes) -> bytes:
        """One line: ``raw`` is the object as stored, encoded."""


class PlainFrames:
    """The object as it is: its bytes are never decoded."""

    key: Hashable = "plain"

    def frame(self, type_: EventType, raw: bytes) -> bytes:
        """The bytes with the event around them."""
        return b'{"type":"' + type_.encode() + b'","object":' + raw + b"}\n"


class ViewFrames:
    """The object turned into something else, such as its metadata alone."""

    def __init__(self, view: Callable[[Obj], Obj], *, name: str) -> None:
        self.key: Hashable = name
        self._view = view

    def frame(self, type_: EventType, raw: bytes) -> bytes:
        """The view of the object."""
        return _line(type_, self._view(orjson.loads(raw)))


class TableFrames:
    """A table of one row for each event; the first one alone carries the columns, as kubectl expects."""

    def __init__(self, maker: TableMaker, view: Callable[[Obj], Obj] | None) -> None:
        self._maker = maker
        self._view = view
        self._first = True

    @property
    def key(self) -> Hashable | None:
        """None until the columns are out."""
        return None if self._first else self._maker.key

    def frame(self, type_: EventType, raw: bytes) -> bytes:
        """The row; a bookmark has none, only its version."""
        obj = orjson.loads(raw)
        rows = [] if type_ == "BOOKMARK" else [self._view(obj) if self._view else obj]
        table = self._maker.table(rows, _list_metadata(obj, type_), with_columns=self._first)
        self._first = False
        return _line(type_, table)


def bookmark(kind: KindInfo, version: int, *, ends_initial: bool = False) -> bytes:
    """The object of a BOOKMARK: a place to go on from, and perhaps the end of the initial objects."""
    metadata: Obj = {"resourceVersion": str(version), "creationTimestamp": None}
    if ends_initial:
        metadata["annotations"] = {INITIAL_EVENTS_END: "true"}
    return orjson.dumps({"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata})


def failure(status: Obj) -> bytes:
    """The ERROR event that ends a watch, with a ``Status`` that says why."""
    return b'{"type":"ERROR","object":' + orjson.dumps(status) + b"}\n"


def metadata_frames(api_version: str) -> ViewFrames:
    """Events that carry ``PartialObjectMetadata``."""
    return ViewFrames(lambda obj: partial_metadata(obj, api_version), name=f"metadata {api_version}")


def _list_metadata(obj: Obj, type_: EventType) -> Obj:
    metadata: Obj = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
    if type_ == "BOOKMARK" and "annotations" in obj["metadata"]:
        metadata["annotations"] = obj["metadata"]["annotations"]
    return metadata


def _line(type_: EventType, obj: Obj) -> bytes:
    return orjson.dumps({"type": type_, "object": obj}, option=orjson.OPT_APPEND_NEWLINE)
