"""An election and the certificates need no more than these rights, in the controller's own namespace."""

from __future__ import annotations

import datetime as dt
import subprocess
import uuid
from collections.abc import Callable, Iterator

import pytest

from sluice.adapters.kubernetes.authority import Authority
from sluice.adapters.kubernetes.candidacy import Standing
from sluice.adapters.kubernetes.credentials import Credentials, Server, from_kubeconfig
from sluice.adapters.kubernetes.election import ELECTION_LIMITS, Elector
from sluice.adapters.kubernetes.leases import LeaseName
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.api.kinds import LEASE
from sluice.ports.clock import SystemClock
from sluice.ports.errors import Forbidden
from sluice.ports.store import Selector
from tests.adapters.sqlite.stores import HandClock
from tests.cluster.sharing import ControlPlane
from tests.contracts.store.builders import eventually

pytestmark = pytest.mark.cluster

RIGHTS = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: narrow}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: narrow}
rules:
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [create]}
- {apiGroups: [coordination.k8s.io], resources: [leases], resourceNames: [sluice-controller], verbs: [get, list, watch, update]}
- {apiGroups: [""], resources: [secrets], verbs: [create]}
- {apiGroups: [""], resources: [secrets], resourceNames: [sluice-controller-tls], verbs: [get, update]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: narrow}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: narrow}
subjects: [{kind: ServiceAccount, name: narrow}]
"""


class Bearer:
    """The same server, as somebody else."""

    def __init__(self, server: Server, token: str) -> None:
        self._server = server
        self._token = token

    def server(self) -> Server:
        return self._server

    def authorization(self) -> str:
        return f"Bearer {self._token}"

    def renew(self) -> None:
        """There is nothing newer."""


@pytest.fixture
def narrow(control_plane: ControlPlane) -> Iterator[tuple[str, Credentials]]:
    """A namespace, and an account that has these rights there and no others."""

    def kubectl(*words: str, given: str = "") -> str:
        command = [str(control_plane.kubectl), f"--kubeconfig={control_plane.kubeconfig}", *words]
        return subprocess.run(command, input=given, check=True, capture_output=True, text=True).stdout

    namespace = f"narrow-{uuid.uuid4().hex[:12]}"
    kubectl("create", "namespace", namespace)
    kubectl("apply", "-n", namespace, "-f", "-", given=RIGHTS)
    token = kubectl("create", "token", "-n", namespace, "narrow").strip()
    yield namespace, Bearer(from_kubeconfig(control_plane.kubeconfig).server(), token)
    kubectl("delete", "namespace", namespace, "--wait=false")


@pytest.fixture
def opened(narrow: tuple[str, Credentials]) -> Iterator[Callable[[], KubernetesStore]]:
    stores: list[KubernetesStore] = []

    def make() -> KubernetesStore:
        stores.append(KubernetesStore(Transport(narrow[1], ELECTION_LIMITS)))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


def test_an_election_needs_one_lease(narrow: tuple[str, Credentials], opened: Callable[[], KubernetesStore]) -> None:
    name = LeaseName(narrow[0])
    electors = [Elector(opened(), name, standing=Standing(identity)) for identity in "ab"]
    for elector in electors:
        elector.start(lambda term: None, lambda term: None)
    try:
        eventually(lambda: any(elector.is_leading() for elector in electors), "an election")
        leader, standby = sorted(electors, key=lambda one: not one.is_leading())
        leader.release()
        eventually(standby.is_leading, "a hand-over")
    finally:
        for elector in electors:
            elector.release()


def test_the_one_lease_may_be_watched_and_others_not(
    narrow: tuple[str, Credentials], opened: Callable[[], KubernetesStore]
) -> None:
    store = opened()
    store.create(
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"namespace": narrow[0], "name": "sluice-controller"},
        }
    )
    watch = store.watch(LEASE, narrow[0], Selector(fields="metadata.name=sluice-controller"))
    assert next(iter(watch)).object["metadata"]["name"] == "sluice-controller"
    watch.close()
    with pytest.raises(Forbidden):
        next(iter(store.watch(LEASE, narrow[0])))


def test_certificates_need_one_secret(narrow: tuple[str, Credentials], opened: Callable[[], KubernetesStore]) -> None:
    made = Authority(opened(), narrow[0]).refresh()
    later = HandClock()
    later.time = SystemClock().now() + dt.timedelta(days=61)
    renewed = Authority(opened(), narrow[0], clock=later).refresh()
    assert renewed.authorities == made.authorities
    assert renewed.serving != made.serving
