"""Simulated nodes, for scale: pods get a node and run at once, but nothing runs in them.

Somebody plays them: another process does what the pod's program would do, and says by the annotation PLAYED how it
ended. A pod that nobody says anything about runs until it is deleted. What else can be said is in ``stages.yaml``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cluster.build import program
from tests.cluster.control_plane import Plane
from tests.cluster.installation import Cluster
from tests.cluster.processes import Process

STAGES = Path(__file__).with_name("stages.yaml")
MARK = "kwok.x-k8s.io/node=fake"
PLAYED, DONE, FAILED = "sluice.dev/played", "done", "failed"
PLAYED_CODE, PLAYED_REASON = "sluice.dev/played-code", "sluice.dev/played-reason"
SIMULATED = "sluice.dev/simulated"
"""Label of every simulated node; and a taint where there are real ones too, so that pods go there only if they tolerate it."""
PODS = "10.64.0.1/12"
"""Addresses that pods show. Nothing can be reached there."""
LEASE_S = 4
"""How long a node's sign of life is good for, where lost nodes are noticed; it is given four times in that time."""


def simulator(plane: Plane) -> Process:
    """What plays the nodes, not started yet. Stopped, it is as if all of them were lost."""
    key, _, value = MARK.partition("=")
    command: list[str | Path] = [
        program("kwok"),
        f"--kubeconfig={plane.kubeconfig}",
        f"--config={STAGES}",
        "--manage-all-nodes=false",
        f"--manage-nodes-with-annotation-selector={key}={value}",
        f"--node-lease-duration-seconds={LEASE_S if plane.options.node_loss_s else 0}",
        f"--cidr={PODS}",
        "--v=WARN",
    ]
    return Process(command, folder=plane.folder)


def add_nodes(cluster: Cluster, count: int, *, tainted: bool) -> None:
    """So many simulated nodes, ready when it returns."""
    nodes = [_node(f"simulated-{number}", tainted=tainted) for number in range(1, count + 1)]
    cluster("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": nodes}))
    cluster("wait", "--for=condition=Ready", "--timeout=60s", "node", f"--selector={SIMULATED}=true")


def _node(name: str, *, tainted: bool) -> dict[str, Any]:
    key, _, value = MARK.partition("=")
    labels = {SIMULATED: "true", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
    taint = {"key": SIMULATED, "value": "true", "effect": "NoSchedule"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {key: value}},
        "spec": {"taints": [taint]} if tainted else {},
    }
