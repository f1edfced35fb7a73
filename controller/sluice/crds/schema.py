"""From pydantic models to structural schemas, the form of OpenAPI v3 that a CustomResourceDefinition takes.

pydantic writes JSON Schema: references, ``anyOf`` with null, ``patternProperties``. A structural schema has none of these,
so each model is inlined where it is used, an optional field is one that may be absent, and a map whose keys follow a
pattern is a map with a rule. Every string, list and map has a bound, because a server that can't estimate what a rule
costs refuses the whole CRD.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from sluice.api.fields import DURATION_PATTERN
from sluice.domain.admission.rule import Rule, keys_match, one_of
from sluice.domain.admission.rules import FIELD_RULES, RULES

Schema = dict[str, Any]

STATUS_TEXT_BOUND = 65536
"""Characters of a status field that states no bound; the whole status stays under 64 KiB."""

MAP_BOUND = 256
"""Entries of a map of free values that states no bound."""

UNION_COPIES = 400_000
"""With more copies of a union a server refuses its rule as too expensive; counting the keys costs nothing."""

KEYED_COPIES = 10_000
"""With more copies of a map the same goes for its keys, which are then left to validation."""

_WORDS = re.compile(r"^\^\(([A-Za-z_]+(?:\|[A-Za-z_]+)*)\)\$$")
_COPIED = (
    "type",
    "format",
    "pattern",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "maxProperties",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
)
_NEVER_DEFAULTED = frozenset({"definition", "status"})
"""What stands under these is neither defaulted by a server (a new release must change no digest) nor an intent."""


class SchemaError(Exception):
    """A model that can't be written as a structural schema; the message names the field and what to change."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a kind the walk is: the path for messages, whether defaults are written, whether bounds are filled in."""

    path: str
    defaults: bool = True
    is_status: bool = False
    copies: int = 1
    """How many of this value one object can hold, by the bounds of the lists and maps around it."""

    def child(self, name: str) -> _Place:
        quiet = name in _NEVER_DEFAULTED
        return replace(
            self,
            path=f"{self.path}.{name}".lstrip("."),
            defaults=self.defaults and not quiet,
            is_status=self.is_status or name == "status",
        )

    def inside(self, bound: int) -> _Place:
        """The place of the items of a list or the values of a map with at most ``bound`` of them."""
        return replace(self, path=f"{self.path}[]", copies=self.copies * bound)


def structural_schema(model: type[BaseModel]) -> Schema:
    """The structural schema of a kind, with its rules; ``metadata`` is left to the server but for its name."""
    document = model.model_json_schema(by_alias=True)
    walk = _Walk(document["$defs"])
    properties: Schema = {
        "apiVersion": {"type": "string", "description": "Group and version of the API."},
        "kind": {"type": "string", "description": "The kind of this object."},
        "metadata": {"type": "object"},
    }
    for name in ("spec", "status"):
        properties[name] = walk.structural(document["properties"][name], _Place("").child(name))
    schema: Schema = {
        "description": _prose(document["description"]),
        "type": "object",
        "required": ["spec"],
        "properties": properties,
    }
    return _with_rules(schema, RULES.get(model.__name__, ()))


class _Walk:
    """One pass over a model's JSON Schema; ``definitions`` are its ``$defs``."""

    def __init__(self, definitions: Schema) -> None:
        self._definitions = definitions

    def structural(self, given: Schema, place: _Place) -> Schema:
        """One node, its references inlined."""
        node, model = self._resolved(given)
        schema: Schema = {}
        if "description" in node:
            schema["description"] = _prose(node["description"])
        if place.defaults and _is_plain(node.get("default")):
            schema["default"] = node["default"]
        schema |= self._shape(node, place)
        if "description" not in schema and (meaning := _implied_meaning(schema)):
            schema["description"] = meaning
        if node.get("x-sluice-one-of") is True and place.copies > UNION_COPIES:
            return schema | {"minProperties": 1, "maxProperties": 1}
        return _with_rules(schema, (*RULES.get(model or "", ()), *_marked(node, place)))

    def _resolved(self, node: Schema) -> tuple[Schema, str | None]:
        """The node without reference and null, and the name of the model that it is."""
        model = None
        while True:
            if "$ref" in node:
                model = node["$ref"].rpartition("/")[2]
                node = {**self._definitions[model], **{key: value for key, value in node.items() if key != "$ref"}}
            options = [option for option in node.get("anyOf", ()) if option.get("type") != "null"]
            if len(options) != 1:
                return node, model
            node = {**options[0], **{key: value for key, value in node.items() if key != "anyOf"}}

    def _shape(self, node: Schema, place: _Place) -> Schema:
        if node.get("x-kubernetes-int-or-string"):
            return _int_or_string(node["anyOf"])
        if "anyOf" in node:
            if {option.get("type") for option in node["anyOf"]} == {"integer", "number"}:
                return {"type": "number"}
            raise SchemaError(f"{place.path}: a union of types has no structural schema; use one type")
        if _is_free(node):
            return _free_form(node)
        shape = {key: node[key] for key in _COPIED if key in node}
        if "const" in node:
            shape["enum"] = [node["const"]]
        if node["type"] == "object":
            shape |= self._object(node, place)
        elif node["type"] == "array":
            _check_bound(shape, "maxItems", place)
            shape["items"] = self.structural(node["items"], place.inside(shape["maxItems"]))
        elif node["type"] == "string":
            _bound_text(shape, place)
        if node.get("default") == "":
            shape.pop("format", None)  # an empty time means "not yet", which no date-time check would pass
        return shape

    def _object(self, node: Schema, place: _Place) -> Schema:
        if "properties" in node:
            properties = {
                name: _with_rules(
                    self.structural(child, place.child(name)), FIELD_RULES.get(f"{node['title']}.{name}", ())
                )
                for name, child in node["properties"].items()
            }
            required = [name for name in node.get("required", ()) if name in properties]
            return {"properties": properties} | ({"required": required} if required else {})
        values = node.get("additionalProperties")
        if "patternProperties" in node:
            (values,) = node["patternProperties"].values()
        if not isinstance(values, dict):
            return {}
        _check_bound(node, "maxProperties", place)
        return {"additionalProperties": self.structural(values, place.inside(node["maxProperties"]))}


def _implied_meaning(schema: Schema) -> str:
    """What a field without docs of its own is: what it holds, or what its spelling says."""
    if schema.get("x-kubernetes-int-or-string"):
        return "A percentage: a whole number, or a text with up to two decimals."
    if schema.get("pattern") == DURATION_PATTERN:
        return "A duration such as `30s`, `1h30m` or `7d`."
    held = schema.get("items") or schema.get("additionalProperties") or {}
    return str(held.get("description", ""))


def _marked(node: Schema, place: _Place) -> tuple[Rule, ...]:
    """The rules that a node's own markers ask for: one key of a union, keys after a pattern."""
    rules: list[Rule] = []
    if union := node.get("x-sluice-one-of"):
        rules.append(one_of(tuple(node["properties"]) if union is True else tuple(union)))
    for pattern, values in node.get("patternProperties", {}).items():
        if place.copies <= KEYED_COPIES and not _is_free(values):
            rules.append(keys_match(pattern))
    return tuple(rules)


def _is_free(node: Schema) -> bool:
    return node.get("x-kubernetes-preserve-unknown-fields", False) or not node.keys() & {"type", "anyOf", "$ref"}


def _free_form(node: Schema) -> Schema:
    """Any JSON, or a map of any JSON. A map's values are free and not the map, so that rules can compare two of them."""
    anything: Schema = {"x-kubernetes-preserve-unknown-fields": True, "nullable": True}
    if node.get("type") != "object":
        return anything
    return {"type": "object", "additionalProperties": anything, "maxProperties": node.get("maxProperties", MAP_BOUND)}


def _int_or_string(options: list[Schema]) -> Schema:
    shape: Schema = {"x-kubernetes-int-or-string": True}
    for option in options:
        shape |= {key: value for key, value in option.items() if key != "type"}
    return shape


def _bound_text(shape: Schema, place: _Place) -> None:
    if "enum" in shape:
        shape.pop("maxLength", None)
        return
    if words := _WORDS.match(shape.get("pattern", "")):
        shape.pop("pattern")
        shape.pop("maxLength", None)
        shape["enum"] = words[1].split("|")
    elif place.is_status:
        shape.setdefault("maxLength", STATUS_TEXT_BOUND)
    else:
        _check_bound(shape, "maxLength", place)


def _check_bound(shape: Schema, bound: str, place: _Place) -> None:
    if bound not in shape:
        raise SchemaError(f"{place.path}: has no {bound}; every list, map and string is bounded")


def _with_rules(schema: Schema, rules: tuple[Rule, ...]) -> Schema:
    if rules:
        schema.setdefault("x-kubernetes-validations", []).extend(rule.as_validation() for rule in rules)
    return schema


def _is_plain(default: Any) -> bool:
    return isinstance(default, bool | int | str) and default != ""


def _prose(text: str) -> str:
    """A docstring as one line of text."""
    return " ".join(text.replace("``", "`").split())
