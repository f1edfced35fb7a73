"""Warnings: R236 (could run in parallel), R237 (no approval after an agent), R239 (production first)."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.domain.definition.validation.definitions import validate
from sluice.domain.definition.validation.sets import validate_set
from tests.domain.definition.validation.definitions import http, python

AGENT = {"name": "agent", "agent": {"connection": "llm", "prompt": "Do it"}}
APPROVAL = {"name": "review", "needs": ["agent"], "approval": {"groups": ["leads"]}}
PAY = http("pay", "agent", method="POST", body="${ steps.agent.output }")


def codes(*steps: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    findings = validate({"steps": list(steps), **more})
    assert not any(finding.is_error for finding in findings)
    return [(finding.field.removeprefix("spec.definition."), str(finding.code)) for finding in findings]


def test_an_agent_that_leads_to_something_irreversible_wants_an_approval() -> None:
    assert codes(AGENT, PAY) == [("steps[1]", "MissingApproval")]
    assert codes(AGENT, python("think", "agent"), PAY | {"needs": ["think"]}) == [("steps[2]", "MissingApproval")]


def test_an_approval_on_the_way_is_enough() -> None:
    assert codes(AGENT, APPROVAL, PAY | {"needs": ["review"]}) == []


def test_an_approval_beside_the_way_is_not() -> None:
    assert codes(AGENT, APPROVAL, PAY | {"needs": ["agent", "review"]}) == [("steps[2]", "MissingApproval")]


def test_reading_is_not_irreversible() -> None:
    assert codes(AGENT, http("look", "agent", url="https://x/${ steps.agent.output.id }")) == []


def skill(name: str, *needs: str, **given: Any) -> dict[str, Any]:
    return {"name": name, "needs": list(needs), "skill": {"name": "score", "input": given}}


def test_two_skills_with_independent_data_could_run_at_the_same_time() -> None:
    assert codes(skill("a"), skill("b", "a", x="${ payload.x }")) == [("steps[1].needs[0]", "CouldRunInParallel")]


@pytest.mark.parametrize(
    "second",
    [
        skill("b", "a", x="${ steps.a.output }"),
        skill("b", x=1),
        skill("b", "a") | {"when": "${ payload.x }"},
        python("b", "a"),
    ],
)
def test_a_need_that_has_a_reason_is_no_mistake(second: dict[str, Any]) -> None:
    assert codes(skill("a"), second) == []


def test_what_is_sequential_on_purpose_is_left_alone() -> None:
    assert codes(skill("a"), skill("b", "a"), execution="Sequential") == []
    assert validate({"tasks": [{"name": "a", "skill": {"name": "s"}}, {"name": "b", "skill": {"name": "s"}}]}) == []


def environment(name: str, kind: str) -> dict[str, Any]:
    return {"kind": "Environment", "metadata": {"name": name}, "spec": {"type": kind}}


def workflow(**environments: str) -> dict[str, Any]:
    spec = {"environments": environments, "definition": {"steps": [python("a")]}}
    return {"kind": "Workflow", "metadata": {"name": "w"}, "spec": spec}


ENVIRONMENTS = [environment("live", "Production"), environment("test", "Sandbox")]


def test_production_is_no_place_for_a_first_run() -> None:
    (index, finding), *rest = validate_set([*ENVIRONMENTS, workflow(live="Active")])
    assert (index, finding.field, finding.code) == (2, "spec.environments", "FirstPublishInProduction")
    assert "let it run in test first" in finding.message
    assert not finding.is_error
    assert rest == []


def test_a_sandbox_before_production_is_fine() -> None:
    state = {"kind": "EnvironmentState", "metadata": {"name": "w.test"}, "spec": {"state": "Active"}}
    assert validate_set([*ENVIRONMENTS, workflow(live="Active", test="Active")]) == []
    assert validate_set([*ENVIRONMENTS, workflow(live="Active"), state]) == []
    assert validate_set([ENVIRONMENTS[0], workflow(live="Active")]) == []
