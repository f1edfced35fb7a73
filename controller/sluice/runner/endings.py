"""How a runner pod ends, and what its exit status says about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit status of the pod's one container."""

    OVER = 0
    """The segment is over: its last word is in the ledger, or the controller wants none of it any more."""
    BAD_ARGUMENT = 2
    """An argument of the container is missing or wrong; the message names it."""
    REFUSED = 3
    """The controller does not take this pod for the segment's."""
    LEASE_OVER = 4
    """No word of the controller for as long as the segment belongs to this pod without one."""
    RUNNER_DIED = 5
    """The process that runs the steps ended before its time."""
    TERMINATED = 143
    """The pod was told to go (SIGTERM) and its grace period is nearly over."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the courier stops; ``message`` is one sentence for people."""

    code: ExitCode
    message: str
