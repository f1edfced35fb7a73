"""Rollouts through the whole system: steps walk by the clock, gates by runs, and people can stop it at any time."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.api import kinds
from sluice.ports.launcher import Segment
from sluice.ports.store import Ref
from tests.reconcilers import looks
from tests.simulation.embedded import Simulation
from tests.simulation.stepping import Fails

ROLLOUT = Ref(kinds.ROLLOUT, "default", "greet")


def declare(world: Simulation, **spec: Any) -> None:
    world.create(kinds.ROLLOUT, "greet", spec)
    world.workflow()
    world.settle()
    world.edit("greet", "output = 2")
    world.settle()


def percent(world: Simulation) -> Any:
    return looks.workflow(world)["status"].get("percent")


def stable(world: Simulation) -> Any:
    return looks.workflow(world)["status"]["stable"]


def start(world: Simulation, count: int, prefix: str) -> None:
    for n in range(count):
        world.run(f"{prefix}-{n}")
    world.finish_runs()
    world.pass_time(seconds=1)


def bad_candidate(segment: Segment, work: Any) -> dict[str, Any]:
    if segment.run.number == 2:
        raise Fails(message="500")
    return {}


def test_steps_with_a_pause_walk_by_the_clock_without_anybody_looking(world: Simulation) -> None:
    steps = [
        {"percent": 5, "pause": {"duration": "30m"}},
        {"percent": 50, "pause": {"duration": "1h"}},
        {"percent": 100},
    ]
    declare(world, steps=steps)
    assert percent(world) == "5"
    world.pass_time(minutes=29, seconds=59)
    assert percent(world) == "5"
    world.pass_time(seconds=1)
    assert percent(world) == "50"
    world.pass_time(hours=1)

    assert stable(world) == "v2"


def test_a_pause_without_a_duration_waits_to_be_advanced(world: Simulation) -> None:
    declare(world, steps=[{"percent": 10, "pause": {}}, {"percent": 100}])
    world.pass_time(hours=100)
    assert percent(world) == "10"

    world.patch(kinds.ROLLOUT, "greet", {"promotions": {"v2": {"step": 1}}})
    world.settle()
    assert stable(world) == "v2"


GATED = [{"percent": 50, "gate": {"minRuns": 4, "maxFailureRate": 25, "maxWait": "6h"}}, {"percent": 100}]


def test_a_gate_opens_when_enough_runs_went_well(world: Simulation) -> None:
    declare(world, steps=GATED)
    start(world, 6, "few")
    assert percent(world) == "50"
    start(world, 2, "more")

    assert stable(world) == "v2"


def test_a_gate_that_fails_stops_the_rollout_and_new_runs_are_stables(world: Simulation) -> None:
    world.launcher.execute = bad_candidate
    declare(world, steps=GATED)
    start(world, 8, "r")
    workflow = looks.workflow(world)
    assert workflow["status"]["rollout"]["candidate"]["stopped"] is True
    assert stable(world) == "v1"

    start(world, 4, "after")
    assert {looks.run(world, f"after-{n}")["status"]["version"] for n in range(4)} == {"v1"}
    events = {event["reason"] for event in world.list(kinds.EVENT)}
    assert "GateFailed" in events


def test_a_gate_without_runs_starves_visibly_and_holds_at_its_longest_wait(world: Simulation) -> None:
    declare(world, steps=GATED)
    start(world, 2, "r")
    world.pass_time(hours=6)
    rollout = world.get(kinds.ROLLOUT, "greet")

    assert looks.reason(rollout, "GateStarving").startswith("True/")
    assert percent(world) == "50", "no data is never a pass"


def test_three_supersessions_in_a_row_starve_the_candidate(world: Simulation) -> None:
    declare(world, percent=10)
    for n in range(3, 6):
        world.edit("greet", f"output = {n}")
        world.settle()

    assert looks.reason(world.get(kinds.ROLLOUT, "greet"), "CandidateStarved") == "True/SupersededThrice"
    assert stable(world) == "v1"


def test_a_stop_counts_for_the_very_next_run(world: Simulation) -> None:
    declare(world, percent=99)
    world.patch(kinds.ROLLOUT, "greet", {"stops": {"v2": {"reason": "5xx"}}})
    start(world, 10, "r")

    assert looks.versions_of_runs(world) == {"v1": 10}


@pytest.mark.parametrize("with_default", [False, True])
def test_deleting_the_rollout_in_mid_walk_is_a_stop(world: Simulation, with_default: bool) -> None:
    if with_default:
        world.create(kinds.ROLLOUT, "default", {"percent": 100})
    declare(world, percent=50)
    world.store.delete(ROLLOUT)
    world.settle()
    start(world, 6, "r")

    assert looks.versions_of_runs(world) == {"v1": 6}
    assert looks.workflow(world)["status"]["rollout"]["candidate"]["stopped"] is True
    assert looks.workflow(world)["status"]["live"] == "v1"


def test_who_holds_it_by_hand_is_shown(world: Simulation) -> None:
    declare(world, percent=50)
    world.patch(kinds.ROLLOUT, "greet", {"holds": {"v2": {"reason": "wait for ana"}}})
    world.settle()

    held = looks.condition(world.get(kinds.ROLLOUT, "greet"), "HeldByHand")
    assert held["status"] == "True"
    assert "v2" in held["message"]


def test_the_default_rollout_is_the_policy_of_all_without_their_own(world: Simulation) -> None:
    world.create(kinds.ROLLOUT, "default", {"percent": 20})
    world.workflow()
    world.settle()
    world.edit("greet", "output = 2")
    world.settle()
    assert percent(world) == "20"

    world.patch(kinds.ROLLOUT, "default", {"percent": 40})
    world.settle()
    assert percent(world) == "40"


def test_a_rollout_shows_what_its_workflow_decided(world: Simulation) -> None:
    declare(world, percent=25)
    shown = world.get(kinds.ROLLOUT, "greet")["status"]

    assert (shown["phase"], shown["percent"], shown["stable"]["version"]) == ("Progressing", "25", "v1")


def test_a_rollout_without_its_workflow_waits_and_moves_when_it_comes(world: Simulation) -> None:
    world.create(kinds.ROLLOUT, "greet", {"percent": 25})
    world.settle()
    assert looks.reason(world.get(kinds.ROLLOUT, "greet"), "Ready") == "False/WorkflowNotFound"
    assert looks.look_again(world, kinds.ROLLOUT) == 0

    world.workflow()
    world.settle()
    assert looks.condition(world.get(kinds.ROLLOUT, "greet"), "Ready")["reason"] != "WorkflowNotFound"


def test_twice_writes_nothing(world: Simulation) -> None:
    declare(world, percent=25)

    assert looks.look_again(world) == 0


def test_a_rollout_that_is_being_deleted_is_left_alone(world: Simulation) -> None:
    world.create(kinds.ROLLOUT, "greet", {"percent": 25})
    world.settle()
    ref = Ref(kinds.ROLLOUT, "default", "greet")
    world.store.patch(ref, {"metadata": {"finalizers": ["example.com/hold"]}}, manager="test")
    world.store.delete(ref)
    world.settle()

    assert looks.look_again(world, kinds.ROLLOUT) == 0
    assert looks.bugs(world) == []


def test_a_publish_goes_by_the_rollout_that_is_there_not_by_the_one_that_is_remembered(lagging: Any) -> None:
    """Nothing opens by accident: the cache still says 100 %."""
    lagging.create(kinds.ROLLOUT, "greet", {"percent": 100})
    lagging.workflow()
    lagging.settle()
    lagging.hold(kinds.ROLLOUT)
    lagging.patch(kinds.ROLLOUT, "greet", {"percent": 0})
    lagging.edit("greet", "output = 2")
    lagging.settle()
    lagging.run("r")
    lagging.finish_runs()

    assert looks.run(lagging, "r")["status"]["version"] == "v1"
    lagging.catch_up()
    assert looks.bugs(lagging) == []
