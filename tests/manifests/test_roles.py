"""The roles: the controller has no right that it does not need, and each role of people holds the one before it."""

from __future__ import annotations

import pytest

from sluice.api.kinds import SLUICE_KINDS
from sluice.manifests import Settings, installed
from tests.manifests.reading import by_identity
from tests.manifests.rights import granted

OBJECTS = by_identity(installed(Settings()))
ROLES = {name: obj for (kind, _, name), obj in OBJECTS.items() if kind == "ClusterRole"}
CONTROLLERS = ("sluice-controller", "sluice-controller-launcher")


def test_no_role_says_every_of_anything() -> None:
    roles = [obj for obj in OBJECTS.values() if obj["kind"] in {"ClusterRole", "Role"}]
    assert len(roles) == 7
    assert not [right for role in roles for right in granted(role) if "*" in right]


def test_no_right_stands_twice_in_a_role() -> None:
    for role in (obj for obj in OBJECTS.values() if obj["kind"] in {"ClusterRole", "Role"}):
        held = list(granted(role))
        assert len(held) == len(set(held)), role["metadata"]["name"]


def test_no_cluster_role_knows_secrets() -> None:
    assert not [right for role in ROLES.values() for right in granted(role) if right[1] == "secrets"]


def test_in_its_own_namespace_the_controller_reads_the_one_secret_of_its_certificates() -> None:
    own = OBJECTS["Role", "sluice-system", "sluice-controller"]
    secrets = [(name, verb) for _, resource, name, verb in granted(own) if resource == "secrets"]
    assert {name for name, verb in secrets if verb != "create"} == {"sluice-controller-tls"}
    assert ("", "create") in secrets
    leases = [(name, verb) for _, resource, name, verb in granted(own) if resource == "leases"]
    assert {name for name, verb in leases if verb != "create"} == {"sluice-controller"}


def test_the_controller_grants_no_rights_and_acts_for_nobody_else() -> None:
    forbidden = {"escalate", "bind", "impersonate", "approve", "sign", "deletecollection", "use"}
    for name in CONTROLLERS:
        held = set(granted(ROLES[name]))
        assert not {verb for _, _, _, verb in held} & forbidden
        assert not {group for group, _, _, _ in held} & {"rbac.authorization.k8s.io", "certificates.k8s.io"}
        assert not {resource for _, resource, _, _ in held} & {"serviceaccounts/token", "pods/exec", "nodes", "secrets"}


def test_only_the_launchers_role_starts_and_ends_pods() -> None:
    writing = {"create", "delete", "patch", "update"}
    looking = {right for right in granted(ROLES["sluice-controller"]) if right[1] in {"pods", "jobs"}}
    assert not {verb for _, _, _, verb in looking} & writing
    launching = {(resource, verb) for _, resource, _, verb in granted(ROLES["sluice-controller-launcher"])}
    assert {("pods", "create"), ("jobs", "create"), ("jobs", "delete")} <= launching


def test_statuses_are_the_controllers() -> None:
    statuses = {f"{kind.plural}/status" for kind in SLUICE_KINDS}
    assert statuses == {right[1] for right in granted(ROLES["sluice-controller"]) if right[1].endswith("/status")}
    people = [role for name, role in ROLES.items() if name not in CONTROLLERS]
    assert not [right for role in people for right in granted(role) if "/" in right[1]]


def test_each_role_of_people_holds_the_one_before_it() -> None:
    viewer, author, editor, admin = (
        set(granted(ROLES[f"sluice-{name}"])) for name in ("viewer", "author", "editor", "admin")
    )
    assert viewer < author < editor < admin
    assert editor - author == {("sluice.dev", "environments", "", "use")}


def test_a_viewer_looks_and_does_nothing_else() -> None:  # R250, R251
    held = set(granted(ROLES["sluice-viewer"]))
    assert {verb for _, _, _, verb in held} == {"get", "list", "watch"}
    assert {resource for _, resource, _, _ in held} == {kind.plural for kind in SLUICE_KINDS}


@pytest.mark.parametrize(("role", "into"), [("viewer", "view"), ("editor", "edit"), ("admin", "admin")])
def test_each_role_adds_to_one_of_kubernetes_own(role: str, into: str) -> None:
    labels = ROLES[f"sluice-{role}"]["metadata"]["labels"]
    told = {label for label in labels if label.startswith("rbac.authorization.k8s.io/")}
    assert told == {f"rbac.authorization.k8s.io/aggregate-to-{into}"}
    assert "rbac.authorization.k8s.io/aggregate-to-edit" not in ROLES["sluice-author"]["metadata"]["labels"]


def test_versions_and_approvals_are_made_by_the_controller_alone() -> None:
    for name, role in ROLES.items():
        makes = {resource for _, resource, _, verb in granted(role) if verb == "create"}
        assert ({"workflowversions", "approvals"} <= makes) == (name == "sluice-controller"), name


def test_where_namespaces_are_chosen_pods_are_started_in_these_only() -> None:
    found = by_identity(installed(Settings(launch_in=("red", "blue"))))
    bound = {key: obj for key, obj in found.items() if obj.get("roleRef", {}).get("name") == CONTROLLERS[1]}
    assert [(kind, namespace) for kind, namespace, _ in bound] == [("RoleBinding", "red"), ("RoleBinding", "blue")]
    account = {"kind": "ServiceAccount", "name": "sluice-controller", "namespace": "sluice-system"}
    assert all(obj["subjects"] == [account] for obj in bound.values())
    everywhere = OBJECTS["ClusterRoleBinding", "", CONTROLLERS[1]]
    assert everywhere["subjects"] == [account]


def test_every_binding_binds_a_role_that_is_there_to_an_account_that_is_there() -> None:
    for (kind, namespace, _), obj in OBJECTS.items():
        if kind in {"RoleBinding", "ClusterRoleBinding"}:
            role = obj["roleRef"]
            assert (role["kind"], namespace if role["kind"] == "Role" else "", role["name"]) in OBJECTS
            (subject,) = obj["subjects"]
            assert (subject["kind"], subject["namespace"], subject["name"]) in OBJECTS
