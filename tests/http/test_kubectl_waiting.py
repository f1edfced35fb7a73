"""What people wait for with the real kubectl."""

from __future__ import annotations

import json
import subprocess

from sluice.api.kinds import WORKFLOW
from sluice.ports.store import Ref, Store
from tests.http.kubectl import PATIENCE, Kubectl
from tests.http.schemas import workflow

ALPHA = Ref(WORKFLOW, "default", "alpha")


def finished(process: subprocess.Popen[str]) -> str:
    with process:
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    return output


def test_wait_ends_when_the_condition_is_true(kubectl: Kubectl, store: Store) -> None:
    kubectl.apply(workflow("alpha"))
    waiting = kubectl.start("wait", "--for=condition=Ready", "workflow/alpha", "--timeout=20s")
    store.patch(ALPHA, {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}, status=True)
    store.patch(ALPHA, {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}, status=True)

    assert finished(waiting) == "workflow.sluice.dev/alpha condition met\n"


def test_wait_ends_when_a_field_has_its_value(kubectl: Kubectl, store: Store) -> None:
    kubectl.apply(workflow("alpha"))
    waiting = kubectl.start("wait", "--for=jsonpath={.status.phase}=Deployed", "workflow/alpha", "--timeout=20s")
    store.patch(ALPHA, {"status": {"phase": "Deployed"}}, status=True)

    assert "condition met" in finished(waiting)


def test_wait_ends_when_the_object_is_created_or_gone(kubectl: Kubectl, store: Store) -> None:
    for wish, act in (("create", store.create), ("delete", store.delete)):
        waiting = kubectl.start("wait", f"--for={wish}", "workflow/alpha", "--timeout=20s")
        act(workflow("alpha") if wish == "create" else ALPHA)  # type: ignore[operator]
        assert "condition met" in finished(waiting)


def test_wait_gives_up_in_time(kubectl: Kubectl) -> None:
    kubectl.apply(workflow("alpha"))

    assert "timed out" in kubectl.fails("wait", "--for=condition=Ready", "workflow/alpha", "--timeout=1s")


def test_get_watch_prints_a_line_for_each_change(kubectl: Kubectl, store: Store) -> None:
    kubectl.apply(workflow("alpha"))
    with kubectl.start("get", "workflows", "-w") as watching:
        assert watching.stdout is not None
        lines = iter(watching.stdout.readline, "")
        assert next(lines).split() == ["NAME", "PHASE", "READY", "AGE"]
        assert next(lines).split()[0] == "alpha"
        store.patch(ALPHA, {"status": {"phase": "Deployed"}}, status=True)
        assert next(lines).split()[:2] == ["alpha", "Deployed"]
        store.create(workflow("beta"))
        assert next(lines).split()[0] == "beta"
        watching.terminate()


def test_get_watch_tells_what_happened_to_each_object(kubectl: Kubectl, store: Store) -> None:
    kubectl.apply(workflow("alpha"))
    command = ("get", "workflow", "alpha", "-w", "--output-watch-events", "-o", "json")
    with kubectl.start(*command) as watching:
        assert watching.stdout is not None
        assert '"ADDED"' in read_object(watching)
        store.create(workflow("beta"))
        store.delete(ALPHA)
        assert '"DELETED"' in read_object(watching)
        watching.terminate()


def read_object(process: subprocess.Popen[str]) -> str:
    """One JSON document, over as many lines as it has."""
    assert process.stdout is not None
    text = ""
    for line in iter(process.stdout.readline, ""):
        text += line
        try:
            json.loads(text)
        except json.JSONDecodeError:
            continue
        return text
    raise AssertionError(f"the output ended within an object: {text}")
