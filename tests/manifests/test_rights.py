"""No right of the controller is without a reason, and no reason without the right."""

from __future__ import annotations

from collections import Counter

import pytest

from sluice.manifests import Settings, installed
from tests.manifests.rights import NEEDS, Need, Scenario, granted, without

ROLES = {
    f"{obj['kind']}/{obj['metadata']['name']}": obj
    for obj in installed(Settings())
    if obj["kind"] in {"ClusterRole", "Role"}
}
CONTROLLERS = sorted({need.role for need in NEEDS})


def test_every_role_of_the_controller_is_told_of() -> None:
    assert sorted(name for name in ROLES if name.partition("/")[2].startswith("sluice-controller")) == CONTROLLERS


@pytest.mark.parametrize("role", CONTROLLERS)
def test_every_right_of_a_role_is_needed_for_something_and_everything_that_is_needed_is_granted(role: str) -> None:
    told = Counter((need.group, need.resource, need.name, need.verb) for need in NEEDS if need.role == role)
    assert told == Counter(granted(ROLES[role]))


def test_every_scenario_needs_some_right() -> None:
    assert {need.scenario for need in NEEDS} == set(Scenario)


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: f"{need.verb} {need.resource} {need.name}".strip())
def test_one_right_can_be_taken_away_and_the_others_stay(need: Need) -> None:
    before = ROLES[need.role]
    left = Counter(granted(before)) - Counter(granted(without(before, need)))
    assert left == Counter([(need.group, need.resource, need.name, need.verb)])
