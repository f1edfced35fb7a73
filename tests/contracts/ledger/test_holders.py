"""Who holds an epoch: the first pod that comes for its assignment, and nobody else."""

from __future__ import annotations

import pytest

from sluice.ports.ledger import Ledger
from tests.contracts.ledger.builders import admission, finish


@pytest.fixture
def run(ledger: Ledger) -> str:
    ledger.admit(admission("r"))
    return "r"


def test_an_epoch_belongs_to_the_first_who_comes(ledger: Ledger, run: str) -> None:
    assert ledger.bind(run, "main", 1, "pod-a")

    assert not ledger.bind(run, "main", 1, "pod-b")
    assert ledger.bind(run, "main", 1, "pod-a")


def test_a_new_epoch_belongs_to_nobody_yet(ledger: Ledger, run: str) -> None:
    ledger.bind(run, "main", 1, "pod-a")
    ledger.raise_epoch(run, "main")

    assert not ledger.bind(run, "main", 1, "pod-a")
    assert ledger.bind(run, "main", 2, "pod-b")


def test_an_epoch_that_was_not_raised_yet_belongs_to_nobody(ledger: Ledger, run: str) -> None:
    assert not ledger.bind(run, "main", 2, "pod-a")
    assert not ledger.bind(run, "steps.build", 1, "pod-a")
    assert not ledger.bind("unknown", "main", 1, "pod-a")


def test_nothing_of_a_run_that_has_ended_is_given_out(ledger: Ledger, run: str) -> None:
    finish(ledger, run)

    assert not ledger.bind(run, "main", 1, "pod-a")
    assert not ledger.bind(run, "main", 2, "pod-a")


def test_the_newest_epoch_of_each_unit_is_known(ledger: Ledger, run: str) -> None:
    ledger.raise_epoch(run, "steps.build")
    ledger.raise_epoch(run, "main")

    assert [ledger.epoch(run, unit) for unit in ("main", "steps.build", "steps.other")] == [2, 1, 0]
    assert ledger.epoch("unknown", "main") == 0
