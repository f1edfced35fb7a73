"""Steps of a run that have pods of their own: launched, looked at, stopped, and their ends recorded.

The history says what is to be done, and the cluster how it stands; what is known here besides is of no account. So whoever
leads next goes on where this one was. An epoch of an attempt's unit is one launch of it: the first to record its end has.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

from sluice.api.reasons import Reason, StepReason
from sluice.domain.durations import rough
from sluice.domain.launching.names import SegmentPod
from sluice.domain.launching.programs import UnfitError, program_of
from sluice.domain.launching.step_endings import ABSENT, AttemptState, Sight
from sluice.domain.launching.step_pods import StepPod, unit_of
from sluice.domain.run.attempts import conclude
from sluice.domain.run.driver import Work, handed_over
from sluice.domain.run.events import is_handed_over
from sluice.domain.run.given import RunGiven
from sluice.domain.run.plan import Plan, compile_plan
from sluice.domain.run.state import RunState
from sluice.ports.containers import Containers
from sluice.ports.launcher import Append, LaunchRefused, Segment
from sluice.reconcilers.world import World
from sluice.runtime.engine import MAX_LOSSES, RunEngine

REFUSED_AGAIN_AFTER: Final = 30_000_000
"""Microseconds after which a place that refused a pod is asked again."""
OVERDUE: Final = 120_000_000
"""Microseconds that a node gets beyond a step's timeout to end it; then nobody waits for the node any more."""
ANSWER_S: Final = 60.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Tended:
    """``under_way``: something runs apart, or is to. ``due`` is when to look again, microseconds; 0: when something is told.

    ``recorded``: the history has grown. ``hindrance`` says why a step does not begin.
    """

    under_way: bool = False
    hindrance: tuple[Reason, str] | None = None
    due: int = 0
    recorded: bool = False

    def look_again(self, at: int) -> None:
        """Look again at this time, at the latest; 0 says nothing."""
        self.due = min(self.due or at, at or self.due)

    def seconds(self, now: int) -> float:
        """How long that is from ``now``, microseconds."""
        return max(0.0, (self.due - now) / 1e6)


@dataclass(slots=True)
class _Run:
    """A run at one look."""

    segment: Segment
    plan: Plan
    state: RunState
    now: int
    tended: Tended = field(default_factory=Tended)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt under way: what it was handed over with, and its newest epoch."""

    work: Work
    unit: str
    epoch: int


class StepsApart:
    """Looks after all of them. Without ``containers`` there is nowhere for them to run."""

    def __init__(self, world: World, engine: RunEngine, containers: Containers | None) -> None:
        self._world = world
        self._engine = engine
        self._containers = containers

    def tend(self, segment: Segment) -> Tended:
        """See to a run whose next segment would be ``segment``; safe to repeat at any point."""
        if not any(is_handed_over(event) for event in segment.history):
            return Tended()
        plan = compile_plan(segment.definition, segment.level)
        given = RunGiven.read(segment.input, segment.run.uid, segment.deadline)
        run = _Run(segment, plan, RunState.resume(plan, given, segment.history), self._world.ledger.now())
        for step in run.state.apart:
            self._tend_step(run, step)
        run.tended.under_way = bool(run.state.apart)
        return run.tended

    def end(self, run_uid: str) -> None:
        """The run is over or gone: whatever still runs of it is of no use."""
        if self._containers is not None:
            self._containers.kill(run_uid)

    def _tend_step(self, run: _Run, step: str) -> None:
        ledger, uid = self._world.ledger, run.segment.run.uid
        work = handed_over(run.plan, run.state, step)
        unit = unit_of(step, work.attempt)
        attempt = _Attempt(work, unit, ledger.epoch(uid, unit) or ledger.raise_epoch(uid, unit))
        try:
            made = _step_pod(run.segment, attempt)
            if self._containers is None or made is None:
                raise UnfitError(
                    "it needs a pod of its own, and the environment launches processes; run it on a cluster"
                )
        except UnfitError as error:
            self._record(run, attempt, _failed(StepReason.INVALID_INPUT, str(error)))
            return
        try:
            self._move_on(run, attempt, made, self._containers)
        except LaunchRefused as refused:
            self._hinder(run, step, (refused.why, str(refused)))
            held = run.segment.run
            self._engine.held_up.add(held.namespace, environment=held.environment, run=held.name)
            run.tended.look_again(run.now + REFUSED_AGAIN_AFTER)
            with contextlib.suppress(LaunchRefused):  # what can't be asked can't be stopped either: later
                self._give_up_in_time(run, attempt, made, Sight(AttemptState.PENDING, (refused.why, str(refused))))

    def _move_on(self, run: _Run, attempt: _Attempt, made: StepPod, containers: Containers) -> None:
        stopping = run.state.steps[attempt.work.step].stopping
        if stopping:
            containers.stop(made)
            self._record(run, attempt, _failed(stopping, "the step was stopped because the run is ending"))
            return
        sight = containers.look(made)
        if sight.state is AttemptState.ENDED:
            body = {**sight.body, "log": containers.log(made), "started": sight.started}
            if self._record(run, attempt, body):
                containers.release(made)
            return
        if sight.state is AttemptState.LOST and sight.lost is not None:
            if attempt.epoch > MAX_LOSSES:
                what = f"its pod was lost {attempt.epoch} times, the last time: {sight.lost.message}"
                self._record(run, attempt, _failed(sight.lost.reason, what))
                containers.stop(made)
                return
            log.info(
                "step %s of run %s is launched again: %s", attempt.work.step, made.pod.run.name, sight.lost.message
            )
            containers.stop(made)
            epoch = self._world.ledger.raise_epoch(run.segment.run.uid, attempt.unit)
            attempt = _Attempt(attempt.work, attempt.unit, epoch)
            made, sight = _step_pod(run.segment, attempt) or made, ABSENT
        if sight.state is AttemptState.ABSENT:
            containers.launch(made)
            sight = Sight(AttemptState.PENDING, made=run.now)
        if sight.hindrance is not None:
            self._hinder(run, attempt.work.step, sight.hindrance)
        self._give_up_in_time(run, attempt, made, sight)

    def _give_up_in_time(self, run: _Run, attempt: _Attempt, made: StepPod, sight: Sight) -> None:
        """End an attempt that does not begin within its timeout; once it runs its node does that, unless the node is away."""
        timeout = made.timeout_s * 1_000_000
        if not timeout or self._containers is None:
            return
        begun = sight.state is AttemptState.RUNNING
        since = (begun and sight.started) or sight.made or run.state.steps[attempt.work.step].attempt_started
        due = since + timeout + (OVERDUE if begun else 0)
        if run.now < due:
            run.tended.look_again(due)
            return
        what = (
            "its node did not end it when its timeout was over" if begun else f"it had not begun after {rough(timeout)}"
        )
        why = f": {sight.hindrance[1]}" if sight.hindrance else ""
        self._containers.stop(made)
        self._record(run, attempt, _failed(StepReason.TIMED_OUT, what + why))

    def _hinder(self, run: _Run, step: str, hindrance: tuple[Reason, str]) -> None:
        if run.tended.hindrance is None:
            run.tended.hindrance = (hindrance[0], f"{step}: {hindrance[1]}")

    def _record(self, run: _Run, attempt: _Attempt, body: Mapping[str, Any]) -> bool:
        """Record the end of an attempt, and tell a segment that is open; False if somebody else has the attempt by now."""
        ledger, uid, step = self._world.ledger, run.segment.run.uid, attempt.work.step
        begun = run.state.steps[step].attempt_started
        timed = {key: value for key, value in body.items() if value or key == "output"}
        timed["started"] = max(begun, body.get("started") or 0)
        event = conclude(run.plan, run.state, step, timed, max(ledger.now(), begun))
        answered: Future[bool | BaseException] = Future()
        ledger.append(Append(uid, attempt.unit, attempt.epoch, 1, (event,), closes=True), answered.set_result)
        outcome = answered.result(ANSWER_S)
        if isinstance(outcome, BaseException):
            raise outcome
        if outcome:
            run.state.apply(event)
            run.tended.recorded = True
            self._engine.tell(uid, event)
        return outcome


def _step_pod(segment: Segment, attempt: _Attempt) -> StepPod | None:
    """What is launched of an attempt; None where the environment has no place for pods. UnfitError for what can't be."""
    if segment.placement is None:
        return None
    work, trigger = attempt.work, (segment.input.get("trigger") or {}).get("type") or "manual"
    ours = {
        "SLUICE_RUN": segment.run.id,
        "SLUICE_STEP": work.step,
        "SLUICE_ATTEMPT": str(work.attempt),
        "SLUICE_IDEMPOTENCY_KEY": work.key,
    }
    pod = SegmentPod(segment.run, attempt.unit, attempt.epoch, trigger)
    seconds = work.timeout / 1e6 or float(segment.limits.get("stepTimeout") or 0)
    return StepPod(pod, program_of(work.input, ours), segment.placement, timeout_s=-int(-seconds // 1))


def _failed(reason: str, message: str) -> dict[str, Any]:
    return {"phase": "Failed", "reason": str(reason), "message": message}
