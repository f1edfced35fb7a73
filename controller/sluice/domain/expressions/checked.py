"""What a checked expression says about itself, read from its protobuf encoding (`cel.expr.CheckedExpr`).

The library offers no view of the syntax tree, and protobuf is no dependency: this reads the wire format
for the two facts that are needed. Source of the numbers: cel-spec, `proto/cel/expr/{checked,syntax}.proto`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sluice.domain.expressions.compiled import Cost

_VALUE, _REFERENCES, _EXPRESSION = 2, 2, 4  # of Any, CheckedExpr, CheckedExpr


# The overloads whose result is not made anew from what they are given, or is small.
_LOOKS = re.compile(
    r"equals|not_equals|logical_\w+|conditional|negate_\w+|(add|subtract|multiply|divide|modulo)_(u?int64|double|duration"
    r"|timestamp)\w*|(less|greater)_\w+|index_\w+|select_\w+|optional_\w+|(list|map)_optindex\w*|in_\w+|size_\w+|\w+_size"
    r"|(starts_with|ends_with|contains|matches)\w*|math_\W?\w+|type|(?!string_to_bytes|bytes_to_string)\w+_to_\w+|has_\w+"
)


@dataclass(frozen=True, slots=True)
class Facts:
    """``names``: the variables that are referred to. ``cost``: what evaluating takes."""

    names: frozenset[str]
    cost: Cost


def read_facts(serialized: bytes) -> Facts:
    """The facts of a serialized, checked expression (an `Any` around a `CheckedExpr`)."""
    names = set()
    cost = Cost.LOOK
    for number, value in _fields(_body(serialized)):
        if number == _REFERENCES:
            name, overloads = _reference(value)
            names.add(name)
            if not all(_LOOKS.fullmatch(overload) for overload in overloads):
                cost = max(cost, Cost.BUILD)
        elif number == _EXPRESSION:
            cost = max(cost, _cost(value))
    return Facts(names=frozenset(names - {""}), cost=cost)


def essence(serialized: bytes) -> bytes:
    """The same expression without what evaluating never looks at (types, positions), entries in a fixed order.

    The library writes maps in any order, and a version must not change by being published twice. A third is saved in
    size, and two thirds of the time to load.
    """
    kept = [(number, value) for number, value in _fields(_body(serialized)) if number in (_REFERENCES, _EXPRESSION)]
    body = b"".join(_encoded(number, value) for number, value in sorted(kept))
    return b"".join(_encoded(number, body if number == _VALUE else value) for number, value in _fields(serialized))


def _body(serialized: bytes) -> bytes:
    return next(value for number, value in _fields(serialized) if number == _VALUE)


def _reference(entry: bytes) -> tuple[str, list[str]]:
    """What one entry of the reference map speaks of: a variable's name, or the overloads of a function."""
    reference = list(_fields(dict(_fields(entry))[2]))
    overloads = [value.decode("utf-8") for number, value in reference if number == 3]
    return "" if overloads else dict(reference).get(1, b"").decode("utf-8"), overloads


def _cost(expression: bytes) -> Cost:
    """What the nodes take, without the functions that they call. The parser bounds the depth to 32."""
    cost = Cost.LOOK
    for kind, body in _fields(expression):
        if kind == _COMPREHENSION:
            return Cost.LOOP
        if kind in (_LIST, _STRUCT):
            cost = max(cost, Cost.BUILD)
        if kind in _EXPRESSIONS:
            cost = max([cost, *(_cost(child) for child in _children(kind, body))])
    return cost


def _children(kind: int, body: bytes) -> Iterator[bytes]:
    for number, value in _fields(body):
        if kind == _STRUCT and number == 2:
            yield from (part for name, part in _fields(value) if name in (3, 4))
        elif number in _EXPRESSIONS[kind]:
            yield value


# Which fields of each node hold expressions; a struct's stand in its entries.
_SELECT, _CALL, _LIST, _STRUCT, _COMPREHENSION = 5, 6, 7, 8, 9
_EXPRESSIONS: dict[int, tuple[int, ...]] = {_SELECT: (1,), _CALL: (1, 3), _LIST: (1,), _STRUCT: (), _COMPREHENSION: ()}


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Each field's number and value; varints come as their encoding."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        start = position
        match tag & 7:
            case 0:
                _, position = _varint(message, position)
            case 1:
                position += 8
            case 5:
                position += 4
            case _:
                size, start = _varint(message, position)
                position = start + size
        yield tag >> 3, message[start:position]


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            return value, position
        shift += 7


def _encoded(number: int, value: bytes) -> bytes:
    """One field that is made of bytes."""
    return _as_varint(number << 3 | 2) + _as_varint(len(value)) + value


def _as_varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
