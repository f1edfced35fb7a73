"""Steps with pods of their own outlast lost pods, controllers that come and go, and clusters that are away."""

from __future__ import annotations

from sluice.domain.run.events import STEP_ENDED
from tests.reconcilers.apart import Cluster, container, light


# -- the cluster takes a pod away ---------------------------------------------------------------------------------------
def test_a_lost_pod_is_launched_again_and_spends_no_retry(cluster: Cluster) -> None:
    cluster.run(container("deploy"))
    for _ in range(3):
        cluster.containers.lose("deploy")
        cluster.world.settle()
    assert cluster.containers.launches == [("steps.deploy.1", epoch) for epoch in (1, 2, 3, 4)]
    assert cluster.containers.stopped == [("steps.deploy.1", epoch) for epoch in (1, 2, 3)]

    cluster.containers.succeed("deploy")
    cluster.world.finish_runs()
    assert cluster.status["phase"] == "Succeeded"
    assert [event.attempt for event in cluster.history if event.kind == STEP_ENDED] == [1]


def test_one_that_is_lost_again_and_again_fails_its_step(cluster: Cluster) -> None:
    cluster.run(container("deploy"))
    for place in range(4):
        if place == 2:
            cluster.stop()
            cluster.start()
        cluster.containers.lose("deploy")
        cluster.world.settle()
    cluster.world.finish_runs()

    assert cluster.status["failure"]["reason"] == "PodEvicted"
    assert cluster.status["failure"]["message"] == "its pod was lost 4 times, the last time: its node is being drained"


# -- controllers come and go ----------------------------------------------------------------------------------------------
def test_another_controller_goes_on_with_the_pod_that_is_there(cluster: Cluster) -> None:
    cluster.run(container("deploy"), light("after", "deploy"))
    cluster.stop()
    cluster.start()
    cluster.containers.succeed("deploy", 1)
    cluster.world.finish_runs()

    assert cluster.status["phase"] == "Succeeded"
    assert cluster.containers.launches == [("steps.deploy.1", 1)]


def test_an_end_that_came_while_nobody_led_is_recorded_by_the_next(cluster: Cluster) -> None:
    cluster.run(container("deploy"))
    cluster.stop()
    cluster.containers.succeed("deploy", 1)
    cluster.start()
    cluster.world.finish_runs()

    assert cluster.status["phase"] == "Succeeded"
    assert cluster.containers.launches == [("steps.deploy.1", 1)]


def test_a_job_that_went_while_nobody_led_is_made_again(cluster: Cluster) -> None:
    cluster.run(container("deploy"))
    cluster.containers.vanish("deploy")
    cluster.stop()
    cluster.start()

    assert cluster.containers.launches == [("steps.deploy.1", 1)] * 2


def test_a_cluster_that_is_away_delays_and_loses_nothing(cluster: Cluster) -> None:
    cluster.run(container("deploy"))
    cluster.containers.away = True
    cluster.containers.succeed("deploy", 1)
    cluster.world.settle()
    assert "deploy" not in cluster.ends()

    cluster.containers.away = False
    cluster.world.pass_time(minutes=20)
    cluster.world.finish_runs()
    assert cluster.status["phase"] == "Succeeded"
