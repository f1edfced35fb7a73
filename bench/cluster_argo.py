"""Argo Workflows' side of the comparison on a cluster: its controller, tuned, and a stub of what runs in its pods.

The real pods hold a ``wait`` container that writes a WorkflowTaskResult when it begins and completes it at the end; the stub
does the same. As a kubelet does, and as Sluice's pods are played, it fetches the pod's token and ends the pod. Without the
results Argo would be about 15 % faster than it is.
"""

from __future__ import annotations

import argparse
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from tests.cluster.build import program
from tests.cluster.families import ARGO, TOOLS
from tests.cluster.processes import Process, answers

from bench.arrivals import Arrivals
from bench.cluster_site import Site, module, sampling, spent, wait_until_settled
from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.launching.workloads import POD
from sluice.adapters.kubernetes.store import MERGE_PATCH, KubernetesStore
from sluice.adapters.kubernetes.transport import Limits, Transport
from sluice.api.kinds import KindInfo
from sluice.domain.timestamps import stamp
from sluice.ports.clock import SystemClock
from sluice.ports.errors import AlreadyExists, NotFound
from sluice.ports.store import Obj, Selector

WORKFLOW = KindInfo("Workflow", "workflows", "argoproj.io/v1alpha1")
IMAGE = "argoexec:v3.7.3"
TUNED = ("--workflow-workers=64", "--pod-cleanup-workers=32", "--qps=1000", "--burst=2000")
RESULTS = "/apis/argoproj.io/v1alpha1/namespaces/{}/workflowtaskresults"
OUTPUTS = "workflows.argoproj.io/report-outputs-completed"


@dataclass
class Argo:
    """Its controller in a namespace of its own."""

    site: Site
    controller: Process
    player: Process
    namespace: str
    arrivals: Arrivals
    begun: int = field(default=0)

    def many(self, steps: int, count: int) -> dict[str, Any]:
        """So many workflows of ``steps`` steps in sequence at once, from the first request to the last end."""
        arrivals = self.arrivals
        arrivals.asked.clear()
        arrivals.at.clear()
        programs = {"controller": self.controller.pid, "player": self.player.pid}
        before = self.site.tally(programs)
        with sampling(self.controller.pid) as megabytes:
            arrivals.create(self._workflows(steps, count))
            arrivals.wait(count, check=self.controller.check)
        told = spent(before, self.site.tally(programs), count)
        failed = sum(one["status"]["phase"] != "Succeeded" for one in arrivals.last.values())
        if failed:
            raise RuntimeError(f"{failed} of {count} workflows did not succeed")
        return told | {"per_minute": count / arrivals.seconds() * 60, "megabytes": max(megabytes)}

    def _workflows(self, steps: int, count: int) -> list[Obj]:
        self.begun += count
        return [workflow(f"w{number}", self.namespace, steps) for number in range(self.begun - count, self.begun)]


def workflow(name: str, namespace: str, steps: int) -> Obj:
    """So many steps in sequence; one is the entry point itself."""
    work = {"name": "work", "container": {"image": "busybox", "command": ["true"]}}
    templates: list[Obj] = [work]
    if steps > 1:
        templates.append({"name": "main", "steps": [[{"name": f"s{at}", "template": "work"}] for at in range(steps)]})
    return {
        "apiVersion": WORKFLOW.api_version,
        "kind": WORKFLOW.kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"entrypoint": templates[-1]["name"], "templates": templates},
    }


@contextmanager
def argo(site: Site, name: str) -> Iterator[Argo]:
    """Everything that is needed, for the block."""
    kubectl, plane = site.running.kubectl, site.running.plane
    kubectl("apply", "--server-side", "--force-conflicts", "-k", crds())
    kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd/workflows.argoproj.io")
    site.create_namespace(name)
    kubectl("create", "configmap", "workflow-controller-configmap", f"--namespace={name}")
    command: list[str | Path] = [
        program("workflow-controller"),
        f"--kubeconfig={plane.kubeconfig}",
        f"--namespace={name}",
        "--namespaced",
        f"--executor-image={IMAGE}",
        *TUNED,
    ]
    environment = {"LEADER_ELECTION_DISABLE": "true", "DEFAULT_REQUEUE_TIME": "1s", "HOME": str(site.folder)}
    controller = Process(
        command,
        folder=site.folder,
        name=f"argo-{name}",
        environment={"PATH": os.environ["PATH"], "LEADER_ELECTION_IDENTITY": name, **environment},
        ready=lambda: answers("http://127.0.0.1:6060/healthz"),
    )
    player = module("bench.cluster_argo", site.folder, f"--kubeconfig={plane.kubeconfig}", f"--namespace={name}")
    arrivals = Arrivals(site.transport, WORKFLOW, name, _is_over).start()
    try:
        player.start()
        controller.start()
        measured = Argo(site, controller, player, name, arrivals)
        for steps in (1, 3):
            arrivals.create(measured._workflows(steps, 5))
        arrivals.wait(10)
        wait_until_settled()
        yield measured
    finally:
        arrivals.stop()
        controller.stop()
        player.stop()


def crds() -> Path:
    """The CRDs of its own module, in the edition without schemas, as its installation has them."""
    listed = ["go", "mod", "download", "-json", ARGO]
    found = subprocess.run(listed, cwd=TOOLS / "argo", check=True, capture_output=True, text=True)
    return Path(orjson.loads(found.stdout)["Dir"]) / "manifests" / "base" / "crds" / "minimal"


def _is_over(obj: Obj) -> bool:
    return (obj.get("status") or {}).get("phase") in ("Succeeded", "Failed", "Error")


# -- the stub ---------------------------------------------------------------------------------------------------------
class Stub:
    """Plays the pods of workflows."""

    def __init__(self, transport: Transport, namespace: str) -> None:
        self._transport = transport
        self._store = KubernetesStore(transport)
        self._namespace = namespace
        self._threads = ThreadPoolExecutor(16)
        self._seen: set[str] = set()

    def run(self) -> None:
        """For ever."""
        for event in self._store.watch(POD, self._namespace, Selector()):
            if event.type == "MODIFIED" and event.object["status"].get("phase") == "Running":
                uid = event.object["metadata"]["uid"]
                if uid not in self._seen:
                    self._seen.add(uid)
                    self._threads.submit(self._play, event.object)

    def _play(self, pod: Obj) -> None:
        metadata = pod["metadata"]
        node, results = metadata["annotations"]["workflows.argoproj.io/node-id"], RESULTS.format(self._namespace)
        labels = {"workflows.argoproj.io/workflow": metadata["labels"]["workflows.argoproj.io/workflow"]}
        result = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "WorkflowTaskResult",
            "metadata": {
                "name": node,
                "labels": {**labels, OUTPUTS: "false"},
                "ownerReferences": [
                    {key: owner[key] for key in ("apiVersion", "kind", "name", "uid")}
                    for owner in metadata["ownerReferences"]
                ],
            },
        }
        try:
            self._fetch_token(pod)
            self._transport.send("POST", results, body=orjson.dumps(result))
        except (AlreadyExists, NotFound):
            return
        done = {"metadata": {"labels": {OUTPUTS: "true"}}}
        self._transport.send("PATCH", f"{results}/{node}", body=orjson.dumps(done), content_type=MERGE_PATCH)
        self._end(pod)

    def _fetch_token(self, pod: Obj) -> None:
        metadata = pod["metadata"]
        bound = {"kind": POD.kind, "apiVersion": "v1", "name": metadata["name"], "uid": metadata["uid"]}
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": 3607, "boundObjectRef": bound},
        }
        account = pod["spec"].get("serviceAccountName") or "default"
        path = f"/api/v1/namespaces/{self._namespace}/serviceaccounts/{account}/token"
        self._transport.send("POST", path, body=orjson.dumps(request))

    def _end(self, pod: Obj) -> None:
        now = stamp(SystemClock().now())
        ended = {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}
        containers = [
            {"name": one["name"], "image": one["image"], "imageID": "", "ready": False, "restartCount": 0, "started": False,
             "state": {"terminated": ended}}
            for one in pod["spec"]["containers"]
        ]  # fmt: skip
        patch = {"status": {"phase": "Succeeded", "containerStatuses": containers}}
        path = f"/api/v1/namespaces/{self._namespace}/pods/{pod['metadata']['name']}/status"
        try:
            self._transport.send("PATCH", path, body=orjson.dumps(patch), content_type=MERGE_PATCH)
        except NotFound:
            return


def main() -> None:
    """Be the stub."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--namespace", required=True)
    given = parser.parse_args()
    transport = Transport(from_kubeconfig(given.kubeconfig), Limits(qps=10_000, burst=20_000))
    Stub(transport, given.namespace).run()


if __name__ == "__main__":
    main()
