"""The store's pushed changes in order: first what is there, then what happens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from sluice.adapters.sqlite.store import SqliteStore
from sluice.adapters.sqlite.watching import Subscription
from sluice.api.kinds import KindInfo
from sluice.http.kubernetes.hub import Sink
from sluice.ports.store import WatchEvent


def follow(
    store: SqliteStore,
    kinds: Sequence[KindInfo],
    listener: Callable[[WatchEvent], None],
    *,
    caught_up: Callable[[str], None] = lambda _: None,
) -> Subscription:
    """Tell ``listener`` of all objects as ADDED, then ``caught_up`` with their resource version, then of every change.

    Changes that happen while the objects are being told are kept back until they were.
    """
    kept_back: list[WatchEvent] = []
    lock = threading.Lock()
    live = False

    def hear(event: WatchEvent) -> None:
        with lock:
            if live:
                listener(event)
            else:
                kept_back.append(event)

    events, version, subscription = store.snapshot_and_subscribe(kinds, hear)
    for event in events:
        listener(event)
    with lock:
        caught_up(version)
        for event in kept_back:
            listener(event)
        live = True
    return subscription


class StoreFeed:
    """Feeds the hub of the Kubernetes protocol: no thread, no decoding, the same bytes for every watch."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._subscriptions: list[Subscription] = []

    def start(self, kinds: Sequence[KindInfo], sink: Sink) -> None:
        """Push each kind's objects, a BOOKMARK, and then what changes."""
        self._subscriptions += [self._follow(kind, sink) for kind in kinds]

    def stop(self) -> None:
        """Push no more."""
        for subscription in self._subscriptions:
            subscription.close()
        self._subscriptions.clear()

    def _follow(self, kind: KindInfo, sink: Sink) -> Subscription:
        def bookmark(version: str) -> None:
            mark = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": {"resourceVersion": version}}
            sink.push(kind, WatchEvent("BOOKMARK", mark, version))

        return follow(self._store, [kind], lambda event: sink.push(kind, event), caught_up=bookmark)
