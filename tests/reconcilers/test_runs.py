"""A run's life: admitted, pinned, launched, ended; cancelled, deleted, seen late."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from sluice.api import kinds
from sluice.ports.launcher import Segment
from sluice.ports.store import Ref
from tests.reconcilers import looks
from tests.simulation.embedded import Simulation, definition
from tests.simulation.stepping import Fails

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def published(world: Simulation) -> Simulation:
    finally_ = [{"name": "tidy", "action": {"python": {"code": "output = 1"}}}]
    world.create(
        kinds.WORKFLOW,
        "greet",
        {"owner": "ana@example.com", "definition": definition("output = 1") | {"finally": finally_}},
    )
    world.settle()
    return world


def delete_run(world: Simulation, name: str) -> None:
    world.store.delete(Ref(kinds.WORKFLOW_RUN, "default", name))


def test_a_run_cancelled_before_it_began_runs_nothing(published: Simulation) -> None:
    published.run("r")
    published.patch(kinds.WORKFLOW_RUN, "r", {"cancel": True})
    published.finish_runs()

    run = looks.run(published, "r")
    assert (run["status"]["phase"], "pin" in run["spec"]) == ("Cancelled", False)
    assert published.launcher.done == []


def test_a_run_cancelled_between_two_steps_runs_its_finally_and_nothing_else(published: Simulation) -> None:
    published.run("r")
    published.settle()
    uid = looks.run(published, "r")["metadata"]["uid"]
    published.launcher.step(uid)
    published.patch(kinds.WORKFLOW_RUN, "r", {"cancel": True})
    published.finish_runs()

    assert looks.run(published, "r")["status"]["phase"] == "Cancelled"
    assert [step for _, step in published.launcher.done] == ["s0", "tidy"]


def test_a_cancel_is_not_forgotten_when_the_process_is_lost(published: Simulation) -> None:
    published.run("r")
    published.settle()
    uid = looks.run(published, "r")["metadata"]["uid"]
    published.launcher.step(uid)
    published.launcher.lose(uid)
    published.patch(kinds.WORKFLOW_RUN, "r", {"cancel": True})
    published.finish_runs()

    assert looks.run(published, "r")["status"]["phase"] == "Cancelled"
    assert [step for _, step in published.launcher.done] == ["s0", "tidy"]


def test_a_run_whose_process_is_lost_again_and_again_is_given_up_as_our_error(published: Simulation) -> None:
    published.run("r")
    published.settle()
    for _ in range(4):
        for uid in list(published.launcher.open):
            published.launcher.lose(uid)
        published.settle()

    status = looks.run(published, "r")["status"]
    assert (status["phase"], status["reason"]) == ("Error", "RunnerLost")
    assert published.launcher.open == {}
    assert published.ledger.open_runs() == []


def test_a_pinned_run_that_is_deleted_is_killed(published: Simulation) -> None:
    published.run("r")
    published.settle()
    delete_run(published, "r")
    published.settle()

    assert published.launcher.open == {}
    assert published.ledger.open_runs() == []
    record = published.ledger.run_named("default", "r")
    assert record is not None
    assert record.phase == "Cancelled"


def test_a_run_that_is_deleted_before_its_pin_leaves_nothing_behind(published: Simulation) -> None:
    published.run("r")
    delete_run(published, "r")
    published.settle()

    assert published.launcher.launches == []
    assert published.ledger.open_runs() == []


def test_a_run_made_again_under_the_same_name_is_another_run(published: Simulation) -> None:
    """The queue sees one key: the first run's process must not go on unseen."""
    published.run("r")
    published.settle()
    first = looks.run(published, "r")["metadata"]["uid"]
    delete_run(published, "r")
    published.run("r")
    published.settle()
    second = looks.run(published, "r")["metadata"]["uid"]

    assert set(published.launcher.open) == {second}
    published.finish_runs()
    assert looks.run(published, "r")["status"]["phase"] == "Succeeded"
    assert [published.ledger.run(uid).phase for uid in (first, second)] == ["Cancelled", "Succeeded"]  # type: ignore[union-attr]


def test_a_run_of_nothing_is_rejected_and_says_so(published: Simulation) -> None:
    published.run("r", workflow="nobody")
    published.settle()

    status = looks.run(published, "r")["status"]
    assert (status["phase"], status["reason"]) == ("Rejected", "WorkflowNotFound")
    assert looks.look_again(published, kinds.WORKFLOW_RUN) == 0


def test_the_first_verdict_stands_however_often_it_is_looked_at(restarted) -> None:  # type: ignore[no-untyped-def]
    """Rejected in the ledger, then a stop before the object says so; meanwhile the reason has gone away."""
    world = restarted(None)
    world.workflow(suspend=True)
    world.settle()
    refuse = world.store.update_status

    def stopped(obj: Any, **options: Any) -> Any:
        if obj["kind"] == "WorkflowRun":
            raise KeyboardInterrupt
        return refuse(obj, **options)

    world.store.update_status = stopped
    world.run("r")
    with pytest.raises(KeyboardInterrupt):
        world.settle()
    world.patch(kinds.WORKFLOW, "greet", {"suspend": False})
    world = restarted(world)
    world.finish_runs()

    status = looks.run(world, "r")["status"]
    assert (status["phase"], status["reason"]) == ("Rejected", "Suspended")


def test_twice_writes_nothing_whatever_its_phase(published: Simulation) -> None:
    published.run("ended")
    published.finish_runs()
    published.run("running")
    published.settle()
    published.pass_time(seconds=1)

    assert looks.run(published, "running")["status"]["phase"] == "Running"
    assert looks.look_again(published, kinds.WORKFLOW_RUN) == 0


def test_a_cache_that_is_behind_pins_nothing_twice_and_fences_nothing_that_runs(lagging: Any) -> None:
    lagging.workflow()
    lagging.settle()
    lagging.run("r")
    lagging.hold(kinds.WORKFLOW_RUN)
    lagging.settle()
    pinned = looks.run(lagging, "r")["spec"]["pin"]
    for _ in range(3):
        looks.look_again(lagging, kinds.WORKFLOW_RUN)
        lagging.pass_time(seconds=1)
    lagging.launcher.run_all()
    lagging.settle()
    lagging.catch_up()
    lagging.pass_time(seconds=5)
    lagging.finish_runs()

    run = looks.run(lagging, "r")
    assert (run["spec"]["pin"], run["status"]["phase"]) == (pinned, "Succeeded")
    assert lagging.launcher.launches == [("r", 1)]
    assert lagging.launcher.done == [("r", "s0"), ("r", "s1")]
    assert looks.bugs(lagging) == []


def test_a_run_is_not_rejected_for_a_workflow_that_was_not_heard_of_yet(lagging: Any) -> None:
    lagging.hold(kinds.WORKFLOW)
    lagging.workflow()
    lagging.run("r")
    lagging.settle()
    lagging.catch_up()
    lagging.pass_time(seconds=1)
    lagging.finish_runs()

    assert looks.run(lagging, "r")["status"]["phase"] == "Succeeded"


# -- figures ------------------------------------------------------------------------------------------------------------
def metrics(world: Simulation) -> dict[str, Any]:
    return dict(looks.workflow(world)["status"]["metrics"])


def test_figures_move_at_most_every_thirty_seconds_and_then_without_anything_happening(published: Simulation) -> None:
    published.run("first")
    published.finish_runs()
    published.pass_time(seconds=30)
    assert metrics(published)["runs7d"] == 1
    published.run("second")
    published.finish_runs()
    published.patch(kinds.WORKFLOW, "greet", {"tags": ["looked", "at"]})
    published.settle()
    assert metrics(published)["runs7d"] == 1
    published.pass_time(seconds=30)

    assert metrics(published)["runs7d"] == 2


def test_figures_decay_as_time_passes_although_nothing_happens(published: Simulation) -> None:
    """R228, R229."""

    def fails(segment: Segment, work: Any) -> dict[str, Any]:
        raise Fails

    published.run("good")
    published.finish_runs()
    published.launcher.execute = fails
    published.run("bad")
    published.finish_runs()
    published.pass_time(seconds=30)
    assert metrics(published)["successRate"] == "50.0"
    published.pass_time(days=7, hours=1)
    assert metrics(published)["runs7d"] == 0
    assert metrics(published)["successRate"] == "50.0"
    published.pass_time(days=23)

    assert "successRate" not in metrics(published)
    assert metrics(published)["lastRunStatus"] == "Failed"
