"""Durations as definitions spell them (``1h30m``, ``500ms``, ``1.5s``, ``30d``), in microseconds."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_WHOLE = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d))+")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_MICROSECONDS: Final = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}


def duration(text: str | None) -> int:
    """Microseconds; 0 for none. ValueError for anything else than numbers with the units ms, s, m, h and d."""
    if not text:
        return 0
    if _WHOLE.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no duration; write it as 30s, 1h30m or 500ms")
    return int(sum(Decimal(number) * _MICROSECONDS[unit] for number, unit in _PART.findall(text)))
