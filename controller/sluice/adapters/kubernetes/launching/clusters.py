"""The clusters that segments are launched on: the controller's own, and others by their kubeconfig."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from sluice.adapters.kubernetes.launching.reviews import TokenReviewer
from sluice.adapters.kubernetes.launching.workloads import Workloads
from sluice.adapters.kubernetes.transport import Transport
from sluice.domain.launching.placement import Placement


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
