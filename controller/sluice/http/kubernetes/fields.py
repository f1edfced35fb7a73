"""Which fields of an object its schema does not know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from sluice.http.kubernetes.builtin_schemas import OBJECT_META

Schema = Mapping[str, Any]

_OPEN = "x-kubernetes-preserve-unknown-fields"
MAX_REPORTED = 20
"""Problems named in one answer; a wrong file need not be told in full."""


def unknown_fields(obj: Mapping[str, Any], schema: Schema) -> list[str]:
    """Paths such as ``spec.steps[0].retries``, in the order of the document, the first twenty."""
    return list(islice(_unknown(obj, _whole(schema), ""), MAX_REPORTED))


def unknown_in_patch(operations: Iterable[Any], schema: Schema) -> list[str]:
    """The same for what a JSON patch adds or replaces; operations that can't be read are the store's to refuse."""
    root = _whole(schema)
    found = (
        path
        for operation in operations
        if isinstance(operation, dict) and operation.get("op") in {"add", "replace"}
        for path in _unknown_at(str(operation.get("path", "")), operation.get("value"), root)
    )
    return list(islice(found, MAX_REPORTED))


def _whole(schema: Schema) -> Schema:
    """The schema of the whole object: CRDs leave out what every object has."""
    properties = {"apiVersion": {}, "kind": {}, **schema.get("properties", {}), "metadata": OBJECT_META}
    return {**schema, "properties": properties}


def _unknown_at(pointer: str, value: Any, schema: Schema) -> Iterator[str]:
    """Walk down the schema along a JSON pointer, then look at the value that is put there."""
    path = ""
    for segment in pointer.split("/")[1:]:
        name = segment.replace("~1", "/").replace("~0", "~")
        place = f"{path}.{name}" if path else name
        others = schema.get("additionalProperties")
        if name in schema.get("properties", {}):
            schema = schema["properties"][name]
        elif "items" in schema:
            schema, place = schema["items"], f"{path}[{name}]"
        elif isinstance(others, Mapping):
            schema = others
        elif others is True or _is_open(schema):
            return
        else:
            yield place
            return
        path = place
    yield from _unknown(value, schema, path)


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
