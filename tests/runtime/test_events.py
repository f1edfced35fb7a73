"""Events: one for each thing said, counted up when it is said again, never in the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sluice.adapters.sqlite.store import SqliteStore
from sluice.adapters.sqlite.writer import Writer
from sluice.api import kinds
from sluice.ports.errors import Unavailable
from sluice.runtime.events import MESSAGE_LIMIT, Recorder
from tests.simulation.embedded import HandClock

ABOUT: dict[str, Any] = {
    "apiVersion": kinds.API_VERSION,
    "kind": "Workflow",
    "metadata": {"name": "greet", "namespace": "default", "uid": "u1", "resourceVersion": "7"},
}


@pytest.fixture
def store(clock: HandClock) -> Iterator[SqliteStore]:
    writer = Writer(":memory:")
    store = SqliteStore(writer, None, clock)
    yield store
    store.close()
    writer.close()


def events(store: SqliteStore) -> list[dict[str, Any]]:
    return store.list(kinds.EVENT, "default").items


def test_an_event_says_about_what_it_is(store: SqliteStore, clock: HandClock) -> None:
    Recorder(store, clock).record(ABOUT, "Warning", "GateFailed", "2 of 20 runs failed")

    event = events(store)[0]
    assert event["involvedObject"]["name"] == "greet"
    assert event["involvedObject"]["uid"] == "u1"
    assert (event["type"], event["reason"], event["message"]) == ("Warning", "GateFailed", "2 of 20 runs failed")
    assert event["count"] == 1


def test_a_repeat_counts_up_and_keeps_the_first_time(store: SqliteStore, clock: HandClock) -> None:
    recorder = Recorder(store, clock)
    recorder.record(ABOUT, "Normal", "Published", "v1")
    clock.advance(minutes=5)
    Recorder(store, clock).record(ABOUT, "Normal", "Published", "v1")  # another one, after a restart

    assert len(events(store)) == 1
    event = events(store)[0]
    assert event["count"] == 2
    assert (event["firstTimestamp"], event["lastTimestamp"]) == ("2026-03-01T12:00:00Z", "2026-03-01T12:05:00Z")


def test_something_else_is_another_event(store: SqliteStore, clock: HandClock) -> None:
    recorder = Recorder(store, clock)
    recorder.record(ABOUT, "Normal", "Published", "v1")
    recorder.record(ABOUT, "Normal", "Published", "v2")
    recorder.record({**ABOUT, "metadata": {**ABOUT["metadata"], "uid": "u2"}}, "Normal", "Published", "v1")

    assert len(events(store)) == 3


def test_long_messages_are_cut(store: SqliteStore, clock: HandClock) -> None:
    Recorder(store, clock).record(ABOUT, "Normal", "Published", "x" * 5000)

    assert len(events(store)[0]["message"]) == MESSAGE_LIMIT


def test_what_can_not_be_written_stops_nobody(clock: HandClock) -> None:
    class Full:
        def create(self, obj: Any, **_: Any) -> Any:
            raise Unavailable("the disk is full")

    recorder = Recorder(Full(), clock)  # type: ignore[arg-type]

    assert recorder.record(ABOUT, "Normal", "Published", "v1") is None
