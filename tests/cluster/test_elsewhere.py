"""Environments on another cluster and in other namespaces: two real API servers, one of them taken away and given back.

Pods are processes of this machine (see ``process_kubelet``); all else is as on any two clusters.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.launching.workloads import JOB
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.api import kinds
from sluice.api.kinds import NAMESPACE
from sluice.domain.launching.names import segment_name
from sluice.domain.launching.security import RUNS_FROM
from sluice.domain.launching.traces import FINALIZER
from sluice.ports.launcher import RunIdentity
from sluice.ports.store import Obj, Ref
from tests.cluster.controllers import controlling
from tests.cluster.elsewhere import ACCOUNT, JOBS, SYSTEM, Away, Site, away
from tests.cluster.process_kubelet import playing
from tests.cluster.sharing import ControlPlane
from tests.cluster.workspace import workspace

pytestmark = pytest.mark.cluster

SLOW = "import math\nfor n in range(30_000_000): math.sqrt(n)\noutput = 7"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory, control_plane: ControlPlane) -> Iterator[Away]:
    with away(tmp_path_factory.mktemp("other")) as made:
        yield made


@pytest.fixture
def site(control_plane: ControlPlane, other: Away, tmp_path: Path) -> Iterator[Site]:
    own = f"t{uuid.uuid4().hex[:8]}"
    transport = Transport(from_kubeconfig(control_plane.kubeconfig))
    (tmp_path / "near").mkdir()
    (tmp_path / "far").mkdir()
    with (
        workspace(KubernetesStore(transport), own) as space,
        playing(transport, tmp_path / "near", controller_id=own),
        playing(other.transport, tmp_path / "far", controller_id=own) as kubelet,
        controlling(control_plane, tmp_path, controller_id=own, watch_namespaces=own) as controller,
    ):
        made = Site(space, controller, other, kubelet, tmp_path, own)
        other.let_in(own)
        made.lend(other.kubeconfig_of(ACCOUNT, tmp_path))
        made.declare()
        made.wait_ready("far")
        space.apply_workflow("hello", 'output = "Hello, " + payload["name"]')
        space.apply_workflow("slow", SLOW)
        for workflow in ("hello", "slow"):
            space.wait_published(workflow, "v1")
        try:
            yield made
        finally:
            other.plane.apiserver.resume()
            other.plane.apiserver.start()
    transport.close()


def hello(site: Site, environment: str = "far") -> str:
    return site.space.start("hello", payload={"name": "Ana"}, environment=environment)


def test_a_run_ends_on_the_other_cluster_and_owns_nothing_there(site: Site) -> None:
    ended = site.space.wait_ended(hello(site))

    assert ended["status"]["phase"] == "Succeeded"
    assert ended["metadata"]["finalizers"] == [FINALIZER]
    (job,) = site.away.jobs(ended)
    labels = job["metadata"]["labels"]
    assert (labels["sluice.dev/workspace"], labels["sluice.dev/launched-from"]) == (site.own, site.home_uid())
    assert "ownerReferences" not in job["metadata"]
    assert f"sluice-runner-far.{site.own}" in site.away.policies()
    assert site.space.jobs() == []

    site.delete_run(ended["metadata"]["name"])
    site.space.wait_for(lambda: not site.is_there(ended["metadata"]["name"]), "the run is gone")


def test_a_namespace_there_that_lets_nobody_in_is_told(site: Site) -> None:
    site.away.let_in("somebody-else")
    run = hello(site)
    shown = site.space.wait_condition(run, "Ready", reason="NamespaceForbids")
    assert f"kubectl annotate --overwrite namespace {JOBS} {RUNS_FROM}=somebody-else,{site.own}" in shown["message"]


def test_a_rotated_secret_is_taken_up_and_what_runs_goes_on(site: Site) -> None:
    site.lend(site.away.kubeconfig_of("first", site.folder))
    site.space.wait_ended(hello(site))
    running = site.space.start("slow", environment="far")
    site.space.wait_phase(running, "Running")
    site.lend(site.away.kubeconfig_of("second", site.folder))
    site.away.kubectl("delete", "serviceaccount", "first", f"--namespace={SYSTEM}")

    assert site.space.wait_ended(hello(site))["status"]["phase"] == "Succeeded"
    ended = site.space.wait_ended(running)
    assert ended["status"]["phase"] == "Succeeded"
    assert len(site.away.jobs(ended)) == 1, "it was launched again"


def test_a_secret_that_is_spoiled_says_which_field(site: Site) -> None:
    site.lend(b"current-context: x\ncontexts: [{name: x, context: {cluster: x, user: x}}]\nclusters: [{name: x}]\n")
    site.declare("also")
    site.wait_ready("also", "KubeconfigUnusable")
    run = hello(site)
    shown = site.space.wait_condition(run, "Ready", reason="KubeconfigUnusable")
    assert f"the kubeconfig in Secret far in namespace {site.own}: users there is none named x" in shown["message"]

    site.lend(site.away.kubeconfig_of(ACCOUNT, site.folder))
    assert site.space.wait_ended(run)["status"]["phase"] == "Succeeded"


def test_a_cluster_that_dies_holds_up_nobody_else_and_what_runs_there_goes_on(site: Site) -> None:
    running = site.space.start("slow", environment="far")
    site.space.wait_phase(running, "Running")
    site.away.plane.apiserver.kill()
    stuck = hello(site)
    shown = site.space.wait_condition(stuck, "Ready", reason="ClusterUnreachable")
    assert "the cluster of Secret far can't be reached" in shown["message"]
    assert site.space.wait_ended(hello(site, "local"))["status"]["phase"] == "Succeeded"
    assert site.space.wait_ended(running)["status"]["phase"] == "Succeeded", "its pod reaches the controller"
    site.space.apply_workflow("later", "output = 1")
    site.space.wait_published("later", "v1")

    site.away.plane.apiserver.start()
    ended = site.space.wait_ended(stuck)
    assert ended["status"]["phase"] == "Succeeded"
    assert len(site.away.jobs(ended)) == 1


def test_a_cluster_that_hangs_holds_up_nobody_else(site: Site) -> None:
    site.away.plane.apiserver.pause()
    stuck = [hello(site) for _ in range(12)]
    near = [hello(site, "local") for _ in range(4)]
    assert {site.space.wait_ended(run)["status"]["phase"] for run in near} == {"Succeeded"}
    for run in stuck[:2]:
        site.space.wait_condition(run, "Ready", reason="ClusterUnreachable")

    site.away.plane.apiserver.resume()
    ended = [site.space.wait_ended(run) for run in stuck]
    assert {run["status"]["phase"] for run in ended} == {"Succeeded"}
    assert [len(site.away.jobs(run)) for run in ended] == [1] * 12, "one was launched twice"


def test_an_environment_whose_cluster_is_away_says_so_until_it_is_back(site: Site) -> None:
    site.away.plane.apiserver.kill()
    site.declare("also")
    assert "can't be reached" in site.wait_ready("also", "ClusterUnreachable")

    site.away.plane.apiserver.start()
    site.wait_ready("also")


def test_a_new_controller_waits_for_the_cluster_and_adopts_what_is_still_there(site: Site) -> None:
    space = site.space
    kept, lost = (space.start("slow", environment="far") for _ in range(2))
    for run in (kept, lost):
        space.wait_phase(run, "Running")
    site.controller.kill()
    (job,) = site.away.jobs(space.run(lost))
    site.away.kubectl("delete", "job", job["metadata"]["name"], f"--namespace={JOBS}")
    site.away.plane.apiserver.kill()
    site.controller.start()
    space.wait_condition(kept, "Ready", reason="ClusterUnreachable")
    assert space.run(kept)["status"]["phase"] == "Running", "as far as anybody knows"

    site.away.plane.apiserver.start()
    ended = {run: space.wait_ended(run) for run in (kept, lost)}
    assert [run["status"]["phase"] for run in ended.values()] == ["Succeeded"] * 2
    (first,) = site.away.jobs(ended[kept])
    assert first["metadata"]["labels"]["sluice.dev/epoch"] == "1"
    (second,) = site.away.jobs(ended[lost])
    assert second["metadata"]["labels"]["sluice.dev/epoch"] == "2"


def test_a_deleted_run_waits_for_its_cluster_and_takes_its_job_with_it(site: Site) -> None:
    space = site.space
    run = space.start("slow", environment="far")
    found = space.wait_phase(run, "Running")
    site.away.plane.apiserver.kill()
    site.delete_run(run)
    shown = space.wait_condition(run, "Ready", reason="ClusterUnreachable")
    assert shown["message"].startswith("it is being deleted once its Jobs are: ")

    site.away.plane.apiserver.start()
    space.wait_for(lambda: not site.is_there(run), "the run is gone")
    space.wait_for(lambda: not site.away.jobs(found), "its Job is gone")


def stray(site: Site, name: str, run_uid: str, **labels: str) -> Obj:
    """A Job as an earlier controller may have left it."""
    known = {
        "app.kubernetes.io/managed-by": "sluice",
        "sluice.dev/controller": site.own,
        "sluice.dev/launched-from": site.home_uid(),
        "sluice.dev/run-uid": run_uid,
        "sluice.dev/unit": "main",
        "sluice.dev/epoch": "1",
    }
    container = {"name": "runner", "image": "nothing"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": JOBS,
            "labels": known | {key.replace("_", "/"): value for key, value in labels.items()},
            "annotations": {"sluice.dev/run": f"{site.own}/{name}"},
        },
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
    }


def test_the_sweep_deletes_what_is_nobodys_and_only_that(site: Site) -> None:
    space = site.space
    site.declare("gone")
    site.wait_ready("gone")
    running = space.start("slow", environment="far")
    space.wait_phase(running, "Running")
    site.controller.kill()
    for job in (
        stray(site, "nobodys", "00000000-0000-0000-0000-000000000000"),
        stray(site, "of-another-cluster", "x", **{"sluice.dev_launched-from": "somewhere-else"}),
        stray(site, "of-another-controller", "x", **{"sluice.dev_controller": "somebody-else"}),
        stray(site, "of-another-manager", "x", **{"app.kubernetes.io_managed-by": "somebody-else"}),
    ):
        site.away.create(job)
    policy = f"sluice-runner-gone.{site.own}"
    assert policy in site.away.policies()
    space.store.delete(Ref(kinds.ENVIRONMENT, site.own, "gone"))
    site.controller.start()

    space.wait_for(lambda: "nobodys" not in _names(site), "the sweep has deleted it")
    space.wait_for(lambda: policy not in site.away.policies(), "the sweep has deleted the policy")
    assert {"of-another-cluster", "of-another-controller", "of-another-manager"} <= _names(site)
    assert f"sluice-runner-far.{site.own}" in site.away.policies()
    ended = space.wait_ended(running)
    assert ended["status"]["phase"] == "Succeeded"
    assert len(site.away.jobs(ended)) == 1
    site.away.kubectl("delete", "jobs", "--all", f"--namespace={JOBS}")


def _names(site: Site) -> set[str]:
    return {job["metadata"]["name"] for job in site.away.jobs()}


def test_next_door_a_deleted_run_takes_its_job_with_it(site: Site) -> None:
    space, jobs = site.space, f"{site.own}-jobs"
    metadata = {"name": jobs, "annotations": {RUNS_FROM: site.own}}
    space.store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    space.apply(kinds.ENVIRONMENT, "next", {"type": "Sandbox", "defaultState": "Active", "namespace": jobs})
    site.wait_ready("next")
    run = space.start("slow", environment="next")
    found = space.wait_phase(run, "Running")
    (job,) = space.store.list(JOB, jobs).items
    assert job["metadata"]["name"] == _name_of(found)
    site.delete_run(run)

    space.wait_for(lambda: not site.is_there(run), "the run is gone")
    space.wait_for(lambda: not space.store.list(JOB, jobs).items, "its Job is gone")
    space.store.delete(Ref(NAMESPACE, "", jobs))


def _name_of(run: Obj) -> str:
    metadata: Any = run["metadata"]
    return segment_name(RunIdentity(metadata["uid"], "", "", metadata["name"], "", "", 1), "main", 1)
