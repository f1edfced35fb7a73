"""What the runners of an environment may reach: names, the controller, public addresses, and what the environment names.

It binds where the cluster enforces NetworkPolicies; not every cluster does.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Final
from urllib.parse import urlsplit

from sluice.domain.launching.names import (
    CONTROLLER_LABEL,
    ENVIRONMENT_LABEL,
    LAUNCHED_FROM_LABEL,
    MANAGED_BY_LABEL,
    MANAGER,
    NAME_LABEL,
    RUNNER,
    WORKSPACE_LABEL,
)
from sluice.domain.launching.placement import Egress, Placement
from sluice.domain.launching.pods import Installation, Manifest

CONTROLLER_NAME: Final = "sluice-controller"
"""What the controller's pods are called in the label ``app.kubernetes.io/name``."""
DNS_PORT: Final = 53
"""Whoever answers there is asked for names: pods of a Service, a cache on the node's own network, a cloud's resolver."""
OPENSHIFT_DNS: Final = ("openshift-dns", 5353)
"""A policy sees the port of a pod, not its Service's; this is where OpenShift's pods listen for names."""

NOT_PUBLIC: Final = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",  # Azure's platform answers here, and tells what pods must not know
    "169.254.0.0/16",  # clouds tell their machines' credentials here
    "172.16.0.0/12",
    "192.0.0.0/24",  # Oracle's cloud answers here too
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
)
"""Ranges of machines, clusters and links, which are reached by name only."""
NOT_PUBLIC_V6: Final = ("::1/128", "fc00::/7", "fe80::/10", "ff00::/8")


def policy_name(placement: Placement) -> str:
    """The name of the environment's policy, which no other workspace's has in the same namespace."""
    name = f"{RUNNER}-{placement.environment}"
    return name if placement.is_at_home else f"{name}.{placement.workspace}"


def network_policy_of(placement: Placement, installation: Installation) -> Manifest:
    """The NetworkPolicy of an environment's pods: nothing comes in, and what goes out is listed.

    Nobody owns it: it must outlive its environment for as long as runs that began there go on. A sweep removes it then.
    """
    ours = {
        MANAGED_BY_LABEL: MANAGER,
        WORKSPACE_LABEL: placement.workspace,
        ENVIRONMENT_LABEL: placement.environment,
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": policy_name(placement),
            "namespace": placement.namespace,
            "labels": {
                **ours,
                CONTROLLER_LABEL: installation.controller_id,
                LAUNCHED_FROM_LABEL: installation.cluster,
            },
        },
        "spec": {
            "podSelector": {"matchLabels": ours},
            "policyTypes": ["Ingress", "Egress"],
            "egress": [
                *_dns(),
                *_controller(placement, installation),
                {"to": [_block("0.0.0.0/0", NOT_PUBLIC), _block("::/0", NOT_PUBLIC_V6)]},
                *(_named(rule) for rule in placement.egress),
            ],
        },
    }


def _dns() -> list[Manifest]:
    namespace, port = OPENSHIFT_DNS
    by_anybody = {"ports": _ports((DNS_PORT,), ("UDP", "TCP"))}
    return [by_anybody, {"to": [_namespace(namespace)], "ports": _ports((port,), ("UDP", "TCP"))}]


def _controller(placement: Placement, installation: Installation) -> list[Manifest]:
    """Its pods; from another cluster its address, unless that is a name: then it is public, or named by the environment."""
    if placement.cluster is None:
        pods = {**_namespace(installation.namespace), "podSelector": {"matchLabels": {NAME_LABEL: CONTROLLER_NAME}}}
        return [{"to": [pods], "ports": _ports((installation.port,), ("TCP",))}]
    address = urlsplit(placement.cluster.runner_url)
    try:
        host = ipaddress.ip_network(address.hostname or "")
    except ValueError:
        return []
    return [{"to": [_block(str(host))], "ports": _ports((address.port or 443,), ("TCP",))}]


def _named(rule: Egress) -> Manifest:
    named: Manifest = {"to": [_block(rule.cidr)]}
    if rule.ports:
        named["ports"] = _ports(rule.ports, ("TCP", "UDP"))
    return named


def _namespace(name: str) -> Manifest:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _block(cidr: str, but: tuple[str, ...] = ()) -> Manifest:
    block: dict[str, Any] = {"cidr": cidr}
    if but:
        block["except"] = list(but)
    return {"ipBlock": block}


def _ports(ports: tuple[int, ...], protocols: tuple[str, ...]) -> list[Manifest]:
    return [{"protocol": protocol, "port": port} for port in ports for protocol in protocols]
