"""What nobody owns is deleted when ledger and store say so, and left alone in any doubt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from sluice.adapters.kubernetes.launching.clusters import HOME, Cluster, key_of
from sluice.adapters.kubernetes.launching.sweep import Sweep
from sluice.adapters.sqlite.ledger import SqliteLedger
from sluice.api.environment import Environment, Launch
from sluice.api.kinds import API_VERSION, ENVIRONMENT
from sluice.domain.launching.names import LAUNCHED_FROM_LABEL, RUN_ANNOTATION, RUN_UID_LABEL, UNIT_LABEL
from sluice.domain.launching.network import network_policy_of
from sluice.domain.launching.orphans import GRACE_S
from sluice.domain.launching.placement import Placement, RemoteCluster, placement_of
from sluice.domain.launching.pods import job_of, pod_of
from sluice.domain.launching.step_pods import KEPT_S, unit_of
from sluice.domain.timestamps import stamp
from sluice.ports.errors import Conflict, Fenced, Forbidden, PortError, Unavailable
from sluice.ports.launcher import RunIdentity
from sluice.ports.store import Obj, Ref
from tests.adapters.sqlite.stores import Opened
from tests.contracts.ledger.builders import admission, finish
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


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Opened() as opened:
        made = Bench(opened)
        made.environment("far", cluster={"kubeconfigSecret": "far", "runnerUrl": "https://x:1"})
        yield made


def workload(uid: str, name: str = "r", *, epoch: int = 1, launch: Launch = Launch.JOB, **status: Any) -> Obj:
    run = RunIdentity(uid, "wfr_x", "default", name, "greet", "production", 1)
    place = Placement(launch, "default", "jobs", "production", cluster=FAR)
    made = (pod_of if launch is Launch.POD else job_of)(segment(run, epoch=epoch), place, INSTALLATION)
    made["metadata"] |= {"uid": f"job-of-{uid}", "resourceVersion": "1"}
    return made | {"status": status}


def test_a_job_whose_run_neither_ledger_nor_store_knows_is_deleted_on_every_cluster(bench: Bench) -> None:
    lost = workload("lost")
    bench.home.there, bench.far.there = [lost], [lost]
    assert bench.sweep() == [lost["metadata"]["name"]] * 2


def test_a_job_of_a_run_that_goes_on_is_kept(bench: Bench) -> None:
    bench.ledger.admit(admission("known"))
    bench.far.there = [workload("known")]
    assert bench.sweep() == []


def test_a_job_of_a_run_that_only_the_store_knows_is_kept(bench: Bench) -> None:
    """The ledger may have been restored from an older backup: the run is let in again, and adopted."""
    bench.far.there = [workload(bench.run())]
    assert bench.sweep() == []


def test_a_run_of_the_same_name_is_another_run(bench: Bench) -> None:
    bench.run()
    bench.far.there = [workload("lost")]
    assert len(bench.sweep()) == 1


def test_a_job_of_an_older_epoch_is_deleted_and_that_of_the_newest_is_not(bench: Bench) -> None:
    bench.ledger.admit(admission("known"))
    assert bench.ledger.raise_epoch("known", "main") == 2
    bench.far.there = [workload("known", epoch=1), workload("known", epoch=2)]
    assert bench.sweep() == [workload("known", epoch=1)["metadata"]["name"]]


def test_a_job_that_outlives_its_run_is_deleted_after_a_while(bench: Bench) -> None:
    bench.ledger.admit(admission("known"))
    finish(bench.ledger, "known")
    bench.far.there = [workload("known")]
    assert bench.sweep() == []
    bench.advance(GRACE_S + 1)
    assert len(bench.sweep()) == 1


def test_a_job_that_ended_is_left_to_its_cluster(bench: Bench) -> None:
    bench.far.there = [workload("lost", conditions=[{"type": "Complete", "status": "True"}])]
    assert bench.sweep() == []


def test_a_pod_without_a_job_is_deleted_its_time_after_its_end(bench: Bench) -> None:
    bench.environment(runner={"ttlSecondsAfterFinished": 60})
    finished = {"containerStatuses": [{"state": {"terminated": {"finishedAt": stamp(bench.opened.clock.now())}}}]}
    bench.far.there = [workload("lost", launch=Launch.POD, phase="Succeeded", **finished)]
    assert bench.sweep() == []
    bench.advance(61)
    assert len(bench.sweep()) == 1


def test_a_pod_at_home_is_its_run_s_until_its_time_after_its_end_is_over(bench: Bench) -> None:
    bench.environment(runner={"ttlSecondsAfterFinished": 60})
    run = RunIdentity("lost", "wfr_x", "default", "r", "greet", "production", 1)
    pod = pod_of(segment(run), Placement(Launch.POD, "default", "default", "production"), INSTALLATION)
    pod["metadata"] |= {"uid": "u", "resourceVersion": "1"}
    bench.home.there = [pod | {"status": {"phase": "Running"}}]
    assert bench.sweep() == []

    finished = {"containerStatuses": [{"state": {"terminated": {"finishedAt": stamp(bench.opened.clock.now())}}}]}
    bench.home.there = [pod | {"status": {"phase": "Succeeded", **finished}}]
    assert bench.sweep() == []
    bench.advance(61)
    assert bench.sweep() == [pod["metadata"]["name"]]


@pytest.mark.parametrize("spoil", ["labels", "annotation", "cluster"])
def test_what_can_not_be_told_apart_is_kept(bench: Bench, spoil: str) -> None:
    lost = workload("lost")
    if spoil == "labels":
        del lost["metadata"]["labels"][RUN_UID_LABEL]
    elif spoil == "annotation":
        del lost["metadata"]["annotations"][RUN_ANNOTATION]
    else:
        lost["metadata"]["labels"][LAUNCHED_FROM_LABEL] = "another cluster"
    bench.far.there = [lost]
    assert bench.sweep() == []


def test_nothing_is_deleted_while_the_store_can_not_be_asked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.far.there = [workload("lost")]
    for error in (Unavailable("away"), Forbidden("no")):

        def fails(_: Any, error: PortError = error) -> Obj:
            raise error

        monkeypatch.setattr(bench.made, "_store", type("Away", (), {"get": staticmethod(fails)})())
        assert bench.sweep() == []


def test_a_cluster_that_is_away_is_for_the_next_time_and_the_others_are_swept(bench: Bench) -> None:
    bench.home.error = Unavailable("away")
    bench.far.there = [workload("lost")]
    assert len(bench.sweep()) == 1


def test_what_moved_since_it_was_listed_is_for_the_next_time(bench: Bench) -> None:
    bench.far.there, bench.far.refuses = [workload("lost")], Conflict("moved")
    assert bench.sweep() == []


def test_who_does_not_lead_any_more_stops(bench: Bench) -> None:
    bench.far.there, bench.far.refuses = [workload("lost")], Fenced("not the leader any more")
    with pytest.raises(Fenced):
        bench.sweep()


# -- NetworkPolicies ------------------------------------------------------------------------------------------------
def policy(environment: Environment) -> Obj:
    made = network_policy_of(placement_of(environment, embedded=False), INSTALLATION)
    made["metadata"] |= {"uid": "u", "resourceVersion": "1"}
    return made


def test_a_policy_is_kept_with_its_environment_and_deleted_after_it(bench: Bench) -> None:
    here, far = bench.environment("here"), bench.environments[0]
    bench.home.policies_there, bench.far.policies_there = [policy(here)], [policy(far)]
    assert bench.sweep() == []

    for made in (here, far):
        bench.store.delete(_ref(made))
    assert bench.sweep() == ["sluice-runner-here", "sluice-runner-far.default"]


def test_a_policy_is_kept_while_something_runs_that_it_is_about(bench: Bench) -> None:
    here = bench.environment("here")
    bench.home.policies_there, bench.home.in_use = [policy(here)], True
    bench.store.delete(_ref(here))
    assert bench.sweep() == []


def test_the_policy_of_an_environment_that_moved_goes_where_it_was_left(bench: Bench) -> None:
    here = bench.environment("here", namespace="jobs")
    left = {**policy(here), "metadata": {**policy(here)["metadata"], "namespace": "former"}}
    bench.home.policies_there, bench.far.policies_there = [left, policy(here)], [policy(here)]
    bench.sweep()
    assert bench.home.removed == bench.far.removed == ["sluice-runner-here.default"]


def test_a_policy_that_somebody_took_over_is_theirs(bench: Bench) -> None:
    here = bench.environment("here")
    taken = policy(here)
    taken["metadata"]["labels"] = {}
    bench.store.delete(_ref(here))
    bench.home.policies_there = [taken]
    assert bench.sweep() == []


def _ref(environment: Environment) -> Ref:
    return Ref(ENVIRONMENT, environment.metadata.namespace, environment.metadata.name)


def test_a_pod_of_a_step_stays_until_how_it_ended_must_have_been_recorded(bench: Bench) -> None:
    bench.environment(runner={"ttlSecondsAfterFinished": 60})
    finished = {"terminated": {"exitCode": 0, "finishedAt": stamp(bench.opened.clock.now())}}
    pod = workload("known", launch=Launch.POD, phase="Succeeded", containerStatuses=[{"state": finished}])
    pod["metadata"]["labels"][UNIT_LABEL] = unit_of("deploy", 1)
    bench.far.there = [pod]
    bench.advance(KEPT_S)
    assert bench.sweep() == []
    bench.advance(1)
    assert bench.sweep() == [pod["metadata"]["name"]]
