"""Feeds of the hub: from a store that pushes, or from any store by one watch for each kind."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from sluice.api.kinds import KindInfo
from sluice.http.kubernetes.hub import RESTART, Sink
from sluice.ports.errors import PortError
from sluice.ports.store import Store, Watch, WatchEvent
from sluice.runtime.feeds import PushingStore, Subscription, follow

RETRY_AFTER = 1.0
"""Seconds before a broken watch is opened again."""

_log = logging.getLogger(__name__)


class PushFeed:
    """One subscription for all kinds."""

    def __init__(self, store: PushingStore) -> None:
        self._store = store
        self._subscription: Subscription | None = None
        self._stopped = False

    def start(self, kinds: Sequence[KindInfo], sink: Sink) -> None:
        """Push what is there, then what changes."""

        def hear(event: WatchEvent) -> None:
            if event.ref is not None:
                sink.push(event.ref.kind, event)

        def caught_up(version: str) -> None:
            for kind in kinds:
                sink.push(kind, WatchEvent("BOOKMARK", {}, version))

        self._subscription = follow(self._store, kinds, hear, caught_up=caught_up)
        if self._stopped:
            self._subscription.close()

    def stop(self) -> None:
        """End the subscription."""
        self._stopped = True
        if self._subscription is not None:
            self._subscription.close()


class WatchFeed:
    """One thread and one watch for each kind: what the port alone allows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stopped = threading.Event()
        self._watches: dict[KindInfo, Watch] = {}
        self._lock = threading.Lock()

    def start(self, kinds: Sequence[KindInfo], sink: Sink) -> None:
        """Open the watches, each on a thread of its own."""
        for kind in kinds:
            threading.Thread(target=self._follow, args=(kind, sink), name=f"watch-{kind.plural}", daemon=True).start()

    def stop(self) -> None:
        """Close the watches; their threads end."""
        self._stopped.set()
        with self._lock:
            for watch in self._watches.values():
                watch.close()

    def _follow(self, kind: KindInfo, sink: Sink) -> None:
        while not self._stopped.is_set():
            sink.push(kind, RESTART)
            try:
                for event in self._open(kind):
                    sink.push(kind, event)
            except PortError as error:
                _log.warning("the watch of %s broke and is opened again: %s", kind.plural, error)
            self._stopped.wait(RETRY_AFTER)

    def _open(self, kind: KindInfo) -> Watch:
        watch = self._store.watch(kind)
        with self._lock:
            self._watches[kind] = watch
            if self._stopped.is_set():
                watch.close()
        return watch
