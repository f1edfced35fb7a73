"""Events go an hour after they were last counted up, as on a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.api import kinds
from tests.reconcilers import looks
from tests.simulation.embedded import Simulation


def record(world: Simulation, message: str = "v1") -> None:
    about = world.get(kinds.ENVIRONMENT, "sandbox")
    world.system.world.recorder.record(about, "Normal", "Published", message)
    world.settle()


def messages(world: Simulation) -> list[str]:
    return [event["message"] for event in world.list(kinds.EVENT)]


def test_an_event_goes_after_an_hour(world: Simulation) -> None:
    record(world)
    world.pass_time(minutes=59, seconds=59)
    assert messages(world) == ["v1"]
    world.pass_time(seconds=1)

    assert messages(world) == []


def test_one_that_was_counted_up_stays_an_hour_more(world: Simulation) -> None:
    record(world, "once")
    record(world, "again")
    world.pass_time(minutes=30)
    record(world, "again")
    world.pass_time(minutes=30)
    assert messages(world) == ["again"]
    world.pass_time(minutes=30)

    assert messages(world) == []


def test_a_restart_does_not_make_it_stay_longer(restarted) -> None:  # type: ignore[no-untyped-def]
    world = restarted(None)
    record(world)
    world.clock.advance(minutes=59)
    world = restarted(world)
    world.settle()
    assert messages(world) == ["v1"]
    world.pass_time(minutes=1)

    assert messages(world) == []


@pytest.mark.parametrize(
    "time", [{"eventTime": "2026-03-01T12:00:00.000000Z"}, {"lastTimestamp": None}, {"lastTimestamp": "?"}]
)
def test_events_of_others_go_too_whatever_times_they_have(world: Simulation, time: dict[str, Any]) -> None:
    header = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "x", "namespace": "default"}}
    world.store.create({**header, "involvedObject": {}, "message": "m", **time}, manager="kubectl")
    world.settle()
    assert messages(world) == ["m"]
    world.pass_time(hours=1)

    assert messages(world) == []
    assert looks.bugs(world) == []
