"""The work queue with real workers: nothing ready waits, nothing due is forgotten, whoever happens to be idle."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import pytest

from sluice.ports.clock import SystemClock
from sluice.runtime.queue import Key, WorkQueue

SOON = 0.01
LATER = 0.03
NEVER = 600.0
PATIENCE = 10.0


class Crew:
    """Threads that take keys and say which; they can be held while they work."""

    def __init__(self, size: int) -> None:
        self.queue = WorkQueue("test", SystemClock())
        self.taken: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.held: dict[str, threading.Event] = {}
        self.threads = [threading.Thread(target=self._work) for _ in range(size)]
        for thread in self.threads:
            thread.start()

    def next(self) -> str:
        return self.taken.get(timeout=PATIENCE)

    def hold(self, name: str) -> threading.Event:
        return self.held.setdefault(name, threading.Event())

    def close(self) -> None:
        for event in self.held.values():
            event.set()
        self.queue.close()
        for thread in self.threads:
            thread.join()

    def _work(self) -> None:
        while (key := self.queue.take()) is not None:
            self.taken.put(key.name)
            if key.name in self.held:
                self.held[key.name].wait(PATIENCE)
            self.queue.done(key)


@pytest.fixture
def crew() -> Iterator[Crew]:
    crew = Crew(3)
    yield crew
    crew.close()


def key(name: str) -> Key:
    return Key("ns", name)


def test_a_delayed_key_is_handed_out_while_everybody_is_idle(crew: Crew) -> None:
    crew.queue.add_after(key("a"), SOON)
    assert crew.next() == "a"


def test_an_earlier_delay_is_kept_although_a_later_one_was_waited_for(crew: Crew) -> None:
    crew.queue.add_after(key("late"), NEVER)
    crew.queue.add_after(key("early"), SOON)
    assert crew.next() == "early"


def test_delays_are_kept_while_whoever_kept_the_time_is_at_work(crew: Crew) -> None:
    """Each due key occupies the worker that waited for it; the next one has to be waited for by another."""
    for number, name in enumerate(("a", "b", "c"), start=1):
        crew.hold(name)
        crew.queue.add_after(key(name), number * LATER)
    assert [crew.next() for _ in range(3)] == ["a", "b", "c"]


def test_as_many_ready_keys_are_taken_at_once_as_there_are_workers(crew: Crew) -> None:
    for name in ("a", "b", "c", "d"):
        crew.hold(name)
        crew.queue.add(key(name))
    assert sorted(crew.next() for _ in range(3)) == ["a", "b", "c"]
    crew.hold("b").set()
    assert crew.next() == "d"


def test_a_key_that_is_added_while_it_is_worked_on_is_handed_out_again(crew: Crew) -> None:
    held = crew.hold("a")
    crew.queue.add(key("a"))
    assert crew.next() == "a"
    crew.queue.add(key("a"))
    held.set()
    assert crew.next() == "a"


def test_a_settled_key_is_not_looked_at_later(crew: Crew) -> None:
    crew.queue.add_after(key("a"), LATER)
    crew.queue.settle(key("a"))
    crew.queue.add_after(key("b"), 2 * LATER)
    assert crew.next() == "b"


def test_a_settled_key_can_be_delayed_again(crew: Crew) -> None:
    crew.queue.add_after(key("a"), NEVER)
    crew.queue.settle(key("a"))
    crew.queue.add_after(key("a"), SOON)
    assert crew.next() == "a"


def test_everybody_goes_home_when_the_queue_is_closed(crew: Crew) -> None:
    crew.queue.add_after(key("a"), NEVER)
    crew.close()
    assert not any(thread.is_alive() for thread in crew.threads)
