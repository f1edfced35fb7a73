"""Replays: an ended run's input again, from the start or from what failed, on its version or on the live one."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.api import kinds
from sluice.ports.launcher import Segment
from sluice.ports.store import Ref
from tests.reconcilers import looks
from tests.simulation.embedded import Simulation
from tests.simulation.stepping import Fails


class Broken:
    """Steps of these names fail; keeps the idempotency keys that every step was given."""

    def __init__(self, *broken: str) -> None:
        self.broken = set(broken)
        self.keys: dict[tuple[str, str], str] = {}

    def __call__(self, segment: Segment, work: Any) -> dict[str, Any]:
        self.keys[segment.run.name, work.step] = work.key
        if work.step in self.broken:
            raise Fails(message="the desk is closed")
        return {"version": segment.run.number, "by": segment.run.name}


def steps(**codes: str) -> dict[str, Any]:
    """A chain of steps: name to code."""
    chain, before = [], ""
    for name, code in codes.items():
        chain.append({"name": name, "needs": [before] if before else [], "action": {"python": {"code": code}}})
        before = name
    return {"steps": chain}


def replay(world: Simulation, name: str, of: str, from_: str = "Start", version: str = "Original", **given: Any) -> Any:
    world.run(name, replay={"of": of, "from": from_, "version": version}, **given)
    world.finish_runs()
    return looks.run(world, name)


@pytest.fixture
def failed(world: Simulation) -> Simulation:
    """``r`` failed at its third step of four."""
    world.launcher.execute = Broken("third")
    definition = steps(first="output = 1", second="output = 1", third="output = 1", fourth="output = 1")
    world.create(kinds.WORKFLOW, "greet", {"owner": "ana@example.com", "definition": definition})
    world.settle()
    world.run("r", payload={"n": 1})
    world.finish_runs()
    assert looks.run(world, "r")["status"]["phase"] == "Failed"
    world.launcher.done.clear()
    world.launcher.execute.broken.clear()
    return world


def executed(world: Simulation) -> list[str]:
    return [step for _, step in world.launcher.done]


def edit(world: Simulation, **codes: str) -> None:
    world.patch(kinds.WORKFLOW, "greet", {"definition": steps(**codes)})
    world.settle()


def test_from_the_start_every_step_runs_again_on_the_version_of_the_original(failed: Simulation) -> None:
    edit(failed, only="output = 2")
    again = replay(failed, "again", "r", payload={"n": 1})

    assert (again["status"]["phase"], again["status"]["version"]) == ("Succeeded", "v1")
    assert executed(failed) == ["first", "second", "third", "fourth"]
    assert again["spec"]["pin"]["draw"]["place"] == 0


def test_on_version_live_a_replay_is_drawn_like_any_run(failed: Simulation) -> None:
    edit(failed, only="output = 2")
    again = replay(failed, "again", "r", version="Live")

    assert again["status"]["version"] == "v2"
    assert executed(failed) == ["only"]


def test_from_failed_what_succeeded_is_taken_over_and_not_done_again(failed: Simulation) -> None:
    again = replay(failed, "again", "r", "Failed", payload={"n": 1})

    assert again["status"]["phase"] == "Succeeded"
    assert executed(failed) == ["third", "fourth"]
    history = failed.ledger.history(again["metadata"]["uid"])
    assert [(event.step, event.body.get("reused", False)) for event in history if event.kind == "StepEnded"] == [
        ("first", True),
        ("second", True),
        ("third", False),
        ("fourth", False),
    ]
    assert history[0].body["output"]["by"] == "r"
    assert again["status"]["counts"]["succeeded"] == 4


def test_from_failed_idempotency_keys_stay_those_of_the_first_run(failed: Simulation) -> None:
    keys = failed.launcher.execute.keys
    failed.launcher.execute.broken.add("fourth")
    replay(failed, "again", "r", "Failed")
    failed.launcher.execute.broken.clear()
    replay(failed, "third-time", "again", "Failed")
    replay(failed, "anew", "r")

    assert keys["again", "third"] == keys["r", "third"]
    assert keys["third-time", "fourth"] == keys["again", "fourth"]
    assert keys["anew", "third"] != keys["r", "third"]
    assert executed(failed)[:3] == ["third", "fourth", "fourth"]


def test_from_failed_on_the_live_version_only_unchanged_steps_are_taken_over(failed: Simulation) -> None:
    edit(failed, first="output = 1", second="output = 2", third="output = 1", fourth="output = 1")
    again = replay(failed, "again", "r", "Failed", "Live")

    assert again["status"]["version"] == "v2"
    assert executed(failed) == ["second", "third", "fourth"]


def test_a_lost_process_does_not_lose_what_was_taken_over(failed: Simulation) -> None:
    failed.run("again", replay={"of": "r", "from": "Failed", "version": "Original"})
    failed.settle()
    for uid in list(failed.launcher.open):
        failed.launcher.lose(uid)
    failed.finish_runs()

    again = looks.run(failed, "again")
    assert again["status"]["phase"] == "Succeeded"
    assert executed(failed) == ["third", "fourth"]
    keys = failed.launcher.execute.keys
    assert keys["again", "third"] == keys["r", "third"]


def test_a_record_is_enough_when_the_object_has_gone(failed: Simulation) -> None:
    failed.store.delete(Ref(kinds.WORKFLOW_RUN, "default", "r"))
    failed.settle()

    assert replay(failed, "again", "r", "Failed")["status"]["phase"] == "Succeeded"
    assert executed(failed) == ["third", "fourth"]


@pytest.mark.parametrize("version", ["Original", "Live"])
def test_what_is_not_there_can_not_be_replayed(failed: Simulation, version: str) -> None:
    status = replay(failed, "again", "nobody", version=version)["status"]

    assert (status["phase"], status["reason"]) == ("Rejected", "ReplayNotPossible")
    assert status["failure"]["message"] == "there is no ended run nobody of greet to replay"


def test_a_run_of_another_workflow_can_not_be_replayed(failed: Simulation) -> None:
    failed.workflow("other")
    failed.settle()
    status = replay(failed, "again", "r", workflow="other")["status"]

    assert status["reason"] == "ReplayNotPossible"
    assert executed(failed) == []


def test_a_run_that_has_not_ended_can_not_be_replayed(failed: Simulation) -> None:
    failed.run("open")
    failed.settle()
    failed.run("again", replay={"of": "open", "from": "Start", "version": "Original"})
    failed.settle()

    assert looks.run(failed, "again")["status"]["reason"] == "ReplayNotPossible"


def test_a_run_that_succeeded_has_no_failed_step_to_go_on_from(failed: Simulation) -> None:
    replay(failed, "good", "r")
    status = replay(failed, "again", "good", "Failed")["status"]

    assert status["reason"] == "ReplayNotPossible"
    assert "replay it from Start" in status["failure"]["message"]


def test_a_replay_works_while_the_workflow_is_paused(failed: Simulation) -> None:
    failed.patch(kinds.WORKFLOW, "greet", {"suspend": True})
    failed.settle()

    assert replay(failed, "again", "r")["status"]["phase"] == "Succeeded"


def test_a_replay_is_refused_where_the_workflow_is_inactive(failed: Simulation) -> None:
    failed.create(kinds.ENVIRONMENT_STATE, "greet.sandbox", {"state": "Inactive"})
    failed.settle()

    assert replay(failed, "again", "r")["status"]["phase"] == "Rejected"


def test_a_replay_of_a_bad_version_still_runs_it_and_leaves_the_split_alone(failed: Simulation) -> None:
    failed.create(kinds.ROLLOUT, "greet", {"percent": 50})
    edit(failed, only="output = 2")
    uid = looks.workflow(failed)["metadata"]["uid"]
    revision = looks.workflow(failed)["status"]["rollout"]["revision"]
    replay(failed, "again", "r")

    assert failed.ledger.dealt(uid, revision) == {}
