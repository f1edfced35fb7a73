"""An exact split: of any n runs in a window, floor(n p) went to the candidate, whatever the percentage.

Percentages are integers in hundredths of a percent (0 to 10000), because sums of floats would not be exact.
"""

from __future__ import annotations

import re
from typing import Final

FULL: Final = 10_000
"""100 %, in hundredths of a percent."""

_SPELLING: Final = re.compile(r"(100)(?:\.0{1,2})?|([0-9]{1,2})(?:\.([0-9]{1,2}))?")


def is_candidate(n: int, hundredths: int) -> bool:
    """Whether the n-th draw of a window, counted from 1, goes to the candidate."""
    return n * hundredths // FULL > (n - 1) * hundredths // FULL


def percent_hundredths(percent: int | str) -> int:
    """``25`` and ``"25"`` are 2500, ``"0.5"`` is 50; ValueError for what is no percentage."""
    if isinstance(percent, int) and not isinstance(percent, bool) and 0 <= percent <= 100:
        return percent * 100
    match = _SPELLING.fullmatch(percent) if isinstance(percent, str) else None
    if match is None:
        raise ValueError(f'{percent!r} is no percentage; write 0 to 100, or a string with up to two decimals ("0.5")')
    if match[1]:
        return FULL
    return int(match[2]) * 100 + int((match[3] or "").ljust(2, "0"))


def percent_text(hundredths: int) -> str:
    """The shortest spelling: 2500 is ``25``, 50 is ``0.5``, 1 is ``0.01``."""
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)
