"""Merge patches by the examples of RFC 7386; JSON patches by their errors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.objects.patches import BadPatch, PatchFailed, json_patched, merge_patched

RFC_7386 = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=1), inner, max_size=2),
    max_leaves=8,
)


@pytest.mark.parametrize(("target", "patch", "result"), RFC_7386)
def test_a_merge_patch_does_what_the_rfc_says(target: Any, patch: Any, result: Any) -> None:
    assert merge_patched(target, patch) == result


@given(json_values, json_values)
def test_a_merge_patch_twice_is_a_merge_patch_once(target: Any, patch: Any) -> None:
    before = repr((target, patch))
    once = merge_patched(target, patch)
    assert merge_patched(once, patch) == once
    assert repr((target, patch)) == before


def test_a_json_patch_adds_moves_and_tests() -> None:
    patch = [
        {"op": "test", "path": "/a", "value": [1]},
        {"op": "add", "path": "/a/-", "value": 2},
        {"op": "move", "from": "/a", "path": "/b"},
        {"op": "add", "path": "/x~1y", "value": None},
    ]
    assert json_patched({"a": [1]}, patch) == {"b": [1, 2], "x/y": None}


@pytest.mark.parametrize("patch", [{}, "x", ["x"], [{"op": "fly", "path": "/a"}], [{"op": "add"}]])
def test_what_is_no_json_patch_is_told_so(patch: Any) -> None:
    with pytest.raises(BadPatch):
        json_patched({}, patch)


def test_too_many_operations_are_refused() -> None:
    with pytest.raises(BadPatch, match="maximum operations"):
        json_patched({}, [{"op": "add", "path": "/a", "value": 1}] * 10_001)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/none"},
        {"op": "replace", "path": "/none", "value": 1},
        {"op": "add", "path": "/a/b/c", "value": 1},
        {"op": "test", "path": "/a", "value": 2},
        {"op": "add", "path": "/list/7", "value": 2},
        {"op": "remove", "path": "/list/x"},
    ],
)
def test_an_operation_that_does_not_fit_is_a_failure(operation: dict[str, Any]) -> None:
    with pytest.raises(PatchFailed):
        json_patched({"a": 1, "list": []}, [operation])


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        ({"op": "replace", "path": "/spec/nope/x", "value": 1}, "replace /spec/nope/x: member 'nope' is not there"),
        ({"op": "remove", "path": "/spec/q"}, "remove /spec/q: can't remove a non-existent object 'q'"),
        ({"op": "test", "path": "/spec/code", "value": 1}, "test /spec/code: "),
    ],
)
def test_a_failure_names_the_operation_and_quotes_no_whole_object(operation: dict[str, Any], told: str) -> None:
    with pytest.raises(PatchFailed) as caught:
        json_patched({"spec": {"code": "x" * 9000}}, [{"op": "add", "path": "/spec/a", "value": 1}, operation])
    assert told in str(caught.value)
    assert len(str(caught.value)) < 300
