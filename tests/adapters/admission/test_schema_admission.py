"""The embedded server's admission: what the port promises, in an API server's words."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sluice.adapters.admission import SchemaAdmission
from sluice.adapters.admission.schema_admission import AUTHORED_KINDS
from sluice.api.kinds import CONFIG_MAP, KindInfo, kind_named
from sluice.crds import schemas
from sluice.domain.definition.validation.findings import errors
from sluice.domain.definition.validation.objects import validate_object
from sluice.domain.objects.metadata import Problem
from sluice.ports.admission import AdmissionRequest, Operation
from sluice.ports.errors import Cause, Forbidden, Invalid
from sluice.ports.store import Actor
from tests.domain.admission.objects import PIN, an

CONTROLLER = Actor("sluice-controller")
ANA = Actor("ana", ("leads",))
Obj = dict[str, Any]


def request(operation: Operation, new: Obj | None, old: Obj | None = None, **given: Any) -> AdmissionRequest:
    info = kind_named((new or old or {})["kind"])
    assert isinstance(info, KindInfo)
    return AdmissionRequest(info, operation, given.pop("actor", ANA), old, new, **given)


@pytest.fixture
def admission() -> SchemaAdmission:
    return SchemaAdmission(schemas(), controllers=[CONTROLLER.user])


def test_a_write_is_pruned_and_filled_in_place(admission: SchemaAdmission) -> None:
    obj = an("Rollout", typo=1)
    admission.admit(request("CREATE", obj))
    assert "typo" not in obj["spec"]
    assert obj["spec"]["fastRevert"] == "30d"


def test_the_stored_object_is_never_touched(admission: SchemaAdmission) -> None:
    old, new = an("WorkflowRun"), an("WorkflowRun", cancel=True)
    before = copy.deepcopy(old)
    admission.admit(request("UPDATE", new, old))
    assert old == before


def test_one_fault_is_told_with_its_field_and_value(admission: SchemaAdmission) -> None:
    with pytest.raises(Invalid) as refused:
        admission.admit(request("CREATE", an("Workflow", owner="ana at example")))  # R220
    pattern = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
    told = f"Invalid value: \"ana at example\": spec.owner in body should match '{pattern}'"
    assert str(refused.value) == f'Workflow.sluice.dev "hello" is invalid: spec.owner: {told}'
    assert refused.value.causes == (Cause("spec.owner", told, "FieldValueInvalid"),)


def test_several_faults_are_told_at_once(admission: SchemaAdmission) -> None:
    with pytest.raises(Invalid) as refused:
        admission.admit(request("CREATE", an("Environment", type="Test", launch="Boat")))
    assert str(refused.value) == (
        'Environment.sluice.dev "sandbox" is invalid: [spec.type: Unsupported value: "Test": supported values: '
        '"Sandbox", "Production", spec.launch: Unsupported value: "Boat": supported values: "Auto", "Job", "Pod", "Process"]'
    )


def test_a_status_write_is_held_to_the_schema_of_status(admission: SchemaAdmission) -> None:
    old = an("WorkflowRun")
    admission.admit(request("UPDATE", old | {"status": {"phase": "Running"}}, old, subresource="status"))
    with pytest.raises(Invalid, match=r"status\.phase: Unsupported value"):
        admission.admit(request("UPDATE", old | {"status": {"phase": "Runing"}}, old, subresource="status"))


def test_a_pin_is_the_controllers_and_is_written_once(admission: SchemaAdmission) -> None:
    old, pinned = an("WorkflowRun", cancel=False), an("WorkflowRun", pin=PIN)
    with pytest.raises(Forbidden, match=r'workflowruns\.sluice\.dev "hello-x7k2p" is forbidden: only the controller'):
        admission.admit(request("UPDATE", copy.deepcopy(pinned), old))
    admission.admit(request("UPDATE", copy.deepcopy(pinned), old, actor=CONTROLLER))
    moved = an("WorkflowRun", pin={**PIN, "number": 4})
    with pytest.raises(Invalid, match="the pin is written once"):
        admission.admit(request("UPDATE", moved, pinned, actor=CONTROLLER))


def test_the_verb_use_is_asked_for_in_the_objects_namespace() -> None:
    asked = []

    def may_use(actor: Actor, namespace: str, environment: str) -> bool:
        asked.append((actor.user, namespace, environment))
        return False

    admission = SchemaAdmission(schemas(), controllers=[CONTROLLER.user], may_use=may_use)
    with pytest.raises(Forbidden, match="verb use"):
        admission.admit(request("CREATE", an("WorkflowRun")))
    assert asked == [("ana", "default", "sandbox")]


def test_a_version_in_use_is_not_deleted(admission: SchemaAdmission) -> None:
    version = an("WorkflowVersion")
    version["metadata"]["ownerReferences"] = [{"uid": "u", "kind": "Workflow", "name": "hello"}]
    with pytest.raises(Forbidden, match="kept as long as its workflow"):
        admission.admit(request("DELETE", None, version))
    admission.admit(request("DELETE", None, version, actor=CONTROLLER))


def test_what_a_webhook_would_find_is_refused_at_once() -> None:
    def validate(obj: Obj) -> list[Problem]:
        return [Problem("spec.definition.steps[0].needs[0]", f"{obj['kind']} has no step named x")]

    admission = SchemaAdmission(schemas(), controllers=[], validate=validate)
    with pytest.raises(Invalid, match=r"steps\[0\]\.needs\[0\]: Workflow has no step named x"):
        admission.admit(request("CREATE", an("Workflow")))


def test_a_label_on_what_was_accepted_once_is_not_validated_again() -> None:
    admission = SchemaAdmission(schemas(), controllers=[], validate=lambda _: [Problem("spec", "no")])
    old, new = an("Workflow"), an("Workflow")
    new["metadata"]["labels"] = {"a": "b"}
    admission.admit(request("UPDATE", new, old))
    assert new["metadata"]["labels"] == {"a": "b"}


def test_kinds_of_kubernetes_pass_as_they_are(admission: SchemaAdmission) -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "anything": 1}
    admission.admit(AdmissionRequest(CONFIG_MAP, "CREATE", ANA, None, obj))
    assert obj["anything"] == 1


def test_the_validator_of_manifests_fits_in_and_finds_nothing_in_minimal_objects() -> None:
    admission = SchemaAdmission(
        schemas(), controllers=[CONTROLLER.user], validate=lambda obj: errors(validate_object(obj))
    )
    for kind in sorted(AUTHORED_KINDS):
        obj = an(kind)
        admission.admit(request("CREATE", obj, actor=CONTROLLER))
        assert obj["spec"]
    broken = an(
        "Workflow", definition={"steps": [{"name": "a", "needs": ["b"], "action": {"python": {"code": "output = 1"}}}]}
    )
    with pytest.raises(Invalid, match=r"spec\.definition\.steps\[0\]\.needs\[0\]"):
        admission.admit(request("CREATE", broken))


def test_what_is_wrong_with_metadata_is_left_to_the_store() -> None:
    found = [Problem("metadata.labels.a", "no label"), Problem("spec.team", "no team")]
    admission = SchemaAdmission(schemas(), controllers=[], validate=lambda _: found)
    with pytest.raises(Invalid) as refused:
        admission.admit(request("CREATE", an("Workflow")))
    assert [cause.field for cause in refused.value.causes] == ["spec.team"]
