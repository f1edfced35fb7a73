"""Short ways to write admissions, events and appends."""

from __future__ import annotations

import threading
from typing import Any

from sluice.domain.run.events import RUN_ENDED, STEP_ENDED, STEP_STARTED, Event
from sluice.ports.launcher import Append
from sluice.ports.ledger import Ledger, RunAdmission, Split, Window

WORKFLOW = "wf-uid"


def window(environment: str = "sandbox", revision: int = 1, workflow_uid: str = WORKFLOW) -> Window:
    return Window(workflow_uid, environment, revision)


def admission(uid: str, *, hundredths: int = 0, candidate: int = 2, **over: Any) -> RunAdmission:
    split = over.pop("split", Split(stable=1, candidate=candidate, hundredths=hundredths))
    return RunAdmission(uid, "team", f"run-{uid}", "greet", over.pop("window", window()), split, **over)


def started(step: str, at: int = 1, attempt: int = 1) -> Event:
    return Event(STEP_STARTED, step, attempt, at, {})


def ended(step: str, at: int = 2, phase: str = "Succeeded", **body: Any) -> Event:
    return Event(STEP_ENDED, step, 1, at, {"phase": phase, "reason": "Completed", **body})


def run_ended(at: int = 3, phase: str = "Succeeded") -> Event:
    return Event(RUN_ENDED, "", 0, at, {"phase": phase, "reason": "Completed", "outputs": {"x": 1}})


def add(
    ledger: Ledger, uid: str, first: int, *events: Event, epoch: int = 1, closes: bool = False
) -> bool | BaseException:
    """Append and wait for the answer."""
    answered = threading.Event()
    answers: list[bool | BaseException] = []

    def done(outcome: bool | BaseException) -> None:
        answers.append(outcome)
        answered.set()

    ledger.append(Append(uid, "main", epoch, first, events, closes), done)
    assert answered.wait(10)
    return answers[0]


def finish(ledger: Ledger, uid: str, phase: str = "Succeeded") -> None:
    assert add(ledger, uid, 1, ended("a"), run_ended(ledger.now(), phase), closes=True) is True
