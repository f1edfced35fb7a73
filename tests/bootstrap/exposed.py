"""Everything that a controller on a cluster tells Prometheus, of one that has just begun."""

from __future__ import annotations

import datetime as dt
from typing import Any

from prometheus_client import CollectorRegistry

from sluice.adapters.kubernetes.credentials import Token
from sluice.adapters.kubernetes.launching.clusters import cluster_on
from sluice.adapters.kubernetes.launching.connections import Connector
from sluice.adapters.kubernetes.launching.desk import RunnerDesk
from sluice.adapters.kubernetes.launching.remote import Clusters
from sluice.adapters.kubernetes.launching.seats import Seats
from sluice.adapters.kubernetes.launching.watcher import PodWatcher
from sluice.adapters.kubernetes.transport import Transport
from sluice.api import kinds
from sluice.bootstrap.cluster_metrics import ClusterCollector, ClusterParts
from sluice.bootstrap.exposition import registry_of
from sluice.runtime.informers import Informers
from tests.simulation.embedded import Simulation

ENDS = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)


class Stranger:
    """Whom the desk asks who leads; others do."""

    def is_leading(self) -> bool:
        return False

    def runner_url(self) -> str:
        return ""


def parts(simulation: Simulation, *, leads: bool = True) -> ClusterParts:
    """A replica that is connected to nothing."""
    transport = Transport(Token("http://127.0.0.1:1", "none"))
    cluster = cluster_on(transport, "test")
    seats = Seats()
    system: Any = simulation.system
    return ClusterParts(
        lease="sluice-controller",
        is_leading=lambda: leads,
        ends=lambda: ENDS,
        requests=transport.requests,
        informers=Informers(simulation.store, kinds.SLUICE_KINDS, system.feed, last_known=system.last_known),
        pods=PodWatcher(cluster.workloads, lambda pod, gone: None, lambda there: None),
        seats=seats,
        desk=RunnerDesk(seats, lambda _: cluster, system.world.ledger, lambda: system.engine, Stranger()),
        clusters=Clusters(cluster, simulation.store, Connector("test", lambda: True, _nobody), list),
    )


def _nobody() -> Any:
    raise AssertionError("nothing is watched")


def exposed(simulation: Simulation, made: ClusterParts) -> CollectorRegistry:
    """The registry of ``/metrics``."""
    return registry_of(simulation.system, simulation.writer, ClusterCollector(made))
