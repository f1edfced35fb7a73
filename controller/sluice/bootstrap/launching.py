"""What launches segments on clusters and looks after them, put together for one replica."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sluice.adapters.kubernetes.launching.clusters import HOME, Cluster, ClusterKey, key_of
from sluice.adapters.kubernetes.launching.connections import Connector
from sluice.adapters.kubernetes.launching.containers import KubernetesContainers
from sluice.adapters.kubernetes.launching.desk import Leading, RunnerDesk
from sluice.adapters.kubernetes.launching.launcher import KubernetesLauncher
from sluice.adapters.kubernetes.launching.oversight import Oversight
from sluice.adapters.kubernetes.launching.remote import Clusters, keys_of
from sluice.adapters.kubernetes.launching.seats import Seats
from sluice.adapters.kubernetes.launching.sweep import Sweep
from sluice.adapters.kubernetes.launching.watcher import PodWatcher
from sluice.api.environment import Environment
from sluice.domain.launching.placement import Placement, placement_of
from sluice.domain.launching.pods import Installation
from sluice.ports.clock import Clock
from sluice.ports.containers import Changed
from sluice.ports.launcher import Launcher, SegmentSink
from sluice.ports.ledger import Ledger
from sluice.ports.store import Obj, Store
from sluice.runtime.queue import Key


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What launching works with. ``environments`` are those that are known; ``may_write`` is the gate of all writes."""

    home: Cluster
    store: Store
    ledger: Ledger
    clock: Clock
    installation: Installation
    leading: Leading
    may_write: Callable[[], bool]
    environments: Callable[[], list[Obj]]


class Launching:
    """Seats and their clusters first, for a System is made with ``launcher`` and ``containers``; then ``attach`` the rest."""

    def __init__(self, given: Surroundings) -> None:
        self._given = given
        self.seats = Seats()
        connector = Connector(given.installation.controller_id, given.may_write, lambda: self._oversight, self._back)
        self.clusters = Clusters(given.home, given.store, connector, self._needed_clusters)
        usable = self.clusters.usable
        self._launcher = KubernetesLauncher(self.seats, self.clusters.of, given.installation, usable=usable)

    def launcher(self, _sink: SegmentSink) -> Launcher:
        """What a System launches with; its sink is asked for when a runner comes."""
        return self._launcher

    def containers(self, changed: Changed) -> KubernetesContainers:
        """What a System starts steps with that have an image of their own."""
        usable = self.clusters.usable
        self._containers = KubernetesContainers(self.clusters.of, self._given.installation, changed, usable=usable)
        return self._containers

    def attach(self, sink: Callable[[], SegmentSink], look_at: Callable[[Key], None]) -> None:
        """Make what watches over runners; ``sink`` is told what becomes of them.

        ``look_at`` has an environment looked at again: its cluster is back.
        """
        self._look_at = look_at
        given, cluster_of = self._given, self.clusters.of
        self.desk = RunnerDesk(self.seats, cluster_of, given.ledger, sink, given.leading)
        self._oversight = oversight = Oversight(self.seats, cluster_of, sink, containers=self._containers)
        self._sweep = Sweep(
            given.installation.cluster,
            given.store,
            given.ledger,
            given.clock,
            cluster_of=cluster_of,
            placements=self._placements,
        )
        self.pods = PodWatcher(
            given.home.workloads,
            lambda pod, gone: oversight.seen(HOME, pod, gone=gone),
            lambda there: oversight.missed(HOME, there),
        )

    # -- life -------------------------------------------------------------------------------------------------------
    def start(self) -> None:
        """This replica leads: look after what was launched."""
        for part in (self._oversight, self.clusters, self._sweep):
            part.start()

    def close(self) -> None:
        """Look after nothing more. Safe to call twice, and without a start."""
        for part in (self._sweep, self._oversight, self.clusters, self.pods):
            part.close()

    def environment_gone(self, environment: Obj) -> None:
        """What it left behind is nobody's now."""
        self._sweep.environment_gone(placement_of(Environment.model_validate(environment), embedded=False))

    def trust(self, authorities: str) -> None:
        """Give new runners these certificates to know the controller by, in PEM."""
        self._launcher.trust(authorities)

    def _back(self, cluster: ClusterKey) -> None:
        """Environments that were not fit may be now, and so the runs that wait for them."""
        for environment in self._given.environments():
            if cluster in keys_of([environment]):
                self._look_at(Key(environment["metadata"]["namespace"], environment["metadata"]["name"]))

    def _needed_clusters(self) -> list[ClusterKey]:
        places = [*(seat.placement for seat in self.seats.all()), *self._containers.places()]
        return [*keys_of(self._given.environments()), *map(key_of, places)]

    def _placements(self) -> list[Placement]:
        environments = map(Environment.model_validate, self._given.environments())
        return [placement_of(environment, embedded=False) for environment in environments]
