"""Durations as people write them (``1h30m``, ``500ms``, ``30d``) and back; standard library only, the runner uses it too."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

UNITS: Final = {"d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000}
"""Microseconds in each unit, largest first."""

CENTURY: Final = dt.timedelta(days=36_500)
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_WHOLE: Final = re.compile(rf"(?:{_PART.pattern})+")


def microseconds(text: str) -> int:
    """The length of ``text`` in whole microseconds, each part rounded down; ValueError says what a duration looks like."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is no duration; write numbers with a unit of ms, s, m, h or d, such as 1h30m")
    return sum(_scaled(number, UNITS[unit]) for number, unit in _PART.findall(text))


def _scaled(number: str, unit: int) -> int:
    """Whole and fraction apart, in integers: a float would not be exact."""
    whole, _, fraction = number.partition(".")
    return int(whole) * unit + (int(fraction) * unit // 10 ** len(fraction) if fraction else 0)


def microseconds_or_none(text: str | None) -> int:
    """As ``microseconds``; 0 where there is no text: no bound."""
    return microseconds(text) if text else 0


def parse(text: str) -> dt.timedelta:
    """The length of ``text``; ValueError as in ``microseconds``, also for more than a timedelta holds."""
    try:
        return dt.timedelta(microseconds=microseconds(text))
    except OverflowError as error:
        raise ValueError(f"{text!r} is too long; 999999999d is the longest duration") from error


def bounded(text: str) -> dt.timedelta:
    """The length of ``text``, at most a hundred years: so a time of day plus a duration is always a time of day."""
    return dt.timedelta(microseconds=min(microseconds(text), CENTURY // dt.timedelta(microseconds=1)))


def text_of(length: dt.timedelta | int) -> str:
    """The shortest spelling that ``parse`` reads back; an int is microseconds. What is under a millisecond is dropped."""
    left = length if isinstance(length, int) else length // dt.timedelta(microseconds=1)
    if left < 0:
        raise ValueError("a duration is never negative")
    parts = []
    for unit, size in UNITS.items():
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def rough(length: dt.timedelta | int) -> str:
    """For messages: the two largest units, such as ``2h5m``."""
    left = max(0, length if isinstance(length, int) else length // dt.timedelta(microseconds=1))
    whole = text_of(left - left % UNITS["s"] if left >= UNITS["s"] else left)
    return "".join(f"{number}{unit}" for number, unit in _PART.findall(whole)[:2])
