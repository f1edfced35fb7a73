"""What was acknowledged is there after a crash; what fails meanwhile says so, and all goes on when the server is back."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

import psycopg
import pytest

from sluice.adapters.postgres import PostgresLedger
from sluice.ports.errors import Unavailable
from tests.adapters.postgres.conftest import Query
from tests.adapters.postgres.server import Server, running
from tests.contracts.ledger.builders import add, admission, ended


@pytest.fixture
def fragile() -> Iterator[Server]:
    """A server that may be crashed, and syncs as servers do."""
    with running(fsync="on", full_page_writes="on") as server:
        yield server


def test_what_was_acknowledged_survives_a_crash_of_the_server(fragile: Server) -> None:
    with contextlib.closing(PostgresLedger(fragile.url)) as ledger:
        draw = ledger.admit(admission("r", hundredths=10_000))
        for n in range(1, 31):
            assert add(ledger, "r", n, ended(f"s{n}")) is True

        fragile.stop(signal.SIGQUIT)
        outcome = add(ledger, "r", 31, ended("s31"))
        assert isinstance(outcome, Unavailable)
        with pytest.raises(Unavailable):
            ledger.run("r")

        fragile.start()
        assert [event.step for event in ledger.history("r")] == [f"s{n}" for n in range(1, 31)]
        assert add(ledger, "r", 31, ended("s31")) is True
        assert ledger.admit(admission("r", hundredths=10_000)).n == draw.n


def test_a_cut_connection_costs_one_write_at_most(ledger: PostgresLedger, query: Query) -> None:
    ledger.admit(admission("r"))
    query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice'")

    assert isinstance(add(ledger, "r", 1, ended("a")), Unavailable)
    assert add(ledger, "r", 1, ended("a")) is True
    assert len(ledger.history("r")) == 1


def test_a_transaction_that_stalls_with_the_turn_is_ended_by_the_server(ledger: PostgresLedger, query: Query) -> None:
    """A controller that stands still in the middle of a batch must not stop all others."""
    shown: list[str] = []

    def ask(connection: psycopg.Connection[tuple[object, ...]]) -> None:
        for name in ("idle_in_transaction_session_timeout", "statement_timeout"):
            shown.extend(str(value) for (value,) in connection.execute(f"SHOW {name}"))

    ledger._lane.run(ask)
    assert shown == ["10s", "30s"]


def test_commits_are_durable_even_where_the_server_would_not_wait() -> None:
    with (
        running(synchronous_commit="off") as careless,
        contextlib.closing(PostgresLedger(careless.url)) as ledger,
    ):
        setting = ledger._lane.run(lambda connection: connection.execute("SHOW synchronous_commit").fetchone())

    assert setting == ("on",)


def test_without_a_server_the_ledger_says_what_is_missing() -> None:
    with pytest.raises(Unavailable, match="can't connect to the ledger's database"):
        PostgresLedger("host=/nowhere dbname=sluice")
