"""What the oversight makes of a cluster that is away, and when it is back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from sluice.adapters.kubernetes.launching.clusters import Cluster, key_of
from sluice.adapters.kubernetes.launching.oversight import GIVEN_UP_S, Oversight
from sluice.adapters.kubernetes.launching.seats import Seat, Seats
from sluice.api.environment import Launch
from sluice.api.reasons import Reason
from sluice.domain.launching.names import segment_name
from sluice.domain.launching.placement import Placement, RemoteCluster
from sluice.domain.launching.pods import job_of
from sluice.ports.errors import PortError, Unavailable
from sluice.ports.launcher import LaunchRefused
from sluice.ports.store import Obj
from tests.adapters.kubernetes.elections import Hands
from tests.contracts.launcher.segments import definition, python, segment
from tests.contracts.launcher.sinks import Sink
from tests.domain.launching.builders import INSTALLATION
from tests.domain.launching.builders import segment as segment_pod

FAR = Placement(Launch.JOB, "support", "jobs", "far", cluster=RemoteCluster("far"))
NEAR = Placement(Launch.JOB, "support", "jobs", "near")
UNREACHABLE = (Reason.CLUSTER_UNREACHABLE, "the cluster of Secret far can't be reached")


@dataclass
class Workloads:
    """One cluster and its Jobs."""

    jobs: dict[str, Obj] = field(default_factory=dict)
    complaint: str = ""
    error: PortError | None = None
    deleted: list[str] = field(default_factory=list)

    def find(self, launch: Launch, namespace: str, name: str) -> Obj | None:
        self._answer()
        return self.jobs.get(name)

    def complaints(self, namespace: str, uid: str) -> Iterator[str]:
        yield from [self.complaint] if self.complaint else []

    def delete(self, launch: Launch, namespace: str, name: str) -> None:
        self._answer()
        self.deleted.append(name)

    def _answer(self) -> None:
        if self.error:
            raise self.error


class Bench:
    """Seats on two clusters."""

    def __init__(self) -> None:
        self.clock = Hands()
        self.seats, self.sink = Seats(), Sink()
        self.clusters = {key_of(place): Workloads() for place in (FAR, NEAR)}
        self.refusal: PortError | None = None
        self.oversight = Oversight(self.seats, self._cluster_of, lambda: self.sink, monotonic=self.clock.monotonic)

    def _cluster_of(self, placement: Placement) -> Cluster:
        if placement.is_remote and self.refusal:
            raise self.refusal
        workloads: Any = self.clusters[key_of(placement)]
        return Cluster(key_of(placement), workloads, None)  # type: ignore[arg-type]

    @property
    def far(self) -> Workloads:
        return self.clusters[key_of(FAR)]

    @property
    def near(self) -> Workloads:
        return self.clusters[key_of(NEAR)]

    def sit(self, run: str, placement: Placement = FAR) -> Seat:
        """A segment that was launched or adopted, and whose Job is there."""
        made = segment(definition(python("a", "output = 1")), run=run)
        now = self.clock.monotonic()
        seat = Seat(made, placement, segment_name(made.run, "main", 1), launched=now, heard=now)
        self.seats.take(seat)
        job = job_of(segment_pod(made.run), placement, INSTALLATION)
        job["metadata"]["uid"] = f"job-{run}"
        self.clusters[key_of(placement)].jobs[seat.name] = job
        return seat

    def tick_after(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.oversight.tick()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def told(bench: Bench) -> list[tuple[str, Any]]:
    return [(run, (reason, message)) for run, reason, message in bench.sink.hindrances]


def test_a_run_that_has_not_begun_says_that_its_cluster_is_away(bench: Bench) -> None:
    bench.sit("r")
    bench.far.error = Unavailable("no connection")
    bench.tick_after(6)
    assert told(bench) == [("r", UNREACHABLE)]
    assert bench.sink.losses == []


def test_an_outage_of_the_controllers_own_cluster_is_not_shown_on_runs(bench: Bench) -> None:
    bench.sit("r", NEAR)
    bench.near.error = Unavailable("no connection")
    bench.tick_after(6)
    assert told(bench) == []


def test_a_silent_runner_is_not_given_up_while_nobody_can_end_it_for_certain(bench: Bench) -> None:
    seat = bench.sit("r")
    seat.holder = "pod"
    bench.far.error = Unavailable("no connection")
    bench.tick_after(GIVEN_UP_S + 1)
    assert told(bench) == [("r", UNREACHABLE)]
    assert bench.sink.losses == []

    bench.far.error = None
    bench.tick_after(5)
    assert bench.far.deleted == [seat.name]
    assert [run for run, *_ in bench.sink.losses] == ["r"]


def test_a_cluster_without_a_usable_kubeconfig_keeps_nobody_from_looking_after_the_others(bench: Bench) -> None:
    bench.sit("far")
    bench.sit("near", NEAR)
    bench.near.jobs.clear()
    bench.refusal = LaunchRefused(Reason.KUBECONFIG_UNUSABLE, "there is no Secret far")
    bench.tick_after(6)
    assert [run for run, *_ in bench.sink.losses] == ["near"]


def test_a_job_without_a_pod_says_why(bench: Bench) -> None:
    bench.sit("r")
    bench.far.complaint = 'Error creating: pods "x" is forbidden: exceeded quota: compute'
    bench.tick_after(6)
    assert [reason for _, reason, _ in bench.sink.hindrances] == [Reason.QUOTA_EXCEEDED]


def test_of_two_clusters_each_tells_of_its_own_pods(bench: Bench) -> None:
    far, near = bench.sit("far"), bench.sit("near", NEAR)
    for seat in (far, near):
        seat.holder = "pod"
    bench.oversight.missed(key_of(NEAR), set())
    assert [run for run, *_ in bench.sink.losses] == ["near"]
