"""The commands of docs/installing.md do what the page says, on a real API server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from sluice.manifests import Settings
from sluice.manifests.output import stream
from tests.cluster.installation import Cluster
from tests.contracts.store.builders import eventually
from tests.docs.blocks import ROOT, blocks
from tests.domain.admission.objects import an
from tests.manifests.people import People, placed

pytestmark = pytest.mark.cluster

PAGE = ROOT / "docs" / "installing.md"
TRIED = {
    block.note.removeprefix("tried: "): block.text for block in blocks("console") if block.file == PAGE and block.note
}
WORKSPACE = "support"
ANA, BEN = "ana@example.com", "ben@example.com"
ACCOUNT = "system:serviceaccount:sluice-system:sluice-controller"


@dataclass(frozen=True, slots=True)
class Terminal:
    """A shell in a folder of its own, with kubectl, sluice, and a cluster to talk to."""

    folder: Path
    cluster: Cluster

    def types(self, name: str) -> str:
        """Run a block of the page, each command of which must succeed."""
        (self.folder / "bin").mkdir(exist_ok=True)
        for program in (self.cluster.kubectl, Path(sys.executable).with_name("sluice")):
            (self.folder / "bin" / program.name).unlink(missing_ok=True)
            (self.folder / "bin" / program.name).symlink_to(program)
        script = "\n".join(line.removeprefix("$ ") for line in TRIED[name].splitlines())
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        environment = {"HOME": str(self.folder), "KUBECONFIG": str(self.cluster.kubeconfig), "PATH": path}
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout


def with_sluice(cluster: Cluster) -> Cluster:
    cluster("apply", "--server-side", "-f", "-", stdin=stream(Settings()))
    cluster("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
    cluster("create", "namespace", WORKSPACE)
    return cluster


@pytest.fixture(scope="module")
def people(bare: Cluster) -> People:
    return People(with_sluice(bare))


@pytest.fixture
def terminal(people: People, tmp_path: Path) -> Terminal:
    return Terminal(tmp_path, people.cluster)


def test_every_block_that_is_tried_has_a_test() -> None:
    assert set(TRIED) == {"ledger", "member", "use", "kubeconfig", "uninstall", "finalizer"}


def test_two_controllers_get_their_ledger_from_a_secret(fresh: Cluster, tmp_path: Path) -> None:
    Terminal(tmp_path, fresh).types("ledger")
    assert "sluice-ledger" in fresh("get", "secrets,poddisruptionbudgets", "--namespace=sluice-system", "-o", "name")
    assert (
        fresh("get", "deployment/sluice-controller", "--namespace=sluice-system", "-o", "jsonpath={.spec.replicas}")
        == "2"
    )


def test_a_member_is_added(terminal: Terminal, people: People) -> None:
    terminal.types("member")
    eventually(lambda: people.may(ANA, "create", "workflows", namespace=WORKSPACE), "ana is an editor")
    assert not people.may(ANA, "create", "workflows", namespace="default")


def test_somebody_may_run_in_one_environment_alone(terminal: Terminal, people: People) -> None:
    terminal.types("use")
    eventually(lambda: people.may(BEN, "use", "environments", "sandbox", namespace=WORKSPACE), "ben may use sandbox")
    assert people.may(BEN, "create", "workflowruns", namespace=WORKSPACE)
    assert not people.may(BEN, "use", "environments", "production", namespace=WORKSPACE)


def test_the_controller_is_given_one_kubeconfig(terminal: Terminal, people: People) -> None:
    (terminal.folder / "kubeconfig").write_text("apiVersion: v1\nkind: Config\n")
    terminal.types("kubeconfig")

    def reads(name: str) -> bool:
        words = ("auth", "can-i", "get", f"secrets/{name}", f"--namespace={WORKSPACE}", f"--as={ACCOUNT}")
        return people.cluster.run(*words).stdout.strip() == "yes"

    eventually(lambda: reads("eu-cluster"), "the controller may read that Secret")
    assert not reads("another")


def test_a_workflow_that_nobody_lets_go_can_be_let_go(terminal: Terminal, people: People) -> None:
    workflow = placed(an("Workflow", name="escalation"), WORKSPACE)
    workflow["metadata"]["finalizers"] = ["sluice.dev/runs"]
    people.cluster("create", "-f", "-", stdin=json.dumps(workflow))
    people.cluster("delete", "workflow.sluice.dev", "escalation", f"--namespace={WORKSPACE}", "--wait=false")
    there = ("get", "workflows.sluice.dev", f"--namespace={WORKSPACE}", "-o", "name")
    assert "escalation" in people.cluster(*there)
    terminal.types("finalizer")
    assert "escalation" not in people.cluster(*there)


def test_in_that_order_everything_goes(fresh: Cluster, tmp_path: Path) -> None:
    with_sluice(fresh)
    for kind in ("Workflow", "Rollout", "Environment", "EnvironmentState", "WorkflowRun"):
        fresh("create", "-f", "-", stdin=json.dumps(placed(an(kind), WORKSPACE)))
    Terminal(tmp_path, fresh).types("uninstall")
    kinds = "namespace,crd,clusterrole,clusterrolebinding,validatingadmissionpolicy,validatingadmissionpolicybinding"
    assert "sluice" not in fresh("get", kinds, "-o", "name")
