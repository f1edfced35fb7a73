"""How far the candidate may go now. Precedence: stop, hold, override, promotion, steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sluice.api.reasons import Reason
from sluice.api.rollout import (
    Candidate,
    OnGateFailure,
    OnNoData,
    RolloutPhase,
    RolloutSpec,
    RolloutStep,
)
from sluice.domain import durations
from sluice.domain.rollouts import gates, requests, supersede
from sluice.domain.rollouts.course import Course, Standing
from sluice.domain.routing.quota import FULL, percent_hundredths, percent_text
from sluice.domain.timestamps import stamp


def walk(course: Course) -> Standing:
    """Move until nothing moves any more, and say where that is.

    It ends: every move takes a step, ends a walk, spends an attempt or empties the queue.
    """
    while True:
        standing = _stand(course)
        if standing is not None:
            return standing


def _stand(course: Course) -> Standing | None:
    """Where the walk stands, or None after a move."""
    candidate = course.status.candidate
    if candidate is None:
        return None if supersede.release_queue(course) else _without_candidate(course)
    if not candidate.stopped:
        found = requests.stop_in_force(course.spec, candidate)
        if found is None:
            return _go(course, candidate)
        course.stop(candidate, Reason.STOPPED_BY_HAND, found[1].reason or "stopped by hand")
    return _stay_stopped(course, candidate)


def _without_candidate(course: Course) -> Standing:
    stable = course.status.stable
    if stable is None:
        return Standing(RolloutPhase.IDLE, Reason.NO_VERSION, "nothing is published yet")
    if len(course.facts.versions) == 1 and _first_percent(course.spec) < FULL:
        message = f"v{stable.number} takes all runs: there is no previous version to share them with"
        return Standing(RolloutPhase.COMPLETED, Reason.NO_PREVIOUS_VERSION, message)
    return Standing(RolloutPhase.COMPLETED, Reason.COMPLETED, f"v{stable.number} takes all runs")


def _stay_stopped(course: Course, candidate: Candidate) -> Standing | None:
    asked = requests.asked_attempt(course.spec, candidate)
    forbidden = requests.stop_in_force(course.spec, candidate, asked) is not None
    if asked > max(candidate.attempt, candidate.spent_retry) and not forbidden:
        course.retry(candidate, asked)
        return None
    if course.status.queued is not None and supersede.release_queue(course):
        return None
    message = (
        f"v{candidate.number} gets no runs: {candidate.stop_message}; "
        f"run `sluice rollout retry {course.facts.workflow}` or publish again"
    )
    return Standing(RolloutPhase.STOPPED, _stop_reason(candidate), message)


def _stop_reason(candidate: Candidate) -> Reason:
    """A newer release may have written a reason that this one does not know."""
    known = {reason.value for reason in Reason}
    return Reason(candidate.stop_reason) if candidate.stop_reason in known else Reason.STOPPED_BY_HAND


def _go(course: Course, candidate: Candidate) -> Standing | None:
    asked = requests.asked_attempt(course.spec, candidate)
    if asked > candidate.attempt:
        # Were it kept, the next stop would be undone in the very moment it is made.
        candidate.spent_retry = max(candidate.spent_retry, asked)
    if requests.hold_in_force(course.spec, candidate):
        message = f"v{candidate.number} is held at {course.status.percent} %"
        return Standing(RolloutPhase.HELD, Reason.HELD_BY_HAND, message)
    override = requests.override_in_force(course.spec, candidate)
    if override:
        return _at(course, candidate, percent_hundredths(override[1].percent), Reason.OVERRIDDEN_BY_HAND)
    if course.spec is None or course.status.stable is None or course.status.stable.digest == candidate.digest:
        return _at(course, candidate, FULL, Reason.COMPLETED)
    if course.spec.steps is None:
        candidate.step = 0
        return _at(course, candidate, _plain_percent(course, course.spec, candidate), Reason.AT_PERCENT)
    return _by_steps(course, candidate, course.spec.steps)


def _at(course: Course, candidate: Candidate, hundredths: int, reason: Reason) -> Standing | None:
    """Stay at a percentage; 100 % ends the walk."""
    course.set_percent(candidate, hundredths)
    if hundredths == FULL:
        course.complete(candidate, f"v{candidate.number} takes all runs")
        return None
    by_hand = reason is Reason.OVERRIDDEN_BY_HAND
    message = (
        f"v{candidate.number} takes {percent_text(hundredths)} % of new runs{' by an override' if by_hand else ''}"
    )
    return Standing(RolloutPhase.HELD if by_hand else RolloutPhase.PROGRESSING, reason, message)


def _by_steps(course: Course, candidate: Candidate, steps: Sequence[RolloutStep]) -> Standing | None:
    last = len(steps) - 1
    asked = _asked_percent(course, candidate)
    if asked is None and candidate.step < last and supersede.is_fast_return(course, candidate):
        course.go_to_step(candidate, last)
    candidate.step = min(candidate.step, last)
    step = steps[candidate.step]
    start = asked if candidate.step == 0 and asked is not None else percent_hundredths(step.percent)
    course.set_percent(candidate, start)
    if start == FULL:
        return _at(course, candidate, FULL, Reason.COMPLETED)
    promoted = min(requests.promoted_to(course.spec, candidate), last)
    if promoted > candidate.step:
        course.go_to_step(candidate, promoted)
        return None
    hindrance = _hindrance(course, candidate, step)
    if candidate.stopped:
        return None
    if hindrance is not None:
        return hindrance
    if candidate.step == last:
        return _at(course, candidate, start, Reason.AT_PERCENT)
    course.go_to_step(candidate, candidate.step + 1)
    return None


def _hindrance(course: Course, candidate: Candidate, step: RolloutStep) -> Standing | None:
    """What keeps the walk at its step. The gate is asked first, since it may fail while the pause lasts."""
    judged = _ask_gate(course, candidate, step)
    if candidate.stopped or (judged and judged.phase is RolloutPhase.HELD):
        return judged
    pausing = _pausing(course, candidate, step)
    return replace(pausing, starving=judged.starving) if pausing and judged else pausing or judged


def _ask_gate(course: Course, candidate: Candidate, step: RolloutStep) -> Standing | None:
    gate, spec, stable = step.gate, course.spec, course.status.stable
    if gate is None or spec is None or stable is None:
        return None
    samples = {
        environment: course.facts.sample(environment, course.revision(), gate.min_runs, stable.number)
        for environment in gates.judged_environments(gate, course.facts.environments)
    }
    verdict = gates.evaluate(gate, samples, course.step_started(candidate), course.now)
    if isinstance(verdict, gates.Passed):
        return None
    if isinstance(verdict, gates.Failed):
        if spec.on_gate_failure is OnGateFailure.STOP:
            course.stop(candidate, Reason.GATE_FAILED, verdict.message)
        return Standing(
            RolloutPhase.HELD, Reason.GATE_FAILED, f"the gate of step {candidate.step} failed: {verdict.message}"
        )
    course.due.append(verdict.look_again)
    if verdict.expired and spec.on_no_data is OnNoData.STOP:
        course.stop(candidate, Reason.NO_DATA, f"too few runs within {gate.max_wait}: {verdict.message}")
    phase = RolloutPhase.HELD if verdict.expired else RolloutPhase.PROGRESSING
    reason = Reason.NO_DATA if verdict.expired else Reason.WAITING_FOR_GATE
    return Standing(phase, reason, f"step {candidate.step} waits for runs: {verdict.message}", verdict.starving)


def _pausing(course: Course, candidate: Candidate, step: RolloutStep) -> Standing | None:
    if step.pause is None:
        return None
    if step.pause.duration is None:
        message = (
            f"step {candidate.step} waits at {course.status.percent} % to be advanced; "
            f"run `sluice rollout advance {course.facts.workflow}`"
        )
        return Standing(RolloutPhase.PAUSED, Reason.WAITING_TO_BE_ADVANCED, message)
    until = course.step_started(candidate) + durations.bounded(step.pause.duration)
    if course.now >= until:
        return None
    course.due.append(until)
    message = f"step {candidate.step} stays at {course.status.percent} % until {stamp(until)}"
    return Standing(RolloutPhase.PROGRESSING, Reason.PAUSED_FOR_DURATION, message)


def _plain_percent(course: Course, spec: RolloutSpec, candidate: Candidate) -> int:
    """A revert's own percentage, until an override says more; else the Rollout's, 100 if it says nothing."""
    asked = _asked_percent(course, candidate)
    return asked if asked is not None else _first_percent(spec)


def _asked_percent(course: Course, candidate: Candidate) -> int | None:
    version = course.version(candidate.number)
    return None if version is None or version.percent is None else percent_hundredths(version.percent)


def _first_percent(spec: RolloutSpec | None) -> int:
    if spec is None or (spec.percent is None and not spec.steps):
        return FULL
    return percent_hundredths(spec.steps[0].percent if spec.steps else spec.percent or 0)
