"""Where a run is, folded from its events one at a time.

Applying an event touches only what waits for it, so that a whole run costs about as much as it has events and edges.
The fold decides nothing: the same events give the same state, whoever wrote them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sluice.domain.run.blackboard import Blackboard
from sluice.domain.run.clock import RunClock
from sluice.domain.run.events import (
    CANCEL_REQUESTED,
    RUN_ENDED,
    STEP_ENDED,
    STEP_STARTED,
    STOP_REQUESTED,
    TRIGGER,
    Event,
)
from sluice.domain.run.given import RunGiven
from sluice.domain.run.permission import causes_of
from sluice.domain.run.plan import Plan
from sluice.domain.run.planned import PlannedStep
from sluice.domain.run.progress import Because, Failure, Progress, StepPhase, Verdict, error_exit
from sluice.domain.run.values import Values
from sluice.domain.run.verdict import judge


class RunState:
    """The state of one run. Changed by ``apply`` only; read by everything else.

    ``permitted`` is a memory of what was decided to run and has not begun, so that a condition is evaluated once.
    ``frontier`` holds the steps of the present section whose predecessors are all over and that have not started.
    ``sent`` maps a handler to the first failure that sent to it, ``chosen`` a step to the exits that chose it.
    """

    def __init__(self, plan: Plan, given: RunGiven) -> None:
        self.plan = plan
        self.given = given
        self.steps = {name: Progress() for name in plan.steps}
        self.frontier: set[str] = set()
        self.running: set[str] = set()
        self.retrying: set[str] = set()
        self.interrupted: set[str] = set()
        self.permitted: set[str] = set()
        self.sent: dict[str, Failure] = {}
        self.chosen: dict[str, set[str]] = {}
        self.failures: list[Failure] = []
        self.failing: Failure | None = None
        self.cancel: Failure | None = None
        self.verdict: Verdict | None = None
        self.outcome: dict[str, Any] | None = None
        self.unended = {False: len(plan.main), True: len(plan.final)}
        self.blackboard = Blackboard(plan)
        self.clock = RunClock(given.started, plan.timeout, given.deadline)
        self.values = Values(self)
        self._needs_left = {step.name: len(step.needs) for step in plan.ordered}
        self._guards_left = {step.name: len(step.guards) for step in plan.ordered}
        self._cursor = 0
        self.frontier.update(step.name for step in plan.main if not step.needs and not step.guards)
        self._settle(given.started)

    @classmethod
    def fold(cls, plan: Plan, given: RunGiven, history: Iterable[Event]) -> RunState:
        """The state after these events."""
        state = cls(plan, given)
        for event in history:
            state.apply(event)
        return state

    @classmethod
    def resume(cls, plan: Plan, given: RunGiven, history: Iterable[Event]) -> RunState:
        """The state for a new segment: attempts that were in flight are gone and start again, with the same number.

        Not so those that were handed over: they go on in pods of their own.
        """
        state = cls.fold(plan, given, history)
        lost = {name for name in state.running if not plan.steps[name].waits and not state.steps[name].work}
        state.running -= lost
        state.interrupted |= lost
        return state

    def apply(self, event: Event) -> None:
        """Take in one event. What comes after a step's or the run's end, and what is no step's, changes nothing."""
        if self.outcome is not None:
            return
        self.clock.pass_time(event.at, active=self.active)
        if event.kind == STEP_STARTED:
            self._started(event)
        elif event.kind == STEP_ENDED:
            self._attempt_ended(event)
        elif event.kind == STOP_REQUESTED:
            self._stop_requested(event)
        elif event.kind == CANCEL_REQUESTED:
            self._cancel_requested(event)
        elif event.kind == RUN_ENDED:
            self.outcome = event.body
        self._settle(event.at)

    @property
    def active(self) -> bool:
        """Whether the run's clock goes on: not while only waits remain, and not after the verdict."""
        if self.verdict is not None:
            return False
        only_waits = bool(self.running) and all(self.plan.steps[name].waits for name in self.running)
        return not only_waits or bool(self.retrying or self.interrupted)

    @property
    def apart(self) -> tuple[str, ...]:
        """The steps under way in pods of their own, in order."""
        return self.in_order(name for name in self.running if self.steps[name].work)

    @property
    def halted(self) -> bool:
        """Whether the main steps are being brought to an end: one failed, or somebody wants the run to end."""
        return self.verdict is None and (self.failing is not None or self.cancel is not None)

    @property
    def over(self) -> bool:
        """Whether every step ended, ``finally`` too."""
        return not self.unended[False] and not self.unended[True]

    @property
    def section(self) -> tuple[PlannedStep, ...]:
        """The steps that it is about now: the main ones until there is a verdict, then those of ``finally``."""
        return self.plan.main if self.verdict is None else self.plan.final

    def candidates(self) -> list[PlannedStep]:
        """What can be decided on now, in order: whether it runs, is skipped, which way it goes."""
        if not self.plan.sequential:
            return sorted((self.plan.steps[name] for name in self.frontier), key=lambda step: step.index)
        if self.running or self.retrying or self.interrupted:
            return []
        following = self._first_unended()
        return [following] if following else []

    def in_order(self, names: Iterable[str]) -> tuple[str, ...]:
        """Names in the plan's order."""
        return tuple(sorted(names, key=lambda name: self.plan.steps[name].index))

    def _first_unended(self) -> PlannedStep | None:
        """The next step of a sequential run; the cursor only ever goes on, so all of them together cost one walk."""
        ordered = self.plan.ordered
        end = len(self.plan.main) if self.verdict is None else len(ordered)
        while self._cursor < end and self.steps[ordered[self._cursor].name].over:
            self._cursor += 1
        return ordered[self._cursor] if self._cursor < end else None

    def _started(self, event: Event) -> None:
        progress = self.steps.get(event.step)
        if progress is None or progress.over:
            return
        progress.phase = StepPhase.RUNNING
        progress.attempt = event.attempt
        progress.attempt_started = event.at
        progress.first_started = progress.first_started or event.at
        progress.work, progress.stopping = event.body.get("work") or {}, ""
        self._leave(event.step)
        self.running.add(event.step)

    def _stop_requested(self, event: Event) -> None:
        progress = self.steps.get(event.step)
        if progress is not None and event.step in self.running and progress.attempt == event.attempt:
            progress.stopping = event.body["reason"]

    def _attempt_ended(self, event: Event) -> None:
        if event.step == TRIGGER and event.attempt == 0 and event.body["phase"] == StepPhase.FAILED:
            self.failures.append(Failure.of(TRIGGER, 0, event.body))
            self._fail(self.failures[-1])
            return
        progress = self.steps.get(event.step)
        if progress is None or progress.over:
            return
        self._leave(event.step)
        progress.attempt = event.attempt
        progress.work, progress.stopping = {}, ""
        progress.body = event.body
        progress.attempt_started = event.body.get("started") or progress.attempt_started
        progress.first_started = progress.first_started or progress.attempt_started
        if event.body.get("retryAt"):
            progress.phase, progress.retry_at = StepPhase.RETRYING, event.body["retryAt"]
            self.retrying.add(event.step)
            return
        self._step_ended(self.plan.steps[event.step], progress)

    def _step_ended(self, step: PlannedStep, progress: Progress) -> None:
        progress.phase = StepPhase(progress.body["phase"])
        if progress.phase is StepPhase.SUCCEEDED:
            progress.ran = True
            self._succeeded(step, progress)
        elif progress.phase is StepPhase.FAILED:
            progress.ran = step.tolerated
            progress.causes = causes_of(self, step)
            self._failed(step, Failure.of(step.name, progress.attempt, progress.body))
        else:
            progress.causes = causes_of(self, step)
        self.unended[step.final] -= 1
        self._tell_followers(step)

    def _succeeded(self, step: PlannedStep, progress: Progress) -> None:
        for target in progress.body.get("next") or ():
            self.chosen.setdefault(target, set()).add(step.name)
        conflict = self.blackboard.write(step, progress.body.get("context") or {})
        if conflict is not None and not step.final:
            self.failures.append(conflict)
            self._fail(conflict)

    def _failed(self, step: PlannedStep, failure: Failure) -> None:
        stopped = failure.reason in (Because.CANCELLED, Because.RUN_TIMED_OUT)
        if not stopped:
            self.failures.append(failure)
        if step.goto and not self.halted:
            self.sent.setdefault(step.goto, failure)
            self.chosen.setdefault(step.goto, set()).add(error_exit(step.name))
        elif not step.goto and not step.tolerated:
            self._fail(failure)

    def _fail(self, failure: Failure) -> None:
        """The first failure decides, unless the run was being cancelled before."""
        if self.verdict is None and self.failing is None and self.cancel is None:
            self.failing = failure

    def _cancel_requested(self, event: Event) -> None:
        if self.verdict is not None or self.cancel is not None:
            return
        reason = event.body.get("reason") or Because.CANCELLED
        first = next(iter(self.in_order(self.running | self.interrupted | self.retrying)), "")
        attempt = self.steps[first].attempt if first else 0
        message = event.body.get("message") or f"cancelled by {event.body.get('by') or 'the controller'}"
        self.cancel = Failure(first, attempt, reason, message)

    def _tell_followers(self, step: PlannedStep) -> None:
        for name in step.needed_by:
            self._needs_left[name] -= 1
            self._consider(name)
        for name in (*step.targets, *((step.goto,) if step.goto else ())):
            self._guards_left[name] -= 1
            self._consider(name)

    def _consider(self, name: str) -> None:
        # A handler starts at the first failure that sends to it; whoever else may send there is not waited for.
        ready = not self._needs_left[name] and (not self._guards_left[name] or name in self.sent)
        if ready and self.steps[name].phase is StepPhase.PENDING:
            self.frontier.add(name)

    def _leave(self, name: str) -> None:
        for held in (self.frontier, self.running, self.retrying, self.interrupted):
            held.discard(name)

    def _settle(self, at: int) -> None:
        if self.verdict is None and not self.unended[False]:
            self.verdict = judge(self, at)
            self.frontier = {step.name for step in self.plan.final if not step.needs and not step.guards}
            self.values.verdict_is(self.verdict)
