"""Steps that have pods of their own: launched by what is recorded, and their ends recorded once, whoever leads."""

from __future__ import annotations

from sluice.api import kinds
from tests.reconcilers import looks
from tests.reconcilers.apart import Cluster, container, light


def test_a_container_is_launched_with_what_its_templates_come_to(cluster: Cluster) -> None:
    cluster.run(container("deploy", timeout="90s", fields={"script": "make", "outputFrom": "/scratch/out.json"}))

    pod = cluster.containers.newest("deploy")
    assert (pod.pod.unit, pod.pod.epoch, pod.timeout_s) == ("steps.deploy.1", 1, 90)
    assert pod.program.command == ("/bin/sh", "-ec", "make")
    assert pod.program.output_from == "/scratch/out.json"
    run = looks.run(cluster.world, "r")
    assert pod.program.env == {
        "WHO": "ana",
        "SLUICE_RUN": run["status"]["id"],
        "SLUICE_STEP": "deploy",
        "SLUICE_ATTEMPT": "1",
        "SLUICE_IDEMPOTENCY_KEY": pod.program.env["SLUICE_IDEMPOTENCY_KEY"],
    }
    assert len(pod.program.env["SLUICE_IDEMPOTENCY_KEY"]) == 32


def test_without_a_timeout_of_its_own_the_environments_counts(cluster: Cluster) -> None:
    cluster.world.patch(kinds.ENVIRONMENT, "sandbox", {"limits": {"stepTimeout": "1500ms"}})
    cluster.run(container("deploy"))
    assert cluster.containers.newest("deploy").timeout_s == 2


def test_while_it_runs_the_run_is_running_and_no_segment_is_open(cluster: Cluster) -> None:
    cluster.run(container("deploy"), light("after", "deploy"))

    assert not cluster.world.launcher.open
    assert (cluster.status["phase"], cluster.status["step"]) == ("Running", "deploy")
    assert cluster.ready == "False/RunRunning"


def test_its_output_is_there_for_what_needs_it(cluster: Cluster) -> None:
    cluster.run(container("deploy"), light("after", "deploy"), outputs={"url": "${ steps.deploy.output.url }"})
    cluster.containers.printed = "deploying\n"
    cluster.containers.succeed("deploy", {"url": "https://x"})
    cluster.world.finish_runs()

    assert (cluster.status["phase"], cluster.status["outputs"]) == ("Succeeded", {"url": "https://x"})
    assert cluster.ends()["deploy"]["log"] == "deploying\n"
    assert cluster.containers.released == [("steps.deploy.1", 1)]
    assert cluster.world.launcher.launches == [("r", 1), ("r", 2)]


def test_nothing_is_written_or_launched_when_it_is_looked_at_again(cluster: Cluster) -> None:
    cluster.run(container("deploy"))
    cluster.containers.begin("deploy")
    cluster.world.settle()

    assert looks.look_again(cluster.world, kinds.WORKFLOW_RUN) == 0
    assert cluster.containers.launches == [("steps.deploy.1", 1)]


def test_light_steps_go_on_beside_it_and_are_told_of_its_end(cluster: Cluster) -> None:
    cluster.begin(container("deploy"), light("a"), light("b", "a", "deploy"), light("c", "a"))
    world = cluster.world
    (uid,) = world.launcher.open
    world.launcher.step(uid)
    world.settle()
    assert cluster.containers.launches == [("steps.deploy.1", 1)], "launched while the segment is open"

    cluster.containers.succeed("deploy", 1)
    world.settle()
    world.finish_runs()

    assert cluster.status["phase"] == "Succeeded"
    assert world.launcher.launches == [("r", 1)]
    assert set(cluster.ends()) == {"deploy", "a", "b", "c"}


def test_a_failure_is_tried_again_as_the_step_says_with_a_pod_of_its_own_each_time(cluster: Cluster) -> None:
    cluster.run(container("deploy", retry={"limit": 1, "backoff": {"duration": "5m"}}))
    cluster.containers.fail("deploy")
    cluster.world.finish_runs()
    assert cluster.status["phase"] == "Waiting"

    cluster.world.pass_time(minutes=5)
    cluster.world.finish_runs()
    assert cluster.containers.launches == [("steps.deploy.1", 1), ("steps.deploy.2", 1)]
    assert cluster.containers.newest("deploy").program.env["SLUICE_ATTEMPT"] == "2"

    cluster.containers.fail("deploy", "its container ended with code 3: no such shop")
    cluster.world.finish_runs()
    assert cluster.status["failure"] == {
        "step": "deploy",
        "attempt": 2,
        "reason": "ContainerFailed",
        "message": "its container ended with code 3: no such shop",
    }


def test_what_the_expressions_came_to_that_is_no_container_fails_the_step(cluster: Cluster) -> None:
    cluster.run(container("deploy", fields={"image": "${ payload.who + ' ' }"}))
    cluster.world.finish_runs()

    assert cluster.status["failure"]["reason"] == "InvalidInput"
    assert cluster.status["failure"]["message"].startswith("image: 'ana '")
    assert cluster.containers.launches == []


def test_a_lost_segment_does_not_begin_it_again(cluster: Cluster) -> None:
    cluster.run(container("deploy"), light("after", "deploy"))
    cluster.containers.succeed("deploy", 1)
    cluster.world.settle()
    (uid,) = cluster.world.launcher.open
    cluster.world.launcher.lose(uid)
    cluster.world.finish_runs()

    assert cluster.status["phase"] == "Succeeded"
    assert cluster.containers.launches == [("steps.deploy.1", 1)]


def test_where_nothing_can_have_a_pod_of_its_own_the_step_says_so(cluster: Cluster) -> None:
    """A version that was published on a cluster, and a controller without one on its data."""
    cluster.run(container("deploy"))
    cluster.stop()
    cluster.start(containers=False)
    cluster.world.finish_runs()

    assert cluster.status["failure"]["reason"] == "InvalidInput"
    assert cluster.status["failure"]["message"].startswith("it needs a pod of its own")
