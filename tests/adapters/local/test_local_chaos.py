"""Processes die at random while runs go on: each run ends, and each step is recorded once."""

from __future__ import annotations

import contextlib
import random
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from sluice.adapters.local.launcher import LocalLauncher
from sluice.domain.run.events import STEP_ENDED, Event
from sluice.ports.launcher import Acknowledge, Append, Segment
from tests.adapters.local.processes import descendants, kill
from tests.contracts.launcher.segments import definition, python, segment

ROUNDS = 25
"""How often somebody dies, at least."""
RETRY = {"limit": 90, "backoff": {"duration": "1ms", "factor": 1}}
GRAPH = definition(
    python("a", "output = 1", retry=RETRY),
    *[python(f"b{n}", "output = steps.a.output + 1", "a", retry=RETRY) for n in range(6)],
    python(
        "c", "output = sum(steps[name]['output'] for name in steps)", "a", *[f"b{n}" for n in range(6)], retry=RETRY
    ),
)


class Keeper:
    """A ledger in memory: refuses old epochs and repeats, and launches again what was lost."""

    def __init__(self) -> None:
        self.launcher: LocalLauncher
        self.segments: dict[str, Segment] = {}
        self.logs: dict[str, list[Event]] = {}
        self.ended: set[str] = set()
        self.losses = 0
        self.changed = threading.Condition()
        self._seen: dict[str, int] = {}

    def start(self, one: Segment) -> None:
        self.segments[one.run.uid], self.logs[one.run.uid] = one, []
        self.launcher.launch(one)

    def appended(self, append: Append, acknowledge: Acknowledge) -> None:
        current = self.segments[append.run_uid]
        accepted = append.epoch == current.epoch and append.first_seq == self._seen.get(append.run_uid, 0) + 1
        with self.changed:
            if accepted:
                self._seen[append.run_uid] = append.last_seq
                self.logs[append.run_uid] += append.events
                self.ended |= {append.run_uid} if append.closes else set()
            self.changed.notify_all()
        acknowledge(accepted)

    def lost(self, run_uid: str, unit: str, epoch: int, message: str) -> None:
        self.losses += 1
        history = tuple(self.logs[run_uid])
        again = replace(self.segments[run_uid], epoch=epoch + 1, history=history)
        self.segments[run_uid], self._seen[run_uid] = again, 0
        self.launcher.launch(again)


@pytest.mark.parametrize("seed", range(3))
def test_whoever_dies_every_run_ends_and_every_step_is_recorded_once(seed: int, tmp_path: Path) -> None:
    dice, keeper = random.Random(seed), Keeper()
    with closing(LocalLauncher(keeper, scratch=tmp_path)) as launcher:
        keeper.launcher = launcher
        runs = [f"r{n}" for n in range(24)]
        for number, run in enumerate(runs):
            keeper.start(segment(GRAPH, run=run, trust=f"t{number % 3}"))
        rounds = 0
        # On a busy machine nobody may have been at work yet when the first rounds are over.
        while rounds < ROUNDS or not (keeper.losses or len(keeper.ended) == len(runs)):
            rounds += 1
            victims = [*descendants(launcher.zygote_pid), *([launcher.zygote_pid] if dice.random() < 0.1 else [])]
            if victims:
                with contextlib.suppress(ProcessLookupError):
                    kill(dice.choice(victims))
            with keeper.changed:
                keeper.changed.wait(0.02)
        with keeper.changed:
            assert keeper.changed.wait_for(lambda: len(keeper.ended) == len(runs), 30), keeper.ended
    for run in runs:
        ends = [event.step for event in keeper.logs[run] if event.kind == STEP_ENDED and not event.body.get("retryAt")]
        assert sorted(ends) == sorted(step["name"] for step in GRAPH["steps"])
        assert keeper.logs[run][-1].body["phase"] == "Succeeded"
        assert keeper.logs[run][-2].body["output"] == 13
    assert keeper.losses
