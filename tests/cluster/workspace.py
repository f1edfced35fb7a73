"""A namespace of one test on a real cluster, and short ways to use Sluice in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sluice.adapters.kubernetes.launching.workloads import JOB, POD
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.api import kinds
from sluice.api.kinds import API_VERSION, NAMESPACE, KindInfo
from sluice.ports.errors import NotFound
from sluice.ports.store import Obj, Ref, Selector

PATIENCE_S = 120
SERVICE_ACCOUNT = KindInfo("ServiceAccount", "serviceaccounts", "v1")


@dataclass(frozen=True)
class Workspace:
    """One namespace."""

    store: KubernetesStore
    namespace: str

    def apply(self, kind: KindInfo, name: str, spec: Obj) -> Obj:
        """Declare an object, as a person does."""
        metadata = {"name": name, "namespace": self.namespace}
        obj = {"apiVersion": API_VERSION, "kind": kind.kind, "metadata": metadata, "spec": spec}
        return self.store.apply(obj, manager="test", force=True)

    def apply_workflow(self, name: str, code: str, **definition: Any) -> None:
        """A workflow of one Python step, or of what is given."""
        steps = definition.pop("steps", [{"name": "only", "action": {"python": {"code": code}}}])
        spec = {"owner": "ana@example.com", "definition": {"steps": steps, **definition}}
        self.apply(kinds.WORKFLOW, name, spec)

    def apply_rollout(self, name: str, **spec: Any) -> None:
        """A rollout."""
        self.apply(kinds.ROLLOUT, name, spec)

    def start(self, workflow: str, *, payload: Any = None, environment: str = "local") -> str:
        """A run's name."""
        made: Obj = {
            "apiVersion": API_VERSION,
            "kind": "WorkflowRun",
            "metadata": {"generateName": f"{workflow}-", "namespace": self.namespace},
            "spec": {"input": {"workflow": workflow, "environment": environment, "payload": payload}},
        }
        return str(self.store.create(made)["metadata"]["name"])

    def run(self, name: str) -> Obj:
        """A run as it is now."""
        return self.store.get(Ref(kinds.WORKFLOW_RUN, self.namespace, name))

    def cancel(self, name: str) -> None:
        """Ask it to end."""
        self.store.patch(Ref(kinds.WORKFLOW_RUN, self.namespace, name), {"spec": {"cancel": True}})

    def jobs(self) -> list[Obj]:
        """All Jobs."""
        return self.store.list(JOB, self.namespace).items

    def pods(self) -> list[Obj]:
        """All pods."""
        return self.store.list(POD, self.namespace).items

    def delete_pod(self, name: str) -> None:
        """As a person or an eviction does."""
        self.store.delete(Ref(POD, self.namespace, name))

    def report_unschedulable(self, pod: str, message: str) -> None:
        """What a scheduler says of a pod."""
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        self.store.patch(Ref(POD, self.namespace, pod), {"status": {"conditions": [condition]}}, status=True)

    # -- waiting ----------------------------------------------------------------------------------------------------
    def wait_for(self, condition: Callable[[], Any], what: str, *, patience_s: float = PATIENCE_S) -> Any:
        """Until ``condition`` answers with something true."""
        deadline = time.monotonic() + patience_s
        while not (found := condition()):
            assert time.monotonic() < deadline, f"waited {patience_s} s in vain until {what}"
            time.sleep(0.05)
        return found

    def wait_published(self, workflow: str, version: str) -> None:
        """Until a version takes runs."""

        def published() -> bool:
            status = self.store.get(Ref(kinds.WORKFLOW, self.namespace, workflow)).get("status") or {}
            rollout = status.get("rollout") or {}
            walking = [rollout.get(part) or {} for part in ("stable", "candidate")]
            return any(f"v{part.get('number')}" == version for part in walking)

        self.wait_for(published, f"{workflow} {version} is published")

    def wait_phase(self, run: str, *phases: str) -> Obj:
        """Until a run is in one of these phases."""
        self.wait_for(lambda: (self.run(run).get("status") or {}).get("phase") in phases, f"{run} is {phases}")
        return self.run(run)

    def wait_ended(self, run: str, *, patience_s: float = PATIENCE_S) -> Obj:
        """Until a run is over."""

        def ended() -> Obj | None:
            found = self.run(run)
            return found if (found.get("status") or {}).get("endedAt") else None

        obj: Obj = self.wait_for(ended, f"{run} has ended", patience_s=patience_s)
        return obj

    def wait_condition(self, run: str, type: str, *, reason: str) -> Obj:
        """Until a condition of a run has this reason."""

        def found() -> Obj | None:
            conditions = (self.run(run).get("status") or {}).get("conditions") or ()
            return next((one for one in conditions if one["type"] == type and one["reason"] == reason), None)

        condition: Obj = self.wait_for(found, f"{type} of {run} says {reason}")
        return condition

    def wait_pod(self) -> str:
        """The first pod's name."""
        pods: list[Obj] = self.wait_for(self.pods, "there is a pod")
        return str(pods[0]["metadata"]["name"])


@contextmanager
def workspace(store: KubernetesStore, name: str, *, environment: Obj | None = None) -> Iterator[Workspace]:
    """A namespace with Environment ``local``, in which every workflow is Active."""
    store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    space = Workspace(store, name)

    def has_account() -> bool:
        try:
            return bool(store.get(Ref(SERVICE_ACCOUNT, name, "default")))
        except NotFound:
            return False

    space.wait_for(has_account, f"namespace {name} has its service account")
    space.apply(kinds.ENVIRONMENT, "local", {"type": "Sandbox", "defaultState": "Active", **(environment or {})})
    try:
        yield space
    finally:
        for run in store.list(kinds.WORKFLOW_RUN, name, Selector()).items:
            store.delete(Ref(kinds.WORKFLOW_RUN, name, run["metadata"]["name"]))
        store.delete(Ref(NAMESPACE, "", name))
