"""One replica of the controller on a cluster, put together: connections, caches, launcher, ledger, election."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from ssl import SSLContext
from typing import TYPE_CHECKING

from sluice.adapters.kubernetes.access import ReviewedRights, ReviewedTokens
from sluice.adapters.kubernetes.authority import Authority
from sluice.adapters.kubernetes.candidacy import Standing
from sluice.adapters.kubernetes.credentials import from_kubeconfig, in_cluster
from sluice.adapters.kubernetes.election import ELECTION_LIMITS, Elector
from sluice.adapters.kubernetes.launching.clusters import HOME, ClusterKey, cluster_on, key_of
from sluice.adapters.kubernetes.launching.connections import Connector
from sluice.adapters.kubernetes.launching.containers import KubernetesContainers
from sluice.adapters.kubernetes.launching.desk import RunnerDesk
from sluice.adapters.kubernetes.launching.launcher import KubernetesLauncher
from sluice.adapters.kubernetes.launching.oversight import Oversight
from sluice.adapters.kubernetes.launching.remote import Clusters, keys_of
from sluice.adapters.kubernetes.launching.seats import Seats
from sluice.adapters.kubernetes.launching.sweep import Sweep
from sluice.adapters.kubernetes.launching.watcher import PodWatcher
from sluice.adapters.kubernetes.leases import LeaseName
from sluice.adapters.kubernetes.requests import Requests
from sluice.adapters.kubernetes.serving import ServingContext
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Limits, Transport
from sluice.adapters.kubernetes.webhook import inject
from sluice.adapters.local.compiler import DefinitionCompiler
from sluice.adapters.local.helper_process import HelperProcess
from sluice.api import kinds
from sluice.api.environment import Environment
from sluice.bootstrap.ledgers import open_ledger
from sluice.bootstrap.options import CONTROLLER_ID, Options
from sluice.bootstrap.system import Parts, System
from sluice.domain.launching.placement import Placement, placement_of
from sluice.domain.launching.pods import Installation
from sluice.http.health import health_group
from sluice.http.history import history_group
from sluice.http.kubernetes.authn import Access
from sluice.http.server import RouteGroup, Running
from sluice.http.validation import validation_group
from sluice.ports.clock import SystemClock
from sluice.ports.containers import Changed
from sluice.ports.errors import PortError
from sluice.ports.launcher import SegmentSink
from sluice.ports.store import Actor, Obj, Ref
from sluice.runtime.informers import Informers

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

LEASE_NAME = "sluice-controller"
SERVICE = "sluice-controller"
TOKEN_HEADER = "sluice-authorization"
"""Requests come through the API server's proxy, which keeps the usual header for itself."""
SYNC_S = 120.0
"""How long the first look at everything may take."""
CERTIFICATES_S = 600.0
"""How often it is looked whether there are other certificates."""

log = logging.getLogger(__name__)


class Replica:
    """Everything of one process. ``start`` it once it is served, ``close`` it at the end."""

    def __init__(self, options: Options, *, stop: Callable[[], None]) -> None:
        """``stop`` has the process end as if it were asked to."""
        credentials = from_kubeconfig(options.kubeconfig, options.context) if options.kubeconfig else in_cluster()
        limits = Limits(qps=options.qps, burst=options.burst)
        self._options = options
        self._stop = stop
        self.requests = Requests()
        self._ungated = Transport(credentials, limits, requests=self.requests)
        electing = Transport(credentials, ELECTION_LIMITS, requests=self.requests)
        advertised = (
            f"https://{_host(options.advertise)}:{options.listen.rpartition(':')[2]}" if options.advertise else ""
        )
        self.elector = Elector(
            KubernetesStore(electing),
            LeaseName(options.namespace, _lease_of(options.controller_id)),
            standing=Standing(options.identity, advertised or options.runner_url),
        )
        self._transport = Transport(credentials, limits, may_write=self.elector.is_leading, requests=self.requests)
        self.authority = Authority(KubernetesStore(self._ungated), options.namespace)
        self._certificates = certificates = self.authority.refresh()
        self._serving = ServingContext(certificates)
        self.clock = SystemClock()
        self.ledger = open_ledger(options.ledger, self.clock)
        self.helper = HelperProcess()
        self.store = KubernetesStore(self._transport)
        home = cluster_on(self._transport, options.controller_id)
        self.seats = Seats()
        connector = Connector(options.controller_id, self.elector.is_leading, lambda: self.oversight)
        self.clusters = Clusters(home, self.store, connector, self._needed_clusters)
        self.installation = Installation(
            url=options.runner_url,
            server_name=f"{SERVICE}.{options.namespace}.svc",  # whatever the address
            ca_pem=certificates.authorities,
            image=options.runner_image,
            controller_id=options.controller_id,
            pull_policy=options.pull_policy,
            namespace=options.namespace,
            cluster=self.store.get(Ref(kinds.NAMESPACE, "", "kube-system"))["metadata"]["uid"],
        )
        parts = Parts(
            self.store,
            self.ledger.ledger,
            self.clock,
            DefinitionCompiler(self.helper, embedded=False),
            self._launcher,
            embedded=False,
            containers=self._containers,
        )
        self.system = System(parts)
        self.desk = RunnerDesk(self.seats, self.clusters.of, self.ledger.ledger, lambda: self.system.engine, self)
        self.oversight = Oversight(
            self.seats, self.clusters.of, lambda: self.system.engine, containers=self._kubernetes_containers
        )
        self.sweep = Sweep(
            self.installation.cluster,
            self.store,
            self.ledger.ledger,
            self.clock,
            cluster_of=self.clusters.of,
            placements=self._placements,
        )
        self.pods = PodWatcher(
            home.workloads,
            lambda pod, gone: self.oversight.seen(HOME, pod, gone=gone),
            lambda there: self.oversight.missed(HOME, there),
        )
        self.informers = Informers(
            self.store,
            kinds.SLUICE_KINDS,
            self.system.feed,
            last_known=self.system.last_known,
            namespaces=options.watch_namespaces,
        )
        self.deposed = False
        self._works = False
        self._stopped = threading.Event()
        self._registry: CollectorRegistry | None = None
        self._threads: list[threading.Thread] = []

    # -- life -------------------------------------------------------------------------------------------------------
    def start(self, running: Running) -> None:
        """Requests are answered now: follow everything, then stand for election. Returns at once."""
        log.info("answering runners at %s, as %s", running.url, self._options.identity)
        for name, work in (("beginning", self._begin), ("certificates", self._renew_certificates)):
            thread = threading.Thread(target=work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Take up nothing more, hand over, let go of everything."""
        self._stopped.set()
        if self._works:
            self.system.stop()
        self.elector.release()
        self.sweep.close()
        self.oversight.close()
        self.clusters.close()
        self.pods.close()
        self.informers.close()
        self.helper.close()
        self.ledger.close()
        for transport in (self._transport, self._ungated):
            transport.close()

    def _begin(self) -> None:
        self.informers.start()
        self.pods.start()
        while not (self.informers.wait_until_synced(SYNC_S) and self.pods.wait_until_synced(SYNC_S)):
            if self._stopped.is_set():
                return
            log.warning("still not everything has been listed; see the warnings about watches")
        self.elector.start(self._elected, self._deposed)

    def _elected(self, term: int) -> None:
        """Work: first what was interrupted, then all else."""
        log.info("leading, term %d", term)
        self.ledger.lead()
        self.system.recover()
        self._works = True
        self.system.start()
        self.oversight.start()
        self.clusters.start()
        self.sweep.start()
        self._inject_authority()

    def _deposed(self, term: int) -> None:
        """Somebody else may lead by now; the gate holds back our writes, and another process begins anew."""
        log.error("the term %d is over without our doing: this process ends, so that it begins anew", term)
        self.deposed = True
        self.elector.release()  # or it is elected again before it has ended
        self._stop()

    # -- leadership, as runners see it --------------------------------------------------------------------------------
    def is_leading(self) -> bool:
        """Whether runners are at the right place, and are expected."""
        return self._works and self.elector.is_leading()

    def runner_url(self) -> str:
        """Where they should go instead."""
        holder = self.elector.holder()
        return holder.runner_url if holder is not None and not self.elector.is_leading() else ""

    # -- parts ------------------------------------------------------------------------------------------------------
    @property
    def tls(self) -> SSLContext:
        """For the server of runners and webhooks."""
        return self._serving.context

    def _launcher(self, _sink: SegmentSink) -> KubernetesLauncher:
        self._kubernetes_launcher = KubernetesLauncher(
            self.seats, self.clusters.of, self.installation, usable=self.clusters.usable
        )
        return self._kubernetes_launcher

    def _containers(self, changed: Changed) -> KubernetesContainers:
        self._kubernetes_containers = KubernetesContainers(
            self.clusters.of, self.installation, changed, usable=self.clusters.usable
        )
        return self._kubernetes_containers

    def _environments(self) -> list[Obj]:
        cache = self.system.caches.environments
        found = [cache.get(key) for key in cache.keys("")]
        return [environment for environment in found if environment is not None]

    def _needed_clusters(self) -> list[ClusterKey]:
        places = [*(seat.placement for seat in self.seats.all()), *self._kubernetes_containers.places()]
        return [*keys_of(self._environments()), *map(key_of, places)]

    def _placements(self) -> list[Placement]:
        return [placement_of(Environment.model_validate(found), embedded=False) for found in self._environments()]

    def groups(self) -> list[RouteGroup]:
        """What is served over TLS beside the runners' door."""
        tokens, rights = ReviewedTokens(self._ungated), ReviewedRights(self._ungated)
        access = Access(tokens, rights, header=TOKEN_HEADER)
        return [validation_group(self.helper.call), history_group(self.store, self.ledger.ledger, access)]

    def health(self) -> RouteGroup:
        """Probes and metrics."""
        access = Access(anonymous=Actor("system:anonymous"), local=False)
        ready = {"informers": lambda: "" if self._synced() else "not everything has been listed yet"}
        return health_group(live={}, ready=ready, registry=self.registry, access=access)

    def registry(self) -> CollectorRegistry:
        """The metrics, made when they are first asked for."""
        if self._registry is None:
            from sluice.bootstrap.cluster_metrics import ClusterCollector, ClusterParts  # noqa: PLC0415 - as the next
            from sluice.bootstrap.exposition import registry_of  # noqa: PLC0415 - only for those who scrape

            parts = ClusterParts(
                lease=_lease_of(self._options.controller_id),
                is_leading=self.elector.is_leading,
                ends=lambda: self._certificates.ends,
                requests=self.requests,
                informers=self.informers,
                pods=self.pods,
                seats=self.seats,
                desk=self.desk,
            )
            self._registry = registry_of(self.system, self.ledger.writer, ClusterCollector(parts))
        return self._registry

    def _synced(self) -> bool:
        return all(informer.synced for informer in self.informers.informers)

    def _renew_certificates(self) -> None:
        """Show and spread what is newest. What can't be had now is no reason to stop: what there is lasts for weeks."""
        while not self._stopped.wait(CERTIFICATES_S):
            try:
                self._certificates = certificates = self.authority.refresh()
                self._serving.load(certificates)
                self._kubernetes_launcher.trust(certificates.authorities)
                if self.is_leading():
                    inject(self._transport, certificates.authorities)
            except PortError as error:
                log.warning("the certificates could not be looked at: %s", error)

    def _inject_authority(self) -> None:
        try:
            inject(self._transport, self.installation.ca_pem)
        except PortError as error:
            log.warning("the validating webhook could not be told whom to trust: %s", error)


def _lease_of(controller_id: str) -> str:
    """Two installations on one cluster lead beside each other."""
    return LEASE_NAME if controller_id == CONTROLLER_ID else f"{LEASE_NAME}-{controller_id}"


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
