"""What goes wrong with real nodes and the pods on them."""

from __future__ import annotations

import contextlib
from typing import Final

from sluice.adapters.kubernetes.launching.workloads import POD
from sluice.ports.errors import PortError
from tests.cluster.faults.disturbances import RUNS, Disturbance, End, delete_one, part_runners
from tests.cluster.faults.site import Site
from tests.cluster.installation import Cluster
from tests.cluster.node import Node
from tests.cluster.processes import ProcessError

MACHINES: Final = "machines"
RUNNER: Final = "sluice.runner.pod"


def _node(site: Site) -> Node:
    """One that has a pod of ours, if any has."""
    with contextlib.suppress(PortError):
        names = {pod["spec"].get("nodeName") for pod in site.space.pods()}
        there = [node for node in site.ground.nodes if node.name in names]
        if there:
            return site.dice.choice(there)
    return site.dice.choice(site.ground.nodes)


def _kubectl(site: Site) -> Cluster:
    assert site.ground.kubectl is not None
    return site.ground.kubectl


def _force_delete(site: Site) -> End:
    """Off the server at once, while it still runs on its node."""
    with contextlib.suppress(PortError):
        pods = site.space.pods()
        if pods:
            chosen = site.dice.choice(pods)["metadata"]["name"]
            site.say(f"pod {chosen} is deleted by force")
            _kubectl(site)(
                "delete",
                "pod",
                chosen,
                f"--namespace={site.space.namespace}",
                "--force",
                "--grace-period=0",
                "--ignore-not-found",
            )
    return _nothing


def _kill_container(site: Site) -> End:
    """The first process of a runner's container, by its number on the node."""
    node = _node(site)
    with contextlib.suppress(ProcessError):
        pids = node.run("pgrep", "--oldest", "-f", RUNNER).split()
        site.say(f"process {pids[0]} on {node.name} is killed")
        node.run("kill", "-KILL", pids[0])
    return _nothing


def _stop_kubelet(site: Site) -> End:
    node = _node(site)
    node.kubelet.stop()
    return node.kubelet.start


def _crash_containerd(site: Site) -> End:
    node = _node(site)
    node.containerd.kill()
    return node.containerd.start


def _drain(site: Site) -> End:
    """By evictions, as an upgrade of a cluster does; its pods go, and come back elsewhere."""
    node, kubectl = _node(site), _kubectl(site)
    said = kubectl.run("drain", node.name, "--ignore-daemonsets", "--force", "--delete-emptydir-data", "--timeout=20s")
    site.say(f"{node.name} is drained: {(said.stderr or said.stdout).strip()[-200:]}")
    return lambda: kubectl("uncordon", node.name) and None


def _delete_node(site: Site) -> End:
    """As if it would never come back, and then it does: a kubelet makes its node when it begins."""
    node, kubectl = _node(site), _kubectl(site)
    node.kubelet.stop()
    kubectl("delete", "node", node.name, "--wait=false")
    return node.kubelet.start


def _pull_cable(site: Site) -> End:
    node = _node(site)
    node.disconnect()
    return node.connect


def _cut_power(site: Site) -> End:
    node = _node(site)
    node.kill()
    return node.start


def _nothing() -> None:
    return


NODE_DISTURBANCES: Final = (
    Disturbance("a pod is deleted with grace", RUNS, delete_one(POD)),
    Disturbance("a pod is deleted by force", RUNS, _force_delete),
    Disturbance("a container is killed", RUNS, _kill_container),
    Disturbance("a kubelet stands still for a minute", MACHINES, _stop_kubelet, (50, 60)),
    Disturbance("a node is drained", MACHINES, _drain, (5, 10)),
    Disturbance("a node is deleted", MACHINES, _delete_node, (5, 15)),
    Disturbance("containerd crashes", MACHINES, _crash_containerd, (1, 5)),
    Disturbance("a node's cable is out for a minute", MACHINES, _pull_cable, (50, 60)),
    Disturbance("a node loses its power", MACHINES, _cut_power, (2, 30)),
    Disturbance("runners reach no controller for a minute", RUNS, part_runners, (55, 60)),
)
