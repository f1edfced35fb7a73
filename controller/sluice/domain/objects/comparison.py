"""Which fields an object has, and which of them differ between two of them."""

from __future__ import annotations

from typing import Any, NamedTuple

from sluice.domain.objects.fieldsets import SELF, FieldSet, value_element
from sluice.domain.objects.shapes import LEAF, Shape

UNOWNED = frozenset({"apiVersion", "kind"})
UNOWNED_METADATA = frozenset(
    {
        *(
            "name",
            "namespace",
            "uid",
            "creationTimestamp",
            "selfLink",
            "generation",
            "resourceVersion",
            "managedFields",
        ),
        *("deletionTimestamp", "deletionGracePeriodSeconds"),
    }
)

_CONTAINERS = (dict, list)


class Comparison(NamedTuple):
    """The fields whose value is new or different, and those that are gone."""

    changed: FieldSet
    removed: FieldSet


def ownable(obj: dict[str, Any]) -> dict[str, Any]:
    """The part of an object that anybody can own: without what the server alone writes."""
    part = {key: value for key, value in obj.items() if key not in UNOWNED}
    metadata = part.pop("metadata", None) or {}
    owned = {key: value for key, value in metadata.items() if key not in UNOWNED_METADATA}
    if owned:
        part["metadata"] = owned
    return part


def compared(shape: Shape, old: dict[str, Any], new: dict[str, Any]) -> Comparison:
    """What changed from ``old`` to ``new``, both reduced by ``ownable``; metadata itself is nobody's."""
    comparison = Comparison({}, {})
    _compare_maps(shape, old, new, comparison)
    for fields in comparison:
        if "f:metadata" in fields:
            fields["f:metadata"].pop(SELF, None)
    return comparison


def applied_fields(shape: Shape, config: dict[str, Any]) -> FieldSet:
    """The fields that an apply of ``config`` claims: declared maps only through their entries."""
    fields = _claimed(shape, config)
    metadata = fields.get("f:metadata")
    if metadata is not None and not metadata:
        del fields["f:metadata"]
    return fields


def all_fields(shape: Shape, value: Any) -> FieldSet:
    """The node of a value that is wholly new: itself and everything below it."""
    fit = shape.resolved(value)
    if fit.sort == "leaf" or not value:
        return {}
    if fit.sort == "map":
        fields: FieldSet = {SELF: {}}
        for key, entry in value.items():
            # Most entries are scalars: those are leaves, whatever their shape says.
            fields[f"f:{key}"] = all_fields(fit.of_key(key), entry) if isinstance(entry, _CONTAINERS) else {}
        return fields
    if fit.sort == "set":
        return {SELF: {}, **{value_element(entry): {} for entry in value}}
    item = fit.item or LEAF
    below = {fit.element_of(entry): all_fields(item, entry) or {} for entry in value}
    return {SELF: {}, **{element: {SELF: {}, **node} if node else {} for element, node in below.items()}}


def _compare_maps(shape: Shape, old: dict[str, Any], new: dict[str, Any], into: Comparison) -> None:
    for key, value in new.items():
        if key not in old:
            into.changed[f"f:{key}"] = all_fields(shape.of_key(key), value)
        elif old[key] != value:
            _descend(f"f:{key}", shape.of_key(key), old[key], value, into)
    if len(old) > len(new) or old.keys() - new.keys():
        for key, value in old.items():
            if key not in new:
                into.removed[f"f:{key}"] = all_fields(shape.of_key(key), value)


def _descend(element: str, shape: Shape, old: Any, new: Any, into: Comparison) -> None:
    before, after = shape.resolved(old), shape.resolved(new)
    if before.sort != after.sort or after.sort == "leaf":
        into.changed[element] = all_fields(shape, new)
        below = {key: node for key, node in all_fields(shape, old).items() if key != SELF}
        if below:
            into.removed[element] = below
        return
    inner = Comparison({}, {})
    if after.sort == "map":
        _compare_maps(after, old, new, inner)
    else:
        _compare_lists(after, old, new, inner)
    for fields, part in zip(into, inner, strict=True):
        if part:
            fields[element] = part


def _compare_lists(shape: Shape, old: list[Any], new: list[Any], into: Comparison) -> None:
    before, after = indexed(shape, old), indexed(shape, new)
    item = shape.item or LEAF
    for element, value in after.items():
        if element not in before:
            into.changed[element] = all_fields(item, value)
        elif before[element] != value:
            _descend(element, item, before[element], value, into)
    for element, value in before.items():
        if element not in after:
            into.removed[element] = all_fields(item, value)


def indexed(shape: Shape, values: list[Any]) -> dict[str, Any]:
    """The entries of a set or list-map by path element, in order; of equal ones the first."""
    index: dict[str, Any] = {}
    for value in values:
        index.setdefault(value_element(value) if shape.sort == "set" else shape.element_of(value), value)
    return index


def _claimed(shape: Shape, value: Any) -> FieldSet:
    fit = shape.resolved(value)
    if fit.sort == "map":
        fields = {}
        for key, entry in value.items():
            inner = fit.of_key(key)
            node = _claimed(inner, entry)
            if not node and entry and inner.resolved(entry).sort != "leaf" and fit.declares(key):
                continue  # it holds nothing but empty lists: no field is named
            if entry == [] and inner.sort in {"set", "items"}:
                continue  # an empty list of entries names no entry
            fields[f"f:{key}"] = node if not node or fit.declares(key) else {SELF: {}, **node}
        return fields
    if fit.sort == "set":
        return {value_element(entry): {} for entry in value}
    if fit.sort == "items":
        item = fit.item or LEAF
        nodes = {element: _claimed(item, entry) for element, entry in indexed(fit, value).items()}
        return {element: {SELF: {}, **node} if node else {} for element, node in nodes.items()}
    return {}


def undeclared(shape: Shape, value: Any, prefix: str = "") -> str:
    """The first field that the schema doesn't declare, as a path such as ``.spec.foo``; empty when there is none."""
    fit = shape.resolved(value)
    if fit.sort == "map":
        for key, entry in value.items():
            path = f"{prefix}.{key}"
            if not fit.declares(key) and fit.extra is None:
                return path
            if found := undeclared(fit.of_key(key), entry, path):
                return found
    elif fit.sort == "items" and fit.item is not None:
        for entry in value:
            if found := undeclared(fit.item, entry, f"{prefix}[]"):
                return found
    return ""
