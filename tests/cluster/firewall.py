"""What makes NetworkPolicies bind on a real node: kube-router, of which only the firewall runs, in the node's namespaces.

It writes rules for a pod once the API server tells the pod's address, so that a pod's first second is open. What it closes
it refuses at once, and what was connected before stays connected.
"""

from __future__ import annotations

import json

from tests.cluster.control_plane import FIREWALL, Plane
from tests.cluster.installation import Cluster
from tests.cluster.network import Network

NEEDED = ("/usr/sbin/iptables", "/usr/sbin/ipset")
"""What it runs, which comes with the operating system."""
CHAIN = "KUBE-ROUTER-FORWARD"
"""Where its rules for what pods send and get begin."""
READS = [
    {"apiGroups": [""], "resources": ["namespaces", "pods", "services", "nodes", "endpoints"]},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"]},
    {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"]},
]


def allow_firewall(cluster: Cluster) -> None:
    """Let it see what its rules are made of, and nothing else."""
    rbac = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": FIREWALL}}
    group = "rbac.authorization.k8s.io"
    role = {"apiGroup": group, "kind": "ClusterRole", "name": FIREWALL}
    manifests = [
        {**rbac, "kind": "ClusterRole", "rules": [{**rule, "verbs": ["get", "list", "watch"]} for rule in READS]},
        {
            **rbac,
            "kind": "ClusterRoleBinding",
            "roleRef": role,
            "subjects": [{"apiGroup": group, "kind": "User", "name": FIREWALL}],
        },
    ]
    cluster("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))


def firewall_options(plane: Plane, network: Network, node: str) -> list[str]:
    """Its flags on a node."""
    return [
        "--run-firewall=true",
        "--run-router=false",
        "--run-service-proxy=false",
        f"--kubeconfig={plane.login(FIREWALL)}",
        f"--hostname-override={node}",
        f"--service-cluster-ip-range={network.services}",
    ]
