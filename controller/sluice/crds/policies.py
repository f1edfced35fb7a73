"""The ValidatingAdmissionPolicies and their bindings, from the table of policies that the embedded server evaluates."""

from __future__ import annotations

from typing import Any

from sluice.api.kinds import GROUP, VERSION, KindInfo
from sluice.domain.admission.policies import POLICIES, Policy

CONTROLLER_USER = "system:serviceaccount:sluice-system:sluice-controller"
"""The controller as a cluster knows it: the service account that the installation manifests make."""

Manifest = dict[str, Any]


def policy_manifests() -> list[Manifest]:
    """A policy with its binding for each kind that has any."""
    kinds = {policy.kind.kind: policy.kind for policy in POLICIES}
    manifests: list[Manifest] = []
    for kind in kinds.values():
        manifests += _manifests_of(kind, [policy for policy in POLICIES if policy.kind is kind])
    return manifests


def _manifests_of(kind: KindInfo, policies: list[Policy]) -> list[Manifest]:
    """One policy for each set of operations, since what is true of a creation is not asked of a deletion."""
    manifests: list[Manifest] = []
    for operations in dict.fromkeys(policy.operations for policy in policies):
        name = f"{kind.plural}-{'-'.join(operations).lower()}.{GROUP}"
        chosen = [policy for policy in policies if policy.operations == operations]
        manifests += [_policy(name, kind, chosen), _binding(name)]
    return manifests


def _policy(name: str, kind: KindInfo, policies: list[Policy]) -> Manifest:
    rule = {
        "apiGroups": [GROUP],
        "apiVersions": [VERSION],
        "operations": list(policies[0].operations),
        "resources": [kind.plural],
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "sluice"}},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [rule]},
            "variables": [
                {"name": "isController", "expression": f"request.userInfo.username == '{CONTROLLER_USER}'"},
            ],
            "validations": [
                {"expression": policy.cel, "message": policy.message, "reason": "Forbidden"} for policy in policies
            ],
        },
    }


def _binding(name: str) -> Manifest:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "sluice"}},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
