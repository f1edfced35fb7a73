"""How each part of a kind merges: which maps and lists are owned piece by piece and which only as a whole.

A shape is read from a structural OpenAPI v3 schema as Kubernetes reads it: maps are granular unless
``x-kubernetes-map-type: atomic``, lists are atomic unless ``x-kubernetes-list-type`` says ``map`` (items by
``x-kubernetes-list-map-keys``) or ``set``; where the schema is silent, the value decides: maps granular, the rest atomic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sluice.domain.objects.fieldsets import key_element

Sort = Literal["leaf", "map", "items", "set", "any"]


@dataclass(slots=True)
class Shape:
    """How one value merges.

    ``fields`` are a map's declared fields, ``extra`` the shape of its other keys (None: there may be none); ``keys`` name
    an item of a list-map, ``key_defaults`` stand in for those left out, ``item`` is the shape of its items.
    """

    sort: Sort
    fields: dict[str, Shape] = field(default_factory=dict)
    extra: Shape | None = None
    item: Shape | None = None
    keys: tuple[str, ...] = ()
    key_defaults: dict[str, Any] = field(default_factory=dict)

    def of_key(self, key: str) -> Shape:
        """The shape of the value under ``key``."""
        return self.fields.get(key) or self.extra or ANY

    def declares(self, key: str) -> bool:
        """True if ``key`` is a declared field, not an entry that the author of the object made up."""
        return key in self.fields

    def element_of(self, item: Any) -> str:
        """The path element of an item of a list-map."""
        if not isinstance(item, dict):
            return key_element({})
        known = {key: item.get(key, self.key_defaults.get(key)) for key in self.keys}
        return key_element({key: value for key, value in known.items() if value is not None})

    def resolved(self, value: Any) -> Shape:
        """The shape that fits ``value``: the value decides where the schema is silent or the value is of another type."""
        if self.sort == "any":
            return ANY_MAP if isinstance(value, dict) else LEAF
        fits = isinstance(value, dict) if self.sort == "map" else isinstance(value, list)
        return self if fits else LEAF


LEAF = Shape("leaf")
ANY = Shape("any")
ANY_MAP = Shape("map", extra=ANY)
TEXTS = Shape("map", extra=LEAF)

METADATA = Shape(
    "map",
    fields={
        "labels": TEXTS,
        "annotations": TEXTS,
        "finalizers": Shape("set"),
        "ownerReferences": Shape("items", item=LEAF, keys=("uid",)),
    },
    extra=ANY,
)


def shape_of(schema: Mapping[str, Any] | None) -> Shape:
    """The shape of a whole object. Without a schema, everything below ``spec`` and ``status`` is deduced from values."""
    if schema is None:
        return Shape("map", fields={"metadata": METADATA, "spec": ANY, "status": ANY}, extra=ANY)
    shape = _compiled(schema)
    return Shape("map", fields={**shape.fields, "metadata": METADATA}, extra=shape.extra)


def _compiled(schema: Mapping[str, Any]) -> Shape:
    if schema.get("x-kubernetes-map-type") == "atomic":
        return LEAF
    if schema.get("type") == "array":
        return _compiled_list(schema)
    properties = schema.get("properties") or {}
    additional = schema.get("additionalProperties")
    if schema.get("type") != "object" and not properties:
        return ANY if "type" not in schema or schema.get("x-kubernetes-preserve-unknown-fields") else LEAF
    extra = None
    if isinstance(additional, Mapping):
        extra = _compiled(additional)
    elif additional or schema.get("x-kubernetes-preserve-unknown-fields") or not properties:
        extra = ANY
    return Shape("map", fields={name: _compiled(part) for name, part in properties.items()}, extra=extra)


def _compiled_list(schema: Mapping[str, Any]) -> Shape:
    items = schema.get("items") or {}
    match schema.get("x-kubernetes-list-type", "atomic"):
        case "map":
            keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
            properties = items.get("properties") or {}
            defaults = {key: properties[key]["default"] for key in keys if "default" in properties.get(key, {})}
            return Shape("items", item=_compiled(items), keys=keys, key_defaults=defaults)
        case "set":
            return Shape("set")
    return LEAF
