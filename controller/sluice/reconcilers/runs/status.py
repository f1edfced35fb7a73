"""A run's status: small whatever the run does. Dicts, not models: it is written for every run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from sluice.api.reasons import Reason
from sluice.domain.durations import rough
from sluice.domain.identity import run_id
from sluice.domain.run.given import microseconds
from sluice.domain.timestamps import from_micros, stamp
from sluice.ports.ledger import StepRecord
from sluice.ports.store import Obj
from sluice.reconcilers.runs.waiting import Standing
from sluice.reconcilers.world import World

OUTPUTS_LIMIT = 32 * 1024
"""Bytes; larger outputs stay in the ledger."""
MESSAGE_LIMIT = 2048
LOG_TAIL_LIMIT = 4096
STEPS_LIMIT = 100

_ENDINGS = {
    "Succeeded": ("True", Reason.RUN_ENDED),
    "Failed": ("False", Reason.RUN_FAILED),
    "Error": ("False", Reason.RUN_ERROR),
    "Cancelled": ("False", Reason.RUN_CANCELLED),
    "Rejected": ("False", Reason.RUN_REJECTED),
}


def pending(world: World, obj: Obj, reason: Reason, message: str) -> Obj:
    """It has not begun, and why."""
    return _open(world, obj, "Pending", reason, message)


def held_up(world: World, obj: Obj, reason: Reason, message: str) -> Obj:
    """It does not go on now, and why: what is known of how far it got stays."""
    before = obj.get("status") or {}
    phase = before["phase"] if before.get("phase") in ("Running", "Waiting") else "Pending"
    return {**before, **_open(world, obj, phase, reason, message), "reason": reason.value}


def queued(world: World, obj: Obj) -> Obj:
    """It waits for another run to end."""
    return _open(world, obj, "Queued", Reason.RUN_QUEUED, "as many runs as the workflow's concurrency allows are open")


def starting(world: World, obj: Obj, hindrance: tuple[Reason, str] | None) -> Obj:
    """It has its version, and its runner has not begun: why, where that is known."""
    reason, message = hindrance or (Reason.RUN_PENDING, "its runner has not begun yet")
    status = _open(world, obj, "Pending", reason, message)
    status["version"] = f"v{obj['spec']['pin']['number']}"
    if hindrance:
        status["reason"] = reason.value  # a column of `kubectl get`
    return status


def running(world: World, obj: Obj, hindrance: tuple[Reason, str] | None = None) -> Obj:
    """It runs: which steps, how many are done; or why nothing has been heard of it."""
    reason, message = hindrance or (Reason.RUN_RUNNING, "")
    status = _open(world, obj, "Running", reason, message)
    pin = obj["spec"]["pin"]
    status["version"] = f"v{pin['number']}"
    status["startedAt"] = stamp(from_micros(microseconds(pin["at"])))
    steps = world.ledger.steps(obj["metadata"]["uid"])
    unfinished = [step for step in steps if not step.ended or step.phase == "Failed"]
    if unfinished:
        status["step"] = unfinished[0].step
        status["steps"] = [_summary(step) for step in unfinished[:STEPS_LIMIT]]
    status["counts"] = _counts(steps)
    return status


def waiting(world: World, obj: Obj, stands: Standing) -> Obj:
    """Nothing of it runs; the next segment is launched when a wait is over."""
    names = ", ".join(stands.steps) or "its next step"
    until = f" until {stamp(from_micros(stands.due))}" if stands.due else ""
    return running(world, obj) | {
        key: value
        for key, value in _open(world, obj, "Waiting", Reason.RUN_WAITING, f"{names} waits{until}").items()
        if key in ("phase", "conditions")
    }


def ended(obj: Obj, end: Obj, at: int) -> Obj:
    """It has ended; ``end`` is the body of RUN_ENDED, ``at`` when that was recorded, in microseconds."""
    phase, failure = end["phase"], end.get("failure") or {}
    pin = obj["spec"].get("pin")
    verdict, reason = _ENDINGS[phase]
    message = str(failure.get("message", ""))[:MESSAGE_LIMIT]
    generation = obj["metadata"].get("generation", 1)
    moment = stamp(from_micros(at))
    conditions = [_condition("Ready", "True", Reason.RUN_ENDED, "", generation, moment)]
    if end.get("outputErrors"):
        complaint = "; ".join(f"{name}: {why}" for name, why in sorted(end["outputErrors"].items()))[:MESSAGE_LIMIT]
        conditions.insert(
            0, _condition("OutputsComplete", "False", Reason.OUTPUT_UNAVAILABLE, complaint, generation, moment)
        )
    conditions.append(_condition("Succeeded", verdict, reason, message, generation, moment))
    status: Obj = {
        "observedGeneration": generation,
        "id": run_id(obj["metadata"]["uid"]),
        "phase": phase,
        "endedAt": moment,
        "conditions": conditions,
    }
    if pin is not None:
        began = microseconds(pin["at"])
        status["version"] = f"v{pin['number']}"
        status["startedAt"] = stamp(from_micros(began))
        status["duration"] = rough(max(0, at - began))
    if phase != "Succeeded":
        status["reason"] = failure.get("reason") or end.get("reason") or phase
        status["failure"] = _failure(failure, end)
        if failure.get("step"):
            status["step"] = failure["step"]
    if end.get("counts"):
        status["counts"] = {**end["counts"], "running": 0}
    outputs = end.get("outputs")
    if outputs and len(orjson.dumps(outputs)) <= OUTPUTS_LIMIT:
        status["outputs"] = outputs
    return status


def _failure(failure: Obj, end: Obj) -> Obj:
    kept: Obj = {"reason": failure.get("reason") or end.get("reason") or "", "message": str(failure.get("message", ""))}
    kept["message"] = kept["message"][:MESSAGE_LIMIT]
    for name in ("step", "attempt"):
        if failure.get(name):
            kept[name] = failure[name]
    if failure.get("logTail"):
        kept["logTail"] = str(failure["logTail"])[-LOG_TAIL_LIMIT:]
    return kept


def _open(world: World, obj: Obj, phase: str, reason: Reason, message: str) -> Obj:
    before = obj.get("status", {})
    generation = obj["metadata"].get("generation", 1)
    known = {condition["type"]: condition for condition in before.get("conditions", ())}.get("Ready")
    since = known["lastTransitionTime"] if known else stamp(world.clock.now())
    return {
        "observedGeneration": generation,
        "id": run_id(obj["metadata"]["uid"]),
        "phase": phase,
        "conditions": [
            _condition("Ready", "False", reason, message, generation, since),
            _condition("Reconciling", "True", reason, message, generation, since),
        ],
    }


def _condition(type: str, status: str, reason: Reason, message: str, generation: int, since: str) -> dict[str, Any]:
    return {
        "type": type,
        "status": status,
        "reason": reason.value,
        "message": message,
        "observedGeneration": generation,
        "lastTransitionTime": since,
    }


def _summary(step: StepRecord) -> dict[str, Any]:
    summary: dict[str, Any] = {"name": step.step, "phase": step.phase, "attempt": step.attempt}
    if step.reason:
        summary["reason"] = step.reason
    if step.message:
        summary["message"] = step.message[:MESSAGE_LIMIT]
    if step.started:
        summary["startedAt"] = stamp(from_micros(step.started))
    return summary


def _counts(steps: Sequence[StepRecord]) -> dict[str, int]:
    ended = [step for step in steps if step.ended]
    return {
        "total": len(steps),
        "succeeded": sum(1 for step in ended if step.phase == "Succeeded"),
        "failed": sum(1 for step in ended if step.phase == "Failed"),
        "skipped": sum(1 for step in ended if step.phase == "Skipped"),
        "running": len(steps) - len(ended),
    }
