"""What people wait for with the real kubectl."""

from __future__ import annotations

from sluice.api.kinds import WORKFLOW
from sluice.ports.store import Ref, Store
from tests.http.kubectl import Kubectl
from tests.http.schemas import workflow

ALPHA = Ref(WORKFLOW, "default", "alpha")
WATCH_ALPHA = ("get", "workflows", "--field-selector=metadata.name=alpha", "-w", "-o", "json")
"""Watches from the list's version. Of an object by name kubectl drops the first event, whatever it is."""


def test_wait_ends_when_the_condition_is_true(kubectl: Kubectl, store: Store) -> None:
    kubectl.apply(workflow("alpha"))
    with kubectl.going_on("wait", "--for=condition=Ready", "workflow/alpha", "--timeout=20s") as waiting:
        store.patch(ALPHA, {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}, status=True)
        store.patch(ALPHA, {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}, status=True)
        assert waiting.result() == "workflow.sluice.dev/alpha condition met\n"


def test_wait_ends_when_a_field_has_its_value(kubectl: Kubectl, store: Store) -> None:
    kubectl.apply(workflow("alpha"))
    field = "--for=jsonpath={.status.phase}=Deployed"
    with kubectl.going_on("wait", field, "workflow/alpha", "--timeout=20s") as waiting:
        store.patch(ALPHA, {"status": {"phase": "Deployed"}}, status=True)
        assert "condition met" in waiting.result()


def test_wait_ends_when_the_object_is_created(kubectl: Kubectl, store: Store) -> None:
    with kubectl.going_on("wait", "--for=create", "workflow/alpha", "--timeout=20s") as waiting:
        store.create(workflow("alpha"))
        assert "condition met" in waiting.result()


def test_delete_waits_for_finalizers(kubectl: Kubectl, store: Store) -> None:
    kubectl.apply(workflow("alpha", finalizers=["sluice.dev/archive"]))
    with (
        kubectl.going_on(*WATCH_ALPHA) as watching,
        kubectl.going_on("delete", "workflow", "alpha") as deleting,
        kubectl.going_on("wait", "--for=delete", "workflow/alpha", "--timeout=20s") as waiting,
    ):
        while "deletionTimestamp" not in watching.document()["metadata"]:
            continue
        store.patch(ALPHA, {"metadata": {"finalizers": None}})
        assert deleting.result() == 'workflow.sluice.dev "alpha" deleted\n'
        assert waiting.result() in {"", "workflow.sluice.dev/alpha condition met\n"}
    assert "NotFound" in kubectl.fails("get", "workflow", "alpha")


def test_wait_gives_up_in_time(kubectl: Kubectl) -> None:
    kubectl.apply(workflow("alpha"))

    assert "timed out" in kubectl.fails("wait", "--for=condition=Ready", "workflow/alpha", "--timeout=1s")


def test_get_watch_prints_a_line_for_each_change(kubectl: Kubectl, store: Store) -> None:
    kubectl.apply(workflow("alpha"))
    with kubectl.going_on("get", "workflows", "-w") as watching:
        assert watching.line().split() == ["NAME", "PHASE", "READY", "AGE"]
        assert watching.line().split()[0] == "alpha"
        store.patch(ALPHA, {"status": {"phase": "Deployed"}}, status=True)
        assert watching.line().split()[:2] == ["alpha", "Deployed"]
        store.create(workflow("beta"))
        assert watching.line().split()[0] == "beta"


def test_get_watch_tells_what_happened_to_each_object(kubectl: Kubectl, store: Store) -> None:
    kubectl.apply(workflow("alpha"))
    with kubectl.going_on(*WATCH_ALPHA, "--output-watch-events") as watching:
        assert watching.document()["type"] == "ADDED"
        store.create(workflow("beta"))
        store.delete(ALPHA)
        assert watching.document()["type"] == "DELETED"
