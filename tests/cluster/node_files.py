"""What the programs of a real node read: their settings, all of them pointing into the node's folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.control_plane import Plane
from tests.cluster.network import Network

PAUSE = "registry.k8s.io/pause:3.10.1"
CNI_PROGRAMS = "/usr/lib/cni"
CONTAINERD_ROOT, CONTAINERD_SOCKET = "containerd-root", "/run/containerd/containerd.sock"
SUSPICIOUS_S = 4
"""How long a node's sign of life is good for, where lost nodes are noticed within seconds."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a node keeps what; ``cgroup`` is the path of its own control group under each hierarchy."""

    folder: Path
    name: str
    cgroup: str

    @property
    def containerd(self) -> Path:
        """Settings of containerd."""
        return self.folder / "containerd.toml"

    @property
    def kubelet(self) -> Path:
        """Settings of the kubelet."""
        return self.folder / "kubelet.yaml"

    @property
    def network(self) -> Path:
        """Settings of the pods' network."""
        return self.folder / "cni"


def write_node_files(layout: Layout, plane: Plane, network: Network, index: int) -> None:
    """All of them; the folder is there."""
    layout.containerd.write_text(_containerd(layout))
    layout.kubelet.write_text(yaml.safe_dump(_kubelet(layout, plane, network)))
    layout.network.mkdir(exist_ok=True)
    (layout.network / "10-pods.conflist").write_text(json.dumps(_pods_network(network.pods(index))))
    (layout.folder / "resolv.conf").write_text("")  # pods ask the cluster's DNS server and nobody else


def _containerd(layout: Layout) -> str:
    plugin = '[plugins."io.containerd.'
    lines = [
        "version = 3",
        f'root = "{layout.folder / CONTAINERD_ROOT}"',
        'state = "/run/containerd"',
        "[grpc]",
        f'address = "{CONTAINERD_SOCKET}"',
        f'{plugin}cri.v1.images".pinned_images]',
        f'sandbox = "{PAUSE}"',
        f'{plugin}cri.v1.runtime"]',
        "restrict_oom_score_adj = true",  # where root may not lower it, no sandbox would start
        f'{plugin}cri.v1.runtime".cni]',
        f'bin_dirs = ["{CNI_PROGRAMS}"]',
        f'conf_dir = "{layout.network}"',
        f'{plugin}internal.v1.opt"]',
        f'path = "{layout.folder / "opt"}"',
        f'{plugin}nri.v1.nri"]',
        "disable = true",
    ]
    return "\n".join(lines) + "\n"


def _kubelet(layout: Layout, plane: Plane, network: Network) -> dict[str, Any]:
    config: dict[str, Any] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(plane.kubelet_client)},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{layout.cgroup}",
        "clusterDNS": [network.dns],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "enforceNodeAllocatable": [],
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "healthzBindAddress": "0.0.0.0",
        "imageGCHighThresholdPercent": 100,  # what was loaded can't be pulled again
        "localStorageCapacityIsolation": False,
        "resolvConf": str(layout.folder / "resolv.conf"),
        "volumePluginDir": str(layout.folder / "volume-plugins"),
    }
    if plane.options.node_loss_s:
        config["nodeLeaseDurationSeconds"] = SUSPICIOUS_S
        config["nodeStatusUpdateFrequency"] = "2s"
    return config


def _pods_network(pods: str) -> dict[str, Any]:
    addresses = {"type": "host-local", "ranges": [[{"subnet": pods}]], "routes": [{"dst": "0.0.0.0/0"}]}
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "ptp", "ipMasq": False, "ipam": addresses}]}
