"""The steps that everybody takes who drives a run: apply what is decided, begin an attempt, end it.

The runner, the simulation and the tests differ only in how an attempt is carried out and where events are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sluice.domain.expressions import EvaluationError
from sluice.domain.run.commands import Command, Record, StartStep
from sluice.domain.run.decide import decide
from sluice.domain.run.events import STEP_ENDED, STEP_STARTED, TRIGGER, Event
from sluice.domain.run.plan import Plan
from sluice.domain.run.progress import Because, capped, expression_failed
from sluice.domain.run.state import RunState


@dataclass(frozen=True, slots=True)
class Advance:
    """``events`` were decided and are applied to the state already: append them. ``commands`` hold no Record."""

    events: list[Event]
    commands: list[Command]


@dataclass(frozen=True, slots=True)
class Work:
    """An attempt for a worker. ``input`` are the fields of the step's kind with their templates evaluated.

    ``timeout`` is in microseconds, 0 for none; ``key`` is the idempotency key.
    """

    step: str
    attempt: int
    kind: str
    input: Mapping[str, Any]
    timeout: int
    key: str


@dataclass(frozen=True, slots=True)
class Beginning:
    """``events`` are applied already: append them. Without ``work`` the step failed before it reached a worker.

    With ``apart`` it is handed over by the event itself: no worker has anything to do.
    """

    events: list[Event]
    work: Work | None
    apart: bool = False


def advance(plan: Plan, state: RunState, now: int) -> Advance:
    """Decide, apply what is to be recorded, and decide again until only work is left."""
    events: list[Event] = []
    while True:
        commands = decide(plan, state, now)
        records = [command.event for command in commands if isinstance(command, Record)]
        if not records:
            return Advance(events, commands)
        if records == events[-len(records) :]:
            raise RuntimeError(f"deciding makes no progress: {records[0]} was applied and is asked for again")
        for event in records:
            state.apply(event)
        events += records


def begin(plan: Plan, state: RunState, command: StartStep, now: int) -> Beginning:
    """Start an attempt: it is recorded, and its templates are evaluated."""
    step = plan.steps[command.step]
    started = Event(STEP_STARTED, step.name, command.attempt, now, {})
    try:
        resolved = resolve_step(plan, state, step.name)
    except EvaluationError as error:
        ended = Event(STEP_ENDED, step.name, command.attempt, now, expression_failed(error, now))
        state.apply(started)
        state.apply(ended)
        return Beginning([started, ended], None)
    work = Work(
        step.name, command.attempt, step.kind, resolved, command.timeout, state.given.idempotency_key(step.name)
    )
    if step.apart:
        body = {"work": {"input": work.input, "timeout": work.timeout, "key": work.key}}
        started = started._replace(body=body)
    state.apply(started)
    return Beginning([started], work, step.apart)


def handed_over(plan: Plan, state: RunState, step: str) -> Work:
    """What an attempt under way in a pod of its own was handed over with."""
    progress = state.steps[step]
    work = progress.work
    return Work(step, progress.attempt, plan.steps[step].kind, work["input"], work["timeout"], work["key"])


def resolve_step(plan: Plan, state: RunState, step: str) -> dict[str, Any]:
    """The fields of the step's kind with their templates evaluated; raises EvaluationError naming the field."""
    planned = plan.steps[step]
    resolved: dict[str, Any] = {}
    for name, compiled in plan.programs.fields(planned).items():
        try:
            resolved[name] = state.values.evaluate(compiled, planned)
        except EvaluationError as error:
            raise EvaluationError(f"{planned.kind}.{name}: {error.message}", error.expression) from error
    return resolved


def refuse_payload(message: str, now: int) -> Event:
    """The event for a payload that does not match the trigger's schema: the run fails on the trigger."""
    body = {"phase": "Failed", "reason": str(Because.INVALID_INPUT), "message": capped(message), "started": now}
    return Event(STEP_ENDED, TRIGGER, 0, now, body)
