"""The order of steps: Kahn's algorithm, ties by declaration, so that equal definitions run in equal order."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence


class PlanError(ValueError):
    """A definition that can't be run: a cycle, an unknown step, a name used twice. Validation refuses it earlier."""


def topological_order(names: Sequence[str], predecessors: Mapping[str, Sequence[str]]) -> list[str]:
    """The names such that each comes after all its predecessors; PlanError names the steps of a cycle."""
    place = {name: index for index, name in enumerate(names)}
    successors: dict[str, list[str]] = {name: [] for name in names}
    missing = {}
    for name in names:
        before = set(predecessors[name])
        missing[name] = len(before)
        for other in before:
            successors[other].append(name)
    ready = [place[name] for name in names if not missing[name]]
    order: list[str] = []
    while ready:
        name = names[heapq.heappop(ready)]
        order.append(name)
        for other in successors[name]:
            missing[other] -= 1
            if not missing[other]:
                heapq.heappush(ready, place[other])
    if len(order) < len(names):
        cycle = " -> ".join(_cycle({name for name in names if missing[name]}, names, predecessors))
        raise PlanError(f"the steps need each other in a circle: {cycle}; remove one of these edges")
    return order


def ancestor_masks(order: Sequence[str], predecessors: Mapping[str, Sequence[str]], first: int = 0) -> dict[str, int]:
    """For each name the set of all that come before it along edges, as bits: the n-th of ``order`` is bit n + first."""
    bits = {name: 1 << (index + first) for index, name in enumerate(order)}
    masks: dict[str, int] = {}
    for name in order:
        mask = 0
        for other in predecessors[name]:
            mask |= masks[other] | bits[other]
        masks[name] = mask
    return masks


def _cycle(stuck: set[str], names: Sequence[str], predecessors: Mapping[str, Sequence[str]]) -> list[str]:
    """One circle among the steps that never became ready, from its first step back to it, in running order."""
    trail: list[str] = []
    name = next(name for name in names if name in stuck)
    while name not in trail:
        trail.append(name)
        name = next(other for other in predecessors[name] if other in stuck)
    circle = trail[trail.index(name) :][::-1]
    start = circle.index(min(circle, key=names.index))
    circle = circle[start:] + circle[:start]
    return [*circle, circle[0]]
