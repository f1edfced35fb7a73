"""A value is converted once, and what is bound anew is seen at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.expressions import Bindings, evaluate
from tests.domain.expressions.evaluated import compiled_value


def test_a_value_is_converted_when_first_named_and_never_again() -> None:
    bindings = Bindings()
    encoded = b'{"rows": [1, 2, 3]}'
    bindings.set_encoded("payload", encoded)
    expressions = [compiled_value(f"${{ payload.rows[{index}] + context.base }}") for index in range(3)]
    bindings.set("context", {"base": 10})
    assert [evaluate(expression, bindings) for expression in expressions] == [11, 12, 13]
    kept = bindings._converted["payload"]
    assert evaluate(compiled_value("${ payload.rows.map(r, r * 2) }"), bindings) == [2, 4, 6]
    assert bindings._converted["payload"] is kept


def test_what_no_expression_names_is_not_converted() -> None:
    bindings = Bindings()
    bindings.set("payload", object())
    bindings.set("context", {"seen": 1})
    assert evaluate(compiled_value("${ context.seen }"), bindings) == 1


def test_a_name_bound_anew_is_seen_by_expressions_that_saw_it_before() -> None:
    bindings = Bindings()
    bindings.set("payload", 1)
    bindings.set("context", {"seen": 1})
    both, one = compiled_value("${ payload + context.seen }"), compiled_value("${ context.seen }")
    assert (evaluate(both, bindings), evaluate(one, bindings)) == (2, 1)
    bindings.set("context", {"seen": 5})
    assert (evaluate(both, bindings), evaluate(one, bindings)) == (6, 5)
    bindings.set_encoded("context", b'{"seen": 7}')
    assert (evaluate(both, bindings), evaluate(one, bindings)) == (8, 7)


def test_an_expression_may_be_evaluated_more_often_than_an_activation_is_kept() -> None:
    bindings = Bindings()
    bindings.set("payload", {"n": 1})
    expression = compiled_value("${ payload.n + 1 }")
    assert {evaluate(expression, bindings) for _ in range(300)} == {2}


def test_more_sets_of_names_than_are_kept_all_evaluate() -> None:
    bindings = Bindings()
    bindings.set_params({"threshold": 1})
    bindings.set("payload", {"n": 2})
    for _ in range(200):
        bindings.set("order", {"id": 1})
        assert evaluate(compiled_value("${ payload.n + params.threshold + order.id }"), bindings) == 4


def test_the_body_of_a_loop_sees_its_item_and_the_outside_does_not() -> None:
    outside = Bindings()
    outside.set("payload", {"vat": 2})
    outside.set("order", {"price": 100})
    body = compiled_value("${ order.price * payload.vat }")
    assert [evaluate(body, outside.with_local({"order": {"price": price}})) for price in (1, 2)] == [2, 4]
    assert evaluate(body, outside) == 200


def test_a_loop_body_binds_its_own_steps() -> None:
    outside = Bindings()
    outside.set_step("classify", phase="Succeeded", output={"n": 1})
    inside = outside.with_local({"order": {}})
    inside.set_step("classify", phase="Succeeded", output=b'{"n": 2}')
    expression = compiled_value("${ steps.classify.output.n }")
    assert (evaluate(expression, outside), evaluate(expression, inside)) == (1, 2)


@given(st.lists(st.tuples(st.sampled_from(["payload", "context", "order"]), st.integers(-100, 100)), min_size=1))
def test_every_evaluation_sees_the_latest_of_each_name(writes: list[tuple[str, int]]) -> None:
    bindings, latest = Bindings(), dict.fromkeys(["payload", "context", "order"], 0)
    for name in latest:
        bindings.set(name, 0)
    expression = compiled_value(["${ payload }", "${ payload + context }", "${ [context, order].map(x, x) }"])
    for name, value in writes:
        bindings.set(name, value)
        latest[name] = value
        payload, context, order = latest.values()
        assert evaluate(expression, bindings) == [payload, payload + context, [context, order]]
