"""The columns of a table: a kind's printer columns, and those that Kubernetes has for its own kinds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sluice.api.kinds import KindInfo
from sluice.http.kubernetes.catalog import Catalog, PrinterColumn
from sluice.http.kubernetes.durations import age_of
from sluice.http.kubernetes.jsonpath import compile_path
from sluice.ports.store import Obj

Cell = Callable[[Obj, dt.datetime], Any]
"""From an object and the time of day to what stands in one column."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column; ``priority`` above 0 shows it only in wide output."""

    name: str
    cell: Cell
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0

    def definition(self) -> Obj:
        """The column as a Table's ``columnDefinitions`` tell it."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


def columns_of(kind: KindInfo, catalog: Catalog) -> tuple[Column, ...]:
    """NAME and what the kind says, else Kubernetes' own columns for it, else AGE."""
    given: Sequence[PrinterColumn] = catalog.columns.get(kind, ())
    if given:
        return (NAME, *(_printer_column(column) for column in given))
    return BUILTIN_COLUMNS.get(kind.kind, (NAME, AGE))


def _printer_column(column: PrinterColumn) -> Column:
    return Column(
        name=column["name"],
        cell=_cell_at(column["jsonPath"], column["type"]),
        type=column["type"],
        format=column.get("format", ""),
        description=column.get("description", ""),
        priority=column.get("priority", 0),
    )


def _cell_at(path: str, kind: str) -> Cell:
    select = compile_path(path)
    as_cell = {"string": _as_text, "integer": _as_integer, "number": _as_number, "boolean": _as_boolean}.get(kind)

    def cell(obj: Obj, now: dt.datetime) -> Any:
        found = select(obj)
        if not found or found[0] is None:
            return None
        return age_of(found[0], now) if as_cell is None else as_cell(found)

    return cell


def _as_text(found: list[Any]) -> str:
    return " ".join(value if isinstance(value, str) else orjson.dumps(value).decode() for value in found)


def _as_integer(found: list[Any]) -> int | None:
    return int(found[0]) if isinstance(found[0], int | float) else None


def _as_number(found: list[Any]) -> float | None:
    return found[0] if isinstance(found[0], int | float) else None


def _as_boolean(found: list[Any]) -> bool | None:
    return found[0] if isinstance(found[0], bool) else None


def _data_count(obj: Obj, now: dt.datetime) -> int:  # noqa: ARG001
    return len(obj.get("data") or {}) + len(obj.get("binaryData") or {})


def _phase(obj: Obj, now: dt.datetime) -> str:  # noqa: ARG001
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else "Active"


def _involved(obj: Obj, now: dt.datetime) -> str:  # noqa: ARG001
    about = obj.get("involvedObject") or obj.get("regarding") or {}
    return f"{about.get('kind', '').lower()}/{about.get('name', '')}"


def _last_seen(obj: Obj, now: dt.datetime) -> str:
    series = obj.get("series") or {}
    times = (
        series.get("lastObservedTime"),
        obj.get("lastTimestamp") or obj.get("deprecatedLastTimestamp"),
        obj.get("firstTimestamp") or obj.get("deprecatedFirstTimestamp"),
        obj.get("eventTime"),
    )
    return age_of(next((time for time in times if time), None), now)


def _said(obj: Obj, now: dt.datetime) -> str:  # noqa: ARG001
    return str(obj.get("message") or obj.get("note") or "").strip()


NAME = Column("Name", lambda obj, _: obj["metadata"]["name"], format="name", description="Unique within a namespace.")
AGE = Column(
    "Age", lambda obj, now: age_of(obj["metadata"].get("creationTimestamp"), now), description="Since creation."
)

BUILTIN_COLUMNS: dict[str, tuple[Column, ...]] = {
    "Namespace": (NAME, Column("Status", _phase, description="Active or Terminating."), AGE),
    "Secret": (
        NAME,
        Column("Type", _cell_at(".type", "string"), description="What programs may expect in data."),
        Column("Data", _data_count, type="integer", description="Number of entries."),
        AGE,
    ),
    "ConfigMap": (NAME, Column("Data", _data_count, type="integer", description="Number of entries."), AGE),
    "Lease": (NAME, Column("Holder", _cell_at(".spec.holderIdentity", "string"), description="Who holds it."), AGE),
    "Event": (
        Column("Last Seen", _last_seen, description="Since it was last seen."),
        Column("Type", _cell_at(".type", "string"), description="Normal or Warning."),
        Column("Reason", _cell_at(".reason", "string"), description="One word, for programs."),
        Column("Object", _involved, description="What it is about."),
        Column("Source", _cell_at(".source.component", "string"), priority=1, description="Who reports."),
        Column("Message", _said, description="A sentence, for people."),
        Column(
            "Count", _cell_at(".count", "integer"), type="integer", priority=1, description="How often it was seen."
        ),
        Column("Name", lambda obj, _: obj["metadata"]["name"], format="name", priority=1, description="Of the event."),
    ),
}
