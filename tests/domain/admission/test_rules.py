"""The rules that hold whoever writes: unions, immutability, names."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sluice.crds import schemas
from sluice.domain.admission.kinds import kind_check
from sluice.domain.admission.rule import keys_match, one_of, rule_of
from sluice.domain.admission.rules import KNOWN_RULES
from tests.domain.admission.objects import PIN, a_workflow, an

CHECKS = {kind: kind_check(schema) for kind, schema in schemas().items()}
DATA = {"connection": "crm", "operation": "Query"}


def refused(obj: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
    return [f"{problem.field}: {problem.message}" for problem in CHECKS[obj["kind"]].object_problems(obj, old)]


def changed(kind: str, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    old, new = an(kind, **before), an(kind, **after)
    assert refused(old) == []
    return refused(new, old)


UNIONS = {
    "a step without a kind (R181)": (
        a_workflow({"name": "x"}),
        "spec.definition.steps[0]: Invalid value: must have exactly one of data, skill, agent",
    ),
    "a step of two kinds": (
        a_workflow({"name": "x", "data": DATA, "notify": {"connection": "mail", "text": "hi"}}),
        "spec.definition.steps[0]: Invalid value: must have exactly one of data",
    ),
    "an action of two kinds": (
        a_workflow({"name": "x", "action": {"http": {}, "python": {}}}),
        "spec.definition.steps[0].action: Invalid value: must have exactly one of http, python",
    ),
    "two triggers (R181, R195)": (
        a_workflow({"name": "x", "data": DATA}, trigger={"manual": {}, "api": {}}),
        "spec.definition.trigger: Invalid value: must have exactly one of webhook, schedule",
    ),
    "a schedule that is neither cron nor interval": (
        a_workflow({"name": "x", "data": DATA}, trigger={"schedule": {"timeZone": "Etc/UTC"}}),
        "spec.definition.trigger.schedule: Invalid value: must have exactly one of cron, interval",
    ),
    "a wait for two things": (
        a_workflow({"name": "x", "logic": {"wait": {"for": "1m", "signal": "paid"}}}),
        "spec.definition.steps[0].logic.wait: Invalid value: must have exactly one of for, until, signal",
    ),
    "two spellings at once": (
        a_workflow({"name": "x", "data": DATA}, nodes={}),
        "spec.definition: Invalid value: must have exactly one of steps, nodes, tasks",
    ),
    "edges without nodes": (
        a_workflow({"name": "x", "data": DATA}, edges={}),
        "spec.definition.edges: Invalid value: edges belong to nodes; with steps say needs",
    ),
    "a parameter with a space in its name": (
        a_workflow({"name": "x", "data": DATA}, params={"mail to": {"type": "string"}}),
        "spec.definition.params: Invalid value: every key must match",
    ),
    "a workflow without a draft": (
        an("Workflow", definition=None),
        "spec: Invalid value: must have exactly one of definition, definitionFrom",
    ),
    "scope Environment without an environment (R003)": (
        an("Workflow", scope="Environment"),
        "spec.environment: Invalid value: environment is required with scope Environment, and only there",
    ),
    "a rollout with percent and steps": (
        an("Rollout", steps=[{"percent": 5}]),
        "spec: Invalid value: must have exactly one of percent, steps",
    ),
    "a sandbox of tier Production (C14)": (
        an("Environment", tier="Production"),
        "spec.tier: Invalid value: tier is Production if and only if type is Production",
    ),
    "an approval of nothing": (
        an("Approval", subject={"run": "hello-1"}),
        "spec.subject: Invalid value: must name a version, or a run and its step",
    ),
}


@pytest.mark.parametrize("case", UNIONS)
def test_a_union_takes_exactly_one_key_and_parts_fit_together(case: str) -> None:
    obj, message = UNIONS[case]
    found = refused(copy.deepcopy(obj))
    assert len(found) == 1
    assert found[0].startswith(message)


NAMES = {
    ("Workflow", "hello"): True,
    ("Workflow", "a" * 40): True,
    ("Workflow", "a" * 41): False,
    ("Workflow", "hello.world"): False,
    ("Rollout", "default"): True,
    ("Rollout", "hello-"): False,
    ("Environment", "production"): True,
    ("Environment", "eu.production"): False,
    ("EnvironmentState", "hello.sandbox"): True,
    ("EnvironmentState", "hello"): False,
    ("EnvironmentState", "hello.eu.sandbox"): False,
    ("WorkflowVersion", "hello-v3"): True,
    ("WorkflowVersion", "hello-v03"): False,
    ("WorkflowVersion", "hello-v4"): False,
    ("WorkflowVersion", "other-v3"): False,
}


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_names_say_what_an_object_belongs_to(kind: str, name: str) -> None:
    found = refused(an(kind, name=name))
    assert bool(found) is not NAMES[kind, name]
    assert all(problem.startswith("metadata.name: ") for problem in found)


def test_a_version_is_frozen() -> None:
    found = changed("WorkflowVersion", {}, {"definition": {"steps": [{"name": "other"}]}})
    assert found == ["spec: Invalid value: a version is frozen; publish a new one"]


def test_a_versions_definition_does_not_trade_one_key_for_another() -> None:
    assert changed("WorkflowVersion", {"definition": {"a": 1}}, {"definition": {"b": 1}}) != []


def test_a_runs_input_is_frozen() -> None:
    found = changed(
        "WorkflowRun", {}, {"input": {"workflow": "hello", "environment": "sandbox", "payload": {"n": True}}}
    )
    assert found == ["spec.input: Invalid value: input is frozen; start another run"]


def test_a_pin_is_written_once() -> None:
    assert changed("WorkflowRun", {}, {"pin": PIN}) == []
    assert changed("WorkflowRun", {"pin": PIN}, {"pin": {**PIN, "number": 4}}) == [
        "spec.pin: Invalid value: the pin is written once"
    ]
    assert changed("WorkflowRun", {"pin": PIN}, {}) == ["spec.pin: Invalid value: the pin is written once"]


def test_cancel_goes_one_way() -> None:
    assert changed("WorkflowRun", {}, {"cancel": True}) == []
    assert changed("WorkflowRun", {"cancel": True}, {"cancel": False})[0].startswith(
        "spec.cancel: Invalid value: cancel"
    )


def test_the_first_write_of_a_signal_wins() -> None:
    first = {"signals": {"paid": {"payload": 1}}}
    assert changed("WorkflowRun", first, {"signals": {"paid": {"payload": 1}, "shipped": {}}}) == []
    assert changed("WorkflowRun", first, {"signals": {"paid": {"payload": 2}}}) != []
    assert changed("WorkflowRun", first, {"signals": {}}) != []
    assert changed("WorkflowRun", first, {}) != []


@pytest.mark.parametrize(
    ("kind", "before", "after", "field"),
    [
        ("Workflow", {}, {"scope": "Environment", "environment": "sandbox"}, "spec.scope"),
        (
            "Workflow",
            {"scope": "Environment", "environment": "sandbox"},
            {"scope": "Environment", "environment": "production"},
            "spec.environment",
        ),
        ("Environment", {}, {"type": "Production"}, "spec.type"),
        ("Approval", {}, {"approvers": {"users": ["mallory"]}}, "spec.approvers"),
        ("Approval", {"sla": "30m"}, {}, "spec.sla"),
        ("Approval", {}, {"subject": {"version": "hello-v4"}}, "spec.subject"),
    ],
)
def test_immutable_fields_name_themselves(kind: str, before: dict[str, Any], after: dict[str, Any], field: str) -> None:
    assert field in [problem.partition(":")[0] for problem in changed(kind, before, after)]


def test_a_decision_is_made_once() -> None:
    made = {"decisions": {"ana": {"verdict": "Approved", "by": "ana"}}}
    assert changed("Approval", {}, made) == []
    assert changed("Approval", made, {"decisions": {"ana": {"verdict": "Rejected", "by": "ana"}}}) != []
    assert changed("Approval", made, {}) != []


def test_every_rule_in_the_schemas_has_a_predicate() -> None:
    families = [one_of(("for", "http")), keys_match(r"^[a-z]\??$"), keys_match("^it's$")]
    for rule in (*KNOWN_RULES.values(), *families):
        assert rule_of(rule.as_validation(), KNOWN_RULES).cel == rule.cel


def test_a_rule_without_a_predicate_is_an_error_and_not_passed_over() -> None:
    with pytest.raises(KeyError, match="regenerate the schemas"):
        rule_of({"rule": "self.size() > 3", "message": "too small"}, KNOWN_RULES)
