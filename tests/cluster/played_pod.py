"""A runner's pod that is only played: the real line, outbox, exchange and session of a runner, and hands that do nothing.

It belongs to one thread, which calls `go_on` whenever something happened or `look` has come.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import selectors
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from sluice import __version__
from sluice.domain.run.driver import Work
from sluice.domain.run.events import Event
from sluice.domain.run.plan import Plan, compile_plan
from sluice.ports.store import Obj
from sluice.runner.connection import Trust
from sluice.runner.endings import Ending, ExitCode
from sluice.runner.exchange import Exchange
from sluice.runner.journal import Journal
from sluice.runner.line import Line
from sluice.runner.protocol import Message, ProtocolError
from sluice.runner.session import Session
from sluice.runner.settings import Settings
from sluice.runner.times import USUAL
from tests.cluster.playing_steps import Behaviour

trust_of = functools.lru_cache(Trust.of)
_NEVER = float("inf")


@dataclass(frozen=True)
class Stage:
    """Where pods are played. ``skew_s`` is how far their clocks are ahead."""

    selector: selectors.BaseSelector
    behaviour: Behaviour
    skew_s: float = 0.0


class PlayedPod:
    """One pod; it is the Hands of its session. ``ending`` says why it is over, None while it is not."""

    def __init__(self, pod: Obj, settings: Settings, stage: Stage) -> None:
        self.pod = pod
        self.plan: Plan
        self.keep = 0
        self.ending: Ending | None = None
        self.session: Session | None = None
        self._stage = stage
        self._log: list[str] = []
        journal = Journal(self._log.append)
        trust = trust_of(settings.authority, settings.server_name)
        selector = _PodSelector(stage.selector, self)
        self._line = Line(settings, trust, selector, times=USUAL, journal=journal)
        self._exchange = Exchange(settings.scratch, version=__version__, say_once=journal.say_once)
        self._numbers = itertools.count()
        self._attempts: list[tuple[float, int, str, dict[str, Any]]] = []
        self._stopped: set[int] = set()
        self._numbers_of: dict[str, int] = {}
        self._wake_at = _NEVER
        self._moved = False
        self._lease = USUAL.unassigned
        self._heard = time.monotonic()
        self.scheduled = _NEVER
        """Until when whoever plays it waits, at most."""

    @property
    def name(self) -> str:
        """The pod's."""
        return str(self.pod["metadata"]["name"])

    @property
    def log(self) -> str:
        """What it has printed about its line."""
        return "".join(self._log)

    @property
    def look(self) -> float:
        """When to go on although nothing happens, seconds of the monotonic clock."""
        due = self._attempts[0][0] if self._attempts else _NEVER
        return min(self._line.look, due, self._wake_at, self._heard + self._lease + 0.001)

    def go_on(self, now: float) -> None:
        """Do all that can be done now."""
        if self.ending:
            return
        if self._line.just_opened:
            self._exchange.connect()
        try:
            for message in self._line.receive():
                self._heard = now
                self._exchange.hear_controller(message)
        except ProtocolError as error:
            self._line.distrust(str(error))
        self._obey()
        self._finish_attempts(now)
        self._move(now)
        self._tell()
        self._line.tend()
        self._see_whether_over(now)

    def end(self, why: str) -> None:
        """It is killed: nothing more is said."""
        self._over(Ending(ExitCode.TERMINATED, why), 1001)

    def crash(self, why: str) -> None:
        """It came to grief by itself."""
        self._over(Ending(ExitCode.RUNNER_DIED, why), 1001)

    # -- Hands of the session ---------------------------------------------------------------------------------------
    def now(self) -> int:
        """Microseconds since the epoch, by the pod's own clock."""
        return time.time_ns() // 1000 + int(self._stage.skew_s * 1e6)

    def carry_out(self, session: Session, work: Work) -> None:
        """It begins at once, and ends when its time is over."""
        outcome = self._stage.behaviour(work)
        session.begun(work.step)
        if not outcome.took:
            session.ended(work.step, dict(outcome.body))
            return
        number = self._numbers_of[work.step] = next(self._numbers)
        heapq.heappush(self._attempts, (time.monotonic() + outcome.took / 1e6, number, work.step, dict(outcome.body)))

    def stop(self, session: Session, steps: Iterable[str]) -> None:
        """Forget attempts."""
        self._stopped |= {self._numbers_of[step] for step in steps if step in self._numbers_of}

    def ended(self, session: Session) -> None:
        """The session wants to move."""
        self._moved = True

    def append(self, session: Session, first: int, events: list[Event], *, closes: bool) -> None:
        """Into the outbox."""
        self._exchange.hear_runner(["events", session.number, first, [list(event) for event in events], closes])

    def wake(self, session: Session, at: int) -> None:
        """Let the session move at a time."""
        self._wake_at = min(self._wake_at, time.monotonic() + max(0, at - self.now()) / 1e6)

    # -- what is said -----------------------------------------------------------------------------------------------
    def _obey(self) -> None:
        for body in self._exchange.for_runner:
            self._obey_one(orjson.loads(body))
        self._exchange.for_runner.clear()

    def _obey_one(self, message: Message) -> None:
        match message:
            case ["define", terms]:
                self.plan = _plan_of(orjson.dumps(terms["definition"]), terms["level"])
                self.keep, self._lease = int(terms["keep"] * 1e6), terms["lease"]
            case ["assign", number, assignment]:
                self.session = Session(number, assignment, self)
                self.session.open()
            case ["heartbeat"]:
                self._exchange.hear_runner(["heartbeat"])
            case _ if self.session is not None:
                _pass_on(self.session, message)
                self._moved = True

    def _finish_attempts(self, now: float) -> None:
        while self._attempts and self._attempts[0][0] <= now:
            _, number, step, body = heapq.heappop(self._attempts)
            if number not in self._stopped and self.session is not None:
                self.session.ended(step, body)

    def _move(self, now: float) -> None:
        if self._wake_at <= now:
            self._wake_at, self._moved = _NEVER, True
        while self._moved and self.session is not None and not self.session.over:
            self._moved = False
            self.session.move()

    def _tell(self) -> None:
        for body in self._exchange.for_controller:
            self._line.send(body)
        self._exchange.for_controller.clear()
        while self._line.has_room and (entry := self._exchange.outbox.next_unsent()):
            self._line.send(entry.body)

    def _see_whether_over(self, now: float) -> None:
        if self._exchange.over:
            self._over(Ending(ExitCode.OVER, self._exchange.over), 1000)
        elif self._line.gave_up:
            self._over(self._line.gave_up, 1001)
        elif now - self._heard > self._lease:
            self._over(Ending(ExitCode.LEASE_OVER, "the controller was silent for too long"), 1001)

    def _over(self, ending: Ending, code: int) -> None:
        if self.ending is None:
            self.ending = ending
            self._line.close(code, ending.message)


class _PodSelector(selectors.BaseSelector):
    """The stage's selector, as one pod uses it: what is ready is then known to be that pod's."""

    def __init__(self, selector: selectors.BaseSelector, pod: PlayedPod) -> None:
        self._selector = selector
        self._pod = pod

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._selector.register(fileobj, events, (self._pod, data))

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._selector.modify(fileobj, events, (self._pod, data))

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._selector.unregister(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return self._selector.select(timeout)

    def get_map(self) -> Any:
        return self._selector.get_map()


def _pass_on(session: Session, message: Message) -> None:
    match message:
        case ["ack", _, sequence, accepted]:
            session.acknowledged(sequence, accepted=accepted)
        case ["cancel", _, reason]:
            session.cancel(reason)
        case ["drop", _]:
            session.abandon()


@functools.lru_cache(maxsize=256)
def _plan_of(definition: bytes, level: int) -> Plan:
    """Pods of one version share their plan, as segments of one runner do."""
    return compile_plan(orjson.loads(definition), level)
