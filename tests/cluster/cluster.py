"""A test cluster of the shape that a test needs: a control plane, with real nodes, simulated ones, both or none."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import debian, network
from tests.cluster.build import program, programs
from tests.cluster.control_plane import NODES, Options, Plane, running
from tests.cluster.dns import dns_server
from tests.cluster.families import CONTROL_PLANE
from tests.cluster.images import sluice
from tests.cluster.installation import Cluster, install
from tests.cluster.janitor import BRIDGE, CGROUP, FOLDER, Janitor
from tests.cluster.network import Network
from tests.cluster.node import NEEDED, PROGRAMS, Node
from tests.cluster.processes import Process

READY_S = 60


@dataclass(frozen=True, slots=True)
class Shape:
    """What there is of each."""

    nodes: int = 0
    """Real nodes, up to 4; root is needed for them."""
    node_loss_s: int = 0
    """See Options of the control plane."""


@dataclass(frozen=True, slots=True)
class Running:
    """A cluster that runs, with Sluice's kinds and policies on it."""

    plane: Plane
    kubectl: Cluster
    nodes: tuple[Node, ...] = ()
    network: Network | None = None
    """Of clusters with real nodes: how pods reach this machine, and the other way round."""
    dns: Process | None = None


@contextmanager
def cluster(folder: Path, shape: Shape) -> Iterator[Running]:
    """It is ready when the block begins, and gone without a trace after it, but for data and logs in ``folder``."""
    programs(*CONTROL_PLANE, "kube-scheduler", *(PROGRAMS if shape.nodes else ()))
    with ExitStack() as parts:
        if not shape.nodes:
            options = Options(scheduler=True, node_loss_s=shape.node_loss_s)
            plane = parts.enter_context(running(folder, options))
            kubectl = Cluster(program("kubectl"), plane.kubeconfig)
            install(kubectl)
            yield Running(plane, kubectl)
            return
        debian.need_root("a real node")
        debian.need(*NEEDED)
        janitor = parts.enter_context(Janitor())
        hangs_on = network.create()
        janitor.remember(BRIDGE, hangs_on.bridge)
        options = Options(hangs_on.host, hangs_on.services, scheduler=True, node_loss_s=shape.node_loss_s)
        plane = parts.enter_context(running(folder, options))
        kubectl = Cluster(program("kubectl"), plane.kubeconfig)
        install(kubectl)
        dns = dns_server(plane, hangs_on, kubectl)
        parts.callback(dns.stop)
        dns.start()
        nodes = tuple(_node(plane, hangs_on, index, janitor) for index in range(1, shape.nodes + 1))
        for node in nodes:
            parts.callback(node.kill)
            node.start()
            node.load(sluice())
        kubectl("wait", "--for=condition=Ready", f"--timeout={READY_S}s", *(f"node/{node.name}" for node in nodes))
        yield Running(plane, kubectl, nodes, hangs_on, dns)


def _node(plane: Plane, hangs_on: Network, index: int, janitor: Janitor) -> Node:
    cgroup = f"sluice-{secrets.token_hex(4)}-{NODES[index - 1]}"
    janitor.remember(FOLDER, plane.folder / NODES[index - 1])
    janitor.remember(CGROUP, cgroup)
    return Node(plane, hangs_on, index, cgroup=cgroup)
