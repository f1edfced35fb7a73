"""Who gets the candidate: exact counts, each draw of one run, draws that come back."""

from __future__ import annotations

import pytest

from sluice.ports.ledger import Ledger, Split
from tests.contracts.ledger.builders import WORKFLOW, admission, finish, run_ended, window


@pytest.mark.parametrize("percent", [0, 1, 10, 25, 33, 50, 99, 100])
def test_of_a_hundred_runs_exactly_the_percentage_goes_to_the_candidate(ledger: Ledger, percent: int) -> None:
    drawn = [ledger.admit(admission(f"r{n}", hundredths=percent * 100)) for n in range(100)]

    assert sum(draw.candidate for draw in drawn) == percent
    assert {draw.number for draw in drawn if draw.candidate} <= {2}
    assert {draw.number for draw in drawn if not draw.candidate} <= {1}
    assert ledger.dealt(WORKFLOW, 1) == {"sandbox": (percent, 100 - percent)}


def test_each_environment_counts_by_itself(ledger: Ledger) -> None:
    drawn = {
        env: sum(ledger.admit(admission(f"{env}{n}", hundredths=1000, window=window(env))).candidate for n in range(20))
        for env in ("sandbox", "production")
    }

    assert drawn == {"sandbox": 2, "production": 2}


def test_admitting_twice_gives_the_same_draw_and_a_new_epoch(ledger: Ledger) -> None:
    first = ledger.admit(admission("r", hundredths=5000))
    second = ledger.admit(admission("r", hundredths=5000))

    assert (second.n, second.candidate, second.number, second.window) == (first.n, first.candidate, 1, first.window)
    assert (first.epoch, second.epoch) == (1, 2)


def test_an_unpinned_draw_of_an_older_revision_is_void_and_drawn_again(ledger: Ledger) -> None:
    ledger.admit(admission("r", hundredths=10000))

    again = ledger.admit(admission("r", hundredths=0, window=window(revision=2)))

    assert (again.candidate, again.number, again.n) == (False, 1, 1)
    assert ledger.dealt(WORKFLOW, 1) == {"sandbox": (0, 0)}
    assert ledger.dealt(WORKFLOW, 2) == {"sandbox": (0, 1)}


def test_a_pinned_draw_stays_whatever_the_revision(ledger: Ledger) -> None:
    ledger.admit(admission("r", hundredths=10000))
    ledger.pinned("r")

    again = ledger.admit(admission("r", hundredths=0, window=window(revision=2)))

    assert (again.candidate, again.number) == (True, 2)
    assert ledger.dealt(WORKFLOW, 2) == {}


def test_the_draw_of_a_run_that_vanished_goes_out_again_first(ledger: Ledger) -> None:
    drawn = [ledger.admit(admission(f"r{n}", hundredths=2500)) for n in range(4)]
    assert [draw.candidate for draw in drawn] == [False, False, False, True]

    ledger.abandon("r3")
    replacement = ledger.admit(admission("new", hundredths=2500))

    assert (replacement.n, replacement.candidate) == (4, True)
    assert ledger.dealt(WORKFLOW, 1) == {"sandbox": (1, 3)}


def test_a_pinned_run_that_is_deleted_keeps_its_place(ledger: Ledger) -> None:
    ledger.admit(admission("r", hundredths=5000))
    ledger.pinned("r")
    ledger.abandon("r")

    assert ledger.admit(admission("next", hundredths=5000)).n == 2


def test_a_hash_decision_is_taken_as_it_is_and_still_counted(ledger: Ledger) -> None:
    early = ledger.admit(admission("r", split=Split(stable=1, candidate=2, hundredths=100, by_hash=True)))

    assert (early.candidate, early.number) == (True, 2)
    assert ledger.dealt(WORKFLOW, 1) == {"sandbox": (1, 0)}


def test_a_forced_version_draws_nothing(ledger: Ledger) -> None:
    replay = ledger.admit(
        admission("r", split=Split(stable=5, candidate=6, hundredths=10000, forced=3), replay_of="old")
    )

    assert (replay.number, replay.n, replay.candidate, replay.window) == (3, 0, False, "")
    assert ledger.dealt(WORKFLOW, 1) == {}


def test_a_run_that_has_ended_is_not_admitted_again(ledger: Ledger) -> None:
    ledger.admit(admission("r"))
    finish(ledger, "r")

    assert ledger.admit(admission("r")).refused


@pytest.mark.parametrize("phase", ["Cancelled", "Rejected"])
def test_the_draw_of_a_run_that_ends_before_its_pin_goes_out_again(ledger: Ledger, phase: str) -> None:
    drawn = [ledger.admit(admission(f"r{n}", hundredths=5000)) for n in range(2)]
    ledger.end_run("r1", run_ended(phase=phase))
    again = ledger.admit(admission("new", hundredths=5000))

    assert (drawn[1].candidate, again.candidate, again.n) == (True, True, drawn[1].n)
    assert ledger.dealt(WORKFLOW, 1) == {"sandbox": (1, 1)}


def test_a_pinned_run_that_is_cancelled_keeps_its_place(ledger: Ledger) -> None:
    ledger.admit(admission("r", hundredths=5000))
    ledger.pinned("r")
    ledger.end_run("r", run_ended(phase="Cancelled"))

    assert ledger.admit(admission("next", hundredths=5000)).n == 2


def test_nobody_overtakes_who_waits_for_a_place(ledger: Ledger) -> None:
    wanted = {"limit": 1, "queue": True}
    assert not ledger.admit(admission("r0", **wanted)).queued
    assert ledger.admit(admission("r1", **wanted)).queued
    finish(ledger, "r0")

    assert ledger.admit(admission("r2", **wanted)).queued
    assert ledger.next_queued(WORKFLOW, "sandbox") == "r1"
    assert not ledger.admit(admission("r1", **wanted)).queued
    assert ledger.admit(admission("r2", **wanted)).queued
