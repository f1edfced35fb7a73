"""Ages as Kubernetes prints them: ``45s``, ``3m20s``, ``5h12m``, ``8d``, ``2y35d``."""

from __future__ import annotations

import datetime as dt

UNKNOWN = "<unknown>"
INVALID = "<invalid>"

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_YEAR = 365 * _DAY


def age_of(timestamp: object, now: dt.datetime) -> str:
    """How long ago an RFC 3339 ``timestamp`` was; ``<unknown>`` for none, ``<invalid>`` for what is no time."""
    if not timestamp:
        return UNKNOWN
    try:
        then = dt.datetime.fromisoformat(str(timestamp))
    except ValueError:
        return INVALID
    return short_duration((now - then).total_seconds()) if then.tzinfo else INVALID


def short_duration(seconds: float) -> str:
    """Two units at most, the second only while it says something; a clock that is 2 s ahead still counts as now."""
    if seconds < -1:
        return INVALID
    whole = max(0, int(seconds))
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    if whole < 10 * _MINUTE:
        return _two(whole, (_MINUTE, "m"), (1, "s"))
    if whole < 3 * _HOUR:
        return f"{whole // _MINUTE}m"
    if whole < 8 * _HOUR:
        return _two(whole, (_HOUR, "h"), (_MINUTE, "m"))
    if whole < 2 * _DAY:
        return f"{whole // _HOUR}h"
    if whole < 8 * _DAY:
        return _two(whole, (_DAY, "d"), (_HOUR, "h"))
    if whole < 2 * _YEAR:
        return f"{whole // _DAY}d"
    if whole < 8 * _YEAR:
        return _two(whole, (_YEAR, "y"), (_DAY, "d"))
    return f"{whole // _YEAR}y"


def _two(whole: int, large: tuple[int, str], small: tuple[int, str]) -> str:
    count, rest = divmod(whole, large[0])
    tail = rest // small[0]
    return f"{count}{large[1]}{tail}{small[1]}" if tail else f"{count}{large[1]}"
