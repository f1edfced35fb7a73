"""The one scheduler: a plan, a state and the time give what to do next. Pure, so that everybody decides alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sluice.domain.expressions import EvaluationError
from sluice.domain.run.commands import CancelSteps, Command, EndRun, Record, StartStep, Wait, WakeAt
from sluice.domain.run.ending import run_body
from sluice.domain.run.events import CANCEL_REQUESTED, STEP_ENDED, Event
from sluice.domain.run.permission import refusal
from sluice.domain.run.plan import Plan
from sluice.domain.run.planned import SWITCH, PlannedStep
from sluice.domain.run.progress import Because, StepPhase, expression_failed
from sluice.domain.run.state import RunState

FINALLY_BOUND: Final = 10 * 60 * 1_000_000
"""How long ``finally`` may take, microseconds."""


@dataclass(frozen=True, slots=True)
class Halt:
    """The steps of the section are brought to an end. ``stops``: those in flight are cancelled, not waited for."""

    reason: Because
    stops: bool


def decide(plan: Plan, state: RunState, now: int) -> list[Command]:
    """What to do next; nothing if the run ended. Either records alone, or what follows once nothing is to be recorded."""
    if state.outcome is not None:
        return []
    if state.over:
        return [EndRun(run_body(plan, state))]
    if _has_timed_out(state, now):
        message = f"the run took longer than its timeout of {plan.definition.get('timeout') or 'the environment'}"
        body = {"by": "", "reason": str(Because.RUN_TIMED_OUT), "message": message}
        return [Record(Event(CANCEL_REQUESTED, "", 0, now, body))]
    halt = _halt(plan, state, now)
    records = _withdrawals(state, halt, now) if halt else _conclusions(plan, state, now)
    if records:
        return list(records)
    commands: list[Command] = _starts(state, halt, now)
    if halt and halt.stops and (still := [name for name in state.running if not state.steps[name].stopping]):
        commands.append(CancelSteps(state.in_order(still), str(halt.reason)))
    return [*commands, *_pauses(state, commands, halt)]


def _has_timed_out(state: RunState, now: int) -> bool:
    if state.verdict is not None or state.cancel is not None:
        return False
    expires = state.clock.expires(active=state.active)
    return bool(expires) and now >= expires


def _halt(plan: Plan, state: RunState, now: int) -> Halt | None:
    if state.verdict is not None:
        return Halt(Because.TIMED_OUT, stops=True) if now >= state.verdict.at + FINALLY_BOUND else None
    if state.cancel is not None:
        return Halt(Because(state.cancel.reason), stops=True)
    if state.failing is not None:
        return Halt(Because.CANCELLED, stops=plan.cancels)
    return None


def _withdrawals(state: RunState, halt: Halt, now: int) -> list[Record]:
    """What will not happen any more: steps that have not begun, retries, and what a lost segment left behind."""
    records: list[Record] = []
    failed: set[str] = set()
    for step in state.section:
        progress = state.steps[step.name]
        if progress.phase is StepPhase.FAILED or progress.body.get("reason") == Because.UPSTREAM_FAILED:
            failed.add(step.name)
        elif progress.phase is StepPhase.PENDING:
            upstream = next((need.step for need in step.needs if need.step in failed), None)
            if upstream:
                failed.add(step.name)
                message = f"{upstream}, which it needs, failed or could not run"
                records.append(_skip(step, Because.UPSTREAM_FAILED, message, now))
            else:
                records.append(_skip(step, Because.RUN_ENDING, "the run was ending before this step began", now))
        elif progress.phase is StepPhase.RETRYING:
            records.append(_end(step, progress.attempt, _without_retry(progress.body), now))
        elif _is_abandoned(state, step, halt):
            body = {"phase": "Failed", "reason": str(halt.reason), "message": "the run was ended while this step ran"}
            records.append(_end(step, progress.attempt, body, now))
    return records


def _is_abandoned(state: RunState, step: PlannedStep, halt: Halt) -> bool:
    """Whether it was started, and no process is there that could end it.

    Waits are such: they are not in flight, and nobody lets a run drain for the days that an approval may take.
    """
    return (step.name in state.running and step.waits) or (step.name in state.interrupted and halt.stops)


def _conclusions(plan: Plan, state: RunState, now: int) -> list[Record]:
    """What is decided without a worker: skips, switches, conditions that have no value."""
    records = (_conclude(plan, state, step, now) for step in state.candidates())
    return [record for record in records if record is not None]


def _conclude(plan: Plan, state: RunState, step: PlannedStep, now: int) -> Record | None:
    if step.name in state.permitted:
        return None
    refused = refusal(state, step)
    if refused is not None:
        return _skip(step, refused.reason, refused.message, now)
    try:
        if step.source.get("when") is not None and not state.values.condition(plan.programs.when(step), step):
            return _skip(step, Because.WHEN_FALSE, "its condition is false", now)
        if step.kind == SWITCH:
            return _end(step, 1, _choice(plan, state, step, now), now)
    except EvaluationError as error:
        return _end(step, 1, expression_failed(error, now), now)
    # What it depends on is over and stays so; only a handler may see more failures by the time that it starts.
    if not step.senders:
        state.permitted.add(step.name)
    return None


def _choice(plan: Plan, state: RunState, step: PlannedStep, now: int) -> dict[str, Any]:
    """The body of a switch's end: the first case that is true wins."""
    chosen = step.spec.get("default") or []
    for condition, following in plan.programs.cases(step):
        if state.values.condition(condition, step):
            chosen = following
            break
    return {
        "phase": "Succeeded",
        "reason": str(Because.COMPLETED),
        "output": {"next": list(chosen)},
        "next": list(chosen),
        "started": now,
    }


def _starts(state: RunState, halt: Halt | None, now: int) -> list[Command]:
    again = [(state.plan.steps[name], state.steps[name].attempt) for name in state.in_order(state.interrupted)]
    if halt is None:
        due = [name for name in state.retrying if state.steps[name].retry_at <= now]
        again += [(state.plan.steps[name], state.steps[name].attempt + 1) for name in state.in_order(due)]
        again += [(step, 1) for step in state.candidates()]
    return [StartStep(step.name, attempt, step.timeout) for step, attempt in again]


def _pauses(state: RunState, commands: Iterable[Command], halt: Halt | None) -> list[Command]:
    """When to look again, and whether anything is in flight meanwhile."""
    busy = any(isinstance(command, StartStep | CancelSteps) for command in commands)
    starting = {command.step for command in commands if isinstance(command, StartStep)}
    timers = [state.steps[name].retry_at for name in state.retrying - starting]
    if state.verdict is not None and halt is None:
        timers.append(state.verdict.at + FINALLY_BOUND)
    elif state.cancel is None and (expires := state.clock.expires(active=state.active)):
        timers.append(expires)
    pauses: list[Command] = [WakeAt(min(timers))] if timers else []
    waiting = state.running | state.retrying
    if not busy and all(_is_elsewhere(state, name) for name in state.running):
        pauses.append(Wait(state.in_order(waiting)))
    return pauses


def _is_elsewhere(state: RunState, name: str) -> bool:
    """Whether no segment is needed for the step to go on. Of one that is to be stopped the end is near, and waited for."""
    return state.plan.steps[name].waits or (bool(state.steps[name].work) and not state.steps[name].stopping)


def _skip(step: PlannedStep, reason: Because, message: str, now: int) -> Record:
    return _end(step, 0, {"phase": "Skipped", "reason": str(reason), "message": message}, now)


def _end(step: PlannedStep, attempt: int, body: dict[str, Any], now: int) -> Record:
    return Record(Event(STEP_ENDED, step.name, attempt, now, body))


def _without_retry(body: Any) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != "retryAt"}
