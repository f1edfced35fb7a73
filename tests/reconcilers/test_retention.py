"""Which objects of ended runs stay, and that their record does in any case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from sluice.api import kinds
from sluice.domain.timestamps import stamp
from sluice.ports.store import Ref
from sluice.reconcilers.runs.retention import EndedRun, Keep, superfluous
from tests.reconcilers import looks
from tests.simulation.embedded import Simulation

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def published(world: Simulation) -> Simulation:
    world.workflow()
    world.settle()
    return world


def ended(n: int, *, age: float = 0, phase: str = "Succeeded", environment: str = "sandbox") -> EndedRun:
    at = stamp(NOW - dt.timedelta(days=age, seconds=n))
    return EndedRun("default", f"r{n}", f"u{n}", "greet", environment, phase, at)


def test_of_ended_runs_the_newest_stay_by_kind_of_end_and_environment() -> None:
    keep = Keep(succeeded=2, others=1)
    runs = [ended(n) for n in range(4)] + [ended(n, phase="Failed") for n in range(10, 12)]
    runs += [ended(20, environment="production")]

    assert {run.name for run in superfluous(runs, keep, now=NOW)} == {"r2", "r3", "r11"}


def test_ended_runs_go_when_they_are_old_or_too_many_for_the_namespace() -> None:
    assert [run.name for run in superfluous([ended(1, age=8), ended(2, age=6)], Keep(), now=NOW)] == ["r1"]
    crowd = [ended(n, environment=f"e{n}") for n in range(5)]
    assert {run.name for run in superfluous(crowd, Keep(per_namespace=3), now=NOW)} == {"r3", "r4"}


def test_swept_runs_stay_in_the_record_and_open_ones_stay_at_all(published: Simulation) -> None:
    published.run("old")
    published.finish_runs()
    published.run("open")
    published.settle()
    published.pass_time(days=7, hours=2)
    published.pass_time(hours=2)

    assert [run["metadata"]["name"] for run in published.list(kinds.WORKFLOW_RUN)] == ["open"]
    record = published.ledger.run_named("default", "old")
    assert record is not None
    assert record.phase == "Succeeded"
    assert published.ledger.metrics(looks.workflow(published)["metadata"]["uid"]).ended_30d == 1


def test_what_ended_before_a_restart_is_swept_though_nothing_ends_any_more(
    restarted: Callable[[Simulation | None], Simulation],
) -> None:
    world = restarted(None)
    world.workflow()
    world.settle()
    world.run("r")
    world.finish_runs()
    world = restarted(world)
    world.settle()
    world.pass_time(days=7, minutes=2)
    world.pass_time(hours=1)

    assert world.list(kinds.WORKFLOW_RUN) == []


def test_a_new_run_with_the_name_of_a_swept_one_is_not_swept_with_it(lagging: Any) -> None:
    lagging.workflow()
    lagging.settle()
    lagging.run("r")
    lagging.finish_runs()
    lagging.hold(kinds.WORKFLOW_RUN)
    lagging.store.delete(Ref(kinds.WORKFLOW_RUN, "default", "r"))
    lagging.run("r")
    lagging.pass_time(days=8)
    assert looks.run(lagging, "r")

    lagging.catch_up()
    lagging.finish_runs()
    assert looks.run(lagging, "r")["status"]["phase"] == "Succeeded"


def test_an_installation_says_how_many_stay() -> None:
    world = Simulation(keep=Keep(succeeded=2))
    world.environment()
    world.workflow()
    world.settle()
    for n in range(4):
        world.run(f"r{n}")
        world.finish_runs()
        world.pass_time(seconds=1)
    world.pass_time(minutes=2)

    assert [run["metadata"]["name"] for run in world.list(kinds.WORKFLOW_RUN)] == ["r2", "r3"]
    world.close()
