"""What a new controller takes over: Jobs that are there and not over, with what their pods say."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from sluice.adapters.kubernetes.launching.clusters import HOME, Cluster
from sluice.adapters.kubernetes.launching.launcher import KubernetesLauncher
from sluice.adapters.kubernetes.launching.seats import Claim, Seats
from sluice.api.environment import Launch
from sluice.domain.launching.names import segment_name
from sluice.domain.launching.placement import Placement
from sluice.domain.launching.pods import Installation
from sluice.domain.launching.standing import PodState
from sluice.ports.store import Obj
from tests.contracts.launcher.segments import definition, python, segment

PLACE = Placement(Launch.JOB, "team", "team", "test")
SEGMENT = dataclasses.replace(segment(definition(python("a", "output = 1")), run="r"), placement=PLACE)
CLAIM = Claim("r", "main", 1)
LABELS = {
    "app.kubernetes.io/managed-by": "sluice",
    "sluice.dev/run-uid": "r",
    "sluice.dev/unit": "main",
    "sluice.dev/epoch": "1",
}
RUNNING = {"phase": "Running", "containerStatuses": [{"name": "runner", "state": {"running": {}}}]}


@dataclass
class Jobs:
    """What there is on the cluster."""

    job: Obj | None = None
    pods: list[Obj] = field(default_factory=list)
    made: list[Obj] = field(default_factory=list)

    def find(self, launch: Launch, namespace: str, name: str) -> Obj | None:
        return self.job

    def pods_of(self, namespace: str, job: str) -> list[Obj]:
        return self.pods

    def create(self, manifest: Obj) -> Obj:
        self.made.append(manifest)
        return manifest | {"metadata": {**manifest["metadata"], "uid": "job-uid"}}


def job(**status: Any) -> Obj:
    name = segment_name(SEGMENT.run, "main", 1)
    return {"kind": "Job", "metadata": {"name": name, "namespace": "team", "labels": LABELS}, "status": status}


def pod(status: Obj) -> Obj:
    return {"kind": "Pod", "metadata": {"name": "p", "namespace": "team", "labels": LABELS}, "status": status}


@pytest.fixture
def seats() -> Seats:
    return Seats()


def launcher(seats: Seats, jobs: Jobs) -> KubernetesLauncher:
    cluster = Cluster(HOME, jobs, None)  # type: ignore[arg-type]
    installation = Installation("https://c:8443", "c", "PEM", "image", "id")
    return KubernetesLauncher(seats, lambda _placement, **_: cluster, installation)


@pytest.mark.parametrize(
    ("pods", "state"), [([], None), ([pod({"phase": "Pending"})], PodState.PENDING), ([pod(RUNNING)], PodState.RUNNING)]
)
def test_a_job_that_is_there_is_taken_over_with_what_its_pod_says(
    seats: Seats, pods: list[Obj], state: PodState | None
) -> None:
    assert launcher(seats, Jobs(job(), pods)).adopt(SEGMENT)

    seat = seats.find(CLAIM)
    assert seat is not None
    assert seat.adopted
    assert (seat.standing.state if seat.standing else None) == state


def test_a_job_whose_pod_is_over_is_not_though_it_does_not_say_so_yet(seats: Seats) -> None:
    failed = {"phase": "Failed", "containerStatuses": [{"name": "runner", "state": {"terminated": {"exitCode": 5}}}]}

    assert not launcher(seats, Jobs(job(), [pod(failed)])).adopt(SEGMENT)
    assert seats.find(CLAIM) is None


@pytest.mark.parametrize(
    "found",
    [
        None,
        job(conditions=[{"type": "Failed", "status": "True"}]),
        job() | {"metadata": {"labels": {**LABELS, "sluice.dev/run-uid": "another"}}},
    ],
)
def test_what_is_not_there_or_over_or_another_s_is_not(seats: Seats, found: Obj | None) -> None:
    assert not launcher(seats, Jobs(found)).adopt(SEGMENT)
    assert seats.find(CLAIM) is None


def test_a_run_with_a_deadline_bounds_its_pod(seats: Seats) -> None:
    jobs = Jobs()
    in_an_hour = int((time.time() + 3600) * 1e6)
    launcher(seats, jobs).launch(dataclasses.replace(SEGMENT, deadline=in_an_hour))

    bound = jobs.made[0]["spec"]["template"]["spec"]["activeDeadlineSeconds"]
    assert 3600 <= bound - 900 <= 3601
