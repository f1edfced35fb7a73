"""Who waits for an environment asks again once it is fit: one after the other, not too often, and nobody else does."""

from __future__ import annotations

import pytest

from sluice.runtime.held_up import A_SECOND, APART_S, HeldUp
from sluice.runtime.queue import Key
from tests.simulation.embedded import HandClock

FAR = Key("default", "far")


class Waiters:
    """Runs that are held up, and what was queued of them, in thousandths of a second."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.queued: list[tuple[str, int]] = []
        self.held_up = HeldUp(lambda key, delay: self.queued.append((key.name, round(delay * 1000))), self.clock)

    def add(self, *runs: str, environment: str = "far", namespace: str = "default") -> None:
        for run in runs:
            self.held_up.add(namespace, environment=environment, run=run)

    def release(self, environment: Key = FAR) -> list[tuple[str, int]]:
        self.queued.clear()
        self.held_up.release(environment)
        return list(self.queued)


@pytest.fixture
def waiters() -> Waiters:
    return Waiters()


def test_those_that_wait_for_an_environment_are_looked_at_once_when_it_is_fit(waiters: Waiters) -> None:
    waiters.add("b", "a", "b")
    waiters.add("c", environment="near")
    waiters.add("d", namespace="other")

    assert [run for run, _ in waiters.release()] == ["b", "a"], "the first one first"
    assert waiters.release() == []
    assert waiters.release(Key("default", "unknown")) == []
    assert waiters.release(Key("other", "far")) == [("d", 0)]


def test_many_do_not_come_at_once(waiters: Waiters) -> None:
    waiters.add(*(f"r{n}" for n in range(1000)))
    delays = [delay for _, delay in waiters.release()]
    assert delays == [round(n * 1000 / A_SECOND) for n in range(1000)]


def test_one_that_is_fit_now_and_then_is_asked_now_and_then(waiters: Waiters) -> None:
    waiters.add("a")
    assert waiters.release() == [("a", 0)]
    waiters.clock.advance(seconds=1)
    waiters.add("a", "b")
    wait = round((APART_S - 1) * 1000)
    assert waiters.release() == [("a", wait), ("b", wait + round(1000 / A_SECOND))]
    waiters.clock.advance(seconds=100)
    waiters.add("a")
    assert waiters.release() == [("a", 0)]


def test_whoever_waits_no_more_is_not_looked_at(waiters: Waiters) -> None:
    waiters.held_up.discard(Key("default", "nobody"))
    waiters.add("a", "b")
    waiters.held_up.discard(Key("default", "a"))
    assert waiters.release() == [("b", 0)]


def test_those_that_wait_for_what_is_deleted_are_looked_at_and_it_is_forgotten(waiters: Waiters) -> None:
    waiters.add("a")
    waiters.held_up.gone(FAR)
    assert waiters.queued == [("a", 0)]
    waiters.add("a")
    assert waiters.release() == [("a", 0)], "another one of that name begins anew"
