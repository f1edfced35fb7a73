"""What a run's segment is told."""

from __future__ import annotations

import dataclasses
from typing import Any

from sluice.api.reasons import StepReason
from sluice.api.workflowrun import RunPhase
from sluice.domain.identity import run_id
from sluice.domain.run.events import Event
from sluice.domain.run.given import microseconds, rfc3339
from sluice.ports.launcher import MAIN_UNIT, RunIdentity, Segment
from sluice.ports.store import Obj
from sluice.reconcilers.runs.routes import Place, VersionInForce
from sluice.runtime.engine import Flight


def build(
    obj: Obj,
    version: VersionInForce,
    place: Place,
    epoch: int,
    *,
    history: tuple[Event, ...] = (),
    root: str = "",
) -> Segment:
    """A segment of the main unit for a pinned run; ``root`` is whose idempotency keys it uses, empty: its own.

    The run began with its pin: every segment sees the same time.
    """
    metadata, given, pin = obj["metadata"], obj["spec"]["input"], obj["spec"]["pin"]
    uid = metadata["uid"]
    began = microseconds(pin["at"])
    identity = RunIdentity(
        uid=uid,
        id=run_id(uid),
        namespace=metadata["namespace"],
        name=metadata["name"],
        workflow=given["workflow"],
        environment=place.name,
        number=version.number,
    )
    return Segment(
        run=identity,
        unit=MAIN_UNIT,
        epoch=epoch,
        trust=f"{identity.namespace}/{version.name}/{version.digest}/{place.name}",
        level=pin["level"],
        definition=version.definition,
        input=_input(identity, given, pin, place, began) | ({"root": root} if root else {}),
        limits=place.limits,
        history=history,
        # the definition's own timeout is the plan's: its clock stops for waits, an environment's bound does not
        deadline=began + place.run_timeout if place.run_timeout else 0,
        placement=place.placement,
    )


def at_epoch(segment: Segment, epoch: int, *, cancel: bool = False) -> Segment:
    """The same segment, as it may be launched; with ``cancel`` to bring its run to an end."""
    return dataclasses.replace(segment, epoch=epoch, cancel=StepReason.CANCELLED.value if cancel else "")


def _input(identity: RunIdentity, given: Obj, pin: Obj, place: Place, began: int) -> dict[str, Any]:
    trigger = given.get("trigger") or {}
    return {
        "payload": given.get("payload"),
        "params": pin.get("params") or {},
        "env": place.record,
        "run": {
            "id": identity.id,
            "name": identity.name,
            "workflow": identity.workflow,
            "environment": identity.environment,
            "version": f"v{identity.number}",
            "startedAt": rfc3339(began),
            "scheduledAt": trigger.get("scheduledAt"),
            "actor": given.get("actor") or "",
            "url": "",
        },
        "trigger": {
            "type": trigger.get("type", "manual"),
            "headers": trigger.get("headers") or {},
            "query": trigger.get("query") or {},
            "receivedAt": trigger.get("receivedAt"),
            "commit": trigger.get("commit") or "",
        },
    }


def lost_body(flight: Flight) -> dict[str, Any]:
    """The end of a run whose runner was lost again and again."""
    message = (
        f"its runner was lost {flight.losses} times in a row without one more step done (the last time: {flight.lost});"
        " replay it when what took it is mended"
    )
    return _ended(RunPhase.ERROR, flight.lost_to, message)


def cancelled_body() -> dict[str, Any]:
    """The end of a run that was cancelled before anything of it had begun."""
    return _ended(RunPhase.CANCELLED, StepReason.CANCELLED, "cancelled before its runner had begun")


def _ended(phase: RunPhase, reason: StepReason, message: str) -> dict[str, Any]:
    return {
        "phase": phase.value,
        "reason": reason.value,
        "failure": {"reason": reason.value, "message": message},
    }
