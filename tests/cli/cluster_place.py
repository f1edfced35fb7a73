"""A namespace of a real cluster for the verbs, and what a controller would write there."""

from __future__ import annotations

import json
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml
from typer.testing import Result

from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.api.kinds import NAMESPACE, WORKFLOW, WORKFLOW_VERSION, KindInfo
from sluice.ports.store import Obj, Ref
from tests.cli.place import DIGESTS, call, version
from tests.cluster.installation import Cluster
from tests.cluster.sharing import ControlPlane

HERE_ONLY = "the cluster that was given can't reach this machine"


@dataclass
class ClusterPlace:
    """One namespace. The verbs act as the cluster's admin, ``make`` and ``report`` as Sluice's controller."""

    plane: ControlPlane
    namespace: str
    store: KubernetesStore
    kubectl: Cluster
    undo: ExitStack = field(default_factory=ExitStack)

    def sluice(self, *words: str, input: str | None = None, where: tuple[str, ...] = ()) -> Result:
        """Run the program, as somebody else if ``where`` says so; stdout and stderr apart."""
        return call(*words, *(where or self.where), input=input)

    @property
    def where(self) -> tuple[str, ...]:
        return ("--kubeconfig", str(self.plane.kubeconfig), "--namespace", self.namespace)

    def user(self) -> str:
        """Who the verbs are to the server."""
        told = json.loads(self.kubectl("auth", "whoami", "-o", "json"))
        return str(told["status"]["userInfo"]["username"])

    @contextmanager
    def acting_as(self, *resources: str) -> Iterator[tuple[str, ...]]:
        """Where to find the cluster as a service account that may do everything with these of Sluice's kinds alone."""
        there = f"--namespace={self.namespace}"
        self.kubectl("create", "serviceaccount", "ana", there)
        self.kubectl(
            "create",
            "role",
            "ana",
            there,
            "--verb=*",
            f"--resource={','.join(f'{each}.sluice.dev' for each in resources)}",
        )
        self.kubectl("create", "rolebinding", "ana", there, "--role=ana", f"--serviceaccount={self.namespace}:ana")
        config = yaml.safe_load(self.plane.kubeconfig.read_text())
        config["users"] = [{"name": "ana", "user": {"token": self.kubectl("create", "token", "ana", there).strip()}}]
        config["contexts"] = [{"name": "ana", "context": {**config["contexts"][0]["context"], "user": "ana"}}]
        config["current-context"] = "ana"
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(config, file)
            file.flush()
            yield ("--kubeconfig", file.name, "--namespace", self.namespace)

    def make(self, *objects: Obj) -> None:
        for obj in objects:
            self.store.create(self.placed(obj), manager="test")

    def placed(self, obj: Obj) -> Obj:
        """The object in this namespace."""
        return {**obj, "metadata": {**obj["metadata"], "namespace": self.namespace}}

    def report(self, kind: KindInfo, name: str, **status: Any) -> None:
        """Write a status, as the controller does."""
        obj = self.get(kind, name)
        self.store.update_status({**obj, "status": {**(obj.get("status") or {}), **status}}, manager="sluice")

    def get(self, kind: KindInfo, name: str) -> Obj:
        return self.store.get(Ref(kind, self.namespace, name))

    def all(self, kind: KindInfo) -> list[Obj]:
        return self.store.list(kind, self.namespace).items

    def publish(self, *numbers: int, name: str = "support", **status: Any) -> None:
        """Versions of a workflow, and what its status says of them."""
        metadata = self.get(WORKFLOW, name)["metadata"]
        owner = {"apiVersion": WORKFLOW.api_version, "kind": WORKFLOW.kind, "name": name, "uid": metadata["uid"]}
        for number in numbers:
            made = version(number, name, workflowUid=metadata["uid"])
            made["metadata"]["ownerReferences"] = [owner]
            self.make(made)
            self.report(WORKFLOW_VERSION, f"{name}-v{number}", phase="Published", id=f"wflv_{number}")
        newest = max(numbers)
        known = {"lastNumber": newest, "live": f"v{newest}", "draftDigest": DIGESTS[newest]}
        self.report(WORKFLOW, name, observedGeneration=metadata["generation"], **known, **status)

    def answer(self, kind: KindInfo, reply: Callable[[Obj], None]) -> None:
        """Do ``reply`` once, on a thread of its own, when an object of the kind changed next: what a controller would."""
        since = self.store.list(kind, self.namespace, limit=1).resource_version
        watch = self.store.watch(kind, self.namespace, since=since)

        def listen() -> None:
            for event in watch:
                if event.type != "BOOKMARK":
                    reply(event.object)
                    return

        thread = threading.Thread(target=listen)
        thread.start()
        self.undo.callback(thread.join)
        self.undo.callback(watch.close)


@contextmanager
def opened(plane: ControlPlane) -> Iterator[ClusterPlace]:
    """A namespace of its own, until the block ends."""
    kubectl, namespace = Cluster(plane.kubectl, plane.kubeconfig), f"cli-{uuid.uuid4().hex[:8]}"
    transport = Transport(from_kubeconfig(plane.kubeconfig, plane.controller))
    with closing(KubernetesStore(transport)) as store, ExitStack() as undo:
        store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        undo.callback(store.delete, Ref(NAMESPACE, "", namespace))
        yield ClusterPlace(plane, namespace, store, kubectl, undo)


def require_reachable(plane: ControlPlane) -> None:
    """Skip where the API server is somewhere else."""
    if not plane.controller:
        pytest.skip(HERE_ONLY)
