"""A store's pushed changes in order: first what is there, then what happens. No thread, nothing decoded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Protocol, runtime_checkable

from sluice.api.kinds import KindInfo
from sluice.ports.store import ChangeListener, WatchEvent


class Subscription(Protocol):
    """What a pushing store gives back."""

    def close(self) -> None:
        """Push no more. Safe to call twice."""


@runtime_checkable
class PushingStore(Protocol):
    """A store that calls a listener with its changes, so that nobody needs a thread to wait for them."""

    def snapshot_and_subscribe(
        self, kinds: Collection[KindInfo], listener: ChangeListener
    ) -> tuple[list[WatchEvent], str, Subscription]:
        """All objects as ADDED, their resource version, and a subscription to exactly what comes after.

        The listener is called after each commit, in order, with events that carry ``ref``; it must be quick.
        """


def follow(
    store: PushingStore,
    kinds: Collection[KindInfo],
    listener: ChangeListener,
    *,
    caught_up: Callable[[str], None] = lambda _version: None,
) -> Subscription:
    """Tell ``listener`` of all objects as ADDED, then ``caught_up`` with their resource version, then of every change.

    Changes that happen while the objects are being told are kept back until they were.
    """
    kept_back: list[WatchEvent] = []
    lock = threading.Lock()
    live = False

    def hear(event: WatchEvent) -> None:
        if not live:
            with lock:
                if not live:
                    kept_back.append(event)
                    return
        listener(event)

    events, version, subscription = store.snapshot_and_subscribe(kinds, hear)
    events.reverse()
    while events:  # each keeps its decoded object: all at once are many times what is stored
        listener(events.pop())
    with lock:
        caught_up(version)
        for event in kept_back:
            listener(event)
        live = True
    return subscription
