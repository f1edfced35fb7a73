"""Objects and lists, in every form that clients ask for."""

from __future__ import annotations

import base64

import pytest

from sluice.adapters.sqlite.store import SqliteStore
from sluice.api.kinds import WORKFLOW
from tests.http.client import Client
from tests.http.places import GROUP, METADATA, METADATA_LIST, NAMESPACES, TABLE, WORKFLOWS
from tests.http.schemas import namespace, workflow


@pytest.fixture(autouse=True)
def three_workflows(store: SqliteStore) -> None:
    for name in ("alpha", "beta", "gamma"):
        store.create(workflow(name, labels={"letter": name[0]}))


def newest(store: SqliteStore) -> str:
    return store.list(WORKFLOW).resource_version


def names(listed: dict) -> list[str]:
    return [item["metadata"]["name"] for item in listed["items"]]


def test_an_object_comes_as_it_is_stored(client: Client, store: SqliteStore) -> None:
    response = client.get(f"{WORKFLOWS}/alpha")

    assert response.headers["content-type"] == "application/json"
    assert response.json()["spec"]["owner"] == "ana@example.com"


def test_head_answers_as_get_does_without_a_body(client: Client) -> None:
    assert client.head(f"{WORKFLOWS}/alpha").status_code == 200
    assert client.head(f"{WORKFLOWS}/nobody").status_code == 404


def test_a_list_has_its_kind_and_version(client: Client, store: SqliteStore) -> None:
    listed = client.get(WORKFLOWS).json()

    assert (listed["kind"], listed["apiVersion"]) == ("WorkflowList", "sluice.dev/v1alpha1")
    assert listed["metadata"] == {"resourceVersion": newest(store)}
    assert names(listed) == ["alpha", "beta", "gamma"]


def test_a_list_over_all_namespaces_leaves_none_out(client: Client, store: SqliteStore) -> None:
    store.create(namespace("other"))
    store.create(workflow("delta", namespace="other"))

    assert names(client.get(f"{GROUP}/workflows").json()) == ["alpha", "beta", "gamma", "delta"]
    assert names(client.get(WORKFLOWS).json()) == ["alpha", "beta", "gamma"]


def test_pages_go_on_where_the_last_one_ended(client: Client) -> None:
    first = client.get(WORKFLOWS, params={"limit": 2}).json()
    second = client.get(WORKFLOWS, params={"limit": 2, "continue": first["metadata"]["continue"]}).json()

    assert (names(first), first["metadata"]["remainingItemCount"]) == (["alpha", "beta"], 1)
    assert names(second) == ["gamma"]
    assert "continue" not in second["metadata"]


def test_an_expired_page_asks_to_list_again(client: Client) -> None:
    token = base64.urlsafe_b64encode(b"[999,2]").decode()
    response = client.get(WORKFLOWS, params={"continue": token})

    assert (response.status_code, response.json()["reason"]) == (410, "Expired")


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"labelSelector": "letter=a"}, ["alpha"]),
        ({"labelSelector": "letter in (a,g)"}, ["alpha", "gamma"]),
        ({"fieldSelector": "metadata.name=beta"}, ["beta"]),
        ({"fieldSelector": "metadata.name!=beta", "labelSelector": "letter!=a"}, ["gamma"]),
    ],
)
def test_selectors_leave_out_what_they_do_not_select(
    client: Client, parameters: dict[str, str], found: list[str]
) -> None:
    assert names(client.get(WORKFLOWS, params=parameters).json()) == found


def test_a_field_that_can_not_be_selected_is_a_bad_request(client: Client) -> None:
    response = client.get(WORKFLOWS, params={"fieldSelector": "spec.owner=ana"})

    assert (response.status_code, response.json()["reason"]) == (400, "BadRequest")


def test_a_table_has_a_row_for_each_object(client: Client) -> None:
    table = client.get(WORKFLOWS, headers={"accept": TABLE}).json()

    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Phase", "Ready", "Owner", "Age"]
    assert [row["cells"][0] for row in table["rows"]] == ["alpha", "beta", "gamma"]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


@pytest.mark.parametrize(("include", "kind"), [("Object", "Workflow"), ("None", None)])
def test_rows_carry_what_the_client_wants(client: Client, include: str, kind: str | None) -> None:
    row = client.get(f"{WORKFLOWS}/alpha", params={"includeObject": include}, headers={"accept": TABLE}).json()["rows"][
        0
    ]

    assert row.get("object", {}).get("kind") == kind


def test_metadata_alone_is_told_when_asked_for(client: Client) -> None:
    one = client.get(f"{WORKFLOWS}/alpha", headers={"accept": METADATA}).json()
    listed = client.get(WORKFLOWS, headers={"accept": METADATA_LIST}).json()

    assert (one["kind"], "spec" in one) == ("PartialObjectMetadata", False)
    assert listed["kind"] == "PartialObjectMetadataList"
    assert names(listed) == ["alpha", "beta", "gamma"]


def test_a_client_that_takes_no_json_is_told_so(client: Client) -> None:
    response = client.get(WORKFLOWS, headers={"accept": "application/vnd.kubernetes.protobuf"})

    assert (response.status_code, response.json()["reason"]) == (406, "NotAcceptable")


def test_a_version_that_is_yet_to_come_is_too_large(client: Client) -> None:
    response = client.get(WORKFLOWS, params={"resourceVersion": "999", "resourceVersionMatch": "NotOlderThan"})

    assert response.status_code == 504
    assert response.json()["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


def test_an_exact_version_that_has_passed_is_expired(client: Client, store: SqliteStore) -> None:
    exact = {"resourceVersionMatch": "Exact"}

    assert client.get(WORKFLOWS, params={**exact, "resourceVersion": "1"}).status_code == 410
    assert client.get(WORKFLOWS, params={**exact, "resourceVersion": newest(store)}).status_code == 200


def test_version_zero_takes_what_there_is(client: Client) -> None:
    assert names(client.get(WORKFLOWS, params={"resourceVersion": "0"}).json()) == ["alpha", "beta", "gamma"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"resourceVersionMatch": "Exact"},
        {"resourceVersionMatch": "Newest", "resourceVersion": "1"},
        {"resourceVersionMatch": "Exact", "resourceVersion": "0"},
        {"sendInitialEvents": "true"},
        {"watch": "true", "sendInitialEvents": "true"},
    ],
)
def test_options_that_make_no_sense_together_are_invalid(client: Client, parameters: dict[str, str]) -> None:
    response = client.get(WORKFLOWS, params=parameters)

    assert (response.status_code, response.json()["reason"]) == (422, "Invalid")


@pytest.mark.parametrize("parameters", [{"limit": "many"}, {"resourceVersion": "x"}, {"watch": "perhaps"}])
def test_options_that_can_not_be_read_are_bad_requests(client: Client, parameters: dict[str, str]) -> None:
    assert client.get(WORKFLOWS, params=parameters).status_code == 400


def test_events_are_also_told_under_their_newer_name(client: Client, store: SqliteStore) -> None:
    about = {"kind": "Workflow", "name": "alpha", "namespace": "default"}
    metadata = {"name": "alpha.1", "namespace": "default"}
    store.create({"apiVersion": "v1", "kind": "Event", "metadata": metadata, "involvedObject": about, "message": "hi"})

    event = client.get("/apis/events.k8s.io/v1/namespaces/default/events").json()["items"][0]

    assert (event["regarding"]["name"], event["note"]) == ("alpha", "hi")
    assert event["apiVersion"] == "events.k8s.io/v1"


def test_a_namespace_is_an_object_without_a_namespace(client: Client, store: SqliteStore) -> None:
    store.create(namespace("team"))

    assert client.get(f"{NAMESPACES}/team").json()["metadata"]["name"] == "team"
    assert names(client.get(NAMESPACES).json()) == ["default", "team"]


@pytest.mark.parametrize(
    "path",
    [
        f"{GROUP}/workflows/alpha",
        f"{WORKFLOWS}/alpha/scale",
        f"{NAMESPACES}/team/nothings",
        "/api/v1/namespaces/default/secrets/x/status",
    ],
)
def test_places_that_do_not_exist_are_not_found(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404
