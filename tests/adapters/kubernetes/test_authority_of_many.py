"""Several replicas and one Secret: whoever is first makes it, and all others take it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sluice.ports.errors import Conflict, Unavailable
from sluice.ports.store import Obj, Ref, Store
from tests.adapters.kubernetes.authorities import REF, Place
from tests.adapters.sqlite.stores import Opened


@pytest.fixture
def place() -> Iterator[Place]:
    with Opened() as opened:
        yield Place(opened)


class Racing:
    """A store on which another replica is faster by one write."""

    def __init__(self, store: Store, first: Callable[[], object]) -> None:
        self._store = store
        self._first: Callable[[], object] | None = first

    def get(self, ref: Ref) -> Obj:
        return self._store.get(ref)

    def create(self, obj: Obj) -> Obj:
        return self._after_the_other(self._store.create, obj)

    def update(self, obj: Obj) -> Obj:
        return self._after_the_other(self._store.update, obj)

    def _after_the_other(self, write: Callable[[Obj], Obj], obj: Obj) -> Obj:
        first, self._first = self._first, None
        if first is not None:
            first()
        return write(obj)


def test_who_loses_the_race_to_make_it_takes_the_winners(place: Place) -> None:
    winner = place.replica()
    loser = place.replica(Racing(place.store, winner.refresh))  # type: ignore[arg-type]
    assert loser.refresh() == winner.refresh()


def test_who_loses_the_race_to_renew_takes_the_winners(place: Place) -> None:
    winner = place.replica()
    winner.refresh()
    place.clock.advance(days=61)
    loser = place.replica(Racing(place.store, winner.refresh))  # type: ignore[arg-type]
    assert loser.refresh() == winner.refresh()


def test_a_secret_that_is_deleted_while_it_is_renewed_is_made_anew(place: Place) -> None:
    place.replica().refresh()
    place.clock.advance(days=61)
    replica = place.replica(Racing(place.store, lambda: place.store.delete(REF)))  # type: ignore[arg-type]
    assert place.replica().refresh() == replica.refresh()


def test_many_replicas_at_once_have_one_authority(place: Place) -> None:
    start, made = threading.Barrier(8), []

    def begin() -> None:
        start.wait(20)
        made.append(place.replica().refresh())

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(made) == 8
    assert len({one.authorities for one in made}) == len({one.serving for one in made}) == 1


def test_a_secret_that_somebody_changes_all_the_time_is_left_alone(place: Place) -> None:
    place.replica().refresh()
    place.clock.advance(days=61)
    store: Any = Racing(place.store, lambda: None)
    touches = iter(range(100))

    def touch_and_write(obj: Obj) -> Obj:
        place.store.patch(REF, {"metadata": {"labels": {"touched": str(next(touches))}}})
        return place.store.update(obj)

    store.update = touch_and_write
    with pytest.raises(Conflict, match="changes all the time"):
        place.replica(store).refresh()


def test_a_store_that_is_away_is_told_of(place: Place) -> None:
    def lose() -> None:
        raise Unavailable("no connection")

    with pytest.raises(Unavailable):
        place.replica(Racing(place.store, lose)).refresh()  # type: ignore[arg-type]
