"""Runs are found by name, and revisions are remembered, when objects and statuses are gone."""

from __future__ import annotations

from sluice.ports.ledger import Ledger
from tests.contracts.ledger.builders import WORKFLOW, admission, window


def test_the_newest_run_of_a_name_is_found(ledger: Ledger) -> None:
    ledger.admit(admission("a"))

    found = ledger.run_named("team", "run-a")
    assert found is not None
    assert found.uid == "a"
    assert ledger.run_named("team", "run-b") is None
    assert ledger.run_named("elsewhere", "run-a") is None


def test_the_highest_revision_that_was_dealt_is_remembered(ledger: Ledger) -> None:
    assert ledger.highest_revision(WORKFLOW) == 0
    ledger.admit(admission("a", window=window(revision=4)))
    ledger.admit(admission("b", window=window("production", 2)))

    assert ledger.highest_revision(WORKFLOW) == 4
