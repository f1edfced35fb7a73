"""One segment inside a runner: its history, its state, what is under way, and what was not acknowledged yet.

Events are applied as soon as they happen, but nothing new starts before every record so far is acknowledged: that a
record which never became durable is followed by work that needs it can't happen. Pure decisions need no leave, so the
end of the last step and the end of the run travel in one append.

A step that has a pod of its own is handed over by the record of its start. Whoever has it records its end, and tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from sluice.domain.expressions.schema import validate
from sluice.domain.run.attempts import conclude
from sluice.domain.run.commands import CancelSteps, EndRun, StartStep, Wait, WakeAt
from sluice.domain.run.driver import Work, advance, begin, refuse_payload
from sluice.domain.run.events import CANCEL_REQUESTED, STEP_ENDED, STEP_STARTED, STOP_REQUESTED, Event
from sluice.domain.run.given import RunGiven
from sluice.domain.run.plan import Plan
from sluice.domain.run.state import RunState
from sluice.steps.outcome import Body, failed

IN_FLIGHT: Final = 2
"""Appends without an acknowledgement, at most: with one being written, the next can be on its way."""
VISIBLE_AFTER: Final = 50_000
"""Microseconds after which the start of a step is told although nothing else is to be told."""


class Hands(Protocol):
    """What a session needs of its runner."""

    plan: Plan
    keep: int
    """A wait this short (microseconds) does not end the segment."""

    def now(self) -> int:
        """Microseconds since the epoch, UTC."""

    def carry_out(self, session: Session, work: Work) -> None:
        """Start an attempt; the session hears of it by ``ended``."""

    def stop(self, session: Session, steps: Iterable[str]) -> None:
        """Stop attempts, silently; unknown ones are ignored."""

    def ended(self, session: Session) -> None:
        """An attempt ended: call ``move`` once, when all that happened at the same time is told."""

    def append(self, session: Session, first: int, events: list[Event], *, closes: bool) -> None:
        """Send events on their way."""

    def wake(self, session: Session, at: int) -> None:
        """Call ``move`` at this time."""


class Session:
    """One segment. ``number`` is the link's name for it; times are microseconds, UTC."""

    def __init__(self, number: int, assignment: Mapping[str, Any], hands: Hands) -> None:
        self.number = number
        self.over = False
        self._hands = hands
        self._plan = hands.plan
        history = [Event(*event) for event in assignment["history"]]
        uid = assignment["run"]["uid"]
        self._given = RunGiven.read(assignment["input"], uid, assignment["deadline"])
        self.state = RunState.resume(self._plan, self._given, history)
        self._wish = str(assignment.get("cancel") or "")
        self._is_fresh = all(event.body.get("reused") for event in history)
        self._time = max((event.at for event in history), default=0)
        self._working: set[str] = set()
        self._started: dict[str, int] = {}
        self._unsent: list[Event] = []
        self._next = 1
        self._recorded = 0
        self._acknowledged = 0
        self._sent: list[int] = []
        self._closing = False
        self._closed = False

    def open(self) -> None:
        """Check the payload, if nothing was done yet, and set off."""
        complaint = _payload_complaint(self._plan.definition, self._given.payload) if self._is_fresh else ""
        if complaint:
            self._record(refuse_payload(complaint, self._now()))
        if self._wish:
            self.cancel(self._wish)
        self.move()

    def cancel(self, reason: str) -> None:
        """Somebody wants the run to end, or its time is over. Once is enough."""
        if not self._closing and self.state.cancel is None:
            self._record(Event(CANCEL_REQUESTED, "", 0, self._now(), {"by": "", "reason": reason}))

    def told(self, event: Event) -> None:
        """Something of this run was recorded by somebody else: the end of an attempt that was handed over.

        It may be told more than once, and late; what is over stays as it is.
        """
        progress = self.state.steps.get(event.step)
        if progress is None or self._closing or not (progress.work and progress.attempt == event.attempt):
            return
        self._time = max(self._time, event.at)
        self.state.apply(event)

    def begun(self, step: str) -> None:
        """An attempt got its worker; before that it only waited."""
        self._started[step] = self._now()
        self._hands.wake(self, self._time + VISIBLE_AFTER)

    def ended(self, step: str, body: Body) -> None:
        """An attempt is over."""
        if step in self._working:
            self._working.discard(step)
            timed = {**body, "started": self._started.pop(step, 0)}
            self._record(conclude(self._plan, self.state, step, timed, self._now()))
            self._hands.ended(self)

    def acknowledged(self, sequence: int, *, accepted: bool) -> None:
        """Everything up to this event is durable, or somebody newer has taken over and this segment is nothing."""
        if not accepted:
            self.abandon()
            return
        self._acknowledged = max(self._acknowledged, sequence)
        self._sent = [last for last in self._sent if last > sequence]
        self.over = self.over or (self._closed and not self._sent)

    def abandon(self) -> None:
        """Stop at once and say nothing more."""
        self.over = True
        self._hands.stop(self, self._working)
        self._working = set()

    def move(self) -> None:
        """Decide, start what may start, and send what is to be told."""
        while not self._closing and not self.over and self._decide():
            pass
        if not self.over:
            self._flush()

    def _decide(self) -> bool:
        """One round; True if another is needed, because something was recorded meanwhile."""
        step = advance(self._plan, self.state, self._now())
        self._keep(step.events)
        again, wake_at, waits = False, 0, False
        for command in step.commands:
            match command:
                case StartStep():
                    again = self._start(command) or again
                case CancelSteps():
                    again = self._stop(command) or again
                case WakeAt(at=at):
                    wake_at = min(wake_at or at, at)
                case Wait():
                    waits = True
                case EndRun():
                    self._keep([command.event(self._now())])
                    self._closing = True
        if waits and not self._working and (not wake_at or wake_at - self._now() > self._hands.keep):
            self._closing = True
        elif wake_at and not self._closing:
            self._hands.wake(self, wake_at)
        return again

    def _start(self, command: StartStep) -> bool:
        if self._recorded > self._acknowledged:
            return False
        beginning = begin(self._plan, self.state, command, self._now())
        self._keep(beginning.events)
        if beginning.work is None or beginning.apart:
            return True
        self._working.add(command.step)
        self._hands.carry_out(self, beginning.work)
        return command.step not in self._working

    def _stop(self, command: CancelSteps) -> bool:
        """Stopped attempts end here: their workers are killed and say nothing any more.

        Of what was handed over only the wish is recorded: the pod may have come to its end by now.
        """
        steps = [step for step in command.steps if step in self.state.running]
        self._hands.stop(self, [step for step in steps if step in self._working])
        for step in steps:
            progress = self.state.steps[step]
            if progress.work:
                wish = {"reason": command.reason}
                self._record(Event(STOP_REQUESTED, step, progress.attempt, self._now(), wish))
                continue
            self._working.discard(step)
            body = failed(command.reason, "the step was stopped because the run is ending")
            self._record(conclude(self._plan, self.state, step, body, self._now()))
        return bool(steps)

    def _record(self, event: Event) -> None:
        """An event that nobody has applied yet."""
        self.state.apply(event)
        self._keep([event])

    def _keep(self, events: list[Event]) -> None:
        """Number events that are applied, to be sent."""
        self._unsent += events
        for place, event in enumerate(events):
            if event.kind == STEP_ENDED:
                self._recorded = self._next + place
        self._next += len(events)

    def _flush(self) -> None:
        if self._closing:
            if not self._closed:
                self._closed = True
                self._send()
            return
        if not self._unsent or len(self._sent) >= IN_FLIGHT:
            return
        if self._is_worth_sending():
            self._send()

    def _is_worth_sending(self) -> bool:
        """Starts alone are told only of steps that have had a worker for a while; the others ride along later.

        One that hands a step over is what somebody waits for.
        """
        visible = self._now() - VISIBLE_AFTER
        return any(
            event.kind != STEP_STARTED or event.body or self._started.get(event.step, self._time) <= visible
            for event in self._unsent
        )

    def _send(self) -> None:
        events, self._unsent = self._unsent, []
        self._hands.append(self, self._next - len(events), events, closes=self._closing)
        self._sent.append(self._next - 1)

    def _now(self) -> int:
        """The time, which never goes back within a history."""
        self._time = max(self._time, self._hands.now())
        return self._time


def _payload_complaint(definition: Mapping[str, Any], payload: object) -> str:
    """Where the payload breaks the trigger's schema, in one sentence; empty if it does not."""
    for kind, trigger in (definition.get("trigger") or {}).items():
        schema = trigger.get("schema") if isinstance(trigger, Mapping) else None
        if schema is None:
            continue
        problems = validate(schema, payload)
        if problems:
            told = "; ".join(str(problem.under("payload")) for problem in problems[:5])
            return f"the payload does not match trigger.{kind}.schema: {told}; change the input or the schema"
    return ""
