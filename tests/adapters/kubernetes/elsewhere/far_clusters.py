"""Clusters by kubeconfigs in Secrets of a store in memory; connections to them lead nowhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from sluice.adapters.kubernetes.credentials import Credentials, Token
from sluice.adapters.kubernetes.launching.clusters import Cluster, ClusterKey, cluster_on
from sluice.adapters.kubernetes.launching.remote import FRESH_S, Clusters
from sluice.adapters.kubernetes.transport import Transport
from sluice.api.environment import Launch
from sluice.api.reasons import Reason
from sluice.domain.launching.placement import Placement, RemoteCluster
from sluice.ports.errors import PortError
from sluice.ports.launcher import LaunchRefused
from sluice.ports.store import Obj, Ref
from tests.adapters.kubernetes.elections import Hands
from tests.adapters.kubernetes.elsewhere.secrets import NAME, WORKSPACE, kubeconfig, put

KEY = ClusterKey(WORKSPACE, NAME)
FAR = Placement(Launch.JOB, WORKSPACE, "jobs", "e", cluster=RemoteCluster(NAME))
NEAR = Placement(Launch.JOB, WORKSPACE, WORKSPACE, "e")


@dataclass(eq=False)
class Line:
    """A connection that leads nowhere."""

    cluster: Cluster
    credentials: Credentials
    started: bool = False
    closed: bool = False
    is_away: bool = False

    def start(self) -> None:
        self.started = True

    def close(self) -> None:
        self.closed = True


class Secrets:
    """The home cluster's store, which may be away or say no; counts how often it was asked."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.error: PortError | None = None
        self.asked = 0

    def get(self, ref: Ref) -> Obj:
        self.asked += 1
        if self.error is not None:
            raise self.error
        found: Obj = self._store.get(ref)
        return found


@dataclass
class Bench:
    """Clusters on a store in memory."""

    store: Any
    clock: Hands = field(default_factory=Hands)
    lines: list[Line] = field(default_factory=list)
    needed: set[ClusterKey] = field(default_factory=lambda: {KEY})

    def __post_init__(self) -> None:
        self.secrets = Secrets(self.store)
        self.home = cluster_on(Transport(Token("http://127.0.0.1:1", "")), "sluice")
        self.clusters = Clusters(
            self.home,
            self.secrets,  # type: ignore[arg-type]
            self.connect,  # type: ignore[arg-type]
            lambda: self.needed,
            monotonic=self.clock.monotonic,
        )

    def connect(self, key: ClusterKey, credentials: Credentials) -> Line:
        line = Line(cluster_on(Transport(credentials), "sluice", key), credentials)
        self.lines.append(line)
        return line

    def put(self, **user: Any) -> None:
        put(self.store, kubeconfig(**user))

    def pass_time(self) -> None:
        self.clock.advance(FRESH_S)

    def refusal(self, find: Callable[[Placement], Cluster] | None = None) -> str:
        with pytest.raises(LaunchRefused) as caught:
            (find or self.clusters.usable)(FAR)
        assert caught.value.why is Reason.KUBECONFIG_UNUSABLE
        return str(caught.value)
