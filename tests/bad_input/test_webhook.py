"""The table at a cluster's door: what its schemas let pass, the validating webhook refuses in the embedded server's words."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import orjson
import pytest

from sluice.adapters.admission import SchemaAdmission
from sluice.crds import bundle
from sluice.domain.definition.validation.objects import validate_object
from sluice.http.kubernetes.fields import unknown_fields
from sluice.http.validation import answer_to, question_in
from sluice.ports.admission import AdmissionRequest
from sluice.ports.errors import Forbidden, Invalid
from sluice.ports.store import Obj
from tests.bad_input.cases import CASES
from tests.bad_input.server import ANA, BadObject, Door, bad_objects

KNOWN = bundle.schemas()
SCHEMAS = SchemaAdmission(KNOWN, controllers=[])


def passes_the_schemas(bad: BadObject) -> bool:
    """Whether a cluster's own checks find nothing, so that the webhook is asked."""
    made = copy.deepcopy(bad.obj)
    if bad.case.field.startswith("metadata") or unknown_fields(made, KNOWN[bad.kind.kind]):
        return False
    try:
        SCHEMAS.admit(AdmissionRequest(bad.kind, "CREATE", ANA, None, made))
    except (Invalid, Forbidden):
        return False
    return True


def asked_of_the_webhook(obj: Obj) -> Obj:
    request = {"uid": "1", "operation": "CREATE", "object": obj}
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    response: Obj = answer_to(question_in(orjson.dumps(review)), validate_object)["response"]
    return response


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    made = Door()
    yield made
    made.close()


LEFT = [bad for bad in bad_objects(CASES) if passes_the_schemas(bad)]


def test_much_of_the_table_is_beyond_schemas() -> None:
    assert len(LEFT) >= 80


@pytest.mark.parametrize("bad", LEFT, ids=[bad.case.name for bad in LEFT])
def test_the_webhook_says_what_the_embedded_server_says(bad: BadObject, door: Door) -> None:
    refused = door.create(bad.obj)
    response = asked_of_the_webhook(bad.obj)
    assert refused.status_code == 422
    assert (response["allowed"], response["status"]) == (False, refused.json())
