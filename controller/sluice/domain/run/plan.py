"""A definition made ready to be run: compiled once per version, never changed, cheap to look things up in.

Edges are ``needs``, the ``next`` of switches and the ``goto`` of error branches. The step at place n of the order is
bit n, so that a set of steps is one integer. ``finally`` steps follow behind all others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sluice.domain.durations import microseconds_or_none
from sluice.domain.run.graph import PlanError, ancestor_masks, topological_order
from sluice.domain.run.planned import PlannedStep, edges_of, planned_step
from sluice.domain.run.programs import Programs

LEVEL: Final = 1
"""The newest level of the rules by which steps are decided; a run keeps the one that it was pinned with."""


@dataclass(frozen=True, eq=False)
class Plan:
    """An immutable graph of steps. ``steps`` are in order: first the main steps, then those of ``finally``."""

    definition: Mapping[str, Any]
    level: int
    steps: Mapping[str, PlannedStep]
    main: tuple[PlannedStep, ...]
    final: tuple[PlannedStep, ...]

    @cached_property
    def ordered(self) -> tuple[PlannedStep, ...]:
        """All steps; the index of each is its place."""
        return (*self.main, *self.final)

    @cached_property
    def sequential(self) -> bool:
        """Whether steps run one at a time, in order."""
        return bool(self.definition.get("execution") == "Sequential")

    @cached_property
    def cancels(self) -> bool:
        """Whether a failure stops the steps beside it."""
        return bool(self.definition.get("failurePolicy") == "Cancel")

    @cached_property
    def timeout(self) -> int:
        """How long the run may take without waits, microseconds; 0 for ever."""
        return microseconds_or_none(self.definition.get("timeout"))

    @cached_property
    def context(self) -> Mapping[str, Any]:
        """The workflow's context at the start."""
        return self.definition.get("context") or {}

    @cached_property
    def outputs(self) -> Mapping[str, Any]:
        """The declared outputs, as templates."""
        return self.definition.get("outputs") or {}

    @cached_property
    def programs(self) -> Programs:
        """The expressions, compiled when first needed."""
        return Programs(self.definition, self.ordered)

    def members(self, mask: int) -> list[PlannedStep]:
        """The steps of a set, in order."""
        found = []
        while mask:
            lowest = mask & -mask
            found.append(self.ordered[lowest.bit_length() - 1])
            mask ^= lowest
        return found


def compile_plan(definition: Mapping[str, Any], level: int = LEVEL) -> Plan:
    """Make a canonical definition ready; PlanError if it has no order, or comes from a newer release."""
    if level != LEVEL:
        raise PlanError(
            f"this release decides at level {LEVEL}, the run was pinned at level {level}; update the runner"
        )
    main, final = definition.get("steps") or [], definition.get("finally") or []
    _check_names([*main, *final])
    sequential = definition.get("execution") == "Sequential"
    ordered_main = _section(main, final=False, sequential=sequential, first=0, seen=0)
    all_main = (1 << len(ordered_main)) - 1
    ordered_final = _section(final, final=True, sequential=sequential, first=len(ordered_main), seen=all_main)
    steps = {step.name: step for step in (*ordered_main, *ordered_final)}
    return Plan(definition, level, steps, ordered_main, ordered_final)


def _section(
    sources: Sequence[Mapping[str, Any]], *, final: bool, sequential: bool, first: int, seen: int
) -> tuple[PlannedStep, ...]:
    names = [source["name"] for source in sources]
    edges = edges_of(sources, final=final)
    order = topological_order(names, edges.predecessors)
    masks = ancestor_masks(order, edges.predecessors, first)
    by_name = {source["name"]: source for source in sources}
    return tuple(
        planned_step(
            by_name[name],
            edges,
            index=first + place,
            ancestors=masks[name],
            # Sequential: all that stands earlier has surely ended, related or not.
            visible=(1 << (first + place)) - 1 if sequential else masks[name] | seen,
        )
        for place, name in enumerate(order)
    )


def _check_names(sources: Sequence[Mapping[str, Any]]) -> None:
    seen: set[str] = set()
    for source in sources:
        if source["name"] in seen:
            raise PlanError(f"two steps are called {source['name']}; rename one of them")
        seen.add(source["name"])
