"""Steps that have pods of their own: launched by what is recorded, and their ends recorded once, whoever leads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sluice.api import kinds
from sluice.api.reasons import Reason
from sluice.domain.run.events import STEP_ENDED, STOP_REQUESTED
from sluice.ports.store import Obj, Ref
from tests.reconcilers import looks
from tests.simulation.containers import HandContainers
from tests.simulation.embedded import Simulation


def container(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    fields = {"image": "example.com/tool:1", "env": {"WHO": "${ payload.who }"}}
    return {"name": name, "needs": list(needs), "action": {"container": fields | more.pop("fields", {})}, **more}


def light(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "needs": list(needs), "action": {"python": {"code": "output = 1"}}, **more}


class Cluster:
    """A world whose steps may have pods of their own."""

    def __init__(self, folder: Path) -> None:
        self.containers = HandContainers()
        self._folder = folder
        self.world = Simulation(folder / "world.db", containers=self.containers)
        self.world.environment()

    def begin(self, *steps: dict[str, Any], **definition: Any) -> None:
        """Publish, and make a run."""
        spec = {"owner": "ana@example.com", "definition": {"steps": list(steps), **definition}}
        self.world.create(kinds.WORKFLOW, "greet", spec)
        self.world.settle()
        self.world.run("r", payload={"who": "ana"})
        self.world.settle()

    def run(self, *steps: dict[str, Any], **definition: Any) -> None:
        """The same; what can go on without a container does."""
        self.begin(*steps, **definition)
        self.world.finish_runs()

    def stop(self) -> None:
        """Nobody leads."""
        self.world.close()
        self.containers.tell(lambda namespace, name: None)

    def start(self, *, containers: bool = True) -> None:
        """Another controller, that knows only what is recorded."""
        own = self.containers if containers else None
        self.world = Simulation(self._folder / "world.db", clock=self.world.clock, containers=own)
        self.world.settle()

    @property
    def status(self) -> Obj:
        status: Obj = looks.run(self.world, "r")["status"]
        return status

    @property
    def ready(self) -> str:
        return looks.reason(looks.run(self.world, "r"), "Ready")

    @property
    def message(self) -> str:
        return str(looks.condition(looks.run(self.world, "r"), "Ready")["message"])

    @property
    def history(self) -> list[Any]:
        return list(self.world.ledger.history(looks.run(self.world, "r")["metadata"]["uid"]))

    def ends(self) -> dict[str, dict[str, Any]]:
        """The body of each step's end; of a step that was recorded to end twice there is none."""
        final = [event for event in self.history if event.kind == STEP_ENDED and not event.body.get("retryAt")]
        assert not [step for step, times in Counter(event.step for event in final).items() if times > 1]
        return {event.step: event.body for event in final}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    yield made
    assert looks.bugs(made.world) == []
    made.world.close()


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


# -- it does not begin ------------------------------------------------------------------------------------------------------
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


# -- the run ends early -------------------------------------------------------------------------------------------------------
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
