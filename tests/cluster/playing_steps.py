"""What becomes of steps that are only played: nothing is executed, and the first line of a step's code may say how it ends.

========================= ==============================================================================================
first line of the code    what is played
========================= ==============================================================================================
``# play: sleep 0.5``     it succeeds after half a second
``# play: fail``          every attempt fails
``# play: fail 2``        the first two attempts fail, the next one succeeds
anything else             it succeeds at once
========================= ==============================================================================================

The output names the step and the attempt.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from sluice.domain.run.driver import Work
from sluice.domain.run.simulation import Outcome, failed, succeeded

Behaviour: TypeAlias = Callable[[Work], Outcome]
"""How an attempt ends, and after how long."""

_PLAY = re.compile(r"# play: (sleep|fail)(?: (\d+(?:\.\d+)?))?\s*$", re.MULTILINE)


def as_written(work: Work) -> Outcome:
    """What its code says of it."""
    code = work.input.get("code")
    said = _PLAY.match(code) if isinstance(code, str) else None
    output = {"step": work.step, "attempt": work.attempt}
    if said is None:
        return succeeded(output)
    what, number = said[1], float(said[2] or 0)
    if what == "sleep":
        return succeeded(output, took=int(number * 1e6))
    if number and work.attempt > number:
        return succeeded(output)
    return failed("CodeFailed", f"attempt {work.attempt} fails, as its code says")
