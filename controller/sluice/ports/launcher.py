"""The Launcher port: starts the segments of runs somewhere and reports what happens in them.

A segment runs every step that can run, until the run ended or only waits remain. It belongs to one epoch of one unit of
a run; whatever arrives from an older epoch is refused by the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sluice.api.reasons import Reason, StepReason
from sluice.domain.launching.placement import Placement
from sluice.domain.run.events import Event
from sluice.ports.errors import PortError

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
    placement: Placement | None = None
    """Where and how it is launched, for a remote launcher; shared between the segments of an environment."""
    cancel: str = ""
    """Why the run is to end (``Cancelled``), where that is known before its launch: a segment that has nothing else to do would
    be over before it could be told."""


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


Acknowledge = Callable[[bool | None], None]
"""Called once the events are durable (True), are refused because the epoch is old (False), or could not be written now
(None: a remote launcher has them sent again); from any thread, must be quick."""


class LaunchRefused(PortError):
    """The place does not take the segment as it is (quota, pod security, a missing right): a person must act there."""

    reason, code = "Forbidden", 403

    def __init__(self, why: Reason, message: str) -> None:
        super().__init__(message)
        self.why = why


class SegmentSink(Protocol):
    """Who is told. Called on the launcher's own thread; must not block."""

    def appended(self, append: Append, acknowledge: Acknowledge) -> None:
        """Events arrived. They are not accepted before ``acknowledge(True)``."""

    def lost(
        self, run_uid: str, unit: str, epoch: int, message: str, *, reason: StepReason = StepReason.RUNNER_LOST
    ) -> None:
        """The segment's process is gone without having closed the segment; ``reason`` says what took it."""

    def began(self, run_uid: str, unit: str, epoch: int) -> None:
        """Its runner is there and has the assignment. Told by remote launchers alone."""

    def hindered(self, run_uid: str, unit: str, epoch: int, reason: Reason | None, message: str) -> None:
        """Why its runner can't begin (unschedulable, no image, no quota), or ClusterUnreachable: nobody knows how it goes on;
        None once nothing hinders it any more."""


class Launcher(Protocol):
    """Starts segments."""

    remote: bool
    """Segments run in places of their own, which outlive this process and may be away for a while: they begin some time
    after ``launch``, they can be adopted, and what they could not report they report later."""

    def prepare(self, placement: Placement) -> None:
        """Make ready what segments of an environment need beside themselves; repeated whenever it may have changed.

        LaunchRefused when nothing can be launched there, Unavailable when it may be tried again.
        """

    def launch(self, segment: Segment) -> None:
        """Start it. Events and a loss are reported to the sink. A repeat for the same epoch is ignored.

        LaunchRefused when the place does not take it, Unavailable when it may be tried again.
        """

    def adopt(self, segment: Segment) -> bool:
        """Take up a segment that an earlier process launched; False if nothing of its epoch runs or can still begin.

        ``segment`` is what its runner is told if it has no assignment yet.
        """

    def cancel(self, run_uid: str, epoch: int, *, reason: str) -> bool:
        """Ask a segment to cancel its steps, run ``finally`` and end; ignored if it does not run.

        ``reason`` is ``Cancelled`` or ``RunTimedOut``. False if it has not begun: it is told when it does."""

    def tell(self, run_uid: str, event: Event) -> None:
        """Let the run's open segment know what was recorded outside it: the end of a step that has a pod of its own.

        Ignored where none is open: the next one finds it in its history.
        """

    def kill(self, run_uid: str) -> None:
        """Stop all segments of a run at once and report nothing more of them."""

    def clear(self, run_uid: str, places: Sequence[Placement]) -> None:
        """Delete whatever is left of a run in these places, whoever launched it; only their cluster and namespace count.

        LaunchRefused or Unavailable when that can't be done, or be known to have been done, now.
        """

    def close(self) -> None:
        """Let go. A local launcher stops everything and waits until no process is left; what runs remotely goes on."""
