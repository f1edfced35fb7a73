"""Runs that are launched where they own nothing: next door, or on a cluster that may be away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sluice.api import kinds
from sluice.domain.launching.traces import FINALIZER, PLACES
from sluice.ports.errors import NotFound
from sluice.ports.store import Obj, Ref
from sluice.runtime.queue import Key
from tests.reconcilers import looks
from tests.reconcilers.elsewhere import AWAY, NO_SECRET, ElsewhereSimulation

REF = Ref(kinds.WORKFLOW_RUN, "default", "r")


@pytest.fixture
def world() -> Iterator[ElsewhereSimulation]:
    simulation = ElsewhereSimulation()
    yield simulation
    simulation.close()


def marks(run: Obj) -> tuple[list[str], str]:
    metadata = run["metadata"]
    return metadata.get("finalizers") or [], (metadata.get("annotations") or {}).get(PLACES, "")


def is_there(world: ElsewhereSimulation) -> bool:
    try:
        world.store.get(REF)
    except NotFound:
        return False
    return True


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ("home", ([], "")),
        ("next", ([FINALIZER], '[{"namespace":"jobs"}]')),
        ("far", ([FINALIZER], '[{"namespace":"jobs","secret":"far"}]')),
    ],
)
def test_a_run_remembers_where_it_is_launched_if_it_is_elsewhere(
    world: ElsewhereSimulation, environment: str, expected: tuple[list[str], str]
) -> None:
    run = world.begin("r", environment)
    assert marks(run) == expected
    assert world.store.get(REF)["spec"]["pin"]["environment"] == environment
    world.finish_runs()
    assert looks.run(world, "r")["status"]["phase"] == "Succeeded"


def test_the_mark_is_written_with_the_pin_and_nothing_is_launched_before_it(world: ElsewhereSimulation) -> None:
    seen: list[tuple[bool, bool, int]] = []
    world.system.caches.runs.on_change(
        lambda change: seen.append(
            ("pin" in change.object["spec"], bool(marks(change.object)[0]), len(world.launcher.jobs))
        )
    )
    world.begin("r", "far")
    assert seen[:2] == [(False, False, 0), (True, True, 0)]


def test_an_environment_that_moved_is_remembered_at_the_next_launch(world: ElsewhereSimulation) -> None:
    uid = world.begin("r", "home")["metadata"]["uid"]
    world.patch(kinds.ENVIRONMENT, "home", {"namespace": "jobs"})
    world.settle()
    world.launcher.lose(uid)
    world.settle()

    assert marks(looks.run(world, "r")) == ([FINALIZER], '[{"namespace":"jobs"}]')
    world.finish_runs()
    assert looks.run(world, "r")["status"]["phase"] == "Succeeded"


@pytest.mark.parametrize("environment", ["next", "far"])
def test_a_deleted_run_goes_once_its_jobs_are_deleted(world: ElsewhereSimulation, environment: str) -> None:
    uid = world.begin("r", environment)["metadata"]["uid"]
    world.store.delete(REF)
    world.settle()

    assert not is_there(world)
    assert world.launcher.jobs == []
    assert world.ledger.run(uid).phase == "Cancelled"  # type: ignore[union-attr]
    assert looks.bugs(world) == []


def test_what_waits_for_a_cluster_goes_on_as_soon_as_its_environment_is_fit(world: ElsewhereSimulation) -> None:
    world.begin("leaving", "far")
    world.launcher.refusal = AWAY
    world.run("waiting", environment="far")
    world.store.delete(Ref(kinds.WORKFLOW_RUN, "default", "leaving"))
    world.settle()
    world.pass_time(seconds=1)
    assert looks.reason(looks.run(world, "waiting"), "Ready") == "False/ClusterUnreachable"

    world.launcher.refusal = None
    world.system.environments.queue.add(Key("default", "far"))
    world.settle()
    world.pass_time(seconds=1)
    assert [name for name, _ in world.launcher.jobs] == [looks.run(world, "waiting")["metadata"]["uid"]]
    assert [run["metadata"]["name"] for run in world.list(kinds.WORKFLOW_RUN)] == ["waiting"]


def test_a_deleted_run_on_a_cluster_that_is_away_waits_visibly(world: ElsewhereSimulation) -> None:
    uid = world.begin("r", "far")["metadata"]["uid"]
    world.launcher.refusal = AWAY
    world.store.delete(REF)
    world.settle()

    shown = looks.condition(looks.run(world, "r"), "Ready")
    assert shown["reason"] == "ClusterUnreachable"
    assert "it is being deleted once its Jobs are: the cluster of Secret far can't be reached" in shown["message"]
    assert "kubectl patch workflowruns.sluice.dev r -n default --type=json" in shown["message"]
    assert world.ledger.run(uid).phase == "Cancelled", "nothing more of it is recorded"  # type: ignore[union-attr]
    assert looks.look_again(world, kinds.WORKFLOW_RUN) == 0

    world.launcher.refusal = None
    world.pass_time(seconds=31)
    assert not is_there(world)
    assert world.launcher.jobs == []


def test_its_deletion_is_tried_again_in_its_own_time_and_not_for_each_write(world: ElsewhereSimulation) -> None:
    world.begin("r", "far")
    world.launcher.refusal = AWAY
    world.store.delete(REF)
    world.settle()
    asked = len(world.launcher.asked)
    world.store.patch(REF, {"metadata": {"labels": {"a": "b"}}})
    world.settle()

    assert asked <= 2
    assert len(world.launcher.asked) == asked


def test_whoever_takes_the_finalizer_away_does_not_wait(world: ElsewhereSimulation) -> None:
    world.begin("r", "far")
    world.launcher.refusal = AWAY
    world.store.delete(REF)
    world.settle()
    world.store.patch(REF, [{"op": "remove", "path": "/metadata/finalizers/0"}], type="json")
    world.settle()

    assert not is_there(world)
    assert len(world.launcher.jobs) == 1, "the sweep's to find"


def test_a_run_that_ended_goes_without_asking_its_cluster(world: ElsewhereSimulation) -> None:
    world.begin("r", "far")
    world.finish_runs()
    world.launcher.refusal = AWAY
    world.store.delete(REF)
    world.settle()

    assert not is_there(world)
    assert world.launcher.asked == []


def test_a_workspace_whose_secret_went_first_is_not_held_up_for_ever(world: ElsewhereSimulation) -> None:
    world.begin("r", "far")
    world.launcher.refusal = NO_SECRET
    world.store.delete(REF)
    world.settle()
    assert looks.reason(looks.run(world, "r"), "Ready") == "False/KubeconfigUnusable"

    world.store.is_leaving = True  # type: ignore[attr-defined]
    world.pass_time(seconds=31)
    assert not is_there(world)


def test_a_run_that_is_deleted_before_it_was_pinned_is_not_begun(world: ElsewhereSimulation) -> None:
    made = world.store.create(
        {
            "apiVersion": "sluice.dev/v1alpha1",
            "kind": "WorkflowRun",
            "metadata": {"name": "r", "namespace": "default", "finalizers": ["example.com/mine"]},
            "spec": {"input": {"workflow": "greet", "environment": "far"}},
        }
    )
    world.store.delete(REF)
    world.settle()

    assert "pin" not in looks.run(world, "r")["spec"]
    assert world.launcher.launches == []
    assert world.ledger.run(made["metadata"]["uid"]) is None


def test_a_cluster_that_is_away_holds_up_its_own_runs_alone(world: ElsewhereSimulation) -> None:
    """R012: a version reaches all environments in one step, whether or not one of them can be reached."""
    world.launcher.refusal = AWAY
    world.edit("greet", "output = 2")
    world.settle()
    assert looks.versions(world) == ["greet-v1", "greet-v2"]
    world.run("r", environment="far")
    world.run("here", environment="home")
    world.finish_runs()
    world.pass_time(seconds=1)

    assert looks.run(world, "here")["status"]["phase"] == "Succeeded"
    assert looks.run(world, "here")["status"]["version"] == "v2"
    far = looks.run(world, "r")
    assert far["spec"]["pin"]["number"] == 2
    assert (far["status"]["phase"], looks.reason(far, "Ready")) == ("Pending", "False/ClusterUnreachable")
    assert looks.bugs(world) == []

    world.launcher.refusal = None
    world.pass_time(seconds=31)
    world.finish_runs()
    assert looks.run(world, "r")["status"]["phase"] == "Succeeded"
    assert [launch for launch in world.launcher.launches if launch[0] == "r"] != []


def test_an_environment_says_that_its_cluster_is_away_until_it_is_back(world: ElsewhereSimulation) -> None:
    assert looks.reason(world.get(kinds.ENVIRONMENT, "far"), "Ready") == "True/Succeeded"
    world.launcher.refusal = AWAY
    world.pass_time(minutes=10)
    away = world.get(kinds.ENVIRONMENT, "far")
    assert looks.reason(away, "Ready") == "False/ClusterUnreachable"
    assert looks.reason(away, "Reconciling") == "True/ClusterUnreachable"
    assert looks.reason(world.get(kinds.ENVIRONMENT, "home"), "Ready") == "True/Succeeded"

    world.launcher.refusal = None
    world.pass_time(seconds=31)
    assert looks.reason(world.get(kinds.ENVIRONMENT, "far"), "Ready") == "True/Succeeded"


def test_a_new_controller_waits_for_a_cluster_that_is_away_and_adopts_what_still_runs(
    world: ElsewhereSimulation,
) -> None:
    uid = world.begin("r", "far")["metadata"]["uid"]
    world.pass_time(seconds=1)
    assert looks.run(world, "r")["status"]["phase"] == "Running"
    world.launcher.refusal = AWAY
    world.replace_controller()
    world.settle()

    held_up = looks.run(world, "r")
    assert (held_up["status"]["phase"], held_up["status"]["version"]) == ("Running", "v1")
    assert looks.reason(held_up, "Ready") == "False/ClusterUnreachable"
    assert world.ledger.epoch(uid, "main") == 1, "it may still run"

    world.launcher.refusal = None
    world.pass_time(seconds=31)
    assert world.launcher.launches == [], "it was adopted"
    world.finish_runs()
    assert looks.run(world, "r")["status"]["phase"] == "Succeeded"


def test_a_new_controller_launches_anew_what_is_gone_when_the_cluster_is_back(world: ElsewhereSimulation) -> None:
    uid = world.begin("r", "far")["metadata"]["uid"]
    world.launcher.refusal = AWAY
    world.replace_controller()
    world.settle()
    world.launcher.open.clear()
    world.launcher.refusal = None
    world.pass_time(seconds=31)

    assert world.ledger.epoch(uid, "main") == 2
    world.finish_runs()
    assert looks.run(world, "r")["status"]["phase"] == "Succeeded"
