"""The rules of a schema as a function over objects: the part that speaks of several fields, and of what was before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sluice.domain.admission.equality import same
from sluice.domain.admission.faults import INVALID, Fault, Faults
from sluice.domain.admission.rule import Rule, rule_of
from sluice.domain.admission.scalars import Check, Schema


def consistency_check(schema: Schema, known: Mapping[str, Rule]) -> Check | None:
    """The check of all rules in ``schema``, None where it has none; only for values whose structure was found sound.

    ``known`` holds the rules by CEL text; KeyError when the schema has one without a predicate.
    """
    rules = tuple(rule_of(entry, known) for entry in schema.get("x-kubernetes-validations", ()))
    children = _children_check(schema, known)
    if not rules:
        return children

    def check(value: Any, old: Any) -> Faults | None:
        found = _broken(rules, value, old)
        below = children(value, old) if children else None
        if found and old is not None and same(value, old):
            found = None  # it was so before: only what is written now is judged
        return [*(found or ()), *(below or ())] or None

    return check


def _broken(rules: tuple[Rule, ...], value: Any, old: Any) -> Faults | None:
    faults: Faults | None = None
    for rule in rules:
        if rule.is_transition and old is None:
            continue
        if not rule.holds(value, old):
            path = f".{rule.field}" if rule.field else ""
            faults = [*(faults or ()), Fault(path, INVALID, f"Invalid value: {rule.message}")]
    return faults


def _children_check(schema: Schema, known: Mapping[str, Rule]) -> Check | None:
    if "properties" in schema:
        return _fields_check(schema["properties"], known)
    values = schema.get("additionalProperties") or schema.get("items")
    each = consistency_check(values, known) if isinstance(values, dict) else None
    if each is None:
        return None
    if "items" in schema:
        return _items_check(each, tuple(schema.get("x-kubernetes-list-map-keys", ())))
    return _entries_check(each)


def _fields_check(properties: Mapping[str, Schema], known: Mapping[str, Rule]) -> Check | None:
    compiled = {name: consistency_check(child, known) for name, child in properties.items()}
    checks = [(name, check) for name, check in compiled.items() if check is not None]
    if not checks:
        return None

    def check(value: Any, old: Any) -> Faults | None:
        faults: Faults | None = None
        for name, child_check in checks:
            if name in value:
                found = child_check(value[name], old.get(name) if old else None)
                if found:
                    faults = faults or []
                    faults.extend(fault.below(f".{name}") for fault in found)
        return faults

    return check


def _entries_check(each: Check) -> Check:
    def check(value: Any, old: Any) -> Faults | None:
        faults: Faults = []
        for key, child in value.items():
            found = each(child, old.get(key) if old else None)
            faults.extend(fault.below(f".{key}") for fault in found or ())
        return faults or None

    return check


def _items_check(each: Check, keys: tuple[str, ...]) -> Check:
    def check(value: Any, old: Any) -> Faults | None:
        if not keys and old is not None and same(value, old):
            return None  # items without keys have no old ones of their own
        stored = {tuple(item.get(key) for key in keys): item for item in old} if keys and old else {}
        faults: Faults = []
        for index, child in enumerate(value):
            found = each(child, stored.get(tuple(child.get(key) for key in keys)) if stored else None)
            faults.extend(fault.below(f"[{index}]") for fault in found or ())
        return faults or None

    return check
