"""Objects as rows and columns, which is all that ``kubectl get`` asks for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sluice.http.kubernetes.columns import Column
from sluice.http.kubernetes.errors import bad_request
from sluice.http.kubernetes.negotiation import Form
from sluice.http.kubernetes.options import Query
from sluice.ports.store import Obj

PARTIAL_API_VERSION = "meta.k8s.io/v1"


class Include(StrEnum):
    """What comes with each row beside its cells (``includeObject``)."""

    NONE = "None"
    METADATA = "Metadata"
    OBJECT = "Object"


def include_of(query: Query) -> Include:
    """The client's wish; metadata unless it says otherwise."""
    value = query.get("includeObject") or Include.METADATA
    if value not in set(Include):
        raise bad_request(f'includeObject: "{value}" is not one of None, Metadata, Object')
    return Include(value)


class TableMaker:
    """Makes tables of one kind for one request."""

    def __init__(self, columns: tuple[Column, ...], *, form: Form, include: Include) -> None:
        self._columns = columns
        self._form = form
        self._include = include

    @property
    def key(self) -> tuple[str, str]:
        """Equal for makers whose rows are equal, so that watchers can share them."""
        return (self._form.version, self._include)

    def table(self, objects: Iterable[Obj], metadata: Obj, *, with_columns: bool = True) -> Obj:
        """A Table of ``objects``; within a watch only the first one carries the columns."""
        now = dt.datetime.now(dt.UTC)
        definitions: Any = [column.definition() for column in self._columns] if with_columns else None
        return {
            "kind": "Table",
            "apiVersion": self._form.api_version,
            "metadata": metadata,
            "columnDefinitions": definitions,
            "rows": [self._row(obj, now) for obj in objects],
        }

    def _row(self, obj: Obj, now: dt.datetime) -> Obj:
        row: Obj = {"cells": [column.cell(obj, now) for column in self._columns]}
        if self._include is Include.METADATA:
            row["object"] = partial_metadata(obj, self._form.api_version)
        elif self._include is Include.OBJECT:
            row["object"] = obj
        return row


def partial_metadata(obj: Obj, api_version: str = PARTIAL_API_VERSION) -> Obj:
    """The object's metadata as an object of its own."""
    return {"kind": "PartialObjectMetadata", "apiVersion": api_version, "metadata": obj["metadata"]}
