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


@dataclass(frozen=True, slots=True)
class Running:
    """A cluster that runs, with Sluice's kinds and policies on it."""

    plane: Plane
    kubectl: Cluster
    nodes: tuple[Node, ...] = ()
    network: Network | None = None
    """Of clusters with real nodes: how pods reach this machine, and the other way round."""
    dns: Process | None = None
    simulator: Process | None = None


def prepare(shape: Shape) -> None:
    """Make what is made once, which may take minutes; BuildError or MissingPackage with what to do."""
    if shape.nodes:
        debian.need_root("a real node")
        debian.need(*NEEDED)
    parts = {
        "kube-scheduler": shape.scheduler,
        "kwok": bool(shape.simulated),
        **dict.fromkeys(PROGRAMS, bool(shape.nodes)),
    }
    programs(*CONTROL_PLANE, *(part for part, wanted in parts.items() if wanted))
    if shape.nodes:
        sluice()


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
        dns = started(dns_server(plane, lan, kubectl)) if lan else None
        if janitor and lan:
            nodes = tuple(_node(plane, lan, index, janitor=janitor) for index in range(1, shape.nodes + 1))
            _boot(nodes, kubectl, parts)
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


def _node(plane: Plane, lan: Network, index: int, *, janitor: Janitor) -> Node:
    cgroup = f"sluice-{secrets.token_hex(4)}-{NODES[index - 1]}"
    janitor.remember(FOLDER, plane.folder / NODES[index - 1])
    janitor.remember(CGROUP, cgroup)
    return Node(plane, lan, index, cgroup=cgroup)


def _boot(nodes: tuple[Node, ...], kubectl: Cluster, parts: ExitStack) -> None:
    image = sluice()
    for node in nodes:
        parts.callback(node.kill)
        node.start()
        node.load(image)
    kubectl("wait", "--for=condition=Ready", f"--timeout={READY_S}s", *(f"node/{node.name}" for node in nodes))
