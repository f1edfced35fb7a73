"""kill -9 of the controller, of runners and of workers, at random moments of real work: the end is the same."""

from __future__ import annotations

import os
import random
import selectors
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.program import API, Program, until

SEED = int(os.environ.get("SLUICE_SEED", "1"))
BATCH = 20
STEPS = 4
CODE = "total = 0\nfor n in range(20000):\n    total += n\noutput = {'made': 'VERSION'}"


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path)
    yield made
    made.close()


def workflow(version: str) -> dict[str, Any]:
    steps = [
        {
            "name": f"s{n}",
            "needs": [f"s{n - 1}"] if n else [],
            "retry": {"limit": 5, "backoff": {"duration": "10ms"}},
            "action": {"python": {"code": CODE.replace("VERSION", version)}},
        }
        for n in range(STEPS)
    ]
    return {"owner": "ana@example.com", "definition": {"steps": steps}}


def manifest(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "sluice.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def disturb(program: Program, dice: random.Random) -> str:
    """Kill something; start the controller again if it was that."""
    victims = program.descendants()
    target = dice.choice(["controller", "controller", "below", "below"])
    if target == "controller" or not victims:
        program.kill()
        program.start()
        return "controller"
    pid = dice.choice(victims)
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return "nobody"
    return "process below"


def wait(dice: random.Random, most: float) -> None:
    """Let a random time pass: the moment of a kill is what is being tested."""
    with selectors.DefaultSelector() as pause:
        pause.select(dice.uniform(0, most))


def play(program: Program, seed: int) -> Counter[str]:
    """Publish two versions, run a batch on each side of a rollout, and kill all the time."""
    dice = random.Random(seed)
    program.start()
    assert program.create(
        "environments", manifest("Environment", "sandbox", {"type": "Sandbox", "defaultState": "Active"})
    )
    assert program.create("rollouts", manifest("Rollout", "greet", {"percent": 25}))
    assert program.create("workflows", manifest("Workflow", "greet", workflow("one")))
    until(lambda: _status(program).get("stable") == "v1", "v1 is not published")
    program.merge("workflows", "greet", {"spec": {"definition": workflow("two")["definition"]}})
    killed: Counter[str] = Counter()
    if dice.random() < 0.5:
        killed[disturb(program, dice)] += 1
    until(lambda: _status(program).get("candidate") == "v2", "v2 is not the candidate")

    kills = sorted(dice.randint(0, BATCH) for _ in range(dice.randint(1, 3)))
    for n in range(BATCH):
        spec = {"input": {"workflow": "greet", "environment": "sandbox"}}
        while not program.create("workflowruns", manifest("WorkflowRun", f"run-{n}", spec)):
            program.kill()
            program.start()
        while kills and kills[0] <= n:
            kills.pop(0)
            wait(dice, 0.03)
            killed[disturb(program, dice)] += 1
    wait(dice, 0.05)
    killed[disturb(program, dice)] += 1
    until(lambda: all(_ended(run) for run in program.items("workflowruns")), f"seed {seed}: runs that never end")
    return killed


def _status(program: Program) -> dict[str, Any]:
    status: dict[str, Any] = program.get(f"{API}/workflows/greet").get("status", {})
    return status


def _ended(run: dict[str, Any]) -> bool:
    return run.get("status", {}).get("phase") in {"Succeeded", "Failed", "Error", "Cancelled", "Rejected"}


def check(program: Program, seed: int) -> None:
    runs = program.items("workflowruns")
    assert len(runs) == BATCH, f"seed {seed}: an accepted run is lost"
    phases = Counter(run["status"]["phase"] for run in runs)
    versions = Counter(run["status"]["version"] for run in runs)
    # A worker that is killed fails its step's attempt, which is retried as declared.
    assert phases == {"Succeeded": BATCH}, f"seed {seed}: {phases}"
    assert versions == {"v1": 15, "v2": 5}, f"seed {seed}: {versions}"
    for run in runs:
        name, status = run["metadata"]["name"], run["status"]
        report = program.get(f"{API}/workflowruns/{name}/report")
        done = [step["name"] for step in report["steps"]]
        assert len(done) == len(set(done)), f"seed {seed}: {name} has a step recorded twice: {done}"
        assert len(done) == STEPS, f"seed {seed}: {name} did {done}"
        made = {step["output"]["made"] for step in report["steps"]}
        assert made == {"one" if status["version"] == "v1" else "two"}, f"seed {seed}: {name} mixes versions: {made}"


def check_seed(program: Program, seed: int) -> None:
    """Replay a failing one with ``SLUICE_SEED=<seed>``."""
    print(f"seed {seed}")
    killed = play(program, seed)
    check(program, seed)
    assert killed.total() >= 1
    program.stop()


@pytest.mark.parametrize("seed", [SEED, SEED + 1])
def test_a_killed_controller_loses_and_repeats_nothing(program: Program, seed: int) -> None:
    check_seed(program, seed)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(SEED + 2, SEED + 30))
def test_thirty_killings_lose_and_repeat_nothing(program: Program, seed: int) -> None:
    check_seed(program, seed)
