"""What a run costs the API server, as the controller counts it by itself."""

from __future__ import annotations

import re
import urllib.request
import uuid
from collections import Counter
from pathlib import Path

import pytest

from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from tests.cluster.controllers import Controller, controlling
from tests.cluster.process_kubelet import playing
from tests.cluster.sharing import ControlPlane
from tests.cluster.workspace import workspace

pytestmark = pytest.mark.cluster

RUNS = 20
AT_MOST = 8
"""Requests for a run of one segment: its pin, its Job, its runner's token, and what its status shows of it."""
SAMPLE = re.compile(r'^rest_client_requests_total\{code="(\d+)",method="([A-Z]+)"\} (\S+)$', re.M)


def requests(controller: Controller) -> Counter[str]:
    """By method and answer, since the start."""
    with urllib.request.urlopen(f"{controller.health}/metrics", timeout=10) as answer:
        told = answer.read().decode()
    return Counter({f"{method} {code}": int(float(count)) for code, method, count in SAMPLE.findall(told)})


def test_a_run_of_one_segment_costs_at_most_eight_requests(control_plane: ControlPlane, tmp_path: Path) -> None:
    own = f"t{uuid.uuid4().hex[:8]}"
    transport = Transport(from_kubeconfig(control_plane.kubeconfig))
    with (
        workspace(KubernetesStore(transport), own) as space,
        playing(transport, tmp_path, controller_id=own),
        controlling(control_plane, tmp_path, controller_id=own, watch_namespaces=own) as controller,
    ):
        space.apply_workflow("hello", "output = 1")
        space.wait_published("hello", "v1")
        space.wait_ended(space.start("hello"))
        before = requests(controller)
        for run in [space.start("hello") for _ in range(RUNS)]:
            assert space.wait_ended(run)["status"]["phase"] == "Succeeded"
        spent = requests(controller) - before
    transport.close()

    assert spent["POST 201"] >= 2 * RUNS, "a Job and a review of a token for each run are counted"
    assert spent.total() <= AT_MOST * RUNS, dict(spent)
