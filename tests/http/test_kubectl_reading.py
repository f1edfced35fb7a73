"""What people look at with the real kubectl."""

from __future__ import annotations

import pytest

from tests.http.kubectl import Kubectl
from tests.http.schemas import workflow


@pytest.fixture
def three(kubectl: Kubectl) -> Kubectl:
    for name, owner in (("alpha", "zoe@example.com"), ("beta", "bob@example.com"), ("gamma", "ana@example.com")):
        kubectl.apply(workflow(name, owner=owner, labels={"letter": name[0]}))
    kubectl("patch", "workflow", "alpha", "--subresource=status", "--type=merge", "-p", '{"status":{"phase":"Draft"}}')
    return kubectl


def test_get_prints_columns(three: Kubectl) -> None:
    lines = three("get", "workflows").splitlines()
    wide = three("get", "workflow.sluice.dev", "beta", "-o", "wide").splitlines()

    assert lines[0].split() == ["NAME", "PHASE", "READY", "AGE"]
    assert [line.split()[0] for line in lines[1:]] == ["alpha", "beta", "gamma"]
    assert lines[1].split()[1] == "Draft"
    assert wide[0].split() == ["NAME", "PHASE", "READY", "OWNER", "AGE"]
    assert wide[1].split()[1] == "bob@example.com"


def test_get_prints_in_every_format(three: Kubectl) -> None:
    assert three("get", "slwf", "-o", "name").split() == [
        f"workflow.sluice.dev/{n}" for n in ("alpha", "beta", "gamma")
    ]
    assert three("get", "workflow", "alpha", "-o", "jsonpath={.spec.owner}") == "zoe@example.com"
    assert "owner: zoe@example.com" in three("get", "workflow", "alpha", "-o", "yaml")
    assert three("get", "workflow", "-o", "custom-columns=N:.metadata.name", "--no-headers").split()[0] == "alpha"


def test_get_selects_sorts_and_pages(three: Kubectl) -> None:
    assert three("get", "workflow", "-l", "letter in (a,b)", "-o", "name").count("\n") == 2
    assert three("get", "workflow", "--field-selector", "metadata.name=gamma", "--no-headers").split()[0] == "gamma"
    by_owner = three("get", "workflow", "--sort-by=.spec.owner", "--no-headers").splitlines()
    assert [line.split()[0] for line in by_owner] == ["gamma", "beta", "alpha"]
    assert three("get", "workflow", "--chunk-size=2", "--no-headers").count("\n") == 3
    assert three("get", "workflows", "-A", "--no-headers").split()[:2] == ["default", "alpha"]
    assert "workflow.sluice.dev/alpha" in three("get", "sluice")


def test_get_of_nothing_says_so(kubectl: Kubectl) -> None:
    assert "No resources found in default namespace" in kubectl.attempt("get", "rollouts").stderr
    assert kubectl.fails("get", "workflow", "zeta") == (
        'Error from server (NotFound): workflows.sluice.dev "zeta" not found\n'
    )


def test_describe_shows_the_object_and_its_events(three: Kubectl) -> None:
    uid = three("get", "workflow", "alpha", "-o", "jsonpath={.metadata.uid}")
    about = {
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "Workflow",
        "name": "alpha",
        "namespace": "default",
        "uid": uid,
    }
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "alpha.1", "namespace": "default"},
        "involvedObject": about,
        "reason": "Published",
        "message": "version 3 is live",
        "type": "Normal",
        "count": 2,
        "lastTimestamp": "2026-01-01T00:00:00Z",
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "source": {"component": "sluice"},
    }
    three.apply(event)

    described = three("describe", "workflow", "alpha")
    assert "Owner:  " in described
    assert "version 3 is live" in described
    assert "version 3 is live" in three("events")
    assert "version 3 is live" in three("events", "--for", "workflow/alpha")
    assert "workflow/alpha" in three("get", "events")
    assert three("get", "events.v1.events.k8s.io", "--no-headers").count("Published") == 1


def test_explain_shows_fields(kubectl: Kubectl) -> None:
    assert "E-mail address of who answers for it." in kubectl("explain", "workflow.spec.owner")
    recursive = kubectl("explain", "workflow", "--recursive")
    assert "steps\t<[]Object>" in recursive
    assert "finalizers\t<[]string>" in recursive
    assert "stringData" in kubectl("explain", "secret")
    assert "regarding" not in kubectl("explain", "events")


def test_resources_and_versions_are_listed(kubectl: Kubectl) -> None:
    resources = kubectl("api-resources", "-o", "wide")
    line = next(line for line in resources.splitlines() if line.startswith("workflowruns "))

    assert line.split()[1:5] == ["slrun", "sluice.dev/v1alpha1", "true", "WorkflowRun"]
    assert line.endswith("sluice")
    assert "sluice.dev/v1alpha1" in kubectl("api-versions").split()
    assert "Server Version: v1.32" in kubectl("version")
    assert '"kind":"WorkflowList"' in kubectl("get", "--raw", "/apis/sluice.dev/v1alpha1/workflows")
