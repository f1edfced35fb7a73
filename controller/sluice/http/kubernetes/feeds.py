"""Feeds of the hub: from a store that pushes, or from any store by one watch for each kind."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable

from sluice.api.kinds import KindInfo
from sluice.http.kubernetes.hub import RESTART, Sink
from sluice.ports.errors import PortError
from sluice.ports.store import ChangeListener, Store, Watch, WatchEvent

RETRY_AFTER = 1.0
"""Seconds before a broken watch is opened again."""

_log = logging.getLogger(__name__)


class Subscription(Protocol):
    """What a pushing store gives back."""

    def close(self) -> None:
        """Push no more. Safe to call twice."""


@runtime_checkable
class PushingStore(Protocol):
    """A store that calls a listener with its changes, so that nobody needs a thread to wait for them."""

    def snapshot_and_subscribe(
        self, kinds: Collection[KindInfo], listener: ChangeListener
    ) -> tuple[Sequence[WatchEvent], str, Subscription]:
        """All objects as ADDED, their resource version, and a subscription to exactly what comes after.

        The listener is called after each commit, in order, with events that carry ``ref``; it must be quick.
        """


class PushFeed:
    """One subscription for all kinds."""

    def __init__(self, store: PushingStore) -> None:
        self._store = store
        self._subscription: Subscription | None = None
        self._stopped = False

    def start(self, kinds: Sequence[KindInfo], sink: Sink) -> None:
        """Push what is there, then what changes.

        A change may be pushed before the snapshot is through; it waits until everything before it is in.
        """
        gate = _Gate(sink)
        snapshot, version, self._subscription = self._store.snapshot_and_subscribe(kinds, gate.take)
        for event in snapshot:
            gate.pass_on(event)
        for kind in kinds:
            sink.push(kind, WatchEvent("BOOKMARK", {}, version))
        gate.open()
        if self._stopped:
            self._subscription.close()

    def stop(self) -> None:
        """End the subscription."""
        self._stopped = True
        if self._subscription is not None:
            self._subscription.close()


class _Gate:
    """Holds changes back until it is opened, and keeps their order then."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._held: list[WatchEvent] = []
        self._open = False
        self._lock = threading.Lock()

    def take(self, event: WatchEvent) -> None:
        """The subscription's listener."""
        if not self._open:
            with self._lock:
                if not self._open:
                    self._held.append(event)
                    return
        self.pass_on(event)

    def open(self) -> None:
        """Let through what was held, and everything from now on."""
        with self._lock:
            for event in self._held:
                self.pass_on(event)
            self._held.clear()
            self._open = True

    def pass_on(self, event: WatchEvent) -> None:
        """Give one event to the sink."""
        if event.ref is not None:
            self._sink.push(event.ref.kind, event)


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
