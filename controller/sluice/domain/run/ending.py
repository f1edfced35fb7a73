"""What a run answers: its verdict, its outputs, its context, how many steps ended how."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from sluice.domain.expressions import Compiled, CompiledList, CompiledMap, CompiledValue, EvaluationError
from sluice.domain.run.plan import Plan
from sluice.domain.run.progress import Failure, StepPhase, capped

if TYPE_CHECKING:
    from sluice.domain.run.state import RunState

LOG_TAIL: Final = 4096
"""How much of a failed step's log goes with the failure, characters."""

_WHOLE_OUTPUT = re.compile(r"\s*steps\s*\.\s*([a-z][a-z0-9_]*)\s*\.\s*output\s*")


def run_body(plan: Plan, state: RunState) -> dict[str, Any]:
    """The RunBody of a run of which every step is over."""
    verdict = state.verdict
    if verdict is None:
        raise ValueError("the run has no verdict yet; its steps are not over")
    outputs, errors = run_outputs(plan, state)
    body: dict[str, Any] = {
        "phase": verdict.phase,
        "reason": str(verdict.reason),
        "outputs": outputs,
        "outputErrors": errors,
        "context": state.blackboard.visible(None),
        "counts": step_counts(state),
    }
    if verdict.failure is not None:
        body["failure"] = failure_body(verdict.failure)
    return body


def failure_body(failure: Failure) -> dict[str, Any]:
    """A failure as the end of a run tells it."""
    return {
        "step": failure.step,
        "attempt": failure.attempt,
        "reason": str(failure.reason),
        "message": failure.message,
        "logTail": failure.log[-LOG_TAIL:],
    }


def step_counts(state: RunState) -> dict[str, int]:
    """How many steps there are and how many ended how, those of ``finally`` included."""
    phases = Counter(progress.phase for progress in state.steps.values())
    return {
        "total": len(state.steps),
        "succeeded": phases[StepPhase.SUCCEEDED],
        "failed": phases[StepPhase.FAILED],
        "skipped": phases[StepPhase.SKIPPED],
    }


def run_outputs(plan: Plan, state: RunState) -> tuple[dict[str, Any], dict[str, str]]:
    """The declared outputs and, for those that are null because they have no value, why."""
    outputs: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name in plan.outputs:
        try:
            compiled = plan.programs.output(name)
            _require_success(compiled, state)
            outputs[name] = state.values.evaluate(compiled, None)
        except EvaluationError as error:
            outputs[name], errors[name] = None, capped(str(error))
    return outputs, errors


def _require_success(compiled: CompiledValue, state: RunState) -> None:
    """The output of a step that did not succeed is ``{}`` inside expressions, so that they can test for it; as the
    whole of an answer that would look like one, and it is null.
    """
    match compiled:
        case Compiled(source=source):
            whole = _WHOLE_OUTPUT.fullmatch(source)
            if whole and state.steps[whole[1]].phase is not StepPhase.SUCCEEDED:
                phase = state.steps[whole[1]].phase
                raise EvaluationError(f"step {whole[1]} did not succeed, it is {phase}", source)
        case CompiledList(items=items):
            for item in items:
                _require_success(item, state)
        case CompiledMap(items=members):
            for item in members.values():
                _require_success(item, state)
