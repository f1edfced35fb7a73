"""What templates and conditions of a step see, and what happens where they have no value."""

from __future__ import annotations

from sluice.domain.run.driver import advance, begin
from sluice.domain.run.events import STEP_ENDED, Event
from sluice.domain.run.plan import compile_plan
from sluice.domain.run.simulation import failed, succeeded
from sluice.domain.run.state import RunState
from tests.domain.run.builders import CONTINUE, START, code, definition, ends, given, play, reasons, switch


def http(name: str, body: object, **envelope) -> dict:
    return {**code(name, **envelope), "action": {"http": {"method": "POST", "url": "https://x.example/", "body": body}}}


def sent(*steps: dict, outcomes=None, **given_values) -> list:
    """Play, and gather the bodies that http steps were asked to send."""
    bodies = []

    def send(attempt):
        bodies.append(attempt.work.input["body"])
        return succeeded({"status": 200})

    prepared = {step["name"]: send for step in steps if "http" in step["action"]}
    play(definition(*steps, params={"who": {"type": "string"}}), {**prepared, **(outcomes or {})}, **given_values)
    return bodies


def test_templates_of_a_step_are_evaluated_before_it_begins():
    body = {"text": "for ${ params.who }", "n": "${ payload.n }", "list": ["${ steps.a.output.by }"], "as_is": "$${x}"}
    bodies = sent(code("a"), http("b", body, needs=["a"]), payload={"n": 3}, params={"who": "ana"})
    assert bodies == [{"text": "for ana", "n": 3, "list": ["a"], "as_is": "${x}"}]


def test_the_records_of_the_run_are_seen():
    body = ["${ env.name }", "${ run.name }", "${ run.phase }", "${ trigger.type }", "${ run.startedAt }"]
    assert sent(http("a", body)) == [["local", "w-1", "Running", "manual", "2027-01-15T08:00:00Z"]]


def test_steps_have_phase_attempts_and_key():
    body = {"phase": "${ steps.a.phase }", "n": "${ steps.a.attempts }", "key": "${ steps.a.idempotencyKey }"}
    steps = (code("a", onError=CONTINUE, retry={"limit": 1}), http("b", body, needs=["a"]))
    (seen,) = sent(*steps, outcomes={"a": failed("Exited")})
    assert seen == {"phase": "Failed", "n": 2, "key": given().idempotency_key("a")}


def test_the_output_of_a_step_that_did_not_succeed_is_empty():
    steps = (code("a", when="${ false }"), http("b", "${ steps.a.output.?id.orValue('none') }", needs=["a?"]))
    assert sent(*steps) == ["none"]


def test_code_is_never_a_template():
    step = {**code("a"), "action": {"python": {"code": "output = '${ not.a.template }'"}}}
    plan = compile_plan(definition(step))
    state = RunState(plan, given())
    (command,) = advance(plan, state, START).commands
    work = begin(plan, state, command, START).work
    assert work.input == {"code": "output = '${ not.a.template }'"}
    assert work.kind == "action.python"


def test_a_template_without_a_value_fails_the_step_naming_the_field():
    played = play(definition(http("a", "${ payload.gone }", retry={"limit": 3})), payload={})
    assert [event.kind for event in played.events] == ["StepStarted", "StepEnded", "RunEnded"]
    failure = played.body["failure"]
    assert failure["reason"] == "ExpressionFailed"
    assert failure["message"].startswith("action.http.body: there is no key 'gone'")


def test_a_condition_without_a_value_fails_the_step():
    played = play(definition(code("a", when="${ payload.gone }"), code("b", needs=["a"])), payload={})
    assert reasons(played) == {"a": "ExpressionFailed", "b": "UpstreamFailed"}
    assert played.body["phase"] == "Failed"


def test_a_condition_that_is_neither_true_nor_false_fails_the_step():
    played = play(definition(code("a", when="${ payload.n }")), payload={"n": 1})
    assert played.body["failure"]["message"] == "a condition must be true or false, and this is '1'"


def test_a_case_without_a_value_fails_the_switch_which_may_be_tolerated():
    way = switch("route", ("payload.gone == 1", ["a"]))
    assert play(definition(way, code("a")), payload={}).body["phase"] == "Failed"
    tolerated = play(definition({**way, "onError": CONTINUE}, code("a")), payload={})
    assert ends(tolerated) == {"route": "Failed", "a": "BranchNotTaken"}
    assert tolerated.body["phase"] == "Succeeded"


def test_what_can_not_be_compiled_fails_the_step_and_not_the_run_engine():
    played = play(definition(code("a"), code("b", when="${ steps.a.output == 1 }")))
    assert reasons(played)["b"] == "ExpressionFailed"


def test_a_step_sees_those_before_it_and_no_others():
    """R121, example 6."""
    seen = []

    def look(attempt):
        seen.append(sorted(attempt.steps))
        return succeeded()

    play(definition(code("a"), code("aside"), code("b", needs=["a"]), code("c", needs=["b"])), {"c": look})
    assert seen == [["a", "b"]]


def test_many_readers_of_one_output_are_decided_on_together():
    steps = [code("a"), *(code(f"s{n}", needs=["a"], when="${ steps.a.output.rows[0] == 1 }") for n in range(20))]
    plan = compile_plan(definition(*steps))
    state = RunState(plan, given())
    state.apply(Event(STEP_ENDED, "a", 1, START, {"phase": "Succeeded", "output": {"rows": [1] * 10}}))
    first = advance(plan, state, START).commands
    assert first == advance(plan, state, START).commands
    assert [command.step for command in first] == [f"s{n}" for n in range(20)]
    assert state.values.step_record("a") is state.values.step_record("a")
