"""Sets of fields in the form that ``managedFields`` stores them (FieldsV1): maps of maps, one per path element.

``f:name`` is a field, ``k:{"name":"x"}`` an item of a list-map, ``v:"x"`` a member of a set; an element without
children, or with the marker ``.``, is itself in the set. The functions take and give whole sets, in which an empty map
is the empty set; they never change what they are given and return it as it is when nothing differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

FieldSet = dict[str, Any]

SELF = "."


def is_member(node: FieldSet) -> bool:
    """True if the element that ``node`` stands for is itself in the set, not only something below it."""
    return not node or SELF in node


def union(one: FieldSet, other: FieldSet) -> FieldSet:
    """The fields of either."""
    if not one or not other:
        return one or other
    merged = None
    for key, node in other.items():
        mine = one.get(key)
        joined = node if mine is None else _joined(mine, node)
        if joined is not mine:
            merged = dict(one) if merged is None else merged
            merged[key] = joined
    return one if merged is None else merged


def difference(one: FieldSet, other: FieldSet) -> FieldSet:
    """The fields of ``one`` that are not in ``other``."""
    left = None
    for key, node in other.items():
        mine = one.get(key)
        if mine is None or key == SELF:
            continue
        rest = _without(mine, node)
        if rest is not mine:
            left = dict(one) if left is None else left
            if rest is None:
                del left[key]
            else:
                left[key] = rest
    return one if left is None else left


def intersection(one: FieldSet, other: FieldSet) -> FieldSet:
    """The fields of both."""
    common = {}
    for key, node in one.items():
        theirs = other.get(key)
        if theirs is None or key == SELF:
            continue
        below = intersection(node, theirs)
        if is_member(node) and is_member(theirs):
            common[key] = {SELF: {}, **below} if below else {}
        elif below:
            common[key] = below
    return common


def contains(one: FieldSet, other: FieldSet) -> bool:
    """True if all fields of ``other`` are in ``one``."""
    return not difference(other, one)


def paths(fields: FieldSet, prefix: str = "") -> Iterator[str]:
    """The fields as the API server writes them in messages, in its order: ``.spec.steps[name="x"].retries``."""
    elements = sorted(key for key in fields if key != SELF)
    for key in elements:
        if is_member(fields[key]):
            yield prefix + _shown(key)
    for key in elements:
        yield from paths(fields[key], prefix + _shown(key))


def key_element(keys: dict[str, Any]) -> str:
    """The path element of a list-map's item."""
    return "k:" + orjson.dumps(keys, option=orjson.OPT_SORT_KEYS).decode()


def value_element(value: Any) -> str:
    """The path element of a set's member."""
    return "v:" + orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _joined(one: FieldSet, other: FieldSet) -> FieldSet:
    if one and other:
        return union(one, other)
    whole = one or other
    if not whole or SELF in whole:
        return one if whole is one or not whole else whole
    return {SELF: {}, **whole}


def _without(one: FieldSet, other: FieldSet) -> FieldSet | None:
    """The node ``one`` less ``other``; None when nothing is left of it."""
    below = difference(one, other)
    if not is_member(one):
        return below or None
    if not is_member(other):
        return {} if below.keys() == {SELF} else below
    return {key: node for key, node in below.items() if key != SELF} or None


def _shown(element: str) -> str:
    sort, _, rest = element.partition(":")
    if sort == "f":
        return f".{rest}"
    if sort == "k":
        keys = orjson.loads(rest)
        return "[" + ",".join(f"{name}={orjson.dumps(value).decode()}" for name, value in keys.items()) + "]"
    return f"[={rest}]" if sort == "v" else f"[{rest}]"
