"""Random objects out of structural schemas: values that fit, and stored ones next to what somebody made of them."""

from __future__ import annotations

import copy
import re
from functools import cache
from typing import Any

from hypothesis import strategies as st

from sluice.crds import schemas
from tests.domain.admission.objects import NAMES

Schema = dict[str, Any]

ANYTHING = st.sampled_from([None, True, 1, "1", [], [1, None], {}, {"a": 1}, {"a": True}, {"b": {"c": []}}])
MOMENTS = st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01T00:00:00+01:00"])
KEYS = st.sampled_from(["v1", "v2", "ana", "Bad Key", "sandbox", "x" * 41])


def values(schema: Schema) -> st.SearchStrategy[Any]:
    """Values whose structure fits ``schema``; whether its rules hold is left to chance."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object":
            return _maps(schema) if "additionalProperties" in schema else _objects(schema)
        case "array":
            return _lists(schema)
        case "string":
            return MOMENTS if schema.get("format") == "date-time" else _texts(schema)
        case "integer" | "number":
            return st.integers(schema.get("minimum", 0), min(schema.get("maximum", 9), schema.get("minimum", 0) + 3))
        case "boolean":
            return st.booleans()
    if schema.get("x-kubernetes-int-or-string"):
        return st.sampled_from([0, 25, "0.5", "100"])
    return ANYTHING


def _texts(schema: Schema) -> st.SearchStrategy[str]:
    if pattern := schema.get("pattern"):
        return st.sampled_from(_matching(pattern, schema["maxLength"]))
    shortest = schema.get("minLength", 0)
    return st.sampled_from(["a" * max(shortest, 1), "b" * max(shortest, 1)])


SAMPLES = (
    "a",
    "b_1",
    "a?",
    "v1",
    "v12",
    "d-0123456789ab",
    "1s",
    "30m",
    "Never",
    "25",
    "0.5",
    "512Mi",
    "100m",
    "a@b.cd",
)
SAMPLES += (f"sha256:{'0' * 64}", "Ready", "hello-world")


@cache
def _matching(pattern: str, longest: int) -> tuple[str, ...]:
    found = tuple(text for text in SAMPLES if len(text) <= longest and re.search(pattern, text))
    assert found, f"no sample matches {pattern}: add one to SAMPLES"
    return found


@st.composite
def _objects(draw: st.DrawFn, schema: Schema) -> dict[str, Any]:
    properties = schema["properties"]
    needed = set(schema.get("required", ()))
    optional = [name for name in properties if name not in needed]
    most = min(3, schema.get("maxProperties", 3), len(optional))
    chosen = draw(st.lists(st.sampled_from(optional), max_size=most, unique=True)) if most else []
    if not chosen and len(needed) < schema.get("minProperties", 0):
        chosen = [draw(st.sampled_from(optional))]
    return {name: draw(values(properties[name])) for name in (*sorted(needed), *chosen)}


@st.composite
def _maps(draw: st.DrawFn, schema: Schema) -> dict[str, Any]:
    return draw(st.dictionaries(KEYS, values(schema["additionalProperties"]), max_size=2))


@st.composite
def _lists(draw: st.DrawFn, schema: Schema) -> list[Any]:
    keys = schema.get("x-kubernetes-list-map-keys")
    return draw(
        st.lists(
            values(schema["items"]),
            min_size=schema.get("minItems", 0),
            max_size=max(schema.get("minItems", 0), 2),
            unique_by=(lambda item: tuple(item[key] for key in keys)) if keys else None,
        )
    )


@st.composite
def changed(draw: st.DrawFn, value: Any, schema: Schema) -> Any:
    """``value`` with something in it drawn anew, added or left out."""
    fields = schema.get("properties")
    if type(value) is not dict or not (fields or "additionalProperties" in schema):
        return draw(values(schema))
    name = draw(st.sampled_from(sorted(fields or (*value, "v1", "Bad Key"))))
    child = fields[name] if fields else schema["additionalProperties"]
    result = copy.deepcopy(value)
    if name not in value:
        result[name] = draw(values(child))
    elif name not in schema.get("required", ()) and draw(st.integers(0, 3)) == 0:
        del result[name]
    else:
        result[name] = draw(changed(result[name], child))
    return result


@st.composite
def objects(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """An object of ``kind`` whose structure fits."""
    name = draw(st.sampled_from([NAMES[kind], "a-v1", "hello.world", "Bad"]))
    spec = draw(values(schemas()[kind]["properties"]["spec"]))
    return {"apiVersion": "sluice.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


@st.composite
def writes(draw: st.DrawFn, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A stored object and what somebody wants to put in its place."""
    old = draw(objects(kind))
    new = copy.deepcopy(old)
    for _ in range(draw(st.integers(0, 2))):
        new["spec"] = draw(changed(new["spec"], schemas()[kind]["properties"]["spec"]))
    return old, new
