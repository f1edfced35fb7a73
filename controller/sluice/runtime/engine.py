"""Segments in flight: between the launcher, which reports what happens in them, and the ledger, which makes it last.

Step events go straight from the launcher to the ledger and back; neither the work queue nor any object is touched. A
run's key is queued only when its segment is over: the run ended, only waits remain, or its process was lost.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sluice.api.reasons import Reason, StepReason
from sluice.domain.launching.placement import Placement
from sluice.domain.run.events import RUN_ENDED, STEP_ENDED, STOP_REQUESTED, Event, is_handed_over
from sluice.ports.clock import Clock
from sluice.ports.errors import Fenced, Unavailable
from sluice.ports.launcher import Acknowledge, Append, Launcher, LaunchRefused, Segment
from sluice.ports.ledger import Ledger
from sluice.runtime.held_up import HeldUp
from sluice.runtime.metrics import SegmentCounts
from sluice.runtime.queue import Key

MAX_LOSSES = 3
"""How often in a row a run's process may be lost without one more step done before the run is given up."""

SHOW_RUNNING_AFTER = 0.25
"""Seconds. A run that ends sooner after its runner began is written once, with its end."""

PROGRESS_PACE = 0.5
"""Seconds. The status of a run that takes longer follows its steps at this pace."""

_OF_ALL = (None, Reason.CLUSTER_UNREACHABLE)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Flight:
    """One run that was launched here. ``end`` is the body of RUN_ENDED once the ledger has it, ``ended`` its time.

    ``paused``: the segment is over and the run is not; only waits remain.
    """

    key: Key
    epoch: int
    launched: float = 0.0
    """Monotonic seconds."""
    lost: str = ""
    losses: int = 0
    end: dict[str, Any] | None = None
    ended: int = 0
    paused: bool = False
    cancelled: bool = False
    begun: float | None = None
    """Monotonic seconds at which its runner was there; a local one is at once."""
    hindrance: tuple[Reason, str] | None = None
    """Why its runner can't begin, or can't be asked."""
    lost_to: StepReason = StepReason.RUNNER_LOST
    apart: bool = False
    """Steps of it have, or had, pods of their own."""


class RunEngine:
    """The launcher's sink, and what the run reconciler asks about runs in flight."""

    def __init__(self, ledger: Ledger, clock: Clock, enqueue: Callable[[Key, float], None]) -> None:
        """``enqueue`` has a key looked at after so many seconds."""
        self._ledger = ledger
        self._clock = clock
        self._enqueue = enqueue
        self.counts = SegmentCounts()
        self.held_up = HeldUp(enqueue, clock)
        self._flights: dict[str, Flight] = {}
        self._lock = threading.Lock()
        self._launcher: Launcher | None = None

    def attach(self, launcher: Launcher) -> None:
        """Give the engine the launcher that reports to it."""
        self._launcher = launcher

    def flight(self, run_uid: str) -> Flight | None:
        """What is known of a run that was launched here."""
        return self._flights.get(run_uid)

    def launch(self, segment: Segment) -> None:
        """Start a segment; a repeat for an epoch in flight is ignored by the launcher."""
        launcher = self._required_launcher()
        flight = self._take_off(segment)
        if not launcher.remote:
            flight.begun = flight.launched
        try:
            launcher.launch(segment)
        except Exception as error:
            self.counts.refused.add(error.why if isinstance(error, LaunchRefused) else type(error).__name__)
            self._hold_up(segment, error)
            flight.lost = f"it could not be launched: {error}"
            if launcher.remote:  # it may have been, unheard: it is adopted then, at the next look
                self._flights.pop(segment.run.uid, None)
            raise
        self.counts.launched.add()

    def adopt(self, segment: Segment) -> bool:
        """Go on with a segment that an earlier controller launched, if there still is one."""
        launcher = self._required_launcher()
        if not launcher.remote:
            return False
        flight = self._take_off(segment)
        try:
            adopted = launcher.adopt(segment)
        except Exception as error:
            self._hold_up(segment, error)
            self._flights.pop(segment.run.uid, None)
            raise
        if not adopted and self._flights.get(segment.run.uid) is flight:
            del self._flights[segment.run.uid]
        if adopted:
            self.counts.adopted.add()
        return adopted

    def _hold_up(self, segment: Segment, error: Exception) -> None:
        if isinstance(error, LaunchRefused):
            run = segment.run
            self.held_up.add(run.namespace, environment=run.environment, run=run.name)

    def _take_off(self, segment: Segment) -> Flight:
        key = Key(segment.run.namespace, segment.run.name)
        with self._lock:
            known = self._flights.get(segment.run.uid)
            losses = known.losses if known else 0
            flight = Flight(key, segment.epoch, launched=self._clock.monotonic(), losses=losses)
            flight.apart = any(is_handed_over(event) for event in segment.history)
            self._flights[segment.run.uid] = flight
        return flight

    def cancel(self, run_uid: str, reason: str) -> bool:
        """Ask a running segment to cancel; once is enough. False if it has not begun, so that it can be given up."""
        flight = self._flights.get(run_uid)
        if flight is not None and not flight.paused and flight.end is None:
            if flight.cancelled and flight.begun is not None:
                return True
            flight.cancelled = True
            return self._required_launcher().cancel(run_uid, flight.epoch, reason=reason)
        return True

    def tell(self, run_uid: str, event: Event) -> None:
        """Let an open segment know what was recorded of its run by somebody else."""
        flight = self._flights.get(run_uid)
        if flight is not None:
            flight.losses = 0
            self._required_launcher().tell(run_uid, event)

    def forget(self, run_uid: str) -> None:
        """The run's end stands in its object."""
        self._flights.pop(run_uid, None)

    def kill(self, run_uid: str) -> None:
        """The run's object is gone: stop what runs of it."""
        if self._flights.pop(run_uid, None) is not None:
            self._required_launcher().kill(run_uid)

    def clear(self, run_uid: str, places: Sequence[Placement]) -> None:
        """Delete what is left of a run where it was launched; as ``ports.launcher.Launcher`` has it."""
        self._required_launcher().clear(run_uid, places)

    @property
    def in_flight(self) -> int:
        """How many runs have a segment here."""
        return sum(not flight.paused for flight in list(self._flights.values()))

    def _required_launcher(self) -> Launcher:
        if self._launcher is None:
            raise RuntimeError("attach() a launcher before runs are launched")
        return self._launcher

    # -- SegmentSink ------------------------------------------------------------------------------------------------
    def appended(self, append: Append, acknowledge: Acknowledge) -> None:
        """Make events last, then acknowledge them; the end of a segment queues its run's key."""

        def done(outcome: bool | BaseException) -> None:
            if isinstance(outcome, BaseException):
                self._append_failed(append, acknowledge, outcome)
                return
            acknowledge(outcome)
            if outcome:
                self._accepted(append)
            else:
                self._refused(append)

        self._ledger.append(append, done)

    def _accepted(self, append: Append) -> None:
        flight = self._flights.get(append.run_uid)
        if flight is None or flight.epoch != append.epoch:
            return
        if any(event.kind == STEP_ENDED for event in append.events):
            flight.losses = 0
        handed = any(is_handed_over(event) for event in append.events)
        flight.apart = flight.apart or handed
        if append.closes:
            last = append.events[-1] if append.events else None
            if last is not None and last.kind == RUN_ENDED:
                flight.end, flight.ended = last.body, last.at
                self.counts.ended.add(str(last.body.get("phase", "")))
            else:
                flight.paused = True
            self._enqueue(flight.key, 0.0)
        elif handed or (flight.apart and any(event.kind == STOP_REQUESTED for event in append.events)):
            self._enqueue(flight.key, 0.0)
        elif self._clock.monotonic() - flight.launched > PROGRESS_PACE:
            self._enqueue(flight.key, PROGRESS_PACE)

    def _refused(self, append: Append) -> None:
        """The segment was fenced and stops by itself. Nobody has launched a newer one if its flight is still here."""
        flight = self._flights.get(append.run_uid)
        if flight is not None and flight.epoch == append.epoch and flight.end is None:
            flight.lost = "a newer epoch was raised"
            self._enqueue(flight.key, 0.0)

    def _append_failed(self, append: Append, acknowledge: Acknowledge, error: BaseException) -> None:
        """The ledger could not write: the segment is refused and launched again from what is recorded.

        An outage (a full disk) is no fault of the run's and does not count towards giving it up. A remote runner keeps
        what it has to tell, so that it outlasts the outage, or tells it to the next leader.
        """
        log.warning("events of run %s could not be recorded: %s", append.run_uid, error)
        if self._required_launcher().remote and isinstance(error, Unavailable | Fenced):
            acknowledge(None)
            return
        acknowledge(False)
        message = f"its events could not be recorded: {error}"
        self._lost(append.run_uid, append.epoch, message, counts=not isinstance(error, Unavailable))

    def lost(
        self, run_uid: str, unit: str, epoch: int, message: str, *, reason: StepReason = StepReason.RUNNER_LOST
    ) -> None:
        """A segment's process is gone: have the run looked at."""
        log.info("segment %s of run %s, epoch %d, is lost: %s", unit, run_uid, epoch, message)
        self.counts.lost.add(reason.value)
        self._lost(run_uid, epoch, message, counts=True, reason=reason)

    def began(self, run_uid: str, unit: str, epoch: int) -> None:  # noqa: ARG002 - the port's
        """Its runner is there (again): show that it runs, unless it is over by then."""
        flight = self._flights.get(run_uid)
        if flight is None or flight.epoch != epoch or (flight.begun is not None and flight.hindrance is None):
            return
        flight.hindrance = None
        if flight.begun is None:
            flight.begun = self._clock.monotonic()
            self.counts.beginning.add(flight.begun - flight.launched)
        self._enqueue(flight.key, SHOW_RUNNING_AFTER)

    def hindered(self, run_uid: str, unit: str, epoch: int, reason: Reason | None, message: str) -> None:  # noqa: ARG002
        """Show why it can't begin; of one that has begun, only that nobody can tell what became of it."""
        flight = self._flights.get(run_uid)
        if flight is None or flight.epoch != epoch or (flight.begun is not None and reason not in _OF_ALL):
            return
        hindrance = (reason, message) if reason else None
        if flight.hindrance != hindrance:
            flight.hindrance = hindrance
            self._enqueue(flight.key, 0.0)

    def _lost(
        self,
        run_uid: str,
        epoch: int,
        message: str,
        *,
        counts: bool,
        reason: StepReason = StepReason.RUNNER_LOST,
    ) -> None:
        flight = self._flights.get(run_uid)
        if flight is None or flight.epoch != epoch or flight.end is not None:
            return
        flight.lost, flight.lost_to = message, reason
        flight.losses += counts
        self._enqueue(flight.key, 0.0)
