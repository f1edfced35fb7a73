"""Stopping the world after any single write, building it anew from the file, and comparing the end.

A script is a list of acts of a user; each may be repeated, as a user would who got no answer. The world may stop at any
operation, before any commit and after any commit. Whatever happens, the end must be the same as undisturbed.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sluice.adapters.sqlite.writer import StopTheWorld
from sluice.api import kinds
from sluice.domain.run.events import RUN_ENDED, STEP_ENDED
from sluice.ports.errors import Unavailable
from tests.simulation.acts import Act
from tests.simulation.embedded import HandClock, Simulation


@dataclass
class Faults:
    """Counts the points at which the world may stop, and stops it at the chosen ones."""

    stops: set[int] = field(default_factory=set)
    seen: int = 0
    act: int = 0
    """Which act of the script is being played."""

    def __call__(self, point: str) -> None:
        self.seen += 1
        if self.seen in self.stops:
            raise StopTheWorld(f"at point {self.seen}, {point}")


@dataclass(frozen=True)
class Wreck:
    """What there is when the world stops: a file, the time, and the act that nobody answered."""

    path: Path
    time: dt.datetime
    act: int

    def discard(self) -> None:
        """Remove its files."""
        for file in self.path.parent.glob(f"{self.path.name}*"):
            file.unlink()


@dataclass
class Wrecks(Faults):
    """Stops nothing, but leaves at each chosen point what would have been left. Saves to play the same beginning again."""

    world: Path = Path()
    chosen: Callable[[int], bool] = lambda _: False
    clock: HandClock = field(default_factory=HandClock)
    left: dict[int, Wreck] = field(default_factory=dict)

    def __call__(self, point: str) -> None:
        super().__call__(point)
        if self.chosen(self.seen):
            path = self.world.with_name(f"{self.seen}-{self.world.name}")
            for suffix in ("", "-wal"):
                file = self.world.with_name(self.world.name + suffix)
                if file.exists():
                    shutil.copyfile(file, path.with_name(path.name + suffix))
            self.left[self.seen] = Wreck(path, self.clock.time, self.act)


@dataclass(frozen=True)
class Played:
    """The end of a script: what everybody can see, and how often the world stopped."""

    end: dict[str, Any]
    points: int
    restarts: int


def play(script: Sequence[Act], path: Path, stops: set[int] | None = None) -> Played:
    """From the beginning to the end, stopped at these points."""
    return _play(script, path, HandClock(), Faults(stops or set()))


def wrecks_of(script: Sequence[Act], path: Path, chosen: Callable[[int], bool]) -> dict[int, Wreck]:
    """What a stop at each of these points would leave."""
    wrecks = Wrecks(world=path, chosen=chosen)
    _play(script, path, wrecks.clock, wrecks)
    return wrecks.left


def go_on(script: Sequence[Act], wreck: Wreck) -> Played:
    """From what a stop left to the end: the user repeats what was not answered."""
    clock = HandClock()
    clock.time = wreck.time
    return _play(script[wreck.act :], wreck.path, clock, Faults())


def _play(script: Sequence[Act], path: Path, clock: HandClock, faults: Faults) -> Played:
    world, restarts = _opened(path, clock, faults)
    try:
        for faults.act, act in enumerate(script):
            while True:
                try:
                    act(world)
                except Unavailable:
                    assert world.writer.stopped, "unavailable although nothing stopped"
                if not world.writer.stopped:
                    break
                world.close()
                world, tries = _opened(path, clock, faults)
                restarts += 1 + tries
        return Played(end_of(world), faults.seen, restarts)
    finally:
        world.close()


def _opened(path: Path, clock: HandClock, faults: Faults) -> tuple[Simulation, int]:
    """The world anew, and how often it stopped while it was being opened."""
    for tries in range(10):
        try:
            return Simulation(path, clock=clock, fault=faults), tries
        except Unavailable:
            continue
    raise AssertionError("the world can't be opened")


def end_of(world: Simulation) -> dict[str, Any]:
    """The state that must not depend on what happened on the way; checks what must hold in any case."""
    bugs = [name for name, outcome in world.system.metrics.counts if outcome == "error"]
    assert not bugs, f"these reconcilers raised what they should not: {bugs}"
    workflows = world.list(kinds.WORKFLOW)
    runs = world.list(kinds.WORKFLOW_RUN)
    for run in runs:
        _check_run(world, run)
    _check_audit(world)
    return {
        "versions": {
            version["metadata"]["name"]: (
                version["spec"]["digest"],
                version["spec"].get("revertOf"),
                version.get("status", {}).get("phase"),
            )
            for version in world.list(kinds.WORKFLOW_VERSION)
        },
        "workflows": {workflow["metadata"]["name"]: _standing(workflow) for workflow in workflows},
        "runs": Counter(
            (
                run["metadata"]["labels"]["batch"] if "labels" in run["metadata"] else "",
                run["status"]["phase"],
                run["status"].get("version"),
                run["spec"].get("pin", {}).get("environment"),
            )
            for run in runs
        ),
        "ledger": {
            workflow["metadata"]["name"]: world.ledger.metrics(workflow["metadata"]["uid"]).succeeded_30d
            for workflow in workflows
        },
        "open": len(world.ledger.open_runs()),
    }


def _check_audit(world: Simulation) -> None:
    """Each publish is entered once (R253), and the chain holds."""
    entries = [entry for entry in world.ledger.audit_tail(1000) if entry.action == "workflow.published"]
    entered = sorted((entry.object.removeprefix("workflow/"), entry.body["number"]) for entry in entries)
    versions = world.list(kinds.WORKFLOW_VERSION)
    assert entered == sorted((version["spec"]["workflow"], version["spec"]["number"]) for version in versions)
    assert world.ledger.audit_broken_at() == 0


def _standing(workflow: dict[str, Any]) -> tuple[Any, ...]:
    status = workflow["status"]
    walk = status["rollout"]
    candidate = walk.get("candidate") or {}
    return (
        status["phase"],
        status.get("live"),
        (walk.get("stable") or {}).get("version"),
        candidate.get("version"),
        candidate.get("stopped"),
        walk["percent"],
        tuple((entry["version"], entry["outcome"]) for entry in walk["history"]),
    )


def _check_run(world: Simulation, run: dict[str, Any]) -> None:
    """Accepted runs end, with every step recorded once, on the version of their pin (R044, R045)."""
    uid, name = run["metadata"]["uid"], run["metadata"]["name"]
    record, history = world.ledger.run(uid), world.ledger.history(uid)
    assert record is not None, f"the ledger lost {name}"
    assert run["status"]["phase"] == record.phase, f"{name}: object and ledger differ"
    done = Counter(event.step for event in history if event.kind == STEP_ENDED)
    assert all(times == 1 for times in done.values()), f"{name}: a step is recorded done twice: {done}"
    if record.phase == "Succeeded":
        assert sum(event.kind == RUN_ENDED for event in history) == 1
        outputs = {event.body["output"]["version"] for event in history if event.kind == STEP_ENDED}
        assert outputs == {record.number}, f"{name} ran steps of versions {outputs}, pinned to {record.number}"
        assert run["spec"]["pin"]["number"] == record.number
