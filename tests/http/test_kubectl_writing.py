"""What people change with the real kubectl."""

from __future__ import annotations

import base64

from tests.http.kubectl import Kubectl, manifests
from tests.http.schemas import workflow


def test_apply_creates_then_finds_nothing_to_do_then_changes(kubectl: Kubectl) -> None:
    assert kubectl.apply(workflow("alpha")) == "workflow.sluice.dev/alpha created\n"
    assert kubectl.apply(workflow("alpha")) == "workflow.sluice.dev/alpha unchanged\n"
    assert kubectl.apply(workflow("alpha", owner="bob@example.com")) == "workflow.sluice.dev/alpha configured\n"
    assert kubectl.read("workflow", "alpha")["spec"]["owner"] == "bob@example.com"


def test_apply_removes_what_the_file_no_longer_has(kubectl: Kubectl) -> None:
    kubectl.apply(workflow("alpha", labels={"team": "a", "tier": "1"}))
    kubectl.apply(workflow("alpha", labels={"team": "a"}))

    assert kubectl.read("workflow", "alpha")["metadata"]["labels"] == {"team": "a"}


def test_diff_tells_changes_by_its_exit_code(kubectl: Kubectl) -> None:
    kubectl.apply(workflow("alpha"))
    same = kubectl.attempt("diff", "-f", "-", stdin=manifests(workflow("alpha")))
    other = kubectl.attempt("diff", "-f", "-", stdin=manifests(workflow("alpha", owner="bob@example.com")))
    new = kubectl.attempt("diff", "-f", "-", stdin=manifests(workflow("beta")))

    assert (same.returncode, same.stdout) == (0, "")
    assert other.returncode == new.returncode == 1
    assert "-  owner: ana@example.com\n+  owner: bob@example.com" in other.stdout
    assert "+  name: beta" in new.stdout


def test_create_refuses_what_the_schema_does_not_know(kubectl: Kubectl) -> None:
    body = workflow("alpha")
    body["spec"] = {"owner": "ana@example.com", "ovner": "x"}
    said = kubectl.fails("create", "-f", "-", stdin=manifests(body))

    assert 'strict decoding error: unknown field "spec.ovner"' in said
    lenient = kubectl.attempt("create", "--validate=warn", "-f", "-", stdin=manifests(body))
    assert 'Warning: unknown field "spec.ovner"' in lenient.stderr


def test_a_dry_run_on_the_server_stores_nothing(kubectl: Kubectl) -> None:
    said = kubectl("create", "--dry-run=server", "-f", "-", stdin=manifests(workflow("alpha")))

    assert said == "workflow.sluice.dev/alpha created (server dry run)\n"
    assert "NotFound" in kubectl.fails("get", "workflow", "alpha")


def test_patch_edit_label_annotate_and_replace(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=manifests(workflow("alpha")))
    assert kubectl("patch", "workflow", "alpha", "--type=merge", "-p", '{"spec":{"suspend":true}}').endswith(
        "patched\n"
    )
    assert kubectl("edit", "workflow", "alpha").endswith("edited\n")
    assert kubectl("label", "workflow", "alpha", "team=a").endswith("labeled\n")
    assert kubectl("annotate", "workflow", "alpha", "note=x").endswith("annotated\n")
    json_patch = '[{"op":"add","path":"/spec/displayName","value":"A"}]'
    kubectl("patch", "workflow", "alpha", "--type=json", "-p", json_patch)

    alpha = kubectl.read("workflow", "alpha")
    assert (alpha["spec"]["suspend"], alpha["spec"]["owner"]) == (True, "bob@example.com")
    assert (alpha["metadata"]["labels"], alpha["metadata"]["annotations"]["note"]) == ({"team": "a"}, "x")
    assert alpha["spec"]["displayName"] == "A"
    assert kubectl("replace", "-f", "-", stdin=manifests(workflow("alpha"))).endswith("replaced\n")
    assert "suspend" not in kubectl.read("workflow", "alpha")["spec"]


def test_a_strategic_patch_of_a_workflow_is_refused_as_on_a_cluster(kubectl: Kubectl) -> None:
    kubectl.apply(workflow("alpha"))

    assert "is not supported by sluice.dev/v1alpha1, Kind=Workflow" in kubectl.fails(
        "patch", "workflow", "alpha", "-p", '{"spec":{"suspend":true}}'
    )


def test_namespaces_secrets_and_config_maps_are_made_by_name(kubectl: Kubectl) -> None:
    assert kubectl("create", "namespace", "team") == "namespace/team created\n"
    assert kubectl("create", "secret", "generic", "s", "--from-literal=token=geheim") == "secret/s created\n"
    assert kubectl("create", "configmap", "c", "--from-literal=a=1") == "configmap/c created\n"
    secret = kubectl.read("secret", "s")

    assert base64.b64decode(secret["data"]["token"]) == b"geheim"
    assert kubectl.read("configmap", "c")["data"] == {"a": "1"}
    assert "team" in kubectl("get", "namespaces", "-o", "name")
    assert "already exists" in kubectl.fails("create", "namespace", "team")


def test_deleting_a_namespace_takes_what_is_in_it(kubectl: Kubectl) -> None:
    kubectl("create", "namespace", "team")
    kubectl.apply(workflow("alpha", namespace="team"))
    assert kubectl("delete", "namespace", "team") == 'namespace "team" deleted\n'

    assert kubectl("get", "workflows", "-A", "-o", "name") == ""
    assert 'namespaces "team" not found' in kubectl.fails(
        "create", "-f", "-", stdin=manifests(workflow("beta", namespace="team"))
    )


def test_a_config_map_is_applied_and_patched_as_on_a_cluster(kubectl: Kubectl) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default"}}
    kubectl.apply({**config, "data": {"a": "1", "b": "2"}})
    kubectl.apply({**config, "data": {"a": "3"}})
    assert kubectl.read("configmap", "c")["data"] == {"a": "3"}

    kubectl("patch", "configmap", "c", "-p", '{"data":{"z":"26"}}')
    assert kubectl.read("configmap", "c")["data"] == {"a": "3", "z": "26"}


def test_delete_by_name_by_file_by_label_and_all(kubectl: Kubectl) -> None:
    for name in ("alpha", "beta", "gamma", "delta"):
        kubectl.apply(workflow(name, labels={"letter": name[0]}))

    assert kubectl("delete", "workflow", "alpha") == 'workflow.sluice.dev "alpha" deleted\n'
    kubectl("delete", "-f", "-", stdin=manifests(workflow("beta")))
    kubectl("delete", "workflow", "-l", "letter=g")
    assert kubectl("get", "workflow", "-o", "name") == "workflow.sluice.dev/delta\n"
    kubectl("delete", "workflow", "--all")
    assert kubectl("get", "workflow", "-o", "name") == ""
    assert kubectl("delete", "workflow", "alpha", "--ignore-not-found") == ""
