"""The expressions of a definition, each compiled when a run first gets to it and kept for all runs of the version.

Validation has compiled them all before; one that fails here raises EvaluationError, as it would when evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from sluice.domain.expressions import (
    CompiledValue,
    EvaluationError,
    Expected,
    Literal,
    Scope,
    ValueType,
    compile_value,
)
from sluice.domain.run.planned import PlannedStep

_LITERAL: Final[Mapping[str, frozenset[str]]] = {
    "action.python": frozenset({"code", "file", "requirements", "lock"}),
    "action.container": frozenset({"script"}),
    "data": frozenset({"query"}),
    "agent": frozenset({"output"}),
}
"""Fields that are text of another language and never templates, by kind; validation checks the same ones."""

T = TypeVar("T")


class Programs:
    """Compiled expressions by place."""

    def __init__(self, definition: Mapping[str, Any], ordered: Sequence[PlannedStep]) -> None:
        self._outputs: Mapping[str, Any] = definition.get("outputs") or {}
        self._params = {
            name: ValueType(declared["type"]) for name, declared in (definition.get("params") or {}).items()
        }
        self._names = [step.name for step in ordered]
        self._known = frozenset(self._names)
        self._kept: dict[tuple[str, str], Any] = {}

    def when(self, step: PlannedStep) -> CompiledValue:
        """The step's own condition."""
        return self._once("when", step.name, lambda: self._boolean(step.source["when"], self._scope(step)))

    def retry_when(self, step: PlannedStep) -> CompiledValue:
        """The condition of another attempt, over ``error``."""
        return self._once(
            "retry", step.name, lambda: self._boolean(step.source["retry"]["when"], self._scope(step, error=True))
        )

    def cases(self, step: PlannedStep) -> list[tuple[CompiledValue, list[str]]]:
        """A switch's ways out, in order."""

        def compile_cases() -> list[tuple[CompiledValue, list[str]]]:
            scope = self._scope(step)
            return [(self._boolean(case["when"], scope), case["next"]) for case in step.spec["cases"]]

        return self._once("cases", step.name, compile_cases)

    def fields(self, step: PlannedStep) -> dict[str, CompiledValue]:
        """The fields of the step's kind."""
        literal = _LITERAL.get(step.kind, frozenset())

        def compile_fields() -> dict[str, CompiledValue]:
            # A scope lists all that is visible; steps of code alone, the most common, need none.
            scope = self._scope(step) if step.spec.keys() - literal else Scope()
            return {
                name: Literal(value) if name in literal else _compiled(value, scope)
                for name, value in step.spec.items()
            }

        return self._once("fields", step.name, compile_fields)

    def output(self, name: str) -> CompiledValue:
        """One of the declared outputs; it sees every step."""
        return self._once("output", name, lambda: _compiled(self._outputs[name], self._everything()))

    def _everything(self) -> Scope:
        return Scope(steps=self._known, known=self._known, params=self._params)

    def _scope(self, step: PlannedStep, *, error: bool = False) -> Scope:
        visible = frozenset(name for place, name in enumerate(self._names) if step.visible >> place & 1)
        error = error or step.final or bool(step.senders)
        return Scope(steps=visible, known=self._known, params=self._params, error=error)

    def _boolean(self, template: object, scope: Scope) -> CompiledValue:
        return _compiled(template, scope, Expected.BOOLEAN)

    def _once(self, place: str, name: str, compile: Callable[[], T]) -> T:
        kept = self._kept.get((place, name))
        if kept is None:
            kept = self._kept[place, name] = compile()
        found: T = kept
        return found


def _compiled(value: object, scope: Scope, expected: Expected = Expected.ANY) -> CompiledValue:
    compiled = compile_value(value, scope, expected=expected)
    if isinstance(compiled, list):
        raise EvaluationError("; ".join(str(problem) for problem in compiled))
    return compiled
