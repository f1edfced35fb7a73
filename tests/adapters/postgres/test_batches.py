"""What many hand over at once is written together, and nobody suffers for another one's write."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable, Iterator

import psycopg
import pytest

from sluice.adapters.postgres import PostgresLedger
from sluice.adapters.postgres.lane import MAX_BATCH, TURN
from sluice.domain.run.events import Event
from sluice.ports.errors import Invalid, NotFound, Unavailable
from sluice.ports.launcher import Append
from tests.adapters.postgres.conftest import Query
from tests.adapters.postgres.server import Server
from tests.contracts.ledger.builders import add, admission, ended, run_ended, started

Answers = queue.SimpleQueue[tuple[int, bool | BaseException]]


@pytest.fixture
def turn(server: Server) -> Iterator[Callable[[], contextlib.AbstractContextManager[None]]]:
    """Holds the turn, so that what is handed over meanwhile waits."""

    @contextlib.contextmanager
    def hold() -> Iterator[None]:
        with psycopg.connect(server.url) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (TURN,))
            yield

    return hold


def submit(ledger: PostgresLedger, *appends: Append) -> Answers:
    answers: Answers = queue.SimpleQueue()
    for k, append in enumerate(appends):
        ledger.append(append, lambda answer, k=k: answers.put((k, answer)))  # type: ignore[misc]
    return answers


def one(uid: str, seq: int, *events: Event, epoch: int = 1) -> Append:
    return Append(uid, "main", epoch, seq, events)


def test_appends_are_not_waited_for_and_share_a_commit(
    ledger: PostgresLedger, turn: Callable[[], contextlib.AbstractContextManager[None]], query: Query
) -> None:
    for n in range(100):
        ledger.admit(admission(f"r{n}"))
    with turn():
        answers = submit(ledger, *(one(f"r{n}", 1, started("a"), ended("a")) for n in range(100)))
        assert answers.empty()

    assert [answers.get(timeout=10) for _ in range(100)] == [(n, True) for n in range(100)]
    (transactions,) = query("SELECT count(DISTINCT xmin::text), count(*) FROM event")
    assert transactions[1] == 200
    assert int(str(transactions[0])) <= 2


def test_appends_of_one_unit_in_one_batch_keep_their_order(
    ledger: PostgresLedger, turn: Callable[[], contextlib.AbstractContextManager[None]]
) -> None:
    ledger.admit(admission("r"))
    with turn():
        answers = submit(ledger, *(one("r", n, ended(f"s{n}")) for n in range(1, 21)), one("r", 21, run_ended()))

    assert [answers.get(timeout=10)[1] for _ in range(21)] == [True] * 21
    assert [event.step for event in ledger.history("r")] == [*(f"s{n}" for n in range(1, 21)), ""]


def test_each_append_of_a_batch_gets_its_own_answer(
    ledger: PostgresLedger, turn: Callable[[], contextlib.AbstractContextManager[None]]
) -> None:
    ledger.admit(admission("r"))
    ledger.admit(admission("gap"))
    add(ledger, "r", 1, started("a"))
    with turn():
        answers = submit(
            ledger,
            one("nobody", 1, ended("a")),
            one("gap", 2, ended("a")),
            one("r", 1, started("a"), ended("a")),
            one("r", 1, started("a")),
            one("r", 3, ended("b"), epoch=7),
            one("r", 3, ended("c")),
        )

    found = [answers.get(timeout=10)[1] for _ in range(6)]
    assert isinstance(found[0], NotFound)
    assert found[1:] == [False, True, True, False, True]
    assert ledger.history("r") == (started("a"), ended("a"), ended("c"))
    assert ledger.history("gap") == ()


def test_what_the_database_can_not_store_spoils_nobody_elses_write(
    ledger: PostgresLedger, turn: Callable[[], contextlib.AbstractContextManager[None]]
) -> None:
    for n in range(3):
        ledger.admit(admission(f"r{n}"))
    with turn():
        answers = submit(ledger, *(one(f"r{n}", 1, ended("b\x00d" if n == 1 else "a")) for n in range(3)))

    found = dict(answers.get(timeout=10) for _ in range(3))
    assert (found[0], found[2]) == (True, True)
    assert isinstance(found[1], Invalid)
    assert [len(ledger.history(f"r{n}")) for n in range(3)] == [1, 0, 1]


def test_more_than_a_batch_is_written_whole(ledger: PostgresLedger) -> None:
    ledger.admit(admission("r"))
    count = 2 * MAX_BATCH + 10
    answers = submit(ledger, *(one("r", n, ended(f"s{n}")) for n in range(1, count + 1)))

    assert all(answers.get(timeout=30)[1] is True for _ in range(count))
    assert len(ledger.history("r")) == count


def test_what_is_queued_is_written_before_the_ledger_closes(
    server: Server, schema: str, ledger: PostgresLedger
) -> None:
    other = PostgresLedger(server.url, schema=schema)
    ledger.admit(admission("r"))
    submit(other, *(one("r", n, ended(f"s{n}")) for n in range(1, 51)))
    other.close()
    other.close()

    assert len(ledger.history("r")) == 50
    with pytest.raises(Unavailable, match="closed"):
        other.admit(admission("late"))
    with pytest.raises(Unavailable, match="closed"):
        other.run("r")
