"""A real node: containerd, a kubelet and kube-proxy in namespaces of their own, as another machine would have them.

Pods are real processes with real addresses (CNI ``ptp``: each pod hangs on a line of its own), and Services work by
kube-proxy's nftables rules. All processes, mounts, rules and interfaces end with the node's first process; its control
groups and files are the janitor's to remove. Root is needed.

NetworkPolicies bind only where the node is told so: then kube-router's firewall runs beside the other programs. Elsewhere
nothing enforces them, and a test can't learn from the node that a policy holds.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.cluster.archive import Image, write_archive
from tests.cluster.build import programs
from tests.cluster.control_plane import FIREWALL, NODES, Plane
from tests.cluster.firewall import CHAIN, firewall_options
from tests.cluster.image_store import copy_store, template_of
from tests.cluster.images import base, busybox, pause
from tests.cluster.inside import READY
from tests.cluster.janitor import ROOT, hierarchies
from tests.cluster.network import Network, ip
from tests.cluster.node_files import CONTAINERD_ROOT, CONTAINERD_SOCKET, Layout, write_node_files
from tests.cluster.processes import DIE_WITH_STARTER, Process, ProcessError, answers

PROGRAMS = ("containerd", "containerd-shim-runc-v2", "ctr", "kubelet", "kube-proxy", "coredns", "pause")
"""What a cluster with real nodes has beside a control plane."""
NEEDED = (
    *("/usr/sbin/runc", "/usr/lib/cni/ptp", "/usr/sbin/nft", "/usr/sbin/ip", "/usr/bin/nsenter"),
    "/usr/sbin/debootstrap",
)
"""What comes with the operating system."""
NAMESPACES = ("--pid", "--mount", "--net")
GONE_S = 30
KUBELET_STARTS = 5


class Node:
    """One node, which starts and ends as a machine does.

    ``containerd``, ``kubelet`` and ``proxy`` are its programs, each of which may crash alone; they are there after the
    first start. So is ``firewall``, where ``policies`` bind.
    """

    containerd: Process
    kubelet: Process
    proxy: Process
    firewall: Process

    def __init__(self, plane: Plane, network: Network, index: int, *, cgroup: str, policies: bool = False) -> None:
        self.name = NODES[index - 1]
        self.address = network.node(index)
        self.cgroup = cgroup
        self._plane, self._network, self._index = plane, network, index
        self._line = f"{network.bridge}-{index}"
        self._policies = policies
        self._built = programs(*PROGRAMS, *([FIREWALL] if policies else []))
        self._layout = Layout(plane.folder / self.name, self.name, cgroup)
        self._pid = 0
        self._entered: list[Process] = []
        folder = self._layout.folder
        folder.mkdir(exist_ok=True)
        write_node_files(self._layout, plane, network, index)
        first: list[str | Path] = [sys.executable, "-S", "-E", ROOT / "tests" / "cluster" / "inside.py", folder]
        self._machine = Process(
            ["unshare", *NAMESPACES, "--mount-proc", "--fork", "--kill-child", "--", *first],
            folder=plane.folder,
            name=self.name,
            ready=(folder / READY).exists,
        )

    def start(self) -> None:
        """Boot it and wait until it is well. One that ran before has its files and images still."""
        (self._layout.folder / READY).unlink(missing_ok=True)
        for hierarchy in hierarchies():
            (hierarchy / self._layout.cgroup).mkdir(exist_ok=True)
        self._machine.start()
        self._pid = _child(self._machine.pid)
        self._plug_in()
        self.containerd = self._program("containerd", f"--config={self._layout.containerd}", ready=self._has_containerd)
        self.kubelet = self._program("kubelet", *self._kubelet_options(), ready=self._is_well(10248))
        self.proxy = self._program("kube-proxy", *self._proxy_options(), ready=self._is_well(10256))
        self._start_containerd()
        self._start_kubelet()
        self.proxy.start()  # it looks for the node, which the kubelet makes
        if self._policies:
            options = firewall_options(self._plane, self._network, self.name)
            self.firewall = self._program(FIREWALL, *options, ready=self._has_firewall)
            self.firewall.start()

    def load(self, image: Image) -> None:
        """Give it an image, as a registry would; layers that it has are not moved again."""
        archive = self._layout.folder / "image.tar"
        write_archive(archive, image, known=frozenset(self._ctr("content", "list", "--quiet").split()))
        self._ctr("images", "import", str(archive))
        archive.unlink()

    def run(self, *command: str | Path) -> str:
        """What a command on the node says that must succeed; ProcessError otherwise."""
        words = [*self._enter(), *(str(word) for word in command)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ProcessError(f"{self.name}: {' '.join(map(str, command))}: {done.stderr}")
        return done.stdout

    def kill(self) -> None:
        """Cut its power: everything on it ends at once, and nobody is told. It can be started again."""
        self._machine.kill()
        while self._entered:
            self._entered.pop().kill()
        deadline = time.monotonic() + GONE_S
        while self._pid and Path(f"/proc/{self._pid}").exists():
            if time.monotonic() > deadline:
                raise ProcessError(f"{self.name}: its first process {self._pid} is still there after {GONE_S} s")
            time.sleep(0.02)
        self._pid = 0

    def disconnect(self) -> None:
        """Pull its cable: all goes on there, and nobody sees it."""
        ip("link", "set", self._line, "down")

    def connect(self) -> None:
        """Plug the cable in (again). This machine reaches pods by their node, and Services by the node that came last."""
        ip("link", "set", self._line, "up")
        for destination in (self._network.pods(self._index), self._network.services):
            ip("route", "replace", destination, "via", self.address)

    def _start_containerd(self) -> None:
        """With the images that every node has; the first node of this machine unpacks them for all that come after it."""
        store, images = self._layout.folder / CONTAINERD_ROOT, (pause(), busybox(), base())
        template = template_of(images)
        if template.exists() and not store.exists():
            copy_store(template, store)
        self.containerd.start()
        if not template.exists():
            for image in images:
                self.load(image)
            self.containerd.stop()
            copy_store(store, template)
            self.containerd.start()

    def _plug_in(self) -> None:
        ip("link", "add", self._line, "type", "veth", "peer", "name", "eth0", "netns", str(self._pid))
        ip("link", "set", self._line, "master", self._network.bridge)
        others = [number for number in range(1, len(NODES) + 1) if number != self._index]
        for words in (
            "link set lo up",
            f"address add {self.address}/24 dev eth0",
            "link set eth0 up",
            f"route add default via {self._network.host}",
            *(f"route add {self._network.pods(other)} via {self._network.node(other)}" for other in others),
        ):
            self.run("ip", *words.split())
        self.connect()

    def _kubelet_options(self) -> list[str]:
        return [
            f"--config={self._layout.kubelet}",
            f"--kubeconfig={self._plane.login(self.name)}",
            f"--hostname-override={self.name}",
            f"--node-ip={self.address}",
            f"--root-dir={self._layout.folder / 'kubelet'}",
            f"--cert-dir={self._layout.folder / 'certs'}",
        ]

    def _proxy_options(self) -> list[str]:
        return [
            "--proxy-mode=nftables",
            f"--kubeconfig={self._plane.login('kube-proxy')}",
            f"--hostname-override={self.name}",
            f"--cluster-cidr={self._network.all_pods}",
            "--conntrack-max-per-core=0",  # it is one number for the whole machine
            "--healthz-bind-address=0.0.0.0:10256",
        ]

    def _program(self, program: str, *options: str, ready: Callable[[], bool]) -> Process:
        process = _Inside(
            [*self._enter(), *DIE_WITH_STARTER, self._built[program], *options],
            folder=self._plane.folder,
            name=f"{self.name}-{program}",
            ready=ready,
        )
        self._entered.append(process)
        return process

    def _enter(self) -> list[str]:
        return ["nsenter", f"--target={self._pid}", *NAMESPACES, "--"]

    def _ctr(self, *words: str) -> str:
        return self.run(self._built["ctr"], "--address", CONTAINERD_SOCKET, "--namespace", "k8s.io", *words)

    def _start_kubelet(self) -> None:
        """As an init system does, more than once: containerd answers before it takes pods, and a kubelet then ends."""
        for _ in range(KUBELET_STARTS - 1):
            try:
                self.kubelet.start()
            except ProcessError:
                time.sleep(1)
            else:
                return
        self.kubelet.start()

    def _has_containerd(self) -> bool:
        try:
            return bool(self._ctr("version"))
        except ProcessError:
            return False

    def _has_firewall(self) -> bool:
        try:
            return bool(self.run("iptables", "--list-rules", CHAIN))
        except ProcessError:
            return False

    def _is_well(self, port: int) -> Callable[[], bool]:
        return lambda: answers(f"http://{self.address}:{port}/healthz")


class _Inside(Process):
    """A program on a node. What was started is only who brings it in there and waits for it; signals are for itself."""

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.kill(_child(self.pid), number)
        except (OSError, IndexError):
            super()._signal(number)  # it has not come in yet, or is about to end


def _child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0])
