"""Somebody who may view a workspace, and asks the controller for the record of its runs."""

from __future__ import annotations

from dataclasses import dataclass

from tests.cluster.controllers import Controller
from tests.cluster.installation import Cluster
from tests.cluster.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Reader:
    """A service account of the workspace, with a token for Sluice alone."""

    controller: Controller
    namespace: str
    token: str

    def ask(self, what: str, run: str) -> tuple[int, str]:
        """The answer's code, and a run's ``log`` or ``report``, or why that is not shown."""
        path = f"/apis/sluice.dev/v1alpha1/namespaces/{self.namespace}/workflowruns/{run}/{what}"
        code, answer = self.controller.get(path, {"sluice-authorization": f"Bearer {self.token}"})
        return code, answer.replace('\\"', '"')

    def log(self, run: str, *, step: str) -> str:
        """What a step printed."""
        return self.ask(f"log?step={step}", run)[1]


def reader(cluster: Cluster, controller: Controller, space: Workspace) -> Reader:
    """A new one, whom nobody has asked about yet."""
    place = f"--namespace={space.namespace}"
    cluster("create", "serviceaccount", "reader", place)
    member = f"--serviceaccount={space.namespace}:reader"
    cluster("create", "rolebinding", "reader", "--clusterrole=sluice-viewer", member, place)
    token = cluster("create", "token", "reader", "--audience=sluice", place).strip()
    return Reader(controller, space.namespace, token)
