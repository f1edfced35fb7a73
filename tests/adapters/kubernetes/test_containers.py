"""Attempts with pods of their own: what is told of them, from the watch, after a restart, and when a cluster is silent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from sluice.adapters.kubernetes.launching.attempts import LOOK_S
from sluice.adapters.kubernetes.launching.clusters import HOME, Cluster, ClusterKey
from sluice.adapters.kubernetes.launching.containers import LOG_BYTES, KubernetesContainers
from sluice.api.reasons import Reason
from sluice.domain.launching.programs import Program
from sluice.domain.launching.step_endings import ABSENT, AttemptState
from sluice.domain.launching.step_pods import StepPod, unit_of
from sluice.domain.timestamps import stamp
from sluice.ports.errors import Forbidden, Unavailable
from sluice.ports.launcher import LaunchRefused
from sluice.ports.store import Obj
from tests.adapters.kubernetes.hand_workloads import HandWorkloads
from tests.domain.launching.builders import INSTALLATION, RUN, placement, segment
from tests.domain.launching.pods import container, terminated, waiting

RUNNING = {"phase": "Running", "containerStatuses": [container("step", running={"startedAt": "2026-03-01T08:00:05Z"})]}
ENDED = {"phase": "Succeeded", "containerStatuses": [terminated(0, name="step")]}
FAILED = {"phase": "Failed", "containerStatuses": [terminated(3, name="step")]}


def step(*, attempt: int = 1, epoch: int = 1, **spec: Any) -> StepPod:
    pod = segment(unit=unit_of("deploy", attempt), epoch=epoch)
    return StepPod(pod, Program("example.com/tool:1"), placement(**spec), 60)


class Bench:
    """Containers on a cluster played by hand; ``changed`` is how often the run was had looked at."""

    def __init__(self) -> None:
        self.workloads = HandWorkloads()
        self.time = 100.0
        self.changed = 0
        self.containers = self.again()

    def again(self) -> KubernetesContainers:
        """Another process, which knows nothing."""
        cluster = Cluster(HOME, self.workloads, None)  # type: ignore[arg-type]
        self.containers = KubernetesContainers(
            lambda _: cluster, INSTALLATION, self._changed, monotonic=lambda: self.time
        )
        return self.containers

    def _changed(self, namespace: str, name: str) -> None:
        assert (namespace, name) == (RUN.namespace, RUN.name)
        self.changed += 1

    def see(self, made: StepPod, *, gone: bool = False, **status: Any) -> Obj:
        pod = self.workloads.pod_of(made.pod.name, **status)
        self.containers.seen(HOME, pod, gone=gone)
        return pod

    def state(self, made: StepPod) -> AttemptState:
        return self.containers.look(made).state


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_attempt_is_followed_from_its_launch_to_its_end(bench: Bench) -> None:
    made = step()
    assert bench.containers.look(made) == ABSENT
    bench.containers.launch(made)
    assert bench.state(made) is AttemptState.PENDING
    for status, state in ((RUNNING, AttemptState.RUNNING), (ENDED, AttemptState.ENDED)):
        bench.see(made, **status)
        assert bench.state(made) is state
    assert bench.changed == 2


def test_what_changes_nothing_is_not_told(bench: Bench) -> None:
    made = step()
    bench.containers.launch(made)
    for _ in range(3):
        bench.see(made)
        bench.see(made, **waiting_for_nothing())
    assert bench.changed == 0
    bench.see(made, **RUNNING)
    bench.see(made, **RUNNING)
    bench.containers.tick()
    assert bench.changed == 1


def waiting_for_nothing() -> dict[str, Any]:
    return {"containerStatuses": [waiting("ContainerCreating", name="step")]}


def test_launching_again_is_as_good_as_once(bench: Bench) -> None:
    made = step()
    bench.containers.launch(made)
    bench.containers.launch(made)
    bench.again().launch(made)
    assert len(bench.workloads.made) == 1


def test_a_name_that_is_somebody_elses_is_refused(bench: Bench) -> None:
    made = step()
    bench.workloads.made[made.pod.name] = {"metadata": {"name": made.pod.name, "uid": "x", "labels": {}}}
    for act in (bench.containers.launch, bench.containers.look):
        with pytest.raises(LaunchRefused, match="somebody else's"):
            act(made)


def test_what_a_cluster_refuses_is_told_and_not_followed(bench: Bench) -> None:
    bench.workloads.refuses = Forbidden('jobs.batch "x" is forbidden: exceeded quota: compute')
    with pytest.raises(LaunchRefused) as caught:
        bench.containers.launch(step())
    assert caught.value.why is Reason.QUOTA_EXCEEDED
    assert bench.containers.places() == []


@pytest.mark.parametrize("launch", ["Job", "Pod"])
def test_another_process_finds_what_is_there(bench: Bench, launch: str) -> None:
    made = step(launch=launch)
    bench.containers.launch(made)
    if launch == "Job":
        bench.workloads.pods.append(bench.workloads.pod_of(made.pod.name, **ENDED))
    else:
        bench.workloads.made[made.pod.name]["status"] = ENDED
    bench.again()
    sight = bench.containers.look(made)
    assert sight.state is AttemptState.ENDED
    assert sight.made == 1772352000_000_000


def test_a_pod_of_an_earlier_job_of_that_name_is_not_its(bench: Bench) -> None:
    made = step()
    bench.containers.launch(made)
    bench.workloads.pods.append(bench.workloads.pod_of(made.pod.name, of="earlier", **FAILED))
    assert bench.state(made) is AttemptState.PENDING
    bench.containers.seen(HOME, bench.workloads.pods[0], gone=False)
    assert bench.state(made) is AttemptState.PENDING
    bench.again()
    assert bench.state(made) is AttemptState.PENDING


def test_pods_of_other_clusters_attempts_and_epochs_are_not_its(bench: Bench) -> None:
    made, other = step(), step(epoch=2)
    bench.containers.launch(made)
    bench.containers.launch(other)
    bench.containers.seen(ClusterKey("a", "b"), bench.workloads.pod_of(made.pod.name, **ENDED), gone=False)
    bench.see(other, **ENDED)
    assert (bench.state(made), bench.state(other)) == (AttemptState.PENDING, AttemptState.ENDED)


LOSSES: dict[str, tuple[Callable[[Bench, StepPod], object], str]] = {
    "its pod is deleted": (lambda bench, made: bench.see(made, gone=True, **RUNNING), "somebody deleted its pod"),
    "its pod is not among all there are": (
        lambda bench, made: (bench.see(made, **RUNNING), bench.containers.missed(HOME, set())),
        "its pod is gone",
    ),
    "its pod was being drained when it went": (
        lambda bench, made: bench.see(
            made,
            gone=True,
            deleted=stamp(dt.datetime.now(dt.UTC)),
            **RUNNING,
            conditions=[{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}],
        ),
        "its node is being drained",
    ),
}


@pytest.mark.parametrize("case", LOSSES)
def test_what_is_gone_is_lost_and_told(bench: Bench, case: str) -> None:
    happen, message = LOSSES[case]
    made = step()
    bench.containers.launch(made)
    happen(bench, made)
    sight = bench.containers.look(made)
    assert sight.state is AttemptState.LOST
    assert sight.lost is not None
    assert sight.lost.message == message
    assert bench.changed


@pytest.mark.parametrize("status", [ENDED, FAILED])
def test_one_that_had_ended_before_its_pod_went_has_ended(bench: Bench, status: dict[str, Any]) -> None:
    made = step()
    bench.containers.launch(made)
    bench.see(made, gone=True, **status)
    bench.containers.missed(HOME, set())
    assert bench.state(made) is AttemptState.ENDED


def test_a_job_without_a_pod_says_why_in_time(bench: Bench) -> None:
    made = step()
    bench.containers.launch(made)
    bench.workloads.complaint = 'Error creating: pods "x" is forbidden: exceeded quota: compute'
    bench.containers.tick()
    assert bench.containers.look(made).hindrance is None
    bench.time += LOOK_S
    bench.containers.tick()
    hindrance = bench.containers.look(made).hindrance
    assert hindrance is not None
    assert hindrance[0] is Reason.QUOTA_EXCEEDED
    assert bench.changed == 1


def test_a_job_that_was_deleted_before_it_had_a_pod_is_lost(bench: Bench) -> None:
    made = step()
    bench.containers.launch(made)
    bench.workloads.made.clear()
    bench.time += LOOK_S
    bench.containers.tick()
    assert bench.state(made) is AttemptState.LOST


def test_a_job_that_is_over_and_whose_pod_is_gone_is_lost(bench: Bench) -> None:
    made = step()
    bench.containers.launch(made)
    bench.workloads.made[made.pod.name]["status"] = {"conditions": [{"type": "Failed", "status": "True"}]}
    bench.again()
    assert bench.state(made) is AttemptState.LOST


def test_a_cluster_that_does_not_answer_raises_where_it_is_asked_and_nowhere_else(bench: Bench) -> None:
    made = step()
    bench.containers.launch(made)
    bench.see(made, **RUNNING)
    bench.workloads.away = True
    bench.time += 1000
    bench.containers.tick()
    assert bench.state(made) is AttemptState.RUNNING
    assert bench.containers.log(made) == ""
    with pytest.raises(Unavailable):
        bench.containers.stop(made)
    with pytest.raises(Unavailable):
        bench.containers.look(step(attempt=2))
    bench.containers.kill(RUN.uid)
    assert bench.containers.places() == []


def test_the_log_is_the_end_of_what_it_printed(bench: Bench) -> None:
    made = step()
    bench.workloads.printed = b"x" * LOG_BYTES + b"the last\n"
    bench.containers.launch(made)
    assert bench.containers.log(made) == ""
    bench.see(made, **ENDED)
    log = bench.containers.log(made)
    assert len(log) == LOG_BYTES
    assert log.endswith("the last\n")


def test_where_the_log_can_not_be_read_its_end_is_what_the_node_kept(bench: Bench) -> None:
    failed = {"phase": "Failed", "containerStatuses": [terminated(3, message="no such shop\n", name="step")]}
    plain = step()
    writing = StepPod(step(attempt=2).pod, Program("x", output_from="/tmp/out.json"), placement())
    for made in (plain, writing):
        bench.containers.launch(made)
        bench.see(made, **failed)
    bench.workloads.away = True
    assert (bench.containers.log(plain), bench.containers.log(writing)) == ("no such shop\n", "")


def test_stopping_deletes_it_and_lets_go(bench: Bench) -> None:
    made = step()
    bench.containers.launch(made)
    bench.containers.stop(made)
    bench.containers.stop(made)
    assert bench.workloads.deleted == [made.pod.name] * 2
    assert bench.containers.look(made) == ABSENT


def test_what_is_recorded_is_deleted_after_the_environments_own_time(bench: Bench) -> None:
    made = step(runner={"ttlSecondsAfterFinished": 60})
    bench.containers.launch(made)
    bench.containers.release(made)
    bench.time += 59
    bench.containers.tick()
    assert bench.workloads.deleted == []
    bench.time += 1
    bench.containers.tick()
    bench.containers.tick()
    assert bench.workloads.deleted == [made.pod.name]


def test_a_run_that_is_gone_takes_all_its_attempts_with_it(bench: Bench) -> None:
    first, second = step(), step(attempt=2)
    for made in (first, second):
        bench.containers.launch(made)
    bench.containers.kill("another run")
    bench.containers.kill(RUN.uid)
    assert bench.workloads.deleted == [first.pod.name, second.pod.name]
