"""Plays a run in one thread, with a callable in place of steps and a clock that jumps from event to event.

It decides with the very functions that the runner uses, so that what holds here holds there.
"""

from __future__ import annotations

import heapq
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sluice.domain.run.attempts import conclude
from sluice.domain.run.commands import CancelSteps, EndRun, StartStep, WakeAt
from sluice.domain.run.driver import Advance, Work, advance, begin, handed_over
from sluice.domain.run.events import CANCEL_REQUESTED, STOP_REQUESTED, Event
from sluice.domain.run.given import RunGiven
from sluice.domain.run.plan import Plan
from sluice.domain.run.progress import Because
from sluice.domain.run.state import RunState
from sluice.domain.run.values import visible_context, visible_steps


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an executor is asked to do; ``steps`` and ``context`` are what the step sees."""

    work: Work
    payload: Any
    params: Mapping[str, Any]
    steps: Mapping[str, Mapping[str, Any]]
    context: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ends: a StepBody, and how long it takes in microseconds."""

    body: Mapping[str, Any]
    took: int = 0


Executor: TypeAlias = Callable[[Attempt], Outcome]


@dataclass(frozen=True, slots=True)
class Simulation:
    """A played run: all its events, those it began with included, and the state after them."""

    events: tuple[Event, ...]
    state: RunState

    @property
    def body(self) -> dict[str, Any]:
        """The RunBody; empty if the run did not end, because it waits or was stopped."""
        return self.state.outcome or {}


def succeeded(output: object = None, *, took: int = 0, context: Mapping[str, Any] | None = None) -> Outcome:
    """An attempt that succeeds with this output, and sets these keys of the workflow's context."""
    body: dict[str, Any] = {"phase": "Succeeded", "reason": str(Because.COMPLETED), "output": output}
    if context:
        body["context"] = dict(context)
    return Outcome(body, took)


def failed(reason: str, message: str = "", *, took: int = 0, status: int = 0) -> Outcome:
    """An attempt that fails."""
    body: dict[str, Any] = {"phase": "Failed", "reason": reason, "message": message}
    if status:
        body["status"] = status
    return Outcome(body, took)


def simulate(
    plan: Plan,
    given: RunGiven,
    executor: Executor,
    *,
    history: Iterable[Event] = (),
    cancel_at: int = 0,
    stop_after: int = 0,
) -> Simulation:
    """Play a run from this history to its end, or until it only waits for somebody outside.

    ``cancel_at`` is when somebody asks for its end, microseconds, 0 for never; with ``stop_after`` it breaks off, as a
    runner that crashes does, as soon as there are that many events.
    """
    player = _Player(plan, given, executor, list(history))
    player.play(cancel_at, stop_after or sys.maxsize)
    events = player.events[:stop_after] if stop_after else player.events
    return Simulation(tuple(events), player.state)


class _Player:
    """The state of one simulation: what is in flight, and what time it is."""

    def __init__(self, plan: Plan, given: RunGiven, executor: Executor, history: list[Event]) -> None:
        self.plan, self.executor, self.events = plan, executor, history
        self.state = RunState.resume(plan, given, history)
        self.now = max([given.started, *(event.at for event in history)])
        self.flights: list[tuple[int, int, str, Mapping[str, Any]]] = []
        self.launched = 0
        # What has a pod of its own went on, whoever played the run before.
        for step in self.state.apart:
            stopping = self.state.steps[step].stopping
            if stopping:
                self._fly(step, failed(stopping, "it was stopped"))
            else:
                self._execute(handed_over(plan, self.state, step))

    def play(self, cancel_at: int, most: int) -> None:
        while len(self.events) < most and self.state.outcome is None:
            done = advance(self.plan, self.state, self.now)
            self.events += done.events
            if self._carry_out(done):
                continue
            moments = [command.at for command in done.commands if isinstance(command, WakeAt)]
            moments += [flight[0] for flight in self.flights[:1]]
            if cancel_at and self.state.cancel is None and self.state.verdict is None:
                moments.append(cancel_at)
            if not moments:
                return
            self.now = max(self.now, min(moments))
            if cancel_at and self.now >= cancel_at and self.state.cancel is None:
                self._append(Event(CANCEL_REQUESTED, "", 0, self.now, {"by": "test", "reason": "Cancelled"}))
            self._land()

    def _carry_out(self, done: Advance) -> bool:
        """Act on the commands; whether something happened that must be decided on before time goes on."""
        happened = False
        for command in done.commands:
            if isinstance(command, StartStep):
                happened = self._start(command) or happened
            elif isinstance(command, CancelSteps):
                happened = self._stop(command) or happened
            elif isinstance(command, EndRun):
                self._append(command.event(self.now))
                happened = True
        return happened

    def _start(self, command: StartStep) -> bool:
        beginning = begin(self.plan, self.state, command, self.now)
        self.events += beginning.events
        if beginning.work is None:
            return True
        self._execute(beginning.work)
        return False

    def _execute(self, work: Work) -> None:
        step = self.plan.steps[work.step]
        seen = Attempt(
            work=work,
            payload=self.state.given.payload,
            params=self.state.given.params,
            steps=visible_steps(self.state, step),
            context=visible_context(self.state, step),
        )
        outcome = self.executor(seen)
        if 0 < work.timeout < outcome.took:
            outcome = failed(Because.TIMED_OUT, "the attempt took longer than its timeout", took=work.timeout)
        self._fly(work.step, outcome)

    def _fly(self, step: str, outcome: Outcome) -> None:
        heapq.heappush(self.flights, (self.now + outcome.took, self.launched, step, outcome.body))
        self.launched += 1

    def _stop(self, command: CancelSteps) -> bool:
        stopped = [flight for flight in self.flights if flight[2] in command.steps]
        self.flights = [flight for flight in self.flights if flight[2] not in command.steps]
        heapq.heapify(self.flights)
        for _, _, step, _ in stopped:
            outcome = failed(command.reason, "it was stopped")
            if self.state.steps[step].work:
                attempt = self.state.steps[step].attempt
                self._append(Event(STOP_REQUESTED, step, attempt, self.now, {"reason": command.reason}))
                self._fly(step, outcome)
            else:
                self._conclude(step, outcome.body)
        return bool(stopped)

    def _land(self) -> None:
        if self.flights and self.flights[0][0] <= self.now:
            _, _, step, body = heapq.heappop(self.flights)
            # A wait may have been withdrawn meanwhile; what comes of it then is nobody's business.
            if not self.state.steps[step].over:
                self._conclude(step, body)

    def _conclude(self, step: str, body: Mapping[str, Any]) -> None:
        self._append(conclude(self.plan, self.state, step, body, self.now))

    def _append(self, event: Event) -> None:
        self.state.apply(event)
        self.events.append(event)
