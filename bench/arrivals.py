"""Objects of a cluster that are made many at a time, and when each was asked for, and came to its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson

from sluice.adapters.kubernetes.addresses import collection
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.api.kinds import KindInfo
from sluice.ports.errors import PortError
from sluice.ports.store import Obj, Selector

CREATORS = 8
PATIENCE_S = 900.0
CHECKED_S = 2.0


class Arrivals:
    """Watches one kind in one namespace from ``start`` on. Times are seconds of this machine's clock."""

    def __init__(self, transport: Transport, kind: KindInfo, namespace: str, reached: Callable[[Obj], bool]) -> None:
        self._transport = transport
        self._store = KubernetesStore(transport)
        self._kind = kind
        self._namespace = namespace
        self._reached = reached
        self._changed = threading.Condition()
        self._watch: Any = None
        self._stopped = False
        self.asked: dict[str, float] = {}
        self.at: dict[str, float] = {}
        """When an object was first seen to have reached what is waited for, by name."""
        self.last: dict[str, Obj] = {}

    def start(self) -> Arrivals:
        """Begin to watch."""
        threading.Thread(target=self._follow, name=f"watch-{self._kind.plural}", daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop watching."""
        self._stopped = True
        if self._watch is not None:
            self._watch.close()

    def create(self, objects: Sequence[Obj], *, every: float = 0.0) -> None:
        """All of them, by several threads as fast as they are taken; or one at a time, ``every`` so many seconds."""
        path = collection(self._kind, self._namespace)

        def create(obj: Obj) -> None:
            self.asked[obj["metadata"]["name"]] = time.time()
            self._transport.send("POST", path, body=orjson.dumps(obj))

        if not every:
            with ThreadPoolExecutor(CREATORS) as threads:
                for _ in threads.map(create, objects):
                    pass
            return
        begun = time.monotonic()
        for place, obj in enumerate(objects):
            time.sleep(max(0.0, begun + place * every - time.monotonic()))
            create(obj)

    def wait(self, count: int, *, check: Callable[[], None] = lambda: None) -> None:
        """Until so many have reached it. TimeoutError after a long time; ``check`` raises when there is no more hope."""
        deadline = time.monotonic() + PATIENCE_S
        with self._changed:
            while len(self.at) < count:
                self._changed.wait(CHECKED_S)
                check()
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{len(self.at)} of {count} {self._kind.plural} came to their end")

    def seconds(self) -> float:
        """From the first request to the last end."""
        return max(self.at.values()) - min(self.asked.values())

    def _follow(self) -> None:
        while not self._stopped:
            try:
                self._watch = self._store.watch(self._kind, self._namespace, Selector())
                for event in self._watch:
                    if event.type in ("ADDED", "MODIFIED"):
                        self._see(event.object)
            except PortError:
                time.sleep(0.2)

    def _see(self, obj: Obj) -> None:
        name = obj["metadata"]["name"]
        if name not in self.at and self._reached(obj):
            with self._changed:
                self.at[name] = time.time()
                self.last[name] = obj
                self._changed.notify()
