"""Names of Services resolve: CoreDNS runs beside the control plane, and the Service ``kube-dns`` leads pods to it.

It answers for ``cluster.local`` and for nothing else: a pod of a test cluster has nobody to ask about the rest of the world.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cluster.build import program
from tests.cluster.control_plane import Plane
from tests.cluster.installation import Cluster
from tests.cluster.kubeconfigs import write_account_kubeconfig
from tests.cluster.network import Network
from tests.cluster.processes import Process, answers, free_port

SYSTEM = "kube-system"
ACCOUNT, SERVICE = "coredns", "kube-dns"
COREFILE = """\
.:{port} {{
    bind {address}
    errors
    ready {address}:{health}
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {kubeconfig}
        ttl 5
    }}
}}
"""
READS = [
    {"apiGroups": [""], "resources": ["services", "namespaces", "pods"], "verbs": ["list", "watch"]},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
]


def dns_server(plane: Plane, network: Network, cluster: Cluster) -> Process:
    """CoreDNS, not started yet, with an account of its own and the Service in front of it."""
    port, health = free_port(network.host), free_port(network.host)
    manifests = [*_account(), *_service(network, port)]
    cluster("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))
    kubeconfig, corefile = plane.folder / "coredns.kubeconfig", plane.folder / "Corefile"
    write_account_kubeconfig(kubeconfig, cluster, SYSTEM, ACCOUNT)
    corefile.write_text(COREFILE.format(port=port, address=network.host, health=health, kubeconfig=kubeconfig))
    command: list[str | Path] = [program("coredns"), "-conf", corefile]
    return Process(command, folder=plane.folder, ready=lambda: answers(f"http://{network.host}:{health}/ready"))


def _account() -> list[dict[str, Any]]:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ACCOUNT}
    rbac = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": ACCOUNT}}
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": SYSTEM}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": SYSTEM}},
        {**rbac, "kind": "ClusterRole", "rules": READS},
        {**rbac, "kind": "ClusterRoleBinding", "roleRef": role, "subjects": [subject]},
    ]


def _service(network: Network, port: int) -> list[dict[str, Any]]:
    ports = [{"name": f"dns-{protocol.lower()}", "port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]
    labels = {"k8s-app": SERVICE, "kubernetes.io/service-name": SERVICE}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": SERVICE, "namespace": SYSTEM, "labels": labels},
            "spec": {"clusterIP": network.dns, "ports": ports},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": SERVICE, "namespace": SYSTEM, "labels": labels},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [network.host]}],
            "ports": [{**one, "port": port} for one in ports],
        },
    ]
