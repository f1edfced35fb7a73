"""The fan-out of changes, without sockets: what is shared, what is dropped, what wakes the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import orjson
import pytest

from sluice.api.kinds import WORKFLOW, KindInfo
from sluice.domain.objects.selectors import Matcher
from sluice.http.kubernetes import changes, watchers
from sluice.http.kubernetes.errors import Refused
from sluice.http.kubernetes.frames import PlainFrames
from sluice.http.kubernetes.hub import RESTART, Hub, Sink
from sluice.http.kubernetes.watchers import Watcher, Wish
from sluice.ports.store import EventType, Ref, WatchEvent


class HandFeed:
    """Pushes what a test tells it to."""

    def __init__(self) -> None:
        self.stopped = False
        self._sink: Sink | None = None

    def start(self, kinds: Sequence[KindInfo], sink: Sink) -> None:
        self._sink = sink
        self.push("BOOKMARK", version=10)

    def stop(self) -> None:
        self.stopped = True

    def restart(self, version: int) -> None:
        assert self._sink is not None
        self._sink.push(WORKFLOW, RESTART)
        self.push("BOOKMARK", version=version)

    def push(self, type_: EventType = "ADDED", *, version: int, name: str = "alpha", padding: int = 0) -> None:
        assert self._sink is not None
        metadata = {"name": name, "namespace": "default", "resourceVersion": str(version)}
        raw = orjson.dumps({"metadata": metadata, "spec": "x" * padding})
        self._sink.push(WORKFLOW, WatchEvent(type_, {}, str(version), raw, Ref(WORKFLOW, "default", name)))


Scene = Callable[[Hub, HandFeed], Awaitable[None]]


def play(scene: Scene, *, bookmark_interval: float = 60) -> None:
    async def run() -> None:
        feed = HandFeed()
        hub = Hub(feed, [WORKFLOW], bookmark_interval=bookmark_interval)
        try:
            await asyncio.wait_for(scene(hub, feed), 10)
        finally:
            hub.close()
        assert feed.stopped

    asyncio.run(run())


def wish(*, bookmarks: bool = False) -> Wish:
    return Wish("", Matcher(), PlainFrames(), bookmarks)


async def versions(watcher: Watcher, count: int) -> list[str]:
    seen: list[str] = []
    while len(seen) < count:
        lines = (await watcher.take()).splitlines()
        seen += [orjson.loads(line)["object"]["metadata"]["resourceVersion"] for line in lines]
    return seen


def test_a_watch_sees_what_came_before_and_after_it_opened() -> None:
    async def scene(hub: Hub, feed: HandFeed) -> None:
        await hub.ready(WORKFLOW)
        feed.push(version=11)
        feed.push(version=12)
        watcher = await hub.open(WORKFLOW, wish(), after=11)
        feed.push("MODIFIED", version=13)
        assert await versions(watcher, 2) == ["12", "13"]

    play(scene)


def test_a_version_before_the_horizon_is_expired() -> None:
    async def scene(hub: Hub, feed: HandFeed) -> None:
        with pytest.raises(Refused) as refused:
            await hub.open(WORKFLOW, wish(), after=9)
        assert (refused.value.code, hub.watching) == (410, 0)

    play(scene)


def test_a_change_that_the_initial_list_held_is_not_told_again() -> None:
    async def scene(hub: Hub, feed: HandFeed) -> None:
        watcher = await hub.open(
            WORKFLOW, wish(), after=12, first=[b'{"object":{"metadata":{"resourceVersion":"12"}}}\n']
        )
        feed.push(version=11)
        feed.push(version=12)
        feed.push(version=13)
        assert await versions(watcher, 2) == ["12", "13"]

    play(scene)


def test_equal_watches_get_the_very_same_bytes() -> None:
    made: list[bytes] = []

    class Noting(PlainFrames):
        def frame(self, type_: EventType, raw: bytes) -> bytes:
            made.append(raw)
            return super().frame(type_, raw)

    async def scene(hub: Hub, feed: HandFeed) -> None:
        opened = [await hub.open(WORKFLOW, Wish("", Matcher(), Noting()), after=10) for _ in range(30)]
        feed.push(version=11)
        for watcher in opened:
            assert await versions(watcher, 1) == ["11"]
        assert len(made) == 1

    play(scene)


def test_the_loop_is_not_woken_while_nobody_watches() -> None:
    async def scene(hub: Hub, feed: HandFeed) -> None:
        await hub.ready(WORKFLOW)
        woken = 0
        loop = asyncio.get_running_loop()
        original = loop.call_soon_threadsafe

        def count(*arguments: object) -> object:
            nonlocal woken
            woken += 1
            return original(*arguments)  # type: ignore[arg-type]

        loop.call_soon_threadsafe = count  # type: ignore[method-assign, assignment]
        for version in range(11, 511):
            feed.push(version=version)
        assert woken == 0
        watcher = await hub.open(WORKFLOW, wish(), after=10)
        assert len(await versions(watcher, 500)) == 500
        feed.push(version=511)
        feed.push(version=512)
        assert woken == 1

    play(scene)


def test_a_client_far_behind_is_told_to_list_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchers, "MAX_WAITING", 1000)

    async def scene(hub: Hub, feed: HandFeed) -> None:
        watcher = await hub.open(WORKFLOW, wish(), after=10)
        feed.push(version=11, padding=2000)
        event = orjson.loads(await watcher.take())
        assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
        assert await watcher.take() == b""

    play(scene)


def test_what_does_not_fit_the_log_moves_the_horizon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MAX_CHANGES", 3)

    async def scene(hub: Hub, feed: HandFeed) -> None:
        await hub.ready(WORKFLOW)
        for version in range(11, 16):
            feed.push(version=version, name=f"w{version}")
        watcher = await hub.open(WORKFLOW, wish(), after=12)
        assert await versions(watcher, 3) == ["13", "14", "15"]
        with pytest.raises(Refused, match="too old resource version: 11"):
            await hub.open(WORKFLOW, wish(), after=11)

    play(scene)


def test_a_broken_stream_ends_its_watches_and_begins_anew() -> None:
    async def scene(hub: Hub, feed: HandFeed) -> None:
        watcher = await hub.open(WORKFLOW, wish(), after=10)
        feed.restart(version=20)
        assert orjson.loads(await watcher.take())["object"]["reason"] == "Expired"
        hub.leave(WORKFLOW, watcher)
        again = await hub.open(WORKFLOW, wish(), after=20)
        feed.push(version=21)
        assert await versions(again, 1) == ["21"]

    play(scene)


def test_bookmarks_come_to_those_who_want_them_and_never_go_back() -> None:
    async def scene(hub: Hub, feed: HandFeed) -> None:
        plain = await hub.open(WORKFLOW, wish(), after=10)
        ahead = await hub.open(WORKFLOW, wish(bookmarks=True), after=15)
        assert await versions(ahead, 1) == ["15"]
        feed.push(version=16)
        assert await versions(plain, 1) == ["16"]

    play(scene, bookmark_interval=0.01)


def test_closing_ends_every_watch_at_once() -> None:
    async def scene(hub: Hub, feed: HandFeed) -> None:
        watcher = await hub.open(WORKFLOW, wish(), after=10)
        hub.close()
        assert await watcher.take() == b""
        late = await hub.open(WORKFLOW, wish(), after=10)
        assert await late.take() == b""

    play(scene)
