"""What the controller may do: the least that its work takes, in three roles.

* ``sluice-controller``, on the whole cluster: its own kinds, and looking at namespaces and pods.
* ``sluice-controller-launcher``: starting and ending pods. Whoever may create pods in a namespace reaches the Secrets in
  it, so this one can be bound in chosen namespaces only.
* ``sluice-controller`` in its own namespace: the lease of the leader, and the Secret of its certificates.

No role reads Secrets beyond that one. A kubeconfig of another cluster is granted by name, by who owns the workspace.
"""

from __future__ import annotations

from sluice.api.kinds import APPROVAL, GROUP, SLUICE_KINDS, WORKFLOW, WORKFLOW_RUN, WORKFLOW_VERSION
from sluice.manifests.settings import CONTROLLER, Manifest, Settings, cluster_wide, namespaced

RBAC_GROUP = "rbac.authorization.k8s.io"
RBAC = f"{RBAC_GROUP}/v1"
LAUNCHER = f"{CONTROLLER}-launcher"
CERTIFICATES = f"{CONTROLLER}-tls"
VALIDATION = "sluice-validation"
"""The ValidatingWebhookConfiguration into which the controller writes who signed its certificate."""
LOOK = ("get", "list", "watch")

_PLURALS = [kind.plural for kind in SLUICE_KINDS]
_READ_ALONE = [kind.plural for kind in SLUICE_KINDS if kind is not APPROVAL]
"""What is read by its name at times, since a cache may be of yesterday."""


def rule(group: str, resources: list[str], *verbs: str, names: tuple[str, ...] = ()) -> Manifest:
    """One rule of a role, for all objects or for those of these names."""
    made: Manifest = {"apiGroups": [group], "resources": resources, "verbs": list(verbs)}
    return made | ({"resourceNames": list(names)} if names else {})


CLUSTER_RULES = (
    rule(GROUP, _READ_ALONE, "get"),
    rule(GROUP, _PLURALS, "list", "watch"),
    rule(GROUP, [f"{plural}/status" for plural in _PLURALS], "update"),
    rule(GROUP, [WORKFLOW_VERSION.plural, APPROVAL.plural], "create"),
    rule(GROUP, [WORKFLOW.plural, WORKFLOW_RUN.plural], "update"),  # finalizers; the pin of a run
    rule(GROUP, [WORKFLOW_RUN.plural], "delete"),  # those that ended long ago
    # Where OwnerReferencesPermissionEnforcement is on, this is asked of who makes an object that holds its owner back.
    rule(GROUP, [f"{WORKFLOW.plural}/finalizers"], "update"),
    rule("", ["namespaces"], "get"),
    rule("", ["pods"], "list", "watch"),
    rule("batch", ["jobs"], "list"),
    rule("networking.k8s.io", ["networkpolicies"], "list"),
    rule("", ["events"], "create", "get", "list", "patch"),
    rule("authentication.k8s.io", ["tokenreviews"], "create"),
    rule("authorization.k8s.io", ["subjectaccessreviews"], "create"),
    rule("admissionregistration.k8s.io", ["validatingwebhookconfigurations"], "get", "patch", names=(VALIDATION,)),
)
LAUNCHER_RULES = (
    rule("", ["pods"], "get", "create", "delete"),
    rule("", ["pods/log"], "get"),
    rule("batch", ["jobs"], "get", "create", "delete"),
    rule("networking.k8s.io", ["networkpolicies"], "create", "patch", "delete"),  # applied, which takes the first two
)
OWN_RULES = (
    # A name can't be asked for in a creation: there is no object yet that has it.
    rule("coordination.k8s.io", ["leases"], "create"),
    rule("coordination.k8s.io", ["leases"], *LOOK, "update", names=(CONTROLLER,)),
    rule("", ["secrets"], "create"),
    rule("", ["secrets"], "get", "update", names=(CERTIFICATES,)),
)


def controller_rights(settings: Settings) -> list[Manifest]:
    """The account of the controller, its roles, and the bindings of all but the launcher's."""
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": namespaced(CONTROLLER, settings),
        "automountServiceAccountToken": False,
    }
    own = {"apiVersion": RBAC, "kind": "Role", "metadata": namespaced(CONTROLLER, settings), "rules": list(OWN_RULES)}
    return [
        account,
        cluster_role(CONTROLLER, CLUSTER_RULES),
        _binding("ClusterRoleBinding", cluster_wide(CONTROLLER), ("ClusterRole", CONTROLLER), settings),
        own,
        _binding("RoleBinding", namespaced(CONTROLLER, settings), ("Role", CONTROLLER), settings),
        cluster_role(LAUNCHER, LAUNCHER_RULES),
    ]


def launcher_bindings(settings: Settings) -> list[Manifest]:
    """Where the controller may start pods: everywhere, or in the namespaces that were chosen."""
    role = ("ClusterRole", LAUNCHER)
    if not settings.launch_in:
        return [_binding("ClusterRoleBinding", cluster_wide(LAUNCHER), role, settings)]
    places = [cluster_wide(LAUNCHER) | {"namespace": namespace} for namespace in settings.launch_in]
    return [_binding("RoleBinding", place, role, settings) for place in places]


def cluster_role(name: str, rules: tuple[Manifest, ...], **labels: str) -> Manifest:
    """A role for the whole cluster, or for bindings in any namespace."""
    return {"apiVersion": RBAC, "kind": "ClusterRole", "metadata": cluster_wide(name, **labels), "rules": list(rules)}


def _binding(kind: str, metadata: Manifest, role: tuple[str, str], settings: Settings) -> Manifest:
    subject = {"kind": "ServiceAccount", "name": CONTROLLER, "namespace": settings.namespace}
    reference = {"apiGroup": RBAC_GROUP, "kind": role[0], "name": role[1]}
    return {"apiVersion": RBAC, "kind": kind, "metadata": metadata, "roleRef": reference, "subjects": [subject]}
