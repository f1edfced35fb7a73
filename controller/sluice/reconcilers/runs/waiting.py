"""What a run without an open segment waits for, and when its next segment is due.

The history says it: the one scheduler is asked what it would do now, so that a run waits in the controller for just what
its runner would have waited for. Nothing is kept for it, so a restart changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from sluice.domain.run.commands import Wait, WakeAt
from sluice.domain.run.driver import advance
from sluice.domain.run.given import RunGiven
from sluice.domain.run.plan import compile_plan
from sluice.domain.run.state import RunState
from sluice.ports.launcher import Segment


@dataclass(frozen=True, slots=True)
class Standing:
    """``due``: when a segment has something to do, microseconds; 0 when only somebody outside can tell. ``steps`` wait."""

    due: int
    steps: tuple[str, ...] = ()


def standing(segment: Segment, now: int) -> Standing:
    """Where a run stands whose next segment would be ``segment``; ``now`` in microseconds."""
    plan = compile_plan(segment.definition, segment.level)
    given = RunGiven.read(segment.input, segment.run.uid, segment.deadline)
    ahead = advance(plan, RunState.resume(plan, given, segment.history), now)
    if ahead.events:
        return Standing(now)
    due = 0
    steps: tuple[str, ...] = ()
    for command in ahead.commands:
        match command:
            case Wait(steps=waiting):
                steps = waiting
            case WakeAt(at=at):
                due = min(due or at, at)
            case _:
                return Standing(now)
    return Standing(due, steps)
