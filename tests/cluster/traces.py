"""What of a real node is still on this machine, to see that a take-down left nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from tests.cluster.janitor import hierarchies
from tests.cluster.network import Network, ip

SHARED = tuple(
    Path(path)
    for path in (
        *("/run/containerd", "/run/netns", "/run/flannel", "/opt/containerd", "/opt/nri"),
        *("/var/lib/cni", "/var/lib/containerd", "/var/lib/kubelet", "/var/log/pods", "/var/log/containers"),
    )
)
"""Where a container runtime and a kubelet of this machine's own would keep things."""


class Named(Protocol):
    """A node, or what somebody knows of one that another process has."""

    name: str
    cgroup: str


def traces_of(folder: Path, network: Network | None, nodes: Iterable[Named]) -> list[str]:
    """Processes and mounts that name the folder, its nodes' files and control groups, and the bridge with its routes."""
    found = [*_processes(folder), *_mounts(folder)]
    for node in nodes:
        found += [str(path) for path in (folder / node.name,) if path.exists()]
        found += [str(group) for one in hierarchies() if (group := one / node.cgroup).exists()]
    if network:
        found += [line for line in ip("-oneline", "link").splitlines() if f" {network.bridge}" in line]
        found += [line for line in ip("route").splitlines() if line.startswith(f"10.{network.number}.")]
    return found


def shared_folders() -> set[Path]:
    """Those of SHARED that are there; the same ones before and after."""
    return {path for path in SHARED if path.exists()}


def _processes(folder: Path) -> Iterator[str]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue  # it ended meanwhile
            if str(folder).encode() in command:
                yield command.replace(b"\0", b" ").decode(errors="replace")


def _mounts(folder: Path) -> Iterator[str]:
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        if str(folder) in line:
            yield line
