"""Server-side apply with the real kubectl: who owns which field, and what happens when two want it."""

from __future__ import annotations

from typing import Any

from tests.http.kubectl import Kubectl, manifests
from tests.http.schemas import workflow

SERVER_SIDE = ("--server-side", "--field-manager=git")


def managers(obj: dict[str, Any]) -> dict[str, str]:
    return {entry["manager"]: entry["operation"] for entry in obj["metadata"]["managedFields"]}


def test_applying_creates_and_owns(kubectl: Kubectl) -> None:
    assert kubectl.apply(workflow("alpha"), options=SERVER_SIDE) == "workflow.sluice.dev/alpha serverside-applied\n"
    alpha = kubectl.read("workflow", "alpha", "--show-managed-fields")

    assert managers(alpha) == {"git": "Apply"}
    fields = alpha["metadata"]["managedFields"][0]["fieldsV1"]
    assert set(fields["f:spec"]["f:definition"]["f:steps"]) == {'k:{"name":"start"}'}


def test_applying_the_same_again_moves_nothing(kubectl: Kubectl) -> None:
    kubectl.apply(workflow("alpha"), options=SERVER_SIDE)
    before = kubectl.read("workflow", "alpha", "--show-managed-fields")
    kubectl.apply(workflow("alpha"), options=SERVER_SIDE)

    assert kubectl.read("workflow", "alpha", "--show-managed-fields") == before


def test_another_manager_is_told_of_the_conflict_and_may_force(kubectl: Kubectl) -> None:
    kubectl.apply(workflow("alpha"), options=SERVER_SIDE)
    theirs = manifests(workflow("alpha", owner="bob@example.com"))
    command = ("apply", "--server-side", "--field-manager=bob", "-f", "-")
    said = kubectl.fails(*command, stdin=theirs)

    assert 'conflict with "git": .spec.owner' in said
    assert "--force-conflicts" in said
    kubectl(*command, "--force-conflicts", stdin=theirs)
    alpha = kubectl.read("workflow", "alpha", "--show-managed-fields")
    assert alpha["spec"]["owner"] == "bob@example.com"
    assert managers(alpha) == {"git": "Apply", "bob": "Apply"}


def test_a_field_that_its_only_owner_leaves_out_is_removed(kubectl: Kubectl) -> None:
    body = workflow("alpha", labels={"team": "a"})
    kubectl.apply(body, options=SERVER_SIDE)
    kubectl("label", "workflow", "alpha", "tier=1")
    kubectl.apply(workflow("alpha"), options=SERVER_SIDE)

    assert kubectl.read("workflow", "alpha")["metadata"]["labels"] == {"tier": "1"}


def test_managers_may_own_steps_of_the_same_list(kubectl: Kubectl) -> None:
    kubectl.apply(workflow("alpha"), options=SERVER_SIDE)
    other = workflow("alpha")
    other["spec"] = {"definition": {"steps": [{"name": "finish"}]}}
    kubectl.apply(other, options=("--server-side", "--field-manager=bob"))

    steps = kubectl.read("workflow", "alpha")["spec"]["definition"]["steps"]
    assert sorted(step["name"] for step in steps) == ["finish", "start"]


def test_client_side_apply_moves_over_to_server_side(kubectl: Kubectl) -> None:
    kubectl.apply(workflow("alpha", labels={"team": "a"}))
    kubectl.apply(workflow("alpha"), options=("--server-side",))
    alpha = kubectl.read("workflow", "alpha", "--show-managed-fields")

    assert managers(alpha) == {"kubectl": "Apply", "kubectl-last-applied": "Apply"}
    assert "labels" not in alpha["metadata"]


def test_diff_and_dry_run_of_server_side_apply_store_nothing(kubectl: Kubectl) -> None:
    kubectl.apply(workflow("alpha"), options=SERVER_SIDE)
    changed = manifests(workflow("alpha", owner="bob@example.com"))
    diff = kubectl.attempt("diff", *SERVER_SIDE, "-f", "-", stdin=changed)
    kubectl("apply", *SERVER_SIDE, "--dry-run=server", "-f", "-", stdin=changed)

    assert diff.returncode == 1
    assert "+  owner: bob@example.com" in diff.stdout
    assert kubectl.read("workflow", "alpha")["spec"]["owner"] == "ana@example.com"


def test_a_field_that_is_not_declared_is_refused(kubectl: Kubectl) -> None:
    body = workflow("alpha")
    body["spec"] = {"ovner": "x"}

    assert ".spec.ovner: field not declared in schema" in kubectl.fails(
        "apply", *SERVER_SIDE, "-f", "-", stdin=manifests(body)
    )
