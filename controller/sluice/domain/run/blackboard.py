"""The workflow's context: who wrote which key, what is visible to a step, and which writes have no order.

A step sees what was there at the start and what its ancestors wrote; a later write wins over an earlier one in the
plan's order, never in the order in which steps happened to end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sluice.domain.run.plan import Plan
from sluice.domain.run.planned import PlannedStep
from sluice.domain.run.progress import Because, Failure


class Blackboard:
    """All writes of a run to its context, by top-level key."""

    def __init__(self, plan: Plan) -> None:
        self._start = plan.context
        self._writes: dict[str, list[tuple[PlannedStep, Any]]] = {}
        self._writers = 0

    def write(self, step: PlannedStep, values: Mapping[str, Any]) -> Failure | None:
        """Keep what a step wrote; a failure if another step without an order to it wrote the same key, whenever."""
        conflict = None
        for key, value in values.items():
            earlier = self._writes.setdefault(key, [])
            for other, _ in earlier:
                if conflict is None and not (step.visible & other.bit or other.visible & step.bit):
                    conflict = _conflict(key, step, other)
            earlier.append((step, value))
        if values:
            self._writers |= step.bit
        return conflict

    def writers_before(self, step: PlannedStep | None) -> int:
        """The steps, as a set, whose writes are visible to a step, or at the end: equal sets, equal context."""
        return self._writers if step is None else self._writers & step.visible

    def visible(self, step: PlannedStep | None) -> dict[str, Any]:
        """The context as a step finds it, or as it is at the end. A new map; its values are shared."""
        context = dict(self._start)
        before = self.writers_before(step)
        if not before:
            return context
        for key, writes in self._writes.items():
            seen = [(writer.index, value) for writer, value in writes if writer.bit & before]
            if seen:
                context[key] = max(seen, key=lambda write: write[0])[1]
        return context


def _conflict(key: str, step: PlannedStep, other: PlannedStep) -> Failure:
    first, second = sorted((step, other), key=lambda one: one.index)
    message = (
        f"steps {first.name} and {second.name} both wrote context.{key} and have no order between them; "
        f"add {first.name} to the needs of {second.name}, or write different keys"
    )
    return Failure(second.name, 1, Because.CONTEXT_CONFLICT, message)
