"""Create, update, patch and delete, as clients see them."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from sluice.adapters.sqlite.store import SqliteStore
from sluice.api.kinds import SECRET, WORKFLOW
from sluice.ports.store import Ref
from tests.http.client import Client
from tests.http.places import APPLY, GROUP, JSON_PATCH, MERGE, NAMESPACES, SECRETS, STRATEGIC, TABLE, WORKFLOWS, YAML
from tests.http.schemas import workflow

ALPHA = f"{WORKFLOWS}/alpha"


def stored(store: SqliteStore, name: str = "alpha") -> dict[str, Any]:
    return store.get(Ref(WORKFLOW, "default", name))


def test_a_created_object_is_answered_with_201(client: Client, store: SqliteStore) -> None:
    response = client.post(WORKFLOWS, json=workflow("alpha"))

    assert response.status_code == 201
    assert response.json() == stored(store)


def test_yaml_is_read_like_json(client: Client, store: SqliteStore) -> None:
    body = "apiVersion: sluice.dev/v1alpha1\nkind: Workflow\nmetadata: {name: alpha}\nspec: {owner: 2026-01-01}\n"

    assert client.post(WORKFLOWS, content=body, headers=YAML).status_code == 201
    assert stored(store)["spec"]["owner"] == "2026-01-01"
    assert stored(store)["metadata"]["namespace"] == "default"


def test_the_second_creation_is_a_conflict(client: Client) -> None:
    client.post(WORKFLOWS, json=workflow("alpha"))
    response = client.post(WORKFLOWS, json=workflow("alpha"))

    assert (response.status_code, response.json()["reason"]) == (409, "AlreadyExists")
    assert response.json()["details"] == {"name": "alpha", "group": "sluice.dev", "kind": "workflows"}


def test_a_name_can_be_left_to_the_server(client: Client) -> None:
    body = workflow("alpha")
    body["metadata"] = {"generateName": "alpha-"}

    assert client.post(WORKFLOWS, json=body).json()["metadata"]["name"].startswith("alpha-")


def test_a_dry_run_answers_and_stores_nothing(client: Client, store: SqliteStore) -> None:
    response = client.post(WORKFLOWS, params={"dryRun": "All"}, json=workflow("alpha"))

    assert response.status_code == 201
    assert client.get(ALPHA).status_code == 404
    assert client.post(WORKFLOWS, params={"dryRun": "Some"}, json=workflow("alpha")).status_code == 422


def test_a_write_can_be_answered_as_a_table(client: Client) -> None:
    response = client.post(WORKFLOWS, json=workflow("alpha"), headers={"accept": TABLE})

    assert response.json()["rows"][0]["cells"][0] == "alpha"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "Rollout"}, 'this place takes "Workflow"'),
        ({"apiVersion": "v1"}, 'this place takes "Workflow"'),
        ({"kind": ""}, "Object 'Kind' is missing"),
        ({"metadata": {"name": "alpha", "namespace": "other"}}, "does not match the namespace"),
        ({"metadata": []}, "metadata: must be an object"),
    ],
)
def test_an_object_must_fit_its_place(client: Client, change: dict[str, Any], message: str) -> None:
    response = client.post(WORKFLOWS, json={**workflow("alpha"), **change})

    assert response.status_code == 400
    assert message in response.json()["message"]


def test_an_update_replaces_and_a_stale_one_is_a_conflict(client: Client) -> None:
    first = client.post(WORKFLOWS, json=workflow("alpha")).json()
    first["spec"]["owner"] = "bob@example.com"

    second = client.put(ALPHA, json=first)
    stale = client.put(ALPHA, json=first)

    assert (second.status_code, second.json()["spec"]["owner"]) == (200, "bob@example.com")
    assert (stale.status_code, stale.json()["reason"]) == (409, "Conflict")
    assert stale.json()["details"] == {"name": "alpha", "group": "sluice.dev", "kind": "workflows"}


def test_the_name_in_the_url_is_the_name(client: Client) -> None:
    client.post(WORKFLOWS, json=workflow("alpha"))
    response = client.put(ALPHA, json=workflow("beta"))

    assert response.status_code == 400
    assert response.json()["message"] == ("the name of the object (beta) does not match the name on the URL (alpha)")


def test_status_is_written_through_its_own_door(client: Client, store: SqliteStore) -> None:
    client.post(WORKFLOWS, json=workflow("alpha"))
    client.put(f"{ALPHA}/status", json={**workflow("alpha"), "status": {"phase": "Draft"}})
    client.patch(f"{ALPHA}/status", json={"status": {"runs": 3}, "spec": {"owner": "x"}}, headers=MERGE)

    assert stored(store)["status"] == {"phase": "Draft", "runs": 3}
    assert stored(store)["spec"]["owner"] == "ana@example.com"
    assert client.get(f"{ALPHA}/status").json()["status"]["runs"] == 3


def test_the_four_patches(client: Client, store: SqliteStore) -> None:
    client.post(WORKFLOWS, json=workflow("alpha"))

    client.patch(ALPHA, json={"spec": {"suspend": True}}, headers=MERGE)
    client.patch(ALPHA, json=[{"op": "replace", "path": "/spec/owner", "value": "bob"}], headers=JSON_PATCH)
    applied = {**workflow("alpha"), "spec": {"displayName": "Alpha"}}
    response = client.patch(ALPHA, params={"fieldManager": "ana"}, json=applied, headers=APPLY)

    assert response.status_code == 200
    assert {**stored(store)["spec"], "definition": None} == {
        "owner": "bob",
        "suspend": True,
        "displayName": "Alpha",
        "definition": None,
    }


def test_applying_what_is_not_there_creates_it(client: Client) -> None:
    response = client.patch(ALPHA, params={"fieldManager": "ana"}, json=workflow("alpha"), headers=APPLY)

    assert response.status_code == 201


def test_applying_needs_a_manager_and_only_applying_may_force(client: Client) -> None:
    nameless = client.patch(ALPHA, json=workflow("alpha"), headers=APPLY)
    forced = client.patch(ALPHA, params={"force": "true"}, json={}, headers=MERGE)

    assert nameless.json()["details"]["causes"][0]["field"] == "fieldManager"
    assert forced.json()["details"]["causes"][0]["field"] == "force"
    assert (nameless.status_code, forced.status_code) == (422, 422)


def test_a_manager_without_a_name_is_called_after_its_program(client: Client) -> None:
    agent = {"user-agent": "kubectl-create/v1.32.4 (linux/amd64)"}
    made = client.post(WORKFLOWS, json=workflow("alpha"), headers=agent).json()

    assert made["metadata"]["managedFields"][0]["manager"] == "kubectl-create"


def test_strategic_merge_is_for_kubernetes_own_kinds(client: Client) -> None:
    client.post(WORKFLOWS, json=workflow("alpha"))
    client.post(SECRETS, json={"metadata": {"name": "s"}, "data": {"a": "YQ==", "b": "Yg=="}})

    refused = client.patch(ALPHA, json={}, headers=STRATEGIC)
    patch = {"data": {"a": None}, "metadata": {"$setElementOrder/finalizers": []}}
    done = client.patch(f"{SECRETS}/s", json=patch, headers=STRATEGIC)

    assert (refused.status_code, refused.json()["reason"]) == (415, "UnsupportedMediaType")
    assert done.json()["data"] == {"b": "Yg=="}


@pytest.mark.parametrize(("headers", "body"), [(MERGE, b"[]"), (JSON_PATCH, b"{}"), (MERGE, b"{"), (APPLY, b"a: [")])
def test_a_patch_that_is_none_is_a_bad_request(client: Client, headers: dict[str, str], body: bytes) -> None:
    client.post(WORKFLOWS, json=workflow("alpha"))

    assert client.patch(ALPHA, params={"fieldManager": "a"}, content=body, headers=headers).status_code == 400


def test_a_secret_keeps_plain_text_as_data(client: Client, store: SqliteStore) -> None:
    client.post(SECRETS, json={"metadata": {"name": "s"}, "stringData": {"token": "geheim"}})
    client.patch(f"{SECRETS}/s", json={"stringData": {"more": "x"}}, headers=MERGE)
    secret = store.get(Ref(SECRET, "default", "s"))

    assert base64.b64decode(secret["data"]["token"]) == b"geheim"
    assert set(secret["data"]) == {"token", "more"}
    assert ("stringData" in secret, secret["type"]) == (False, "Opaque")


def test_a_namespace_is_labelled_with_its_name(client: Client) -> None:
    made = client.post(NAMESPACES, json={"metadata": {"name": "team"}}).json()

    assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": "team"}


def test_deleting_answers_with_success(client: Client) -> None:
    uid = client.post(WORKFLOWS, json=workflow("alpha")).json()["metadata"]["uid"]
    response = client.delete(ALPHA)

    assert response.json()["status"] == "Success"
    assert response.json()["details"] == {"name": "alpha", "group": "sluice.dev", "kind": "workflows", "uid": uid}
    assert client.delete(ALPHA).json()["reason"] == "NotFound"


def test_deleting_what_a_finalizer_holds_answers_with_the_object(client: Client) -> None:
    client.post(WORKFLOWS, json=workflow("alpha", finalizers=["sluice.dev/archive"]))

    assert client.delete(ALPHA).json()["metadata"]["deletionTimestamp"]
    assert client.get(ALPHA).status_code == 200


def test_deletion_takes_preconditions_and_policies_from_its_body(client: Client) -> None:
    client.post(WORKFLOWS, json=workflow("alpha"))

    other = client.request("DELETE", ALPHA, json={"preconditions": {"uid": "another"}})
    dry = client.request("DELETE", ALPHA, json={"dryRun": ["All"]})
    unknown = client.delete(ALPHA, params={"propagationPolicy": "Later"})

    assert (other.status_code, dry.status_code, unknown.status_code) == (409, 200, 422)
    assert client.get(ALPHA).status_code == 200


def test_a_collection_is_deleted_as_far_as_it_is_selected(client: Client) -> None:
    for name in ("alpha", "beta"):
        client.post(WORKFLOWS, json=workflow(name, labels={"letter": name[0]}))
    response = client.delete(WORKFLOWS, params={"labelSelector": "letter=a"})

    assert [item["metadata"]["name"] for item in response.json()["items"]] == ["alpha"]
    assert len(client.get(WORKFLOWS).json()["items"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", ALPHA, "GET, HEAD, PUT, PATCH, DELETE"),
        ("PUT", WORKFLOWS, "GET, HEAD, POST, DELETE"),
        ("POST", f"{GROUP}/workflows", "GET, HEAD"),
        ("DELETE", f"{ALPHA}/status", "GET, HEAD, PUT, PATCH"),
        ("POST", "/apis/events.k8s.io/v1/namespaces/default/events", "GET, HEAD"),
    ],
)
def test_other_methods_are_not_allowed(client: Client, method: str, path: str, allowed: str) -> None:
    response = client.request(method, path, json={})

    assert (response.status_code, response.headers["allow"]) == (405, allowed)
    assert response.json()["reason"] == "MethodNotAllowed"
