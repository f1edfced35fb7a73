"""How far one step is, and what a failure is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias


class StepPhase(StrEnum):
    """Where a step is. The last three are ends."""

    PENDING = "Pending"
    RUNNING = "Running"
    RETRYING = "Retrying"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SKIPPED = "Skipped"


class Because(StrEnum):
    """The reasons that deciding itself gives; the same words as in ``sluice.api.reasons``, which a run doesn't load."""

    COMPLETED = "Completed"
    WHEN_FALSE = "WhenFalse"
    BRANCH_NOT_TAKEN = "BranchNotTaken"
    UPSTREAM_SKIPPED = "UpstreamSkipped"
    UPSTREAM_FAILED = "UpstreamFailed"
    NOT_SENT_HERE = "NotSentHere"
    RUN_ENDING = "RunEnding"
    EXPRESSION_FAILED = "ExpressionFailed"
    CONTEXT_CONFLICT = "ContextConflict"
    INVALID_INPUT = "InvalidInput"
    REJECTED = "Rejected"
    CANCELLED = "Cancelled"
    TIMED_OUT = "TimedOut"
    RUN_TIMED_OUT = "RunTimedOut"


Causes: TypeAlias = frozenset[frozenset[str]]
"""Why a step was passed by: every clause must be excused for a later step to run all the same, and any of a clause's
exits excuses it. An exit is a switch, by name, or an error branch, written ``!name``. An empty clause has no excuse.
"""

NO_EXCUSE: Final[Causes] = frozenset({frozenset()})


def error_exit(step: str) -> str:
    """The exit that a step with ``onError.goto`` has."""
    return f"!{step}"


MESSAGE_BYTES: Final = 4096


def capped(message: str) -> str:
    """A message as events keep it: at most 4 KiB of UTF-8."""
    return message.encode("utf-8", "replace")[:MESSAGE_BYTES].decode("utf-8", "ignore")


def expression_failed(error: Exception, now: int) -> dict[str, Any]:
    """The StepBody of a step that ends because an expression has no value."""
    return {"phase": "Failed", "reason": str(Because.EXPRESSION_FAILED), "message": capped(str(error)), "started": now}


@dataclass(slots=True)
class Progress:
    """One step's state. Times are microseconds, 0 for not yet; ``body`` is the last StepBody.

    ``work`` is what an attempt under way was handed over with, ``stopping`` why it is to be stopped.
    """

    phase: StepPhase = StepPhase.PENDING
    attempt: int = 0
    first_started: int = 0
    attempt_started: int = 0
    retry_at: int = 0
    body: Mapping[str, Any] = field(default_factory=dict)
    work: Mapping[str, Any] = field(default_factory=dict)
    stopping: str = ""
    causes: Causes = NO_EXCUSE
    ran: bool = False
    """It ended such that what needs it may run: it succeeded, or its failure is tolerated."""

    @property
    def over(self) -> bool:
        """Whether it ended for good."""
        return self.phase in (StepPhase.SUCCEEDED, StepPhase.FAILED, StepPhase.SKIPPED)


@dataclass(frozen=True, slots=True)
class Failure:
    """One step that failed for good, or what else decided that the run fails."""

    step: str
    attempt: int
    reason: str
    message: str
    status: int = 0
    log: str = ""

    @classmethod
    def of(cls, step: str, attempt: int, body: Mapping[str, Any]) -> Failure:
        """From a StepBody."""
        return cls(
            step=step,
            attempt=attempt,
            reason=body.get("reason") or "",
            message=body.get("message") or "",
            status=body.get("status") or 0,
            log=body.get("log") or "",
        )

    @property
    def record(self) -> dict[str, Any]:
        """As expressions see it: ``error``."""
        return {
            "step": self.step,
            "reason": self.reason,
            "message": self.message,
            "status": self.status,
            "attempt": self.attempt,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the run ended, before ``finally``. ``at`` is when it was clear."""

    phase: str
    reason: str
    failure: Failure | None
    at: int
