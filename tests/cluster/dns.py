"""Names of Services resolve: CoreDNS runs beside the control plane or in a pod, and the Service ``kube-dns`` leads to it.

It answers for ``cluster.local`` and for nothing else: a pod of a test cluster has nobody to ask about the rest of the world.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cluster.build import program
from tests.cluster.control_plane import Plane
from tests.cluster.images import COREDNS
from tests.cluster.installation import Cluster
from tests.cluster.kubeconfigs import write_account_kubeconfig
from tests.cluster.network import Network
from tests.cluster.processes import Process, answers, free_port

SYSTEM = "kube-system"
ACCOUNT, SERVICE = "coredns", "kube-dns"
LABELS = {"k8s-app": SERVICE}
PORTS = [{"name": f"dns-{protocol.lower()}", "port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]
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
COREFILE_OF_POD = """\
.:53 {
    errors
    ready
    kubernetes cluster.local in-addr.arpa {
        ttl 5
    }
}
"""
READY_PORT = 8181
"""Where CoreDNS tells so, unless told another."""
READY_S = 60
READS = [
    {"apiGroups": [""], "resources": ["services", "namespaces", "pods"], "verbs": ["list", "watch"]},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
]


def dns_server(plane: Plane, network: Network, cluster: Cluster) -> Process:
    """CoreDNS, not started yet, with an account of its own and the Service in front of it."""
    port, health = free_port(network.host), free_port(network.host)
    _apply(cluster, *_account(), _service(network), _endpoints(network, port))
    kubeconfig, corefile = plane.folder / "coredns.kubeconfig", plane.folder / "Corefile"
    write_account_kubeconfig(kubeconfig, cluster, SYSTEM, ACCOUNT)
    corefile.write_text(COREFILE.format(port=port, address=network.host, health=health, kubeconfig=kubeconfig))
    command: list[str | Path] = [program("coredns"), "-conf", corefile]
    return Process(command, folder=plane.folder, ready=lambda: answers(f"http://{network.host}:{health}/ready"))


def serve_dns(network: Network, cluster: Cluster) -> None:
    """CoreDNS in a pod, as clusters have it: policies let others ask the pods of its namespace. It answers on return."""
    settings = {"metadata": {"name": ACCOUNT, "namespace": SYSTEM}, "data": {"Corefile": COREFILE_OF_POD}}
    service = _service(network)
    service["spec"]["selector"] = LABELS
    _apply(cluster, *_account(), {"apiVersion": "v1", "kind": "ConfigMap", **settings}, _pod(), service)
    cluster("wait", "--for=condition=Ready", f"--timeout={READY_S}s", f"--namespace={SYSTEM}", f"pod/{ACCOUNT}")


def _apply(cluster: Cluster, *manifests: dict[str, Any]) -> None:
    cluster("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))


def _account() -> list[dict[str, Any]]:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ACCOUNT}
    rbac = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": ACCOUNT}}
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": SYSTEM}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": SYSTEM}},
        {**rbac, "kind": "ClusterRole", "rules": READS},
        {**rbac, "kind": "ClusterRoleBinding", "roleRef": role, "subjects": [subject]},
    ]


def _pod() -> dict[str, Any]:
    container = {
        "name": ACCOUNT,
        "image": COREDNS,
        "imagePullPolicy": "Never",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "volumeMounts": [{"name": "settings", "mountPath": "/etc/coredns"}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": READY_PORT}, "periodSeconds": 1},
    }
    spec = {
        "serviceAccountName": ACCOUNT,
        "dnsPolicy": "Default",
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
        "volumes": [{"name": "settings", "configMap": {"name": ACCOUNT}}],
    }
    metadata = {"name": ACCOUNT, "namespace": SYSTEM, "labels": LABELS}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _service(network: Network) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": SERVICE, "namespace": SYSTEM, "labels": LABELS},
        "spec": {"clusterIP": network.dns, "ports": PORTS},
    }


def _endpoints(network: Network, port: int) -> dict[str, Any]:
    """Of the Service, where no pod is behind it."""
    labels = {**LABELS, "kubernetes.io/service-name": SERVICE}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": SERVICE, "namespace": SYSTEM, "labels": labels},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [network.host]}],
        "ports": [{**one, "port": port} for one in PORTS],
    }
