"""A second cluster, whose API server can be taken away, and a controller on the first that launches there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.launching.workloads import JOB, NETWORK_POLICY
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.api import kinds
from sluice.api.kinds import NAMESPACE, SECRET
from sluice.ports.errors import NotFound
from sluice.ports.store import Obj, Ref
from tests.cluster.build import program
from tests.cluster.control_plane import Plane, running
from tests.cluster.controllers import Controller
from tests.cluster.installation import Cluster
from tests.cluster.kubeconfigs import write_account_kubeconfig
from tests.cluster.process_kubelet import ProcessKubelet
from tests.cluster.workspace import Workspace
from tests.docs.blocks import ROOT, blocks

JOBS = "support-jobs"
SYSTEM, ACCOUNT = "sluice-system", "sluice"
PAGE = ROOT / "docs" / "environments-elsewhere.md"
RIGHTS = "rights on another cluster"
SLOW = "import math\nfor n in range(30_000_000): math.sqrt(n)\noutput = 7"
"""A step of some seconds."""


class Away:
    """The other cluster. The controller has the rights there that the documentation has an administrator grant."""

    def __init__(self, plane: Plane) -> None:
        self.plane = plane
        self.kubectl = Cluster(program("kubectl"), plane.kubeconfig)
        self.transport = Transport(from_kubeconfig(plane.kubeconfig))
        self.store = KubernetesStore(self.transport)
        self._grant()

    def _grant(self) -> None:
        (block,) = (block for block in blocks("sh") if block.file == PAGE and block.note == RIGHTS)
        path = f"{Path(self.kubectl.kubectl).parent}:{os.environ['PATH']}"
        environment = {**os.environ, "KUBECONFIG": str(self.plane.kubeconfig), "PATH": path}
        subprocess.run(["sh", "-e", "-c", block.text], env=environment, check=True, capture_output=True)

    def let_in(self, workspace: str) -> None:
        """Have the namespace of Jobs let in the runs of one workspace, and of no other."""
        self.kubectl("annotate", "--overwrite", "namespace", JOBS, f"sluice.dev/runs-from={workspace}")

    def kubeconfig_of(self, account: str, folder: Path) -> bytes:
        """Of an account with the documented rights; another one than ``sluice`` is made for it."""
        if account != ACCOUNT:
            self.kubectl("create", "serviceaccount", account, f"--namespace={SYSTEM}")
            binding = f"--serviceaccount={SYSTEM}:{account}"
            self.kubectl(
                "create", "clusterrolebinding", f"sluice-{account}", "--clusterrole=sluice-from-elsewhere", binding
            )
        path = folder / f"{account}.kubeconfig"
        write_account_kubeconfig(path, self.kubectl, SYSTEM, account)
        return path.read_bytes()

    def jobs(self, run: Obj | None = None) -> list[Obj]:
        """All Jobs there, or those of a run."""
        found = self.store.list(JOB, JOBS).items
        return [job for job in found if run is None or _run_uid(job) == run["metadata"]["uid"]]

    def policies(self) -> list[str]:
        """The names of the NetworkPolicies there."""
        return [policy["metadata"]["name"] for policy in self.store.list(NETWORK_POLICY, JOBS).items]

    def create(self, manifest: Obj) -> None:
        """Make any object there."""
        self.kubectl("create", "-f", "-", stdin=orjson.dumps(manifest).decode())


@contextmanager
def away(folder: Path) -> Iterator[Away]:
    """The other cluster for the block."""
    with running(folder) as plane:
        made = Away(plane)
        try:
            yield made
        finally:
            made.transport.close()


@dataclass
class Site:
    """A workspace at home with environments ``local`` and ``far``, its controller, and who plays pods in both places."""

    space: Workspace
    controller: Controller
    away: Away
    kubelet: ProcessKubelet
    folder: Path
    own: str
    """The controller's id, and the workspace's name."""

    def lend(self, kubeconfig: bytes) -> None:
        """Put a kubeconfig into the Secret, in place of the one that is there."""
        manifest: Obj = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "far", "namespace": self.own},
            "stringData": {"kubeconfig": kubeconfig.decode()},
        }
        ref = Ref(SECRET, self.own, "far")
        try:
            self.space.store.patch(ref, {"stringData": manifest["stringData"]})
        except NotFound:
            self.space.store.create(manifest)

    def declare(self, name: str = "far") -> None:
        """An environment on the other cluster."""
        cluster = {"kubeconfigSecret": "far", "runnerUrl": f"https://127.0.0.1:{self.controller.port}"}
        spec = {"type": "Production", "defaultState": "Active", "namespace": JOBS, "cluster": cluster}
        self.space.apply(kinds.ENVIRONMENT, name, spec)

    def wait_ready(self, name: str, reason: str = "Succeeded") -> str:
        """Until an environment is ready, or is not for this reason; the message."""

        def message() -> str | None:
            found = self.space.store.get(Ref(kinds.ENVIRONMENT, self.own, name))
            conditions = (found.get("status") or {}).get("conditions") or ()
            ready = next((one for one in conditions if one["type"] == "Ready"), None)
            return f"{ready['message']} " if ready and ready["reason"] == reason else None

        found: str = self.space.wait_for(message, f"environment {name} says {reason}")
        return found

    def hello(self, environment: str = "far") -> str:
        """Start a short run; its name."""
        return self.space.start("hello", payload={"name": "Ana"}, environment=environment)

    def home_uid(self) -> str:
        """What the controller labels with what it launches elsewhere."""
        return str(self.space.store.get(Ref(NAMESPACE, "", "kube-system"))["metadata"]["uid"])

    def delete_run(self, name: str) -> None:
        """As a person does."""
        self.space.store.delete(Ref(kinds.WORKFLOW_RUN, self.own, name))

    def is_there(self, name: str) -> bool:
        """Whether a run's object is there."""
        try:
            self.space.run(name)
        except NotFound:
            return False
        return True


def _run_uid(job: Obj) -> str:
    return str(job["metadata"]["labels"].get("sluice.dev/run-uid", ""))
