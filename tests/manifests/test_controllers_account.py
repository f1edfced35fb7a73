"""The controller's account on a real API server: what it may by the roles, and what it must not reach."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.api.kinds import LEASE, SECRET
from sluice.manifests import Settings, installed
from sluice.manifests.output import stream
from sluice.ports.errors import Forbidden
from sluice.ports.store import Ref, Selector
from tests.cluster.installation import Cluster
from tests.cluster.kubeconfigs import write_account_kubeconfig
from tests.contracts.store.builders import eventually
from tests.manifests.rights import NEEDS, OWN, Obj, granted, without

pytestmark = pytest.mark.cluster

ACCOUNT = "system:serviceaccount:sluice-system:sluice-controller"
SYSTEM, ELSEWHERE = "sluice-system", "default"
FORBIDDEN: tuple[tuple[str, str, str], ...] = (
    *((verb, "", "secrets") for verb in ("get", "list", "watch", "update", "delete", "create")),
    ("create", "", "serviceaccounts/token"),
    ("create", "", "pods/exec"),
    ("create", "rbac.authorization.k8s.io", "clusterrolebindings"),
    ("escalate", "rbac.authorization.k8s.io", "clusterroles"),
    ("update", "rbac.authorization.k8s.io", "clusterroles"),
    ("impersonate", "", "users"),
    ("update", "", "namespaces"),
    ("update", "sluice.dev", "workflowversions"),
    ("delete", "sluice.dev", "workflowversions"),
    ("create", "sluice.dev", "environments"),
    ("update", "sluice.dev", "environments"),
    ("use", "sluice.dev", "environments"),
    ("patch", "admissionregistration.k8s.io", "validatingadmissionpolicies"),
    ("patch", "admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    ("patch", "apiextensions.k8s.io", "customresourcedefinitions"),
)
"""Verb, group and resource, on every object of a namespace that is not the controller's own."""


@pytest.fixture(scope="module")
def cluster(bare: Cluster) -> Cluster:
    bare("apply", "--server-side", "-f", "-", stdin=stream(Settings()))
    return bare


@pytest.fixture
def account(cluster: Cluster, tmp_path: Path) -> Cluster:
    """The same cluster for the controller's account."""
    kubeconfig = tmp_path / "account"
    write_account_kubeconfig(kubeconfig, cluster, SYSTEM, "sluice-controller")
    return Cluster(cluster.kubectl, kubeconfig)


@pytest.fixture
def store(account: Cluster) -> Iterator[KubernetesStore]:
    """The API server, as the controller reaches it."""
    made = KubernetesStore(Transport(from_kubeconfig(account.kubeconfig)))
    yield made
    made.close()


def review(verb: str, group: str, resource: str, name: str, namespace: str) -> Obj:
    plural, _, sub = resource.partition("/")
    attributes = {"verb": verb, "group": group, "resource": plural, "namespace": namespace}
    attributes |= {"subresource": sub} if sub else {}
    attributes |= {"name": name} if name else {}
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{SYSTEM}", "system:authenticated"]
    spec = {"user": ACCOUNT, "groups": groups, "resourceAttributes": attributes}
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}


def answers(cluster: Cluster, reviews: list[Obj]) -> list[str]:
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": reviews})
    return cluster("create", "-f", "-", "-o", "jsonpath={.status.allowed} ", stdin=listed).split()


def test_the_server_grants_all_that_is_needed(cluster: Cluster) -> None:
    reviews = [
        review(need.verb, need.group, need.resource, need.name, SYSTEM if need.role == OWN else ELSEWHERE)
        for need in NEEDS
    ]
    refused = [need for need, answer in zip(NEEDS, answers(cluster, reviews), strict=True) if answer != "true"]
    assert refused == []


def test_the_server_grants_nothing_of_what_must_not_be_reached(cluster: Cluster) -> None:
    reviews = [review(verb, group, resource, "", ELSEWHERE) for verb, group, resource in FORBIDDEN]
    allowed = [what for what, answer in zip(FORBIDDEN, answers(cluster, reviews), strict=True) if answer == "true"]
    assert allowed == []


def test_it_reads_its_certificates_and_no_other_secret(cluster: Cluster, store: KubernetesStore) -> None:
    for name in ("sluice-controller-tls", "sluice-ledger"):
        cluster("create", "secret", "generic", name, f"--namespace={SYSTEM}", "--from-literal=url=x")
    assert store.get(Ref(SECRET, SYSTEM, "sluice-controller-tls"))["data"] == {"url": "eA=="}
    with pytest.raises(Forbidden):
        store.get(Ref(SECRET, SYSTEM, "sluice-ledger"))
    with pytest.raises(Forbidden):
        store.list(SECRET, SYSTEM)


def test_it_makes_reads_and_watches_its_lease_by_name(store: KubernetesStore) -> None:
    lease: dict[str, Any] = {
        "apiVersion": LEASE.api_version,
        "kind": LEASE.kind,
        "metadata": {"name": "sluice-controller", "namespace": SYSTEM},
        "spec": {"holderIdentity": "a"},
    }
    store.update(store.create(lease) | {"spec": {"holderIdentity": "b"}})
    chosen = Selector(fields="metadata.name=sluice-controller")
    assert len(store.list(LEASE, SYSTEM, chosen).items) == 1
    watch = store.watch(LEASE, SYSTEM, chosen)
    assert next(iter(watch)).object["spec"]["holderIdentity"] == "b"
    watch.close()
    with pytest.raises(Forbidden):
        store.list(LEASE, SYSTEM)


@pytest.mark.parametrize("verb", ["create", "patch"])
def test_applying_a_policy_that_is_not_there_takes_two_rights(verb: str, cluster: Cluster, account: Cluster) -> None:
    (need,) = [one for one in NEEDS if (one.resource, one.verb) == ("networkpolicies", verb)]
    role = json.loads(cluster("get", "clusterrole", "sluice-controller-launcher", "-o", "json"))
    (policy,) = [obj for obj in installed(Settings(namespace=ELSEWHERE)) if obj["kind"] == "NetworkPolicy"]

    def applied() -> bool:
        words = ("apply", "--server-side", "--dry-run=server", "--validate=false", "-f", "-")
        done = account.run(*words, stdin=json.dumps(policy))
        assert not done.returncode or "(Forbidden)" in done.stderr
        return not done.returncode

    eventually(applied, "with all rights it is applied")
    lacking = without(role, need)
    del lacking["metadata"]["resourceVersion"]
    assert set(granted(lacking)) < set(granted(role))
    cluster("replace", "-f", "-", stdin=json.dumps(lacking))
    eventually(lambda: not applied(), "with one less it is refused")
    cluster("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=stream(Settings()))


def test_where_namespaces_are_chosen_it_starts_pods_in_these_only(cluster: Cluster) -> None:
    cluster("create", "namespace", "red")
    cluster("delete", "clusterrolebinding", "sluice-controller-launcher")
    chosen = Settings(launch_in=("red",))
    cluster("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=stream(chosen))
    reviews = [review("create", "", "pods", "", namespace) for namespace in ("red", ELSEWHERE)]
    eventually(lambda: answers(cluster, reviews) == ["true", "false"], "pods are started in the chosen namespace only")
    cluster("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=stream(Settings()))
    eventually(lambda: answers(cluster, reviews) == ["true", "true"], "pods are started everywhere again")
