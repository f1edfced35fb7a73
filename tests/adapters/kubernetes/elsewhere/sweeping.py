"""A sweep over two clusters that are not there, with store and ledger in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sluice.adapters.kubernetes.launching.clusters import HOME, Cluster, key_of
from sluice.adapters.kubernetes.launching.sweep import Sweep
from sluice.adapters.sqlite.ledger import SqliteLedger
from sluice.api.environment import Environment, Launch
from sluice.api.kinds import API_VERSION
from sluice.domain.launching.names import LAUNCHED_FROM_LABEL
from sluice.domain.launching.network import network_policy_of
from sluice.domain.launching.placement import Placement, RemoteCluster, placement_of
from sluice.domain.launching.pods import job_of, pod_of
from sluice.ports.errors import PortError
from sluice.ports.launcher import RunIdentity
from sluice.ports.store import Obj
from tests.adapters.sqlite.stores import Opened
from tests.domain.launching.builders import INSTALLATION, segment

FAR = RemoteCluster("far")


@dataclass
class Workloads:
    """What is on one cluster. ``error`` is what it answers with, whatever it is asked."""

    there: list[Obj] = field(default_factory=list)
    policies_there: list[Obj] = field(default_factory=list)
    in_use: bool = False
    error: PortError | None = None
    refuses: PortError | None = None
    removed: list[str] = field(default_factory=list)

    def left_to_sweep(self, cluster: str) -> Iterator[Obj]:
        if self.error:
            raise self.error
        yield from (one for one in self.there if one["metadata"]["labels"].get(LAUNCHED_FROM_LABEL) == cluster)

    def policies(self, cluster: str) -> Iterator[Obj]:
        yield from self.policies_there

    def is_in_use(self, policy: Obj) -> bool:
        return self.in_use

    def remove(self, found: Obj) -> None:
        if self.refuses:
            raise self.refuses
        self.removed.append(found["metadata"]["name"])


@dataclass
class Bench:
    """Two clusters, a store and a ledger in memory."""

    opened: Opened
    home: Workloads = field(default_factory=Workloads)
    far: Workloads = field(default_factory=Workloads)
    environments: list[Environment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = SqliteLedger(self.opened.writer, self.opened.clock)
        self.store = self.opened.store
        self.made = Sweep(
            "cluster-uid",
            self.store,
            self.ledger,
            self.opened.clock,
            cluster_of=self._cluster_of,
            placements=lambda: [placement_of(found, embedded=False) for found in self.environments],
        )

    def _cluster_of(self, placement: Placement) -> Cluster:
        key = key_of(placement)
        workloads: Any = self.home if key == HOME else self.far
        return Cluster(key, workloads, None)  # type: ignore[arg-type]

    def sweep(self) -> list[str]:
        """What it deletes."""
        self.home.removed.clear()
        self.far.removed.clear()
        self.made.sweep()
        return [*self.home.removed, *self.far.removed]

    def environment(self, name: str = "production", **spec: Any) -> Environment:
        obj: Obj = {
            "apiVersion": API_VERSION,
            "kind": "Environment",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"type": "Production", **spec},
        }
        made = Environment.model_validate(self.store.create(obj))
        self.environments.append(made)
        return made

    def run(self, name: str = "r") -> str:
        """A run's object; its uid."""
        obj = {"apiVersion": API_VERSION, "kind": "WorkflowRun", "metadata": {"name": name, "namespace": "default"}}
        made = self.store.create({**obj, "spec": {"input": {"workflow": "greet", "environment": "production"}}})
        return str(made["metadata"]["uid"])

    def advance(self, seconds: float) -> None:
        self.opened.clock.advance(seconds=seconds)


def workload(uid: str, name: str = "r", *, epoch: int = 1, launch: Launch = Launch.JOB, **status: Any) -> Obj:
    run = RunIdentity(uid, "wfr_x", "default", name, "greet", "production", 1)
    place = Placement(launch, "default", "jobs", "production", cluster=FAR)
    made = (pod_of if launch is Launch.POD else job_of)(segment(run, epoch=epoch), place, INSTALLATION)
    made["metadata"] |= {"uid": f"job-of-{uid}", "resourceVersion": "1"}
    return made | {"status": status}


def policy(environment: Environment) -> Obj:
    made = network_policy_of(placement_of(environment, embedded=False), INSTALLATION)
    made["metadata"] |= {"uid": "u", "resourceVersion": "1"}
    return made
