"""The scripts import, ask both sides for the same work, and count what they say they count."""

from __future__ import annotations

import importlib
import os
import threading
from types import SimpleNamespace

import pytest
from bench.costs import between, lines
from bench.definitions import clock, run, workflows
from bench.endings import Endings
from bench.processes import Spent, descendants, memory, parent_in, spent
from bench.workloads import Sizes, measured

from sluice.domain.definition.validation.objects import validate_object

SCRIPTS = ("embedded", "costs", "review", "sluice_embedded", "sluice_http", "machine", "workloads")


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_imports(name: str) -> None:
    assert importlib.import_module(f"bench.{name}").__doc__


@pytest.mark.parametrize("obj", [clock(), *workflows()], ids=lambda obj: obj["metadata"]["name"])
def test_a_workload_is_a_valid_workflow(obj: dict[str, object]) -> None:
    assert validate_object(obj) == []


class Counting:
    """A side that does nothing, and knows how often it was asked."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def many(self, count: int) -> None:
        self.calls += ["run"] * count

    def chain(self) -> None:
        self.calls.append("chain")

    def fan(self) -> None:
        self.calls.append("fan")

    def one(self) -> float:
        self.calls.append("one")
        return 0.0

    def prepare(self) -> None:
        self.calls.append("prepare")

    def pids(self) -> list[int]:
        return [os.getpid()]

    def close(self) -> None:
        self.calls.append("close")


def test_every_workload_is_warmed_up_once_and_then_repeated() -> None:
    side = Counting()
    found = measured(side, Sizes(runs=5, singles=4, repeats=3))
    assert side.calls.count("run") == 5 * 4
    assert side.calls.count("chain") == side.calls.count("fan") == 4
    assert side.calls.count("one") == 4
    assert [len(found[name]) for name in ("many", "chain", "fan")] == [3, 3, 3]


def ended(name: str, phase: str = "Succeeded") -> dict[str, object]:
    return {"metadata": {"name": name}, "status": {"phase": phase}}


def test_waiting_ends_when_every_run_has_ended() -> None:
    endings = Endings()
    names = endings.names(2)
    assert run("three", names[0])["metadata"]["name"] == names[0]
    threading.Thread(target=lambda: [endings.tell(ended(name)) for name in names]).start()
    assert [obj["metadata"]["name"] for obj in endings.wait(names)] == names


def test_a_run_that_failed_is_no_figure() -> None:
    endings = Endings()
    (name,) = endings.names(1)
    endings.tell(ended(name, "Failed"))
    with pytest.raises(RuntimeError, match="did not succeed"):
        endings.wait([name])


def test_costs_are_told_per_run() -> None:
    names = ("operations", "commits", "committing", "operating")

    def accounts(factor: int) -> SimpleNamespace:
        spent_so_far = Spent(0.002 * factor, 40 * factor)
        return SimpleNamespace(
            counters=dict.fromkeys(names, 16.0 * factor),
            reconciles=4 * factor,
            own=spent_so_far,
            children=spent_so_far,
            threads={"sqlite-writer": spent_so_far},
        )

    found = between(accounts(1), accounts(2), 2)  # type: ignore[arg-type]
    assert (found["operations"], found["reconciles"], found["handovers"]) == (8, 2, 20)
    assert found["controller_us"] == found["threads_us"]["sqlite-writer"] == pytest.approx(1000)
    told = lines({**found, "parses": 15.0, "parsed_bytes": 9000.0, "encodes": 20.0})
    assert told[0].startswith("8.0 operations in 8.00 commits")


def test_the_parent_of_a_process_is_found_whatever_its_name_holds() -> None:
    assert parent_in("12 (a) b (c) S 7 12 12 0") == 7


def test_descendants_are_followed_to_the_last() -> None:
    assert descendants([1], {1: 0, 2: 1, 3: 2, 4: 9}) == {1, 2, 3}


def test_this_process_has_spent_time_and_memory() -> None:
    assert spent(os.getpid()).seconds > 0
    assert memory([os.getpid()]) > 1
