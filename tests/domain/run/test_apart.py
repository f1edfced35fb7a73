"""Steps that have pods of their own: handed over by an event, not lost with a segment, ended by somebody else."""

from __future__ import annotations

from sluice.domain.run.commands import CancelSteps, Command, StartStep, Wait, WakeAt
from sluice.domain.run.decide import FINALLY_BOUND
from sluice.domain.run.driver import advance, begin, handed_over
from sluice.domain.run.events import (
    CANCEL_REQUESTED,
    STEP_ENDED,
    STEP_STARTED,
    STOP_REQUESTED,
    Event,
    ends_elsewhere,
)
from sluice.domain.run.plan import compile_plan
from sluice.domain.run.simulation import failed, succeeded
from sluice.domain.run.state import RunState
from tests.domain.run.builders import (
    CONTINUE,
    MINUTE,
    SECOND,
    START,
    approval,
    code,
    container,
    definition,
    ends,
    given,
    play,
    reasons,
    starts,
)

WORK = {
    "input": {"image": "example.com/tool:1", "env": {"WHO": "ana"}},
    "timeout": 0,
    "key": given().idempotency_key("c"),
}


def resumed(defined: dict, *events: Event, at: int = START + SECOND) -> tuple[RunState, list[Command]]:
    plan = compile_plan(defined)
    state = RunState.resume(plan, given({"who": "ana"}), events)
    return state, advance(plan, state, at).commands


def handed(step: str = "c", attempt: int = 1) -> Event:
    return Event(STEP_STARTED, step, attempt, START, {"work": WORK})


def ended(step: str = "c", attempt: int = 1, phase: str = "Succeeded", **body) -> Event:
    return Event(STEP_ENDED, step, attempt, START, {"phase": phase, **body})


def test_it_is_handed_over_with_all_that_it_needs_by_the_event_that_starts_it() -> None:
    plan = compile_plan(definition(container("c", timeout="90s")))
    state = RunState(plan, given({"who": "ana"}))
    beginning = begin(plan, state, StartStep("c", 1, 90 * SECOND), START)

    assert beginning.apart
    assert beginning.events == [Event(STEP_STARTED, "c", 1, START, {"work": WORK | {"timeout": 90 * SECOND}})]
    assert state.apart == ("c",)
    assert handed_over(plan, state, "c") == beginning.work


def test_one_whose_templates_fail_is_not_handed_over() -> None:
    plan = compile_plan(definition(container("c")))
    state = RunState(plan, given({}))
    beginning = begin(plan, state, StartStep("c", 1, 0), START)

    assert (beginning.work, beginning.apart, state.apart) == (None, False, ())
    assert [event.kind for event in beginning.events] == [STEP_STARTED, STEP_ENDED]
    assert "work" not in beginning.events[0].body
    assert beginning.events[1].body["reason"] == "ExpressionFailed"


def test_a_segment_may_close_while_it_goes_on_and_the_next_one_does_not_begin_it_again() -> None:
    state, commands = resumed(definition(container("c"), code("after", needs=["c"])), handed())
    assert commands == [Wait(("c",))]
    assert state.active, "unlike a wait, it is work: the run's clock goes on"


def test_the_runs_timeout_counts_while_it_goes_on() -> None:
    _, commands = resumed(definition(container("c"), timeout="10m"), handed())
    assert commands == [WakeAt(START + 10 * MINUTE), Wait(("c",))]


def test_beside_an_approval_the_clock_goes_on_for_it_alone() -> None:
    defined = definition(container("c"), approval("review"), timeout="10m")
    both = (handed(), Event(STEP_STARTED, "review", 1, START, {}))
    assert resumed(defined, *both)[0].active
    assert not resumed(defined, *both, ended())[0].active


def test_one_whose_start_was_recorded_without_its_work_begins_again() -> None:
    _, commands = resumed(definition(container("c")), Event(STEP_STARTED, "c", 1, START, {}))
    assert commands == [StartStep("c", 1, 0)]


def test_its_end_lets_what_needs_it_begin() -> None:
    _, commands = resumed(definition(container("c"), code("after", needs=["c"])), handed(), ended(output=1))
    assert commands == [StartStep("after", 1, 0)]


def test_another_attempt_of_it_is_handed_over_anew() -> None:
    defined = definition(container("c", retry={"limit": 1}))
    again = ended(phase="Failed", reason="ContainerFailed", retryAt=START)
    state, commands = resumed(defined, handed(), again)
    assert commands == [StartStep("c", 2, 0)]
    assert state.apart == ()


def test_a_failure_beside_it_waits_for_it() -> None:
    """C11: it drains like any other step."""
    _, commands = resumed(
        definition(container("c"), code("bad")), handed(), ended("bad", phase="Failed", reason="CodeFailed")
    )
    assert commands == [Wait(("c",))]


def test_a_failure_beside_it_stops_it_where_the_policy_says_so() -> None:
    defined = definition(container("c"), code("bad"), failurePolicy="Cancel")
    _, commands = resumed(defined, handed(), ended("bad", phase="Failed", reason="CodeFailed"))
    assert commands == [CancelSteps(("c",), "Cancelled")]


def test_once_it_is_to_be_stopped_that_is_not_asked_for_again_and_its_end_is_waited_for() -> None:
    wish = Event(CANCEL_REQUESTED, "", 0, START, {"by": "ana", "reason": "Cancelled"})
    stop = Event(STOP_REQUESTED, "c", 1, START, {"reason": "Cancelled"})
    state, commands = resumed(definition(container("c")), handed(), wish, stop)
    assert commands == []
    assert state.steps["c"].stopping == "Cancelled"


def test_a_wish_to_stop_an_earlier_attempt_does_not_stop_the_next_one() -> None:
    stop = Event(STOP_REQUESTED, "c", 1, START, {"reason": "Cancelled"})
    again = ended(phase="Failed", reason="ContainerFailed", retryAt=START)
    state, _ = resumed(definition(container("c", retry={"limit": 1})), handed(), again, handed(attempt=2), stop)
    assert state.steps["c"].stopping == ""


def test_one_under_finally_is_stopped_when_the_time_of_finally_is_over() -> None:
    defined = definition(code("a"), **{"finally": [container("c")]})
    events = (Event(STEP_STARTED, "a", 1, START, {}), ended("a"), handed())
    assert resumed(defined, *events)[1] == [WakeAt(START + FINALLY_BOUND), Wait(("c",))]
    _, commands = resumed(defined, *events, at=START + FINALLY_BOUND)
    assert commands[0] == CancelSteps(("c",), "TimedOut")


def test_what_a_segment_does_not_record_itself_is_found_in_the_history() -> None:
    again = ended(phase="Failed", reason="ContainerFailed", retryAt=START)
    history = [handed(), Event(STEP_STARTED, "a", 1, START, {}), again, ended("a"), handed(attempt=2), ended(attempt=2)]
    assert ends_elsewhere(history) == [again, ended(attempt=2)]


def test_a_run_that_is_cancelled_records_the_wish_then_the_end() -> None:
    played = play(
        definition(container("c")), {"c": succeeded(took=MINUTE)}, payload={"who": "ana"}, cancel_at=START + SECOND
    )
    assert [event.kind for event in played.events] == [
        STEP_STARTED,
        CANCEL_REQUESTED,
        STOP_REQUESTED,
        STEP_ENDED,
        "RunEnded",
    ]
    assert played.body["phase"] == "Cancelled"
    assert reasons(played) == {"c": "Cancelled"}


def test_a_run_played_on_from_where_it_was_handed_over_comes_to_the_same_end() -> None:
    defined = definition(
        container("c", retry={"limit": 1}), code("beside"), code("after", needs=["c", "beside"], onError=CONTINUE)
    )
    outcomes = {"c": [failed("ContainerFailed", took=SECOND), succeeded({"n": 1}, took=SECOND)]}
    whole = play(defined, outcomes, payload={"who": "ana"})
    assert starts(whole) == ["c", "beside", "c", "after"]
    for place in range(len(whole.events)):
        again = play(defined, outcomes, payload={"who": "ana"}, history=whole.events[:place])
        assert ends(again) == ends(whole)
        begun = [(event.step, event.attempt) for event in again.events if event.kind == STEP_STARTED]
        assert begun.count(("c", 1)) == begun.count(("c", 2)) == 1
