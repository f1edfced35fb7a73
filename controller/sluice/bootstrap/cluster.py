"""One replica of the controller on a cluster, put together: connections, caches, launching, ledger, election."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from sluice.adapters.kubernetes.access import ReviewedRights, ReviewedTokens
from sluice.adapters.kubernetes.authority import Authority
from sluice.adapters.kubernetes.launching.clusters import cluster_on
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.local.compiler import DefinitionCompiler
from sluice.adapters.local.helper_process import HelperProcess
from sluice.api import kinds
from sluice.bootstrap.certificates import Certificates
from sluice.bootstrap.launching import Launching, Surroundings
from sluice.bootstrap.ledgers import open_ledger
from sluice.bootstrap.lines import Lines, lease_of
from sluice.bootstrap.options import Options
from sluice.bootstrap.system import Parts, System
from sluice.domain.launching.pods import Installation
from sluice.http.health import health_group
from sluice.http.history import history_group
from sluice.http.kubernetes.authn import Access
from sluice.http.server import RouteGroup, Running
from sluice.http.validation import validation_group
from sluice.ports.clock import SystemClock
from sluice.ports.store import Actor, Obj, Ref
from sluice.runtime.cache import Change
from sluice.runtime.informers import Informers

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

SERVICE = "sluice-controller"
TOKEN_HEADER = "sluice-authorization"
"""Requests come through the API server's proxy, which keeps the usual header for itself."""
SYNC_S = 120.0
"""How long the first look at everything may take."""

log = logging.getLogger(__name__)


class Replica:
    """Everything of one process. ``start`` it once it is served, ``close`` it at the end."""

    def __init__(self, options: Options, *, stop: Callable[[], None]) -> None:
        """``stop`` has the process end as if it were asked to."""
        self._options = options
        self._stop = stop
        self._stopped = threading.Event()
        self._works = False
        self.deposed = False
        self._registry: CollectorRegistry | None = None
        self._lines = lines = Lines(options)
        self.elector = lines.elector
        self.clock = SystemClock()
        self.certificates = Certificates(
            Authority(KubernetesStore(lines.ungated), options.namespace), lines.gated, self.is_leading
        )
        self.store = KubernetesStore(lines.gated)
        self.ledger = open_ledger(options.ledger, self.clock)
        self.helper = HelperProcess()
        self.launching = Launching(self._surroundings())
        parts = Parts(
            self.store,
            self.ledger.ledger,
            self.clock,
            DefinitionCompiler(self.helper, embedded=False),
            self.launching.launcher,
            embedded=False,
            containers=self.launching.containers,
            keep=options.keep,
        )
        self.system = System(parts)
        self.launching.attach(lambda: self.system.engine, self.system.environments.queue.add)
        self.system.caches.environments.on_change(self._environment_changed)
        self.certificates.on_renewal(self.launching.trust)
        self.informers = Informers(
            self.store,
            kinds.SLUICE_KINDS,
            self.system.feed,
            last_known=self.system.last_known,
            namespaces=options.watch_namespaces,
            owned=(kinds.WORKFLOW, kinds.ROLLOUT),
        )

    def _surroundings(self) -> Surroundings:
        options, transport = self._options, self._lines.gated
        installation = Installation(
            url=options.runner_url,
            server_name=f"{SERVICE}.{options.namespace}.svc",  # whatever the address
            ca_pem=self.certificates.authorities,
            image=options.runner_image,
            controller_id=options.controller_id,
            pull_policy=options.pull_policy,
            namespace=options.namespace,
            cluster=self.store.get(Ref(kinds.NAMESPACE, "", "kube-system"))["metadata"]["uid"],
        )
        return Surroundings(
            home=cluster_on(transport, options.controller_id),
            store=self.store,
            ledger=self.ledger.ledger,
            clock=self.clock,
            installation=installation,
            leading=self,
            may_write=self.elector.is_leading,
            environments=self._environments,
        )

    # -- life -------------------------------------------------------------------------------------------------------
    def start(self, running: Running) -> None:
        """Requests are answered now: follow everything, then stand for election. Returns at once."""
        log.info("answering runners at %s, as %s", running.url, self._options.identity)
        self.certificates.start()
        threading.Thread(target=self._begin, name="beginning", daemon=True).start()

    def close(self) -> None:
        """Take up nothing more, hand over, let go of everything."""
        self._stopped.set()
        if self._works:
            self.system.stop()
        self.elector.release()
        for part in (self.launching, self.informers, self.helper, self.ledger, self._lines, self.certificates):
            part.close()

    def _begin(self) -> None:
        self.informers.start()
        pods = self.launching.pods
        pods.start()
        while not (self.informers.wait_until_synced(SYNC_S) and pods.wait_until_synced(SYNC_S)):
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
        self.launching.start()
        self.certificates.spread()

    def _deposed(self, term: int) -> None:
        """Somebody else may lead by now; the gate holds back our writes, and another process begins anew."""
        log.error("the term %d is over without our doing: this process ends, so that it begins anew", term)
        self.deposed = True
        self.elector.release()  # or it is elected again before it has ended
        self._stop()

    # -- leadership, as runners see it ------------------------------------------------------------------------------
    def is_leading(self) -> bool:
        """Whether runners are at the right place, and are expected."""
        return self._works and self.elector.is_leading()

    def runner_url(self) -> str:
        """Where they should go instead."""
        holder = self.elector.holder()
        return holder.runner_url if holder is not None and not self.elector.is_leading() else ""

    # -- environments -----------------------------------------------------------------------------------------------
    def _environments(self) -> list[Obj]:
        cache = self.system.caches.environments
        found = [cache.get(key) for key in cache.keys("")]
        return [environment for environment in found if environment is not None]

    def _environment_changed(self, change: Change) -> None:
        if change.type == "DELETED":
            self.launching.environment_gone(change.object)

    # -- what is served ---------------------------------------------------------------------------------------------
    def groups(self) -> list[RouteGroup]:
        """Over TLS, beside the runners' door."""
        ungated = self._lines.ungated
        access = Access(ReviewedTokens(ungated), ReviewedRights(ungated), header=TOKEN_HEADER)
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
                lease=lease_of(self._options.controller_id),
                is_leading=self.elector.is_leading,
                ends=lambda: self.certificates.ends,
                requests=self._lines.requests,
                informers=self.informers,
                pods=self.launching.pods,
                seats=self.launching.seats,
                desk=self.launching.desk,
                clusters=self.launching.clusters,
            )
            self._registry = registry_of(self.system, self.ledger.writer, ClusterCollector(parts))
        return self._registry

    def _synced(self) -> bool:
        return all(informer.synced for informer in self.informers.informers)
