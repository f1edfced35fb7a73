"""What is wrong with a value, in the words of a Kubernetes API server.

A fault is made where the value is looked at and learns its path on the way up, so a value without faults pays nothing for
paths.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from sluice.domain.objects.metadata import Problem

INVALID = "FieldValueInvalid"
TYPE_INVALID = "FieldValueTypeInvalid"
REQUIRED = "FieldValueRequired"
NOT_SUPPORTED = "FieldValueNotSupported"
TOO_LONG = "FieldValueTooLong"
TOO_MANY = "FieldValueTooMany"
DUPLICATE = "FieldValueDuplicate"

BLOCKING = frozenset({TYPE_INVALID, REQUIRED, TOO_LONG, TOO_MANY})
"""Reasons after which a server evaluates no rules: the shape that rules count on isn't there."""


class Fault(NamedTuple):
    """``path`` is relative (``.spec.steps[0]``); with a ``tail`` the message is ``head``, the whole path, ``tail``."""

    path: str
    reason: str
    head: str
    tail: str = ""

    def below(self, step: str) -> Fault:
        """The fault as the parent sees it; ``step`` is ``.name`` or ``[0]``."""
        return self._replace(path=step + self.path)

    def problem(self) -> Problem:
        """The fault with its whole path."""
        path = self.path.removeprefix(".") or "<nil>"
        return Problem(path, f"{self.head}{path}{self.tail}" if self.tail else self.head, self.reason)


Faults = list[Fault]


def wrong_type(value: Any, wanted: str) -> Faults:
    """The value is of another JSON type; ``wanted`` names the type (``integer,string`` for either)."""
    found = type_name(value)
    return [Fault("", TYPE_INVALID, f'Invalid value: "{found}": ', f' in body must be of type {wanted}: "{found}"')]


def wrong_format(value: str, wanted: str) -> Faults:
    """A text that is not of the format it should have."""
    shown = quoted(value)
    return [Fault("", TYPE_INVALID, f"Invalid value: {shown}: ", f" in body must be of type {wanted}: {shown}")]


def out_of_bounds(value: Any, bound: str) -> Faults:
    """``bound`` says what it should be: ``less than or equal to 100``."""
    return [Fault("", INVALID, f"Invalid value: {quoted(value)}: ", f" in body should {bound}")]


def unsupported(value: Any, supported: Iterable[str]) -> Faults:
    """None of the values there are."""
    listed = ", ".join(quoted(word) for word in supported)
    return [Fault("", NOT_SUPPORTED, f"Unsupported value: {quoted(value)}: supported values: {listed}")]


def too_long(bound: int) -> Faults:
    """A text over its bound; Kubernetes says bytes and counts characters."""
    return [Fault("", TOO_LONG, f"Too long: may not be more than {bound} {'byte' if bound == 1 else 'bytes'}")]


def too_many(count: int, bound: int) -> Faults:
    """More items or entries than there may be."""
    return [Fault("", TOO_MANY, f"Too many: {count}: must have at most {bound} {'item' if bound == 1 else 'items'}")]


def required(name: str) -> Fault:
    """A field that must be there."""
    return Fault(f".{name}", REQUIRED, "Required value")


def duplicate(index: int, key: dict[str, Any]) -> Fault:
    """A second item of a list with the same key."""
    return Fault(f"[{index}]", DUPLICATE, f"Duplicate value: {orjson.dumps(key).decode()}")


def type_name(value: Any) -> str:
    """JSON's word for the type of ``value``."""
    return _TYPE_NAMES.get(type(value), "object")


def quoted(value: Any) -> str:
    """The value as JSON."""
    return orjson.dumps(value).decode()


_TYPE_NAMES: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
