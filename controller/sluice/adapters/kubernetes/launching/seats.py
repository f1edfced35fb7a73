"""Seats: what is known of each segment that was launched and is not over. A runner that comes is shown to its seat."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from sluice.domain.launching.placement import Placement
from sluice.domain.launching.standing import PodStanding
from sluice.domain.run.events import Event
from sluice.ports.launcher import Segment
from sluice.runner.protocol import Message

REMEMBERED = 10_000
"""Segments whose end is remembered, for a runner that did not hear that its last word was taken."""


class Claim(NamedTuple):
    """Which segment a runner says it has come for."""

    run_uid: str
    unit: str
    epoch: int


class Link(Protocol):
    """A runner's connection. Any thread may use it; nothing blocks, and to one that is gone nothing happens."""

    def send(self, *messages: Message) -> None:
        """Send messages, in order."""

    def close(self, code: int, reason: str) -> None:
        """End the connection; the runner comes back unless ``code`` says that there is nothing to come back for."""


@dataclass(slots=True, eq=False)
class Seat:
    """One segment. Times are monotonic seconds; ``holder`` is the uid of the pod that has it, empty before one came.

    ``closing``: its last append is on its way, so it can't be lost any more. ``looked``: how often it was asked why there
    is no pod. ``cancel``: the reason for which it is to be cancelled, once somebody is there to be told.
    """

    segment: Segment
    placement: Placement
    name: str
    launched: float
    heard: float
    looked: int = 0
    adopted: bool = False
    holder: str = ""
    link: Link | None = None
    standing: PodStanding | None = None
    closing: bool = False
    unanswered: int = 0
    cancel: str = ""
    told: list[Event] = field(default_factory=list)
    """What was recorded of its run outside it, also before it was launched: a runner that has its assignment already may not
    know of it."""

    @property
    def claim(self) -> Claim:
        """What its runner names."""
        return Claim(self.segment.run.uid, self.segment.unit, self.segment.epoch)


class Seats:
    """All of them, by claim and by run. ``lock`` guards seats and what is in them."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._seats: dict[Claim, Seat] = {}
        self._of_run: dict[str, list[Seat]] = {}
        self._over: OrderedDict[Claim, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seats)

    def find(self, claim: Claim) -> Seat | None:
        """The seat of a claim, or None."""
        return self._seats.get(claim)

    def of_run(self, run_uid: str) -> list[Seat]:
        """All seats of a run."""
        with self.lock:
            return list(self._of_run.get(run_uid, ()))

    def all(self) -> list[Seat]:
        """All seats, as they are now."""
        with self.lock:
            return list(self._seats.values())

    def take(self, seat: Seat) -> list[Seat] | None:
        """Add a seat; answers with those of older epochs that it replaces, None when its claim has a seat already."""
        with self.lock:
            claim = seat.claim
            others = self._of_run.setdefault(claim.run_uid, [])
            same_unit = [other for other in others if other.claim.unit == claim.unit]
            if any(other.claim.epoch >= claim.epoch for other in same_unit):
                return None
            for other in same_unit:
                self._remove(other)
            self._seats[claim] = seat
            self._of_run.setdefault(claim.run_uid, []).append(seat)
            return same_unit

    def leave(self, seat: Seat, *, over: bool = False) -> bool:
        """Remove a seat; False if it had gone. ``over``: its segment was closed, and its runner may be told so."""
        with self.lock:
            if over:
                self._over[seat.claim] = None
                if len(self._over) > REMEMBERED:
                    self._over.popitem(last=False)
            return self._remove(seat)

    def is_over(self, claim: Claim) -> bool:
        """Whether this segment was closed here not long ago."""
        return claim in self._over

    def _remove(self, seat: Seat) -> bool:
        if self._seats.get(seat.claim) is not seat:
            return False
        del self._seats[seat.claim]
        others = self._of_run[seat.claim.run_uid]
        others.remove(seat)
        if not others:
            del self._of_run[seat.claim.run_uid]
        return True
