from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.reconcilers import looks
from tests.reconcilers.apart import Cluster
from tests.reconcilers.lagging import Lagging
from tests.simulation.embedded import Simulation


@pytest.fixture
def world() -> Iterator[Simulation]:
    """The whole controller in memory, with a sandbox."""
    simulation = Simulation()
    simulation.environment()
    yield simulation
    simulation.close()


@pytest.fixture
def lagging() -> Iterator[Lagging]:
    """The same, with caches that can be held back."""
    simulation = Lagging()
    simulation.environment()
    simulation.settle()
    yield simulation
    simulation.close()


@pytest.fixture
def restarted(tmp_path) -> Iterator[Callable[[Simulation | None], Simulation]]:  # type: ignore[no-untyped-def]
    """``restarted(world)`` is the controller anew on the same file, with the same clock and steps; None makes the first."""
    opened: list[Simulation] = []

    def again(before: Simulation | None) -> Simulation:
        if before is None:
            world = Simulation(tmp_path / "world.db")
            world.environment()
        else:
            before.close()
            opened.remove(before)
            again = {"clock": before.clock, "execute": before.launcher.execute, "containers": before.containers}
            world = Simulation(tmp_path / "world.db", **again)
        opened.append(world)
        return world

    yield again
    for world in opened:
        world.close()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    yield made
    assert looks.bugs(made.world) == []
    made.world.close()
