"""Percentages are exact, in each environment by itself (DESIGN 2.6, R035 to R041), and 0 and 100 have no stray run."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator

import pytest

from sluice.adapters.sqlite.ledger import SqliteLedger, admission
from sluice.adapters.sqlite.writer import Writer
from sluice.api import kinds
from sluice.ports.ledger import RunAdmission, Split, Window
from sluice.reconcilers.runs.entry import Entry
from sluice.reconcilers.runs.routes import Routes
from tests.reconcilers import looks
from tests.simulation.embedded import HandClock, Simulation, definition

RUNS = 1000
ENVIRONMENTS = ("sandbox", "production")


@pytest.fixture
def writer() -> Iterator[Writer]:
    writer = Writer(":memory:")
    SqliteLedger(writer, HandClock())
    yield writer
    writer.close()


def deal(connection: sqlite3.Connection, percent: int) -> Counter[str]:
    """A thousand runs in each environment, taking turns."""
    split, dealt = Split(stable=1, candidate=2, hundredths=100 * percent), Counter[str]()
    for n in range(RUNS):
        for environment in ENVIRONMENTS:
            wanted = RunAdmission(
                f"{percent}/{environment}/{n}", "default", f"r{n}", "greet", Window("uid", environment, percent), split
            )
            dealt[environment] += admission.admit(connection, wanted, 1).candidate
    return dealt


@pytest.mark.parametrize("percents", [range(0, 101, 20), pytest.param(range(101), marks=pytest.mark.full)])
def test_of_a_thousand_runs_exactly_the_percentage_goes_to_the_candidate(writer: Writer, percents: range) -> None:
    for percent in percents:
        dealt = writer.run(lambda connection, percent=percent: deal(connection, percent))
        assert dealt == {"sandbox": 10 * percent, "production": 10 * percent}


@pytest.fixture
def rolling(world: Simulation) -> Simulation:
    """v1 is stable, v2 the candidate, in a sandbox and in production."""
    world.environment("production", type="Production")
    world.create(kinds.ROLLOUT, "greet", {"percent": 50})
    world.workflow()
    world.settle()
    world.edit("greet", "output = 2")
    world.settle()
    return world


@pytest.mark.parametrize("percent", [0, "0.5", 1, 33, 50, 99, 100])
def test_of_what_the_entry_lets_in_exactly_the_percentage_is_the_candidates(rolling: Simulation, percent: int) -> None:
    rolling.patch(kinds.ROLLOUT, "greet", {"percent": percent})
    rolling.settle()
    entry = Entry(rolling.system.world, Routes(rolling.system.world), run_left=lambda *_: None, enqueue=lambda _: None)
    numbers: Counter[tuple[str, int]] = Counter()
    for n in range(200):
        for environment in ENVIRONMENTS:
            let_in = entry.admit(unstored(f"{environment}-{n}", environment))
            assert let_in is not None
            numbers[environment, let_in.version.number] += 1

    expected = int(float(percent) * 2)
    for environment in ENVIRONMENTS:
        assert (numbers[environment, 1], numbers[environment, 2]) == (200 - expected, expected)


def unstored(name: str, environment: str) -> dict[str, object]:
    given = {"workflow": "greet", "environment": environment}
    return {"metadata": {"namespace": "default", "name": name, "uid": f"uid-{name}"}, "spec": {"input": given}}


@pytest.mark.parametrize(("percent", "candidates"), [(0, 0), (10, 2), (100, 20)])
def test_through_the_whole_system_the_count_is_exact_in_each_environment(
    rolling: Simulation, percent: int, candidates: int
) -> None:
    rolling.patch(kinds.ROLLOUT, "greet", {"percent": percent})
    rolling.settle()
    for n in range(20):
        for environment in ENVIRONMENTS:
            rolling.run(f"{environment}-{n}", environment=environment)
    rolling.finish_runs()

    for environment in ENVIRONMENTS:
        counted = looks.versions_of_runs(rolling, environment)
        assert (counted["v1"], counted["v2"]) == (20 - candidates, candidates)


def test_a_run_cancelled_before_its_pin_leaves_its_place_to_another(lagging) -> None:  # type: ignore[no-untyped-def]
    """It was drawn, the pin was refused because somebody wrote in between, and then it was cancelled."""
    lagging.create(kinds.ROLLOUT, "greet", {"percent": 50})
    lagging.workflow()
    lagging.settle()
    lagging.edit("greet", "output = 2")
    lagging.settle()
    lagging.run("first")
    lagging.settle()
    lagging.run("cancelled")
    lagging.hold(kinds.WORKFLOW_RUN)
    lagging.patch(kinds.WORKFLOW_RUN, "cancelled", {"cancel": True})
    lagging.settle()  # draws the candidate, and can't write the pin
    lagging.catch_up()
    lagging.pass_time(seconds=1)
    assert looks.run(lagging, "cancelled")["status"]["phase"] == "Cancelled"

    lagging.run("second")
    lagging.run("third")
    lagging.finish_runs()

    assert [looks.run(lagging, name)["status"]["version"] for name in ("first", "second", "third")] == [
        "v1",
        "v2",
        "v1",
    ]
    assert lagging.ledger.dealt(looks.workflow(lagging)["metadata"]["uid"], revision(lagging)) == {"sandbox": (1, 2)}


def revision(world: Simulation) -> int:
    return int(looks.workflow(world)["status"]["rollout"]["revision"])


def test_a_hash_split_is_monotone_as_the_percentage_rises(world: Simulation) -> None:
    world.create(kinds.ROLLOUT, "greet", {"percent": 10, "split": "Hash"})
    sticky = {"stickyKey": "${ payload.customer }"}
    spec = {"owner": "ana@example.com", "definition": {**definition("output = 1", 1), **sticky}}
    world.create(kinds.WORKFLOW, "greet", spec)
    world.settle()
    world.patch(kinds.WORKFLOW, "greet", {"definition": {**definition("output = 2", 1), **sticky}})
    world.settle()
    early: set[int] = set()
    for percent in (10, 40, 80, 100):
        world.patch(kinds.ROLLOUT, "greet", {"percent": percent})
        world.settle()
        for customer in range(40):
            world.run(f"at-{percent}-{customer}", payload={"customer": f"c{customer}"})
        world.finish_runs()
        now = {c for c in range(40) if looks.run(world, f"at-{percent}-{c}")["status"]["version"] == "v2"}
        assert early <= now, f"at {percent} % some customers went back"
        early = now
    assert len(early) == 40


def test_the_same_sticky_key_gets_the_same_version_at_one_percentage(world: Simulation) -> None:
    world.create(kinds.ROLLOUT, "greet", {"percent": 50, "split": "Hash"})
    sticky = {"stickyKey": "${ payload.customer }"}
    for code in ("output = 1", "output = 2"):
        definition_of = {**definition(code, 1), **sticky}
        world.create(kinds.WORKFLOW, "greet", {"owner": "ana@example.com", "definition": definition_of})
        world.patch(kinds.WORKFLOW, "greet", {"definition": definition_of})
        world.settle()
    for n in range(5):
        for customer in "abcdef":
            world.run(f"{customer}-{n}", payload={"customer": customer})
    world.finish_runs()

    for customer in "abcdef":
        assert len({looks.run(world, f"{customer}-{n}")["status"]["version"] for n in range(5)}) == 1
