from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from sluice.adapters.postgres import PostgresLedger
from sluice.adapters.sqlite.ledger import SqliteLedger
from sluice.adapters.sqlite.writer import Writer
from sluice.ports.ledger import Ledger
from tests.adapters.postgres.server import Server, running


class HandClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.time = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)

    def now(self) -> dt.datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def advance(self, **delta: float) -> None:
        self.time += dt.timedelta(**delta)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def ledger(request: pytest.FixtureRequest, clock: HandClock) -> Iterator[Ledger]:
    """Every adapter of the Ledger port, empty."""
    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres_server")
        postgres = PostgresLedger(server.url, clock, schema=server.new_schema())
        yield postgres
        postgres.close()
    else:
        writer = Writer(":memory:")
        yield SqliteLedger(writer, clock)
        writer.close()
