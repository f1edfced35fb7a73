"""The log: durable, fenced, once."""

from __future__ import annotations

import pytest

from sluice.domain.run.events import RUN_ENDED, Event
from sluice.ports.errors import Conflict, NotFound
from sluice.ports.ledger import Ledger
from tests.contracts.ledger.builders import add, admission, ended, finish, run_ended, started


@pytest.fixture
def run(ledger: Ledger) -> str:
    ledger.admit(admission("r"))
    return "r"


def test_events_come_back_in_order(ledger: Ledger, run: str) -> None:
    assert add(ledger, run, 1, started("a"), ended("a", output={"n": [1, None, "ü"]})) is True
    assert add(ledger, run, 3, started("b")) is True

    assert ledger.history(run) == (started("a"), ended("a", output={"n": [1, None, "ü"]}), started("b"))


def test_a_repeated_append_is_recorded_once(ledger: Ledger, run: str) -> None:
    assert add(ledger, run, 1, started("a"), ended("a")) is True
    assert add(ledger, run, 1, started("a"), ended("a")) is True

    assert len(ledger.history(run)) == 2


def test_of_a_partly_known_append_only_the_rest_is_recorded(ledger: Ledger, run: str) -> None:
    add(ledger, run, 1, started("a"))

    assert add(ledger, run, 1, started("a"), ended("a")) is True
    assert ledger.history(run) == (started("a"), ended("a"))


def test_a_gap_is_refused(ledger: Ledger, run: str) -> None:
    assert add(ledger, run, 2, ended("a")) is False
    assert ledger.history(run) == ()


def test_an_older_epoch_is_refused(ledger: Ledger, run: str) -> None:
    assert ledger.raise_epoch(run, "main") == 2

    assert add(ledger, run, 1, ended("a"), epoch=1) is False
    assert add(ledger, run, 1, ended("a"), epoch=2) is True
    assert ledger.history(run) == (ended("a"),)


def test_the_end_of_a_run_sets_phase_and_end(ledger: Ledger, run: str) -> None:
    add(ledger, run, 1, ended("a"), run_ended(at=ledger.now()), closes=True)

    record = ledger.run(run)
    assert record is not None
    assert (record.phase, record.ended, record.end["outputs"]) == ("Succeeded", ledger.now(), {"x": 1})
    assert [r.uid for r in ledger.open_runs()] == []


def test_the_first_end_wins_and_fences_the_segment(ledger: Ledger, run: str) -> None:
    cancelled = Event(RUN_ENDED, "", 0, 5, {"phase": "Cancelled", "reason": "Cancelled"})

    assert ledger.end_run(run, cancelled) is True
    assert ledger.end_run(run, run_ended()) is False
    assert add(ledger, run, 1, ended("a"), run_ended(), closes=True) is False

    record = ledger.run(run)
    assert record is not None
    assert record.phase == "Cancelled"
    assert ledger.history(run) == (cancelled,)


def test_events_of_an_unknown_run_are_an_error(ledger: Ledger) -> None:
    assert isinstance(add(ledger, "nobody", 1, ended("a")), NotFound)
    with pytest.raises(NotFound):
        ledger.raise_epoch("nobody", "main")


def test_steps_tell_where_each_one_stands(ledger: Ledger, run: str) -> None:
    retry = ended("b", at=9, phase="Failed", reason="HttpStatus", message="503", started=8, retryAt=20)
    add(ledger, run, 1, started("a", at=1), ended("a", at=4, started=1), started("b", at=8), retry, started("c", at=9))

    steps = {step.step: (step.phase, step.started, step.ended, step.reason) for step in ledger.steps(run)}

    assert steps == {
        "a": ("Succeeded", 1, 4, "Completed"),
        "b": ("Retrying", 8, 0, "HttpStatus"),
        "c": ("Running", 9, 0, ""),
    }


def test_abandoning_ends_an_open_run_and_leaves_an_ended_one(ledger: Ledger, run: str) -> None:
    ledger.admit(admission("other"))
    finish(ledger, "other")

    for uid in (run, "other", "nobody"):
        ledger.abandon(uid)

    assert [(ledger.run(uid).phase) for uid in (run, "other")] == ["Cancelled", "Succeeded"]  # type: ignore[union-attr]


def test_what_a_replay_takes_over_comes_first_and_once(ledger: Ledger) -> None:
    ledger.admit(admission("again"))
    taken = [ended("a", reused=True), ended("b", reused=True)]
    ledger.take_over("again", taken)
    ledger.take_over("again", taken)
    assert add(ledger, "again", 1, ended("c")) is True
    ledger.take_over("again", taken)

    assert [event.step for event in ledger.history("again")] == ["a", "b", "c"]
    assert [step.phase for step in ledger.steps("again")] == ["Succeeded"] * 3


def test_nothing_of_a_run_that_has_ended_is_launched_again(ledger: Ledger, run: str) -> None:
    ledger.end_run(run, run_ended())

    with pytest.raises(Conflict, match="has ended"):
        ledger.raise_epoch(run, "main")
