"""The ValidatingAdmissionPolicies that stand beside the CRDs."""

from __future__ import annotations

from sluice.crds.policies import CONTROLLER_USER, policy_manifests
from sluice.domain.admission.policies import POLICIES

POLICY = "ValidatingAdmissionPolicy"
MANIFESTS = policy_manifests()
SPECS = [manifest["spec"] for manifest in MANIFESTS if manifest["kind"] == POLICY]


def test_every_policy_is_bound_and_denies() -> None:
    names = [manifest["metadata"]["name"] for manifest in MANIFESTS if manifest["kind"] == POLICY]
    bindings = [manifest["spec"] for manifest in MANIFESTS if manifest["kind"] == f"{POLICY}Binding"]
    assert [binding["policyName"] for binding in bindings] == names
    assert len(set(names)) == len(names)
    assert all(binding["validationActions"] == ["Deny"] for binding in bindings)


def test_a_policy_that_can_not_be_evaluated_refuses_the_write() -> None:
    assert {spec["failurePolicy"] for spec in SPECS} == {"Fail"}


def test_every_entry_of_the_table_stands_in_one_policy_of_its_kind() -> None:
    written = {
        (rule["resources"][0], tuple(rule["operations"]), validation["expression"])
        for spec in SPECS
        for rule in spec["matchConstraints"]["resourceRules"]
        for validation in spec["validations"]
    }
    assert written == {(policy.kind.plural, policy.operations, policy.cel) for policy in POLICIES}


def test_status_writes_are_not_policed() -> None:
    resources = {rule["resources"][0] for spec in SPECS for rule in spec["matchConstraints"]["resourceRules"]}
    assert resources == {"workflowruns", "approvals", "workflowversions"}


def test_the_controller_is_known_by_its_service_account() -> None:
    for spec in SPECS:
        assert spec["variables"] == [
            {"name": "isController", "expression": f"request.userInfo.username == '{CONTROLLER_USER}'"}
        ]
