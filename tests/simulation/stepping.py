"""A launcher without processes: segments that move one append at a time, when the test says so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sluice.domain.run.attempts import conclude
from sluice.domain.run.commands import CancelSteps, Command, EndRun, StartStep, Wait, WakeAt
from sluice.domain.run.driver import Work, advance, begin
from sluice.domain.run.events import CANCEL_REQUESTED, STEP_ENDED, STOP_REQUESTED, Event
from sluice.domain.run.given import RunGiven
from sluice.domain.run.plan import compile_plan
from sluice.domain.run.state import RunState
from sluice.ports.clock import Clock
from sluice.ports.launcher import Append, Segment, SegmentSink

Execute = Callable[[Segment, Work], dict[str, Any]]
"""What a step does: answers with its output, or raises Fails."""

KEEP = 60_000_000
"""Microseconds. A wait up to this long keeps the segment open, as the real launcher has it."""


class Fails(Exception):
    """The attempt fails; ``body`` is a StepBody without its phase."""

    def __init__(self, **body: Any) -> None:
        super().__init__(body)
        self.body = {"phase": "Failed", "reason": "CodeFailed", "message": "it failed", **body}


def echo(segment: Segment, work: Work) -> dict[str, Any]:
    return {"step": work.step, "version": segment.run.number}


@dataclass
class _Open:
    segment: Segment
    state: RunState
    seq: int = 0
    refused: bool = False


class SteppingLauncher:
    """Holds the open segments; ``step`` lets one of them do its next thing."""

    remote = False

    def __init__(self, sink: SegmentSink, clock: Clock, execute: Execute = echo) -> None:
        self._sink = sink
        self._clock = clock
        self.execute = execute
        self._plans: dict[str, Any] = {}
        self.open: dict[str, _Open] = {}
        self.launches: list[tuple[str, int]] = []
        self.done: list[tuple[str, str]] = []
        """(run's name, step) of each execution: at least once each."""

    def launch(self, segment: Segment) -> None:
        known = self.open.get(segment.run.uid)
        if known is not None and known.segment.epoch >= segment.epoch:
            return
        plan = self._plans.setdefault(segment.trust, compile_plan(segment.definition, segment.level))
        given = RunGiven.read(segment.input, segment.run.uid, segment.deadline)
        self.open[segment.run.uid] = _Open(segment, RunState.resume(plan, given, segment.history))
        self.launches.append((segment.run.name, segment.epoch))
        if segment.cancel:
            self.cancel(segment.run.uid, segment.epoch, reason=segment.cancel)

    def prepare(self, placement: Any) -> None:
        """Nothing is needed."""

    def adopt(self, segment: Segment) -> bool:
        return False

    def cancel(self, run_uid: str, epoch: int, *, reason: str) -> bool:
        opened = self.open.get(run_uid)
        if opened is not None:
            event = Event(CANCEL_REQUESTED, "", 0, self._now(), {"by": "", "reason": reason})
            opened.state.apply(event)
            self._append(opened, [event])
        return True

    def tell(self, run_uid: str, event: Event) -> None:
        opened = self.open.get(run_uid)
        if opened is not None:
            progress = opened.state.steps[event.step]
            if progress.work and progress.attempt == event.attempt:
                opened.state.apply(event)

    def kill(self, run_uid: str) -> None:
        self.open.pop(run_uid, None)

    def close(self) -> None:
        self.open.clear()

    def lose(self, run_uid: str) -> None:
        """The segment's process dies."""
        opened = self.open.pop(run_uid)
        self._sink.lost(run_uid, opened.segment.unit, opened.segment.epoch, "killed by the test")

    def step(self, run_uid: str) -> bool:
        """One append of one segment; False when it has ended or waits."""
        opened = self.open.get(run_uid)
        if opened is None:
            return False
        plan, state = opened.state.plan, opened.state
        ahead = advance(plan, state, self._now())
        events = list(ahead.events)
        for command in ahead.commands:
            if isinstance(command, StartStep):
                events += self._attempt(opened, command)
                break
            if isinstance(command, CancelSteps):
                events += [self._stop(opened, step, command.reason) for step in command.steps]
            if isinstance(command, EndRun):
                events.append(command.event(self._now()))
                self.open.pop(run_uid)
                self._append(opened, events, closes=True)
                return True
        if not events and self._only_waits(ahead.commands):
            self.open.pop(run_uid)
            self._append(opened, [], closes=True)
            return True
        if not events:
            return False
        if not self._append(opened, events):
            self.open.pop(run_uid, None)
        return True

    def run_all(self) -> bool:
        """Until every open segment has ended or waits; answers whether anything moved."""
        moved = False
        while sum(self.step(uid) for uid in list(self.open)):
            moved = True
        return moved

    def _attempt(self, opened: _Open, command: StartStep) -> list[Event]:
        plan, state, now = opened.state.plan, opened.state, self._now()
        beginning = begin(plan, state, command, now)
        if beginning.work is None or beginning.apart:
            return beginning.events
        self.done.append((opened.segment.run.name, command.step))
        try:
            output = self.execute(opened.segment, beginning.work)
            body = {"phase": "Succeeded", "reason": "Completed", "output": output, "started": now}
            ended = Event(STEP_ENDED, command.step, command.attempt, now, body)
        except Fails as failed:
            ended = conclude(plan, state, command.step, {**failed.body, "started": now}, now)
        state.apply(ended)
        return [*beginning.events, ended]

    def _stop(self, opened: _Open, step: str, reason: str) -> Event:
        progress = opened.state.steps[step]
        assert progress.work, "an attempt here is over before anybody can stop it"
        event = Event(STOP_REQUESTED, step, progress.attempt, self._now(), {"reason": reason})
        opened.state.apply(event)
        return event

    def _only_waits(self, commands: list[Command]) -> bool:
        wakes = [command.at for command in commands if isinstance(command, WakeAt)]
        waits = any(isinstance(command, Wait) for command in commands)
        return waits and (not wakes or min(wakes) - self._now() > KEEP)

    def _append(self, opened: _Open, events: list[Event], *, closes: bool = False) -> bool:
        segment = opened.segment
        append = Append(segment.run.uid, segment.unit, segment.epoch, opened.seq + 1, tuple(events), closes)
        opened.seq += len(events)
        answered = threading.Event()
        answers: list[bool] = []

        def acknowledge(ok: bool) -> None:
            answers.append(ok)
            answered.set()

        self._sink.appended(append, acknowledge)
        assert answered.wait(10), "an append was never answered"
        return answers[0]

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1_000_000)
