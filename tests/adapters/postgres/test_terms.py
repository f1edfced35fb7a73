"""A leader that was deposed writes nothing any more, whatever it believes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sluice.adapters.postgres import PostgresLedger
from sluice.ports.errors import Fenced
from sluice.ports.ledger import AuditEvent
from tests.adapters.postgres.conftest import Controller, Query
from tests.adapters.postgres.server import Server
from tests.contracts.ledger.builders import add, admission, ended, run_ended

WRITES: dict[str, Callable[[PostgresLedger], object]] = {
    "record_version": lambda ledger: ledger.record_version("w", 1, "sha256:a", 1),
    "admit": lambda ledger: ledger.admit(admission("new")),
    "raise_epoch": lambda ledger: ledger.raise_epoch("r", "main"),
    "take_over": lambda ledger: ledger.take_over("r", [ended("a")]),
    "end_run": lambda ledger: ledger.end_run("r", run_ended()),
    "reject": lambda ledger: ledger.reject(admission("new"), run_ended(phase="Rejected")),
    "abandon": lambda ledger: ledger.abandon("r"),
    "dropped": lambda ledger: ledger.dropped("w", "sandbox", "Overlap"),
    "claim_key": lambda ledger: ledger.claim_key("s", "k", "o", 60),
    "put_part": lambda ledger: ledger.put_part("r", "payload", b"x"),
    "audit": lambda ledger: ledger.audit([AuditEvent(1, "ana", "edited", "team", "w")]),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_a_deposed_leader_can_not_write(
    controller: Controller, query: Query, write: Callable[[PostgresLedger], object]
) -> None:
    old, new = controller(), controller()
    assert old.lead() == 1
    old.admit(admission("r"))
    assert new.lead() == 2
    before = query("SELECT * FROM run")

    with pytest.raises(Fenced, match="term 1 is over, 2 has begun"):
        write(old)

    assert query("SELECT * FROM run") == before
    assert query("SELECT (SELECT count(*) FROM event) + (SELECT count(*) FROM audit)") == [(0,)]
    write(new)


def test_the_appends_of_a_deposed_leader_are_answered_with_fenced(controller: Controller) -> None:
    old, new = controller(), controller()
    old.lead()
    old.admit(admission("r"))
    new.lead()

    assert isinstance(add(old, "r", 1, ended("a")), Fenced)
    assert add(new, "r", 1, ended("a")) is True
    assert old.history("r") == (ended("a"),)


def test_a_leader_that_is_elected_again_writes_again(controller: Controller) -> None:
    old, new = controller(), controller()
    terms = [old.lead(), new.lead(), old.lead()]

    assert terms == [1, 2, 3]
    assert old.admit(admission("r")).epoch == 1
    with pytest.raises(Fenced):
        new.admit(admission("r"))


def test_a_term_that_was_begun_elsewhere_can_be_handed_over(
    controller: Controller, server: Server, schema: str
) -> None:
    term = controller().lead()
    same = PostgresLedger(server.url, schema=schema, term=term)

    assert (same.term, same.admit(admission("r")).epoch) == (1, 1)
    same.close()


def test_who_never_led_is_not_fenced(controller: Controller) -> None:
    """What serves requests writes keys and audit entries too, and there are several of it."""
    leader, other = controller(), controller()
    leader.lead()

    assert other.claim_key("delivery", "k", "run", 60) == "run"
