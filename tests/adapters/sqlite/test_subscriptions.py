"""Push subscriptions: every change once, in order, also around the snapshot."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from sluice.api.kinds import ROLLOUT, WORKFLOW
from sluice.ports.store import WatchEvent
from tests.adapters.sqlite.stores import Opened, obj, rollout, workflow


def test_a_listener_hears_its_kinds_in_order_before_the_writer_is_answered() -> None:
    with Opened() as opened:
        heard: list[WatchEvent] = []
        subscription = opened.store.subscribe([ROLLOUT], heard.append)
        opened.store.create(obj("Workflow", "a"))
        opened.store.create(obj("Rollout", "a"))
        opened.store.patch(rollout("a"), {"spec": {"percent": 1}})
        opened.store.delete(rollout("a"))
        assert [event.type for event in heard] == ["ADDED", "MODIFIED", "DELETED"]
        assert [event.ref for event in heard] == [rollout("a")] * 3
        assert heard[1].object["spec"]["percent"] == 1
        subscription.close()
        opened.store.create(obj("Rollout", "b"))
        assert len(heard) == 3


def test_a_listener_that_fails_harms_nobody() -> None:
    def fails(event: WatchEvent) -> None:
        raise ValueError(event.type)

    with Opened() as opened:
        heard: list[WatchEvent] = []
        opened.store.subscribe([WORKFLOW], fails)
        opened.store.subscribe([WORKFLOW], heard.append)
        opened.store.create(obj("Workflow", "a"))
        assert len(heard) == 1
        assert opened.store.get(workflow("a"))


def test_nothing_falls_between_a_snapshot_and_its_subscription() -> None:
    with Opened() as opened, ThreadPoolExecutor(4) as pool:
        enough = threading.Event()

        def write(index: int) -> None:
            opened.store.create(obj("Workflow", f"w{index}"))
            if index == 40:
                enough.set()

        writes = [pool.submit(write, index) for index in range(200)]
        assert enough.wait(30)
        heard: list[WatchEvent] = []
        snapshot, version, _ = opened.store.snapshot_and_subscribe([WORKFLOW], heard.append)
        for future in writes:
            future.result(30)
        names = [event.object["metadata"]["name"] for event in [*snapshot, *heard]]
        assert sorted(names) == sorted(f"w{index}" for index in range(200))
        assert all(int(event.resource_version) > int(version) for event in heard)
        assert all(int(event.resource_version) <= int(version) for event in snapshot)


def test_closing_the_store_ends_its_watches() -> None:
    opened = Opened()
    watch = opened.store.watch(WORKFLOW)
    events: list[str] = []
    thread = threading.Thread(target=lambda: events.extend(event.type for event in watch))
    thread.start()
    opened.store.close()
    thread.join(30)
    assert not thread.is_alive()
    opened.writer.close()
