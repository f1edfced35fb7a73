"""Whether a step may run once all that comes before it is over.

* A step that switches choose, or error branches send to, runs only if one of them did, or if a need of it that lies
  downstream of one of them ran.
* A skip passes along every need, unless the step was chosen by the very exit that caused it, or another need that ran
  lies downstream of that exit. So does a failure that left through an error branch. ``needs: ["x?"]`` opts out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.domain.run.planned import PlannedStep
from sluice.domain.run.progress import NO_EXCUSE, Because, Causes, StepPhase, error_exit

if TYPE_CHECKING:
    from sluice.domain.run.state import RunState


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a step does not run."""

    reason: Because
    message: str
    causes: Causes


def refusal(state: RunState, step: PlannedStep) -> Refusal | None:
    """Why this step is to be skipped, or None if it may run."""
    if step.guards and not _is_chosen(state, step):
        names = ", ".join(step.guards)
        if step.switches:
            message = f"{names} did not choose it"
            return Refusal(Because.BRANCH_NOT_TAKEN, message, _causes_of_guards(state, step))
        return Refusal(Because.NOT_SENT_HERE, f"no failure of {names} sent here", _causes_of_guards(state, step))
    blocking = [name for name in _passed_by(state, step) if not _is_excused(state, step, name)]
    if not blocking:
        return None
    causes = frozenset().union(*(state.steps[name].causes for name in blocking))
    failed = [name for name in blocking if _is_failure(state, name)]
    if failed:
        return Refusal(Because.UPSTREAM_FAILED, f"{failed[0]}, which it needs, failed or could not run", causes)
    return Refusal(Because.UPSTREAM_SKIPPED, f"{blocking[0]}, which it needs, was skipped", causes)


def causes_of(state: RunState, step: PlannedStep) -> Causes:
    """Why a step that just ended without having run is passed by; a fact of what ended before it, so of the history."""
    progress = state.steps[step.name]
    if progress.phase is StepPhase.FAILED:
        return frozenset({frozenset({error_exit(step.name)})}) if step.goto else NO_EXCUSE
    if state.halted or progress.body.get("reason") in (Because.WHEN_FALSE, Because.RUN_ENDING):
        return NO_EXCUSE
    found = refusal(state, step)
    return found.causes if found else NO_EXCUSE


def _is_chosen(state: RunState, step: PlannedStep) -> bool:
    if step.name in state.chosen:
        return True
    # A need that is itself a guard has had its say.
    needs = [need.step for need in step.needs if need.step not in step.guards and state.steps[need.step].ran]
    return any(_lies_downstream(state, name, guard) for name in needs for guard in step.guards)


def _causes_of_guards(state: RunState, step: PlannedStep) -> Causes:
    exits = [(name, name) for name in step.switches] + [(name, error_exit(name)) for name in step.senders]
    decided = frozenset(way for name, way in exits if state.steps[name].ran)
    if decided:
        return frozenset({decided})
    # None of them got to decide: what kept them from it also keeps this step.
    return frozenset().union(*(state.steps[name].causes for name in step.guards))


def _passed_by(state: RunState, step: PlannedStep) -> Iterator[str]:
    return (need.step for need in step.needs if not need.optional and not state.steps[need.step].ran)


def _is_excused(state: RunState, step: PlannedStep, passed_by: str) -> bool:
    causes = state.steps[passed_by].causes
    return all(any(_excuses(state, step, passed_by, way) for way in clause) for clause in causes)


def _excuses(state: RunState, step: PlannedStep, passed_by: str, way: str) -> bool:
    if way in state.chosen.get(step.name, ()):
        return True
    source = way.removeprefix("!")
    for need in step.needs:
        if need.step == passed_by or not state.steps[need.step].ran:
            continue
        # A step that succeeded has not left through its error branch: needing it is the other way out of it.
        if _lies_downstream(state, need.step, source) or way == error_exit(need.step):
            return True
    return False


def _lies_downstream(state: RunState, name: str, of: str) -> bool:
    steps = state.plan.steps
    return bool(steps[name].ancestors & steps[of].bit)


def _is_failure(state: RunState, name: str) -> bool:
    progress = state.steps[name]
    return progress.phase is StepPhase.FAILED or progress.body.get("reason") == Because.UPSTREAM_FAILED
