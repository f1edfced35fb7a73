"""A structural schema as a function over objects: unknown fields go, defaults come, what is wrong is said.

Compiled once into closures, because a run's object passes through here several times in its life. Parts that are as they
were stored are skipped: what a server once accepted stays acceptable when a newer schema is stricter, as on a Kubernetes
API server. A list or map over its bound is told by that alone, so that a refusal stays readable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from sluice.domain.admission.equality import same
from sluice.domain.admission.faults import Faults, duplicate, out_of_bounds, required, too_many, wrong_type
from sluice.domain.admission.scalars import (
    Check,
    Schema,
    boolean_check,
    integer_or_string_check,
    number_check,
    text_check,
)

_UNBOUNDED = 1 << 62
_CONTAINERS = (dict, list)


def structure_check(schema: Schema) -> Check:
    """The check of one schema; what it is given is pruned and filled in place."""
    if schema.get("x-kubernetes-int-or-string"):
        return integer_or_string_check(schema)
    match schema.get("type"):
        case "object":
            return _map_check(schema) if "additionalProperties" in schema else _object_check(schema)
        case "array":
            return _list_check(schema)
        case "string":
            return text_check(schema)
        case "integer" | "number":
            return number_check(schema)
        case "boolean":
            return boolean_check
    return _anything


def _anything(value: Any, old: Any) -> Faults | None:  # noqa: ARG001
    return None


def _object_check(schema: Schema) -> Check:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    fields = {name: (structure_check(child), _accepts_null(child)) for name, child in properties.items()}
    defaults = {name: child["default"] for name, child in properties.items() if "default" in child}
    needed = tuple(schema.get("required", ()))
    count = _count_check(schema, "Properties", "properties")

    def check(value: Any, old: Any) -> Faults | None:
        if type(value) is not dict:
            return wrong_type(value, "object")
        before = old if type(old) is dict else None
        faults: Faults | None = None
        superfluous: list[str] = []
        for name, child in value.items():
            field = fields.get(name)
            if field is None or (child is None and not field[1]):
                superfluous.append(name)
                continue
            found = field[0](child, None) if before is None else _unless_same(field[0], child, before, name)
            if found is not None:
                faults = _with(faults, found, f".{name}")
        for name in superfluous:
            del value[name]
        for name, default in defaults.items():
            if name not in value:
                value[name] = default if type(default) not in _CONTAINERS else orjson.loads(orjson.dumps(default))
        for name in needed:
            if name not in value:
                faults = _with(faults, [required(name)], "")
        if count is not None and (found := count(len(value))) is not None:
            faults = _with(faults, found, "")
        return faults

    return check


def _map_check(schema: Schema) -> Check:
    child_check = structure_check(schema["additionalProperties"])
    accepts_null = _accepts_null(schema["additionalProperties"])
    count = _count_check(schema, "Properties", "properties")

    def check(value: Any, old: Any) -> Faults | None:
        if type(value) is not dict:
            return wrong_type(value, "object")
        if not accepts_null:
            for key in [key for key, child in value.items() if child is None]:
                del value[key]
        if count is not None and (found := count(len(value))) is not None:
            return found
        before = old if type(old) is dict else None
        faults: Faults | None = None
        if child_check is not _anything:
            for key, child in value.items():
                found = child_check(child, None) if before is None else _unless_same(child_check, child, before, key)
                if found is not None:
                    faults = _with(faults, found, f".{key}")
        return faults

    return check


def _list_check(schema: Schema) -> Check:
    child_check = structure_check(schema["items"])
    keys: tuple[str, ...] = tuple(schema.get("x-kubernetes-list-map-keys", ()))
    count = _count_check(schema, "Items", "items")

    def check(value: Any, old: Any) -> Faults | None:
        if type(value) is not list:
            return wrong_type(value, "array")
        if count is not None and (found := count(len(value))) is not None:
            return found
        before = _by_key(old, keys) if keys and old else {}
        faults: Faults | None = None
        for index, child in enumerate(value):
            stored = before.get(_key_of(child, keys)) if before else None
            if stored is not None and same(child, stored):
                continue
            found = child_check(child, stored)
            if found is not None:
                faults = _with(faults, found, f"[{index}]")
        if keys and (found := _duplicates(value, keys)) is not None:
            faults = _with(faults, found, "")
        return faults

    return check


def _unless_same(check: Check, child: Any, before: dict[str, Any], name: str) -> Faults | None:
    stored = before.get(name)
    if type(child) in _CONTAINERS:
        return None if stored is not None and same(child, stored) else check(child, stored)
    return None if type(child) is type(stored) and child == stored else check(child, stored)


def _accepts_null(schema: Schema) -> bool:
    return bool(schema.get("nullable", False))


def _count_check(schema: Schema, what: str, plural: str) -> Callable[[int], Faults | None] | None:
    """A check of how many there are, or None where there is no bound."""
    least, most = schema.get(f"min{what}", 0), schema.get(f"max{what}", _UNBOUNDED)
    if not least and most == _UNBOUNDED:
        return None

    def check(count: int) -> Faults | None:
        if count > most:
            return too_many(count, most)
        return None if count >= least else out_of_bounds(count, f"have at least {least} {plural}")

    return check


def _key_of(item: Any, keys: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(item.get(key) for key in keys) if type(item) is dict else ()


def _by_key(items: Any, keys: tuple[str, ...]) -> dict[tuple[Any, ...], Any]:
    return {_key_of(item, keys): item for item in items} if type(items) is list else {}


def _duplicates(items: list[Any], keys: tuple[str, ...]) -> Faults | None:
    seen: set[bytes] = set()
    faults: Faults = []
    for index, item in enumerate(items):
        if type(item) is dict:
            key = {name: item[name] for name in keys if name in item}
            encoded = orjson.dumps(key)
            if encoded in seen:
                faults.append(duplicate(index, key))
            seen.add(encoded)
    return faults or None


def _with(faults: Faults | None, found: Faults, step: str) -> Faults:
    """``faults``, which may be none yet, and what was found one ``step`` below."""
    below = [fault.below(step) for fault in found] if step else found
    if faults is None:
        return below
    faults.extend(below)
    return faults
