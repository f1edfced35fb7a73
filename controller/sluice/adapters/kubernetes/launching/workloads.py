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
from sluice.domain.launching.names import (
    CONTROLLER_LABEL,
    LAUNCHED_FROM_LABEL,
    MANAGED_BY_LABEL,
    MANAGER,
    RUN_UID_LABEL,
)
from sluice.domain.launching.orphans import has_ended
from sluice.ports.errors import NotFound
from sluice.ports.store import Obj, Ref, Selector, Watch

POD: Final = KindInfo("Pod", "pods", "v1")
JOB: Final = KindInfo("Job", "jobs", "batch/v1")
NETWORK_POLICY: Final = KindInfo("NetworkPolicy", "networkpolicies", "networking.k8s.io/v1")
WITHOUT_JOB: Final = ",!job-name"
"""Of a label selector: not what the Job controller made."""
PAGE: Final = 200
_KINDS: Final = {kind.kind: kind for kind in (POD, JOB, NETWORK_POLICY)}


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
        self._delete(Ref(kind_of(launch), namespace, name), {})

    def remove(self, found: Obj) -> None:
        """Delete an object that was looked at, if it is still that one and as it was; that it is gone already is fine.

        Conflict when it moved since.
        """
        metadata, kind = found["metadata"], _KINDS[found["kind"]]
        conditions = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
        self._delete(Ref(kind, metadata["namespace"], metadata["name"]), {"preconditions": conditions})

    def remove_run(self, namespace: str, run_uid: str) -> None:
        """Delete all Jobs and pods of a run in a namespace, and what they own."""
        for kind, more in ((JOB, ""), (POD, WITHOUT_JOB)):
            selector = Selector(labels=f"{self._selector.labels},{RUN_UID_LABEL}={run_uid}{more}")
            for found in self._store.list(kind, namespace, selector).items:
                self._delete(Ref(kind, namespace, found["metadata"]["name"]), {})

    def _delete(self, ref: Ref, options: dict[str, Any]) -> None:
        try:
            self._transport.send("DELETE", item(ref), body=orjson.dumps({"propagationPolicy": "Background", **options}))
        except NotFound:
            return

    def pods_of(self, namespace: str, job: str) -> list[Obj]:
        """The pods that a Job has made."""
        return self._store.list(POD, namespace, Selector(labels=f"batch.kubernetes.io/job-name={job}")).items

    def log(self, namespace: str, pod: str, container: str, *, lines: int) -> bytes:
        """The last lines of what a container printed; the cluster asks its node for them."""
        path = f"{item(Ref(POD, namespace, pod))}/log"
        return self._transport.send("GET", path, {"container": container, "tailLines": str(lines)})

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

    def left_to_sweep(self, cluster: str) -> Iterator[Obj]:
        """All Jobs that nobody owns, and all pods without a Job, that were launched from a cluster, a page at a time."""
        for kind, more in ((JOB, ""), (POD, WITHOUT_JOB)):
            yield from self._pages(kind, f"{self._selector.labels},{LAUNCHED_FROM_LABEL}={cluster}{more}")

    def policies(self, cluster: str) -> Iterator[Obj]:
        """All NetworkPolicies of environments of a cluster."""
        yield from self._pages(NETWORK_POLICY, f"{self._selector.labels},{LAUNCHED_FROM_LABEL}={cluster}")

    def is_in_use(self, policy: Obj) -> bool:
        """Whether anything runs, or will, that the policy is about."""
        chosen = policy["spec"]["podSelector"]["matchLabels"]
        labels = ",".join(f"{name}={value}" for name, value in chosen.items())
        found = (
            workload
            for kind in (JOB, POD)
            for workload in self._pages(kind, labels, namespace=policy["metadata"]["namespace"])
        )
        return any(not has_ended(workload) for workload in found)

    def _pages(self, kind: KindInfo, labels: str, *, namespace: str = "") -> Iterator[Obj]:
        """A list of any length, without ever having all of it."""
        continue_, first = "", True
        while first or continue_:
            page = self._store.list(kind, namespace, Selector(labels=labels), limit=PAGE, continue_=continue_)
            yield from page.items
            continue_, first = page.continue_, False


def kind_of(launch: Launch) -> KindInfo:
    """What a segment is launched as."""
    return POD if launch is Launch.POD else JOB


def has_finished(workload: Obj) -> bool:
    """Whether a Job or pod is over or about to be, so that no runner of it can still come."""
    return bool(workload["metadata"].get("deletionTimestamp")) or has_ended(workload)


def _when(event: Obj) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")
