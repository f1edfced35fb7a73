"""A definition of twice the steps takes twice the work, whatever its shape. Work is counted in calls, which is the same on any
machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from bench.review import SHAPES

from sluice.domain.definition.validation.definitions import validate
from tests.domain.definition.validation.definitions import http, python

Json = dict[str, Any]

MOST = 4.1
"""Times the work, for four times the steps."""


def agents(count: int, prefix: str) -> list[Json]:
    """An agent, and behind it a chain of requests that can't be undone."""
    first = {"name": f"{prefix}0", "agent": {"connection": "llm", "prompt": "${ payload.text }"}}
    return [first, *(http(f"{prefix}{at}", f"{prefix}{at - 1}", method="POST") for at in range(1, count))]


def misspelt(count: int, prefix: str) -> list[Json]:
    """Each step needs one that isn't there."""
    return [python(f"{prefix}{at}", f"{prefix}x{at}") for at in range(count)]


def builds(count: int, prefix: str) -> list[Json]:
    """Promotions of builds."""
    made = [{"name": f"{prefix}{at}", "action": {"build": {"app": "web"}}} for at in range(count // 2)]
    promoted = [
        {"name": f"{prefix}p{at}", "needs": [source["name"]],
         "action": {"promote": {"app": "web", "buildFrom": source["name"]}}}
        for at, source in enumerate(made)
    ]  # fmt: skip
    return [*made, *promoted]


def calls(definition: Json) -> int:
    """How many functions are called to validate it, those of Python's own included."""
    counted = 0

    def count(_: FrameType, event: str, __: Any) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        validate(definition)
    finally:
        sys.setprofile(None)
    return counted


@pytest.mark.parametrize("steps", [*SHAPES.values(), agents, builds], ids=lambda shape: shape.__name__)
def test_the_work_grows_with_the_steps_and_no_faster(steps: Callable[[int, str], list[Json]]) -> None:
    _, few, many = (calls({"steps": steps(count, f"{steps.__name__}{count}_")}) for count in (10, 100, 400))
    assert many < MOST * few


def test_edges_are_looked_at_once() -> None:
    def nodes(count: int) -> Json:
        return {
            "nodes": {f"n{at}": {"pyCode": "output = 1"} for at in range(count)},
            "edges": {f"e{at}": {"source": f"n{at}", "target": f"n{at + 1}"} for at in range(count - 1)},
        }

    assert calls(nodes(400)) < MOST * calls(nodes(100))


def test_a_graph_of_each_loop_costs_no_walk_over_all_steps() -> None:
    def loops(count: int) -> Json:
        loop = [
            {"name": f"s{at}", "logic": {"forEach": {"in": "${ payload.l }", "as": "item", "graph": f"g{at}"}}}
            for at in range(count)
        ]
        body = {"steps": [python("a")], "outputs": {"all": "${ item.id }"}}
        return {"steps": loop, "graphs": {f"g{at}": body for at in range(count)}}

    assert calls(loops(100)) < MOST * calls(loops(25))


def test_unknown_names_are_compared_with_the_known_ones_by_their_letters_first() -> None:
    definition = {"steps": misspelt(100, "step_")}
    assert len(validate(definition)) == 100
    assert calls(definition) < 100 * 100 * 10
