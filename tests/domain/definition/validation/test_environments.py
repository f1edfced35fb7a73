"""What an Environment lets its pods reach is judged before it is stored, in the words of the launcher."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.api.environment import Environment
from sluice.api.kinds import API_VERSION
from sluice.domain.definition.validation.objects import validate_object
from sluice.domain.launching.placement import placement_of
from sluice.domain.launching.security import problems


def environment(*egress: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "Environment",
        "metadata": {"name": "live", "namespace": "support"},
        "spec": {"type": "Sandbox", "egress": list(egress), **spec},
    }


EVERY = environment(
    {"cidr": "10.0.0.0/8", "ports": [443]}, {"cidr": "0.0.0.0/0"}, {"cidr": "::/0"}, {"cidr": "10.0.0.1/8"}
)


def test_each_rule_that_is_too_wide_or_none_is_found_at_its_place() -> None:
    found = [(finding.field, finding.message.partition(" is ")[2][:20]) for finding in validate_object(EVERY)]
    assert found == [
        ("spec.egress[1].cidr", "every address, also "),
        ("spec.egress[2].cidr", "every address, also "),
        ("spec.egress[3].cidr", "no range of addresse"),
    ]


def test_the_findings_are_the_launchers() -> None:
    placement = placement_of(Environment.model_validate(EVERY), embedded=False)
    assert validate_object(EVERY) == list(problems(placement))


@pytest.mark.parametrize("launch", ["Auto", "Job", "Pod", "Process"])
def test_a_rule_is_judged_wherever_runs_are_launched(launch: str) -> None:
    assert len(validate_object(environment({"cidr": "10.0.0.1/8"}, launch=launch))) == 1


def test_a_range_that_is_named_is_fine() -> None:
    assert validate_object(environment({"cidr": "10.20.0.0/16", "ports": [5432.0], "description": "data"})) == []
    assert validate_object(environment()) == []


def test_what_else_keeps_pods_from_being_launched_is_left_to_the_environments_own_condition() -> None:
    assert validate_object(environment({"cidr": "10.20.0.0/16"}, runner={"image": "a b"})) == []
