"""Unknown and doubled fields: refused, warned of or ignored, as the client wishes."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.http.kubernetes.bodies import duplicate_fields
from sluice.http.kubernetes.fields import unknown_fields, unknown_in_patch
from tests.http.client import Client
from tests.http.places import APPLY, JSON_PATCH, MERGE, WORKFLOWS, YAML
from tests.http.schemas import WORKFLOW_SCHEMA, workflow

MISSPELT = {**workflow("alpha"), "spec": {"owner": "a", "ovner": "b"}}


def test_strict_refuses_an_unknown_field_by_its_path(client: Client) -> None:
    response = client.post(WORKFLOWS, params={"fieldValidation": "Strict"}, json=MISSPELT)

    assert response.status_code == 400
    assert response.json()["message"] == (
        'Workflow in version "v1alpha1" cannot be handled as a Workflow: '
        'strict decoding error: unknown field "spec.ovner"'
    )


def test_warn_is_the_default_and_says_it_in_a_header(client: Client) -> None:
    response = client.post(WORKFLOWS, json=MISSPELT)

    assert response.status_code == 201
    assert response.headers["warning"] == r'299 - "unknown field \"spec.ovner\""'


def test_a_field_made_up_to_split_the_header_does_not(client: Client) -> None:
    body = workflow("alpha")
    body["spec"] = {"a\r\nSet-Cookie: x=1\u20ac" + "y" * 1000: 1}
    response = client.post(WORKFLOWS, json=body)

    assert "set-cookie" not in response.headers
    assert response.headers["warning"].startswith(r'299 - "unknown field \"spec.a??Set-Cookie: x=1?y')
    assert len(response.headers["warning"]) < 300


def test_ignore_says_nothing(client: Client) -> None:
    response = client.post(WORKFLOWS, params={"fieldValidation": "Ignore"}, json=MISSPELT)

    assert (response.status_code, "warning" in response.headers) == (201, False)


def test_another_wish_is_invalid(client: Client) -> None:
    assert client.post(WORKFLOWS, params={"fieldValidation": "Lax"}, json=MISSPELT).status_code == 422


def test_strict_refuses_a_field_given_twice(client: Client) -> None:
    body = (
        '{"apiVersion":"sluice.dev/v1alpha1","kind":"Workflow","metadata":{"name":"a"},'
        '"spec":{"owner":"a","owner":"b","definition":{"steps":[{"name":"x","name":"y"}]}}}'
    )
    strict = {"fieldValidation": "Strict"}
    response = client.post(WORKFLOWS, params=strict, content=body, headers={"content-type": "application/json"})

    assert 'duplicate field "spec.owner", duplicate field "spec.definition.steps[0].name"' in response.json()["message"]


def test_strict_refuses_a_key_given_twice_in_yaml(client: Client) -> None:
    body = "apiVersion: sluice.dev/v1alpha1\nkind: Workflow\nmetadata: {name: a}\nspec:\n  owner: a\n  owner: b\n"
    response = client.post(WORKFLOWS, params={"fieldValidation": "Strict"}, content=body, headers=YAML)

    assert 'line 6: key "owner" already set in map' in response.json()["message"]


def test_a_merge_patch_is_checked_as_well(client: Client) -> None:
    client.post(WORKFLOWS, json=workflow("alpha"))
    strict = {"fieldValidation": "Strict"}
    response = client.patch(f"{WORKFLOWS}/alpha", params=strict, json={"spec": {"x": 1}}, headers=MERGE)

    assert (response.status_code, 'unknown field "spec.x"' in response.json()["message"]) == (400, True)


@pytest.mark.parametrize(
    ("path", "value", "unknown"),
    [
        ("/spec/ovner", "x", "spec.ovner"),
        ("/spec/definition/steps/0", {"retries": 1}, "spec.definition.steps[0].retries"),
        ("/spec/definition/steps/-", {"name": "b"}, ""),
        ("/spec/definition/context/any/depth", 1, ""),
        ("/metadata/labels/a~1b", "1", ""),
        ("/spec", {"suspend": True, "x": 1}, "spec.x"),
    ],
)
def test_a_json_patch_is_checked_where_it_adds(path: str, value: Any, unknown: str) -> None:
    found = unknown_in_patch(
        [{"op": "add", "path": path, "value": value}, {"op": "remove", "path": "/x"}], WORKFLOW_SCHEMA
    )

    assert found == ([unknown] if unknown else [])


def test_a_json_patch_with_an_unknown_field_is_refused(client: Client) -> None:
    client.post(WORKFLOWS, json=workflow("alpha"))
    patch = [{"op": "add", "path": "/spec/ovner", "value": "x"}]
    strict = {"fieldValidation": "Strict"}
    response = client.patch(f"{WORKFLOWS}/alpha", params=strict, json=patch, headers=JSON_PATCH)

    assert (response.status_code, 'unknown field "spec.ovner"' in response.json()["message"]) == (400, True)


def test_applying_takes_no_field_that_is_not_declared(client: Client) -> None:
    response = client.patch(f"{WORKFLOWS}/alpha", params={"fieldManager": "a"}, json=MISSPELT, headers=APPLY)

    assert response.status_code == 400
    assert response.json()["message"] == (
        "failed to create typed patch object (default/alpha; sluice.dev/v1alpha1, Kind=Workflow): "
        ".spec.ovner: field not declared in schema"
    )


@pytest.mark.parametrize(
    ("obj", "unknown"),
    [
        ({"spec": {"owner": "a"}, "kind": "Workflow", "apiVersion": "x"}, []),
        ({"spec": {"definition": {"context": {"any": {"thing": 1}}}}}, []),
        ({"spec": {"definition": {"steps": [{"name": "a"}, {"retries": 1}]}}}, ["spec.definition.steps[1].retries"]),
        ({"metadata": {"name": "a", "labels": {"x/y": "1"}, "colour": "red"}}, ["metadata.colour"]),
        ({"specs": {}}, ["specs"]),
        ({"spec": None}, []),
        ({"spec": {"tags": ["a", "b"]}}, []),
    ],
)
def test_fields_are_known_by_the_schema(obj: dict[str, Any], unknown: list[str]) -> None:
    assert unknown_fields(obj, WORKFLOW_SCHEMA) == unknown


def test_a_wrong_file_is_not_told_in_full() -> None:
    assert len(unknown_fields({f"field{number}": 1 for number in range(1000)}, WORKFLOW_SCHEMA)) == 20


def test_the_same_name_in_two_objects_is_no_duplicate() -> None:
    assert duplicate_fields(b'{"a":{"x":1},"b":{"x":1},"c":[{"x":1},{"x":2}]}') == ()
