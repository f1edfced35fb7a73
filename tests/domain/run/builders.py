"""Small definitions in canonical form, and runs played with prepared outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sluice.domain.run.events import STEP_ENDED, STEP_STARTED, Event
from sluice.domain.run.given import RunGiven
from sluice.domain.run.plan import compile_plan
from sluice.domain.run.simulation import Attempt, Outcome, Simulation, simulate, succeeded

SECOND = 1_000_000
MINUTE = 60 * SECOND
START = 1_800_000_000 * SECOND

Prepared = Outcome | Sequence[Outcome] | Callable[[Attempt], Outcome]


def code(name: str, *, needs: Iterable[str] = (), **envelope: Any) -> dict[str, Any]:
    """A step of code; what it does is up to the test."""
    return {
        "name": name,
        "needs": list(needs),
        "onError": {"action": "Fail"},
        "action": {"python": {"code": "output = 1"}},
        **envelope,
    }


def container(name: str, *, needs: Iterable[str] = (), **envelope: Any) -> dict[str, Any]:
    """A step with a pod of its own."""
    return {
        "name": name,
        "needs": list(needs),
        "onError": {"action": "Fail"},
        "action": {"container": {"image": "example.com/tool:1", "env": {"WHO": "${ payload.who }"}}},
        **envelope,
    }


def switch(
    name: str, *cases: tuple[str, Sequence[str]], default: Sequence[str] = (), needs: Iterable[str] = ()
) -> dict[str, Any]:
    """A switch; each case is an expression and the steps that it chooses."""
    ways = [{"when": f"${{ {expression} }}", "next": list(following)} for expression, following in cases]
    return {
        "name": name,
        "needs": list(needs),
        "onError": {"action": "Fail"},
        "logic": {"switch": {"cases": ways, "default": list(default)}},
    }


def approval(name: str, *, needs: Iterable[str] = (), **envelope: Any) -> dict[str, Any]:
    return {
        "name": name,
        "needs": list(needs),
        "onError": {"action": "Fail"},
        "approval": {"groups": ["leads"]},
        **envelope,
    }


def goto(step: str, then: str = "Continue") -> dict[str, str]:
    return {"goto": step, "then": then}


CONTINUE = {"action": "Continue"}


def definition(*steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "trigger": {"manual": {}},
        "execution": "Parallel",
        "failurePolicy": "Drain",
        "steps": list(steps),
        **fields,
    }


def play(
    defined: dict[str, Any],
    outcomes: Mapping[str, Prepared] | None = None,
    *,
    payload: Any = None,
    params: Mapping[str, Any] | None = None,
    history: Iterable[Event] = (),
    cancel_at: int = 0,
    stop_after: int = 0,
) -> Simulation:
    """Play a run; a step without a prepared outcome succeeds at once with its own name as output."""

    def execute(attempt: Attempt) -> Outcome:
        prepared = (outcomes or {}).get(attempt.work.step)
        if prepared is None:
            return succeeded({"by": attempt.work.step})
        if isinstance(prepared, Outcome):
            return prepared
        if callable(prepared):
            return prepared(attempt)
        return prepared[min(attempt.work.attempt, len(prepared)) - 1]

    return simulate(
        compile_plan(defined),
        given(payload, params),
        execute,
        history=history,
        cancel_at=cancel_at,
        stop_after=stop_after,
    )


def given(payload: Any = None, params: Mapping[str, Any] | None = None) -> RunGiven:
    return RunGiven(
        payload=payload,
        params=params or {},
        env={"name": "local", "type": "Sandbox"},
        run={"id": "wfr_1", "name": "w-1", "workflow": "w", "startedAt": "2027-01-15T08:00:00Z"},
        trigger={"type": "manual", "receivedAt": "2027-01-15T08:00:00Z"},
        root="run-1",
        started=START,
    )


def ends(played: Simulation) -> dict[str, str]:
    """For each step its phase, or the reason why it was skipped."""
    return {
        event.step: event.body["reason"] if event.body["phase"] == "Skipped" else event.body["phase"]
        for event in played.events
        if event.kind == STEP_ENDED and not event.body.get("retryAt")
    }


def starts(played: Simulation) -> list[str]:
    """The steps in the order in which attempts began."""
    return [event.step for event in played.events if event.kind == STEP_STARTED]


def reasons(played: Simulation) -> dict[str, str]:
    """For each step why it ended as it did."""
    return {event.step: event.body.get("reason", "") for event in played.events if event.kind == STEP_ENDED}
