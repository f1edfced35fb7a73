"""What holds for every definition, whatever its steps do."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.domain.run.decide import decide
from sluice.domain.run.events import RUN_ENDED, STEP_ENDED, STEP_STARTED
from sluice.domain.run.plan import compile_plan
from sluice.domain.run.simulation import Simulation, succeeded
from sluice.domain.run.state import RunState
from tests.domain.run import builders
from tests.domain.run.builders import SECOND, START, code, definition, ends, play
from tests.domain.run.graphs import Drawn, graphs, timings

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def result(played: Simulation) -> tuple:
    """What a run comes to, without times."""
    return ends(played), {key: value for key, value in played.body.items() if key != "outputErrors"}


def finals(played: Simulation) -> Counter:
    return Counter(event.step for event in played.events if event.kind == STEP_ENDED and not event.body.get("retryAt"))


@quick
@given(graphs(halting=True), st.integers(0, 12))
def test_every_step_ends_exactly_once_and_the_run_with_them(drawn: Drawn, cancelled_after: int):
    """R126, R128: it never hangs."""
    played = Drawn(drawn.defined, drawn.fails, drawn.took, cancelled_after and START + cancelled_after * SECOND).play()
    plan = compile_plan(drawn.defined)
    assert finals(played) == dict.fromkeys(plan.steps, 1)
    assert [event.kind for event in played.events].count(RUN_ENDED) == 1
    assert played.events[-1].kind == RUN_ENDED


@quick
@given(graphs(halting=True))
def test_no_step_begins_before_all_that_it_needs_is_over(drawn: Drawn):
    """R126."""
    plan, over = compile_plan(drawn.defined), set()
    for event in drawn.play().events:
        if event.kind == STEP_STARTED:
            step = plan.steps[event.step]
            assert {need.step for need in step.needs} | set(step.switches) <= over
            assert not step.final or {main.name for main in plan.main} <= over
        elif event.kind == STEP_ENDED and not event.body.get("retryAt"):
            over.add(event.step)


@quick
@given(graphs(halting=True, executions=("Sequential",)))
def test_in_sequence_one_step_at_a_time_is_in_flight(drawn: Drawn):
    """R127."""
    flying: set[str] = set()
    for event in drawn.play().events:
        if event.kind == STEP_STARTED:
            assert not flying
            flying.add(event.step)
        elif event.kind == STEP_ENDED:
            flying.discard(event.step)


@quick
@given(graphs(halting=True))
def test_deciding_twice_gives_the_same(drawn: Drawn):
    plan = compile_plan(drawn.defined)
    state = RunState(plan, builders.given())
    for event in drawn.play().events:
        assert decide(plan, state, event.at) == decide(plan, state, event.at)
        state.apply(event)
    assert decide(plan, state, START) == []


@quick
@given(graphs(halting=True))
def test_a_state_folded_anew_decides_as_the_one_that_was_kept(drawn: Drawn):
    plan = compile_plan(drawn.defined)
    events = drawn.play().events
    kept = RunState(plan, builders.given())
    for place, event in enumerate(events):
        folded = RunState.fold(plan, builders.given(), events[:place])
        assert decide(plan, folded, event.at) == decide(plan, kept, event.at)
        kept.apply(event)


@quick
@given(graphs(halting=False))
def test_a_run_restarted_at_any_event_comes_to_the_same_end(drawn: Drawn):
    played = drawn.play()
    for place in range(len(played.events)):
        assert result(drawn.play(history=played.events[:place])) == result(played)


@quick
@given(graphs(halting=True, executions=("Sequential",)))
def test_a_sequential_run_restarted_at_any_event_comes_to_the_same_end(drawn: Drawn):
    played = drawn.play()
    for place in range(len(played.events)):
        assert result(drawn.play(history=played.events[:place])) == result(played)


@quick
@given(graphs(halting=False))
def test_an_attempt_with_a_pod_of_its_own_is_handed_over_once_however_often_the_run_is_restarted(drawn: Drawn):
    plan, played = compile_plan(drawn.defined), drawn.play()
    for place in range(len(played.events)):
        again = drawn.play(history=played.events[:place])
        handed = Counter((event.step, event.attempt) for event in again.events if event.body.get("work"))
        assert {step for step, _ in handed} <= {step.name for step in plan.ordered if step.apart}
        assert not [attempt for attempt, times in handed.items() if times > 1]


@quick
@given(graphs(halting=False), st.data())
def test_the_order_in_which_steps_end_changes_nothing(drawn: Drawn, data: st.DataObject):
    other = drawn.timed(data.draw(timings(list(drawn.took))))
    assert result(other.play()) == result(drawn.play())


@quick
@given(graphs(halting=True, executions=("Parallel",)), st.data())
def test_a_run_that_drains_restarted_at_any_event_still_ends_all_steps(drawn: Drawn, data: st.DataObject):
    played = drawn.play()
    again = drawn.play(history=played.events[: data.draw(st.integers(0, len(played.events)))])
    assert finals(again) == finals(played)
    assert again.body["phase"] in ("Succeeded", "Failed")


@quick
@given(st.data(), st.integers(2, 6))
def test_writes_conflict_exactly_if_two_writers_have_no_order(data: st.DataObject, count: int):
    names = [f"s{n}" for n in range(count)]
    needs = {name: data.draw(st.lists(st.sampled_from(names[: n or 1]), unique=True)) for n, name in enumerate(names)}
    needs["s0"] = []
    writers = data.draw(st.lists(st.sampled_from(names), unique=True))
    defined = definition(*(code(name, needs=needs[name]) for name in names))
    took = data.draw(timings(names))
    outcomes = {name: succeeded(took=took[name], context={"k": name} if name in writers else None) for name in names}
    played = play(defined, outcomes)
    steps = compile_plan(defined).steps
    unordered = [
        pair
        for pair in combinations(writers, 2)
        if not any(steps[one].ancestors & steps[other].bit for one, other in (pair, pair[::-1]))
    ]
    assert (played.body["reason"] == "ContextConflict") == bool(unordered)
