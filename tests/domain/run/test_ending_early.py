"""Cancelling, timeouts, a payload that is refused: the run ends before its steps are through."""

from __future__ import annotations

from sluice.domain.run.commands import WakeAt
from sluice.domain.run.driver import advance, refuse_payload
from sluice.domain.run.events import CANCEL_REQUESTED, STEP_ENDED, STEP_STARTED, Event
from sluice.domain.run.plan import compile_plan
from sluice.domain.run.simulation import failed, succeeded
from sluice.domain.run.state import RunState
from tests.domain.run.builders import MINUTE, SECOND, START, approval, code, definition, ends, given, play, reasons

TELL = {"finally": [code("tell", when="${ run.phase != 'Succeeded' }")]}


def test_a_cancelled_run_stops_its_steps_and_runs_finally():
    """Example 10."""
    played = play(
        definition(code("a"), code("b", needs=["a"]), **TELL), {"a": succeeded(took=MINUTE)}, cancel_at=START + SECOND
    )
    assert reasons(played) == {"a": "Cancelled", "b": "RunEnding", "tell": "Completed"}
    assert (played.body["phase"], played.body["reason"]) == ("Cancelled", "Cancelled")
    assert played.body["failure"]["step"] == "a"
    assert played.events[-1].at == START + SECOND


def test_a_wish_to_cancel_after_the_verdict_changes_nothing():
    defined = definition(code("a"), **{"finally": [code("tidy")]})
    played = play(defined, {"tidy": succeeded(took=MINUTE)})
    middle = [*played.events[:3], Event(CANCEL_REQUESTED, "", 0, START, {"reason": "Cancelled"})]
    again = play(defined, {"tidy": succeeded(took=MINUTE)}, history=middle)
    assert again.body["phase"] == "Succeeded"
    assert ends(again) == {"a": "Succeeded", "tidy": "Succeeded"}


def test_a_failure_before_the_wish_to_cancel_is_the_verdict():
    defined = definition(code("bad"), code("slow"))
    outcomes = {"bad": failed("CodeFailed"), "slow": succeeded(took=MINUTE)}
    played = play(defined, outcomes, cancel_at=START + SECOND)
    assert (played.body["phase"], played.body["reason"]) == ("Failed", "CodeFailed")
    assert played.events[-1].at == START + SECOND


def test_a_failure_after_the_wish_to_cancel_does_not_change_the_verdict():
    history = [
        Event(STEP_STARTED, "a", 1, START, {}),
        Event(CANCEL_REQUESTED, "", 0, START, {"by": "ana", "reason": "Cancelled"}),
        Event(STEP_ENDED, "a", 1, START, {"phase": "Failed", "reason": "CodeFailed"}),
    ]
    played = play(definition(code("a"), code("b")), history=history)
    assert (played.body["phase"], played.body["failure"]["message"]) == ("Cancelled", "cancelled by ana")


def test_a_run_that_takes_too_long_fails_and_runs_finally():
    """Example 10."""
    played = play(definition(code("a"), timeout="10s", **TELL), {"a": succeeded(took=MINUTE)})
    assert reasons(played) == {"a": "RunTimedOut", "tell": "Completed"}
    assert (played.body["phase"], played.body["reason"]) == ("Failed", "RunTimedOut")
    assert played.body["failure"]["message"] == "the run took longer than its timeout of 10s"
    assert played.events[-1].at == START + 10 * SECOND


def test_the_clock_of_a_run_stops_while_only_waits_remain():
    """Example 11."""
    defined = definition(approval("review"), code("b", needs=["review"]), timeout="1h")
    played = play(defined, {"review": succeeded(took=120 * MINUTE), "b": succeeded(took=59 * MINUTE)})
    assert played.body["phase"] == "Succeeded"
    late = play(defined, {"review": succeeded(took=120 * MINUTE), "b": succeeded(took=61 * MINUTE)})
    assert late.body["reason"] == "RunTimedOut"
    assert late.events[-1].at == START + 180 * MINUTE


def test_the_clock_goes_on_beside_a_wait_while_something_works():
    defined = definition(approval("review"), code("b"), timeout="1h")
    played = play(defined, {"review": succeeded(took=120 * MINUTE), "b": succeeded(took=61 * MINUTE)})
    assert played.body["reason"] == "RunTimedOut"


def test_it_is_said_when_to_look_again():
    plan = compile_plan(definition(code("a"), timeout="10s"))
    state = RunState(plan, given())
    state.apply(Event(STEP_STARTED, "a", 1, START, {}))
    assert advance(plan, state, START).commands == [WakeAt(START + 10 * SECOND)]


def test_a_payload_that_does_not_match_fails_the_run_on_the_trigger():
    """R247."""
    refused = refuse_payload("payload.amount: a number is expected, this is text", START)
    played = play(definition(code("a"), code("b", needs=["a"]), **TELL), history=[refused])
    assert ends(played) == {"trigger": "Failed", "a": "RunEnding", "b": "RunEnding", "tell": "Succeeded"}
    assert (played.body["phase"], played.body["reason"]) == ("Failed", "InvalidInput")
    assert played.body["failure"]["step"] == "trigger"


def test_a_step_may_be_called_trigger():
    defined = definition(code("trigger"), code("b", needs=["trigger"]))
    assert ends(play(defined)) == {"trigger": "Succeeded", "b": "Succeeded"}
    failing = play(defined, {"trigger": failed("InvalidInput")})
    assert failing.body["failure"]["attempt"] == 1
    refused = play(defined, history=[refuse_payload("payload: a map is expected", START)])
    assert refused.body["failure"]["attempt"] == 0
    assert ends(refused) == {"trigger": "RunEnding", "b": "RunEnding"}
