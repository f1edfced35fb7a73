"""Steps with pods of their own, whatever single write the world stops after: each attempt is launched once, and ends once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sluice.api import kinds
from sluice.domain.run.events import STEP_ENDED, is_handed_over
from sluice.ports.errors import Unavailable
from tests.simulation.containers import HandContainers
from tests.simulation.crashes import Faults
from tests.simulation.embedded import HandClock, Simulation

SAMPLE_EVERY = 9
STEPS: list[dict[str, Any]] = [
    {
        "name": "build",
        "action": {"container": {"image": "example.com/tool:1"}},
        "retry": {"limit": 1, "backoff": {"duration": "1ms"}},
    },
    {"name": "beside", "action": {"python": {"code": "output = 1"}}},
    {"name": "ship", "needs": ["build", "beside"], "action": {"container": {"image": "example.com/tool:1"}}},
    {"name": "tell", "needs": ["ship"], "action": {"python": {"code": "output = 1"}}},
]


class Story:
    """One workflow, two runs, and controllers that stop; the cluster goes on."""

    def __init__(self, path: Path, stops: set[int]) -> None:
        self.path, self.clock, self.faults = path, HandClock(), Faults(stops)
        self.containers = HandContainers()
        self.world = self._opened()
        self.restarts = 0

    def _opened(self) -> Simulation:
        for _ in range(10):
            try:
                return Simulation(self.path, clock=self.clock, fault=self.faults, containers=self.containers)
            except Unavailable:
                continue
        raise AssertionError("the world can't be opened")

    def play(self) -> dict[str, Any]:
        """To the end, which must not depend on what happened on the way."""
        for act in (self._declare, self._start, *[self._go_on] * 8):
            while True:
                try:
                    act()
                except Unavailable:
                    assert self.world.writer.stopped, "unavailable although nothing stopped"
                if not self.world.writer.stopped:
                    break
                self.world.close()
                self.world, self.restarts = self._opened(), self.restarts + 1
        try:
            return self._end()
        finally:
            self.world.close()

    def _declare(self) -> None:
        self.world.environment()
        spec = {"owner": "ana@example.com", "definition": {"steps": STEPS}}
        self.world.create(kinds.WORKFLOW, "greet", spec)
        self.world.settle()

    def _start(self) -> None:
        for name in ("r-1", "r-2"):
            self.world.run(name)
        self.world.settle()

    def _go_on(self) -> None:
        self.world.finish_runs()
        for name, step in list(self.containers.there.items()):
            if not self.containers.sights[name].body:
                failing = step.pod.unit == "steps.build.1"
                self.containers.end(name, failed=failing)
        self.world.finish_runs()
        self.world.pass_time(minutes=20)

    def _end(self) -> dict[str, Any]:
        runs = self.world.list(kinds.WORKFLOW_RUN)
        histories = [self.world.ledger.history(run["metadata"]["uid"]) for run in runs]
        return {
            "phases": [run["status"]["phase"] for run in runs],
            "ends": [Counter((e.step, e.attempt) for e in history if e.kind == STEP_ENDED) for history in histories],
            "handed over": [
                Counter((e.step, e.attempt) for e in history if is_handed_over(e)) for history in histories
            ],
            "launches": Counter(self.containers.launches),
        }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Story:
    story = Story(tmp_path_factory.mktemp("undisturbed") / "world.db", set())
    end = story.play()
    once = {("build", 1): 1, ("build", 2): 1, ("ship", 1): 1}
    assert end["phases"] == ["Succeeded", "Succeeded"]
    assert end["handed over"] == [once, once]
    assert end["ends"] == [once | {("beside", 1): 1, ("tell", 1): 1}] * 2
    assert end["launches"] == {(f"steps.{unit}", 1): 2 for unit in ("build.1", "build.2", "ship.1")}
    return story


def check_stops(points: range, undisturbed: Story, folder: Path) -> None:
    for point in points:
        story = Story(folder / f"{point}.db", {point})
        end = story.play()
        assert end["phases"] == ["Succeeded", "Succeeded"], f"stopped at point {point}"
        for ends in end["ends"]:
            assert set(ends.values()) == {1}, f"a step is recorded done twice when the world stops at point {point}"
        for handed in end["handed over"]:
            assert set(handed.values()) == {1}, f"an attempt is handed over twice when the world stops at point {point}"
        assert end["launches"] == {(f"steps.{unit}", 1): 2 for unit in ("build.1", "build.2", "ship.1")}
        for file in folder.glob(f"{point}.db*"):
            file.unlink()


def test_after_a_sample_of_the_writes_nothing_is_lost_or_done_twice(undisturbed: Story, tmp_path: Path) -> None:
    check_stops(range(1, undisturbed.faults.seen + 1, SAMPLE_EVERY), undisturbed, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("block", range(9))
def test_after_every_single_write_nothing_is_lost_or_done_twice(undisturbed: Story, block: int, tmp_path: Path) -> None:
    check_stops(range(block + 1, undisturbed.faults.seen + 1, 9), undisturbed, tmp_path)
