"""The runner: one process and one thread for all segments of a trust domain (a version in an environment).

It reads from the controller and from its workers, lets each segment move, and sends what they have to tell; all of one
round leaves in one write. It stops by its own clock when the controller was silent for the lease, at once when the link
is closed, and of its own accord when there was nothing to do for a while.
"""

from __future__ import annotations

import heapq
import os
import selectors
import socket
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from sluice.domain.run.driver import Work
from sluice.domain.run.events import Event
from sluice.domain.run.plan import Plan, compile_plan
from sluice.runner.crew import Crew
from sluice.runner.protocol import Channel, Closed, Message, ProtocolError
from sluice.runner.session import Session

LEASE: Final = 600.0
"""Seconds of silence after which the controller may have given the segments to somebody else."""


class Runner:
    """Everything inside the process; ``run`` returns when it is over. It is the `Hands` of its sessions.

    ``lease_is_over`` says that it stopped because the controller was silent.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.plan: Plan
        self.keep = 0
        self._crew: Crew | None = None
        self._selector = selectors.DefaultSelector()
        self._link = Channel(sock)
        self._watched = selectors.EVENT_READ
        self._selector.register(self._link, self._watched)
        self._sessions: dict[int, Session] = {}
        self._moved: dict[int, Session] = {}
        self._alarms: list[tuple[float, int]] = []
        self._alarm_of: dict[int, float] = {}
        self._lease = LEASE
        self._behind = 0
        self._heard = self._busy = time.monotonic()
        self._idle = float("inf")
        self._leaving = False
        self.lease_is_over = False
        self._asked_to_leave = False

    def run(self) -> None:
        """Serve until the controller is gone, or has agreed that this runner leaves."""
        try:
            look = float("inf")
            while not self._leaving:
                look = self._round(look)
        except (Closed, ProtocolError):
            return
        finally:
            if self._crew:
                self._crew.close()

    def now(self) -> int:
        """Microseconds since the epoch, UTC, by the controller's clock as far as it told."""
        return time.time_ns() // 1000 + self._behind

    def append(self, session: Session, first: int, events: list[Event], *, closes: bool) -> None:
        """Queue an append; it leaves with this round."""
        self._link.put(["events", session.number, first, [list(event) for event in events], closes])

    def wake(self, session: Session, at: int) -> None:
        """Let the session move at a time, microseconds UTC."""
        due = time.monotonic() + max(0, at - self.now()) / 1e6
        if self._alarm_of.get(session.number, float("inf")) > due:
            self._alarm_of[session.number] = due
            heapq.heappush(self._alarms, (due, session.number))

    def stop(self, session: Session, steps: Iterable[str]) -> None:
        """Stop attempts, silently."""
        if self._crew:
            self._crew.stop(session, steps)

    def carry_out(self, session: Session, work: Work) -> None:
        """Start an attempt."""
        if self._crew:
            self._crew.carry_out(session, work)

    def ended(self, session: Session) -> None:
        """An attempt of this session ended, so it wants to move."""
        self._moved[session.number] = session

    def _round(self, look: float) -> float:
        """Wait for something to happen and act on it; until when the next round may wait."""
        patience = None if look == float("inf") else max(0.0, look - time.monotonic())
        ready = self._selector.select(patience)
        now = time.monotonic()
        for key, _ in ready:
            if key.data is None:
                self._hear(now)
            else:
                pool, worker = key.data
                pool.answered(worker, now)
        self._ring(now)
        self._move()
        self._send()
        # Whatever can wait comes now, while the controller and the workers are busy with what was sent.
        look = self._look_after(now)
        if self._moved:  # an attempt's time was over
            self._move()
            look = self._look_after(now)
        self._send()
        return min(look, self._alarms[0][0]) if self._alarms else look

    def _look_after(self, now: float) -> float:
        """See to workers and lease; until when that is done."""
        return min(self._patience(now), self._crew.tick(now) if self._crew else float("inf"))

    def _move(self) -> None:
        while self._moved:
            moved, self._moved = self._moved, {}
            for session in moved.values():
                session.move()

    def _hear(self, now: float) -> None:
        self._link.flush()
        messages = self._link.receive()
        if now - self._heard > self._lease:
            # This process stood still meanwhile. What waited for it was said in time, but is heard too late.
            return
        for message in messages:
            self._heard = now
            self._obey(message)

    def _obey(self, message: Message) -> None:
        match message:
            case ["ack", number, sequence, accepted]:
                self._acknowledged(number, sequence, accepted=accepted)
            case ["assign", number, assignment]:
                self._asked_to_leave = False
                session = Session(number, assignment, self)
                self._sessions[number] = session
                session.open()
            case ["define", terms]:
                self._define(terms)
            case ["cancel", number, reason]:
                self._cancel(number, reason)
            case ["told", number, event]:
                self._told(number, Event(*event))
            case ["drop", number]:
                self._drop(number)
            case ["heartbeat"]:
                self._link.put(["heartbeat"])
            case ["bye"]:
                self._leaving = not self._sessions
            case _:
                raise ProtocolError(f"unknown message {message[0]!r}")

    def _define(self, terms: Mapping[str, Any]) -> None:
        self._behind += terms.get("now", self.now()) - self.now()
        self.plan = compile_plan(terms["definition"], terms["level"])
        self.keep = int(terms["keep"] * 1e6)
        self._idle, self._lease = terms["idle"], terms["lease"]
        self._crew = Crew(self.plan, terms["limits"], Path(terms["scratch"]), self._selector)

    def _acknowledged(self, number: int, sequence: int, *, accepted: bool) -> None:
        session = self._sessions.get(number)
        if session is None:
            return
        session.acknowledged(sequence, accepted=accepted)
        if session.over:
            self._forget(session)
        else:
            self._moved[number] = session

    def _cancel(self, number: int, reason: str) -> None:
        session = self._sessions.get(number)
        if session:
            session.cancel(reason)
            self._moved[number] = session

    def _told(self, number: int, event: Event) -> None:
        session = self._sessions.get(number)
        if session:
            session.told(event)
            self._moved[number] = session

    def _drop(self, number: int) -> None:
        session = self._sessions.get(number)
        if session:
            session.abandon()
            self._forget(session)

    def _forget(self, session: Session) -> None:
        for held in (self._sessions, self._moved, self._alarm_of):
            held.pop(session.number, None)
        if self._crew:
            self._crew.forget(session)
        self._busy = time.monotonic()

    def _ring(self, now: float) -> None:
        """Sessions whose time has come."""
        while self._alarms and self._alarms[0][0] <= now:
            due, number = heapq.heappop(self._alarms)
            if self._alarm_of.get(number) == due:
                del self._alarm_of[number]
                self._moved[number] = self._sessions[number]

    def _patience(self, now: float) -> float:
        """Until when nothing needs to happen, as far as the controller is concerned."""
        if now - self._heard > self._lease:
            self._leaving = self.lease_is_over = True
            return now
        if self._sessions:
            return self._heard + self._lease + 0.001
        leave = self._busy + self._idle
        if now >= leave and not self._asked_to_leave:
            self._asked_to_leave = True
            self._link.put(["bye"])
        return self._heard + self._lease + 0.001 if self._asked_to_leave else leave

    def _send(self) -> None:
        self._link.flush()
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._link.pending else 0)
        if wanted != self._watched:
            self._watched = wanted
            self._selector.modify(self._link, wanted)


def serve(sock: socket.socket) -> NoReturn:
    """Be a runner on this link, then end the process."""
    Runner(sock).run()
    os._exit(0)
