"""Time is the database's, whatever the clocks of the controllers' machines say."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from sluice.adapters.postgres import PostgresLedger
from sluice.adapters.postgres.clock import LOOK_AGAIN, DatabaseClock
from sluice.adapters.postgres.connections import Readers
from tests.adapters.postgres.conftest import Controller, Query
from tests.adapters.postgres.server import Server

TOLERANCE = 100_000
"""Microseconds that a look at a busy database may be off by."""
_NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


class HandMonotonic:
    """A monotonic clock that stands still between its moves, somewhere unlike any other clock."""

    def __init__(self) -> None:
        self.seconds = 5.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def readers(server: Server, schema: str) -> Iterator[Readers]:
    PostgresLedger(server.url, schema=schema).close()
    with contextlib.closing(Readers(server.url, schema)) as readers:
        yield readers


def microseconds(clock: DatabaseClock) -> int:
    return int(clock.now().timestamp() * 1_000_000)


def database_time(query: Query) -> int:
    return int(str(query(_NOW)[0][0]))


def test_the_ledgers_time_is_the_databases(ledger: PostgresLedger, query: Query) -> None:
    before = database_time(query)
    now = ledger.now()
    after = database_time(query)

    assert before - TOLERANCE <= now <= after + TOLERANCE


def test_controllers_agree_on_the_time(controller: Controller) -> None:
    one, other = controller(), controller()
    times = one.now(), other.now(), one.now()

    assert times[0] - TOLERANCE <= times[1] <= times[2] + TOLERANCE


def test_the_machines_clock_plays_no_role(readers: Readers, query: Query) -> None:
    before = database_time(query)
    clock = DatabaseClock(readers, HandMonotonic())

    assert before <= microseconds(clock) <= database_time(query)


def test_between_two_looks_time_goes_on_by_the_monotonic_clock(readers: Readers) -> None:
    hand = HandMonotonic()
    clock = DatabaseClock(readers, hand)
    first = microseconds(clock)
    hand.seconds += 3

    assert microseconds(clock) == first + 3_000_000


def test_time_stands_rather_than_going_back(readers: Readers) -> None:
    hand = HandMonotonic()
    clock = DatabaseClock(readers, hand)
    hand.seconds += LOOK_AGAIN - 1
    ahead = microseconds(clock)
    hand.seconds += 2  # now the database is asked again, and it is some ten seconds behind

    assert microseconds(clock) == ahead


def test_time_goes_on_while_the_database_is_away(readers: Readers) -> None:
    hand = HandMonotonic()
    clock = DatabaseClock(readers, hand)
    first = microseconds(clock)
    readers.close()
    hand.seconds += 100

    assert microseconds(clock) == first + 100_000_000
