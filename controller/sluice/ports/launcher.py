"""The Launcher port: starts the segments of runs somewhere and reports what happens in them.

A segment runs every step that can run, until the run ended or only waits remain. It belongs to one epoch of one unit of
a run; whatever arrives from an older epoch is refused by the ledger.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sluice.domain.run.events import Event

MAIN_UNIT = "main"


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """What a run is called; ``id`` is ``wfr_...``, ``number`` the version's."""

    uid: str
    id: str
    namespace: str
    name: str
    workflow: str
    environment: str
    number: int


@dataclass(frozen=True, slots=True)
class Segment:
    """One assignment. ``definition`` is canonical and shared between segments of a version: never changed.

    ``trust`` names the trust domain (workflow version and environment): worker processes are reused only inside it.
    ``input`` holds ``payload``, ``params``, ``env {name, type, tier}``, ``run {...}``, ``trigger {...}`` as expressions see
    them. ``limits`` holds ``stepMemory`` (bytes), ``stepTimeout`` (seconds), ``parallelSteps``. ``deadline`` is when the run
    times out (microseconds, UTC) or 0.
    """

    run: RunIdentity
    unit: str
    epoch: int
    trust: str
    level: int
    definition: dict[str, Any]
    input: dict[str, Any]
    limits: dict[str, Any]
    history: tuple[Event, ...] = ()
    deadline: int = 0


@dataclass(frozen=True, slots=True)
class Append:
    """Events of one unit's epoch: the first has sequence number ``first_seq``, the others follow it without gaps.

    ``closes`` says that the segment is over: nothing more comes from this epoch.
    """

    run_uid: str
    unit: str
    epoch: int
    first_seq: int
    events: tuple[Event, ...]
    closes: bool = False

    @property
    def last_seq(self) -> int:
        """The highest sequence number in it."""
        return self.first_seq + len(self.events) - 1


Acknowledge = Callable[[bool], None]
"""Called once the events are durable (True) or refused because the epoch is old (False); from any thread, must be quick."""


class SegmentSink(Protocol):
    """Who is told. Called on the launcher's own thread; must not block."""

    def appended(self, append: Append, acknowledge: Acknowledge) -> None:
        """Events arrived. They are not accepted before ``acknowledge(True)``."""

    def lost(self, run_uid: str, unit: str, epoch: int, message: str) -> None:
        """The segment's process is gone without having closed the segment."""


class Launcher(Protocol):
    """Starts segments."""

    def launch(self, segment: Segment) -> None:
        """Start it; returns at once. Events and a loss are reported to the sink. A repeat for the same epoch is ignored."""

    def cancel(self, run_uid: str, epoch: int, *, reason: str) -> None:
        """Ask a running segment to cancel its steps, run ``finally`` and end; ignored if it does not run.

        ``reason`` is ``Cancelled`` or ``RunTimedOut``."""

    def kill(self, run_uid: str) -> None:
        """Stop all segments of a run at once and report nothing more of them."""

    def close(self) -> None:
        """Stop everything and wait until no process is left."""
