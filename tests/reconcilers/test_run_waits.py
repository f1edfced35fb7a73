"""Only waits remain: the segment ends, nothing idles, and the next one is launched when the wait is over."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.api import kinds
from sluice.ports.launcher import Segment
from tests.reconcilers import looks
from tests.simulation.embedded import Simulation
from tests.simulation.stepping import Fails


def retrying(pause: str, limit: int = 3, **definition: Any) -> dict[str, Any]:
    step = {
        "name": "call",
        "action": {"python": {"code": "output = 1"}},
        "retry": {"limit": limit, "backoff": {"duration": pause, "factor": 1, "max": pause}},
    }
    return {"steps": [step], **definition}


class FailsAtFirst:
    """A step that fails ``times`` times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self, segment: Segment, work: Any) -> dict[str, Any]:
        if self.left:
            self.left -= 1
            raise Fails(status=503)
        return {"version": segment.run.number}


@pytest.fixture
def flaky(restarted) -> Simulation:  # type: ignore[no-untyped-def]
    world: Simulation = restarted(None)
    world.launcher.execute = FailsAtFirst(1)
    world.create(kinds.WORKFLOW, "greet", {"owner": "ana@example.com", "definition": retrying("10m")})
    world.settle()
    world.run("r")
    world.settle()
    world.launcher.run_all()
    world.settle()
    return world


def test_a_long_pause_shows_as_waiting_and_holds_no_process(flaky: Simulation) -> None:
    run = looks.run(flaky, "r")

    assert run["status"]["phase"] == "Waiting"
    assert looks.reason(run, "Ready") == "False/RunWaiting"
    assert "call waits until 2026-03-01T12:10:00Z" in looks.condition(run, "Ready")["message"]
    assert run["status"]["version"] == "v1"
    assert not flaky.launcher.open
    assert flaky.system.engine.in_flight == 0


def test_the_next_segment_is_launched_when_the_pause_is_over_and_not_before(flaky: Simulation) -> None:
    flaky.pass_time(minutes=9, seconds=59)
    assert not flaky.launcher.open

    flaky.pass_time(seconds=1)
    assert len(flaky.launcher.open) == 1
    flaky.finish_runs()

    run = looks.run(flaky, "r")
    assert run["status"]["phase"] == "Succeeded"
    assert flaky.launcher.launches == [("r", 1), ("r", 2)]
    assert flaky.launcher.done == [("r", "call"), ("r", "call")]


def test_a_restart_in_the_pause_changes_nothing(flaky: Simulation, restarted) -> None:  # type: ignore[no-untyped-def]
    world = restarted(flaky)
    world.settle()
    assert looks.run(world, "r")["status"]["phase"] == "Waiting"
    assert not world.launcher.launches

    world = restarted(world)
    world.pass_time(minutes=10)
    world.finish_runs()
    assert looks.run(world, "r")["status"]["phase"] == "Succeeded"


def test_waiting_writes_nothing_when_it_is_looked_at_again(flaky: Simulation) -> None:
    assert looks.look_again(flaky, kinds.WORKFLOW_RUN) == 0


def test_a_waiting_run_that_is_cancelled_ends_at_once(flaky: Simulation) -> None:
    flaky.patch(kinds.WORKFLOW_RUN, "r", {"cancel": True})
    flaky.finish_runs()

    run = looks.run(flaky, "r")
    assert run["status"]["phase"] == "Cancelled"
    assert flaky.launcher.done == [("r", "call")]


def test_a_waiting_run_that_is_deleted_is_forgotten(flaky: Simulation) -> None:
    from sluice.ports.store import Ref

    flaky.store.delete(Ref(kinds.WORKFLOW_RUN, "default", "r"))
    flaky.settle()
    flaky.pass_time(minutes=20)

    assert not flaky.launcher.open
    assert not flaky.ledger.open_runs()


def test_a_run_that_times_out_while_it_waits_ends_at_its_timeout(world: Simulation) -> None:
    world.launcher.execute = FailsAtFirst(5)
    spec = {"owner": "ana@example.com", "definition": retrying("1h", timeout="10m")}
    world.create(kinds.WORKFLOW, "greet", spec)
    world.settle()
    world.run("r")
    world.finish_runs()
    assert looks.run(world, "r")["status"]["phase"] == "Waiting"

    world.pass_time(minutes=10)
    world.finish_runs()

    run = looks.run(world, "r")
    assert run["status"]["phase"] == "Failed"
    assert run["status"]["failure"]["reason"] == "RunTimedOut"
    assert run["status"]["endedAt"] == "2026-03-01T12:10:00Z"


def test_the_environments_bound_on_a_run_counts_while_it_waits(world: Simulation) -> None:
    world.patch(kinds.ENVIRONMENT, "sandbox", {"limits": {"runTimeout": "5m"}})
    world.launcher.execute = FailsAtFirst(5)
    world.create(kinds.WORKFLOW, "greet", {"owner": "ana@example.com", "definition": retrying("1h")})
    world.settle()
    world.run("r")
    world.finish_runs()
    world.pass_time(minutes=5)
    world.finish_runs()

    assert looks.run(world, "r")["status"]["failure"]["reason"] == "RunTimedOut"


def test_several_waits_follow_each_other(world: Simulation) -> None:
    world.launcher.execute = FailsAtFirst(3)
    world.create(kinds.WORKFLOW, "greet", {"owner": "ana@example.com", "definition": retrying("2m")})
    world.settle()
    world.run("r")
    world.finish_runs()
    for _ in range(3):
        assert looks.run(world, "r")["status"]["phase"] == "Waiting"
        world.pass_time(minutes=2)
        world.finish_runs()

    assert looks.run(world, "r")["status"]["phase"] == "Succeeded"
    assert looks.bugs(world) == []
