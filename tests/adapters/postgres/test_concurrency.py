"""Several controllers, each with connections of its own, on one ledger: everything is counted once and exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from sluice.adapters.postgres import PostgresLedger
from sluice.domain.routing.quota import is_candidate
from sluice.ports.ledger import Admitted, Ledger
from tests.adapters.postgres.conftest import Controller, Query
from tests.contracts.ledger.builders import WORKFLOW, add, admission, ended, run_ended, window

T = TypeVar("T")
CONTROLLERS = 8
TENTHS = [*range(0, 10_001, 1000), 1, 10, 3330, 9990]
"""Every tenth percent, and some odd ones, in hundredths."""


@pytest.fixture
def controllers(controller: Controller) -> list[PostgresLedger]:
    return [controller() for _ in range(CONTROLLERS)]


def at_once(ledgers: Sequence[Ledger], work: Callable[[int, Ledger], T], repeats: int = 1) -> list[T]:
    """``work`` by a thread per ledger; ``repeats`` times each."""

    def by(k: int) -> list[T]:
        return [work(k * repeats + n, ledgers[k]) for n in range(repeats)]

    with ThreadPoolExecutor(len(ledgers)) as pool:
        return [answer for answers in pool.map(by, range(len(ledgers))) for answer in answers]


def places(drawn: Iterable[Admitted]) -> list[int]:
    return sorted(draw.n for draw in drawn)


def test_a_thousand_runs_from_eight_controllers_are_split_exactly_at_every_tenth_percent(
    controllers: list[PostgresLedger],
) -> None:
    for revision, hundredths in enumerate(TENTHS, start=1):

        def let_in(k: int, ledger: Ledger, hundredths: int = hundredths, revision: int = revision) -> Admitted:
            wanted = admission(f"{revision}-{k}", hundredths=hundredths, window=window(revision=revision))
            return ledger.admit(wanted)

        drawn = at_once(controllers, let_in, repeats=125)

        assert places(drawn) == list(range(1, 1001))
        assert all(draw.candidate == is_candidate(draw.n, hundredths) for draw in drawn)
        candidates = 1000 * hundredths // 10_000
        assert controllers[0].dealt(WORKFLOW, revision) == {"sandbox": (candidates, 1000 - candidates)}


def test_two_environments_at_once_do_not_wait_for_each_other_for_ever(controllers: list[PostgresLedger]) -> None:
    def let_in(k: int, ledger: Ledger) -> None:
        for env in ("sandbox", "production") if k % 2 else ("production", "sandbox"):
            ledger.admit(admission(f"{k}{env}", hundredths=5000, window=window(env)))

    at_once(controllers, let_in, repeats=25)

    assert controllers[0].dealt(WORKFLOW, 1) == {"sandbox": (100, 100), "production": (100, 100)}


def test_controllers_that_admit_the_same_run_get_one_draw_and_an_epoch_each(
    controllers: list[PostgresLedger], query: Query
) -> None:
    drawn = at_once(controllers, lambda _, ledger: ledger.admit(admission("r", hundredths=5000)))

    assert len({(draw.number, draw.candidate, draw.n, draw.window) for draw in drawn}) == 1
    assert sorted(draw.epoch for draw in drawn) == list(range(1, CONTROLLERS + 1))
    assert query("SELECT count(*) FROM run") == [(1,)]
    assert controllers[0].metrics(WORKFLOW).started_7d == 1


def test_draws_that_come_back_go_out_once(controllers: list[PostgresLedger]) -> None:
    for n in range(40):
        controllers[0].admit(admission(f"gone{n}", hundredths=2500))
    at_once(controllers, lambda k, ledger: ledger.abandon(f"gone{k}"), repeats=5)
    assert controllers[0].dealt(WORKFLOW, 1) == {"sandbox": (0, 0)}

    drawn = at_once(controllers, lambda k, ledger: ledger.admit(admission(f"r{k}", hundredths=2500)), repeats=10)

    assert places(drawn) == list(range(1, 81))
    assert controllers[0].dealt(WORKFLOW, 1) == {"sandbox": (20, 60)}


def test_no_more_runs_are_let_in_than_there_are_slots(controllers: list[PostgresLedger]) -> None:
    drawn = at_once(controllers, lambda k, ledger: ledger.admit(admission(f"r{k}", limit=5, queue=True)), repeats=5)

    assert sum(not draw.queued for draw in drawn) == 5
    assert len(controllers[0].open_runs()) == 40


def test_a_raised_epoch_fences_the_other_controller(controller: Controller) -> None:
    old, new = controller(), controller()
    old.admit(admission("r"))
    assert new.raise_epoch("r", "main") == 2

    assert add(old, "r", 1, ended("a"), epoch=1) is False
    assert add(new, "r", 1, ended("b"), epoch=2) is True
    assert new.history("r") == (ended("b"),)


def test_of_many_ends_one_wins_and_is_counted(controllers: list[PostgresLedger]) -> None:
    controllers[0].admit(admission("r"))
    now = controllers[0].now()

    wins = at_once(controllers, lambda _, ledger: ledger.end_run("r", run_ended(at=now, phase="Failed")))

    assert sum(wins) == 1
    assert controllers[0].metrics(WORKFLOW).ended_30d == 1
    assert len(controllers[0].history("r")) == 1


def test_a_key_is_claimed_by_one_of_many(controllers: list[PostgresLedger]) -> None:
    stored = at_once(controllers, lambda k, ledger: ledger.claim_key("firing", "k", f"run-{k}", 60))

    assert len(set(stored)) == 1
