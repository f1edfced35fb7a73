"""What an environment's pods may reach."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from sluice.domain.launching.names import labels_of
from sluice.domain.launching.network import network_policy_of, policy_name
from tests.domain.launching.builders import INSTALLATION, placement, segment

Obj = dict[str, Any]


def policy(**spec: Any) -> Obj:
    return network_policy_of(placement(**spec), INSTALLATION)


def allowed(made: Obj, address: str) -> list[Obj]:
    """The rules by which an address may be reached, but for names, which anybody may be asked."""
    host = ipaddress.ip_address(address)
    return [
        rule
        for rule in made["spec"]["egress"]
        for peer in rule.get("to", ())
        if "ipBlock" in peer
        and host in ipaddress.ip_network(peer["ipBlock"]["cidr"])
        and not any(host in ipaddress.ip_network(but) for but in peer["ipBlock"].get("except", ()))
    ]


def test_it_is_about_the_pods_of_the_environment_and_lets_nothing_in() -> None:
    made = policy()
    spec, metadata = made["spec"], made["metadata"]
    assert (metadata["name"], metadata["namespace"]) == ("sluice-runner-production", "support")
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in spec
    assert "ownerReferences" not in metadata
    chosen = spec["podSelector"]["matchLabels"]
    assert chosen.items() <= labels_of(segment(), "sluice-system").items()
    assert chosen.keys() == {"app.kubernetes.io/managed-by", "sluice.dev/workspace", "sluice.dev/environment"}


def test_names_and_the_controller_can_be_reached() -> None:
    anybody, openshift, controller = policy()["spec"]["egress"][:3]
    assert anybody == {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}
    assert openshift == {
        "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}}}],
        "ports": [{"protocol": "UDP", "port": 5353}, {"protocol": "TCP", "port": 5353}],
    }
    assert controller == {
        "to": [
            {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "sluice-system"}},
                "podSelector": {"matchLabels": {"app.kubernetes.io/name": "sluice-controller"}},
            }
        ],
        "ports": [{"protocol": "TCP", "port": 8443}],
    }


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "172.32.0.1", "2606:4700::1111"])
def test_public_addresses_can_be_reached(address: str) -> None:
    assert len(allowed(policy(), address)) == 1


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "169.254.169.254",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "fd00:ec2::254",
        "fe80::1",
        "ff02::1",
    ],
)
def test_clusters_links_and_clouds_metadata_can_not(address: str) -> None:
    assert allowed(policy(), address) == []


def test_what_the_environment_names_can_be_reached_at_the_ports_that_it_names() -> None:
    made = policy(egress=[{"cidr": "10.20.0.0/16", "ports": [5432, 53]}, {"cidr": "fd00::/8"}])
    (database,) = allowed(made, "10.20.3.4")
    assert database["ports"] == [
        {"protocol": "TCP", "port": 5432},
        {"protocol": "UDP", "port": 5432},
        {"protocol": "TCP", "port": 53},
        {"protocol": "UDP", "port": 53},
    ]
    (all_ports,) = allowed(made, "fd00::1")
    assert "ports" not in all_ports
    assert allowed(made, "10.21.0.1") == []


@pytest.mark.parametrize(
    ("url", "block", "port"),
    [
        ("https://10.1.2.3:9443", "10.1.2.3/32", 9443),
        ("https://10.1.2.3", "10.1.2.3/32", 443),
        ("https://[fd00::7]:8443", "fd00::7/128", 8443),
    ],
)
def test_from_another_cluster_the_controller_is_reached_by_its_address(url: str, block: str, port: int) -> None:
    egress = policy(cluster={"kubeconfigSecret": "far", "runnerUrl": url})["spec"]["egress"]
    assert egress[2] == {"to": [{"ipBlock": {"cidr": block}}], "ports": [{"protocol": "TCP", "port": port}]}
    assert "podSelector" not in str(egress)


def test_a_controller_with_a_public_name_needs_no_rule_of_its_own() -> None:
    far = {"kubeconfigSecret": "far", "runnerUrl": "https://sluice.example.com:8443"}
    assert len(policy(cluster=far)["spec"]["egress"]) == 3


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ({}, "sluice-runner-production"),
        ({"namespace": "prod"}, "sluice-runner-production.support"),
        ({"cluster": {"kubeconfigSecret": "far"}}, "sluice-runner-production.support"),
    ],
)
def test_two_workspaces_in_one_namespace_have_policies_of_their_own(spec: Obj, name: str) -> None:
    assert policy_name(placement(**spec)) == name
    assert policy(**spec)["metadata"]["name"] == name
