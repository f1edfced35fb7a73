"""What people may do: a role for each of viewer, editor and admin, which adds to Kubernetes' own view, edit and admin.

Each holds all of the one before it, so it can also be bound by itself. ``sluice-author`` is the editor without the verb
``use``: for those who may run in some environments only, and get ``use`` on these by a role of the workspace.
"""

from __future__ import annotations

from sluice.api.kinds import (
    APPROVAL,
    ENVIRONMENT,
    ENVIRONMENT_STATE,
    GROUP,
    ROLLOUT,
    SLUICE_KINDS,
    WORKFLOW,
    WORKFLOW_RUN,
    WORKFLOW_VERSION,
)
from sluice.manifests.controller_rights import LOOK, RBAC_GROUP, cluster_role, rule
from sluice.manifests.settings import Manifest

CHANGE = ("update", "patch")
WRITE = ("create", *CHANGE, "delete", "deletecollection")
REMOVE = ("delete", "deletecollection")
USE = "use"
"""The verb on an Environment that starting a run in it takes."""

VIEWER_RULES = (rule(GROUP, [kind.plural for kind in SLUICE_KINDS], *LOOK),)
AUTHOR_RULES = (
    *VIEWER_RULES,
    rule(GROUP, [WORKFLOW.plural, ROLLOUT.plural, ENVIRONMENT_STATE.plural, WORKFLOW_RUN.plural], *WRITE),
    rule(GROUP, [APPROVAL.plural], *CHANGE),  # whose decision counts is the approval's own to say
)
EDITOR_RULES = (*AUTHOR_RULES, rule(GROUP, [ENVIRONMENT.plural], USE))
ADMIN_RULES = (
    *EDITOR_RULES,
    rule(GROUP, [ENVIRONMENT.plural], *WRITE),
    rule(GROUP, [WORKFLOW_VERSION.plural, APPROVAL.plural], *REMOVE),  # those whose workflow is gone
)


def people_rights() -> list[Manifest]:
    """The roles. Binding them is up to who owns a workspace."""
    return [
        _aggregated("sluice-viewer", VIEWER_RULES, "view"),
        cluster_role("sluice-author", AUTHOR_RULES),
        _aggregated("sluice-editor", EDITOR_RULES, "edit"),
        _aggregated("sluice-admin", ADMIN_RULES, "admin"),
    ]


def _aggregated(name: str, rules: tuple[Manifest, ...], into: str) -> Manifest:
    """Kubernetes' edit holds view, and admin holds edit, so each role is added to one of them."""
    return cluster_role(name, rules, **{f"{RBAC_GROUP}/aggregate-to-{into}": "true"})
