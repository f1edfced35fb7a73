"""What becomes of the pods of runs where the controller lacks one of its rights, and once it has it again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sluice.adapters.kubernetes.launching.workloads import JOB, NETWORK_POLICY, POD
from sluice.api import kinds
from sluice.api.kinds import KindInfo
from sluice.domain.launching.names import UNIT_LABEL
from sluice.ports.store import Obj, Ref
from tests.cluster.workspace import Workspace
from tests.manifests.node_logs import SAID, node
from tests.manifests.record_reader import reader
from tests.manifests.rights import Need
from tests.manifests.site import Site, said_of

QUOTA = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
RESOURCE_QUOTA = KindInfo("ResourceQuota", "resourcequotas", "v1")
HELD_UP_S = 90
"""What a cluster refused is tried again after 30 seconds."""


def launch(site: Site, need: Need) -> None:
    """LAUNCH"""
    with _publishing(site, need) as space:
        with site.lacking(need):
            run = space.start("hello")
            _wait_told(space, Ref(kinds.WORKFLOW_RUN, space.namespace, run), need)
            assert _launched(space, need) == []
        assert space.wait_ended(run, patience_s=HELD_UP_S)["status"]["phase"] == "Succeeded"


def call_off(site: Site, need: Need) -> None:
    """CALL_OFF"""
    with _publishing(site, need) as space, _held(site):
        first, second = space.start("hello"), space.start("hello")
        space.wait_for(lambda: len(space.pods()) == 2, "both have a pod")
        with site.lacking(need):
            space.cancel(first)
            space.wait_ended(first)
            site.wait_refused(need, namespace=space.namespace)
            assert len(_launched(space, need)) == 2
        space.cancel(second)
        space.wait_ended(second)
        space.wait_for(lambda: len(_launched(space, need)) == 1, "what was launched of the second one is gone")
        (stays,) = _launched(space, need)
        assert stays["metadata"]["name"].startswith(first)
        space.store.delete(Ref(POD if need.resource == "pods" else JOB, space.namespace, stays["metadata"]["name"]))
        space.wait_for(lambda: not space.pods(), "nothing is left for a node to begin")


def adopt(site: Site, need: Need) -> None:
    """ADOPT"""
    with _publishing(site, need) as space:
        with _held(site):
            run = space.start("hello")
            pod = space.wait_pod()
            site.controller.stop()
            with site.lacking(need):
                site.begin().result()
                _wait_told(space, Ref(kinds.WORKFLOW_RUN, space.namespace, run), need)
        space.store.patch(Ref(POD, space.namespace, pod), {"metadata": {"labels": {"example.com/seen": "again"}}})
        assert space.wait_ended(run, patience_s=HELD_UP_S)["status"]["phase"] == "Succeeded"
        assert [one["metadata"]["name"] for one in space.pods()] == [pod]


def explain(site: Site, need: Need) -> None:
    """EXPLAIN"""
    with _publishing(site, need) as space:
        quota = Ref(RESOURCE_QUOTA, space.namespace, "none")
        site.cluster("create", "-f", "-", f"--namespace={space.namespace}", stdin=json.dumps(QUOTA))
        space.wait_for(lambda: "hard" in (space.store.get(quota).get("status") or {}), "the quota is in force")
        with site.lacking(need):
            run = space.start("hello")
            site.wait_refused(need, namespace=space.namespace)
            assert "exceeded quota" not in _says(space.run(run))
        space.wait_for(lambda: "exceeded quota" in _says(space.run(run)), "the run says why")


def confine(site: Site, need: Need) -> None:
    """CONFINE"""
    with site.space() as space:
        other = Ref(kinds.ENVIRONMENT, space.namespace, "other")

        def confined() -> bool:
            policies = space.store.list(NETWORK_POLICY, space.namespace).items
            return "sluice-runner-other" in {policy["metadata"]["name"] for policy in policies}

        with site.lacking(need):
            space.apply(kinds.ENVIRONMENT, "other", {"type": "Sandbox"})
            _wait_told(space, other, need)
            assert not confined()
        space.wait_for(confined, "its NetworkPolicy is there", patience_s=HELD_UP_S)
        space.wait_for(lambda: "runs are launched here" in _says(space.store.get(other)), "it is ready")


def connect(site: Site, need: Need) -> None:
    """CONNECT"""
    with _publishing(site, need) as space:
        with site.lacking(need):
            run = space.start("hello")
            site.wait_refused(need)
            assert "endedAt" not in space.run(run).get("status", {})
        assert space.wait_ended(run)["status"]["phase"] == "Succeeded"


def read_log(site: Site, need: Need) -> None:
    """STEP_LOG"""
    with site.space() as space, node(site.transport, site.folder) as bind:
        gates = {name: site.folder / f"{name}-{space.namespace}" for name in ("first", "second")}
        steps = []
        for name, gate in gates.items():
            os.mkfifo(gate)
            container = {
                "image": "example.com/tool:1",
                "command": ["sh", "-c", f'read -r said < {gate}; echo "$said"; exit 1'],
            }
            steps.append({"name": name, "action": {"container": container}, "onError": {"action": "Continue"}})
        space.apply_workflow("ship", "", steps=steps, execution="Sequential")
        space.wait_published("ship", "v1")
        run, eve = space.start("ship"), reader(site.cluster, site.controller, space)

        def fail(step: str) -> None:
            """Its container ends on a node that has its log."""
            bind(space.wait_for(lambda: _running(space, f"steps.{step}.1"), f"{step} runs"))
            gates[step].write_text("last words")

        with site.lacking(need):
            fail("first")
            site.wait_refused(need, namespace=space.namespace)
            space.wait_for(lambda: "last words" in eve.log(run, step="first"), "the node's last words are recorded")
        fail("second")
        space.wait_ended(run)
        assert SAID not in eve.log(run, step="first")
        assert SAID in eve.log(run, step="second")


def ask(site: Site, need: Need) -> None:
    """ASK"""
    with _publishing(site, need) as space:
        run = space.start("hello")
        space.wait_ended(run)
        what = "report" if need.resource == "workflowversions" else "log"
        with site.lacking(need):
            eve = reader(site.cluster, site.controller, space)
            space.wait_for(lambda: said_of(need) in eve.ask(what, run)[1], "the answer says what is refused")
            assert eve.ask(what, run)[0] == 403
        space.wait_for(lambda: eve.ask(what, run)[0] == 200, "a viewer reads it")


@contextmanager
def _publishing(site: Site, need: Need) -> Iterator[Workspace]:
    """A workspace with a workflow, whose runs are launched as the right is about."""
    with site.space(launch="Pod" if need.resource == "pods" else "Job") as space:
        space.apply_workflow("hello", "output = 1")
        space.wait_published("hello", "v1")
        yield space


@contextmanager
def _held(site: Site) -> Iterator[None]:
    """New pods stay Pending."""
    site.kubelet.held.set()
    try:
        yield
    finally:
        site.kubelet.held.clear()


def _launched(space: Workspace, need: Need) -> list[Obj]:
    """All of the kind that the right is about."""
    return space.pods() if need.resource == "pods" else space.jobs()


def _wait_told(space: Workspace, ref: Ref, need: Need) -> None:
    """Until a condition of an object says that just this is refused."""
    words = said_of(need, space.namespace)
    space.wait_for(lambda: words in _says(space.store.get(ref)), f"{ref} says: {words}")


def _says(obj: Obj) -> str:
    """What its conditions tell."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return "\n".join(condition.get("message", "") for condition in conditions)


def _running(space: Workspace, unit: str) -> Obj | None:
    """The pod of a unit, once it runs."""
    pods = [pod for pod in space.pods() if pod["metadata"]["labels"].get(UNIT_LABEL) == unit]
    return next((pod for pod in pods if (pod.get("status") or {}).get("phase") == "Running"), None)
