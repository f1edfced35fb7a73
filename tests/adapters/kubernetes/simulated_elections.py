"""Elections in simulated time: many candidates, each with clocks and a network of its own, in any order that a seed makes.

A request to the store is where others may come in between. The store itself is a real one, in memory.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sluice.adapters.kubernetes.candidacy import Candidacy, Standing, Times
from sluice.adapters.kubernetes.leases import LeaseName, read
from sluice.api.kinds import LEASE
from sluice.ports.errors import NotFound, PortError, Unavailable
from sluice.ports.store import Obj, Ref, Store, WatchEvent
from tests.adapters.kubernetes.simulated_world import World

NAME = LeaseName("default", "leader")
EPOCH = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


@dataclass
class SkewedClock:
    """A machine's clocks: seconds are ``rate`` long, its time of day is off by ``skew`` seconds, or stands still."""

    world: World
    rate: float = 1.0
    offset: float = 0.0
    skew: float = 0.0
    stands: bool = False

    def now(self) -> dt.datetime:
        return EPOCH + dt.timedelta(seconds=self.skew + (0.0 if self.stands else self.world.now))

    def monotonic(self) -> float:
        return self.offset + self.world.now * self.rate


@dataclass
class Weather:
    """What the network does: ``slow`` and ``lost`` are how likely a request is, while there are no outages.

    A lost one is, all alike: never there; done, but not answered; done a while after everybody gave it up.
    """

    slow: float = 0.0
    lost: float = 0.0
    outages: list[tuple[float, float]] = field(default_factory=list)

    def loses(self, world: World) -> bool:
        is_out = any(start <= world.now < end for start, end in self.outages)
        return is_out or world.chance.random() < self.lost

    def delay(self, world: World) -> float:
        if world.chance.random() < self.slow:
            return world.chance.uniform(0, 12)
        return world.chance.expovariate(50)


class Link:
    """The store as one candidate reaches it."""

    def __init__(self, world: World, cluster: Cluster, weather: Weather) -> None:
        self._world = world
        self._cluster = cluster
        self.weather = weather

    def get(self, ref: Ref) -> Obj:
        return self._asked(lambda: self._cluster.store.get(ref), ghosts=False)

    def create(self, obj: Obj) -> Obj:
        return self._asked(lambda: self._cluster.wrote("ADDED", self._cluster.store.create(obj)))

    def update(self, obj: Obj) -> Obj:
        return self._asked(lambda: self._cluster.wrote("MODIFIED", self._cluster.store.update(obj)))

    def _asked(self, ask: Callable[[], Obj], *, ghosts: bool = True) -> Obj:
        world, weather = self._world, self.weather
        if weather.loses(world):
            fate = world.chance.choice(["never", "done", "later"]) if ghosts else "never"
            if fate == "later":
                world.at(world.now + world.chance.uniform(0, 40), lambda: _quietly(ask))
            if fate == "done":
                world.sleep(weather.delay(world))
                _quietly(ask)
            world.sleep(world.chance.uniform(0, 6))
            raise Unavailable("the network is away; whether a write happened is unknown")
        world.sleep(weather.delay(world))
        try:
            answer, error = ask(), None
        except PortError as refused:
            answer, error = {}, refused
        world.sleep(weather.delay(world))
        if error is not None:
            raise error
        return answer


class Cluster:
    """The store, its candidates, and what must hold."""

    def __init__(self, world: World, store: Store) -> None:
        self.world = world
        self.store = store
        self.members: list[Member] = []
        self.elections: list[tuple[float, int, str]] = []
        world.watched = self._check

    def join(self, clock: SkewedClock, weather: Weather, times: Times | None = None) -> Member:
        member = Member(
            self, f"candidate-{len(self.members)}", clock, Link(self.world, self, weather), times or Times()
        )
        self.members.append(member)
        return member

    def leaders(self) -> list[Member]:
        return [member for member in self.members if not member.actor.is_dead and member.candidacy.is_leading()]

    def wrote(self, type: Any, lease: Obj) -> Obj:
        """Tell everybody who watches, each when it pleases the network."""
        event = WatchEvent(type, lease, lease["metadata"]["resourceVersion"])
        for member in self.members:
            member.will_hear(event)
        return lease

    def delete(self) -> None:
        """Somebody deletes the Lease by hand."""
        try:
            lease = self.store.delete(NAME.ref)
        except NotFound:
            return
        version = self.store.list(LEASE, NAME.namespace).resource_version
        self.wrote("DELETED", {**lease, "metadata": {**lease["metadata"], "resourceVersion": version}})

    def _check(self) -> None:
        leaders = self.leaders()
        assert len(leaders) <= 1, f"at {self.world.now}: {[leader.name for leader in leaders]} all lead"
        for leader in leaders:
            term = leader.candidacy.term
            if not self.elections or self.elections[-1][1:] != (term, leader.name):
                assert all(term > earlier for _, earlier, _ in self.elections), (term, self.elections)
                self.elections.append((self.world.now, term, leader.name))
            try:
                named = read(self.store.get(NAME.ref)).holder
            except NotFound:
                continue
            assert named == leader.name, f"at {self.world.now}: {leader.name} leads, but the Lease names {named}"


class Member:
    """One process that stands for election."""

    def __init__(self, cluster: Cluster, name: str, clock: SkewedClock, link: Link, times: Times) -> None:
        self.name = name
        self.clock = clock
        self.is_deaf = False
        """Its watch is broken, and nobody noticed."""
        self._cluster = cluster
        self._world = cluster.world
        self.link = link
        self._heard = 0.0
        self._leaves = self._is_due = self._pauses = False
        standing = Standing(name, f"https://{name}")
        self.candidacy = Candidacy(link, NAME, standing, times=times, clock=clock)  # type: ignore[arg-type]
        self.actor = self._world.act(self._stand)

    def will_hear(self, event: WatchEvent) -> None:
        if self.is_deaf:
            return
        self._heard = max(self._heard, self._world.now + self._world.chance.expovariate(20))
        self._world.at(self._heard, lambda: self._hear(event))

    def kill(self) -> None:
        """It is gone between two instructions; what it had sent may still arrive."""
        self._world.at(self._world.now, self._die)

    def leave(self) -> None:
        """A clean stop."""
        self._leaves = True
        self.candidacy.retire()
        self._wake()

    def _die(self) -> None:
        if not self.actor.is_dead:
            self.actor.is_dead = True
            self.actor.go.release()
            self._world.back.acquire()

    def _hear(self, event: WatchEvent) -> None:
        if not self.actor.is_dead and self.candidacy.hear(event):
            self._wake()

    def _wake(self) -> None:
        self._is_due = True
        if self._pauses:
            self._world.wake(self.actor)

    def _stand(self) -> None:
        while not self._leaves:
            with contextlib.suppress(PortError):
                self.candidacy.step()
            if not self._is_due:
                self._pauses = True
                self._world.sleep(self.candidacy.pause() / self.clock.rate)
                self._pauses = False
            self._is_due = False
        with contextlib.suppress(PortError):
            self.candidacy.vacate()


def _quietly(ask: Callable[[], Obj]) -> None:
    with contextlib.suppress(PortError):
        ask()
