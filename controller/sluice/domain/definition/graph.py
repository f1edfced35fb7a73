"""The order of steps: which come before which, by ``needs``, by a switch's ``next`` and by ``onError.goto``."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Step = Mapping[str, Any]


def successors_of(step: Step) -> Iterator[str]:
    """The steps that this one may send a run to: a switch's ways out and the handler of its error."""
    switch = (step.get("logic") or {}).get("switch")
    if switch:
        for case in switch.get("cases") or ():
            yield from case.get("next") or ()
        yield from switch.get("default") or ()
    goto = (step.get("onError") or {}).get("goto")
    if goto:
        yield goto


def predecessors(steps: Sequence[Step]) -> dict[str, list[str]]:
    """For each step, in order, the steps directly before it; names that don't exist are left out."""
    before: dict[str, dict[str, None]] = {step["name"]: {} for step in steps}
    for step in steps:
        for need in step.get("needs") or ():
            if need.rstrip("?") in before:
                before[step["name"]][need.rstrip("?")] = None
    for step in steps:
        for target in successors_of(step):
            if target in before:
                before[target][step["name"]] = None
    return {name: list(sources) for name, sources in before.items()}


def topological_order(before: Mapping[str, Iterable[str]]) -> list[str]:
    """Every step after all that come before it; of steps that could be next, the first declared (R125, R129). Steps on a
    cycle, and those behind one, are left out (R128)."""
    waiting = {name: set(sources) for name, sources in before.items()}
    after: dict[str, list[str]] = {name: [] for name in before}
    for name, sources in waiting.items():
        for source in sources:
            after[source].append(name)
    place = {name: index for index, name in enumerate(before)}
    ready = [place[name] for name, sources in waiting.items() if not sources]
    names = list(before)
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        name = names[heapq.heappop(ready)]
        order.append(name)
        for follower in after[name]:
            waiting[follower].discard(name)
            if not waiting[follower]:
                heapq.heappush(ready, place[follower])
    return order


class Ancestors(Mapping[str, frozenset[str]]):
    """For each step of an order all steps that surely ended before it, however far.

    Kept as one bit for each step: of 500 steps in a chain the sets have 125,000 members, and few are ever asked for.
    """

    def __init__(self, masks: Mapping[str, int], order: Sequence[str]) -> None:
        self._masks = masks
        self._bits = {name: 1 << index for index, name in enumerate(order)}

    def has(self, name: str, other: str) -> bool:
        """Whether ``other`` surely ended before ``name``; no for a name that isn't there."""
        return bool(self._masks.get(name, 0) & self._bits.get(other, 0))

    def __getitem__(self, name: str) -> frozenset[str]:
        mask = self._masks[name]
        return frozenset(other for other, bit in self._bits.items() if mask & bit)

    def __contains__(self, name: object) -> bool:
        return name in self._masks

    def __iter__(self) -> Iterator[str]:
        return iter(self._masks)

    def __len__(self) -> int:
        return len(self._masks)


def ancestors(before: Mapping[str, Iterable[str]], order: Sequence[str]) -> Ancestors:
    """For each step of ``order`` the steps before it along edges."""
    masks: dict[str, int] = {}
    reached: dict[str, int] = {}
    for index, name in enumerate(order):
        masks[name] = 0
        for source in before[name]:
            masks[name] |= reached.get(source, 0)
        reached[name] = masks[name] | 1 << index
    return Ancestors(masks, order)


def all_earlier(order: Sequence[str]) -> Ancestors:
    """For each step of ``order`` every one that stands before it."""
    return Ancestors({name: (1 << index) - 1 for index, name in enumerate(order)}, order)


def find_cycle(before: Mapping[str, Iterable[str]]) -> list[str]:
    """The steps of one cycle in the order they would run, from the first declared, that one again at the end; empty if
    there is none (R161)."""
    ordered = set(topological_order(before))
    stuck = [name for name in before if name not in ordered]
    if not stuck:
        return []
    # Walking backwards from a stuck step stays among stuck steps and must come round.
    walked: dict[str, int] = {}
    path: list[str] = []
    name = stuck[0]
    while name not in walked:
        walked[name] = len(path)
        path.append(name)
        name = next(source for source in before[name] if source not in ordered)
    cycle = path[walked[name] :][::-1]
    place = {name: index for index, name in enumerate(stuck)}
    first = min(range(len(cycle)), key=lambda index: place[cycle[index]])
    return [*cycle[first:], *cycle[:first], cycle[first]]
