"""Payloads and outputs are checked against bounded JSON Schemas (R198, R247)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.expressions.schema import check_schema, validate

ORDER = {
    "type": "object",
    "required": ["id", "items"],
    "properties": {
        "id": {"type": "string", "pattern": "^o-[0-9]+$"},
        "items": {"type": "array", "items": {"$ref": "#/$defs/item"}, "maxItems": 3},
        "tags": {"type": "array", "uniqueItems": True},
    },
    "additionalProperties": False,
    "$defs": {"item": {"type": "object", "properties": {"count": {"type": "integer", "minimum": 1}}}},
}


def doubling(levels: int) -> dict[str, object]:
    """Definitions each of which names the next one twice."""
    names: dict[str, object] = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(levels)}
    return {"$defs": {**names, f"a{levels}": True}, "$ref": "#/$defs/a0"}


@pytest.mark.parametrize(
    "schema",
    [True, {}, ORDER, {"x-order": 1}, {"if": {"type": "string"}, "then": {"maxLength": 3}, "else": True}, doubling(8)],
)
def test_a_bounded_schema_is_fine(schema: object) -> None:
    assert check_schema(schema) == []


@pytest.mark.parametrize(
    ("schema", "complaint"),
    [
        (5, "a schema is a map, or true or false"),
        ({"type": "objekt"}, "type: 'objekt' is not valid"),
        ({"properties": {"a": {"type": ["string", "int"]}}}, "properties.a.type: "),
        ({"properties": 5}, "properties: 5 is not of type 'object'"),
        ({"required": "id"}, "required: 'id' is not of type 'array'"),
        ({"items": {"$ref": "https://example.com/x.json"}}, "items.$ref: a reference leads to the schema's own $defs"),
        ({"$ref": "#"}, "write #/$defs/name"),
        ({"$ref": "#/$defs/b", "$defs": {"a": {}}}, "$defs.b, which does not exist; there are: a"),
        ({"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}}, "schemas can't be recursive"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "schemas are of 2020-12"),
        ({"patternProperties": {"^(a+)+$": {}}}, "the keyword patternProperties can't be used here"),
        ({"properties": {"a": {"minimun": 1}}}, "properties.a.minimun: the keyword minimun can't be used"),
        ({"pattern": "(?=look)ahead"}, "it has no look-around"),
        ({"pattern": "("}, "missing )"),
        ({"pattern": "a" * 300}, "256 are the limit"),
        ({"description": "x" * 70_000}, "65536 are the limit"),
        (doubling(14), "schemas; 5000 are the limit"),
        ({"const": {1}}, "the schema is no JSON"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_wrong_with_a_schema_is_said_with_its_place(schema: object, complaint: str) -> None:
    assert complaint in "\n".join(str(problem) for problem in check_schema(schema))


def test_a_schema_that_nests_without_end_is_refused() -> None:
    schema: dict[str, object] = {}
    for _ in range(60):
        schema = {"items": schema}
    assert "nests deeper than 32" in check_schema(schema)[0].message


@pytest.mark.parametrize(
    ("value", "complaints"),
    [
        ({"id": "o-1", "items": [{"count": 2}, {"count": 2.0}]}, []),
        ({"items": []}, ["'id' is a required property"]),
        ({"id": "x", "items": []}, ["id: 'x' does not match '^o-[0-9]+$'"]),
        ({"id": "o-1", "items": [{"count": 1}, {"count": 0}]}, ["items[1].count: 0 is less than the minimum of 1"]),
        ({"id": "o-1", "items": [{"count": True}]}, ["items[0].count: True is not of type 'integer'"]),
        ({"id": "o-1", "items": [], "tags": [1, "1", 1.0]}, ["tags: two items are equal, and uniqueItems forbids it"]),
        ({"id": "o-1", "items": [], "tags": [{"a": 1, "b": 2}, {"b": 2, "a": 1}]}, ["tags: two items are equal, and"]),
        ({"id": "o-1", "items": [], "other": 1}, ["Additional properties are not allowed ('other' was unexpected)"]),
        ([], ["[] is not of type 'object'"]),
    ],
)
def test_a_value_that_breaks_its_schema_is_told_where(value: object, complaints: list[str]) -> None:
    found = [str(problem) for problem in validate(ORDER, value)]
    assert len(found) == len(complaints)
    assert all(text.startswith(start) for text, start in zip(found, complaints, strict=True))


def test_a_pattern_takes_linear_time_whatever_the_text() -> None:
    assert len(validate({"pattern": "^(a+)+$"}, "a" * 100_000 + "b")) == 1


def test_many_breaches_are_cut_short_and_long_ones_keep_their_end() -> None:
    found = validate({"items": {"type": "integer"}}, ["x" * 5_000] * 100)
    assert len(found) == 20
    assert all(len(problem.message) < 320 and problem.message.endswith("is not of type 'integer'") for problem in found)


def test_unique_items_of_a_large_list_are_compared_in_one_pass() -> None:
    assert validate({"uniqueItems": True}, [{"id": number} for number in range(50_000)]) == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
schemas = st.recursive(
    st.booleans()
    | st.dictionaries(st.sampled_from(["type", "minimum", "pattern", "$ref", "enum"]), json_values, max_size=2),
    lambda inner: (
        st.fixed_dictionaries({"items": inner}) | st.fixed_dictionaries({"properties": st.just({"a": inner})})
    ),
    max_leaves=4,
)


@given(schemas | json_values, json_values)
def test_a_schema_that_passes_the_check_never_fails_to_validate(schema: object, value: object) -> None:
    if not check_schema(schema):
        assert all(problem.message for problem in validate(schema, value))
