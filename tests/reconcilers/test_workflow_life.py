"""Workflows that are deleted, made again, looked at twice, and seen through caches that are behind."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.api import kinds
from sluice.ports.store import Ref
from tests.contracts.store.builders import eventually
from tests.reconcilers import looks
from tests.simulation.embedded import Simulation


def edit(world: Simulation, code: str) -> None:
    world.edit("greet", code)
    world.settle()


def live(world: Simulation) -> Any:
    return looks.workflow(world)["status"].get("live")


def test_a_deleted_workflow_takes_no_new_runs_and_goes_with_its_last(world: Simulation) -> None:
    world.workflow()
    world.settle()
    world.run("open")
    world.settle()
    world.store.delete(Ref(kinds.WORKFLOW, "default", "greet"))
    world.settle()
    world.run("late")
    world.settle()
    assert looks.workflow(world)["metadata"]["deletionTimestamp"]
    late = looks.run(world, "late")["status"]
    assert (late["phase"], late["reason"]) == ("Rejected", "WorkflowNotFound")

    world.finish_runs()
    assert looks.run(world, "open")["status"]["phase"] == "Succeeded"
    assert world.list(kinds.WORKFLOW) == []
    eventually(lambda: looks.versions(world) == [], "its versions are collected")


def test_a_deleted_workflow_without_runs_goes_at_once(world: Simulation) -> None:
    world.workflow()
    world.settle()
    world.store.delete(Ref(kinds.WORKFLOW, "default", "greet"))
    world.settle()

    assert world.list(kinds.WORKFLOW) == []


def test_a_workflow_of_the_same_name_starts_anew(world: Simulation) -> None:
    world.workflow()
    world.settle()
    edit(world, "output = 2")
    world.store.delete(Ref(kinds.WORKFLOW, "default", "greet"))
    world.settle()
    world.workflow(code="output = 3")
    world.pass_time(seconds=5)

    assert (looks.versions(world), live(world)) == (["greet-v1"], "v1")
    assert looks.bugs(world) == []


def test_twice_writes_nothing(world: Simulation) -> None:
    world.workflow(publish={"approval": {"groups": ["ops"]}})
    world.settle()
    assert looks.look_again(world) == 0
    decisions = {"bo": {"verdict": "Approved", "by": "bo"}}
    world.patch(kinds.APPROVAL, "greet-v1", {"decisions": decisions})
    world.settle()
    assert looks.look_again(world) == 0


@pytest.mark.parametrize("behind", [kinds.WORKFLOW_VERSION, kinds.WORKFLOW])
def test_caches_that_are_behind_publish_nothing_twice_and_reuse_no_number(lagging: Any, behind: Any) -> None:
    lagging.workflow()
    lagging.settle()
    lagging.hold(behind)
    edit(lagging, "output = 2")
    edit(lagging, "output = 3")
    for _ in range(3):
        looks.look_again(lagging)
    lagging.catch_up()
    lagging.pass_time(minutes=1)

    versions = lagging.list(kinds.WORKFLOW_VERSION)
    codes = [version["spec"]["definition"]["steps"][0]["action"]["python"]["code"] for version in versions]
    assert codes[0] == "output = 1"
    assert codes[-1] == "output = 3"
    assert len(set(codes)) == len(codes)
    assert [version["spec"]["number"] for version in versions] == list(range(1, len(codes) + 1))
    assert live(lagging) == f"v{len(codes)}"
    assert looks.bugs(lagging) == []
