"""Steps with images of their own on a real node: another image, its log, its output, its limits, and no room but scratch."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.launching.workloads import JOB
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.api.kinds import NAMESPACE
from sluice.domain.launching.names import UNIT_LABEL
from sluice.ports.store import Obj, Ref
from tests.cluster.cluster import Shape
from tests.cluster.controllers import controlling
from tests.cluster.images import BUSYBOX, sluice_name
from tests.cluster.processes import free_port
from tests.cluster.sharing import ControlPlane, shared
from tests.cluster.workspace import Workspace, workspace

pytestmark = [pytest.mark.cluster, pytest.mark.node]

PATIENCE_S = 180
SMALL = {"runner": {"resources": {"limits": {"memory": "96Mi"}, "requests": {"cpu": "50m"}}}}


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with shared(f"apart-{uuid.uuid4().hex[:8]}", Shape(nodes=1)) as made:
        yield made


@pytest.fixture(scope="module")
def space(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace where Pod Security is restricted, with a controller on this machine."""
    own, port = f"t{uuid.uuid4().hex[:8]}", free_port()
    transport = Transport(from_kubeconfig(plane.kubeconfig))
    where = {"listen": f"{plane.host}:{port}", "runner_url": f"https://{plane.host}:{port}", "advertise": plane.host}
    options = {"controller_id": own, "watch_namespaces": own, "runner_image": sluice_name(), **where}
    with (
        workspace(KubernetesStore(transport), own, environment=SMALL) as made,
        controlling(plane, tmp_path_factory.mktemp("controller"), **options),
    ):
        restricted = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
        made.store.patch(Ref(NAMESPACE, "", own), restricted)
        yield made
    transport.close()


def ended(space: Workspace, name: str, script: str, *, image: str = BUSYBOX, **more: Any) -> Obj:
    """The status of a run of one such step."""
    fields = {"image": image, "script": script} | more.pop("fields", {})
    step = {"name": "tool", "action": {"container": fields}, **more}
    space.apply_workflow(name, "", steps=[step], outputs={"out": "${ steps.tool.output }"})
    space.wait_published(name, "v1")
    status: Obj = space.wait_ended(space.start(name, payload={"n": 3}), patience_s=PATIENCE_S)["status"]
    return status


def test_an_image_of_somebody_else_runs_as_nobody_and_hands_its_output_on(space: Workspace) -> None:
    script = (
        'echo "I am $(id -u)"; seq 1 "$N" > /tmp/lines; echo "{\\"lines\\": $(wc -l < /tmp/lines)}" > /scratch/out.json'
    )
    status = ended(space, "count", script, fields={"env": {"N": "${ payload.n }"}, "outputFrom": "/scratch/out.json"})
    assert (status["phase"], status["outputs"]) == ("Succeeded", {"out": {"lines": 3}})


def test_a_failure_is_told_with_its_log(space: Workspace) -> None:
    pause = "sleep 1"  # or the node may write down the second stream before the first
    status = ended(space, "fail", f"echo reading; {pause}; echo no such shop >&2; exit 4")
    assert status["failure"]["reason"] == "ContainerFailed"
    assert status["failure"]["message"] == "its container ended with code 4: no such shop"
    assert status["failure"]["logTail"] == "reading\nno such shop\n"


def test_nothing_of_the_image_can_be_written_to_and_there_is_no_token(space: Workspace) -> None:
    script = "ls /var/run/secrets 2>/dev/null && exit 9; echo x > /forbidden"
    status = ended(space, "confined", script)
    assert status["failure"]["message"].startswith("its container ended with code")
    assert "Read-only file system" in status["failure"]["logTail"]


def test_one_that_takes_too_much_memory_or_time_is_ended_by_the_node(space: Workspace) -> None:
    greedy = ended(space, "greedy", "x=$(head -c 300000000 /dev/zero | tr '\\0' 1); echo ${#x}")
    assert greedy["failure"]["reason"] == "StepOOM"
    slow = ended(space, "slow", "sleep 600", timeout="3s")
    assert slow["failure"]["reason"] == "TimedOut"


def test_what_is_too_large_is_told(space: Workspace) -> None:
    status = ended(
        space, "large", "head -c 5000 /dev/zero | tr '\\0' 1 > /tmp/out.json", fields={"outputFrom": "/tmp/out.json"}
    )
    assert status["failure"]["reason"] == "OutputTooLarge"


def test_an_image_that_is_not_there_is_shown_and_the_step_times_out(space: Workspace) -> None:
    step = {"name": "tool", "action": {"container": {"image": "localhost:1/nobody/has-this:1"}}, "timeout": "20s"}
    space.apply_workflow("missing", "", steps=[step])
    space.wait_published("missing", "v1")
    run = space.start("missing")
    assert "localhost:1/nobody/has-this:1" in space.wait_condition(run, "Ready", reason="ImagePullFailed")["message"]
    failure = space.wait_ended(run, patience_s=PATIENCE_S)["status"]["failure"]
    assert failure["reason"] == "TimedOut"
    assert failure["message"].startswith("it had not begun after 20s: localhost:1/nobody/has-this:1 can't be pulled")
    space.wait_for(lambda: not _jobs(space, "steps.tool.1", run), "its Job is gone")


def _jobs(space: Workspace, unit: str, run: str) -> list[Obj]:
    uid = space.run(run)["metadata"]["uid"]
    jobs = space.store.list(JOB, space.namespace).items
    labels = [job["metadata"]["labels"] for job in jobs]
    return [made for made in labels if made[UNIT_LABEL] == unit and made["sluice.dev/run-uid"] == uid]
