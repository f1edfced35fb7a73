"""Simulated pods run until somebody says how they ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.cluster import Running, Shape, cluster
from tests.cluster.simulated import DONE, FAILED, PLAYED, PLAYED_CODE, PLAYED_REASON
from tests.contracts.store.builders import eventually

pytestmark = pytest.mark.cluster

JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "spec": {
        "backoffLimit": 0,
        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "nothing"}]}},
    },
}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with cluster(tmp_path_factory.mktemp("simulated"), Shape(simulated=3)) as running:
        yield running


class Jobs:
    """Jobs of one name each, and the pod of each."""

    def __init__(self, running: Running) -> None:
        self._kubectl = running.kubectl

    def start(self, *names: str) -> None:
        jobs = [{**JOB, "metadata": {"name": name}} for name in names]
        self._kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": jobs}))

    def play(self, name: str, *annotations: str) -> None:
        self._kubectl("annotate", "pod", f"--selector=job-name={name}", *annotations)

    def phases(self, name: str) -> list[str]:
        return [pod["status"]["phase"] for pod in self._pods(name)]

    def terminated(self, name: str) -> dict[str, Any]:
        ended: dict[str, Any] = self._pods(name)[0]["status"]["containerStatuses"][0]["state"]["terminated"]
        return ended

    def condition(self, name: str, type: str) -> bool:
        path = f'jsonpath={{.status.conditions[?(@.type=="{type}")].status}}'
        return self._kubectl("get", "job", name, "-o", path) == "True"

    def _pods(self, name: str) -> list[dict[str, Any]]:
        pods: list[dict[str, Any]] = json.loads(
            self._kubectl("get", "pods", f"--selector=job-name={name}", "-o", "json")
        )["items"]
        return pods


@pytest.fixture
def jobs(simulated: Running) -> Jobs:
    return Jobs(simulated)


def test_a_pod_runs_until_it_is_said_to_be_done(jobs: Jobs) -> None:
    jobs.start("done", "waiting")
    eventually(lambda: jobs.phases("done") == jobs.phases("waiting") == ["Running"], "both run")
    jobs.play("done", f"{PLAYED}={DONE}")
    eventually(lambda: jobs.condition("done", "Complete"), "its Job is complete")
    assert jobs.phases("waiting") == ["Running"]


def test_a_pod_that_is_said_to_have_failed_tells_code_and_reason(jobs: Jobs) -> None:
    jobs.start("failed", "killed")
    eventually(lambda: jobs.phases("failed") == jobs.phases("killed") == ["Running"], "both run")
    jobs.play("failed", f"{PLAYED}={FAILED}")
    jobs.play("killed", f"{PLAYED}={FAILED}", f"{PLAYED_CODE}=137", f"{PLAYED_REASON}=OOMKilled")
    eventually(lambda: jobs.condition("failed", "Failed") and jobs.condition("killed", "Failed"), "their Jobs failed")
    assert (jobs.terminated("failed")["exitCode"], jobs.terminated("failed")["reason"]) == (1, "Error")
    assert (jobs.terminated("killed")["exitCode"], jobs.terminated("killed")["reason"]) == (137, "OOMKilled")


def test_a_deleted_pod_is_gone(jobs: Jobs, simulated: Running) -> None:
    jobs.start("deleted")
    eventually(lambda: jobs.phases("deleted") == ["Running"], "it runs")
    simulated.kubectl("delete", "job", "deleted")
    eventually(lambda: not jobs.phases("deleted"), "its pod went with it")
