"""A cluster that does not answer costs one request now and then, and nobody else's time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from sluice.adapters.kubernetes.credentials import Token
from sluice.adapters.kubernetes.launching.reach import LONGEST_PAUSE_S, SHORTEST_PAUSE_S, FarTransport, Reach
from sluice.adapters.kubernetes.transport import Limits
from sluice.ports.errors import Unavailable
from tests.adapters.kubernetes.elections import Hands
from tests.adapters.kubernetes.scripted import Answer, refused, scripted

AWAY = Unavailable("no connection")


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def reach(clock: Hands) -> Reach:
    return Reach(at_once=2, monotonic=clock.monotonic)


def ask_in_vain(clock: Hands, seconds: float = 0.0) -> None:
    """What goes on within a turn, when no answer comes."""
    clock.advance(seconds)
    raise AWAY


def fail(reach: Reach, clock: Hands, seconds: float = 0.0) -> None:
    with pytest.raises(Unavailable), reach.turn():
        ask_in_vain(clock, seconds)


def fail_after_another_was_answered(reach: Reach, clock: Hands) -> None:
    """What goes on within a turn that began before the one that got an answer."""
    clock.advance(5)
    with reach.turn(patient=True):
        clock.advance(1)
    ask_in_vain(clock, 4)


def is_let_through(reach: Reach, clock: Hands) -> bool:
    """Whether somebody may ask now; what is asked takes a hundredth of a second, and gets no answer."""
    before = clock.seconds
    fail(reach, clock, 0.01)
    return clock.seconds > before


def test_whoever_comes_after_a_failure_is_told_at_once(reach: Reach, clock: Hands) -> None:
    fail(reach, clock)
    assert reach.is_away
    with pytest.raises(Unavailable, match="no connection"), reach.turn():
        pytest.fail("it was asked")


@pytest.mark.parametrize(
    ("took", "pause"), [(0.0, SHORTEST_PAUSE_S), (3.0, 9.0), (10.0, LONGEST_PAUSE_S), (100.0, LONGEST_PAUSE_S)]
)
def test_one_may_try_again_after_a_pause_that_is_in_proportion(
    reach: Reach, clock: Hands, took: float, pause: float
) -> None:
    fail(reach, clock, took)
    clock.advance(pause - 0.1)
    assert not is_let_through(reach, clock)
    clock.advance(0.2)
    assert is_let_through(reach, clock)
    assert not is_let_through(reach, clock)


def test_while_one_tries_the_others_do_not(reach: Reach, clock: Hands) -> None:
    fail(reach, clock)
    clock.advance(2)
    with reach.turn(), pytest.raises(Unavailable), reach.turn():
        pytest.fail("it was asked")
    assert not reach.is_away


def test_an_answer_opens_it_to_everybody(reach: Reach, clock: Hands) -> None:
    fail(reach, clock)
    clock.advance(2)
    with reach.turn():
        pass
    with reach.turn(), reach.turn():
        assert not reach.is_away


def test_who_has_a_thread_for_it_always_asks_and_brings_the_news(reach: Reach, clock: Hands) -> None:
    fail(reach, clock)
    with reach.turn(patient=True):
        pass
    assert not reach.is_away
    with pytest.raises(Unavailable), reach.turn(patient=True):
        raise AWAY
    assert reach.is_away


def test_the_first_answer_after_a_failure_is_told_of(clock: Hands) -> None:
    back: list[float] = []
    reach = Reach(monotonic=clock.monotonic, back=lambda: back.append(clock.seconds))
    with reach.turn():
        pass
    fail(reach, clock)
    clock.advance(2)
    fail(reach, clock)
    assert back == []
    clock.advance(2)
    for _ in range(2):
        with reach.turn(patient=True):
            pass
    assert len(back) == 1


def test_a_failure_of_what_was_asked_before_the_last_answer_says_nothing_new(reach: Reach, clock: Hands) -> None:
    fail(reach, clock)
    clock.advance(2)
    with pytest.raises(Unavailable), reach.turn():
        fail_after_another_was_answered(reach, clock)
    assert not reach.is_away
    fail(reach, clock)
    assert reach.is_away


def test_what_is_refused_is_an_answer(reach: Reach) -> None:
    with pytest.raises(ValueError, match="conflict"), reach.turn():
        raise ValueError("conflict")
    assert not reach.is_away


def test_no_more_than_some_wait_for_the_same_cluster(reach: Reach) -> None:
    with ExitStack() as turns:
        turns.enter_context(reach.turn())
        turns.enter_context(reach.turn())
        with pytest.raises(Unavailable, match="has not answered"), reach.turn():
            pytest.fail("it was asked")
    with reach.turn():
        pass


def test_a_place_that_becomes_free_is_taken(reach: Reach) -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with reach.turn():
            entered.set()
            leave.wait(10)

    with reach.turn():
        holder = threading.Thread(target=hold)
        holder.start()
        assert entered.wait(10)
        threading.Timer(0.05, leave.set).start()
        with reach.turn():
            pass
        holder.join(10)


@pytest.fixture
def quick() -> Iterator[Limits]:
    return Limits(connect_s=0.3, answer_s=0.3, attempts=1)


def test_a_server_that_hangs_is_asked_once(quick: Limits, clock: Hands) -> None:
    with scripted(Answer(lines=({},), then="hold")) as server:
        transport = FarTransport(Token(server.url, "x"), quick, reach=Reach(monotonic=clock.monotonic))
        for _ in range(3):
            with pytest.raises(Unavailable, match="did not answer"):
                transport.send("GET", "/version")
        assert len(server.asked) == 1
        transport.close()


def test_a_server_that_refuses_is_there(quick: Limits) -> None:
    with scripted(refused(503, "ServiceUnavailable")) as server:
        transport = FarTransport(Token(server.url, "x"), quick)
        for _ in range(3):
            with pytest.raises(Unavailable):
                transport.send("POST", "/x", body=b"{}")
        assert len(server.asked) == 3
        assert not transport.reach.is_away
        transport.close()
