"""A segment was lost, an event arrives twice or late: the history decides."""

from __future__ import annotations

from sluice.domain.run.commands import EndRun, StartStep, Wait
from sluice.domain.run.driver import advance
from sluice.domain.run.events import RUN_ENDED, STEP_ENDED, STEP_STARTED, Event
from sluice.domain.run.plan import compile_plan
from sluice.domain.run.simulation import failed, succeeded
from sluice.domain.run.state import RunState
from tests.domain.run.builders import MINUTE, SECOND, START, approval, code, definition, ends, given, play, starts


def resumed(defined: dict, *events: Event):
    plan = compile_plan(defined)
    state = RunState.resume(plan, given(), events)
    return state, advance(plan, state, START + SECOND).commands


def started(step: str, attempt: int = 1) -> Event:
    return Event(STEP_STARTED, step, attempt, START, {})


def ended(step: str, attempt: int = 1, **body) -> Event:
    return Event(STEP_ENDED, step, attempt, START, {"phase": "Succeeded", **body})


def test_an_attempt_that_was_in_flight_begins_again_under_its_number():
    _, commands = resumed(definition(code("a", retry={"limit": 1}, timeout="5s")), started("a", attempt=2))
    assert commands == [StartStep("a", 2, 5 * SECOND)]


def test_what_drained_when_the_segment_was_lost_still_finishes():
    """Siblings in flight finish, in the next segment if need be."""
    defined = definition(code("bad"), code("slow"), code("after", needs=["slow"]))
    history = [started("bad"), started("slow"), ended("bad", phase="Failed", reason="CodeFailed")]
    played = play(defined, history=history)
    assert ends(played) == {"bad": "Failed", "slow": "Succeeded", "after": "RunEnding"}
    assert starts(played) == ["bad", "slow", "slow"]


def test_what_was_cancelled_when_the_segment_was_lost_is_not_begun_again():
    defined = definition(code("bad"), code("slow"), failurePolicy="Cancel")
    history = [started("bad"), started("slow"), ended("bad", phase="Failed", reason="CodeFailed")]
    played = play(defined, history=history)
    assert starts(played) == ["bad", "slow"]
    assert ends(played) == {"bad": "Failed", "slow": "Failed"}


def test_a_retry_that_was_due_meanwhile_begins_at_once():
    defined = definition(code("a", retry={"limit": 1}))
    _, commands = resumed(defined, started("a"), ended("a", phase="Failed", reason="Exited", retryAt=START + SECOND))
    assert commands == [StartStep("a", 2, 0)]


def test_a_segment_may_close_while_only_waits_remain():
    state, commands = resumed(definition(approval("review"), code("pay", needs=["review"])), started("review"))
    assert commands == [Wait(("review",))]
    assert not state.active


def test_the_decision_goes_on_where_the_run_waited():
    """Example 8: the next segment sees the history up to it."""
    defined = definition(approval("review"), code("pay", needs=["review"]))
    _, commands = resumed(defined, started("review"), ended("review", output={"ok": True}))
    assert commands == [StartStep("pay", 1, 0)]


def test_what_comes_after_the_end_of_a_step_changes_nothing():
    state, _ = resumed(definition(code("a"), code("b")), started("a"), ended("a", output=1))
    for late in (ended("a", output=2), started("a", attempt=2), ended("a", phase="Failed"), ended("nobody")):
        state.apply(late)
    assert state.values.step_record("a")["output"] == 1
    assert state.running == set()


def test_the_first_end_of_a_run_wins():
    """Example 10."""
    state, commands = resumed(definition(code("a")), started("a"), ended("a"))
    (end,) = commands
    assert isinstance(end, EndRun)
    state.apply(end.event(START))
    state.apply(Event(RUN_ENDED, "", 0, START, {"phase": "Cancelled"}))
    assert state.outcome["phase"] == "Succeeded"
    assert advance(state.plan, state, START).commands == []


def test_a_simulation_that_breaks_off_is_continued_from_its_history():
    defined = definition(code("a"), code("b", needs=["a"], retry={"limit": 1}), **{"finally": [code("tidy")]})
    outcomes = {"b": [failed("Exited"), succeeded(took=MINUTE)]}
    whole = play(defined, outcomes)
    for place in range(1, len(whole.events)):
        broken = play(defined, outcomes, stop_after=place)
        assert len(broken.events) == place
        assert ends(play(defined, outcomes, history=broken.events)) == ends(whole)
