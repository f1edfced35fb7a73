"""Replay from the failed step: which recorded results a new run takes over instead of doing the work again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sluice.domain.run.events import STEP_ENDED, Event
from sluice.domain.run.plan import Plan
from sluice.domain.run.planned import PlannedStep
from sluice.domain.run.progress import Because

_DECIDED: Final = frozenset(
    {Because.WHEN_FALSE, Because.BRANCH_NOT_TAKEN, Because.NOT_SENT_HERE, Because.UPSTREAM_SKIPPED}
)
"""Skips that follow from what was before them: the new run decides them again, and alike."""


def reuse(
    history: Iterable[Event], new: Plan, *, old_digests: Mapping[str, str], new_digests: Mapping[str, str], at: int
) -> tuple[Event, ...]:
    """The events that a replay begins with, in the order of the new plan; ``at`` is their time, microseconds.

    A step is taken over if it succeeded, is not an approval, and the digest of it and of all before it (as
    ``sluice.domain.definition.digest.step_digests`` has it) is the same in both definitions; and if all before it is
    taken over too, since work done again may have other results.
    """
    ended = {event.step: event for event in history if event.kind == STEP_ENDED and not event.body.get("retryAt")}
    settled = 0
    events: list[Event] = []
    for step in new.main:
        event = ended.get(step.name)
        same = old_digests.get(step.name) == new_digests[step.name]
        if event is None or not same or step.visible & ~settled:
            continue
        if event.body["phase"] == "Skipped" and event.body.get("reason") in _DECIDED:
            settled |= step.bit
        elif _is_reusable(step, event):
            settled |= step.bit
            body = {key: value for key, value in event.body.items() if key != "log"}
            events.append(Event(STEP_ENDED, step.name, event.attempt, at, {**body, "reused": True}))
    return tuple(events)


def _is_reusable(step: PlannedStep, event: Event) -> bool:
    # People approve one run: what they saw then is not what would happen now.
    return event.body["phase"] == "Succeeded" and step.kind != "approval"
