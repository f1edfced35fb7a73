"""A controller with exactly the rights that are installed does all of its work, and is refused nothing."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.api import kinds
from sluice.manifests import Settings
from sluice.manifests.output import stream
from tests.cluster.controllers import Controller
from tests.cluster.installation import Cluster
from tests.cluster.kubeconfigs import write_account_kubeconfig
from tests.cluster.process_kubelet import ProcessKubelet, playing
from tests.cluster.sharing import ControlPlane
from tests.cluster.workspace import Workspace, workspace
from tests.contracts.store.builders import eventually
from tests.manifests.site import SYSTEM, WEBHOOK

pytestmark = pytest.mark.cluster

QUOTA = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}


@dataclass(frozen=True, slots=True)
class Site:
    """A controller that acts as its account, and somebody who may everything."""

    cluster: Cluster
    account: ControlPlane
    controller: Controller
    kubelet: ProcessKubelet
    store: KubernetesStore
    folder: Path

    @property
    def refused(self) -> set[str]:
        """What all controllers said of what they may not do."""
        said = "".join(path.read_text() for path in self.folder.glob("controller-*.log"))
        return {line for line in said.splitlines() if re.search(r"cannot \w+ resource", line)}


@pytest.fixture(scope="module")
def site(bare: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    bare("apply", "--server-side", "-f", "-", stdin=stream(Settings()))
    bare("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
    bare("create", "-f", "-", stdin=json.dumps(WEBHOOK))
    write_account_kubeconfig(folder / "account", bare, SYSTEM, "sluice-controller")
    account = ControlPlane(folder / "account", bare.kubectl)
    transport = Transport(from_kubeconfig(bare.kubeconfig))
    with ExitStack() as parts:
        parts.callback(transport.close)
        kubelet = parts.enter_context(playing(transport, folder))
        controller = Controller(account, folder, ledger=f"sqlite:///{folder / 'ledger.db'}")
        parts.callback(controller.stop)
        yield Site(bare, account, controller.start(), kubelet, KubernetesStore(transport), folder)


@pytest.fixture
def space(site: Site) -> Iterator[Workspace]:
    """A workspace of one test; afterwards nothing has been refused."""
    before = site.refused
    with workspace(site.store, f"t{uuid.uuid4().hex[:8]}") as made:
        yield made
    assert site.refused - before == set()


@pytest.mark.parametrize("launch", ["Job", "Pod"])
def test_it_publishes_and_runs(launch: str, space: Workspace) -> None:
    space.apply(kinds.ENVIRONMENT, "local", {"type": "Sandbox", "defaultState": "Active", "launch": launch})
    space.apply_rollout("hello", percent=100)
    space.apply(kinds.ENVIRONMENT_STATE, "hello.local", {"state": "Active"})
    space.apply_workflow("hello", "output = 1")
    space.wait_published("hello", "v1")
    assert space.wait_ended(space.start("hello"))["status"]["phase"] == "Succeeded"


def test_it_waits_for_an_approval(space: Workspace) -> None:
    steps = [{"name": "only", "action": {"python": {"code": "output = 1"}}}]
    publish = {"approval": {"users": ["ana@example.com"]}}
    spec = {"owner": "ana@example.com", "publish": publish, "definition": {"steps": steps}}
    space.apply(kinds.WORKFLOW, "careful", spec)
    ref = kinds.APPROVAL

    def pending() -> bool:
        found = space.store.list(ref, space.namespace).items
        return [one.get("status", {}).get("phase") for one in found] == ["Pending"]

    eventually(pending, "the approval is there and says that it is pending")


def test_it_cancels_a_run_and_deletes_a_job_that_did_not_begin(space: Workspace, site: Site) -> None:
    space.apply_workflow("hello", "output = 1")
    space.wait_published("hello", "v1")
    site.kubelet.held.set()
    try:
        run = space.start("hello")
        space.wait_pod()
        space.cancel(run)
        assert space.wait_ended(run)["status"]["phase"] == "Cancelled"
        eventually(lambda: not space.jobs(), "its Job is gone")
    finally:
        site.kubelet.held.clear()


def test_it_runs_in_another_namespace_that_lets_the_workspace_in(space: Workspace, site: Site) -> None:
    elsewhere = f"{space.namespace}-pods"
    annotations = {"sluice.dev/runs-from": space.namespace}
    metadata = {"name": elsewhere, "annotations": annotations}
    site.store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    account = ("get", "serviceaccount", "default", f"--namespace={elsewhere}")
    eventually(lambda: not site.cluster.run(*account).returncode, "the namespace has its service account")
    spec = {"type": "Sandbox", "defaultState": "Active", "namespace": elsewhere}
    space.apply(kinds.ENVIRONMENT, "local", spec)
    space.apply_workflow("hello", "output = 1")
    space.wait_published("hello", "v1")
    run = space.start("hello")
    assert space.wait_ended(run)["status"]["phase"] == "Succeeded"
    assert space.jobs() == []
    site.cluster("delete", "workflowrun.sluice.dev", run, f"--namespace={space.namespace}", "--timeout=60s")
    site.cluster("delete", "namespace", elsewhere, "--wait=false")


def test_it_tells_why_a_job_gets_no_pod(space: Workspace, site: Site) -> None:
    site.cluster("create", "-f", "-", f"--namespace={space.namespace}", stdin=json.dumps(QUOTA))
    quota = ("get", "resourcequota", "none", f"--namespace={space.namespace}", "-o", "jsonpath={.status.hard.pods}")
    eventually(lambda: site.cluster(*quota) == "0", "the quota is in force")
    space.apply_workflow("hello", "output = 1")
    space.wait_published("hello", "v1")
    run = space.start("hello")
    told = space.wait_for(lambda: "exceeded quota" in json.dumps(space.run(run).get("status", {})), "it says why")
    assert told


def test_it_lets_a_workflow_go_and_writes_events(space: Workspace, site: Site) -> None:
    space.apply_workflow("hello", "output = 1")
    space.wait_published("hello", "v1")
    events = ("get", "events", f"--namespace={space.namespace}", "-o", "jsonpath={.items[*].reason}")
    eventually(lambda: "Published" in site.cluster(*events), "an Event tells of the version")
    site.cluster("delete", "workflow.sluice.dev", "hello", f"--namespace={space.namespace}", "--timeout=60s")


def test_it_shows_the_record_to_whom_it_knows_by_a_token(space: Workspace, site: Site) -> None:
    space.apply_workflow("hello", "output = 1")
    space.wait_published("hello", "v1")
    run = space.start("hello")
    space.wait_ended(run)
    place = f"--namespace={space.namespace}"
    site.cluster("create", "serviceaccount", "reader", place)
    member = ("create", "rolebinding", "reader", "--clusterrole=sluice-viewer")
    site.cluster(*member, f"--serviceaccount={space.namespace}:reader", place)
    token = site.cluster("create", "token", "reader", "--audience=sluice", place).strip()
    path = f"/apis/sluice.dev/v1alpha1/namespaces/{space.namespace}/workflowruns/{run}/log"
    headers = {"sluice-authorization": f"Bearer {token}"}
    eventually(lambda: site.controller.get(path, headers)[0] == 200, "a viewer reads the log")


def test_it_has_the_webhook_trust_it(site: Site) -> None:
    bundle = "jsonpath={.webhooks[0].clientConfig.caBundle}"
    words = ("get", "validatingwebhookconfiguration", "sluice-validation", "-o", bundle)
    eventually(lambda: bool(site.cluster(*words)), "the webhook knows who signed the certificate")


def test_another_one_takes_over(space: Workspace, site: Site) -> None:
    other = Controller(site.account, site.folder, ledger=f"sqlite:///{site.folder / 'ledger.db'}", name="b")
    site.controller.stop()
    try:
        other.start()
        space.apply_workflow("hello", "output = 1")
        space.wait_published("hello", "v1")
        assert space.wait_ended(space.start("hello"))["status"]["phase"] == "Succeeded"
    finally:
        other.stop()
        site.controller.start()
