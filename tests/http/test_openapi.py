"""OpenAPI documents: what ``kubectl explain`` shows and what kubectl probes before it writes."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.api.kinds import WORKFLOW
from tests.http.client import Client
from tests.http.places import WORKFLOWS

GVK = "x-kubernetes-group-version-kind"


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    return client.get("/openapi/v3/apis/sluice.dev/v1alpha1").json()


def test_the_index_names_a_document_for_each_group_and_version(client: Client) -> None:
    paths = client.get("/openapi/v3").json()["paths"]

    assert set(paths) == {
        "api/v1",
        "apis/sluice.dev/v1alpha1",
        "apis/coordination.k8s.io/v1",
        "apis/events.k8s.io/v1",
    }
    for entry in paths.values():
        assert client.get(entry["serverRelativeURL"]).json()["openapi"] == "3.0.0"


def test_a_kind_is_found_by_its_group_version_kind(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["dev.sluice.v1alpha1.Workflow"]

    assert schema[GVK] == [{"group": "sluice.dev", "version": "v1alpha1", "kind": WORKFLOW.kind}]
    assert schema["properties"]["spec"]["properties"]["owner"]["type"] == "string"
    assert schema["properties"]["metadata"]["allOf"] == [
        {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
    ]


def test_every_reference_leads_somewhere(client: Client) -> None:
    for entry in client.get("/openapi/v3").json()["paths"].values():
        document = client.get(entry["serverRelativeURL"]).json()
        names = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
        assert references(document) <= names


def references(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(references, value))
    if isinstance(value, dict):
        found = set().union(*map(references, value.values()))
        return found | {value["$ref"]} if "$ref" in value else found
    return set()


def test_patch_takes_what_kubectl_looks_for(document: dict[str, Any]) -> None:
    patch = document["paths"][f"{WORKFLOWS.replace('default', '{namespace}')}/{{name}}"]["patch"]

    assert {each["name"] for each in patch["parameters"]} == {"dryRun", "fieldManager", "fieldValidation", "force"}
    assert patch[GVK]["kind"] == "Workflow"
    assert "application/apply-patch+yaml" in patch["requestBody"]["content"]
    assert "application/strategic-merge-patch+json" not in patch["requestBody"]["content"]


def test_the_older_document_is_empty_but_there(client: Client) -> None:
    response = client.get("/openapi/v2")

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"].startswith("application/com.github.proto-openapi.spec.v2")
