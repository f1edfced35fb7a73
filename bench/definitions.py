"""The workloads as Sluice's workflows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sluice.api.kinds import API_VERSION

NAMESPACE = "default"
ENVIRONMENT = "local"

NOTHING = "output = 1"
FIB = "def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\noutput = fib(10)"
NOW = "import datetime\noutput = datetime.datetime.now(datetime.timezone.utc).timestamp()"

ENDED = frozenset({"Succeeded", "Failed", "Error", "Rejected", "Cancelled"})


def step(name: str, code: str, needs: Sequence[str] = ()) -> dict[str, Any]:
    """One Python step."""
    return {"name": name, "needs": list(needs), "action": {"python": {"code": code}}}


def chain(codes: Sequence[str]) -> list[dict[str, Any]]:
    """Steps in sequence."""
    return [step(f"s{at}", code, [f"s{at - 1}"] if at else []) for at, code in enumerate(codes)]


def workflow(name: str, steps: Sequence[dict[str, Any]], outputs: dict[str, str] | None = None) -> dict[str, Any]:
    """A Workflow, ready to be applied."""
    definition = {"steps": list(steps), **({"outputs": outputs} if outputs else {})}
    return {
        "apiVersion": API_VERSION,
        "kind": "Workflow",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"owner": "bench@example.com", "definition": definition},
    }


def clock() -> dict[str, Any]:
    """Three steps; its output is when the first of them ran."""
    return workflow("clock", chain([NOW, NOTHING, NOTHING]), {"began": "${ steps.s0.output }"})


def workflows() -> list[dict[str, Any]]:
    """The others: ``three``, ``chain`` and ``fan``."""
    spread = [f"t{at}" for at in range(100)]
    return [
        workflow("three", chain([NOTHING] * 3)),
        workflow("chain", chain([FIB] * 40)),
        workflow("fan", [*(step(name, NOTHING) for name in spread), step("join", NOTHING, spread)]),
    ]


def run(of: str, name: str) -> dict[str, Any]:
    """A WorkflowRun."""
    return {
        "apiVersion": API_VERSION,
        "kind": "WorkflowRun",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"input": {"workflow": of, "environment": ENVIRONMENT}},
    }
