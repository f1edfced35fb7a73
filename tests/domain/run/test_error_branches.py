"""A failure goes on, to a handler, or ends the run."""

from __future__ import annotations

from sluice.domain.run.simulation import failed, succeeded
from tests.domain.run.builders import CONTINUE, SECOND, code, definition, ends, goto, play, starts, switch


def test_a_failure_fails_the_run():
    """R265, R136."""
    played = play(definition(code("a"), code("b", needs=["a"])), {"a": failed("CodeFailed", "boom")})
    assert ends(played) == {"a": "Failed", "b": "UpstreamFailed"}
    assert (played.body["phase"], played.body["reason"]) == ("Failed", "CodeFailed")
    assert played.body["failure"] == {
        "step": "a",
        "attempt": 1,
        "reason": "CodeFailed",
        "message": "boom",
        "logTail": "",
    }


def test_a_failure_that_an_error_branch_handled_does_not_fail_the_run():
    """R267, example 3."""
    defined = definition(
        code("a", onError=goto("h")), code("h"), outputs={"a": "${ steps.a.output }", "h": "${ steps.h.output.by }"}
    )
    played = play(defined, {"a": failed("CodeFailed")})
    assert ends(played) == {"a": "Failed", "h": "Succeeded"}
    assert played.body["phase"] == "Succeeded"
    assert played.body["outputs"] == {"a": None, "h": "h"}


def test_goto_is_an_exit_like_that_of_a_switch():
    """Example 4."""
    defined = definition(code("a", onError=goto("h")), code("b", needs=["a"]), code("h"), code("c", needs=["b", "h"]))
    assert ends(play(defined, {"a": failed("CodeFailed")})) == {
        "a": "Failed",
        "b": "UpstreamFailed",
        "h": "Succeeded",
        "c": "Succeeded",
    }
    assert ends(play(defined)) == {"a": "Succeeded", "b": "Succeeded", "h": "NotSentHere", "c": "Succeeded"}


def test_a_handler_that_nobody_sent_to_is_no_obstacle_for_who_needs_both():
    defined = definition(code("a", onError=goto("h")), code("h"), code("c", needs=["a", "h"]))
    assert ends(play(defined))["c"] == "Succeeded"
    assert ends(play(defined, {"a": failed("CodeFailed")}))["c"] == "Succeeded"


def test_a_handler_may_need_what_sends_to_it():
    defined = definition(code("a", onError=goto("h")), code("b", needs=["a"]), code("h", needs=["a", "b"]))
    assert ends(play(defined, {"a": failed("CodeFailed")}))["h"] == "Succeeded"


def test_a_handler_of_two_steps_in_a_row_does_not_run_when_both_succeed():
    defined = definition(
        code("a", onError=goto("h")), code("b", needs=["a"], onError=goto("h")), code("h", needs=["a", "b"])
    )
    assert ends(play(defined))["h"] == "NotSentHere"
    assert ends(play(defined, {"b": failed("CodeFailed")}))["h"] == "Succeeded"


def test_a_handler_starts_at_the_first_failure_and_runs_once():
    """Example 4."""
    defined = definition(
        code("slow", onError=goto("h")),
        code("fast", onError=goto("h")),
        code("h", when="${ error.step == 'fast' && size(errors) == 1 }"),
    )
    outcomes = {"slow": failed("CodeFailed", took=9 * SECOND), "fast": failed("CodeFailed", took=SECOND)}
    played = play(defined, outcomes)
    assert starts(played) == ["slow", "fast", "h"]
    assert [event.step for event in played.events if event.kind == "StepEnded"] == ["fast", "h", "slow"]
    assert played.body["phase"] == "Succeeded"


def test_a_handler_sees_the_error():
    defined = definition(
        code("a", onError=goto("h")),
        {**code("h"), "action": {"http": {"url": "https://x.example/", "body": {"why": "${ error.message }"}}}},
    )
    seen = []

    def handle(attempt):
        seen.append(attempt.work.input["body"])
        return succeeded()

    play(defined, {"a": failed("HttpStatus", "503 from there", status=503), "h": handle})
    assert seen == [{"why": "503 from there"}]


def test_then_fail_runs_the_handler_and_fails_the_run():
    defined = definition(code("a", onError=goto("h", then="Fail")), code("h"), code("after", needs=["h"]))
    played = play(defined, {"a": failed("CodeFailed")})
    assert ends(played) == {"a": "Failed", "h": "Succeeded", "after": "Succeeded"}
    assert played.body["phase"] == "Failed"
    assert played.body["failure"]["step"] == "a"


def test_a_failure_whose_handler_never_ran_fails_the_run():
    defined = definition(code("a", onError=goto("h")), code("h", when="${ error.status == 404 }"))
    played = play(defined, {"a": failed("CodeFailed")})
    assert ends(played)["h"] == "WhenFalse"
    assert (played.body["phase"], played.body["failure"]["step"]) == ("Failed", "a")


def test_a_handler_that_fails_fails_the_run():
    defined = definition(code("a", onError=goto("h")), code("h"))
    played = play(defined, {"a": failed("CodeFailed"), "h": failed("Exited")})
    assert (played.body["phase"], played.body["failure"]["step"]) == ("Failed", "h")


def test_a_tolerated_failure_lets_everything_go_on():
    defined = definition(code("a", onError=CONTINUE), code("b", needs=["a"], when="${ steps.a.phase == 'Failed' }"))
    played = play(defined, {"a": failed("CodeFailed")})
    assert ends(played) == {"a": "Failed", "b": "Succeeded"}
    assert played.body["phase"] == "Succeeded"


def test_a_step_that_is_a_handler_and_a_branch_runs_for_either():
    defined = definition(
        switch("route", ("payload.direct", ["h"])), code("a", onError=goto("h")), code("h", when="${ true }")
    )
    assert ends(play(defined, payload={"direct": True}))["h"] == "Succeeded"
    assert ends(play(defined, {"a": failed("CodeFailed")}, payload={"direct": False}))["h"] == "Succeeded"
    assert ends(play(defined, payload={"direct": False}))["h"] == "BranchNotTaken"


def test_the_error_that_a_handler_sees_is_the_first_that_sent_to_it():
    defined = definition(
        code("a", onError=goto("h")),
        code("b", onError=goto("h")),
        code("slow"),
        code("h", needs=["slow"], when="${ error.step == 'b' && size(errors) == 2 }"),
    )
    took = {"a": 2 * SECOND, "b": SECOND}
    outcomes = {name: failed("CodeFailed", took=after) for name, after in took.items()}
    assert ends(play(defined, {**outcomes, "slow": succeeded(took=9 * SECOND)}))["h"] == "Succeeded"
