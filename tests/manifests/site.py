"""A controller that acts as its account, on a cluster where one of the account's rights can be taken away."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest

from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.api.kinds import LEASE, KindInfo
from sluice.manifests import Settings
from sluice.manifests.output import stream
from sluice.ports.store import Ref
from tests.cluster.build import program, programs
from tests.cluster.control_plane import Options, running
from tests.cluster.controllers import Controller
from tests.cluster.families import CONTROL_PLANE
from tests.cluster.installation import Cluster
from tests.cluster.kubeconfigs import write_account_kubeconfig
from tests.cluster.process_kubelet import ProcessKubelet, playing
from tests.cluster.sharing import ControlPlane
from tests.cluster.workspace import Workspace, workspace
from tests.contracts.store.builders import eventually
from tests.manifests.rights import OWN, Need, without

SYSTEM = "sluice-system"
ACCOUNT = f"system:serviceaccount:{SYSTEM}:sluice-controller"
GROUPS = ["system:serviceaccounts", f"system:serviceaccounts:{SYSTEM}", "system:authenticated"]
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
LEADERSHIP = Ref(LEASE, SYSTEM, "sluice-controller")
RBAC = "rbac.authorization.k8s.io/v1"
ROLES = {
    "ClusterRole": KindInfo("ClusterRole", "clusterroles", RBAC, namespaced=False, has_status=False),
    "Role": KindInfo("Role", "roles", RBAC, has_status=False),
}

WEBHOOK = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "sluice-validation"},
    "webhooks": [
        {
            "name": "validation.sluice.dev",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "failurePolicy": "Ignore",
            "clientConfig": {"service": {"name": "sluice-controller", "namespace": SYSTEM}},
            "rules": [{"apiGroups": ["example.com"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["*"]}],
        }
    ],
}
"""Like the one of the installation, but asked about nothing: nobody listens at the Service's address here."""


@dataclass
class Site:
    """A cluster with Sluice, somebody who may everything, and a controller with its own rights, running or not."""

    cluster: Cluster
    transport: Transport
    store: KubernetesStore
    kubelet: ProcessKubelet
    account: ControlPlane
    folder: Path
    controller: Controller = field(init=False)
    starter: ThreadPoolExecutor = field(init=False)
    """Its threads live as long as the site: a program ends with the thread that started it."""
    _read: dict[Path, int] = field(default_factory=dict)
    """How much of each log is of the time before the right was taken away."""

    def __post_init__(self) -> None:
        self.controller = self.another("a")
        self.starter = ThreadPoolExecutor(2)

    def another(self, name: str) -> Controller:
        """A controller of that identity, with a ledger of its own; it does not run yet."""
        return Controller(self.account, self.folder, ledger=f"sqlite:///{self.folder / name}.db", name=name)

    def begin(self, controller: Controller | None = None) -> Future[Controller]:
        """Start a controller: it is done when that is ready, and fails when that ends before."""
        return self.starter.submit((controller or self.controller).start)

    def leads(self, controller: Controller) -> bool:
        """Whether it says that it does."""
        return controller.metric("leader_election_master_status") == 1

    def space(self, **environment: str) -> AbstractContextManager[Workspace]:
        """A workspace of one test; what is given is of its environment ``local``."""
        return workspace(self.store, f"t{uuid.uuid4().hex[:8]}", environment=environment)

    # -- rights -----------------------------------------------------------------------------------------------------
    @contextmanager
    def lacking(self, need: Need) -> Iterator[None]:
        """The controller's account lacks one right for the block."""
        kind, _, name = need.role.partition("/")
        ref = Ref(ROLES[kind], SYSTEM if need.role == OWN else "", name)
        role = self.store.get(ref)
        self._read = {path: path.stat().st_size for path in self._logs()}
        self.store.patch(ref, {"rules": without(role, need)["rules"]})
        try:
            eventually(lambda: not self._may(need), f"nobody may {need.verb} {need.resource} any more")
            yield
        finally:
            self.store.patch(ref, {"rules": role["rules"]})
            eventually(lambda: self._may(need), f"the controller may {need.verb} {need.resource} again")

    def wait_refused(self, need: Need, *, namespace: str = "") -> None:
        """Until a controller has said since then that it lacks just that right, in that namespace if one is given."""
        eventually(lambda: self.has_refused(need, namespace=namespace), f"a log says: {said_of(need, namespace)}")

    def has_refused(self, need: Need, *, namespace: str = "") -> bool:
        """Whether one has."""
        words = said_of(need, namespace)
        return any(words in line for line in self._said())

    def _may(self, need: Need) -> bool:
        resource, _, sub = need.resource.partition("/")
        asked = {"verb": need.verb, "group": need.group, "resource": resource, "subresource": sub, "name": need.name}
        asked["namespace"] = SYSTEM if need.role == OWN else ""
        spec = {"user": ACCOUNT, "groups": GROUPS, "resourceAttributes": asked}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        return bool(orjson.loads(self.transport.review(REVIEWS, orjson.dumps(review)))["status"]["allowed"])

    def _said(self) -> Iterator[str]:
        for path in self._logs():
            with path.open(errors="replace") as log:
                log.seek(self._read.get(path, 0))
                yield from log

    def _logs(self) -> list[Path]:
        return list(self.folder.glob("controller-*.log"))


def said_of(need: Need, namespace: str = "") -> str:
    """How an API server refuses it."""
    if need.resource.endswith("/finalizers"):
        return "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on"
    what = f'cannot {need.verb} resource "{need.resource}" in API group "{need.group}"'
    return f'{what} in the namespace "{namespace}"' if namespace else what


@contextmanager
def running_site(folder: Path, *, flags: str = "") -> Iterator[Site]:
    """A cluster of one's own with all that is installed; ``flags`` are the API server's."""
    programs(*CONTROL_PLANE)
    with ExitStack() as parts:
        patched = parts.enter_context(pytest.MonkeyPatch.context())
        patched.setenv("SLUICE_LOG", "DEBUG")  # an Event that can't be written is no reason to say anything
        (folder / "plane").mkdir()
        plane = parts.enter_context(running(folder / "plane", Options(apiserver=flags)))
        cluster = Cluster(program("kubectl"), plane.kubeconfig)
        cluster("apply", "--server-side", "-f", "-", stdin=stream(Settings()))
        cluster("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        cluster("create", "-f", "-", stdin=json.dumps(WEBHOOK))
        write_account_kubeconfig(folder / "account", cluster, SYSTEM, "sluice-controller")
        transport = Transport(from_kubeconfig(plane.kubeconfig))
        parts.callback(transport.close)
        kubelet = parts.enter_context(playing(transport, folder))
        account = ControlPlane(folder / "account", cluster.kubectl)
        made = Site(cluster, transport, KubernetesStore(transport), kubelet, account, folder)
        parts.enter_context(made.starter)
        parts.callback(made.controller.stop)
        yield made
