"""Informers over a store whose watches break: nothing is missed, and what vanished meanwhile is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sluice.adapters.sqlite.store import SqliteStore
from sluice.adapters.sqlite.writer import Writer
from sluice.api.kinds import API_VERSION, CONFIG_MAP, ROLLOUT, SECRET, KindInfo
from sluice.ports.errors import Gone, Unavailable
from sluice.ports.store import EVERYTHING, Obj, Ref, Selector, Watch, WatchEvent
from sluice.runtime.cache import Cache
from sluice.runtime.informers import Informers
from sluice.runtime.queue import Key
from tests.contracts.store.builders import config_map

PATIENCE_S = 10


class Breaking:
    """A store whose watches can be broken, and refused for a while."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._open: list[Watch] = []
        self.error: Exception | None = None
        self.closed_door = threading.Event()
        self.closed_door.set()
        self.opened = 0

    def watch(self, kind: KindInfo, namespace: str = "", selector: Selector = EVERYTHING, *, since: str = "") -> Any:
        self.closed_door.wait(PATIENCE_S)
        watch = self._store.watch(kind, namespace, selector, since=since)
        self._open.append(watch)
        self.opened += 1
        return _Broken(self, watch)

    def break_all(self, error: Exception) -> None:
        self.error = error
        for watch in self._open:
            watch.close()
        self._open.clear()


class _Broken:
    def __init__(self, store: Breaking, watch: Watch) -> None:
        self._store, self._watch = store, watch

    def __iter__(self) -> Iterator[WatchEvent]:
        yield from self._watch
        error, self._store.error = self._store.error, None
        if error is not None:
            raise error

    def close(self) -> None:
        self._watch.close()


class Bench:
    def __init__(self) -> None:
        self.writer = Writer(":memory:")
        self.store = SqliteStore(self.writer)
        self.breaking = Breaking(self.store)
        self.cache = Cache(CONFIG_MAP)
        self.told: list[tuple[str, str]] = []
        self._changed = threading.Condition()
        self.informers = Informers(self.breaking, [CONFIG_MAP], self._hear, last_known=self._last)  # type: ignore[arg-type]

    def _hear(self, event: WatchEvent) -> None:
        with self._changed:
            self.cache.apply(event)
            self.told.append((event.type, event.object["metadata"]["name"]))
            self._changed.notify_all()

    def _last(self, ref: Ref) -> Obj | None:
        return self.cache.get(Key(ref.namespace, ref.name))

    def names(self) -> set[str]:
        return {key.name for key in self.cache.keys("")}

    def wait_for(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_S), (self.told, self.names())

    def add(self, *names: str) -> None:
        for name in names:
            self.store.create(config_map("default", name))

    def remove(self, name: str) -> None:
        self.store.delete(Ref(CONFIG_MAP, "default", name))

    def close(self) -> None:
        self.informers.close()
        self.store.close()
        self.writer.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()


def test_what_is_there_is_taken_in_before_it_is_synced(bench: Bench) -> None:
    bench.add("a", "b")
    bench.informers.start()

    assert bench.informers.wait_until_synced(PATIENCE_S)
    assert bench.names() == {"a", "b"}


def test_changes_follow_in_order(bench: Bench) -> None:
    bench.informers.start()
    bench.informers.wait_until_synced(PATIENCE_S)
    bench.add("a")
    bench.remove("a")

    bench.wait_for(lambda: len(bench.told) == 2)
    assert bench.told == [("ADDED", "a"), ("DELETED", "a")]


@pytest.mark.parametrize("error", [Gone("too old"), Unavailable("connection reset"), RuntimeError("a bug")])
def test_what_came_and_went_while_nobody_watched_is_told(bench: Bench, error: Exception) -> None:
    bench.add("goes", "stays")
    bench.informers.start()
    bench.informers.wait_until_synced(PATIENCE_S)

    bench.breaking.closed_door.clear()
    bench.breaking.break_all(error)
    bench.remove("goes")
    bench.add("comes")
    bench.breaking.closed_door.set()

    bench.wait_for(lambda: bench.names() == {"stays", "comes"})
    assert ("DELETED", "goes") in bench.told
    assert bench.informers.informers[0].begun == 2


def test_one_that_took_the_name_of_another_meanwhile_is_another(bench: Bench) -> None:
    bench.add("a")
    bench.informers.start()
    bench.informers.wait_until_synced(PATIENCE_S)
    before = bench.cache.get(Key("default", "a"))

    bench.breaking.closed_door.clear()
    bench.breaking.break_all(Gone("too old"))
    bench.remove("a")
    bench.add("a")
    bench.breaking.closed_door.set()

    bench.wait_for(lambda: bench.told[-2:] == [("DELETED", "a"), ("ADDED", "a")])
    after = bench.cache.get(Key("default", "a"))
    assert before is not None
    assert after is not None
    assert before["metadata"]["uid"] != after["metadata"]["uid"]


def test_it_is_synced_when_every_kind_is(bench: Bench) -> None:
    both = Informers(bench.store, [CONFIG_MAP, SECRET], lambda event: None, last_known=lambda ref: None)
    both.start()

    assert both.wait_until_synced(PATIENCE_S)
    assert all(informer.synced for informer in both.informers)
    both.close()


def test_who_owns_which_field_is_not_kept(bench: Bench) -> None:
    bench.store.apply(config_map("default", "a"), manager="somebody")
    bench.informers.start()
    bench.informers.wait_until_synced(PATIENCE_S)

    known = bench.cache.get(Key("default", "a"))
    assert known is not None
    assert "managedFields" not in known["metadata"]


def test_of_kinds_whose_writers_matter_it_is_kept_who_owns_what_but_for_the_status(bench: Bench) -> None:
    rollout = {"apiVersion": API_VERSION, "kind": "Rollout", "metadata": {"name": "a", "namespace": "default"}}
    made = bench.store.apply({**rollout, "spec": {"percent": 10}}, manager="somebody")
    bench.store.update_status({**made, "status": {"phase": "Completed"}}, manager="sluice-controller")
    told: list[Obj] = []
    informers = Informers(
        bench.store, [ROLLOUT], lambda event: told.append(event.object), last_known=lambda _: None, owned=[ROLLOUT]
    )
    informers.start()
    assert informers.wait_until_synced(PATIENCE_S)
    informers.close()

    (known,) = told
    assert [entry["manager"] for entry in known["metadata"]["managedFields"]] == ["somebody"]


def test_closing_ends_all_threads(bench: Bench) -> None:
    bench.informers.start()
    bench.informers.wait_until_synced(PATIENCE_S)
    bench.informers.close()
    bench.informers.close()

    assert not bench.informers.wait_until_synced(0)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("informer")]


def test_a_watch_is_read_no_faster_than_what_it_tells_is_taken_in(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluice.runtime.informers.BACKLOG", 2)
    seen, allowed = threading.Semaphore(0), threading.Semaphore(0)

    def hear(event: WatchEvent) -> None:
        seen.release()
        assert allowed.acquire(timeout=PATIENCE_S)
        bench.cache.apply(event)

    slow = Informers(bench.breaking, [CONFIG_MAP], hear, last_known=lambda _: None)  # type: ignore[arg-type]
    bench.add(*(f"c{number}" for number in range(9)))
    slow.start()
    assert seen.acquire(timeout=PATIENCE_S)
    # One is being taken in, two wait, and the next one is in the hands of whoever reads.
    assert slow.informers[0].events <= 4
    allowed.release(9)
    assert slow.wait_until_synced(PATIENCE_S)
    assert len(bench.cache) == slow.informers[0].events == 9
    slow.close()
