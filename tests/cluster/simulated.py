"""Simulated nodes, for scale: kwok has pods run that no machine runs, as many as a test needs.

Somebody plays them: another process does what the pod's program would do, and tells how it ended; by the annotation
PLAYED, or by writing the pod's status itself. A pod that nobody says anything about runs until it is deleted. What else
can be said is in ``stages.yaml``. The control plane needs a scheduler, which binds pods to these nodes as to any.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.cluster.build import program
from tests.cluster.control_plane import LOOPBACK, Plane
from tests.cluster.installation import Cluster
from tests.cluster.processes import Process, answers, free_port

STAGES: Final = Path(__file__).with_name("stages.yaml")
MARK: Final = "kwok.x-k8s.io/node"
PLAYED, DONE, FAILED = "sluice.dev/played", "done", "failed"
PLAYED_CODE, PLAYED_REASON = "sluice.dev/played-code", "sluice.dev/played-reason"
SIMULATED = "sluice.dev/simulated"
"""Label of every simulated node; and a taint where there are real ones too, so that pods go there only if they tolerate it."""
PODS = "10.64.0.1/12"
"""Addresses that pods show. Nothing can be reached there."""
LEASE_S = 4
"""How long a node's sign of life is good for, where lost nodes are noticed; it is given four times in that time."""
READY_S: Final = 180


@contextmanager
def simulated(plane: Plane, count: int = 1) -> Iterator[Process]:
    """So many nodes, ready, for the block; and the kwok that plays them. Real nodes are left alone."""
    kwok = kwok_of(plane)
    kwok.start()
    try:
        add_nodes(Cluster(program("kubectl"), plane.kubeconfig), count)
        yield kwok
    finally:
        kwok.stop()


def kwok_of(plane: Plane) -> Process:
    """What plays the nodes, not started yet. Stopped, it is as if all of them were lost."""
    port = free_port()
    command: list[str | Path] = [
        program("kwok"),
        f"--kubeconfig={plane.kubeconfig}",
        f"--config={STAGES}",
        "--manage-all-nodes=false",
        f"--manage-nodes-with-annotation-selector={MARK}=fake",
        f"--node-lease-duration-seconds={LEASE_S if plane.options.node_loss_s else 0}",
        f"--cidr={PODS}",
        f"--server-address={LOOPBACK}:{port}",
        "--v=WARN",
    ]
    return Process(command, folder=plane.folder, ready=lambda: answers(f"http://{LOOPBACK}:{port}/healthz"))


def add_nodes(cluster: Cluster, count: int, *, tainted: bool = False) -> None:
    """So many simulated nodes, ready when it returns."""
    nodes = [node(f"simulated-{number}", tainted=tainted) for number in range(1, count + 1)]
    cluster("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": nodes}))
    cluster("wait", "--for=condition=Ready", f"--timeout={READY_S}s", "node", f"--selector={SIMULATED}=true")


def node(name: str, *, tainted: bool = False) -> dict[str, Any]:
    """A Node that kwok plays."""
    labels = {SIMULATED: "true", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
    taint = {"key": SIMULATED, "value": "true", "effect": "NoSchedule"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {MARK: "fake"}},
        "spec": {"taints": [taint]} if tainted else {},
    }
