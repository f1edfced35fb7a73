"""How a run ended: decided when the last main step is over, before ``finally``, which can't change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.domain.run.progress import Because, Failure, StepPhase, Verdict

if TYPE_CHECKING:
    from sluice.domain.run.state import RunState


def judge(state: RunState, at: int) -> Verdict:
    """The verdict. Whatever came first decides: the failure that halted the run, or the wish to end it.

    A failure that an error branch was to handle still fails the run where it says ``then: Fail``, and where the branch
    never ran, for then nothing has handled it. Of several such, the plan's order says which is told: it is the same
    whichever failed earlier.
    """
    if state.failing is not None:
        return Verdict("Failed", state.failing.reason, state.failing, at)
    if state.cancel is not None:
        phase = "Failed" if state.cancel.reason == Because.RUN_TIMED_OUT else "Cancelled"
        return Verdict(phase, state.cancel.reason, state.cancel, at)
    unhandled = [failure for failure in state.failures if not _is_handled(state, failure)]
    if unhandled:
        first = min(unhandled, key=lambda failure: state.plan.steps[failure.step].index)
        return Verdict("Failed", first.reason, first, at)
    return Verdict("Succeeded", Because.COMPLETED, None, at)


def _is_handled(state: RunState, failure: Failure) -> bool:
    step = state.plan.steps[failure.step]
    if step.tolerated:
        return True
    return not step.then_fail and state.steps[step.goto].phase is not StepPhase.SKIPPED
