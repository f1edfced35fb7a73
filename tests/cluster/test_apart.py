"""Steps with images of their own on a real API server, by the controller's own program.

Their containers are processes of this machine (see ``process_kubelet``); all else is as on any cluster.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.launching.workloads import POD
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.api.kinds import NAMESPACE
from sluice.domain.launching.names import UNIT_LABEL
from sluice.ports.store import Obj, Ref
from tests.cluster.controllers import Controller, controlling
from tests.cluster.process_kubelet import ProcessKubelet, playing
from tests.cluster.sharing import ControlPlane
from tests.cluster.workspace import Workspace, workspace

pytestmark = pytest.mark.cluster

Step = dict[str, Any]


@dataclass
class Site:
    """A workspace whose controller runs, and a folder that containers see."""

    controller: Controller
    kubelet: ProcessKubelet
    space: Workspace
    folder: Path

    def begin(self, *steps: Step, **definition: Any) -> str:
        """Publish, and start a run."""
        self.space.apply_workflow("ship", "", steps=list(steps), **definition)
        self.space.wait_published("ship", "v1")
        return self.space.start("ship", payload={"who": "ana"})

    def units(self) -> list[str]:
        """Of what there are Jobs, in the order in which they were made: ``main`` or the attempt of a step."""
        jobs = sorted(
            self.space.jobs(), key=lambda job: (job["metadata"]["creationTimestamp"], job["metadata"]["name"])
        )
        return [job["metadata"]["labels"][UNIT_LABEL] for job in jobs]

    def wait_running(self, unit: str) -> Obj:
        """Until a pod of this unit runs."""

        def running() -> Obj | None:
            pods = [pod for pod in self.space.pods() if pod["metadata"]["labels"].get(UNIT_LABEL) == unit]
            return next((pod for pod in pods if (pod.get("status") or {}).get("phase") == "Running"), None)

        pod: Obj = self.space.wait_for(running, f"a pod of {unit} runs")
        return pod

    def gate(self, name: str) -> str:
        """A line of shell that waits until the test opens the gate."""
        return f"while [ ! -e {self.folder / name} ]; do sleep 0.05; done"

    def open(self, name: str) -> None:
        (self.folder / name).touch()


@pytest.fixture
def site(control_plane: ControlPlane, tmp_path: Path) -> Iterator[Site]:
    own = f"t{uuid.uuid4().hex[:8]}"
    transport = Transport(from_kubeconfig(control_plane.kubeconfig))
    with (
        workspace(KubernetesStore(transport), own) as space,
        playing(transport, tmp_path, controller_id=own) as kubelet,
        controlling(control_plane, tmp_path, controller_id=own, watch_namespaces=own) as controller,
    ):
        restricted = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
        space.store.patch(Ref(NAMESPACE, "", own), restricted)
        yield Site(controller, kubelet, space, tmp_path)
    transport.close()


def container(name: str, script: str, *needs: str, **more: Any) -> Step:
    fields = {"image": "example.com/tool:1", "script": script} | more.pop("fields", {})
    return {"name": name, "needs": list(needs), "action": {"container": fields}, **more}


def light(name: str, code: str, *needs: str, **more: Any) -> Step:
    return {"name": name, "needs": list(needs), "action": {"python": {"code": code}}, **more}


def test_its_output_is_there_for_what_needs_it(site: Site) -> None:
    out = site.folder / "out.json"
    script = f'echo "{{\\"to\\": \\"$WHO\\", \\"key\\": \\"$SLUICE_IDEMPOTENCY_KEY\\"}}" > {out}'
    deploy = container("deploy", script, fields={"env": {"WHO": "${ payload.who }"}, "outputFrom": str(out)})
    run = site.begin(deploy, light("tell", "output = steps.deploy.output['to']", "deploy"), outputs={
        "to": "${ steps.tell.output }", "key": "${ steps.deploy.output.key }", "same": "${ steps.deploy.idempotencyKey }"
    })  # fmt: skip
    ended = site.space.wait_ended(run)

    assert ended["status"]["phase"] == "Succeeded"
    outputs = ended["status"]["outputs"]
    assert outputs["to"] == "ana"
    assert outputs["key"] == outputs["same"]
    assert sorted(site.units()) == ["main", "main", "steps.deploy.1"]
    (job,) = [job for job in site.space.jobs() if job["metadata"]["labels"][UNIT_LABEL] == "steps.deploy.1"]
    assert job["metadata"]["ownerReferences"][0]["uid"] == ended["metadata"]["uid"]


def test_it_runs_beside_light_steps_and_the_segment_goes_on_when_it_ends(site: Site) -> None:
    slow = light("slow", "for n in range(200_000_000): pass\noutput = 1", timeout="50s")
    deploy = container("deploy", site.gate("go"))
    run = site.begin(deploy, slow, light("after", "output = steps.deploy.output['exitCode']", "deploy"), outputs={
        "code": "${ steps.after.output }"
    })  # fmt: skip
    site.wait_running("steps.deploy.1")
    site.open("go")
    ended = site.space.wait_ended(run)

    assert ended["status"]["outputs"] == {"code": 0}
    assert sorted(site.units()) == ["main", "steps.deploy.1"], "no second pod for what follows"


def test_a_failure_is_tried_again_with_another_pod_and_told_with_its_last_line(site: Site) -> None:
    script = f"echo attempt $SLUICE_ATTEMPT; {site.gate('go')}; echo no such shop >&2; exit $((SLUICE_ATTEMPT + 2))"
    run = site.begin(container("deploy", script, retry={"limit": 1, "backoff": {"duration": "100ms"}}))
    site.open("go")
    failure = site.space.wait_ended(run)["status"]["failure"]

    assert (failure["reason"], failure["attempt"]) == ("ContainerFailed", 2)
    assert failure["message"] == "its container ended with code 4: no such shop"
    assert {"steps.deploy.1", "steps.deploy.2"} <= set(site.units())


def test_an_output_that_is_too_large_is_a_clear_failure(site: Site) -> None:
    out = site.folder / "out.json"
    script = f"head -c 5000 /dev/zero | tr '\\0' 1 > {out}"
    run = site.begin(container("deploy", script, fields={"outputFrom": str(out)}))
    failure = site.space.wait_ended(run)["status"]["failure"]

    assert failure["reason"] == "OutputTooLarge"
    assert "4,095 are the limit" in failure["message"]


def test_one_that_takes_longer_than_its_timeout_is_ended_by_its_node(site: Site) -> None:
    run = site.begin(container("deploy", site.gate("never"), timeout="1s"))
    failure = site.space.wait_ended(run)["status"]["failure"]

    assert (failure["step"], failure["reason"]) == ("deploy", "TimedOut")


def test_cancelling_deletes_its_job_and_the_run_ends(site: Site) -> None:
    run = site.begin(container("deploy", site.gate("never")), light("after", "output = 1", "deploy"))
    site.wait_running("steps.deploy.1")
    site.space.cancel(run)
    ended = site.space.wait_ended(run)

    assert ended["status"]["phase"] == "Cancelled"
    site.space.wait_for(lambda: "steps.deploy.1" not in site.units(), "its Job is gone")


def test_a_killed_controllers_container_goes_on_and_the_next_one_records_its_end(site: Site) -> None:
    run = site.begin(container("deploy", site.gate("go")), light("after", "output = 1", "deploy"))
    site.wait_running("steps.deploy.1")
    site.controller.kill()
    site.open("go")
    site.space.wait_for(
        lambda: [pod for pod in site.space.pods() if (pod.get("status") or {}).get("phase") == "Succeeded"
                 and pod["metadata"]["labels"].get(UNIT_LABEL) == "steps.deploy.1"],
        "it ended while nobody led",
    )  # fmt: skip
    site.controller.start()

    assert site.space.wait_ended(run)["status"]["phase"] == "Succeeded"
    assert site.units().count("steps.deploy.1") == 1


def test_a_pod_that_is_taken_away_is_launched_again_and_spends_no_retry(site: Site) -> None:
    run = site.begin(container("deploy", site.gate("go")))
    pod = site.wait_running("steps.deploy.1")
    site.space.store.delete(Ref(POD, site.space.namespace, pod["metadata"]["name"]))
    site.space.wait_for(
        lambda: len([one for one in site.kubelet.played if one.container["name"] == "step"]) == 2,
        "another was launched",
    )
    site.open("go")
    ended = site.space.wait_ended(run)

    assert ended["status"]["phase"] == "Succeeded"
    pods = [played for played in site.kubelet.played if played.container["name"] == "step"]
    assert [json.dumps(played.container["env"]).count('"1"') for played in pods] == [1, 1], "attempt 1 both times"


def test_what_keeps_it_from_beginning_is_shown_on_the_run(site: Site) -> None:
    site.kubelet.held_units.add("steps.deploy.1")
    run = site.begin(container("deploy", "true"))
    pods = site.space.wait_for(
        lambda: [pod for pod in site.space.pods() if pod["metadata"]["labels"].get(UNIT_LABEL) == "steps.deploy.1"],
        "it has a pod",
    )
    name = pods[0]["metadata"]["name"]
    waiting = {"reason": "ImagePullBackOff", "message": "not found"}
    status = {"name": "step", "image": "example.com/tool:1", "imageID": "", "ready": False, "restartCount": 0}
    site.space.store.patch(
        Ref(POD, site.space.namespace, name),
        {"status": {"containerStatuses": [{**status, "state": {"waiting": waiting}}]}},
        status=True,
    )
    shown = site.space.wait_condition(run, "Ready", reason="ImagePullFailed")

    assert shown["message"] == "deploy: example.com/tool:1 can't be pulled: not found"
    site.space.cancel(run)
    assert site.space.wait_ended(run)["status"]["phase"] == "Cancelled"
