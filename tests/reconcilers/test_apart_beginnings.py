"""A step whose pod does not begin says why, and fails when its time is over; whatever keeps it is no failure."""

from __future__ import annotations

from sluice.api.reasons import Reason
from sluice.runtime.queue import Key
from tests.reconcilers.apart import Cluster, container


def test_what_keeps_it_from_beginning_is_shown_and_no_failure(cluster: Cluster) -> None:
    cluster.run(container("deploy", timeout="10m"))
    cluster.containers.hinder("deploy", Reason.IMAGE_PULL_FAILED, "example.com/tool:1 can't be pulled: not found")
    cluster.world.settle()

    assert (cluster.status["phase"], cluster.ready) == ("Running", "False/ImagePullFailed")
    assert cluster.message == "deploy: example.com/tool:1 can't be pulled: not found"

    cluster.containers.begin("deploy")
    cluster.world.settle()
    assert cluster.ready == "False/RunRunning"


def test_one_that_does_not_begin_within_its_timeout_fails_with_what_kept_it(cluster: Cluster) -> None:
    cluster.run(container("deploy", timeout="10m"))
    cluster.containers.hinder("deploy", Reason.IMAGE_PULL_FAILED, "not found")
    cluster.world.pass_time(minutes=9)
    assert cluster.status["phase"] == "Running"

    cluster.world.pass_time(minutes=1)
    cluster.world.finish_runs()
    assert cluster.status["failure"]["reason"] == "TimedOut"
    assert cluster.status["failure"]["message"] == "it had not begun after 10m: not found"
    assert cluster.containers.stopped == [("steps.deploy.1", 1)]


def test_a_place_that_refuses_it_is_asked_again_and_then_takes_it(cluster: Cluster) -> None:
    cluster.containers.refusal = (Reason.QUOTA_EXCEEDED, "exceeded quota: compute")
    cluster.run(container("deploy", timeout="10m"))
    assert (cluster.ready, cluster.message) == ("False/QuotaExceeded", "deploy: exceeded quota: compute")

    cluster.containers.refusal = None
    cluster.world.pass_time(seconds=30)
    assert cluster.containers.launches == [("steps.deploy.1", 1)], "a refusal is no loss"
    assert cluster.ready == "False/RunRunning"


def test_a_place_that_takes_it_is_asked_as_soon_as_its_environment_is_fit(cluster: Cluster) -> None:
    cluster.containers.refusal = (Reason.QUOTA_EXCEEDED, "exceeded quota: compute")
    cluster.run(container("deploy", timeout="10m"))
    cluster.containers.refusal = None
    cluster.world.system.environments.queue.add(Key("default", "sandbox"))
    cluster.world.settle()
    assert cluster.containers.launches == [("steps.deploy.1", 1)]


def test_a_place_that_refuses_it_for_longer_than_its_timeout_fails_it(cluster: Cluster) -> None:
    cluster.containers.refusal = (Reason.QUOTA_EXCEEDED, "exceeded quota: compute")
    cluster.run(container("deploy", timeout="45s"))
    for _ in range(3):
        cluster.world.pass_time(seconds=30)
    cluster.world.finish_runs()

    assert cluster.status["failure"]["message"] == "it had not begun after 45s: exceeded quota: compute"


def test_one_that_runs_is_ended_by_its_node_and_if_not_by_the_controller(cluster: Cluster) -> None:
    cluster.run(container("deploy", timeout="10m"))
    cluster.containers.begin("deploy", started=cluster.world.ledger.now())
    cluster.world.pass_time(minutes=11)
    assert cluster.status["phase"] == "Running"

    cluster.world.pass_time(minutes=2)
    cluster.world.finish_runs()
    assert cluster.status["failure"]["reason"] == "TimedOut"
    assert cluster.containers.stopped == [("steps.deploy.1", 1)]
