"""Merging what somebody applies into a live object, and taking out what they no longer want."""

from __future__ import annotations

from collections import deque
from typing import Any

from sluice.domain.objects.comparison import indexed
from sluice.domain.objects.fieldsets import SELF, FieldSet, is_member, value_element
from sluice.domain.objects.shapes import LEAF, Shape


def merged(shape: Shape, live: Any, config: Any) -> Any:
    """``live`` with ``config`` laid over it: granular maps and lists merge, everything else is ``config``'s."""
    fit = shape.resolved(config)
    if fit.sort == "leaf" or shape.resolved(live).sort != fit.sort:
        return config
    if fit.sort == "map":
        result = dict(live)
        for key, value in config.items():
            result[key] = merged(fit.of_key(key), live[key], value) if key in live else value
        return result
    return _merged_list(fit, live, config)


def pruned(shape: Shape, value: Any, last: FieldSet, owned: FieldSet) -> Any:
    """``value`` without the fields of ``last`` (what a manager applied before) that nobody in ``owned`` has.

    A declared map of which nothing is owned any more goes as a whole. A map that is left without entries is an empty
    map (kube-apiserver 1.36 makes it null, which many schemas then refuse).
    """
    fit = shape.resolved(value)
    if fit.sort == "map":
        return _pruned_map(fit, value, last, owned)
    if fit.sort in {"items", "set"}:
        return _pruned_list(fit, value, last, owned)
    return value


def _pruned_map(shape: Shape, value: dict[str, Any], last: FieldSet, owned: FieldSet) -> dict[str, Any]:
    result = dict(value)
    for element, before in last.items():
        key = element[2:]
        if element == SELF or key not in result:
            continue
        declared = shape.declares(key)
        now = owned.get(element)
        held = now is not None and (declared or is_member(now))
        if (declared or is_member(before)) and not held:
            del result[key]
        elif before:
            result[key] = pruned(shape.of_key(key), result[key], before, now or {})
    return result


def _pruned_list(shape: Shape, value: list[Any], last: FieldSet, owned: FieldSet) -> list[Any]:
    result = []
    for entry in value:
        element = value_element(entry) if shape.sort == "set" else shape.element_of(entry)
        before, now = last.get(element), owned.get(element)
        if before is None:
            result.append(entry)
        elif not is_member(before) or (now is not None and is_member(now)):
            result.append(pruned(shape.item or LEAF, entry, before, now or {}))
    return result


def _merged_list(shape: Shape, live: list[Any], config: list[Any]) -> list[Any]:
    """The items of both: the applied order holds, and what only ``live`` has keeps its place among its neighbours."""
    old, new = indexed(shape, live), indexed(shape, config)
    item = shape.item or LEAF
    left, right = deque(old), deque(new)
    shared = deque(element for element in new if element in old)
    taken = set()
    result = []
    while left or right:
        if left and right and left[0] != right[0] and left[0] in new and shared and shared[0] != left[0]:
            left.popleft()  # applied too, but later than another item that both have
        elif left and left[0] not in new:
            result.append(old[left.popleft()])
        elif left and left[0] in taken:
            left.popleft()
        else:
            element = right.popleft()
            taken.add(element)
            result.append(merged(item, old[element], new[element]) if element in old else new[element])
            if shared and shared[0] == element:
                shared.popleft()
    return result
