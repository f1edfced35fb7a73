"""The end of an attempt: whether the step is over with it, or tries again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sluice.domain.expressions import EvaluationError
from sluice.domain.run.events import STEP_ENDED, Event
from sluice.domain.run.plan import Plan
from sluice.domain.run.planned import PlannedStep
from sluice.domain.run.progress import Because, Failure
from sluice.domain.run.state import RunState

_FINAL = frozenset({Because.REJECTED, Because.INVALID_INPUT, Because.EXPRESSION_FAILED, Because.CANCELLED})
"""Reasons that another attempt can't change; a ``retry.when`` may say otherwise, except for what never reached a worker."""


def conclude(plan: Plan, state: RunState, step: str, body: Mapping[str, Any], now: int) -> Event:
    """The event of an attempt that ended with this StepBody; ``retryAt`` is in it if the step tries again."""
    progress = state.steps[step]
    attempt = max(progress.attempt, 1)
    ended = {**body, "started": body.get("started") or progress.attempt_started}
    ended.pop("retryAt", None)
    if body["phase"] == "Failed":
        try:
            retry_at = _retry_at(plan, state, plan.steps[step], Failure.of(step, attempt, body), now)
            if retry_at:
                ended["retryAt"] = retry_at
        except EvaluationError as error:
            ended["message"] = (
                f"{body.get('message') or 'it failed'}; not tried again, retry.when has no value: {error}"
            )
    return Event(STEP_ENDED, step, attempt, now, ended)


def _retry_at(plan: Plan, state: RunState, step: PlannedStep, failure: Failure, now: int) -> int:
    """When the next attempt is due; 0 for never."""
    retry = step.retry
    if retry is None or failure.attempt > retry.limit or (state.halted and not step.final):
        return 0
    due = now + retry.pause(failure.attempt)
    first = state.steps[step.name].first_started or now
    if retry.max_duration and due > first + retry.max_duration:
        return 0
    if failure.reason in (Because.CANCELLED, Because.RUN_TIMED_OUT):
        return 0
    if step.source["retry"].get("when") is None:
        return due if _is_worth_retrying(failure) else 0
    return due if state.values.condition(plan.programs.retry_when(step), step, failure) else 0


def _is_worth_retrying(failure: Failure) -> bool:
    """What is tried again unless ``retry.when`` says otherwise."""
    refused = 400 <= failure.status < 500 and failure.status not in (408, 429)
    return failure.reason not in _FINAL and not refused
