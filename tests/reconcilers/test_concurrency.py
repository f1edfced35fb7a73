"""As many runs at a time as a workflow allows, in each environment: Queue, Forbid, Allow."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.api import kinds
from sluice.ports.errors import Unavailable
from sluice.ports.store import Obj, Ref
from tests.reconcilers import looks
from tests.simulation.embedded import Simulation, definition


def declare(world: Simulation, code: str = "output = 1", **concurrency: Any) -> None:
    spec = {"owner": "ana@example.com", "definition": {**definition(code, 1), "concurrency": concurrency}}
    world.create(kinds.WORKFLOW, "greet", spec)
    world.patch(kinds.WORKFLOW, "greet", spec)
    world.settle()


def start(world: Simulation, count: int, prefix: str = "r", environment: str = "sandbox") -> None:
    for n in range(count):
        world.run(f"{prefix}{n}", environment=environment)
        world.settle()


def phases(world: Simulation) -> dict[str, str]:
    return {run["metadata"]["name"]: run.get("status", {}).get("phase", "") for run in world.list(kinds.WORKFLOW_RUN)}


def end_one(world: Simulation, name: str) -> None:
    uid = looks.run(world, name)["metadata"]["uid"]
    while world.launcher.step(uid):
        pass
    world.settle()


def started(world: Simulation) -> list[str]:
    return [name for name, _ in world.launcher.launches]


def test_over_the_limit_runs_wait_and_start_in_the_order_in_which_they_came(world: Simulation) -> None:
    declare(world, limit=2)
    start(world, 5)
    assert started(world) == ["r0", "r1"]
    assert [phases(world)[f"r{n}"] for n in range(2, 5)] == ["Queued"] * 3
    assert looks.reason(looks.run(world, "r3"), "Ready") == "False/RunQueued"

    end_one(world, "r1")
    assert started(world) == ["r0", "r1", "r2"]
    world.finish_runs()
    assert started(world) == ["r0", "r1", "r2", "r3", "r4"]
    assert set(phases(world).values()) == {"Succeeded"}


def test_the_next_one_is_let_in_also_where_nobody_heard_that_an_end_was_written(
    world: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(world, limit=1)
    start(world, 2)
    write, lost = world.store.update_status, []

    def without_answer(obj: Obj, **given: Any) -> Obj:
        written = write(obj, **given)
        if obj["metadata"]["name"] == "r0" and not lost:
            lost.append(written)
            raise Unavailable("the server did not answer; whether a write happened is unknown")
        return written

    monkeypatch.setattr(world.store, "update_status", without_answer)
    end_one(world, "r0")
    world.pass_time(seconds=1)

    assert lost[0]["status"]["phase"] == "Succeeded"
    assert started(world) == ["r0", "r1"]
    assert world.system.engine.in_flight == 1


def test_each_environment_has_room_of_its_own(world: Simulation) -> None:
    world.environment("production", type="Production")
    declare(world, limit=1)
    start(world, 2, "s")
    start(world, 2, "p", "production")

    assert started(world) == ["s0", "p0"]


def test_forbid_rejects_and_says_how_many_are_open(world: Simulation) -> None:
    declare(world, limit=1, policy="Forbid")
    start(world, 2)

    run = looks.run(world, "r1")
    assert (run["status"]["phase"], run["status"]["reason"]) == ("Rejected", "ConcurrencyForbids")
    assert "1 runs of greet are open in sandbox" in run["status"]["failure"]["message"]
    world.finish_runs()
    start(world, 1, "later")
    world.finish_runs()
    assert phases(world) == {"r0": "Succeeded", "r1": "Rejected", "later0": "Succeeded"}


@pytest.mark.parametrize("policy", ["Forbid", "Queue"])
def test_a_policy_without_a_limit_allows_one_run(world: Simulation, policy: str) -> None:
    declare(world, policy=policy)
    start(world, 2)

    assert started(world) == ["r0"]


def test_without_a_policy_runs_are_not_counted(world: Simulation) -> None:
    declare(world)
    start(world, 5)

    assert len(started(world)) == 5


def test_a_queued_run_gets_the_version_that_is_in_force_when_it_leaves_the_queue(world: Simulation) -> None:
    declare(world, limit=1)
    start(world, 2)
    declare(world, "output = 2", limit=1)
    world.finish_runs()

    assert looks.versions_of_runs(world) == {"v1": 1, "v2": 1}
    assert looks.run(world, "r1")["status"]["version"] == "v2"


def test_a_higher_limit_lets_in_all_who_wait_at_once(world: Simulation) -> None:
    declare(world, limit=1)
    start(world, 4)
    declare(world, "output = 2", limit=3)

    assert started(world) == ["r0", "r1", "r2"]


def test_a_removed_limit_lets_in_all_who_wait(world: Simulation) -> None:
    declare(world, limit=1)
    start(world, 4)
    world.patch(kinds.WORKFLOW, "greet", {"definition": {**definition("output = 2", 1), "concurrency": None}})
    world.settle()

    assert len(started(world)) == 4


def test_after_a_restart_those_who_wait_keep_their_order(restarted) -> None:  # type: ignore[no-untyped-def]
    world = restarted(None)
    declare(world, limit=1)
    start(world, 9)
    names = [f"r{n}" for n in range(9)]
    world = restarted(world)
    for controller_key in reversed(world.system.caches.runs.keys("default")):
        world.system.runs_queue.add(controller_key)
    world.finish_runs()

    assert started(world) == names
    assert set(phases(world).values()) == {"Succeeded"}


def test_a_newcomer_does_not_overtake(world: Simulation) -> None:
    declare(world, limit=1)
    start(world, 2)
    uid = looks.run(world, "r0")["metadata"]["uid"]
    world.run("newcomer")
    while world.launcher.step(uid):
        pass
    world.settle()  # the newcomer is looked at before the end of r0 is

    assert started(world) == ["r0", "r1"]
    assert phases(world)["newcomer"] == "Queued"


def test_a_queued_run_can_be_cancelled_and_deleted(world: Simulation) -> None:
    declare(world, limit=1)
    start(world, 4)
    world.patch(kinds.WORKFLOW_RUN, "r1", {"cancel": True})
    world.store.delete(Ref(kinds.WORKFLOW_RUN, "default", "r2"))
    world.settle()
    assert phases(world)["r1"] == "Cancelled"

    world.finish_runs()
    assert started(world) == ["r0", "r3"]
    assert world.ledger.open_runs() == []


def test_deleting_the_run_in_progress_lets_the_next_one_in(world: Simulation) -> None:
    declare(world, limit=1)
    start(world, 2)
    world.store.delete(Ref(kinds.WORKFLOW_RUN, "default", "r0"))
    world.settle()

    assert started(world) == ["r0", "r1"]
    assert len(world.launcher.open) == 1


def test_looking_again_at_a_full_queue_lets_nobody_in(world: Simulation) -> None:
    declare(world, limit=1)
    start(world, 3)
    looks.look_again(world)

    assert started(world) == ["r0"]
    versions = {run["metadata"]["name"]: run["metadata"]["resourceVersion"] for run in world.list(kinds.WORKFLOW_RUN)}
    looks.look_again(world)
    assert versions == {
        run["metadata"]["name"]: run["metadata"]["resourceVersion"] for run in world.list(kinds.WORKFLOW_RUN)
    }


def test_what_is_in_force_counts_until_the_candidate_takes_all_runs(world: Simulation) -> None:
    world.create(kinds.ROLLOUT, "greet", {"percent": 0})
    declare(world, limit=1)
    declare(world, "output = 2", limit=5)
    start(world, 2)

    assert started(world) == ["r0"]
