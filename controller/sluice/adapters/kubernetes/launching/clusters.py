"""The clusters that segments are launched on: the controller's own, and others by their kubeconfig."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from sluice.adapters.kubernetes.launching.reviews import TokenReviewer
from sluice.adapters.kubernetes.launching.workloads import Workloads
from sluice.adapters.kubernetes.transport import Transport
from sluice.api.reasons import Reason
from sluice.domain.launching.placement import Placement
from sluice.ports.errors import Forbidden, Unavailable
from sluice.ports.launcher import LaunchRefused


class ClusterKey(NamedTuple):
    """Which cluster: the workspace, Secret and context of its kubeconfig; all empty for the controller's own."""

    workspace: str = ""
    secret: str = ""
    context: str = ""


HOME = ClusterKey()


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster."""

    key: ClusterKey
    workloads: Workloads
    reviewer: TokenReviewer


def key_of(placement: Placement) -> ClusterKey:
    """The cluster that a placement names."""
    remote = placement.cluster
    if remote is None:
        return HOME
    return ClusterKey(placement.workspace, remote.kubeconfig_secret, remote.context)


def cluster_on(transport: Transport, controller_id: str, key: ClusterKey = HOME) -> Cluster:
    """A cluster behind a connection."""
    return Cluster(key, Workloads(transport, controller_id), TokenReviewer(transport))


ClusterOf = Callable[[Placement], Cluster]
"""The cluster of a placement. LaunchRefused where its kubeconfig is not usable, Unavailable where it may be later."""


class UsableCluster(Protocol):
    """The cluster of a placement, where something may be launched by what its Secret says now, give or take seconds."""

    def __call__(self, placement: Placement, *, anew: bool = False) -> Cluster:
        """Raises as ``ClusterOf``. ``anew``: look at the Secret, however fresh what is known of it is."""


@contextmanager
def reaching(placement: Placement) -> Iterator[None]:
    """Have what a cluster does not do or does not answer be told to people: LaunchRefused.

    Of the controller's own cluster an outage stays Unavailable: nobody needs to be told of that by a condition there.
    """
    remote = placement.cluster
    try:
        yield
    except Forbidden as error:
        who = f"the user of the kubeconfig in Secret {remote.kubeconfig_secret}" if remote else "the controller"
        raise LaunchRefused(Reason.LAUNCH_REFUSED, f"{who} may not do what launching takes: {error}") from error
    except Unavailable as error:
        if remote is None:
            raise
        what = f"the cluster of Secret {remote.kubeconfig_secret} can't be reached"
        why = _MEMORY.sub(r"\1", str(error))
        raise LaunchRefused(Reason.CLUSTER_UNREACHABLE, f"{what}: {why}") from error


_MEMORY = re.compile(r"\(<[^>]*>, '([^']*)'\)")
"""How a library tells of a connection, with an address in memory, which would be another text each time."""
