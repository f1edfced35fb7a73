"""What happened in a run: the log that everything else is folded from.

A history is a list of events in the order in which the ledger accepted them. All that a decision may depend on is in
it, so that a replay of the history decides the same. Times are integer microseconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

STEP_STARTED: Final = "StepStarted"
"""An attempt began. Body: empty, and it travels with the next append. Where the step has a pod of its own the attempt is
handed over by this event. Body then: ``{work: {input, timeout, key}}``, see `sluice.domain.run.driver.Work`."""
STEP_ENDED: Final = "StepEnded"
"""An attempt ended, or the step was skipped. Body: see ``StepBody``."""
CANCEL_REQUESTED: Final = "CancelRequested"
"""Somebody wants the run to end. Body: ``{by, reason, message}``; ``reason`` Cancelled or RunTimedOut."""
STOP_REQUESTED: Final = "StopRequested"
"""An attempt that was handed over is to be stopped; whoever has it records its end. Body: ``{reason}``."""
RUN_ENDED: Final = "RunEnded"
"""The verdict is final and ``finally`` is through. Body: see ``RunBody``. The first one wins."""

TRIGGER: Final = "trigger"
"""The name under which the payload check appears; no step can be called so together with a schema failure."""


class Event(NamedTuple):
    """One entry of the log; ``step`` is empty for the run's own events, ``attempt`` counts from 1."""

    kind: str
    step: str
    attempt: int
    at: int
    body: dict[str, Any]


def is_handed_over(event: Event) -> bool:
    """Whether an attempt that has a pod of its own begins with it."""
    return event.kind == STEP_STARTED and "work" in event.body


def ends_elsewhere(history: Iterable[Event]) -> list[Event]:
    """The ends of attempts that were handed over: what a segment does not record itself."""
    handed: set[tuple[str, int]] = set()
    ends = []
    for event in history:
        if is_handed_over(event):
            handed.add((event.step, event.attempt))
        elif event.kind == STEP_ENDED and (event.step, event.attempt) in handed:
            ends.append(event)
    return ends


# StepBody, the body of STEP_ENDED (absent keys are empty):
#   phase     "Succeeded" | "Failed" | "Skipped"
#   reason    a StepReason
#   message   one sentence, at most 4 KiB
#   output    JSON; the step's output
#   status    int; the HTTP status, where there was one
#   context   map of the top-level keys of the workflow's context that this step set, with their new values
#   next      list of step names: what a switch chose
#   started   int; when the attempt began, microseconds
#   log       the last lines of what it printed, at most 64 KiB
#   retryAt   int; when the next attempt is due, microseconds. The step is then not over
#   reused    true where a replay took the result over from the run that it replays
#
# A step that was skipped has attempt 0. The check of the payload appears as step ``trigger`` with attempt 0.
#
# RunBody, the body of RUN_ENDED:
#   phase     "Succeeded" | "Failed" | "Cancelled" | "Error"
#   reason    a StepReason or "Completed"
#   failure   map {step, attempt, reason, message, logTail} of the first failure that decided the verdict
#   outputs   map; the declared outputs, null where one could not be evaluated
#   outputErrors  map of output name to why it could not be evaluated
#   context   map; the workflow's context at the end
#   counts    map {total, succeeded, failed, skipped}
