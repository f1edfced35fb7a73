"""Random objects, and a schema with every way to merge."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from sluice.domain.objects.shapes import shape_of

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "percent": {"type": "integer"},
                "owner": {"type": "string"},
                "limits": {"type": "object", "additionalProperties": {"type": "string"}},
                "steps": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string"},
                            "retries": {"type": "integer"},
                            "image": {"type": "string"},
                        },
                    },
                },
                "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                "plain": {"type": "array", "items": {"type": "string"}},
                "whole": {
                    "type": "object",
                    "x-kubernetes-map-type": "atomic",
                    "additionalProperties": {"type": "string"},
                },
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "nested": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
            },
        },
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
SHAPE = shape_of(SCHEMA)

words = st.sampled_from(["a", "b", "c"])
values = st.sampled_from(["1", "2"])
texts = st.dictionaries(words, values, max_size=3)
steps = st.lists(
    st.fixed_dictionaries({"name": words}, optional={"retries": st.integers(0, 2), "image": values}),
    max_size=3,
    unique_by=lambda step: step["name"],
)
free = st.recursive(
    values | st.lists(values, max_size=2), lambda inner: st.dictionaries(words, inner, max_size=3), max_leaves=6
)
specs = st.fixed_dictionaries(
    {},
    optional={
        "percent": st.integers(0, 2),
        "owner": values,
        "limits": texts,
        "steps": steps,
        "tags": st.lists(words, unique=True, max_size=3),
        "plain": st.lists(values, max_size=2),
        "whole": texts,
        "free": st.dictionaries(words, free, max_size=3),
        "nested": st.fixed_dictionaries({}, optional={"a": values, "b": values}),
    },
)
objects = st.builds(lambda spec, labels: {"metadata": {"labels": labels}, "spec": spec}, specs, texts)
managers = st.sampled_from(["ana", "bob", "git"])

elements = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"y"'])
"""Path elements."""


def _tree(children: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda below, member: {".": {}, **below} if member and below else below,
        st.dictionaries(elements, children, max_size=3),
        st.booleans(),
    )


nodes = st.recursive(st.just({}), _tree, max_leaves=8)
field_sets = st.dictionaries(elements, nodes, max_size=3)
