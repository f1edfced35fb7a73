"""Jobs and pods of one cluster: made, looked at, deleted, watched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson

from sluice.adapters.kubernetes.addresses import collection, item
from sluice.adapters.kubernetes.store import APPLY_PATCH, KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.api.environment import Launch
from sluice.api.kinds import EVENT, NAMESPACE, KindInfo
from sluice.domain.launching.names import CONTROLLER_LABEL, MANAGED_BY_LABEL, MANAGER
from sluice.ports.errors import NotFound
from sluice.ports.store import Obj, Ref, Selector, Watch

POD: Final = KindInfo("Pod", "pods", "v1")
JOB: Final = KindInfo("Job", "jobs", "batch/v1")
NETWORK_POLICY: Final = KindInfo("NetworkPolicy", "networkpolicies", "networking.k8s.io/v1")


class Workloads:
    """What the launcher asks of an API server. ``controller_id`` is in the labels of all that is its own."""

    def __init__(self, transport: Transport, controller_id: str) -> None:
        self._transport = transport
        self._store = KubernetesStore(transport)
        self._selector = Selector(labels=f"{MANAGED_BY_LABEL}={MANAGER},{CONTROLLER_LABEL}={controller_id}")

    def create(self, manifest: Obj) -> Obj:
        """Make a Job or a pod. AlreadyExists when its name is taken."""
        kind = JOB if manifest["kind"] == JOB.kind else POD
        path = collection(kind, manifest["metadata"]["namespace"])
        made: Obj = orjson.loads(self._transport.send("POST", path, body=orjson.dumps(manifest)))
        return made

    def find(self, launch: Launch, namespace: str, name: str) -> Obj | None:
        """The Job or pod of this name as it is now, or None."""
        try:
            return self._store.get(Ref(kind_of(launch), namespace, name))
        except NotFound:
            return None

    def delete(self, launch: Launch, namespace: str, name: str) -> None:
        """Delete it and what it owns; that it is gone already is fine."""
        options = {"propagationPolicy": "Background"}
        try:
            self._transport.send("DELETE", item(Ref(kind_of(launch), namespace, name)), body=orjson.dumps(options))
        except NotFound:
            return

    def pods_of(self, namespace: str, job: str) -> list[Obj]:
        """The pods that a Job has made."""
        return self._store.list(POD, namespace, Selector(labels=f"batch.kubernetes.io/job-name={job}")).items

    def complaints(self, namespace: str, uid: str) -> Iterator[str]:
        """What Warning events say of an object, newest first: why a Job has no pod is told nowhere else."""
        selector = Selector(fields=f"involvedObject.uid={uid},type=Warning")
        events = self._store.list(EVENT, namespace, selector).items
        for event in sorted(events, key=_when, reverse=True):
            yield str(event.get("message", ""))

    def namespace(self, name: str) -> Obj | None:
        """The Namespace object, or None."""
        try:
            return self._store.get(Ref(NAMESPACE, "", name))
        except NotFound:
            return None

    def apply_policy(self, policy: Obj) -> None:
        """Have a NetworkPolicy be as it says, whoever changed it."""
        metadata = policy["metadata"]
        path = item(Ref(NETWORK_POLICY, metadata["namespace"], metadata["name"]))
        query = {"fieldManager": MANAGER, "force": "true"}
        self._transport.send("PATCH", path, query, body=orjson.dumps(policy), content_type=APPLY_PATCH)

    def watch_pods(self) -> Watch:
        """All pods of runners: first those that are there, then a bookmark, then changes."""
        return self._store.watch(POD, "", self._selector)

    def jobs(self) -> list[Obj]:
        """All Jobs of runners."""
        return self._store.list(JOB, "", self._selector).items


def kind_of(launch: Launch) -> KindInfo:
    """What a segment is launched as."""
    return POD if launch is Launch.POD else JOB


def has_finished(workload: Obj) -> bool:
    """Whether a Job or pod is over or about to be, so that no runner of it can still come."""
    if workload["metadata"].get("deletionTimestamp"):
        return True
    status: dict[str, Any] = workload.get("status") or {}
    if workload.get("kind") == POD.kind:
        return status.get("phase") in ("Succeeded", "Failed")
    conditions = status.get("conditions") or ()
    over = ("Complete", "Failed", "SuccessCriteriaMet", "FailureTarget")
    return any(condition["type"] in over and condition["status"] == "True" for condition in conditions)


def _when(event: Obj) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")
