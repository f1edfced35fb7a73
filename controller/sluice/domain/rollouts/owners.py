"""Who wrote a field and when, as ``metadata.managedFields`` tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Writer:
    """A field manager and the time of its last write, RFC 3339; empty where the server did not say."""

    manager: str
    time: str = ""


def who_wrote(managed_fields: Sequence[Mapping[str, Any]], path: Sequence[str]) -> Writer | None:
    """The manager that owns ``path`` (or anything under it) and wrote last; None if nobody does.

    A path is given by field names, ``("spec", "stops", "v7")``. A manager that owns a parent as a whole, as an atomic field,
    owns what is under it.
    """
    owners = [
        Writer(str(entry.get("manager") or "unknown"), str(entry.get("time") or ""))
        for entry in managed_fields
        if entry.get("subresource", "") == "" and _owns(entry.get("fieldsV1") or {}, path)
    ]
    return max(owners, key=lambda writer: (writer.time, writer.manager), default=None)


def _owns(fields: Mapping[str, Any], path: Sequence[str]) -> bool:
    node: Any = fields
    for depth, name in enumerate(path):
        if depth and node == {}:
            return True
        if not isinstance(node, Mapping) or f"f:{name}" not in node:
            return False
        node = node[f"f:{name}"]
    return True
