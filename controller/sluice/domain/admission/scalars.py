"""Checks of texts, numbers and booleans, compiled from their schemas."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any

from sluice.domain.admission.faults import Faults, out_of_bounds, too_long, unsupported, wrong_format, wrong_type
from sluice.domain.admission.rule import python_pattern

Schema = Mapping[str, Any]
Check = Callable[[Any, Any], Faults | None]
"""From a value and the stored one to what is wrong; None when nothing is."""

_UNBOUNDED = 1 << 62
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII).fullmatch


def text_check(schema: Schema) -> Check:
    """A string with bounds, pattern, enumeration or format."""
    if "enum" in schema:
        return _word_check(tuple(schema["enum"]))
    longest, shortest = schema.get("maxLength", _UNBOUNDED), schema.get("minLength", 0)
    pattern = schema.get("pattern")
    matches = python_pattern(pattern) if pattern else None
    timed = schema.get("format") == "date-time"

    def check(value: Any, _: Any) -> Faults | None:
        if type(value) is not str:
            return wrong_type(value, "string")
        if len(value) > longest:
            return too_long(longest)
        if len(value) < shortest:
            return out_of_bounds(value, f"be at least {shortest} chars long")
        if matches is not None and matches(value) is None:
            return out_of_bounds(value, f"match '{pattern}'")
        if timed and not is_date_time(value):
            return wrong_format(value, "date-time")
        return None

    return check


def _word_check(words: tuple[str, ...]) -> Check:
    known = frozenset(words)

    def check(value: Any, _: Any) -> Faults | None:
        if type(value) is not str:
            return [*wrong_type(value, "string"), *unsupported(value, words)]
        return None if value in known else unsupported(value, words)

    return check


def number_check(schema: Schema) -> Check:
    """An integer or a number with bounds."""
    wanted: str = schema["type"]
    least, most = schema.get("minimum", -_UNBOUNDED), schema.get("maximum", _UNBOUNDED)

    def check(value: Any, _: Any) -> Faults | None:
        if type(value) is not int and not (type(value) is float and (wanted == "number" or value.is_integer())):
            return wrong_type(value, wanted)
        return None if least <= value <= most else _off_limits(value, least, most)

    return check


def integer_or_string_check(schema: Schema) -> Check:
    """What may be written as a whole number or as a text."""
    as_text = text_check({key: schema[key] for key in ("maxLength", "minLength", "pattern") if key in schema})
    least, most = schema.get("minimum", -_UNBOUNDED), schema.get("maximum", _UNBOUNDED)

    def check(value: Any, old: Any) -> Faults | None:
        if type(value) is str:
            return as_text(value, old)
        if type(value) is not int and not (type(value) is float and value.is_integer()):
            return wrong_type(value, "integer,string")
        return None if least <= value <= most else _off_limits(value, least, most)

    return check


def boolean_check(value: Any, _: Any) -> Faults | None:
    """True or false."""
    return None if type(value) is bool else wrong_type(value, "boolean")


def is_date_time(value: str) -> bool:
    """Whether it is a moment as RFC 3339 writes it."""
    if not _DATE_TIME(value):
        return False
    try:
        dt.datetime.fromisoformat(value[:19].upper())
    except ValueError:
        return False
    return True


def _off_limits(value: float, least: float, most: float) -> Faults:
    if value > most:
        return out_of_bounds(value, f"be less than or equal to {most}")
    return out_of_bounds(value, f"be greater than or equal to {least}")
