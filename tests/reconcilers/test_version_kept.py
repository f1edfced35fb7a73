"""R044, R045, R260: a run belongs for ever to the version that it started with, whatever happens between its steps."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sluice.api import kinds
from tests.reconcilers import looks
from tests.simulation.embedded import Simulation, definition

STEPS = 3
Disturbance = Callable[[Simulation, str], None]


def declared(world: Simulation, percent: int) -> None:
    world.create(kinds.ROLLOUT, "greet", {"percent": percent})
    world.create(kinds.WORKFLOW, "greet", {"owner": "ana@example.com", "definition": definition("output = 1", STEPS)})
    world.settle()
    world.patch(kinds.WORKFLOW, "greet", {"definition": definition("output = 2", STEPS)})
    world.settle()


def publish(world: Simulation, pinned: str) -> None:
    world.patch(kinds.WORKFLOW, "greet", {"definition": definition("output = 3", STEPS + 1)})


def stop(world: Simulation, pinned: str) -> None:
    world.patch(kinds.ROLLOUT, "greet", {"stops": {"v2": {"reason": "5xx"}}})


def revert(world: Simulation, pinned: str) -> None:
    world.patch(kinds.WORKFLOW, "greet", {"reverts": {"v3": {"to": "v1", "percent": 100}}})


def whole(world: Simulation, pinned: str) -> None:
    world.patch(kinds.ROLLOUT, "greet", {"percent": 100})


def pause(world: Simulation, pinned: str) -> None:
    world.patch(kinds.WORKFLOW, "greet", {"suspend": True})


def inactivate(world: Simulation, pinned: str) -> None:
    world.create(kinds.ENVIRONMENT_STATE, "greet.sandbox", {"state": "Inactive"})


def lose(world: Simulation, pinned: str) -> None:
    for uid in list(world.launcher.open):
        world.launcher.lose(uid)


def nothing(world: Simulation, pinned: str) -> None:
    """Only the restart that follows."""


def check_runs(world: Simulation, expected: dict[str, int]) -> None:
    for name, number in expected.items():
        run = looks.run(world, name)
        assert (run["status"]["phase"], run["status"]["version"]) == ("Succeeded", f"v{number}")
        outputs = [
            event.body["output"] for event in world.ledger.history(run["metadata"]["uid"]) if event.kind == "StepEnded"
        ]
        assert outputs == [{"step": f"s{n}", "version": number} for n in range(STEPS)]
    assert looks.bugs(world) == []


def advance_all(world: Simulation, steps: int) -> None:
    for _ in range(steps):
        for uid in list(world.launcher.open):
            world.launcher.step(uid)


@pytest.mark.parametrize("boundary", range(STEPS + 1))
@pytest.mark.parametrize("disturb", [publish, stop, revert, whole, pause, inactivate, lose])
def test_a_run_keeps_its_version_whatever_happens_between_two_steps(
    world: Simulation, disturb: Disturbance, boundary: int
) -> None:
    declared(world, percent=50)
    world.run("stable")
    world.settle()
    world.run("candidate")
    world.settle()
    advance_all(world, boundary)
    disturb(world, "v2")
    world.settle()
    world.finish_runs()

    check_runs(world, {"stable": 1, "candidate": 2})


@pytest.mark.parametrize("boundary", range(STEPS + 1))
@pytest.mark.parametrize("disturb", [nothing, publish, stop, revert])
def test_a_run_keeps_its_version_over_a_restart_between_two_steps(  # type: ignore[no-untyped-def]
    restarted, disturb: Disturbance, boundary: int
) -> None:
    world = restarted(None)
    declared(world, percent=50)
    world.run("stable")
    world.settle()
    world.run("candidate")
    world.settle()
    advance_all(world, boundary)
    disturb(world, "v2")
    world = restarted(world)
    world.finish_runs()

    check_runs(world, {"stable": 1, "candidate": 2})


def test_a_run_that_is_not_pinned_yet_goes_by_what_is_in_force_when_it_is(world: Simulation) -> None:
    declared(world, percent=100)
    stop(world, "v2")
    world.run("late")
    world.settle()
    world.finish_runs()

    assert looks.run(world, "late")["status"]["version"] == "v2", (
        "v2 reached 100 % and is stable: there is nothing to stop"
    )


def test_a_run_begins_at_the_same_time_in_every_segment(world: Simulation) -> None:
    declared(world, percent=0)
    world.run("r")
    world.settle()
    seen = [opened.segment.input["run"]["startedAt"] for opened in world.launcher.open.values()]
    world.clock.advance(minutes=1)
    lose(world, "")
    world.settle()
    seen += [opened.segment.input["run"]["startedAt"] for opened in world.launcher.open.values()]

    assert len(seen) == 2
    assert seen[0] == seen[1]


def test_the_end_shows_when_the_run_ended_not_when_that_was_written_down(restarted) -> None:  # type: ignore[no-untyped-def]
    world = restarted(None)
    declared(world, percent=0)
    world.run("r")
    world.settle()
    world.clock.advance(seconds=5)
    world.launcher.run_all()  # recorded in the ledger; the controller dies before it looks
    world.clock.advance(hours=1)
    world = restarted(world)
    world.settle()

    status = looks.run(world, "r")["status"]
    assert (status["endedAt"], status["duration"]) == ("2026-03-01T12:00:05Z", "5s")
