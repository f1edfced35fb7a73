"""A run that ends early takes the pods of its steps with it, and records how each ended once."""

from __future__ import annotations

from sluice.api import kinds
from sluice.domain.run.events import STOP_REQUESTED
from sluice.ports.store import Ref
from tests.reconcilers.apart import Cluster, container, light


def test_cancelling_deletes_its_pod_and_ends_the_run(cluster: Cluster) -> None:
    cluster.run(container("deploy"), light("after", "deploy"))
    cluster.containers.begin("deploy")
    cluster.world.patch(kinds.WORKFLOW_RUN, "r", {"cancel": True})
    cluster.world.finish_runs()

    assert cluster.status["phase"] == "Cancelled"
    assert cluster.containers.stopped == [("steps.deploy.1", 1)]
    assert cluster.ends()["deploy"]["reason"] == "Cancelled"
    assert cluster.world.launcher.launches == [("r", 1), ("r", 2)]


def test_one_that_ends_while_it_is_being_stopped_is_recorded_once(cluster: Cluster) -> None:
    cluster.run(container("deploy"))
    cluster.world.patch(kinds.WORKFLOW_RUN, "r", {"cancel": True})
    cluster.world.settle()
    (uid,) = cluster.world.launcher.open
    cluster.world.launcher.step(uid)
    cluster.containers.succeed("deploy", 1)
    cluster.world.finish_runs()

    assert [event.kind for event in cluster.history].count(STOP_REQUESTED) == 1
    assert set(cluster.ends()) == {"deploy"}
    assert cluster.status["phase"] == "Cancelled"


def test_a_failure_beside_it_waits_for_it_or_stops_it(cluster: Cluster) -> None:
    cluster.run(container("deploy"), light("bad"), failurePolicy="Drain")
    assert cluster.status["phase"] == "Running"

    cluster.containers.fail("deploy")
    cluster.world.finish_runs()
    assert cluster.status["phase"] == "Failed"


def test_a_run_that_times_out_stops_it(cluster: Cluster) -> None:
    cluster.run(container("deploy"), timeout="10m")
    cluster.containers.begin("deploy")
    cluster.world.pass_time(minutes=10)
    cluster.world.finish_runs()

    assert cluster.status["failure"]["reason"] == "RunTimedOut"
    assert cluster.containers.stopped == [("steps.deploy.1", 1)]


def test_one_under_finally_runs_after_a_cancellation(cluster: Cluster) -> None:
    cluster.run(container("deploy"), **{"finally": [container("tidy")]})
    cluster.world.patch(kinds.WORKFLOW_RUN, "r", {"cancel": True})
    cluster.world.finish_runs()
    assert cluster.containers.launches[-1] == ("steps.tidy.1", 1)

    cluster.containers.succeed("tidy")
    cluster.world.finish_runs()
    assert cluster.status["phase"] == "Cancelled"
    assert cluster.ends()["tidy"]["phase"] == "Succeeded"


def test_a_run_that_is_deleted_takes_its_pods_with_it(cluster: Cluster) -> None:
    cluster.run(container("deploy"))
    cluster.world.store.delete(Ref(kinds.WORKFLOW_RUN, "default", "r"))
    cluster.world.settle()

    assert cluster.containers.there == {}
    assert not cluster.world.ledger.open_runs()
