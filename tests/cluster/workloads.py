"""Jobs and Services for tests on a real node: pods as restricted as runners are, and what they said and came to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.cluster.images import BUSYBOX, sluice_name
from tests.cluster.installation import Cluster
from tests.contracts.store.builders import eventually

Obj = dict[str, Any]
USER = 65532
RESTRICTED_POD = {"runAsNonRoot": True, "runAsUser": USER, "seccompProfile": {"type": "RuntimeDefault"}}
RESTRICTED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
TOKEN = {"serviceAccountToken": {"path": "token", "audience": "sluice", "expirationSeconds": 3600}}
TOKEN_FOLDER = "/var/run/secrets/sluice.dev"


@dataclass(frozen=True, slots=True)
class Workloads:
    """What runs in one namespace."""

    kubectl: Cluster
    namespace: str

    def run_python(self, name: str, code: str, *, memory: str = "128Mi") -> None:
        """A Job with Sluice's image and the restrictions of a runner's pod."""
        container = {
            **self._container(sluice_name(), ["python", "-c", code]),
            "resources": {"requests": {"cpu": "10m", "memory": memory}, "limits": {"memory": memory}},
            "volumeMounts": [
                {"name": "scratch", "mountPath": "/scratch"},
                {"name": "token", "mountPath": TOKEN_FOLDER, "readOnly": True},
            ],
        }
        volumes = [{"name": "scratch", "emptyDir": {}}, {"name": "token", "projected": {"sources": [TOKEN]}}]
        pod = {**self._pod(container), "restartPolicy": "Never", "volumes": volumes}
        spec = {"backoffLimit": 0, "template": {"spec": pod}}
        self._create({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec})

    def serve(self, name: str, text: str) -> None:
        """A pod that answers on port 8080, and a Service in front of it at port 80; ready when it returns."""
        command = ["sh", "-c", f"echo {text} > /tmp/index.html; exec httpd -f -p 8080 -h /tmp"]
        container = {
            **self._container(BUSYBOX, command),
            "securityContext": {**RESTRICTED, "readOnlyRootFilesystem": False},
        }
        labels = {"app": name}
        self._create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, "labels": labels},
                "spec": {**self._pod(container), "terminationGracePeriodSeconds": 0},
            }
        )
        ports = [{"port": 80, "targetPort": 8080}]
        spec = {"selector": labels, "ports": ports}
        self._create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"{name}-web"}, "spec": spec})
        self("wait", "--for=condition=Ready", "--timeout=60s", f"pod/{name}")

    def phase_of(self, job: str) -> str:
        """Of its pod; empty if there is none yet."""
        return self("get", "pods", f"--selector=job-name={job}", "-o", "jsonpath={.items[*].status.phase}")

    def ended(self, job: str) -> Obj:
        """How its container ended, once it has."""
        eventually(lambda: self.phase_of(job) in {"Succeeded", "Failed"}, f"the pod of {job} ended")
        pods = json.loads(self("get", "pods", f"--selector=job-name={job}", "-o", "json"))["items"]
        terminated: Obj = pods[0]["status"]["containerStatuses"][0]["state"]["terminated"]
        return terminated

    def logs(self, job: str) -> str:
        """What it wrote."""
        return self("logs", f"job/{job}").strip()

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """kubectl in that namespace."""
        return self.kubectl(*arguments, f"--namespace={self.namespace}", stdin=stdin)

    def _create(self, obj: Obj) -> None:
        self("create", "-f", "-", stdin=json.dumps(obj))

    def _container(self, image: str, command: list[str]) -> Obj:
        return {
            "name": "main",
            "image": image,
            "imagePullPolicy": "Never",
            "command": command,
            "securityContext": RESTRICTED,
        }

    def _pod(self, container: Obj) -> Obj:
        return {
            "automountServiceAccountToken": False,
            "securityContext": RESTRICTED_POD,
            "containers": [container],
        }
