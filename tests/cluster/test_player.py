"""The player of runners on a real API server: whole runs through the controller's program, with each pod's own token."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from tests.cluster.controllers import Controller, controlling
from tests.cluster.player import Player, played
from tests.cluster.sharing import ControlPlane
from tests.cluster.workspace import Workspace, workspace

pytestmark = pytest.mark.cluster


@dataclass
class Site:
    """A workspace whose controller runs."""

    controller: Controller
    player: Player
    space: Workspace


@pytest.fixture
def site(control_plane: ControlPlane, tmp_path: Path, request: Any) -> Iterator[Site]:
    own = f"t{uuid.uuid4().hex[:8]}"
    transport = Transport(from_kubeconfig(control_plane.kubeconfig))
    with (
        workspace(KubernetesStore(transport), own, environment={"launch": getattr(request, "param", "Job")}) as space,
        played(transport, controller_id=own, kubelet=True) as player,
        controlling(control_plane, tmp_path, controller_id=own, watch_namespaces=own) as controller,
    ):
        yield Site(controller, player, space)
    transport.close()


def python_step(name: str, code: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "action": {"python": {"code": code}}, **more}


@pytest.mark.parametrize("site", ["Job", "Pod"], indirect=True)
def test_steps_end_as_their_code_says_and_pods_are_told_of(site: Site) -> None:
    steps = [
        python_step("first", "# play: sleep 0.2\noutput = 1"),
        python_step(
            "flaky", "# play: fail 1\noutput = 1", needs=["first"], retry={"limit": 2, "backoff": {"duration": "100ms"}}
        ),
        python_step("last", "output = 1", needs=["flaky"]),
    ]
    outputs = {"attempts": "${ steps.flaky.output.attempt }"}
    site.space.apply_workflow("three", "", steps=steps, outputs=outputs)
    site.space.wait_published("three", "v1")
    ended = [site.space.wait_ended(run) for run in [site.space.start("three") for _ in range(10)]]

    assert {run["status"]["phase"] for run in ended} == {"Succeeded"}
    assert {run["status"]["outputs"]["attempts"] for run in ended} == {2}
    pods = site.space.wait_for(lambda: all_in_phase(site.space, "Succeeded"), "all pods have ended", patience_s=30)
    assert len(pods) == 10
    assert site.player.ended == {0: 10}


def test_what_is_played_outlives_the_controller(site: Site) -> None:
    site.space.apply_workflow("slow", "# play: sleep 3\noutput = 1")
    site.space.wait_published("slow", "v1")
    runs = [site.space.start("slow") for _ in range(3)]
    for run in runs:
        site.space.wait_phase(run, "Running")
    site.controller.kill()
    site.controller.start()

    assert {site.space.wait_ended(run)["status"]["phase"] for run in runs} == {"Succeeded"}
    site.space.wait_for(lambda: not site.player.pods, "all pods are over")
    assert site.player.ended == {0: 3}, "a run that went on was launched again"


def test_a_pod_that_is_deleted_falls_silent_and_another_is_played(site: Site) -> None:
    site.space.apply_workflow("slow", "# play: sleep 2\noutput = 1")
    site.space.wait_published("slow", "v1")
    run = site.space.start("slow")
    site.space.wait_phase(run, "Running")
    site.space.delete_pod(site.space.wait_pod())

    assert site.space.wait_ended(run)["status"]["phase"] == "Succeeded"
    site.space.wait_for(lambda: not site.player.pods, "all pods are over")
    assert site.player.ended == {143: 1, 0: 1}


def all_in_phase(space: Workspace, phase: str) -> list[dict[str, Any]]:
    pods = space.pods()
    return pods if all(pod["status"]["phase"] == phase for pod in pods) else []
