"""What a sketch says is right, the compiler says too; the other way round it may be more careful."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.domain.definition.validation.expressions import parameter_types
from sluice.domain.definition.validation.outline import Outline
from sluice.domain.definition.validation.sketches import Place, sketch, surely_right
from sluice.domain.expressions import Expected, compile_value

PARAMS = {"mail": {"type": "string"}, "limit": {"type": "integer"}, "limits": {"type": "object"}}
LOOPS = [
    {"name": f"each_{item}", "logic": {"forEach": {"in": [], "as": item, "graph": "body"}}}
    for item in ("order", "steps", "payload")
]
OUTLINE = Outline(
    "spec.definition",
    {
        "params": PARAMS,
        "steps": [{"name": "a"}, {"name": "b"}, {"name": "here", "needs": ["a", "b"]}, {"name": "later"}, *LOOPS],
        "graphs": {"body": {"params": PARAMS, "steps": [{"name": "a"}, {"name": "here", "needs": ["a"]}]}},
    },
)
TYPES = frozenset(parameter_types(PARAMS).items())
HERE = Place(OUTLINE.main, TYPES, "here")
PLACES = (
    HERE,
    Place(OUTLINE.main, TYPES, "here", error=True),
    Place(OUTLINE.main, TYPES, also=frozenset({"later_still"})),
    Place(OUTLINE.named["body"], TYPES, "here"),
)

ATOMS = [
    "payload", "payload.a", "payload.?a.b", "payload.a.size()", "payload[0].x", "payload['a']", "context.seen",
    "steps.a.output", "steps.a.output.x", "steps.b.phase", "steps.later.output", "steps.nope.output", "steps.a.outputs",
    "steps.a.attempts", "steps['a'].output", ".steps.a.attempts", "params.mail", "params.limit", "params.limits.cpu",
    "params.nope", "error.status", "order.id", "run.startedAt", "run.name", "trigger.headers.x", "'a'", '"b"', "b'x'",
    "r'a'", "'a//b'", "1", "42", "0", "1.5", "2u", "0x1F", "9999999999", "true", "null", "x", "steps",
    "payload.steps.nope", "payload.in", "payload._id", "steps._.output", "params._string", "payload.`a-b`", "'\\n'",
    "'''a'''", "has(payload.a)", "has(payload)", "has(steps.a.output)", "has(steps.a.output.x)", "has(params.mail)",
    "type(payload)", "payload.a.map(x,x.id)", "[1].map(steps,steps.later)", "[1].map(payload,payload.x)",
    "cel.bind(steps,payload,steps.nope.output)", "math.greatest(1,'a')", "payload.a{b:1}", "'a'.foo",
    "optional.of(payload)", "''''a'", "é", "'\x00'", "now()",
]  # fmt: skip
JOINTS = ["+", "==", ">", "&&", " in ", "?", ":", ".", "", ", ", " ", "'", "//", "\n", "(", ")", "[", "]"]

EXPRESSIONS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: (
        st.tuples(inner, st.sampled_from(JOINTS), inner).map("".join)
        | st.tuples(inner, inner, inner).map(lambda parts: f"{parts[0]} ? {parts[1]} : {parts[2]}")
        | st.tuples(inner, inner).map(lambda parts: f"{{'k': {parts[0]}, 'j': [{parts[1]}]}}")
        | st.tuples(st.sampled_from(["x", "steps", "payload"]), inner).map(lambda p: f"payload.l.map({p[0]}, {p[1]})")
    ),
    max_leaves=5,
)


def text_of(expression: str) -> str | None:
    drawn = sketch(expression, TYPES)
    return drawn.text if drawn else None


@settings(deadline=None, max_examples=400)
@given(EXPRESSIONS, st.sampled_from(PLACES), st.sampled_from(list(Expected)), st.sampled_from(["${E}", "a ${ E } b"]))
def test_what_is_surely_right_compiles(expression: str, place: Place, expected: Expected, around: str) -> None:
    value = around.replace("E", expression)
    if surely_right(value, place, expected):
        assert not isinstance(compile_value(value, place.scope, expected=expected), list)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("payload.customer.kind == 'high'", 'payload.account.tier == "low"'),
        ("steps.a.output.rows[3] + 1", "steps.b.output.columns[12] + 7"),
        ("params.mail + 'x'", "params.mail + 'yz'"),
        ("payload.?a.orValue('it is // no comment')", "payload.?b.orValue('')"),
        ("has(payload.a) && has(steps.a.output.x)", "has(payload.b) && has(steps.b.output.y)"),
    ],
)
def test_expressions_of_equal_types_have_one_sketch(one: str, other: str) -> None:
    assert text_of(one) == text_of(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("payload.a + 1", "payload.a + 1.5"),
        ("payload.a + 1", "payload.a + 1u"),
        ("steps.a.output", "steps.a.phase"),
        ("params.mail", "params.limit"),
        ("payload.a.size()", "payload.a.size"),
        ("payload.in", "payload.on"),
        ("'a' 'b'", "'''a'"),
    ],
)
def test_expressions_of_other_types_have_another(one: str, other: str) -> None:
    assert text_of(one) != text_of(other)


@pytest.mark.parametrize(
    "expression",
    ["steps.later.output", "steps.nope.output", "steps . a . output", "steps", "params.nope", "payload._id", "'\\n'", "'é'",
     "1 // one", "has(payload)", "has(steps.a.output)", "'''a'''", "'\0'", "payload.`a`", "'" + "a" * 2000 + "'"],
)  # fmt: skip
def test_what_a_sketch_does_not_understand_is_left_to_the_compiler(expression: str) -> None:
    assert not surely_right(f"${{{expression}}}", HERE)


def test_a_loop_over_a_name_of_the_language_is_left_to_the_compiler() -> None:
    inside = PLACES[3]
    assert inside.graph.local == {"order", "steps", "payload"}
    assert surely_right("${ order.id == 1 }", inside)
    assert not surely_right("${ payload.id == 1 }", inside)
    assert not surely_right("${ .steps.a.attempts }", inside)


@pytest.mark.parametrize(
    ("value", "expected", "surely"),
    [
        ("${ payload.done }", Expected.BOOLEAN, True),
        ("${ payload.n > 1 }", Expected.BOOLEAN, True),
        ("${ 'a' }", Expected.BOOLEAN, False),
        ("${ payload.a } and ${ steps.a.output }", Expected.TEXT, True),
        ("${ payload.a } and ${ steps.a.output }", Expected.BOOLEAN, False),
        ("${ {'a': '}'} }", Expected.MAP, True),
        ("${ payload.?a }", Expected.ANY, False),
        ("${", Expected.ANY, False),
        ("${ }", Expected.ANY, False),
        ("$${ no expression", Expected.ANY, True),
        ({"a": [1, None, "x", {"b": "${ payload.b }"}]}, Expected.ANY, True),
        ({"a": [{"b": "${ payloud.b }"}]}, Expected.ANY, False),
    ],
)
def test_a_value_is_right_when_all_in_it_is(value: Any, expected: Expected, surely: bool) -> None:
    assert surely_right(value, HERE, expected) is surely


def test_a_value_that_nests_deeply_is_left_to_the_compiler() -> None:
    value: Any = "${ payload.a }"
    for _ in range(100):
        value = [value]
    assert not surely_right(value, HERE)
