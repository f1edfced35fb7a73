"""A runner's hands without processes: what a session asks for is kept, and time stands still unless moved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sluice.domain.run.driver import Work
from sluice.domain.run.events import Event
from sluice.domain.run.plan import Plan, compile_plan
from sluice.runner.session import Session


@dataclass
class Sent:
    first: int
    events: list[Event]
    closes: bool

    @property
    def last(self) -> int:
        return self.first + len(self.events) - 1

    @property
    def told(self) -> list[str]:
        return [f"{event.kind} {event.step}".strip() for event in self.events]


@dataclass
class Hands:
    plan: Plan
    keep: int = 1_000_000
    time: int = 1_000_000
    works: dict[str, Work] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    alarms: list[int] = field(default_factory=list)

    def now(self) -> int:
        return self.time

    def carry_out(self, session: Session, work: Work) -> None:
        self.works[work.step] = work

    def stop(self, session: Session, steps: Iterable[str]) -> None:
        self.stopped += steps

    def ended(self, session: Session) -> None:
        """The tests move sessions themselves."""

    def append(self, session: Session, first: int, events: list[Event], *, closes: bool) -> None:
        self.sent.append(Sent(first, events, closes))

    def wake(self, session: Session, at: int) -> None:
        self.alarms.append(at)

    @property
    def told(self) -> list[list[str]]:
        return [sent.told for sent in self.sent]


SUCCEEDED = {"phase": "Succeeded", "reason": "Completed", "output": 1}
FAILED = {"phase": "Failed", "reason": "CodeFailed", "message": "no"}


def open_session(
    definition: dict[str, Any], *, history: Iterable[Event] = (), wish: str = "", **given: Any
) -> tuple[Session, Hands]:
    """A session that has been opened, and the hands that it was given. ``wish``: why the run is to end."""
    hands = Hands(compile_plan(definition))
    assignment = {"run": {"uid": "r"}, "input": {"payload": None} | given, "deadline": 0, "cancel": wish}
    session = Session(1, assignment | {"history": [list(event) for event in history]}, hands)
    session.open()
    return session, hands


def finish(session: Session, step: str, body: dict[str, Any] | None = None) -> None:
    """An attempt had a worker, and ended."""
    session.begun(step)
    session.ended(step, dict(body or SUCCEEDED))
    session.move()


def acknowledge(session: Session, sequence: int, *, accepted: bool = True) -> None:
    session.acknowledged(sequence, accepted=accepted)
    session.move()
