"""What people do who publish, and what came of it."""

from __future__ import annotations

from typing import Any

from sluice.api import kinds
from tests.reconcilers import looks
from tests.simulation.embedded import Simulation


def approve(world: Simulation, version: str, verdict: str = "Approved", by: str = "bo") -> None:
    world.patch(kinds.APPROVAL, version, {"decisions": {by: {"verdict": verdict, "by": by, "reason": "said so"}}})
    world.settle()


def edit(world: Simulation, code: str) -> None:
    world.edit("greet", code)
    world.settle()


def request_publish(world: Simulation, attempt: int = 1) -> None:
    digest = looks.workflow(world)["status"]["draftDigest"]
    publish = looks.workflow(world)["spec"]["publish"] | {"request": {"digest": digest, "attempt": attempt}}
    world.patch(kinds.WORKFLOW, "greet", {"publish": publish})
    world.settle()


def live(world: Simulation) -> Any:
    return looks.workflow(world)["status"].get("live")
