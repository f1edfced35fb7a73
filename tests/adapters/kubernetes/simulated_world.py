"""Threads in simulated time: only one of them runs at a time, and only when the world's agenda says so."""

from __future__ import annotations

import heapq
import itertools
import random
import threading
from collections.abc import Callable


class Over(BaseException):
    """The world ends, or this candidate was killed."""


class Actor:
    """One thread that runs when the world lets it."""

    def __init__(self, world: World, body: Callable[[], None]) -> None:
        self._world = world
        self._body = body
        self.go = threading.Semaphore(0)
        self.sleeps = 0
        self.is_dead = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def check(self) -> None:
        if self.is_dead:
            raise Over

    def _run(self) -> None:
        self.go.acquire()
        try:
            self.check()
            self._body()
        except Over:
            pass
        except BaseException as error:  # the test's own thread raises it
            self._world.fault = error
        self.is_dead = True
        self._world.back.release()


class World:
    """True time in seconds, and what happens when. ``watched`` is called after everything that happens."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = 0.0
        self.back = threading.Semaphore(0)
        self.fault: BaseException | None = None
        self.watched: Callable[[], None] = lambda: None
        self._order = itertools.count()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._actors: list[Actor] = []
        self._running: Actor | None = None

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Let something happen then."""
        heapq.heappush(self._agenda, (max(moment, self.now), next(self._order), action))

    def act(self, body: Callable[[], None]) -> Actor:
        """Start an actor now."""
        actor = Actor(self, body)
        self._actors.append(actor)
        self.at(self.now, lambda: self._resume(actor, 0))
        return actor

    def sleep(self, seconds: float) -> None:
        """For actors: let others come in between."""
        actor = self._running
        assert actor is not None
        actor.sleeps += 1
        number = actor.sleeps
        self.at(self.now + seconds, lambda: self._resume(actor, number))
        self.back.release()
        actor.go.acquire()
        actor.check()

    def wake(self, actor: Actor) -> None:
        """End its sleep."""
        number = actor.sleeps
        self.at(self.now, lambda: self._resume(actor, number))

    def run(self, until: float) -> None:
        """Let it all happen."""
        while self._agenda and self._agenda[0][0] <= until:
            self.now, _, action = heapq.heappop(self._agenda)
            action()
            if self.fault is not None:
                raise self.fault
            self.watched()
        self.now = until
        self.watched()

    def end(self) -> None:
        """Leave no thread."""
        for actor in self._actors:
            if not actor.is_dead:
                actor.is_dead = True
                actor.go.release()
            actor.thread.join(10)

    def _resume(self, actor: Actor, number: int) -> None:
        if actor.is_dead or actor.sleeps != number:
            return
        actor.sleeps += 1  # so that it is not woken twice
        self._running = actor
        actor.go.release()
        self.back.acquire()
        self._running = None
