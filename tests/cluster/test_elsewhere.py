"""Environments on another cluster and in other namespaces: two real API servers.

Pods are processes of this machine (see ``process_kubelet``); all else is as on any two clusters.
"""

from __future__ import annotations

from typing import Any

import pytest

from sluice.adapters.kubernetes.launching.workloads import JOB
from sluice.api import kinds
from sluice.api.kinds import NAMESPACE
from sluice.domain.launching.names import segment_name
from sluice.domain.launching.security import RUNS_FROM
from sluice.domain.launching.traces import FINALIZER
from sluice.ports.launcher import RunIdentity
from sluice.ports.store import Obj, Ref
from tests.cluster.elsewhere import ACCOUNT, JOBS, SYSTEM, Site

pytestmark = pytest.mark.cluster


def test_a_run_ends_on_the_other_cluster_and_owns_nothing_there(site: Site) -> None:
    ended = site.space.wait_ended(site.hello())

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
    run = site.hello()
    shown = site.space.wait_condition(run, "Ready", reason="NamespaceForbids")
    assert f"kubectl annotate --overwrite namespace {JOBS} {RUNS_FROM}=somebody-else,{site.own}" in shown["message"]


def test_a_rotated_secret_is_taken_up_and_what_runs_goes_on(site: Site) -> None:
    site.lend(site.away.kubeconfig_of("first", site.folder))
    site.space.wait_ended(site.hello())
    running = site.space.start("slow", environment="far")
    site.space.wait_phase(running, "Running")
    site.lend(site.away.kubeconfig_of("second", site.folder))
    site.away.kubectl("delete", "serviceaccount", "first", f"--namespace={SYSTEM}")

    assert site.space.wait_ended(site.hello())["status"]["phase"] == "Succeeded"
    ended = site.space.wait_ended(running)
    assert ended["status"]["phase"] == "Succeeded"
    assert len(site.away.jobs(ended)) == 1, "it was launched again"


def test_a_secret_that_is_spoiled_says_which_field(site: Site) -> None:
    site.lend(b"current-context: x\ncontexts: [{name: x, context: {cluster: x, user: x}}]\nclusters: [{name: x}]\n")
    site.declare("also")
    site.wait_ready("also", "KubeconfigUnusable")
    run = site.hello()
    shown = site.space.wait_condition(run, "Ready", reason="KubeconfigUnusable")
    assert f"the kubeconfig in Secret far in namespace {site.own}: users there is none named x" in shown["message"]

    site.lend(site.away.kubeconfig_of(ACCOUNT, site.folder))
    assert site.space.wait_ended(run)["status"]["phase"] == "Succeeded"


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
