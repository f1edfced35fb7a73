"""Which fields of an object its schema does not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sluice.http.kubernetes.builtin_schemas import OBJECT_META

Schema = Mapping[str, Any]

_OPEN = "x-kubernetes-preserve-unknown-fields"
MAX_REPORTED = 20
"""Problems named in one answer; a wrong file need not be told in full."""


def unknown_fields(obj: Mapping[str, Any], schema: Schema) -> list[str]:
    """Paths such as ``spec.steps[0].retries``, in the order of the document, the first twenty."""
    found: list[str] = []
    root = {
        **schema,
        "properties": {
            "apiVersion": {},
            "kind": {},
            **schema.get("properties", {}),
            "metadata": OBJECT_META,
        },
    }
    for path in _unknown(obj, root, ""):
        found.append(path)
        if len(found) == MAX_REPORTED:
            break
    return found


def _unknown(value: Any, schema: Schema, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _unknown_in_map(value, schema, path)
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from _unknown(item, schema["items"], f"{path}[{index}]")


def _unknown_in_map(value: dict[str, Any], schema: Schema, path: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties")
    for key, entry in value.items():
        place = f"{path}.{key}" if path else key
        if key in properties:
            yield from _unknown(entry, properties[key], place)
        elif isinstance(others, Mapping):
            yield from _unknown(entry, others, place)
        elif others is not True and not _is_open(schema):
            yield place


def _is_open(schema: Schema) -> bool:
    """A schema that says nothing of its type (``{}``) takes anything, as one that preserves unknown fields does."""
    return bool(schema.get(_OPEN)) or ("type" not in schema and "properties" not in schema)
