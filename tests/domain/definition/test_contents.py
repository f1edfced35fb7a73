"""The flags of the workflow list (R224)."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.domain.definition.canonical import canonicalize
from sluice.domain.definition.contents import contains

NONE = {"agent": False, "mcp": False, "skill": False, "approval": False}
CODE = {"name": "a", "action": {"python": {"code": "output = 1"}}}


def flags(**definition: Any) -> dict[str, bool]:
    return contains(canonicalize(definition))


@pytest.mark.parametrize("flag", sorted(NONE))
def test_a_step_of_the_kind_raises_its_flag_wherever_it_stands(flag: str) -> None:
    step = {"name": "b", flag: {}}
    assert flags(steps=[CODE, step]) == NONE | {flag: True}
    assert flags(steps=[CODE], finally_=[], **{"finally": [step]}) == NONE | {flag: True}
    assert flags(steps=[CODE], graphs={"g": {"steps": [step]}}) == NONE | {flag: True}
    assert flags(nodes={"b": {flag: {}}}) == NONE | {flag: True}


def test_other_steps_raise_none() -> None:
    assert flags(steps=[CODE, {"name": "b", "notify": {}}]) == NONE


def test_a_tool_of_an_agent_counts_as_what_it_is() -> None:
    agent = {"name": "a", "agent": {"tools": [{"mcp": "crm"}, {"skill": None}]}}
    assert flags(steps=[agent]) == NONE | {"agent": True, "mcp": True}
