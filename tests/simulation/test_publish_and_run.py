"""The main job, whole: publish, roll out, route, run, stop, revert."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from sluice.api import kinds
from tests.simulation.embedded import Simulation


@pytest.fixture
def world() -> Iterator[Simulation]:
    simulation = Simulation()
    yield simulation
    simulation.close()


def versions_of_runs(world: Simulation) -> Counter[str]:
    return Counter(run["status"]["version"] for run in world.list(kinds.WORKFLOW_RUN))


def test_one_object_is_enough_to_publish_and_run(world: Simulation) -> None:
    world.environment()
    world.workflow()
    world.settle()

    workflow = world.get(kinds.WORKFLOW, "greet")
    assert workflow["status"]["phase"] == "Deployed"
    assert (workflow["status"]["live"], workflow["status"]["stable"]) == ("v1", "v1")

    world.run("r")
    world.finish_runs()
    run = world.get(kinds.WORKFLOW_RUN, "r")
    assert run["status"]["phase"] == "Succeeded"
    assert run["spec"]["pin"]["version"] == "greet-v1"


def test_of_twenty_runs_at_a_quarter_exactly_five_run_on_the_candidate(world: Simulation) -> None:
    world.environment()
    world.create(kinds.ROLLOUT, "greet", {"percent": 25})
    world.workflow()
    world.settle()
    world.edit("greet", "output = 2")
    world.settle()
    for n in range(20):
        world.run(f"r{n}")
    world.finish_runs()

    assert versions_of_runs(world) == {"v1": 15, "v2": 5}

    world.patch(kinds.ROLLOUT, "greet", {"stops": {"v2": {"reason": "5xx"}}})
    for n in range(20, 30):
        world.run(f"r{n}")
    world.finish_runs()
    assert versions_of_runs(world) == {"v1": 25, "v2": 5}

    world.patch(kinds.WORKFLOW, "greet", {"reverts": {"v3": {"to": "v1", "percent": 100}}})
    world.settle()
    world.run("last")
    world.finish_runs()
    assert world.get(kinds.WORKFLOW_RUN, "last")["status"]["version"] == "v3"
    history = [(v["metadata"]["name"], v["spec"].get("revertOf")) for v in world.list(kinds.WORKFLOW_VERSION)]
    assert history == [("greet-v1", None), ("greet-v2", None), ("greet-v3", "v1")]


def test_looking_again_at_everything_changes_and_writes_nothing(world: Simulation) -> None:
    world.environment()
    world.create(kinds.ROLLOUT, "greet", {"percent": 25})
    world.workflow()
    world.settle()
    world.edit("greet", "output = 2")
    world.run("r")
    world.finish_runs()
    world.pass_time(minutes=1)  # the figures follow a run's end after a moment
    before = world.writer.counters.operations

    for controller in world.system.controllers:
        for cache in world.system.caches.all():
            if cache.kind.singular == controller.name:
                for key in cache.keys(""):
                    controller.queue.add(key)
    assert world.system.drain() == 4

    assert world.writer.counters.operations == before
