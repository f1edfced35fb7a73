"""The execution report: how a run went, with all that its steps gathered, also when it failed half way.

| key | what it holds |
| --- | --- |
| ``success``, ``phase``, ``reason`` | the verdict; ``Running`` while there is none |
| ``run``, ``startedAt``, ``endedAt``, ``durationMs`` | which run, and when |
| ``context`` | the workflow's context as it is now |
| ``steps`` | each executed step in order of start: its own data (``output``, ``context``), times, attempts, log |
| ``skipped`` | each step that was passed by, with the reason |
| ``errors`` | every step that failed for good, in the order in which they did, and what else failed the run |
| ``outputs``, ``outputErrors``, ``failure``, ``counts`` | the end of the run, once it ended |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sluice.domain.run.ending import failure_body, step_counts
from sluice.domain.run.events import RUN_ENDED, STEP_ENDED, STEP_STARTED, Event
from sluice.domain.run.given import RunGiven, microseconds, rfc3339
from sluice.domain.run.plan import Plan
from sluice.domain.run.progress import Failure
from sluice.domain.run.state import RunState


def report(plan: Plan, events: Iterable[Event], run: Mapping[str, Any]) -> dict[str, Any]:
    """The report of a run after these events; ``run`` is its record (id, name, workflow, version, ...), kept as it is."""
    events = tuple(events)
    state = RunState.fold(plan, RunGiven(run=run), events)
    end = state.outcome or {}
    ended_at = next((event.at for event in events if event.kind == RUN_ENDED), 0)
    started_at = microseconds(run.get("startedAt")) or (events[0].at if events else 0)
    return {
        "success": end.get("phase") == "Succeeded",
        "phase": end.get("phase", "Running"),
        "reason": end.get("reason", ""),
        "run": dict(run),
        "startedAt": rfc3339(started_at),
        "endedAt": rfc3339(ended_at),
        "durationMs": (ended_at - started_at) // 1000 if ended_at else None,
        "context": state.blackboard.visible(None),
        "steps": _executed(events),
        "skipped": _skipped(events),
        "errors": _errors(state),
        "outputs": end.get("outputs", {}),
        "outputErrors": end.get("outputErrors", {}),
        "failure": end.get("failure"),
        "counts": end.get("counts") or step_counts(state),
    }


def _executed(events: Iterable[Event]) -> list[dict[str, Any]]:
    """One entry for each step that was begun, or taken over from an earlier run."""
    entries: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.kind == STEP_STARTED:
            _begin_attempt(entries, event)
        elif event.kind == STEP_ENDED and event.body["phase"] != "Skipped":
            _end_attempt(entries, event)
    return list(entries.values())


def _entry(entries: dict[str, dict[str, Any]], event: Event, started: int) -> dict[str, Any]:
    return entries.setdefault(
        event.step,
        {
            "name": event.step,
            "phase": "Running",
            "reason": "",
            "message": "",
            "output": None,
            "context": {},
            "startedAt": rfc3339(started),
            "endedAt": None,
            "attempts": [],
            "log": "",
        },
    )


def _begin_attempt(entries: dict[str, dict[str, Any]], event: Event) -> None:
    entry = _entry(entries, event, event.at)
    entry["phase"] = "Running"
    # The attempt of a segment that was lost begins again under its number.
    _attempt(entry, event)["startedAt"] = rfc3339(event.at)


def _end_attempt(entries: dict[str, dict[str, Any]], event: Event) -> None:
    body, started = event.body, event.body.get("started") or event.at
    entry = _entry(entries, event, started)
    attempt = _attempt(entry, event)
    over = not body.get("retryAt")
    attempt |= {
        "startedAt": rfc3339(started),
        "endedAt": rfc3339(event.at),
        "phase": body["phase"],
        "reason": body.get("reason", ""),
        "message": body.get("message", ""),
        "status": body.get("status", 0),
        "log": body.get("log", ""),
    }
    entry |= {
        "phase": body["phase"] if over else "Retrying",
        "reason": body.get("reason", ""),
        "message": body.get("message", ""),
        "output": body.get("output"),
        "context": body.get("context") or {},
        "endedAt": rfc3339(event.at) if over else None,
        "log": body.get("log", ""),
    }
    entry |= {key: body[key] for key in ("next", "reused") if key in body}


def _attempt(entry: dict[str, Any], event: Event) -> dict[str, Any]:
    """The entry of this attempt; a new one if it is the first to be heard of it."""
    attempts: list[dict[str, Any]] = entry["attempts"]
    for known in attempts:
        if known["attempt"] == event.attempt:
            return known
    attempts.append({"attempt": event.attempt, "startedAt": None, "endedAt": None, "phase": "Running"})
    return attempts[-1]


def _skipped(events: Iterable[Event]) -> list[dict[str, Any]]:
    return [
        {"name": event.step, "reason": event.body.get("reason", ""), "message": event.body.get("message", "")}
        for event in events
        if event.kind == STEP_ENDED and event.body["phase"] == "Skipped"
    ]


def _errors(state: RunState) -> list[dict[str, Any]]:
    failures: list[Failure] = list(state.failures)
    if state.cancel is not None and state.failing is None:
        failures.append(state.cancel)
    return [failure_body(failure) for failure in failures]
