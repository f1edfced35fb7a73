"""How changes get from a store to the hub, whichever way the store has."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence

import pytest

from sluice.api.kinds import WORKFLOW, KindInfo
from sluice.http.kubernetes import feeds
from sluice.http.kubernetes.feeds import PushFeed, WatchFeed
from sluice.ports.errors import Gone
from sluice.ports.store import Ref, WatchEvent

PATIENCE = 10


def event(name: str, version: int) -> WatchEvent:
    obj = {"metadata": {"name": name, "namespace": "default"}}
    return WatchEvent("ADDED", obj, str(version), b"{}", Ref(WORKFLOW, "default", name))


class Heard:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self._arrived = threading.Condition()

    def push(self, kind: KindInfo, event: WatchEvent | None) -> None:
        with self._arrived:
            self.told.append("RESTART" if event is None else f"{event.type} {event.resource_version}")
            self._arrived.notify_all()

    def wait_for(self, count: int) -> list[str]:
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.told) >= count, PATIENCE), self.told
            return self.told[:count]


class Subscription:
    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


class HastyStore:
    """Changes while the snapshot is being handed over."""

    def __init__(self) -> None:
        self.subscription = Subscription()
        self.listener: Callable[[WatchEvent], None] | None = None

    def snapshot_and_subscribe(
        self, kinds: Collection[KindInfo], listener: Callable[[WatchEvent], None]
    ) -> tuple[Sequence[WatchEvent], str, Subscription]:
        self.listener = listener
        listener(event("late", 3))
        return [event("early", 1), event("early2", 2)], "2", self.subscription


def test_what_is_there_comes_before_what_changes() -> None:
    store, heard = HastyStore(), Heard()
    feed = PushFeed(store)
    feed.start([WORKFLOW], heard)
    assert store.listener is not None
    store.listener(event("later", 4))

    assert heard.told == ["ADDED 1", "ADDED 2", "BOOKMARK 2", "ADDED 3", "ADDED 4"]
    feed.stop()
    feed.stop()
    assert store.subscription.closed


class BreakingWatch:
    def __init__(self, events: list[WatchEvent], *, breaks: bool) -> None:
        self._events = events
        self._breaks = breaks
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[WatchEvent]:
        yield from self._events
        if self._breaks:
            raise Gone("too old")
        assert self._closed.wait(PATIENCE)

    def close(self) -> None:
        self._closed.set()


class BreakingStore:
    """Its first watch breaks."""

    def __init__(self) -> None:
        self.watches: list[BreakingWatch] = []

    def watch(self, kind: KindInfo) -> BreakingWatch:
        breaks = not self.watches
        version = len(self.watches) + 1
        mark = WatchEvent("BOOKMARK", {}, str(version))
        self.watches.append(BreakingWatch([event("a", version), mark], breaks=breaks))
        return self.watches[-1]


def test_a_watch_that_breaks_is_opened_again_from_the_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(feeds, "RETRY_AFTER", 0.001)
    heard = Heard()
    feed = WatchFeed(BreakingStore())  # type: ignore[arg-type]
    feed.start([WORKFLOW], heard)
    told = heard.wait_for(6)
    feed.stop()

    assert told == ["RESTART", "ADDED 1", "BOOKMARK 1", "RESTART", "ADDED 2", "BOOKMARK 2"]
    assert "too old" in caplog.text
