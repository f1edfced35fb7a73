"""The store's pushed changes in order: first what is there, then what happens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from sluice.adapters.sqlite.store import SqliteStore
from sluice.adapters.sqlite.watching import Subscription
from sluice.api.kinds import KindInfo
from sluice.ports.store import WatchEvent


def follow(store: SqliteStore, kinds: Sequence[KindInfo], listener: Callable[[WatchEvent], None]) -> Subscription:
    """Tell ``listener`` of all objects as ADDED, then of every change.

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

    events, _, subscription = store.snapshot_and_subscribe(kinds, hear)
    events.reverse()
    while events:  # each keeps its decoded object: all at once are many times what is stored
        listener(events.pop())
    with lock:
        for event in kept_back:
            listener(event)
        live = True
    return subscription
