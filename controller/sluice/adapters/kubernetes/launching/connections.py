"""A connection to another cluster: its Jobs and pods, its word on tokens, and a watch of its pods."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sluice.adapters.kubernetes.credentials import Credentials
from sluice.adapters.kubernetes.launching.clusters import Cluster, ClusterKey, cluster_on
from sluice.adapters.kubernetes.launching.reach import FarTransport, Reach
from sluice.adapters.kubernetes.launching.watcher import PodWatcher
from sluice.ports.store import Obj


class Watching(Protocol):
    """Who is told of pods; see ``Oversight``."""

    def seen(self, cluster: ClusterKey, pod: Obj, *, gone: bool) -> None:
        """A pod changed, or is gone."""

    def missed(self, cluster: ClusterKey, there: set[tuple[str, str]]) -> None:
        """All pods there are."""


class Connection:
    """One connection. ``start`` it, then its pods are told of until it is closed."""

    def __init__(self, cluster: Cluster, transport: FarTransport, watching: Callable[[], Watching]) -> None:
        self.cluster = cluster
        self.transport = transport
        self._watching = watching
        self._closed = threading.Event()
        self._watcher = PodWatcher(cluster.workloads, self._seen, self._missed)

    @property
    def is_away(self) -> bool:
        """Whether its server did not answer when it was last asked."""
        return self.transport.reach.is_away

    def start(self) -> None:
        """Start to watch."""
        self._watcher.start()

    def close(self) -> None:
        """Tell of nothing more, and let go. Does not wait for a server that does not answer. Safe to call twice."""
        self._closed.set()
        self.transport.close()
        threading.Thread(target=self._watcher.close, name="closing", daemon=True).start()

    def _seen(self, pod: Obj, gone: bool) -> None:
        if not self._closed.is_set():
            self._watching().seen(self.cluster.key, pod, gone=gone)

    def _missed(self, there: set[tuple[str, str]]) -> None:
        if not self._closed.is_set():
            self._watching().missed(self.cluster.key, there)


@dataclass(frozen=True, slots=True)
class Connector:
    """Opens connections. ``watching`` is asked late: who watches may be made after this.

    ``back`` is told of a cluster that answers for the first time after it did not.
    """

    controller_id: str
    may_write: Callable[[], bool]
    watching: Callable[[], Watching]
    back: Callable[[ClusterKey], None] = lambda _: None

    def __call__(self, key: ClusterKey, credentials: Credentials) -> Connection:
        """Connect; nothing is sent before somebody asks, and nothing is watched before ``start``."""
        reach = Reach(back=lambda: self.back(key))
        transport = FarTransport(credentials, may_write=self.may_write, reach=reach)
        return Connection(cluster_on(transport, self.controller_id, key), transport, self.watching)
