"""Expressions are checked against what is visible at their place, before anything runs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.domain.expressions import Compiled, Cost, Expected, Scope, ValueType, compile_expression, compile_value
from sluice.domain.expressions.scope import RECORDS, STEP_FIELDS, is_identifier
from tests.domain.expressions.evaluated import SCOPE, compiled_expression, complaints

GOOD = [
    "payload.text",
    "payload",
    "context.seen + 1",
    "steps.classify.output.severity == 'high'",
    "steps.review.phase == 'Succeeded' ? steps.review.output : steps.classify.output.draft",
    "steps . classify . output",
    "steps.classify.attempts + 1",
    "steps.classify.artifacts['report']",
    "params.threshold + 1",
    "params.rate * 1.5",
    "error.status >= 500",
    "errors.exists(e, e.step == 'pay')",
    "order.id",
    "run.startedAt + duration('1h') < trigger.receivedAt",
    "trigger.headers['x-github-event'] == 'push'",
    "trigger.query.?page.orValue('1')",
    "env.tier in ['gold', 'silver']",
    "payload.orders.map(o, o.price).size()",
    "payload.steps.nope",
    "'steps.nope.output'",
    "has(payload.customer) && has(steps.classify.output.draft)",
    "'has(steps.classify.output)'",
    "math.greatest(1, 2)",
    "cel.bind(x, payload.a, x + x)",
    "'a,b'.split(',')",
    "base64.encode(b'x')",
    "[1, 2].map(steps, steps + 1)",
]

BAD = [
    ("steps.nope.output", "steps.nope is not a step that runs before this one; visible are: classify, review"),
    ("steps.reply.output", "add it to needs"),
    ("steps.clasify.output", "did you mean classify?"),
    ("steps.classify.fase", "steps.classify has no field fase; it has: phase, output"),
    ("steps.classify", "steps.classify needs a field"),
    ("steps['nope'].output", "steps.nope is not a step"),
    ("steps", "steps needs the name of a step"),
    ("size(steps.nope.output.list) > 0", "steps.nope is not a step"),
    ("params.mailto", "params.mailto is not declared; declared are: mailTo, rate, threshold; did you mean mailTo?"),
    ("params", "params needs the name of a parameter"),
    ("now()", "use run.startedAt or trigger.receivedAt"),
    ("now() - run.startedAt > duration('1h')", "now() does not exist"),
    ("frobnicate(payload)", "there is no function frobnicate(...)"),
    ("'a'.shout()", "there is no function shout(...)"),
    ("1 + 'a'", "+ does not take (int, string); write string(...)"),
    ("params.threshold + 1.5", "integers and fractions don't mix"),
    ("params.mailTo + 1", "+ does not take (string, int)"),
    ("steps.classify.phase == 1", "== does not take (string, int)"),
    ("run.startedAt + 1", "+ does not take (timestamp, int)"),
    ("env.region", "env has no field region; it has: name, type, tier"),
    ("run.nam", "did you mean name?"),
    ("paylod.x", "did you mean payload?"),
    ("payload.?x", "end it with .orValue(...)"),
    ("payload.?x + 1", "end the optional value with .orValue(...)"),
    ("type(payload)", "the value is a type"),
    ("has(steps.classify.output)", "steps.classify.output is always there"),
    ("has( run . name )", "run.name is always there"),
    ("payload.x = 1", "compare with =="),
    ("1 +", "it ends too early"),
    ("payload[1", "missing ']'"),
    ("payload.in", "no viable alternative"),
    ("if", "if is a word that CEL reserves"),
    ("99999999999999999999", "invalid int literal"),
    ("+".join(["1"] * 40), "deeper than 32"),
    ("(" * 40 + "1" + ")" * 40, "deeper than 32"),
    ("'" + "a" * 20_000 + "'", "16384 are the limit"),
    ("'\0'", "NUL character"),
    ("'\ud800'", "surrogate"),
]


@pytest.mark.parametrize("expression", GOOD)
def test_what_is_visible_compiles(expression: str) -> None:
    assert complaints(expression) == []


@pytest.mark.parametrize(("expression", "message"), BAD, ids=lambda text: text[:40].encode("unicode_escape").decode())
def test_what_is_wrong_is_said_with_what_to_do(expression: str, message: str) -> None:
    assert message in "\n".join(complaints(expression))


@pytest.mark.parametrize(
    ("expression", "line", "column"),
    [
        ("steps.nope.output", 1, 1),
        ("payload.a &&\n  steps.nope.output", 2, 3),
        ("'é😀' + zzz", 1, 8),
        ("payload.a.foo()", 1, 11),
        ("1 + 'a'", 1, 3),
    ],
)
def test_a_problem_points_at_its_place(expression: str, line: int, column: int) -> None:
    problems = compile_expression(expression, SCOPE)
    assert isinstance(problems, list)
    assert [(problem.line, problem.column) for problem in problems] == [(line, column)]


def test_every_unknown_name_is_reported_at_once() -> None:
    assert len(complaints("steps.a.output + params.b + paylod.c")) == 3


def test_every_declared_field_compiles() -> None:
    fields = [f"{record}.{field}" for record, names in RECORDS.items() for field in names]
    fields += [f"steps.classify.{field}" for field in STEP_FIELDS]
    assert [field for field in fields if complaints(field)] == []


def test_errors_are_only_known_where_something_failed() -> None:
    calm = Scope()
    assert "where something failed" in complaints("error.status >= 500", calm)[0]
    assert "where something failed" in complaints("errors.size() > 0", calm)[0]


def test_a_name_is_an_identifier_that_expressions_can_say() -> None:
    assert [name for name in ("a", "per_order", "in", "a-b", "1a", "while", "loop", "") if is_identifier(name)] == [
        "a",
        "per_order",
    ]


def test_the_names_an_expression_needs_are_known() -> None:
    expression = compiled_expression(
        "payload.orders.filter(o, o.id == params.threshold).size() + steps.review.attempts"
    )
    assert expression.names == {"payload", "params.threshold", "steps.review.attempts"}
    assert expression.cost is Cost.LOOP


@pytest.mark.parametrize(
    ("expression", "cost"),
    [
        ("payload.rows[3].x == 1 && steps.review.output.?id.orValue('') != 'a'", Cost.LOOK),
        ("params.threshold + 1 > size(payload.rows) ? -context.a : int(context.b)", Cost.LOOK),
        ("payload.name.startsWith('a') || 'b' in payload.names || has(payload.c)", Cost.LOOK),
        ("math.greatest(1, payload.n) + run.startedAt.getHours()", Cost.LOOK),
        ("payload.a + payload.b", Cost.BUILD),
        ("params.mailTo + '!'", Cost.BUILD),
        ("{'a': payload.a}", Cost.BUILD),
        ("[payload.a]", Cost.BUILD),
        ("payload.name.split(',')[0]", Cost.BUILD),
        ("payload.names.join(',')", Cost.BUILD),
        ("base64.encode(bytes(payload.a)) == ''", Cost.BUILD),
        ("-payload.list.map(a, a)[0] > 1", Cost.LOOP),
        ("{'a': [payload.list.exists(a, a > 1)]}", Cost.LOOP),
    ],
)
def test_what_an_expression_costs_is_known(expression: str, cost: Cost) -> None:
    assert compiled_expression(expression).cost is cost


@pytest.mark.parametrize(
    ("template", "expected", "message"),
    [
        ("${ payload.done }", Expected.BOOLEAN, None),
        ("${ 1 > 2 }", Expected.BOOLEAN, None),
        ("${ 'a' }", Expected.BOOLEAN, "true or false is expected here, and this is of type string"),
        ("${ true }\n", Expected.BOOLEAN, "a line break after } counts, end it with |-"),
        ("${ 1 }", Expected.TEXT, "text is expected here, and this is of type int"),
        ("${ 1 } a", Expected.TEXT, None),
        ("${ payload.orders }", Expected.LIST, None),
        ("${ [1] }", Expected.LIST, None),
        ("${ {'a': 1} }", Expected.LIST, "a list is expected here, and this is of type map<string, int>"),
        ("${ duration('1h') }", Expected.DURATION, None),
        ("${ '1h' }", Expected.DURATION, None),
        ("${ 1.5 }", Expected.INTEGER, "an integer is expected here, and this is of type double"),
    ],
)
def test_a_place_may_say_what_it_expects(template: str, expected: Expected, message: str | None) -> None:
    compiled = compile_value(template, SCOPE, expected=expected)
    found = [problem.message for problem in compiled] if isinstance(compiled, list) else []
    assert (message is None and not found) or message in found[0]


@settings(max_examples=200)
@given(
    st.text()
    | st.text(alphabet=st.sampled_from("abx.()[]{}'\"\\?:+-<=!&|1 2,\n_@`/\0"))
    | st.lists(
        st.sampled_from(
            [
                "payload",
                "steps",
                "classify",
                "reply",
                "output",
                "nope",
                '"',
                "params",
                ".",
                "?",
                "(",
                ")",
                "[",
                "'",
                "1",
            ]
        )
    ).map("".join)
)
def test_any_text_compiles_or_has_problems_inside_it(expression: str) -> None:
    compiled = compile_expression(expression, SCOPE)
    if isinstance(compiled, Compiled):
        assert compiled.source == expression.strip()
    else:
        assert compiled
        assert all(problem.message and 0 <= problem.offset <= len(expression) for problem in compiled)


def test_params_have_the_types_they_declare() -> None:
    scope = Scope(params={"on": ValueType.BOOLEAN, "tags": ValueType.ARRAY, "limits": ValueType.OBJECT})
    assert complaints("params.on && 'a' in params.tags && params.limits.cpu > 1", scope) == []
    assert "&&" in complaints("params.tags && true", scope)[0]


@pytest.mark.parametrize(
    ("expression", "places"),
    [
        ("steps.reply.output", [0]),
        ("payload.a + steps . reply . output", [12]),
        ("steps.reply.phase == 'Failed' && steps.reply.attempts > 1", [0, 33]),
        ("steps.classify.phase == steps.reply.phase", [24]),
        ("payload.steps.reply", []),
        ("'steps.reply.output'", []),
        ("'steps.reply.output' + steps.classify.phase", []),
    ],
)
def test_a_step_that_runs_later_is_refused_wherever_it_stands(expression: str, places: list[int]) -> None:
    compiled = compile_expression(expression, SCOPE)
    found = compiled if isinstance(compiled, list) else []
    assert [problem.offset for problem in found] == places
    assert all("steps.reply is not a step that runs before this one" in problem.message for problem in found)


def test_a_visible_step_needs_no_list_of_all_steps() -> None:
    assert complaints("steps.alone.output.x", Scope(steps=frozenset({"alone"}))) == []


def test_a_string_that_is_never_closed_hides_no_other_problem() -> None:
    assert len(complaints("steps.reply.output + 'a")) == 2
