"""Never two leaders, whatever networks, clocks and processes do; and one again, once they are well."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sluice.adapters.kubernetes.candidacy import Times
from tests.adapters.kubernetes.simulated_elections import Cluster, SkewedClock, Weather
from tests.adapters.kubernetes.simulated_world import World
from tests.adapters.sqlite.stores import Opened

STORM_S, CALM_S = 240.0, 90.0
A_YEAR_S = 365 * 86400.0
SAMPLE, WHOLE = range(15), range(15, 600)


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(getattr(request, "param", 0))
    yield made
    made.end()


@pytest.fixture
def cluster(world: World) -> Iterator[Cluster]:
    with Opened() as opened:
        yield Cluster(world, opened.store)


def any_clock(world: World) -> SkewedClock:
    """Seconds up to 8 % too long or short; a time of day that is wrong by anything, or stands still."""
    chance = world.chance
    skew = chance.choice([0.0, 3600.0, -3600.0, A_YEAR_S, -A_YEAR_S])
    return SkewedClock(world, chance.uniform(0.92, 1.08), chance.uniform(0, 1e6), skew, stands=chance.random() < 0.2)


def any_weather(world: World) -> Weather:
    chance = world.chance
    starts = [chance.uniform(0, STORM_S) for _ in range(chance.choice([0, 1, 3]))]
    outages = [(start, start + chance.uniform(1, 40)) for start in starts]
    return Weather(chance.choice([0, 0.05, 0.3]), chance.choice([0, 0.05, 0.3]), outages)


def make_trouble(world: World, cluster: Cluster) -> None:
    """Now and then somebody joins, leaves, is killed, or hears nothing of the watch any more."""
    moment = 0.0
    while (moment := moment + world.chance.expovariate(1 / 25)) < STORM_S:
        kind = world.chance.choice(["kill leader", "kill", "leave", "deaf", "join", "join"])
        world.at(moment, lambda kind=kind: happen(world, cluster, kind))


def happen(world: World, cluster: Cluster, kind: str) -> None:
    alive = [member for member in cluster.members if not member.actor.is_dead]
    if kind == "join" and len(alive) < 6:
        cluster.join(any_clock(world), any_weather(world))
    elif kind == "kill leader":
        for leader in cluster.leaders():
            leader.kill()
    elif alive and kind != "join":
        member = world.chance.choice(alive)
        match kind:
            case "kill":
                member.kill()
            case "leave":
                member.leave()
            case "deaf":
                member.is_deaf = True


def live_through_a_storm(world: World, cluster: Cluster) -> None:
    weathers = [any_weather(world) for _ in range(world.chance.randint(2, 5))]
    for weather in weathers:
        cluster.join(any_clock(world), weather)
    make_trouble(world, cluster)
    world.run(STORM_S)
    cluster.join(SkewedClock(world), Weather())  # so that there is somebody to lead
    end_in_peace(world, cluster)


def end_in_peace(world: World, cluster: Cluster) -> None:
    for member in cluster.members:
        member.link.weather = Weather()
    world.run(STORM_S + CALM_S)
    (leader,) = cluster.leaders()
    assert leader.candidacy.term == cluster.elections[-1][1]


@pytest.mark.parametrize("world", SAMPLE, indirect=True)
def test_there_are_never_two_leaders_and_in_the_end_there_is_one(world: World, cluster: Cluster) -> None:
    live_through_a_storm(world, cluster)


@pytest.mark.full
@pytest.mark.parametrize("world", WHOLE, indirect=True)
def test_there_are_never_two_leaders_in_many_more_storms(world: World, cluster: Cluster) -> None:
    live_through_a_storm(world, cluster)


@pytest.mark.parametrize("world", SAMPLE, indirect=True)
def test_deleting_the_lease_makes_no_second_leader(world: World, cluster: Cluster) -> None:
    """Of candidates who have seen it: one that begins just then can't know that there was a leader."""
    members = [cluster.join(any_clock(world), Weather()) for _ in range(3)]
    world.run(30)
    for member in members:
        member.link.weather = any_weather(world)
    for _ in range(12):
        world.at(world.chance.uniform(30, STORM_S), cluster.delete)
    world.run(STORM_S)
    end_in_peace(world, cluster)


def test_the_simulation_sees_two_leaders_where_margins_are_too_small(world: World, cluster: Cluster) -> None:
    """Else the tests above would prove nothing."""
    hasty = Times(10.1, 10.0, 2.0)
    cluster.join(SkewedClock(world, rate=0.8), Weather(outages=[(20, 60)]), hasty)
    world.run(10)
    cluster.join(SkewedClock(world), Weather(), hasty)
    with pytest.raises(AssertionError, match="leads, but the Lease names"):
        world.run(60)
