"""What a ledger answers with: runs, steps, audit entries. Times are microseconds since the epoch, UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as history keeps it, whether its object still exists or not."""

    uid: str
    namespace: str
    name: str
    workflow: str
    workflow_uid: str
    environment: str
    number: int
    candidate: bool
    window: str
    n: int
    phase: str
    actor: str
    trigger: str
    created: int
    started: int
    ended: int
    replay_of: str = ""
    end: dict[str, Any] = field(default_factory=dict)
    """The body of RUN_ENDED, once there is one."""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """Where one step stands."""

    step: str
    phase: str
    attempt: int
    reason: str
    message: str
    started: int
    ended: int


@dataclass(frozen=True, slots=True)
class RunMetrics:
    """What a workflow's status says of its runs."""

    last_run: int = 0
    last_phase: str = ""
    succeeded_30d: int = 0
    ended_30d: int = 0
    started_7d: int = 0
    fades: int = 0
    """When the next run leaves one of these spans: figures move then although nothing happens. 0: never."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Who did what, when, from where; ``body`` is JSON."""

    at: int
    actor: str
    action: str
    namespace: str
    object: str
    body: dict[str, Any] = field(default_factory=dict)
