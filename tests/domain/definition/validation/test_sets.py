"""Objects that are applied together."""

from __future__ import annotations

from typing import Any

from sluice.domain.definition.validation.sets import validate_set
from tests.domain.definition.validation.definitions import python


def obj(kind: str, name: str, namespace: str = "", **spec: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


WORKFLOW = obj("Workflow", "hello", definition={"steps": [python("a")], "params": {"x": {"type": "string"}}})


def test_names_are_only_doubted_where_others_of_the_kind_are_at_hand() -> None:
    state = obj("EnvironmentState", "other.local", state="Active")
    run = obj("WorkflowRun", "r", input={"workflow": "other", "environment": "local"})
    assert validate_set([state, run, obj("Rollout", "other", percent=5)]) == []


def test_a_state_run_or_rollout_of_an_absent_workflow_is_a_warning() -> None:
    others = [
        obj("EnvironmentState", "helo.local", state="Active"),
        obj("WorkflowRun", "r", input={"workflow": "helo"}),
        obj("Rollout", "helo", percent=5),
        obj("Rollout", "default", percent=5),
    ]
    findings = validate_set([WORKFLOW, *others])
    assert [(index, finding.field, finding.is_error) for index, finding in findings] == [
        (1, "metadata.name", False),
        (2, "spec.input.workflow", False),
        (3, "metadata.name", False),
    ]
    assert all("did you mean hello?" in finding.message for _, finding in findings)


def test_namespaces_do_not_see_each_other() -> None:
    elsewhere = obj("Environment", "live", "b", type="Production")
    assert validate_set([obj("Workflow", "w", "a", environments={"local": "Active"}), elsewhere]) == []


def test_a_run_may_set_declared_parameters_only() -> None:
    run = obj("WorkflowRun", "r", input={"workflow": "hello", "params": {"x": "1", "y": "2"}})
    ((index, finding),) = validate_set([run, WORKFLOW])
    assert (index, finding.field) == (0, "spec.input.params.y")
    assert "did you mean x?" in finding.message or "declared are x" in finding.message
