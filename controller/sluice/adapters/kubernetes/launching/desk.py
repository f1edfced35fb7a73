"""Where runners come to: who may have which assignment, and what passes between a runner and its segment's sink.

``admit`` asks the API server and the ledger and may block; everything else is quick, and may be called on an event loop.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol

from sluice.adapters.kubernetes.launching.clusters import ClusterOf
from sluice.adapters.kubernetes.launching.launcher import define
from sluice.adapters.kubernetes.launching.seats import Claim, Link, Seat, Seats
from sluice.domain.launching.names import owns_pod
from sluice.domain.run.events import RUN_ENDED, STEP_ENDED, Event
from sluice.domain.tallies import Tally
from sluice.ports.errors import PortError
from sluice.ports.launcher import Append, SegmentSink
from sluice.ports.ledger import Ledger
from sluice.runner.protocol import Message

AGAIN_S: Final = 1
UNANSWERED: Final = 16
"""Appends of one runner that wait to be written, at most; a runner sends two."""
AWAY, REPLACED, MISBEHAVED = 1013, 4000, 1008
"""Close codes: try again later; another connection of the same pod took over; what it sent makes no sense."""

_PHASES: Final = {
    STEP_ENDED: ("Succeeded", "Failed", "Skipped"),
    RUN_ENDED: ("Succeeded", "Failed", "Cancelled", "Error"),
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a runner is not let in, as HTTP has it."""

    status: int
    reason: str
    headers: dict[str, str] = field(default_factory=dict)


class Leading(Protocol):
    """What the desk asks about leadership."""

    def is_leading(self) -> bool:
        """Whether this process is the one that runners talk to."""

    def runner_url(self) -> str:
        """Where the one that leads is reached; empty if nobody does."""


class RunnerDesk:
    """Admits runners to their seats and passes on what they say."""

    def __init__(
        self,
        seats: Seats,
        cluster_of: ClusterOf,
        ledger: Ledger,
        sink: Callable[[], SegmentSink],
        leading: Leading,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seats = seats
        self._cluster_of = cluster_of
        self._ledger = ledger
        self._sink = sink
        self._leading = leading
        self._monotonic = monotonic
        self.answers = Tally()
        """To runners that came, by HTTP status; 101 for those that were let in."""

    def admit(self, claim: Claim, token: str) -> Seat | Refusal:
        """The seat of a runner that shows ``token``, or why there is none for it. May block."""
        try:
            answer = self._answer(claim, token)
        except PortError as error:
            log.warning("a runner of run %s can't be let in now: %s", claim.run_uid, error)
            answer = Refusal(503, "what decides about this can't be reached", {"Retry-After": str(AGAIN_S)})
        self.answers.add(str(answer.status if isinstance(answer, Refusal) else 101))
        return answer

    def _answer(self, claim: Claim, token: str) -> Seat | Refusal:
        if not self._leading.is_leading():
            url = self._leading.runner_url()
            return Refusal(421, "another controller leads", {"Sluice-Leader": url} if url else {})
        seat = self._seats.find(claim)
        if seat is None:
            return self._unknown(claim)
        identity = self._cluster_of(seat.placement).reviewer.identify(token)
        if identity is None:
            return Refusal(401, "the token is not accepted")
        placement = seat.placement
        is_its = identity.namespace == placement.namespace and owns_pod(seat.name, identity.name, placement.launch)
        if not is_its:
            log.warning("pod %s/%s came for %s and is not its pod", identity.namespace, identity.name, seat.name)
            return Refusal(403, f"pod {identity.name} is not of this segment")
        if seat.holder != identity.uid:
            if not self._ledger.bind(*claim, identity.uid):
                return Refusal(409, "another pod has it, or its epoch is over")
            seat.holder = identity.uid
        return seat

    def _unknown(self, claim: Claim) -> Refusal:
        """No seat: the segment is over, or is an older one, or has not been taken up yet."""
        if self._seats.is_over(claim):
            return Refusal(410, "the segment is over")
        record = self._ledger.run(claim.run_uid)
        if record is None:  # another shard's, maybe, whose ledger knows it
            return Refusal(404, "the run is not known here", {"Retry-After": str(AGAIN_S)})
        if record.ended:
            return Refusal(410, "the run is over")
        if self._ledger.epoch(claim.run_uid, claim.unit) != claim.epoch:
            return Refusal(409, "a newer epoch was raised")
        return Refusal(404, "the segment is not known yet", {"Retry-After": str(AGAIN_S)})

    def begin(self, seat: Seat, link: Link, *, assigned: bool) -> None:
        """A runner is connected; ``assigned``: it has its assignment from an earlier connection."""
        with self._seats.lock:
            if self._seats.find(seat.claim) is not seat:
                link.close(AWAY, "the segment moved on")
                return
            before, seat.link = seat.link, link
            seat.heard, seat.unanswered = self._monotonic(), 0
            now, told = self._ledger.now(), list[Message]()
            if not assigned:
                told += define(seat.segment, now, cancel=seat.cancel)
            told += [["told", 1, list(event)] for event in seat.told]
            if seat.cancel and assigned:
                told.append(["cancel", 1, seat.cancel])
            link.send(*told, ["heartbeat"])  # the runner's lease begins anew at once, not at the next beat
        if before is not None:
            before.close(REPLACED, "the pod has connected anew")
        self._sink().began(*seat.claim)

    def heard(self, seat: Seat, link: Link, message: Message) -> None:
        """A runner said something."""
        if seat.link is not link:
            return
        seat.heard = self._monotonic()
        match message:
            case ["events", 1, int(first), list(events), bool(closes)] if first > 0 and (events or closes):
                self._appended(seat, link, _append(seat, first, events, closes=closes))
            case ["heartbeat"]:
                return
            case _:
                log.error("the runner of %s sent an unknown message", seat.name)
                link.close(MISBEHAVED, "unknown message")

    def left(self, seat: Seat, link: Link) -> None:
        """A connection has ended."""
        with self._seats.lock:
            if seat.link is link:
                seat.link = None

    def _appended(self, seat: Seat, link: Link, append: Append | None) -> None:
        if append is None or seat.unanswered >= UNANSWERED:
            link.close(MISBEHAVED, "events that make no sense" if append is None else "too many unanswered appends")
            return
        seat.unanswered += 1
        seat.closing = seat.closing or append.closes
        self._sink().appended(append, partial(self._acknowledged, seat, link, append))

    def _acknowledged(self, seat: Seat, link: Link, append: Append, accepted: bool | None) -> None:
        seat.unanswered -= 1
        if accepted is None:  # not written now: whoever leads after the outage is told again
            seat.closing = False
            link.close(AWAY, "the ledger can't write now")
            return
        if append.closes or not accepted:
            self._seats.leave(seat, over=append.closes and accepted)
        link.send(["ack", 1, append.last_seq, accepted])


def _append(seat: Seat, first: int, events: list[Any], *, closes: bool) -> Append | None:
    """The append that a message stands for; None when it is none."""
    try:
        made = tuple(Event(*event) for event in events)
    except TypeError:
        return None
    return Append(*seat.claim, first, made, closes) if all(map(_is_sound, made)) else None


def _is_sound(event: Event) -> bool:
    """What the ledger relies on: pods are not trusted to send nothing else."""
    shaped = (
        isinstance(event.kind, str)
        and isinstance(event.step, str)
        and type(event.attempt) is int
        and type(event.at) is int
        and isinstance(event.body, dict)
    )
    phases = _PHASES.get(event.kind) if shaped else None
    return shaped and (phases is None or event.body.get("phase") in phases)
