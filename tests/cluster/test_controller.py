"""The controller's program on a real API server: runs as Jobs, exact rollouts, and what survives a killed controller.

Pods are processes of this machine (see ``process_kubelet``); all else is as on any cluster.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.api import kinds
from sluice.domain.publishing.drafts import CLI_MANAGER
from sluice.ports.store import Ref
from tests.cluster.controllers import Controller, controlling
from tests.cluster.installation import Cluster
from tests.cluster.process_kubelet import ProcessKubelet, playing
from tests.cluster.sharing import ControlPlane
from tests.cluster.workspace import Workspace, workspace

pytestmark = pytest.mark.cluster


@dataclass
class Site:
    """A workspace whose controller runs."""

    controller: Controller
    kubelet: ProcessKubelet
    space: Workspace


@pytest.fixture
def site(control_plane: ControlPlane, tmp_path: Path) -> Iterator[Site]:
    own = f"t{uuid.uuid4().hex[:8]}"
    transport = Transport(from_kubeconfig(control_plane.kubeconfig))
    with (
        workspace(KubernetesStore(transport), own) as space,
        playing(transport, tmp_path, controller_id=own) as kubelet,
        controlling(control_plane, tmp_path, controller_id=own, watch_namespaces=own) as controller,
    ):
        yield Site(controller, kubelet, space)
    transport.close()


def test_a_workflow_is_published_and_its_run_ends_in_a_job(site: Site) -> None:
    space = site.space
    space.apply_workflow("hello", 'output = "Hello, " + payload["name"]')
    space.wait_published("hello", "v1")
    run = space.start("hello", payload={"name": "Ana"})
    ended = space.wait_ended(run)

    assert ended["status"]["phase"] == "Succeeded"
    assert ended["status"]["version"] == "v1"
    (job,) = space.jobs()
    assert job["metadata"]["labels"]["sluice.dev/workflow"] == "hello"
    assert job["metadata"]["ownerReferences"][0]["uid"] == ended["metadata"]["uid"]


def test_a_version_names_what_wrote_its_draft_and_who_went_back(site: Site) -> None:
    space = site.space
    for number in (1, 2):
        space.apply_workflow("hello", f"output = {number}")
        space.wait_published("hello", f"v{number}")
    workflow = Ref(kinds.WORKFLOW, space.namespace, "hello")
    space.store.patch(workflow, {"spec": {"reverts": {"v3": {"to": "v1"}}}}, manager=f"{CLI_MANAGER}bo@example.com")
    space.wait_published("hello", "v3")

    versions = [space.store.get(Ref(kinds.WORKFLOW_VERSION, space.namespace, f"hello-v{n}"))["spec"] for n in (1, 2, 3)]
    assert [version["publishedBy"] for version in versions] == ["test", "test", "bo@example.com"]
    assert [version.get("source") for version in versions] == [{"manager": "test"}, {"manager": "test"}, None]


def test_a_rollout_at_25_percent_over_20_runs_is_exact(site: Site) -> None:
    space = site.space
    space.apply_workflow("hello", "output = 1")
    space.wait_published("hello", "v1")
    space.apply_rollout("hello", percent=25)
    space.apply_workflow("hello", "output = 2")
    space.wait_published("hello", "v2")
    runs = [space.start("hello") for _ in range(20)]
    versions = [space.wait_ended(run)["status"]["version"] for run in runs]

    assert (versions.count("v1"), versions.count("v2")) == (15, 5)


def test_a_killed_controller_s_runs_go_on_and_are_adopted(site: Site) -> None:
    space = site.space
    space.apply_workflow("slow", "import math\nfor n in range(30_000_000): math.sqrt(n)\noutput = 7")
    space.wait_published("slow", "v1")
    runs = [space.start("slow") for _ in range(3)]
    for run in runs:
        space.wait_phase(run, "Running")
    site.controller.kill()
    site.controller.start()
    ended = [space.wait_ended(run) for run in runs]

    assert [run["status"]["phase"] for run in ended] == ["Succeeded"] * 3
    assert len(space.jobs()) == 3, "a run that went on was launched again"


def test_a_runner_that_is_killed_is_replaced_and_the_run_ends(site: Site) -> None:
    space = site.space
    space.apply_workflow("slow", "import math\nfor n in range(30_000_000): math.sqrt(n)\noutput = 7")
    space.wait_published("slow", "v1")
    run = space.start("slow")
    space.wait_phase(run, "Running")
    played = site.kubelet.pod_of(run)
    assert played is not None
    played.process.kill()
    ended = space.wait_ended(run)

    assert ended["status"]["phase"] == "Succeeded"
    assert len(space.jobs()) == 2


def test_a_run_that_can_not_be_scheduled_says_so_and_can_be_cancelled(site: Site) -> None:
    space = site.space
    space.apply_workflow("hello", "output = 1")
    space.wait_published("hello", "v1")
    site.kubelet.held.set()
    run = space.start("hello")
    pod = space.wait_pod()
    space.report_unschedulable(pod, "0/3 nodes are available: 3 Insufficient memory.")
    shown = space.wait_condition(run, "Ready", reason="PodUnschedulable")

    assert "Insufficient memory" in shown["message"]
    space.cancel(run)
    assert space.wait_ended(run)["status"]["phase"] == "Cancelled"
    space.wait_for(lambda: not space.jobs(), "its Job is gone")


def test_the_record_is_shown_to_whom_the_cluster_lets_read_runs(site: Site, control_plane: ControlPlane) -> None:
    """R250, R256"""
    space = site.space
    space.apply_workflow("hello", "print('hi')\noutput = 1")
    space.wait_published("hello", "v1")
    run = space.start("hello")
    space.wait_ended(run)
    kubectl = Cluster(control_plane.kubectl, control_plane.kubeconfig)
    for name in ("reader", "stranger"):
        kubectl("create", "serviceaccount", name, "-n", space.namespace)
    kubectl("create", "role", "reader", "-n", space.namespace, "--verb=get,list", "--resource=workflowruns.sluice.dev")
    kubectl(
        "create", "rolebinding", "reader", "-n", space.namespace, "--role=reader",
        f"--serviceaccount={space.namespace}:reader",
    )  # fmt: skip

    def asked(name: str, audience: str = "sluice") -> tuple[int, str]:
        token = kubectl("create", "token", name, "-n", space.namespace, f"--audience={audience}").strip()
        path = f"/apis/sluice.dev/v1alpha1/namespaces/{space.namespace}/workflowruns/{run}/log"
        return site.controller.get(path, {"sluice-authorization": f"Bearer {token}"})

    code, log = asked("reader")
    assert (code, "hi\n" in log) == (200, True)
    assert asked("stranger")[0] == 403
    assert asked("reader", "https://kubernetes.default.svc")[0] == 401
    assert site.controller.get("/api/sluice/v1/namespaces/default/runs", {})[0] == 401
