"""What a user does in a script: each act may be repeated, as a user would who got no answer."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from sluice.api import kinds
from sluice.ports.errors import PortError
from tests.simulation.embedded import Simulation

Act = Callable[[Simulation], None]


def declare(percent: int) -> Act:
    def act(world: Simulation) -> None:
        world.environment("sandbox")
        world.environment("production", type="Production")
        world.create(kinds.ROLLOUT, "greet", {"percent": percent})
        world.workflow()
        world.settle()

    return act


def publish(code: str) -> Act:
    def act(world: Simulation) -> None:
        world.edit("greet", f"output = {code!r}")
        world.settle()

    return act


def start(batch: str, count: int, environment: str = "sandbox") -> Act:
    def act(world: Simulation) -> None:
        for n in range(count):
            obj = {
                "apiVersion": kinds.API_VERSION,
                "kind": "WorkflowRun",
                "metadata": {"name": f"{batch}-{n}", "namespace": "default", "labels": {"batch": batch}},
                "spec": {"input": {"workflow": "greet", "environment": environment}},
            }
            try:
                world.store.create(obj, manager="test")
            except PortError as error:
                if error.reason != "AlreadyExists":
                    raise
        world.settle()

    return act


def step_some(count: int) -> Act:
    def act(world: Simulation) -> None:
        world.settle()
        for uid in list(world.launcher.open)[:count]:
            world.launcher.step(uid)
        world.settle()

    return act


def lose_some(count: int) -> Act:
    def act(world: Simulation) -> None:
        world.settle()
        for uid in list(world.launcher.open)[:count]:
            world.launcher.lose(uid)
        world.settle()

    return act


def finish(world: Simulation) -> None:
    world.finish_runs()


def policy(**spec: Any) -> Act:
    def act(world: Simulation) -> None:
        world.patch(kinds.ROLLOUT, "greet", spec)
        world.settle()

    return act


def revert(number: int, to: int) -> Act:
    def act(world: Simulation) -> None:
        world.patch(kinds.WORKFLOW, "greet", {"reverts": {f"v{number}": {"to": f"v{to}"}}})
        world.settle()

    return act


def suspend(paused: bool) -> Act:
    def act(world: Simulation) -> None:
        world.patch(kinds.WORKFLOW, "greet", {"suspend": paused})
        world.settle()

    return act


def the_main_job() -> list[Act]:
    """A publish, a rollout, 50 runs and a stop."""
    return [
        declare(25),
        start("before", 6),
        publish("two"),
        start("quarter", 20),
        step_some(7),
        start("production", 12, "production"),
        policy(stops={"v2": {"reason": "5xx"}}),
        start("stopped", 12),
        finish,
    ]


def random_script(seed: int) -> list[Act]:
    """A story of a workflow that ends with all runs finished."""
    dice = random.Random(seed)
    script, published = [declare(dice.choice([0, 10, 25, 50, 99, 100]))], 1
    for turn in range(dice.randint(4, 9)):
        kind = dice.choice(["publish", "start", "start", "start", "step", "lose", "percent", "stop", "revert", "pause"])
        if kind == "publish":
            published += 1
            script.append(publish(f"v{published}-{seed}"))
        elif kind == "start":
            script.append(start(f"b{turn}", dice.randint(1, 8), dice.choice(["sandbox", "production"])))
        elif kind == "step":
            script.append(step_some(dice.randint(1, 6)))
        elif kind == "lose":
            script.append(lose_some(dice.randint(1, 3)))
        elif kind == "percent":
            script.append(policy(percent=dice.choice([0, 5, 33, 50, 100])))
        elif kind == "stop":
            script.append(policy(stops={f"v{published}": {"reason": "test"}}))
        elif kind == "revert" and published > 1:
            script.append(revert(published + 1, dice.randint(1, published)))
            published += 1
        elif kind == "pause":
            script += [suspend(True), start(f"p{turn}", 1), suspend(False)]
    return [*script, finish]
