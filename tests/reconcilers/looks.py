"""Short ways to look at what a world has come to."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sluice.api import kinds
from sluice.api.kinds import KindInfo
from sluice.ports.store import Obj
from sluice.runtime.queue import Key
from tests.simulation.embedded import NAMESPACE, Simulation


def condition(obj: Obj, type: str) -> dict[str, Any]:
    """A condition, empty if it is absent."""
    return next((one for one in obj.get("status", {}).get("conditions", ()) if one["type"] == type), {})


def reason(obj: Obj, type: str) -> str:
    """``True/Reason`` or ``False/Reason``; empty if the condition is absent."""
    found = condition(obj, type)
    return f"{found['status']}/{found['reason']}" if found else ""


def workflow(world: Simulation, name: str = "greet") -> Obj:
    return world.get(kinds.WORKFLOW, name)


def run(world: Simulation, name: str) -> Obj:
    return world.get(kinds.WORKFLOW_RUN, name)


def versions(world: Simulation) -> list[str]:
    return [version["metadata"]["name"] for version in world.list(kinds.WORKFLOW_VERSION)]


def versions_of_runs(world: Simulation, environment: str = "") -> Counter[str]:
    return Counter(
        one["status"]["version"]
        for one in world.list(kinds.WORKFLOW_RUN)
        if not environment or one["spec"]["pin"]["environment"] == environment
    )


def look_again(world: Simulation, kind: KindInfo | None = None) -> int:
    """Reconcile every object (of a kind) once more; answers with the number of writes that it took."""
    before = _written(world)
    by_name = {controller.name: controller for controller in world.system.controllers}
    for cache in world.system.caches.all():
        if kind is None or cache.kind is kind:
            for key in cache.keys(NAMESPACE):
                by_name.get(cache.kind.singular, world.system.workflows).queue.add(
                    key if cache.kind.singular in by_name else Key(NAMESPACE, "greet")
                )
    world.settle()
    return _written(world) - before - 1  # the counting itself


def _written(world: Simulation) -> int:
    """How many operations there were, those included that nobody waited for."""
    world.writer.run(lambda _: None)
    return world.writer.counters.operations


def bugs(world: Simulation) -> list[str]:
    """The controllers whose reconcile raised what it should not."""
    return sorted({name for name, outcome in world.system.metrics.counts if outcome == "error"})
