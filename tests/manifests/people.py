"""People with roles in workspaces of a real API server, and what they try there. Nothing they do is kept."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sluice.crds.policies import CONTROLLER_USER
from tests.cluster.installation import Cluster
from tests.contracts.store.builders import eventually
from tests.domain.admission.objects import an

VERA, ARTHUR, EDITH, ADAM = (f"{name}@example.com" for name in ("vera", "arthur", "edith", "adam"))
ROLES = {VERA: "view", ARTHUR: "sluice-author", EDITH: "edit", ADAM: "admin"}
"""Who has which role in their workspace: Kubernetes' own, but for the author's."""
HOME, ABROAD = "red", "blue"
Obj = dict[str, Any]


@dataclass(frozen=True, slots=True)
class People:
    """Each command is one person's, by Kubernetes' impersonation."""

    cluster: Cluster

    def settle(self) -> None:
        """Two workspaces with the same objects; the people have their roles in one of them."""
        for workspace in (HOME, ABROAD):
            self.cluster("create", "namespace", workspace)
            for kind in ("Workflow", "Environment", "WorkflowRun", "WorkflowVersion"):
                self.cluster("create", "-f", "-", stdin=json.dumps(placed(an(kind), workspace)))
            self.cluster("create", "-f", "-", stdin=json.dumps(placed(an("Environment", name="production"), workspace)))
            approval = an("Approval", approvers={"users": [VERA, ARTHUR, EDITH, ADAM]})
            self.cluster(
                "create",
                "-f",
                "-",
                f"--as={CONTROLLER_USER}",
                "--as-group=system:masters",
                stdin=_in(approval, workspace),
            )
        for user, role in ROLES.items():
            name = user.partition("@")[0]
            self.cluster(
                "create", "rolebinding", name, f"--clusterrole={role}", f"--user={user}", f"--namespace={HOME}"
            )
        eventually(lambda: self.may(VERA, "get", "workflows"), "Kubernetes' own roles have taken in Sluice's")
        eventually(lambda: self.may(EDITH, "use", "environments"), "Kubernetes' own roles have taken in Sluice's")
        eventually(lambda: self.may(ADAM, "create", "environments"), "Kubernetes' own roles have taken in Sluice's")

    def may(self, user: str, verb: str, plural: str, name: str = "", *, namespace: str = HOME) -> bool:
        """What ``kubectl auth can-i`` says."""
        resource = f"{plural}.sluice.dev" + (f"/{name}" if name else "")
        said = self.cluster.run("auth", "can-i", verb, resource, f"--as={user}", f"--namespace={namespace}").stdout
        return said.strip() == "yes"

    def rights(self, user: str, asked: Iterable[tuple[str, str]], *, namespace: str = HOME) -> set[tuple[str, str]]:
        """Those of the verbs on resources that the user has, asked all at once."""
        pairs = list(asked)
        reviews = [_review(user, verb, resource, namespace) for verb, resource in pairs]
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": reviews})
        answered = self.cluster("create", "-f", "-", "-o", "jsonpath={.status.allowed} ", stdin=listed).split()
        return {pair for pair, allowed in zip(pairs, answered, strict=True) if allowed == "true"}

    def tries(self, user: str, *words: str, stdin: Obj | None = None, namespace: str = HOME) -> str:
        """What kubectl says to somebody who writes; it is only tried, by the server itself."""
        told = json.dumps(placed(stdin, namespace)) if stdin is not None else None
        place = ["-f", "-"] if stdin is not None else [f"--namespace={namespace}"]
        done = self.cluster.run(*words, *place, "--dry-run=server", f"--as={user}", stdin=told)
        return done.stdout + done.stderr


def placed(obj: Obj, namespace: str) -> Obj:
    """The object, in a workspace."""
    return {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}


def _in(obj: Obj, namespace: str) -> str:
    return json.dumps(placed(obj, namespace))


def _review(user: str, verb: str, resource: str, namespace: str) -> Obj:
    plural, _, sub = resource.partition("/")
    attributes = {"group": "sluice.dev", "resource": plural, "verb": verb, "namespace": namespace}
    if sub:
        attributes["subresource"] = sub
    spec = {"user": user, "groups": ["system:authenticated"], "resourceAttributes": attributes}
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
