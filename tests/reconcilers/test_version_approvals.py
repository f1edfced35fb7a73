"""A version that people must approve first: it serves after that, and what serves meanwhile goes on."""

from __future__ import annotations

import pytest

from sluice.api import kinds
from tests.reconcilers import looks
from tests.reconcilers.publishers import approve, edit, live, request_publish
from tests.simulation.embedded import Simulation


@pytest.fixture
def guarded(world: Simulation) -> Simulation:
    world.workflow(publish={"approval": {"groups": ["ops"]}})
    world.settle()
    return world


def test_a_version_waits_until_it_is_approved(guarded: Simulation) -> None:
    workflow = looks.workflow(guarded)
    assert (workflow["status"]["phase"], workflow["status"].get("live")) == ("Approval", None)
    guarded.run("early")
    guarded.settle()
    assert looks.run(guarded, "early")["status"]["reason"] == "NoVersion"
    assert looks.reason(guarded.get(kinds.APPROVAL, "greet-v1"), "Ready") == "False/DecisionPending"

    approve(guarded, "greet-v1")
    assert (looks.workflow(guarded)["status"]["phase"], live(guarded)) == ("Deployed", "v1")
    approval = guarded.get(kinds.APPROVAL, "greet-v1")
    assert (approval["status"]["phase"], approval["status"]["decidedBy"]) == ("Approved", "bo")


def test_while_a_version_waits_the_one_before_it_serves(guarded: Simulation) -> None:
    approve(guarded, "greet-v1")
    edit(guarded, "output = 2")
    guarded.run("r")
    guarded.finish_runs()

    workflow = looks.workflow(guarded)
    assert (workflow["status"]["phase"], live(guarded)) == ("Deployed", "v1")
    assert looks.reason(workflow, "VersionPendingApproval") == "True/WaitingForApproval"
    assert looks.run(guarded, "r")["status"]["version"] == "v1"


def test_a_rejected_version_never_serves_and_its_number_is_spent(guarded: Simulation) -> None:
    approve(guarded, "greet-v1", "Rejected")
    assert live(guarded) is None
    assert guarded.get(kinds.WORKFLOW_VERSION, "greet-v1")["status"]["phase"] == "Rejected"
    edit(guarded, "output = 2")
    approve(guarded, "greet-v2")

    assert live(guarded) == "v2"


def test_a_rejected_draft_can_be_submitted_again(guarded: Simulation) -> None:
    approve(guarded, "greet-v1", "Rejected")
    request_publish(guarded, attempt=2)
    assert looks.versions(guarded) == ["greet-v1", "greet-v2"]
    approve(guarded, "greet-v2")

    assert live(guarded) == "v2"


def test_a_newer_version_withdraws_the_one_that_waits(guarded: Simulation) -> None:
    edit(guarded, "output = 2")

    withdrawn = guarded.get(kinds.APPROVAL, "greet-v1")
    assert withdrawn["status"]["phase"] == "Withdrawn"
    assert looks.reason(withdrawn, "Ready") == "True/Withdrawn"
    assert looks.condition(withdrawn, "Reconciling") == {}
    approve(guarded, "greet-v1")
    assert live(guarded) is None, "an approval that comes too late deploys nothing"
    approve(guarded, "greet-v2")
    assert live(guarded) == "v2"


def test_an_approval_that_nobody_decides_in_time_rejects(world: Simulation) -> None:
    world.workflow(publish={"approval": {"groups": ["ops"], "timeout": "1h"}})
    world.settle()
    world.pass_time(hours=1)

    assert world.get(kinds.APPROVAL, "greet-v1")["status"]["phase"] == "Rejected"
    assert world.get(kinds.WORKFLOW_VERSION, "greet-v1")["status"]["phase"] == "Rejected"
