from __future__ import annotations

from typing import Any

import pytest

from sluice.api.kinds import WORKFLOW
from tests.cli.place import ANA, Place, call, environment, workflow


def of_environment(name: str, environment: str, **spec: Any) -> Any:
    return workflow(name, scope="Environment", environment=environment, logicalName="support", **spec)


def live(place: Place, name: str) -> None:
    place.publish(1, 2, name=name)


def test_the_siblings_draft_becomes_the_live_version(place: Place) -> None:
    place.make(of_environment("support-dev", "dev"), of_environment("support-staging", "staging"))
    live(place, "support-dev")
    result = call("promote", "support-dev", "--to", "staging")
    assert (result.exit_code, result.stdout) == (
        0,
        "support-staging takes the definition of support-dev v2, for staging\n",
    )
    spec = place.get(WORKFLOW, "support-staging")["spec"]
    assert spec["definitionFrom"] == {"workflow": "support-dev", "version": "v2"}
    assert "definition" not in spec


def test_a_sibling_that_is_not_there_is_made(place: Place) -> None:
    place.make(environment("staging"), workflow("orders", scope="Environment", environment="dev", team="sales"))
    live(place, "orders")
    assert call("promote", "orders", "--to", "staging", "--version", "v1").exit_code == 0
    made = place.get(WORKFLOW, "orders-staging")["spec"]
    assert (made["owner"], made["team"], made["environment"]) == (ANA, "sales", "staging")
    assert made["definitionFrom"] == {"workflow": "orders", "version": "v1"}
    assert made["logicalName"] == place.get(WORKFLOW, "orders")["spec"]["logicalName"] == "orders"


def test_nothing_is_made_for_an_environment_that_is_not_there(place: Place) -> None:
    place.make(environment("staging"), workflow("orders", scope="Environment", environment="dev"))
    live(place, "orders")
    result = call("promote", "orders", "--to", "stagign")
    assert result.exit_code == 1
    assert "there is no environment stagign in the namespace default; there are: staging" in result.stderr
    assert "logicalName" not in place.get(WORKFLOW, "orders")["spec"]


def test_a_sibling_that_git_owns_is_promoted_in_git(place: Place) -> None:
    place.make(of_environment("support-dev", "dev"))
    place.store.apply(of_environment("support-staging", "staging"), manager="sluice-git/main")
    live(place, "support-dev")
    result = call("promote", "support-dev", "--to", "staging")
    assert result.exit_code == 1
    assert "Workflow support-staging: spec.definition is owned by the git source main" in result.stderr


@pytest.mark.parametrize(
    ("spec", "to", "message"),
    [
        ({}, "staging", "support has scope Organization: a publish reaches every environment"),
        ({"scope": "Environment", "environment": "dev"}, "dev", "support is the one in dev"),
        ({"scope": "Environment", "environment": "dev"}, "staging", "support has no live version to carry over"),
    ],
)
def test_what_can_not_be_carried_over_says_why(place: Place, spec: dict[str, Any], to: str, message: str) -> None:
    place.make(workflow(**spec))
    result = call("promote", "support", "--to", to)
    assert result.exit_code == 1
    assert message in result.stderr
