"""Steps with pods of their own, as a segment sees them: handed over, waited for, told of, stopped from outside."""

from __future__ import annotations

from typing import Any

from sluice.domain.run.events import STEP_ENDED, STEP_STARTED, STOP_REQUESTED, Event
from sluice.runner.session import Session
from tests.contracts.launcher.segments import definition, python
from tests.runner.hands import FAILED, SUCCEEDED, Hands, acknowledge, finish, open_session


def container(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "needs": list(needs), "action": {"container": {"image": "tool:1"}}, **more}


def tell(session: Session, step: str = "c", attempt: int = 1, **body: Any) -> None:
    session.told(Event(STEP_ENDED, step, attempt, 2_000_000, SUCCEEDED | body))
    session.move()


def beside_light_steps() -> tuple[Session, Hands]:
    """Segment: ``c`` is handed over, ``slow`` runs here, ``after`` needs ``c``."""
    session, hands = open_session(definition(container("c"), python("slow", "x"), python("after", "x", "c")))
    session.begun("slow")
    acknowledge(session, 2)
    return session, hands


def test_handing_over_is_told_at_once_and_gives_no_worker_anything_to_do() -> None:
    _, hands = open_session(definition(container("c"), python("slow", "x")))
    assert hands.told == [["StepStarted c", "StepStarted slow"]]
    assert hands.sent[0].events[0].body["work"]["input"] == {"image": "tool:1"}
    assert set(hands.works) == {"slow"}


def test_a_segment_closes_when_only_handed_over_steps_remain() -> None:
    _, hands = open_session(definition(container("c"), python("after", "x", "c")))
    assert hands.told == [["StepStarted c"]]
    assert hands.sent[0].closes


def test_it_stays_open_for_its_own_work_and_closes_when_that_is_done() -> None:
    session, hands = beside_light_steps()
    assert not hands.sent[-1].closes
    finish(session, "slow")
    assert hands.sent[-1].closes


def test_what_needs_it_begins_when_its_end_is_told() -> None:
    session, hands = beside_light_steps()
    tell(session)
    assert set(hands.works) == {"slow", "after"}
    assert not [event for sent in hands.sent for event in sent.events if event.kind == STEP_ENDED], (
        "whoever told it has recorded it"
    )


def test_its_end_told_twice_late_or_of_an_older_attempt_changes_nothing() -> None:
    retry = {"limit": 1, "backoff": {"duration": "100ms"}}
    session, hands = open_session(definition(container("c", retry=retry), python("slow", "x")))
    session.begun("slow")
    acknowledge(session, 2)
    for _ in range(2):
        tell(session, **FAILED, retryAt=2_100_000)
    hands.time = 2_100_000
    session.move()
    assert hands.told[-1] == ["StepStarted c"]
    assert hands.sent[-1].events[0].attempt == 2
    tell(session, **FAILED, retryAt=2_100_000)
    assert session.state.apart == ("c",)
    tell(session, step="slow")
    tell(session, step="nobody")
    assert session.state.running == {"c", "slow"}


def test_time_does_not_go_back_behind_what_was_told() -> None:
    session, hands = beside_light_steps()
    tell(session)
    finish(session, "slow")
    assert hands.sent[-1].events[-1].at >= 2_000_000


def test_cancelling_records_the_wish_and_waits_for_the_end_that_is_told() -> None:
    session, hands = beside_light_steps()
    session.cancel("Cancelled")
    session.move()
    assert hands.stopped == ["slow"]
    assert hands.told[-1] == ["CancelRequested", "StepEnded after", "StopRequested c", "StepEnded slow"]
    assert not hands.sent[-1].closes, "its end is near, and a segment is needed to go on"
    acknowledge(session, hands.sent[-1].last)
    tell(session, **FAILED | {"reason": "Cancelled"})
    assert hands.told[-1] == ["RunEnded"]
    assert hands.sent[-1].events[-1].body["phase"] == "Cancelled"
    assert hands.sent[-1].closes


def test_a_segment_that_has_nothing_else_to_do_stays_open_for_the_end_of_what_it_stops() -> None:
    history = [Event(STEP_STARTED, "c", 1, 1, {"work": {"input": {}, "timeout": 0, "key": "k"}})]
    session, hands = open_session(definition(container("c")), history=history, wish="Cancelled")
    assert hands.told == [["CancelRequested", "StopRequested c"]]
    assert not hands.sent[-1].closes
    acknowledge(session, 2)
    tell(session, **FAILED | {"reason": "Cancelled"})
    assert hands.told[-1] == ["RunEnded"]


def test_a_segment_of_a_run_that_is_being_stopped_asks_for_it_once() -> None:
    history = [
        Event(STEP_STARTED, "c", 1, 1, {"work": {"input": {}, "timeout": 0, "key": "k"}}),
        Event(STOP_REQUESTED, "c", 1, 2, {"reason": "Cancelled"}),
    ]
    session, hands = open_session(definition(container("c")), history=history)
    session.cancel("Cancelled")
    session.move()
    assert hands.told == [["CancelRequested"]]
    assert not hands.sent[-1].closes


def test_what_is_told_after_the_closing_append_changes_nothing() -> None:
    session, hands = open_session(definition(container("c"), python("after", "x", "c")))
    tell(session)
    assert hands.works == {}
    assert len(hands.sent) == 1
