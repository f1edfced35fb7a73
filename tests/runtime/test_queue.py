"""The work queue: each key once, never twice at a time, later and later when it fails."""

from __future__ import annotations

import threading
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.ports.clock import SystemClock
from sluice.runtime.queue import LONGEST_BACKOFF, Key, WorkQueue
from tests.simulation.embedded import HandClock

A, B, C = Key("default", "a"), Key("default", "b"), Key("default", "c")


def taken(queue: WorkQueue) -> list[Key]:
    """All that is ready, in order; none of it is done."""
    found = []
    while (key := queue.take(wait=False)) is not None:
        found.append(key)
    return found


def test_keys_are_handed_out_in_order_and_once(queue: WorkQueue) -> None:
    for key in (A, B, A, C, B):
        queue.add(key)

    assert queue.depth == 3
    assert taken(queue) == [A, B, C]


def test_a_key_that_is_added_while_it_is_worked_on_is_handed_out_afterwards(queue: WorkQueue) -> None:
    queue.add(A)
    assert queue.take() == A
    queue.add(A)
    queue.add(A)
    assert taken(queue) == []

    queue.done(A)
    assert taken(queue) == [A]
    queue.done(A)
    assert taken(queue) == []


def test_a_delayed_key_is_handed_out_when_its_time_has_come(queue: WorkQueue, clock: HandClock) -> None:
    queue.add_after(A, 10)
    clock.advance(seconds=9.999)
    assert taken(queue) == []
    assert queue.next_due() is not None

    clock.advance(seconds=0.001)
    assert taken(queue) == [A]
    assert queue.next_due() is None


def test_the_earliest_of_several_delays_counts_and_only_once(queue: WorkQueue, clock: HandClock) -> None:
    queue.add_after(A, 30)
    queue.add_after(A, 10)
    queue.add_after(A, 20)
    clock.advance(seconds=10)
    assert taken(queue) == [A]
    queue.done(A)

    clock.advance(seconds=60)
    assert taken(queue) == []


def test_no_delay_is_at_once(queue: WorkQueue) -> None:
    queue.add_after(A, 0)
    queue.add_after(B, -5)

    assert taken(queue) == [A, B]


def test_a_settled_key_is_not_looked_at_later(queue: WorkQueue, clock: HandClock) -> None:
    queue.add_after(A, 10)
    queue.settle(A)
    clock.advance(minutes=1)

    assert taken(queue) == []
    queue.add_after(A, 1)
    clock.advance(seconds=1)
    assert taken(queue) == [A]


def test_back_off_doubles_from_five_milliseconds_to_a_quarter_of_an_hour(queue: WorkQueue) -> None:
    delays = [queue.retry(A) for _ in range(25)]

    assert delays[:4] == [0.005, 0.01, 0.02, 0.04]
    assert delays[-1] == LONGEST_BACKOFF
    assert sorted(delays) == delays
    assert queue.retry(B) == 0.005, "each key has its own"


def test_success_ends_the_back_off(queue: WorkQueue) -> None:
    for _ in range(5):
        queue.retry(A)
    queue.forget(A)

    assert queue.retry(A) == 0.005


def test_a_retry_does_not_keep_a_key_from_being_added_at_once(queue: WorkQueue) -> None:
    for _ in range(10):
        queue.retry(A)
    queue.add(A)

    assert taken(queue) == [A]


def test_a_closed_queue_hands_nothing_out(queue: WorkQueue, clock: HandClock) -> None:
    queue.add(A)
    queue.add_after(B, 1)
    queue.close()
    queue.add(C)
    queue.add_after(C, 1)
    clock.advance(minutes=1)

    assert queue.take() is None


def test_closing_sends_every_waiting_worker_home() -> None:
    queue = WorkQueue("test", SystemClock())
    queue.add_after(A, 3600)
    workers = [threading.Thread(target=queue.take) for _ in range(4)]
    for worker in workers:
        worker.start()
    queue.close()
    for worker in workers:
        worker.join(10)

    assert not any(worker.is_alive() for worker in workers)


def test_a_sleeping_worker_wakes_for_a_delay_that_is_shorter_than_what_it_waited_for() -> None:
    queue = WorkQueue("test", SystemClock())
    queue.add_after(A, 3600)
    got: list[Key | None] = []
    workers = [threading.Thread(target=lambda: got.append(queue.take())) for _ in range(2)]
    for worker in workers:
        worker.start()
    queue.add_after(B, 0.01)
    queue.add_after(C, 0.02)
    for worker in workers:
        worker.join(10)
    queue.close()

    assert set(got) == {B, C}


def test_no_key_is_ever_worked_on_twice_at_a_time_and_none_is_lost() -> None:
    queue = WorkQueue("test", SystemClock())
    keys = [Key("default", str(n)) for n in range(7)]
    busy: Counter[Key] = Counter()
    clashes: list[Key] = []
    looked: Counter[Key] = Counter()
    last_added = threading.Event()

    def work() -> None:
        while (key := queue.take()) is not None:
            busy[key] += 1
            if busy[key] > 1:
                clashes.append(key)
            looked[key] += 1
            busy[key] -= 1
            if key == keys[-1] and last_added.is_set():
                finished.set()
            queue.done(key)

    finished = threading.Event()
    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for n in range(700):
        (queue.add if n % 3 else lambda key: queue.add_after(key, 0.0001))(keys[n % 6])
    last_added.set()
    queue.add(keys[-1])
    assert finished.wait(20)
    queue.close()
    for worker in workers:
        worker.join(10)

    assert clashes == []
    assert set(looked) == set(keys)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.sampled_from([A, B, C])),
            st.tuples(st.just("after"), st.sampled_from([A, B, C]), st.integers(1, 20)),
            st.tuples(st.just("take")),
            st.tuples(st.just("done")),
            st.tuples(st.just("pass"), st.integers(1, 20)),
        ),
        max_size=60,
    )
)
@settings(max_examples=200, deadline=None)
def test_whatever_was_added_is_handed_out_after_it_was_added(acts: list[tuple[object, ...]]) -> None:
    """A model beside it: a key is owed from the moment it is added, or due, until it is taken."""
    clock = HandClock()
    queue = WorkQueue("test", clock)
    owed: set[Key] = set()
    due: dict[Key, float] = {}
    working: list[Key] = []
    for act in [*acts, ("pass", 100)]:
        match act:
            case ("add", Key() as key):
                queue.add(key)
                owed.add(key)
            case ("after", Key() as key, int(seconds)):
                queue.add_after(key, seconds)
                due[key] = min(due.get(key, float("inf")), clock.monotonic() + seconds)
            case ("take",):
                key = queue.take(wait=False)
                assert (key is None) == (not owed - set(working))
                if key is not None:
                    assert key in owed
                    assert key not in working
                    owed.discard(key)
                    working.append(key)
            case ("done",):
                if working:
                    queue.done(working.pop())
            case ("pass", int(seconds)):
                clock.advance(seconds=seconds)
                queue.next_due()  # what is due is ready from now on
        for key in [key for key, when in due.items() if when <= clock.monotonic()]:
            del due[key]
            owed.add(key)
    for key in working:
        queue.done(key)
    assert set(taken(queue)) == owed
