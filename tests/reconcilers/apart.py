"""A controller on a cluster played by hand, for steps that have pods of their own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from sluice.api import kinds
from sluice.domain.run.events import STEP_ENDED
from sluice.ports.store import Obj
from tests.reconcilers import looks
from tests.simulation.containers import HandContainers
from tests.simulation.embedded import Simulation


def container(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    fields = {"image": "example.com/tool:1", "env": {"WHO": "${ payload.who }"}}
    return {"name": name, "needs": list(needs), "action": {"container": fields | more.pop("fields", {})}, **more}


def light(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "needs": list(needs), "action": {"python": {"code": "output = 1"}}, **more}


class Cluster:
    """A world whose steps may have pods of their own."""

    def __init__(self, folder: Path) -> None:
        self.containers = HandContainers()
        self._folder = folder
        self.world = Simulation(folder / "world.db", containers=self.containers)
        self.world.environment()

    def begin(self, *steps: dict[str, Any], **definition: Any) -> None:
        """Publish, and make a run."""
        spec = {"owner": "ana@example.com", "definition": {"steps": list(steps), **definition}}
        self.world.create(kinds.WORKFLOW, "greet", spec)
        self.world.settle()
        self.world.run("r", payload={"who": "ana"})
        self.world.settle()

    def run(self, *steps: dict[str, Any], **definition: Any) -> None:
        """The same; what can go on without a container does."""
        self.begin(*steps, **definition)
        self.world.finish_runs()

    def stop(self) -> None:
        """Nobody leads."""
        self.world.close()
        self.containers.tell(lambda namespace, name: None)

    def start(self, *, containers: bool = True) -> None:
        """Another controller, that knows only what is recorded."""
        own = self.containers if containers else None
        self.world = Simulation(self._folder / "world.db", clock=self.world.clock, containers=own)
        self.world.settle()

    @property
    def status(self) -> Obj:
        status: Obj = looks.run(self.world, "r")["status"]
        return status

    @property
    def ready(self) -> str:
        return looks.reason(looks.run(self.world, "r"), "Ready")

    @property
    def message(self) -> str:
        return str(looks.condition(looks.run(self.world, "r"), "Ready")["message"])

    @property
    def history(self) -> list[Any]:
        return list(self.world.ledger.history(looks.run(self.world, "r")["metadata"]["uid"]))

    def ends(self) -> dict[str, dict[str, Any]]:
        """The body of each step's end; of a step that was recorded to end twice there is none."""
        final = [event for event in self.history if event.kind == STEP_ENDED and not event.body.get("retryAt")]
        assert not [step for step, times in Counter(event.step for event in final).items() if times > 1]
        return {event.step: event.body for event in final}
