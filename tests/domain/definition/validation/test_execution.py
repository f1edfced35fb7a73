"""What can't be executed yet is refused by name when it would be published."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.api.triggers import TRIGGER_KINDS
from sluice.api.unions import ACTION_KINDS, LOGIC_KINDS, STEP_KINDS
from sluice.domain.definition.canonical import canonicalize
from sluice.domain.definition.validation.execution import EXECUTED_KINDS, EXECUTED_TRIGGERS, not_executable
from tests.domain.definition.validation.definitions import http, python


def named(**definition: Any) -> list[str]:
    return [finding.field.removeprefix("spec.definition.") for finding in not_executable(definition)]


def test_code_requests_and_switches_are_executed() -> None:
    switch = {"name": "s", "logic": {"switch": {"cases": [{"when": "${ true }", "next": ["a"]}]}}}
    definition = {"steps": [switch, python("a"), http("b")], "trigger": {"api": {}}, "finally": [python("c")]}
    assert not_executable(definition) == []
    assert not_executable(canonicalize(definition)) == []


@pytest.mark.parametrize("trigger", TRIGGER_KINDS)
def test_a_trigger_that_starts_nothing_is_named(trigger: str) -> None:
    expected = [] if trigger in EXECUTED_TRIGGERS else [f"trigger.{trigger}"]
    assert named(steps=[python("a")], trigger={trigger: {}}) == expected


@pytest.mark.parametrize(
    "kind",
    [
        *((kind,) for kind in STEP_KINDS if kind not in ("action", "logic")),
        *(("action", kind) for kind in ACTION_KINDS),
        *(("logic", kind) for kind in LOGIC_KINDS),
    ],
    ids=".".join,
)
def test_a_kind_that_does_not_run_is_named(kind: tuple[str, ...]) -> None:
    body: Any = {}
    for part in reversed(kind):
        body = {part: body}
    expected = [] if kind in EXECUTED_KINDS else [f"steps[0].{'.'.join(kind)}"]
    assert named(steps=[{"name": "a", **body}]) == expected


@pytest.mark.parametrize(
    ("step", "field"),
    [
        (python("a", resources={"cpu": "1"}), "resources"),
        (python("a", artifacts={"out": {"x": {"path": "x"}}}), "artifacts"),
        ({"name": "a", "action": {"python": {"code": "x", "requirements": ["a==1"]}}}, "action.python.requirements"),
        ({"name": "a", "action": {"python": {"code": "x", "connections": ["c"]}}}, "action.python.connections"),
        ({"name": "a", "action": {"http": {"connection": "c", "path": "/"}}}, "action.http.connection"),
        ({"name": "a", "action": {"http": {"url": "https://x", "saveAs": "b"}}}, "action.http.saveAs"),
        ({"name": "a", "action": {"container": {"image": "x", "connections": ["c"]}}}, "action.container.connections"),
    ],
)
def test_a_field_without_effect_is_named(step: dict[str, Any], field: str) -> None:
    assert named(steps=[step]) == [f"steps[0].{field}"]
    assert named(steps=[python("z")], graphs={"g": {"steps": [step]}}) == [f"graphs.g.steps[0].{field}"]


@pytest.mark.parametrize("policy", ["Allow", "Forbid", "Queue"])
def test_what_is_done_with_runs_for_which_there_is_no_room_is_executed(policy: str) -> None:
    assert named(steps=[python("a")], concurrency={"policy": policy}) == []
    assert named(steps=[python("a")], concurrency={"limit": 3}) == []


def test_replacing_runs_is_named() -> None:
    assert named(steps=[python("a")], concurrency={"policy": "Replace"}) == ["concurrency.policy"]
    assert named(steps=[python("a")], concurrency={"policy": "Replace", "limit": 2}) == ["concurrency.policy"]


def test_the_message_says_what_is_executed() -> None:
    finding = not_executable({"steps": [{"name": "a", "mcp": {}}]})[0]
    assert finding.code == "NotExecutable"
    assert finding.message == (
        "steps of kind mcp are not executed by this release; executed are "
        "action.container, action.http, action.python, logic.switch"
    )


def test_without_a_cluster_what_needs_a_pod_of_its_own_is_named() -> None:
    definition = {"steps": [{"name": "a", "action": {"container": {"image": "x", "connections": ["c"]}}}, python("b")]}
    (finding,) = not_executable(definition, embedded=True)
    assert (finding.code, finding.field) == ("NotExecutable", "spec.definition.steps[0].action.container")
    assert finding.message.endswith("publish it where Sluice runs on a cluster")
