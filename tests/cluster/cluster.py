"""A test cluster of the shape that a test needs: a control plane, with real nodes, simulated ones, both or none."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import debian, firewall, network
from tests.cluster.archive import Image
from tests.cluster.build import program, programs
from tests.cluster.control_plane import FIREWALL, NODES, Options, Plane, running
from tests.cluster.dns import dns_server, serve_dns
from tests.cluster.families import CONTROL_PLANE
from tests.cluster.images import coredns, sluice
from tests.cluster.installation import Cluster, install
from tests.cluster.janitor import BRIDGE, CGROUP, FOLDER, Janitor
from tests.cluster.network import Network
from tests.cluster.node import NEEDED, PROGRAMS, Node
from tests.cluster.processes import Process
from tests.cluster.simulated import add_nodes, kwok_of

READY_S = 180


@dataclass(frozen=True, slots=True)
class Shape:
    """What there is of each."""

    scheduler: bool = True
    """Without one no pod gets a node."""
    nodes: int = 0
    """Real nodes, up to 4; root is needed for them."""
    simulated: int = 0
    """Simulated nodes. Beside real ones they take only pods that tolerate it."""
    node_loss_s: int = 0
    """See Options of the control plane."""
    policies: bool = False
    """Whether NetworkPolicies bind on real nodes. Names are then resolved by a pod, as policies expect it."""


@dataclass(frozen=True, slots=True)
class Running:
    """A cluster that runs, with Sluice's kinds and policies on it."""

    plane: Plane
    kubectl: Cluster
    nodes: tuple[Node, ...] = ()
    network: Network | None = None
    """Of clusters with real nodes: how pods reach this machine, and the other way round."""
    dns: Process | None = None
    """What resolves names, where that is no pod."""
    simulator: Process | None = None


def prepare(shape: Shape) -> None:
    """Make what is made once, which may take minutes; BuildError or MissingPackage with what to do."""
    if shape.nodes:
        debian.need_root("a real node")
        debian.need(*NEEDED, *(firewall.NEEDED if shape.policies else ()))
    parts = {
        "kube-scheduler": shape.scheduler,
        "kwok": bool(shape.simulated),
        FIREWALL: shape.policies,
        **dict.fromkeys(PROGRAMS, bool(shape.nodes)),
    }
    programs(*CONTROL_PLANE, *(part for part, wanted in parts.items() if wanted))
    if shape.nodes:
        _images(shape)


@contextmanager
def cluster(folder: Path, shape: Shape) -> Iterator[Running]:
    """It is ready when the block begins, and gone without a trace after it, but for data and logs in ``folder``."""
    prepare(shape)
    with ExitStack() as parts:
        janitor, lan = _lan(parts) if shape.nodes else (None, None)
        place = {"address": lan.host, "services": lan.services} if lan else {}
        options = Options(**place, scheduler=shape.scheduler, node_loss_s=shape.node_loss_s)
        plane = parts.enter_context(running(folder, options))
        kubectl = Cluster(program("kubectl"), plane.kubeconfig)
        install(kubectl)

        def started(process: Process) -> Process:
            parts.callback(process.stop)
            process.start()
            return process

        nodes: tuple[Node, ...] = ()
        dns = started(dns_server(plane, lan, kubectl)) if lan and not shape.policies else None
        if janitor and lan:
            if shape.policies:
                firewall.allow_firewall(kubectl)
            nodes = tuple(_node(plane, lan, index, janitor=janitor, shape=shape) for index in range(1, shape.nodes + 1))
            _boot(nodes, kubectl, parts, shape=shape)
            if shape.policies:
                serve_dns(lan, kubectl)
        simulating = started(kwok_of(plane)) if shape.simulated else None
        if simulating:
            add_nodes(kubectl, shape.simulated, tainted=bool(nodes))
        yield Running(plane, kubectl, nodes, lan, dns, simulating)


def _lan(parts: ExitStack) -> tuple[Janitor, Network]:
    """The bridge that real nodes will hang on, and who removes it and what they leave."""
    janitor = parts.enter_context(Janitor())
    lan = network.create()
    janitor.remember(BRIDGE, lan.bridge)
    return janitor, lan


def _node(plane: Plane, lan: Network, index: int, *, janitor: Janitor, shape: Shape) -> Node:
    cgroup = f"sluice-{secrets.token_hex(4)}-{NODES[index - 1]}"
    janitor.remember(FOLDER, plane.folder / NODES[index - 1])
    janitor.remember(CGROUP, cgroup)
    return Node(plane, lan, index, cgroup=cgroup, policies=shape.policies)


def _images(shape: Shape) -> tuple[Image, ...]:
    """What each node has beside what all nodes have."""
    return (sluice(), coredns()) if shape.policies else (sluice(),)


def _boot(nodes: tuple[Node, ...], kubectl: Cluster, parts: ExitStack, *, shape: Shape) -> None:
    images = _images(shape)
    for node in nodes:
        parts.callback(node.kill)
        node.start()
        for image in images:
            node.load(image)
    kubectl("wait", "--for=condition=Ready", f"--timeout={READY_S}s", *(f"node/{node.name}" for node in nodes))
