"""A sink that remembers, and that acknowledges when a test wants it to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from sluice.api.reasons import Reason, StepReason
from sluice.domain.run.events import RUN_ENDED, STEP_ENDED, Event
from sluice.ports.launcher import Acknowledge, Append

PATIENCE = 20.0


@dataclass
class Sink:
    """Everything that was reported. ``hold`` says which appends are not acknowledged yet."""

    hold: Callable[[Append], bool] = lambda _: False
    appends: list[Append] = field(default_factory=list)
    held: list[tuple[Append, Acknowledge]] = field(default_factory=list)
    losses: list[tuple[str, str, int, str]] = field(default_factory=list)
    begun: list[tuple[str, str, int]] = field(default_factory=list)
    hindrances: list[tuple[str, Reason | None, str]] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def appended(self, append: Append, acknowledge: Acknowledge) -> None:
        held = self.hold(append)
        with self._changed:
            self.appends.append(append)
            if held:
                self.held.append((append, acknowledge))
            self._changed.notify_all()
        if not held:
            acknowledge(True)

    def lost(
        self, run_uid: str, unit: str, epoch: int, message: str, *, reason: StepReason = StepReason.RUNNER_LOST
    ) -> None:
        with self._changed:
            self.losses.append((run_uid, unit, epoch, message))
            self._changed.notify_all()

    def began(self, run_uid: str, unit: str, epoch: int) -> None:
        with self._changed:
            self.begun.append((run_uid, unit, epoch))
            self._changed.notify_all()

    def hindered(self, run_uid: str, unit: str, epoch: int, reason: Reason | None, message: str) -> None:
        with self._changed:
            self.hindrances.append((run_uid, reason, message))
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE), (
                f"waited in vain; there are {self.appends} {self.losses}"
            )

    def events(self, run: str) -> list[Event]:
        return [event for append in self.appends if append.run_uid == run for event in append.events]

    def closed(self, run: str) -> bool:
        return any(append.closes for append in self.appends if append.run_uid == run)

    def wait_closed(self, *runs: str) -> None:
        self.wait_for(lambda: all(self.closed(run) for run in runs))

    def wait_ended(self, run: str, step: str) -> Event:
        self.wait_for(lambda: step in self.ends(run))
        return self.ends(run)[step]

    def wait_started(self, run: str, step: str) -> None:
        self.wait_for(lambda: any(event.step == step for event in self.events(run)))

    def ends(self, run: str) -> dict[str, Event]:
        return {event.step: event for event in self.events(run) if event.kind == STEP_ENDED}

    def verdict(self, run: str) -> Event:
        return next(event for event in self.events(run) if event.kind == RUN_ENDED)
