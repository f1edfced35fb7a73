"""The Ledger port: what happened, what was drawn, what was counted. Rows are keyed by uid; no row is changed by guessing.

Times are integer microseconds since the epoch, UTC, by the ledger's clock. All adapters pass one contract suite
(``tests/contracts/ledger``). Methods raise the errors of ``sluice.ports.errors``; Unavailable means that nothing was written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sluice.domain.ledger.records import AuditEvent, RunMetrics, RunRecord, StepRecord
from sluice.domain.routing.dealing import GateSample, Split, Window
from sluice.domain.run.events import Event
from sluice.ports.launcher import Append

__all__ = [
    "Admitted",
    "AppendDone",
    "AuditEvent",
    "GateSample",
    "Ledger",
    "RunAdmission",
    "RunMetrics",
    "RunRecord",
    "Split",
    "StepRecord",
    "Window",
]


@dataclass(frozen=True, slots=True)
class RunAdmission:
    """A run that wants to leave the queue. ``counted`` is False for runs outside metrics and gates."""

    run_uid: str
    namespace: str
    name: str
    workflow: str
    window: Window
    split: Split
    actor: str = ""
    trigger: str = "manual"
    replay_of: str = ""
    counted: bool = True
    limit: int = 0
    """Runs of this workflow and environment that may be open at a time; 0 is no limit."""
    queue: bool = False
    """Over the limit: wait (Queue) rather than be refused."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A place for a run. ``n`` is 0 where nothing was drawn. ``queued``: no slot yet; all else is then empty."""

    number: int
    candidate: bool
    n: int
    window: str
    epoch: int
    queued: bool = False
    refused: bool = False


AppendDone = Callable[[bool | BaseException], None]


class Ledger(Protocol):
    """Append-only log of runs with indexed projections."""

    def now(self) -> int:
        """The ledger's clock."""

    # -- versions ---------------------------------------------------------------------------------------------------
    def record_version(
        self, workflow_uid: str, number: int, digest: str, level: int, published: AuditEvent | None = None
    ) -> None:
        """Remember a number for ever. Repeating it is fine; another digest for a known number is Conflict.

        ``published`` is entered in the audit chain when the number is new: once, however often this is repeated.
        """

    def highest_version(self, workflow_uid: str) -> int:
        """The highest number ever recorded; 0 if none."""

    # -- runs -------------------------------------------------------------------------------------------------------
    def admit(self, admission: RunAdmission) -> Admitted:
        """Take a slot, draw a version, write the run's row and raise the epoch of its main unit: one operation.

        Repeating it for a run that was not pinned gives the same draw as long as the window is the same; a draw from
        another window is void and goes back. For a run that was pinned the draw never changes.
        """

    def pinned(self, run_uid: str) -> None:
        """The run's pin is stored: its draw is final."""

    def raise_epoch(self, run_uid: str, unit: str) -> int:
        """A new epoch for a unit, before it is launched again; older ones are fenced from now on.

        NotFound for a run that was never admitted, Conflict for one that has ended.
        """

    def epoch(self, run_uid: str, unit: str) -> int:
        """The newest epoch of a unit, which something may still be running in; 0 if it was never launched."""

    def bind(self, run_uid: str, unit: str, epoch: int, holder: str) -> bool:
        """Give an epoch to who came for it first (a pod's uid); True also for the same holder again.

        False when the epoch is old, belongs to another holder, or the run has ended. A new epoch belongs to nobody.
        """

    def take_over(self, run_uid: str, events: Sequence[Event]) -> None:
        """Begin the log of an admitted run with what it takes over from another; nothing once it has events."""

    def append(self, append: Append, done: AppendDone) -> None:
        """Add events; ``done(True)`` when durable, ``done(False)`` when the epoch is old or the run has ended.

        Does not block; ``done`` is called on another thread. A repeated sequence number counts as durable. RUN_ENDED sets
        phase, end and metrics in the same transaction and frees the slots.
        """

    def end_run(self, run_uid: str, event: Event) -> bool:
        """End a run from outside its segment (rejected, cancelled before it began, an error of ours); False if it had ended.

        The draw of a run that is rejected or cancelled before it was pinned goes back to its window.
        """

    def reject(self, admission: RunAdmission, event: Event) -> None:
        """Record a run that was never admitted (Rejected, or Error before its start), outside metrics, gates and draws."""

    def abandon(self, run_uid: str) -> None:
        """The run's object is gone: an unpinned draw goes back to its window, an open run ends as Cancelled."""

    def run(self, run_uid: str) -> RunRecord | None:
        """One run, or None."""

    def run_named(self, namespace: str, name: str) -> RunRecord | None:
        """The newest run of this name, or None; its object may be long gone."""

    def runs(
        self, namespace: str, workflow: str = "", environment: str = "", *, limit: int = 100, before: int = 0
    ) -> Sequence[RunRecord]:
        """Newest first; ``before`` is a ``created`` time to go on from (0: from the newest)."""

    def open_runs(self) -> Sequence[RunRecord]:
        """All runs that were admitted and have not ended."""

    def next_queued(self, workflow_uid: str, environment: str) -> str:
        """The uid of the run that waits longest for a slot; empty if none. Nobody is let in before it."""

    def history(self, run_uid: str) -> tuple[Event, ...]:
        """All events of a run, in the order of acceptance."""

    def steps(self, run_uid: str) -> Sequence[StepRecord]:
        """Where each started or skipped step stands, in order of start."""

    # -- what is decided from ---------------------------------------------------------------------------------------
    def dealt(self, workflow_uid: str, revision: int) -> dict[str, tuple[int, int]]:
        """For each environment: how many runs of this revision were dealt (candidate, stable)."""

    def highest_revision(self, workflow_uid: str) -> int:
        """The highest revision that runs were dealt for; 0 if none."""

    def gate_sample(self, window: Window, min_runs: int, stable: int) -> GateSample:
        """What a gate is decided from."""

    def metrics(self, workflow_uid: str) -> RunMetrics:
        """Figures for a workflow's status."""

    def dropped(self, workflow_uid: str, environment: str, reason: str) -> None:
        """Count a trigger that started nothing."""

    # -- keys, bodies, audit ----------------------------------------------------------------------------------------
    def claim_key(self, scope: str, key: str, object: str, ttl_seconds: int) -> str:
        """What must happen once: stores ``object`` under the key unless there is one; answers with what is stored."""

    def put_part(self, run_uid: str, kind: str, body: bytes) -> None:
        """Keep a body too large for an object (a payload)."""

    def part(self, run_uid: str, kind: str) -> bytes | None:
        """A kept body, or None."""

    def audit(self, events: Sequence[AuditEvent]) -> None:
        """Append to the audit chain; each entry's hash covers the one before."""

    def audit_tail(self, limit: int = 100) -> Sequence[AuditEvent]:
        """The newest entries, newest first."""
