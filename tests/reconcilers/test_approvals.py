"""Approvals show where a decision stands; whoever asked reads the decisions themselves."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.api import kinds
from sluice.ports.store import Ref
from tests.reconcilers import looks
from tests.simulation.embedded import Simulation

APPROVAL = Ref(kinds.APPROVAL, "default", "greet-v1")


@pytest.fixture
def waiting(world: Simulation) -> Simulation:
    world.workflow(publish={"approval": {"groups": ["ops"], "minimum": 2, "timeout": "2h"}})
    world.settle()
    return world


def decide(world: Simulation, **verdicts: str) -> Any:
    decisions = {by: {"verdict": verdict, "by": by} for by, verdict in verdicts.items()}
    world.patch(kinds.APPROVAL, "greet-v1", {"decisions": decisions})
    world.settle()
    return world.store.get(APPROVAL)


def test_it_waits_for_as_many_as_were_asked_for(waiting: Simulation) -> None:
    assert decide(waiting, bo="Approved")["status"]["phase"] == "Pending"
    approval = decide(waiting, cy="Approved")

    assert (approval["status"]["phase"], approval["status"]["decidedBy"]) == ("Approved", "bo, cy")
    assert looks.reason(approval, "Ready") == "True/Decided"


def test_one_rejection_is_enough(waiting: Simulation) -> None:
    decide(waiting, bo="Approved")

    assert decide(waiting, cy="Rejected")["status"]["phase"] == "Rejected"


def test_when_it_was_decided_does_not_move(waiting: Simulation) -> None:
    before = decide(waiting, bo="Rejected")["status"]["decidedAt"]
    waiting.pass_time(hours=5)
    looks.look_again(waiting)

    assert waiting.store.get(APPROVAL)["status"]["decidedAt"] == before


def test_twice_writes_nothing_pending_or_decided(waiting: Simulation) -> None:
    assert looks.look_again(waiting, kinds.APPROVAL) == 0
    decide(waiting, bo="Rejected")
    assert looks.look_again(waiting, kinds.APPROVAL) == 0


def test_one_that_is_deleted_is_asked_for_again_while_its_version_waits(waiting: Simulation) -> None:
    waiting.store.delete(APPROVAL)
    waiting.settle()
    assert waiting.store.get(APPROVAL)["status"]["phase"] == "Pending"

    decide(waiting, bo="Approved", cy="Approved")
    waiting.store.delete(APPROVAL)
    waiting.settle()
    assert waiting.list(kinds.APPROVAL) == []
    assert looks.workflow(waiting)["status"]["live"] == "v1", "what was approved stays approved"


def test_a_decision_that_a_cache_has_not_heard_of_counts_once_it_has(lagging: Any) -> None:
    lagging.workflow(publish={"approval": {"groups": ["ops"]}})
    lagging.settle()
    lagging.hold(kinds.APPROVAL)
    decide(lagging, bo="Approved")
    looks.look_again(lagging)
    assert looks.workflow(lagging)["status"].get("live") is None

    lagging.catch_up()
    assert looks.workflow(lagging)["status"]["live"] == "v1"
    assert looks.versions(lagging) == ["greet-v1"]
    assert looks.bugs(lagging) == []
