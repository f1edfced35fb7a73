from __future__ import annotations

import sys

import pytest

from sluice.domain.expressions import Bindings, EvaluationError, Scope, compile_value, evaluate
from tests.domain.expressions.evaluated import SCOPE, compiled_value, problems, result


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("${ payload.n }", 3),
        ("${ payload.list }", [1, "a", None]),
        ("n=${ payload.n }", "n=3"),
        ("${ payload.yes }/${ payload.no }", "true/false"),
        ("[${ payload.nothing }]", "[]"),
        ("${ payload.list } and ${ payload.map }", '[1,"a",null] and {"k":{"x":2.5}}'),
        ("${ payload.n }\n", "3\n"),
        ("$${ payload.n }", "${ payload.n }"),
        ("costs $5", "costs $5"),
        (17, 17),
        (None, None),
        (["${ payload.n }", {"a": "x${ payload.n }", "b": [True]}], [3, {"a": "x3", "b": [True]}]),
        ({"${ payload.n }": "${ payload.n }"}, {"${ payload.n }": 3}),
        ({"a": "$${", "b": 1}, {"a": "${", "b": 1}),
    ],
)
def test_templates_keep_types_and_join_text(template: object, value: object) -> None:
    payload = {"n": 3, "list": [1, "a", None], "map": {"k": {"x": 2.5}}, "yes": True, "no": False, "nothing": None}
    assert result(template, payload=payload) == value


def test_literal_fields_are_the_callers_choice() -> None:
    step = {"code": "x = '${ nonsense'", "args": {"code": "${ payload.n }"}}
    compiled = compile_value(step, SCOPE, literal_fields=frozenset({"code"}))
    assert not isinstance(compiled, list)
    assert evaluate(compiled, Bindings()) == {"code": "x = '${ nonsense'", "args": {"code": "${ payload.n }"}}


def test_problems_say_where_in_the_value_they_are() -> None:
    found = problems({"to": ["ok", "x\ny ${ steps.nope.output }"], "body": "${ 1 +"})
    assert str(found[0]).partition(": steps")[0] == "to[1]: 2:6"
    assert [problem.path for problem in found] == [("to", 1), ("body",)]


def test_a_value_that_nests_without_end_is_refused() -> None:
    value: object = "${ payload }"
    for _ in range(100):
        value = [value]
    assert "nests deeper than 64" in problems(value)[0].message


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("payload.zip", r"there is no key 'zip'; where it may be missing, write \.\?zip\.orValue\(\.\.\.\)"),
        ("payload.list[7]", r"there is no item 7 in a list of 1"),
        ("payload.list.zip", "no map"),
        ("payload.nothing + 1", "test for null first"),
        ("payload.text + 1", r"write string\(\.\.\.\)"),
        ("1 / (payload.list[0] - 1)", "divide by zero"),
        ("payload.text.matches('(')", "regular expression"),
        ("timestamp(payload.text)", "imestamp"),
        ("context.seen", "context has no value here"),
    ],
)
def test_an_evaluation_error_says_what_to_do_and_where(expression: str, message: str) -> None:
    payload = {"list": [1], "nothing": None, "text": "a"}
    with pytest.raises(EvaluationError, match=message) as caught:
        result(f"${{ {expression} }}", payload=payload)
    assert caught.value.expression == expression
    assert expression in str(caught.value)


def test_the_output_of_a_step_that_did_not_succeed_is_empty() -> None:
    template = compiled_value(["${ steps.review.output.?id.orValue('') }", "${ steps.review.phase }"])
    bindings = Bindings()
    assert evaluate(template, bindings) == ["", "Pending"]
    bindings.set_step("review", phase="Failed", output={"id": "r1"})
    assert evaluate(template, bindings) == ["", "Failed"]
    bindings.set_step("review", phase="Succeeded", output=b'{"id": "r1"}', attempts=2)
    assert evaluate(template, bindings) == ["r1", "Succeeded"]


def test_a_failure_without_a_http_status_still_answers_the_retry_rule() -> None:
    rule = compiled_value("${ error.status >= 500 }")
    bindings = Bindings()
    bindings.set_record("error", {"step": "reply", "reason": "Timeout", "message": "late", "attempt": 1})
    assert evaluate(rule, bindings) is False
    bindings.set_record("error", {"step": "reply", "reason": "HTTPError", "status": 503, "attempt": 2})
    assert evaluate(rule, bindings) is True


def test_a_run_without_a_schedule_was_due_when_it_started() -> None:
    bindings = Bindings()
    bindings.set_record("run", {"name": "r1", "startedAt": "2026-01-31T09:30:00+01:00", "scheduledAt": None})
    assert evaluate(compiled_value("${ run.name } ${ run.scheduledAt }"), bindings) == "r1 2026-01-31T08:30:00Z"


def test_a_huge_result_is_refused_before_it_is_built() -> None:
    rows = [["x" * 1000] * 100] * 50
    with pytest.raises(EvaluationError, match="larger than 1 MiB"):
        result("${ payload.map(a, payload) }", payload=rows)


def test_text_joined_beyond_the_limit_is_refused() -> None:
    with pytest.raises(EvaluationError, match="larger than 1 MiB"):
        result("${ payload }${ payload }", payload="x" * 600_000)


def test_an_expression_may_not_visit_items_for_ever() -> None:
    with pytest.raises(EvaluationError, match="more than 10,000 items"):
        result("${ payload.map(a, payload.map(b, a + b)).size() }", payload=list(range(200)))


def test_nulls_leave_the_interpreter_whole() -> None:
    template = compiled_value(["${ payload }", "${ payload.a }", "${ payload.list }"])
    bindings = Bindings()
    bindings.set("payload", {"a": None, "list": [None] * 10})
    evaluate(template, bindings)
    before = sys.getrefcount(None)
    for _ in range(300):
        evaluate(template, bindings)
    assert abs(sys.getrefcount(None) - before) < 300


def test_an_empty_scope_still_sees_payload_and_context() -> None:
    compiled = compile_value("${ payload + context }", Scope())
    assert not isinstance(compiled, list)
    bindings = Bindings()
    bindings.set("payload", "a")
    bindings.set("context", "b")
    assert evaluate(compiled, bindings) == "ab"
