"""When a segment starts, tells, waits and closes; with no process and no clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.run.events import RUN_ENDED, STEP_ENDED, STEP_STARTED, Event
from sluice.runner.session import VISIBLE_AFTER
from tests.contracts.launcher.segments import definition, python
from tests.runner.hands import FAILED, SUCCEEDED, acknowledge, finish, open_session

CHAIN = definition(python("a", "x"), python("b", "x", "a"), python("c", "x", "b"))


def test_roots_start_at_once_and_nothing_is_told_yet() -> None:
    _, hands = open_session(definition(python("a", "x"), python("b", "x")))
    assert set(hands.works) == {"a", "b"}
    assert hands.sent == []


def test_a_step_starts_only_when_what_it_needs_is_acknowledged() -> None:
    session, hands = open_session(CHAIN)
    finish(session, "a")
    assert hands.told == [["StepStarted a", "StepEnded a"]]
    assert set(hands.works) == {"a"}
    acknowledge(session, 1)
    assert set(hands.works) == {"a"}
    acknowledge(session, 2)
    assert set(hands.works) == {"a", "b"}


def test_the_end_of_the_last_step_and_of_the_run_are_one_append() -> None:
    session, hands = open_session(definition(python("a", "x")))
    finish(session, "a")
    assert hands.told == [["StepStarted a", "StepEnded a", "RunEnded"]]
    assert hands.sent[0].closes
    assert not session.over
    acknowledge(session, 3)
    assert session.over


def test_the_start_of_a_step_rides_with_the_next_append() -> None:
    session, hands = open_session(CHAIN)
    finish(session, "a")
    acknowledge(session, 2)
    assert len(hands.sent) == 1
    finish(session, "b")
    assert hands.told[1] == ["StepStarted b", "StepEnded b"]
    assert hands.sent[1].first == 3


def test_the_start_of_a_long_step_is_told_after_a_while() -> None:
    session, hands = open_session(definition(python("a", "x")))
    session.begun("a")
    assert hands.alarms == [hands.time + VISIBLE_AFTER]
    hands.time += VISIBLE_AFTER
    session.move()
    assert hands.told == [["StepStarted a"]]


def test_a_step_that_waits_for_a_worker_is_not_told_to_have_started() -> None:
    session, hands = open_session(definition(python("a", "x")))
    hands.time += 10 * VISIBLE_AFTER
    session.move()
    assert hands.sent == []


def test_at_most_two_appends_are_on_their_way() -> None:
    session, hands = open_session(definition(*[python(f"s{n}", "x") for n in range(6)]))
    for n in range(5):
        finish(session, f"s{n}")
    assert len(hands.sent) == 2
    acknowledge(session, hands.sent[0].last)
    assert len(hands.sent) == 3
    assert hands.sent[2].told == ["StepEnded s2", "StepEnded s3", "StepEnded s4"]


def test_a_refusal_stops_everything() -> None:
    session, hands = open_session(definition(python("a", "x"), python("b", "x")))
    finish(session, "a")
    acknowledge(session, 2, accepted=False)
    assert session.over
    assert hands.stopped == ["b"]
    finish(session, "b")
    assert len(hands.sent) == 1


def test_cancelling_stops_what_runs_and_ends_the_run() -> None:
    session, hands = open_session(CHAIN)
    session.cancel("Cancelled")
    session.move()
    assert hands.stopped == ["a"]
    assert hands.told[-1][-1] == "RunEnded"
    assert hands.sent[-1].events[-1].body["phase"] == "Cancelled"


def test_a_wish_to_end_the_run_that_comes_with_the_assignment_is_heard_before_a_wait_closes_the_segment() -> None:
    retry = {"limit": 1, "backoff": {"duration": "1h"}}
    history = [Event(STEP_ENDED, "a", 1, 2, FAILED | {"retryAt": 4_000_000_000})]
    graph = definition(python("a", "x", retry=retry))
    session, hands = open_session(graph, history=history, wish="Cancelled")
    assert hands.told == [["CancelRequested", "StepEnded a", "RunEnded"]]
    session.cancel("Cancelled")
    session.move()
    assert len(hands.sent) == 1


def test_a_run_is_cancelled_once() -> None:
    session, hands = open_session(definition(python("a", "x"), **{"finally": [python("tidy", "x")]}))
    session.cancel("Cancelled")
    session.move()
    session.cancel("Cancelled")
    session.move()
    assert [told for sent in hands.told for told in sent].count("CancelRequested") == 1


def test_a_short_pause_before_a_retry_keeps_the_segment_open() -> None:
    retry = {"limit": 1, "backoff": {"duration": "500ms"}}
    session, hands = open_session(definition(python("a", "x", retry=retry)))
    finish(session, "a", FAILED)
    acknowledge(session, 2)
    assert not hands.sent[-1].closes
    hands.time = max(hands.alarms)
    hands.works.clear()
    session.move()
    assert hands.works["a"].attempt == 2


def test_a_long_pause_closes_the_segment() -> None:
    retry = {"limit": 1, "backoff": {"duration": "1h"}}
    session, hands = open_session(definition(python("a", "x", retry=retry)))
    finish(session, "a", FAILED)
    assert hands.sent[-1].closes
    assert hands.told == [["StepStarted a", "StepEnded a"]]


def test_a_segment_with_nothing_to_do_closes_with_an_empty_append() -> None:
    retry = {"limit": 1, "backoff": {"duration": "1h"}}
    body = FAILED | {"retryAt": 4_000_000_000}
    history = [Event(STEP_STARTED, "a", 1, 1, {}), Event(STEP_ENDED, "a", 1, 2, body)]
    session, hands = open_session(definition(python("a", "x", retry=retry)), history=history)
    assert [(sent.events, sent.closes) for sent in hands.sent] == [([], True)]
    acknowledge(session, 0)
    assert session.over


def test_time_never_goes_back_within_a_history() -> None:
    history = [Event(STEP_STARTED, "a", 1, 9_000_000, {}), Event(STEP_ENDED, "a", 1, 9_000_001, SUCCEEDED)]
    session, hands = open_session(CHAIN, history=history)
    finish(session, "b")
    assert all(event.at >= 9_000_001 for sent in hands.sent for event in sent.events)


def test_a_payload_that_breaks_the_schema_ends_the_run_on_its_trigger() -> None:
    """R247"""
    schema = {"type": "object", "required": ["id"]}
    graph = CHAIN | {"trigger": {"manual": {"schema": schema}}}
    _, hands = open_session(graph, payload={})
    assert hands.works == {}
    assert hands.sent[-1].closes
    failure = hands.sent[-1].events[-1].body["failure"]
    assert failure["reason"] == "InvalidInput"
    assert "trigger.manual.schema" in failure["message"]
    fine, others = open_session(graph, payload={"id": 1})
    assert set(others.works) == {"a"}
    assert not fine.over


@given(st.data())
def test_whatever_the_order_of_ends_and_acknowledgements_every_step_runs_once(data: st.DataObject) -> None:
    names = [f"s{n}" for n in range(6)]
    steps = [
        python(name, "x", *data.draw(st.sets(st.sampled_from(names[:n]))) if n else ()) for n, name in enumerate(names)
    ]
    session, hands = open_session(definition(*steps))
    recorded, done = 0, set[str]()
    while not session.over:
        ready = [name for name in hands.works if name not in done]
        unacknowledged = [sent for sent in hands.sent if sent.last > recorded]
        if ready and (not unacknowledged or data.draw(st.booleans())):
            name = data.draw(st.sampled_from(ready))
            needs = next(step["needs"] for step in steps if step["name"] == name)
            durable = {event.step for sent in hands.sent if sent.last <= recorded for event in sent.events}
            assert durable >= set(needs)
            done.add(name)
            finish(session, name)
        else:
            recorded = unacknowledged[0].last
            acknowledge(session, recorded)
    events = [event for sent in hands.sent for event in sent.events]
    assert sorted(event.step for event in events if event.kind == STEP_ENDED) == names
    assert [event.kind for event in events].count(RUN_ENDED) == 1
    assert hands.sent[-1].closes


def test_a_replay_on_a_newer_version_has_its_payload_checked_although_it_takes_steps_over() -> None:
    reused = Event(STEP_ENDED, "a", 1, 1, {"phase": "Succeeded", "reason": "Completed", "output": 1, "reused": True})
    checked = CHAIN | {"trigger": {"manual": {"schema": {"type": "object"}}}}
    _, hands = open_session(checked, history=[reused])

    assert hands.works == {}
    assert "StepEnded trigger" in hands.told[0]
