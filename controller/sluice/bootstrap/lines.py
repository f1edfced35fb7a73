"""How one replica speaks to its API server, and whether it may write there."""

from __future__ import annotations

from sluice.adapters.kubernetes.candidacy import Standing
from sluice.adapters.kubernetes.credentials import from_kubeconfig, in_cluster
from sluice.adapters.kubernetes.election import ELECTION_LIMITS, Elector
from sluice.adapters.kubernetes.leases import LeaseName
from sluice.adapters.kubernetes.requests import Requests
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Limits, Transport
from sluice.bootstrap.options import CONTROLLER_ID, Options

LEASE_NAME = "sluice-controller"


class Lines:
    """``gated`` writes only while this replica leads; ``ungated`` is for what every replica does. The election has a
    connection of its own, so that nothing else can hold it up."""

    def __init__(self, options: Options) -> None:
        credentials = from_kubeconfig(options.kubeconfig, options.context) if options.kubeconfig else in_cluster()
        limits = Limits(qps=options.qps, burst=options.burst)
        self.requests = Requests()
        self.ungated = Transport(credentials, limits, requests=self.requests)
        self.elector = Elector(
            KubernetesStore(Transport(credentials, ELECTION_LIMITS, requests=self.requests)),
            LeaseName(options.namespace, lease_of(options.controller_id)),
            standing=Standing(options.identity, _advertised(options)),
        )
        self.gated = Transport(credentials, limits, may_write=self.elector.is_leading, requests=self.requests)

    def close(self) -> None:
        """Ask nothing more."""
        for transport in (self.gated, self.ungated):
            transport.close()


def lease_of(controller_id: str) -> str:
    """Two installations on one cluster lead beside each other."""
    return LEASE_NAME if controller_id == CONTROLLER_ID else f"{LEASE_NAME}-{controller_id}"


def _advertised(options: Options) -> str:
    """Where runners that come to another replica are sent."""
    if not options.advertise:
        return options.runner_url
    host = f"[{options.advertise}]" if ":" in options.advertise else options.advertise
    return f"https://{host}:{options.listen.rpartition(':')[2]}"
