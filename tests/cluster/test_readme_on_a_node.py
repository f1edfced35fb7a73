"""The README's steps for a cluster, word for word, on a real node; and what kubectl and its kin are told there."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sluice.api.kinds import GROUP, SLUICE_KINDS
from tests.cluster.cluster import Running, Shape, cluster
from tests.cluster.deployed import offer_volume
from tests.cluster.images import sluice_name
from tests.cluster.kstatus import Standing, faults, standing
from tests.cluster.terminal import Terminal
from tests.docs.blocks import ROOT, blocks, section

pytestmark = [pytest.mark.cluster, pytest.mark.node]

PATIENCE_S = 120
DEMO = "demo"
STEPS = section(ROOT / "README.md", "On a cluster", "console", "yaml")
OTHER_KUBECTL = Path("/usr/bin/kubectl")
"""Of another release than the one that is built beside the API server."""
PLURALS = [f"{kind.plural}.{GROUP}" for kind in SLUICE_KINDS]
COLUMNS = {
    "workflow": "NAME PHASE LIVE CANDIDATE PERCENT ENVIRONMENTS SUCCESS RUNS 7D LAST RUN READY",
    "rollout": "NAME STABLE CANDIDATE PERCENT ACTUAL PHASE SINCE",
    "workflowrun": "NAME WORKFLOW ENV VERSION PHASE STEP REASON DURATION AGE",
}
"""What people look for; the other kinds have columns of their own."""
SIGNED_OFF = """\
apiVersion: sluice.dev/v1alpha1
kind: Workflow
metadata: {name: signed-off}
spec:
  owner: ana@example.com
  publish: {approval: {users: [admin@example.com]}}
  definition: {steps: [{name: only, action: {python: {code: output = 1}}}]}
---
apiVersion: sluice.dev/v1alpha1
kind: EnvironmentState
metadata: {name: signed-off.local}
spec: {state: Active}
"""
NOWHERE = """\
apiVersion: sluice.dev/v1alpha1
kind: Environment
metadata: {name: nowhere}
spec: {type: Sandbox, runner: {nodeSelector: {disk: none-has-this}}}
---
apiVersion: sluice.dev/v1alpha1
kind: EnvironmentState
metadata: {name: hello.nowhere}
spec: {state: Active}
"""


def wait_for(look: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s in vain until {what}"
        time.sleep(0.2)
    return found


@dataclass
class Site:
    """A cluster, and the terminal in which the README was played there."""

    running: Running
    terminal: Terminal

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        return self.running.kubectl(*words, stdin=stdin)

    def objects(self, kinds: str, *words: str) -> list[dict[str, Any]]:
        made: list[dict[str, Any]] = json.loads(self.kubectl("get", kinds, *words, "-o", "json"))["items"]
        return made

    def all(self, kind: str, name: str) -> list[dict[str, Any]]:
        found = self.objects(f"{kind}.{GROUP}", f"--namespace={DEMO}")
        return [obj for obj in found if obj["metadata"]["name"].startswith(name)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Everything that the README says has been done."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "typed").mkdir()
    (folder / "plane").mkdir()
    with cluster(folder / "plane", Shape(nodes=1)) as running:
        offer_volume(running.kubectl, folder / "ledger")
        terminal = Terminal(folder / "typed", running.kubectl.kubectl, running.plane.kubeconfig)
        made = Site(running, terminal)
        for block in STEPS:
            if block.language == "yaml":
                (terminal.folder / "environment.yaml").write_text(block.text)
            else:
                terminal.types(block)
        yield made


@pytest.fixture(params=["as built", "the other"])
def kubectl(request: pytest.FixtureRequest, site: Site) -> Callable[..., str]:
    """kubectl 1.36, and the one of this machine."""
    program = site.running.kubectl.kubectl if request.param == "as built" else OTHER_KUBECTL
    words = f"{program} --namespace={DEMO}"
    return lambda command, **given: site.terminal.run(f"{words} {command}", **given)


def test_the_controller_runs_as_the_deployment_s_pod_from_the_image(site: Site) -> None:
    (pod,) = site.objects("pods", "--namespace=sluice-system", "--selector=app.kubernetes.io/name=sluice-controller")
    assert pod["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet"
    assert pod["status"]["phase"] == "Running"
    (container,) = pod["spec"]["containers"]
    assert container["image"] == sluice_name()
    assert container["command"] == ["sluice", "controller"]


def test_its_metrics_are_there_for_whoever_reaches_them(site: Site) -> None:
    told = site.kubectl(
        "get", "--raw", "/api/v1/namespaces/sluice-system/services/sluice-controller:metrics/proxy/metrics"
    )
    assert 'leader_election_master_status{name="sluice-controller"} 1.0' in told
    assert "sluice_segments_launched_total 21.0" in told


def test_each_run_ended_in_a_pod_of_its_own(site: Site) -> None:
    runs = site.all("workflowruns", "hello-")
    assert len(runs) == 21
    assert {run["status"]["phase"] for run in runs} == {"Succeeded"}
    pods = site.objects("pods", f"--namespace={DEMO}", "--selector=app.kubernetes.io/name=sluice-runner")
    ran = {pod["metadata"]["labels"]["sluice.dev/run-uid"]: pod for pod in pods}
    for run in runs:
        pod = ran[run["metadata"]["uid"]]
        assert pod["spec"]["nodeName"] == "node-1"
        assert pod["spec"]["containers"][0]["image"] == sluice_name()


def test_a_rollout_at_25_percent_over_20_runs_is_exact(site: Site) -> None:
    (candidates,) = (told for typed, told in site.terminal.told.items() if "version=v2" in typed)
    assert len(candidates.splitlines()) == 1 + 5
    runs = [run for run in site.all("workflowruns", "hello-") if not run["spec"]["input"].get("payload")]
    assert Counter(run["status"]["version"] for run in runs) == {"v1": 15, "v2": 5}
    assert site.all("rollouts", "hello")[0]["status"]["phase"] == "Stopped"


def test_get_sluice_shows_what_people_look_for(kubectl: Callable[..., str]) -> None:
    tables = [table.splitlines()[0].split() for table in kubectl("get sluice").split("\n\n")]
    for kind, columns in COLUMNS.items():
        assert columns.split() in tables, f"no table of {kind} has the columns {columns}: {tables}"


@pytest.mark.parametrize("plural", PLURALS)
def test_every_kind_is_explained(kubectl: Callable[..., str], plural: str) -> None:
    told = kubectl(f"explain {plural}.spec")
    assert "DESCRIPTION:" in told
    assert "FIELDS:" in told
    assert "<empty>" not in told.partition("FIELDS:")[0]


def test_diff_shows_what_applying_would_change(kubectl: Callable[..., str]) -> None:
    told = kubectl("diff --server-side -f examples/hello", code=1)
    assert "Good morning" in told
    kubectl("diff --server-side -f environment.yaml")


@pytest.fixture(scope="module")
def approval(site: Site) -> str:
    """A version that waits for somebody."""
    site.kubectl("apply", f"--namespace={DEMO}", "--server-side", "-f", "-", stdin=SIGNED_OFF)
    waiting = wait_for(lambda: site.all("approvals", "signed-off"), "a version waits for approval")
    return str(waiting[0]["metadata"]["name"])


@pytest.fixture
def unschedulable(site: Site) -> Iterator[str]:
    """A run that no node takes."""
    site.kubectl("apply", f"--namespace={DEMO}", "--server-side", "-f", "-", stdin=NOWHERE)
    name = site.terminal.run(f"sluice run hello --namespace {DEMO} --env nowhere").strip()

    def told() -> bool:
        (run,) = site.all("workflowruns", name)
        conditions = (run.get("status") or {}).get("conditions") or ()
        return any(each["reason"] == "PodUnschedulable" for each in conditions)

    wait_for(told, f"{name} says why it waits")
    yield name
    site.terminal.run(f"sluice cancel {name} --namespace {DEMO}")
    site.terminal.run(
        f"kubectl --namespace={DEMO} wait --for=condition=Ready workflowruns.{GROUP}/{name} --timeout=60s"
    )


def test_describe_explains_a_run_that_can_not_be_scheduled(kubectl: Callable[..., str], unschedulable: str) -> None:
    assert "PodUnschedulable" in kubectl(f"get workflowruns.{GROUP} {unschedulable}")
    told = kubectl(f"describe workflowruns.{GROUP} {unschedulable}")
    assert "PodUnschedulable" in told
    assert "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector" in told


def test_what_waits_is_in_progress_to_tools_that_wait(site: Site, unschedulable: str, approval: str) -> None:
    for kind, name in (("workflowruns", unschedulable), ("workflows", "signed-off"), ("approvals", approval)):
        (obj,) = site.all(kind, name)
        assert standing(obj) is Standing.IN_PROGRESS, (kind, obj["status"])
        assert faults(obj) == []


def test_a_draft_that_is_wrong_has_failed_to_tools_that_wait(site: Site) -> None:
    """A file of its own for the code, which no server can see."""
    manifest = ROOT / "examples" / "commit-report" / "workflow.yaml"
    site.kubectl("apply", f"--namespace={DEMO}", "--server-side", "-f", str(manifest))
    wait_for(lambda: standing(site.all("workflows", "commit-report")[0]) is Standing.FAILED, "the draft is refused")
    site.kubectl("delete", f"--namespace={DEMO}", f"workflows.{GROUP}", "commit-report")


@pytest.mark.parametrize("plural", PLURALS)
def test_every_kind_can_be_waited_for(site: Site, kubectl: Callable[..., str], approval: str, plural: str) -> None:
    if site.all("approvals", approval)[0]["status"].get("phase") != "Approved":
        site.terminal.run(f"sluice approve {approval} --namespace {DEMO}", code=0)
    told = kubectl(f"wait --for=condition=Ready --timeout=60s {plural} --all")
    objects = site.objects(plural, f"--namespace={DEMO}")
    assert len(told.splitlines()) == len(objects) > 0
    for obj in objects:
        assert standing(obj) is Standing.CURRENT, obj["status"]
        assert faults(obj) == []


def test_the_other_examples_run_in_pods(site: Site) -> None:
    """Each in a workspace of its own; their systems are not there, so those that call them are only published."""
    payloads = {
        "commit-report": "@examples/commit-report/commits.json",
        "inventory-reorder": """'{"stock": [{"sku": "a", "onHand": 1, "minimum": 3, "unitPrice": 2.5}]}'""",
    }
    for example in ("commit-report", "inventory-reorder", "scheduled-data-sync", "support-escalation"):
        site.terminal.run(f"kubectl create namespace {example}")
        for manifest in sorted((ROOT / "examples" / example).glob("*.yaml")):
            site.terminal.run(f"kubectl --namespace {example} apply --dry-run=server -f {manifest}")
        site.terminal.run(f"sluice apply -f environment.yaml -f examples/{example} --namespace {example}")
        wait = f"kubectl --namespace {example} wait --timeout=60s"
        site.terminal.run(f"{wait} --for=condition=Published workflows.{GROUP} --all")
        if example in payloads:
            told = site.terminal.run(f"sluice run {example} --namespace {example} --payload {payloads[example]} --wait")
            assert "Succeeded" in told.splitlines()[0]
            assert site.objects("pods", f"--namespace={example}")


def test_a_ledger_is_restored_and_what_is_newer_than_it_wins(site: Site) -> None:
    """The commands of docs/operating.md, with a version and a run after the copy."""
    page = {block.note: block for block in blocks("console") if block.file == ROOT / "docs" / "operating.md"}
    space = f"--namespace={DEMO}"
    numbers = [int(obj["spec"]["number"]) for obj in site.all("workflowversions", "hello-v")]
    hello = (ROOT / "examples" / "hello" / "workflow.yaml").read_text()

    def publish(greeting: str) -> int:
        known = len(site.all("workflowversions", "hello-v"))
        site.kubectl("apply", space, "--server-side", "-f", "-", stdin=hello.replace("Hello", greeting))
        wait_for(lambda: len(site.all("workflowversions", "hello-v")) > known, f"{greeting} is published")
        return max(int(obj["spec"]["number"]) for obj in site.all("workflowversions", "hello-v"))

    site.terminal.plays(page["tried: backup"])
    lost = publish("Servus")
    run = site.terminal.run(f"sluice run hello {space} --env local --wait -o name").strip()
    site.terminal.plays(page["tried: restore"])

    assert publish("Hei") == lost + 1 == max(numbers) + 2
    site.terminal.run(f"sluice run hello {space} --env local --wait")
    assert site.all("workflowruns", run.rpartition("/")[2])[0]["status"]["phase"] == "Succeeded"


def test_deleting_everything_leaves_nothing_and_it_can_be_installed_again(site: Site) -> None:
    run = site.terminal.run
    run(f"kubectl delete workflowruns.{GROUP},workflows.{GROUP} --all --all-namespaces --timeout=120s")
    run(f"kubectl delete rollouts.{GROUP},environmentstates.{GROUP},environments.{GROUP} --all --all-namespaces")
    for kind in SLUICE_KINDS:
        assert site.objects(f"{kind.plural}.{GROUP}", "--all-namespaces") == []
    ours = ("--all-namespaces", "--selector=app.kubernetes.io/managed-by=sluice")
    wait_for(lambda: not site.objects("jobs,pods", *ours), "no Job and no pod is left")
    run("kubectl delete networkpolicies --selector=app.kubernetes.io/managed-by=sluice --all-namespaces")

    run("kubectl delete -k manifests/ --timeout=180s")

    assert site.objects("jobs,pods,networkpolicies,secrets", *ours) == []
    left = site.kubectl(
        "get",
        "namespaces,crd,clusterroles,clusterrolebindings,validatingadmissionpolicies,"
        "validatingadmissionpolicybindings,validatingwebhookconfigurations",
        "-o",
        "name",
    )
    assert [name for name in left.splitlines() if "sluice" in name] == []
    run(f"kubectl delete namespace {DEMO} --timeout=60s")  # nothing in it is held back

    site.kubectl("patch", "persistentvolume", "ledger", "--type=merge", '--patch={"spec": {"claimRef": null}}')
    for command in [line[2:] for line in STEPS[0].text.splitlines() if line.startswith("$ ")]:
        run(command)
