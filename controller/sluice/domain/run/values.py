"""What the expressions and the code of a step see in a run, bound when they first ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sluice.domain.expressions import JSON, Bindings, CompiledValue, EvaluationError, Literal, evaluate
from sluice.domain.run.planned import PlannedStep
from sluice.domain.run.progress import Failure, StepPhase, Verdict

if TYPE_CHECKING:
    from sluice.domain.run.state import RunState


class Values:
    """The values of one run. Conversions are kept: an output is converted once, however many steps read it."""

    def __init__(self, state: RunState) -> None:
        self._state = state
        self._bindings: Bindings | None = None
        self._bound: set[str] = set()
        self._context: tuple[int, bool] | None = None
        self._records: dict[str, dict[str, Any]] = {}

    def verdict_is(self, verdict: Verdict) -> None:
        """From now on ``run.phase`` is the verdict's."""
        if self._bindings is not None:
            self._bindings.set("run.phase", verdict.phase)

    def evaluate(self, compiled: CompiledValue, step: PlannedStep | None, error: Failure | None = None) -> JSON:
        """The value at this step's place (None: at the end); ``error`` overrides what it has to do with.

        Raises EvaluationError.
        """
        if isinstance(compiled, Literal):
            return compiled.value
        bindings, names = self._given_bindings(), compiled.names
        for name in names:
            if name.startswith("steps."):
                self._bind_step(bindings, name.split(".")[1])
        if "context" in names:
            self._bind_context(bindings, step)
        if any(name == "errors" or name.startswith("error.") for name in names):
            self._bind_errors(bindings, step, error)
        return evaluate(compiled, bindings)

    def condition(self, compiled: CompiledValue, step: PlannedStep, error: Failure | None = None) -> bool:
        """A value that must be true or false; raises EvaluationError if it is neither."""
        value = self.evaluate(compiled, step, error)
        if not isinstance(value, bool):
            raise EvaluationError(f"a condition must be true or false, and this is {str(value)[:80]!r}")
        return value

    def error_at(self, step: PlannedStep | None) -> Failure | None:
        """What ``error`` is: for a handler the first failure that sent to it, for ``finally`` what decided the verdict."""
        if step is None or step.final:
            verdict = self._state.verdict
            return verdict.failure if verdict else None
        return self._state.sent.get(step.name)

    def step_record(self, name: str) -> dict[str, Any]:
        """``steps.<name>``; kept once the step is over, so don't change it."""
        kept = self._records.get(name)
        if kept is not None:
            return kept
        progress = self._state.steps[name]
        succeeded = progress.phase is StepPhase.SUCCEEDED
        record: dict[str, Any] = {
            "phase": progress.phase.value if progress.over else StepPhase.PENDING.value,
            "output": progress.body.get("output") if succeeded else {},
            "attempts": progress.attempt if progress.over else 0,
            "idempotencyKey": self._state.given.idempotency_key(name),
            "artifacts": {},
        }
        if progress.over:
            self._records[name] = record
        return record

    def _given_bindings(self) -> Bindings:
        """What the run was given, bound when a first expression is met: many runs have none."""
        if self._bindings is None:
            given, verdict = self._state.given, self._state.verdict
            self._bindings = Bindings()
            self._bindings.set("payload", given.payload)
            self._bindings.set_params(given.params)
            self._bindings.set_record("env", given.env)
            self._bindings.set_record("trigger", given.trigger)
            self._bindings.set_record("run", {**given.run, "phase": verdict.phase if verdict else "Running"})
        return self._bindings

    def _bind_step(self, bindings: Bindings, name: str) -> None:
        # Before its end a step has the values of one that was not born; nothing is to be kept of that.
        if name in self._bound or not self._state.steps[name].over:
            return
        self._bound.add(name)
        record = self.step_record(name)
        bindings.set_step(
            name,
            phase=record["phase"],
            output=record["output"],
            attempts=record["attempts"],
            key=record["idempotencyKey"],
        )

    def _bind_context(self, bindings: Bindings, step: PlannedStep | None) -> None:
        place = (self._state.blackboard.writers_before(step), step is None)
        if place != self._context:
            self._context = place
            bindings.set("context", self._state.blackboard.visible(step))

    def _bind_errors(self, bindings: Bindings, step: PlannedStep | None, error: Failure | None) -> None:
        known = error or self.error_at(step)
        bindings.set_record("error", known.record if known else {})
        bindings.set("errors", [failure.record for failure in self._state.failures])


def visible_steps(state: RunState, step: PlannedStep) -> dict[str, dict[str, Any]]:
    """``steps`` as this step's code sees it: those before it and no others. The records are shared."""
    return {other.name: state.values.step_record(other.name) for other in state.plan.members(step.visible)}


def visible_context(state: RunState, step: PlannedStep) -> Mapping[str, Any]:
    """``context`` as this step finds it; its values are shared."""
    return state.blackboard.visible(step)
