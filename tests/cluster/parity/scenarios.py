"""What people do with kubectl, in small stories; each command must come to the same on every server."""

from __future__ import annotations

import json
from typing import Any

from tests.cluster.parity.outcomes import Command
from tests.contracts.store.builders import config_map, rollout, workflow

NAMESPACE = "parity"
SERVER_SIDE = "apply --server-side --field-manager=git -f -"
FINALIZER = "sluice.dev/hold"
MANAGERS = 'jsonpath={range .metadata.managedFields[*]}{.manager}/{.operation} {.fieldsV1}{"\\n\\n"}{end}'
"""Who owns what. Entries are kept in the order of their seconds, so two that came after each other may stand either way."""


def given(*objects: dict[str, Any]) -> str:
    """Manifests as a file holds them."""
    return (
        json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        if len(objects) > 1
        else json.dumps(objects[0])
    )


def changed(obj: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A manifest with another spec."""
    return {**obj, "spec": {**obj["spec"], **spec}}


def patch(words: str, body: Any, *, wordless: bool = False) -> Command:
    """``kubectl patch`` with a body of any type."""
    return Command(f"patch {words}", arguments=("-p", json.dumps(body)), wordless=wordless)


WORKFLOW, ROLLOUT = workflow(NAMESPACE), rollout(NAMESPACE)
NO_OWNER = {**WORKFLOW, "spec": {"definition": WORKFLOW["spec"]["definition"]}}
ENVIRONMENT = {
    "apiVersion": "sluice.dev/v1alpha1",
    "kind": "Environment",
    "metadata": {"name": "sandbox", "namespace": NAMESPACE},
    "spec": {"type": "Sandbox"},
}
RUN = {
    "apiVersion": "sluice.dev/v1alpha1",
    "kind": "WorkflowRun",
    "metadata": {"name": "first", "namespace": NAMESPACE},
    "spec": {"input": {"workflow": "support", "environment": "sandbox"}},
}
READY = {
    "type": "Ready",
    "status": "True",
    "reason": "Published",
    "message": "",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}
HELD = {**WORKFLOW, "metadata": {**WORKFLOW["metadata"], "finalizers": [FINALIZER]}}

SCENARIOS: dict[str, list[Command]] = {
    "client side apply creates, changes, and leaves alone what is the same": [
        Command("apply -f -", given(WORKFLOW)),
        Command("apply -f -", given(WORKFLOW)),
        Command("apply -f -", given(changed(WORKFLOW, team="support"))),
        Command("get workflow support -o jsonpath={.spec.team}/{.metadata.generation}"),
    ],
    "server side apply creates, conflicts and takes over": [
        Command(SERVER_SIDE, given(WORKFLOW)),
        Command("apply --server-side --field-manager=ana -f -", given(changed(WORKFLOW, owner="bob@example.com"))),
        Command(
            "apply --server-side --field-manager=ana --force-conflicts -f -", given(changed(WORKFLOW, owner="b@c.de"))
        ),
        Command("get workflow support -o yaml"),
        Command("get workflow support", arguments=("-o", MANAGERS), any_order=True),
    ],
    "a change from client side to server side moves the ownership": [
        Command("apply -f -", given(WORKFLOW)),
        Command("apply --server-side -f -", given(WORKFLOW)),
        Command("apply --server-side -f -", given(changed(WORKFLOW, tags=["other"]))),
        Command("get workflow support -o jsonpath={.spec.tags}"),
        Command("get workflow support", arguments=("-o", MANAGERS), any_order=True),
    ],
    "diff shows what would change, and nothing where nothing would": [
        Command(SERVER_SIDE, given(ROLLOUT)),
        Command("diff --server-side --field-manager=git -f -", given(changed(ROLLOUT, percent=50))),
        Command("diff --server-side --field-manager=git -f -", given(ROLLOUT)),
        Command("get rollout support -o jsonpath={.spec.percent}"),
    ],
    "a dry run answers and stores nothing": [
        Command("apply --server-side --dry-run=server -f -", given(ROLLOUT)),
        Command("create --dry-run=server -f -", given(WORKFLOW)),
        Command("get rollouts,workflows"),
    ],
    "what breaks a rule is refused with the field": [
        Command("create -f -", given(changed(ROLLOUT, percent=101))),
        Command("create -f -", given(NO_OWNER)),
        Command("create -f -", given(changed(WORKFLOW, owner=7))),
        Command("create -f -", given(changed(WORKFLOW, scope="Elsewhere"))),
        Command("create -f -", given(config_map(NAMESPACE, "Not_A_Name"))),
    ],
    "unknown fields are refused, or only warned about": [
        Command("create -f -", given(changed(ROLLOUT, percnt=5))),
        Command("create --validate=warn -f -", given(changed(ROLLOUT, percnt=5))),
        Command("get rollout support -o jsonpath={.spec}"),
        Command("apply --server-side --field-manager=git -f -", given(changed(ROLLOUT, percnt=5))),
    ],
    "patches of each type": [
        Command("create -f -", given(ROLLOUT)),
        patch("rollout support --type=merge", {"spec": {"percent": 30}}),
        patch("rollout support --type=merge", {"spec": {"percent": 30}}),
        patch("rollout support --type=json", [{"op": "replace", "path": "/spec/percent", "value": 40}]),
        patch("rollout support --type=json", [{"op": "test", "path": "/spec/percent", "value": 1}], wordless=True),
        patch("rollout support --type=strategic", {"spec": {"percent": 50}}),
        patch("rollout support --type=merge", {"spec": {"percent": 500}}),
        Command("get rollout support -o jsonpath={.spec.percent}/{.metadata.generation}"),
    ],
    "status is patched apart": [
        Command("create -f -", given(ROLLOUT)),
        patch(
            "rollout support --subresource=status --type=merge", {"status": {"phase": "Idle"}, "spec": {"percent": 1}}
        ),
        patch("rollout support --type=merge", {"status": {"phase": "Completed"}}),
        Command("get rollout support -o jsonpath={.status.phase}/{.spec.percent}/{.metadata.generation}"),
    ],
    "labels and annotations": [
        Command("create -f -", given(ROLLOUT)),
        Command("label rollout support tier=1"),
        Command("label rollout support tier=2"),
        Command("label rollout support tier=2 --overwrite"),
        Command("annotate rollout support note=x"),
        Command("label rollout support tier-"),
        Command("get rollouts -l tier --no-headers"),
        Command("get rollouts -l !tier -o name"),
        Command("label rollout support", arguments=("bad=not a value",)),
    ],
    "creating twice and reading what is not there": [
        Command("create -f -", given(ROLLOUT)),
        Command("create -f -", given(ROLLOUT)),
        Command("get rollout nobody"),
        Command("get rollout nobody --ignore-not-found"),
        Command("get nothings"),
        Command("delete rollout nobody"),
        Command("delete rollout nobody --ignore-not-found"),
    ],
    "columns of every kind": [
        Command("create -f -", given(WORKFLOW, ROLLOUT, ENVIRONMENT, RUN)),
        Command("get sluice", any_order=True),
        Command("get workflows -o wide"),
        Command("get slro -o wide"),
        Command("get slrun,slenv -o wide"),
        Command("get workflows -o custom-columns=NAME:.metadata.name,OWNER:.spec.owner"),
        Command("get workflows -o name"),
        Command("get versions"),
    ],
    "field selectors": [
        Command("create -f -", given(WORKFLOW, RUN)),
        Command("get workflows --field-selector=metadata.name=support -o name"),
        Command("get workflowruns --field-selector=spec.input.workflow=support -o name"),
        Command("get workflowruns --field-selector=spec.input.workflow!=support -o name"),
        Command("get workflows --field-selector=spec.owner=ana@example.com -o name"),
    ],
    "explain": [
        Command("explain workflow", first_lines=8),
        Command("explain workflow.spec", first_lines=30),
        Command("explain rollout.spec.percent"),
        Command("explain rollout.spec.steps.gate"),
        Command("explain workflow.spec.nothing"),
        Command("explain workflowrun.spec.input", first_lines=30),
    ],
    "waiting": [
        Command("create -f -", given(ROLLOUT)),
        Command("wait rollout/support --for=condition=Ready --timeout=1s"),
        patch(
            "rollout support --subresource=status --type=merge", {"status": {"phase": "Idle", "conditions": [READY]}}
        ),
        Command("wait rollout/support --for=condition=Ready --timeout=20s"),
        Command("wait rollout/support --for=jsonpath={.status.phase}=Idle --timeout=20s"),
        Command("wait rollout/support --for=delete --timeout=1s"),
    ],
    "deleting": [
        Command("create -f -", given(HELD, ROLLOUT)),
        Command("delete rollout support"),
        Command("delete workflow support --wait=false"),
        Command("get workflow support -o jsonpath={.metadata.finalizers}/{.metadata.generation}"),
        patch(
            "workflow support --type=json",
            [{"op": "add", "path": "/metadata/finalizers/-", "value": "sluice.dev/other"}],
        ),
        patch("workflow support --type=merge", {"metadata": {"finalizers": None}}),
        Command("get workflows,rollouts"),
    ],
    "deleting all, by label, and as a rehearsal": [
        Command("create -f -", given(ROLLOUT, rollout(NAMESPACE, "other", labels={"tier": "1"}), WORKFLOW)),
        Command("delete rollouts --all --dry-run=server"),
        Command("delete rollouts -l tier=1"),
        Command("delete rollouts,workflows --all"),
        Command("get rollouts,workflows -o name"),
    ],
    "replacing": [
        Command("create -f -", given(ROLLOUT)),
        Command("replace -f -", given(changed(ROLLOUT, percent=60))),
        Command("replace -f -", given({**ROLLOUT, "metadata": {**ROLLOUT["metadata"], "resourceVersion": "1"}})),
        Command("replace -f -", given(rollout(NAMESPACE, "nobody"))),
        Command("get rollout support -o jsonpath={.spec.percent}/{.metadata.generation}"),
    ],
    "names made by the server": [
        Command("create -f -", given({**ROLLOUT, "metadata": {"generateName": "generated-", "namespace": NAMESPACE}})),
        Command("get rollouts -o name"),
    ],
    "what the group serves": [
        Command("api-resources --api-group=sluice.dev --sort-by=name"),
        Command("api-resources --api-group=sluice.dev --categories=sluice -o name"),
        Command("get --raw /apis/sluice.dev"),
    ],
    "kinds of Kubernetes' own": [
        Command("create configmap settings --from-literal=a=1"),
        Command("create configmap settings --from-literal=a=1"),
        Command("apply --server-side --field-manager=git -f -", given(config_map(NAMESPACE, "settings", a="2"))),
        Command(
            "apply --server-side --field-manager=git --force-conflicts -f -",
            given(config_map(NAMESPACE, "settings", b="2")),
        ),
        Command("get configmap settings -o jsonpath={.data}"),
        Command("create secret generic key --from-literal=token=x"),
        Command("get secret key -o jsonpath={.data.token}/{.type}"),
        Command("delete configmap/settings secret/key"),
    ],
    "frozen fields": [
        Command("create -f -", given(RUN)),
        patch("workflowrun first --type=merge", {"spec": {"input": {"workflow": "other"}}}),
        patch("workflowrun first --type=merge", {"spec": {"cancel": True}}),
        patch("workflowrun first --type=merge", {"spec": {"cancel": False}}),
    ],
}
