"""What clients ask before they ask for anything else."""

from __future__ import annotations

import pytest

from sluice.api.kinds import ALL_KINDS
from tests.http.client import Client

AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)


def test_the_version_is_a_kubernetes_version(client: Client) -> None:
    version = client.get("/version").json()

    assert (version["major"], version["minor"]) == ("1", "32")
    assert "+sluice-" in version["gitVersion"]


def test_groups_are_listed_with_their_versions(client: Client) -> None:
    groups = {group["name"]: group for group in client.get("/apis").json()["groups"]}

    assert set(groups) == {
        "sluice.dev",
        "coordination.k8s.io",
        "events.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
    }
    assert groups["sluice.dev"]["preferredVersion"]["groupVersion"] == "sluice.dev/v1alpha1"
    assert client.get("/api").json()["versions"] == ["v1"]


def test_one_group_tells_its_versions(client: Client) -> None:
    group = client.get("/apis/sluice.dev").json()

    assert (group["kind"], group["name"]) == ("APIGroup", "sluice.dev")


def test_resources_tell_short_names_categories_and_subresources(client: Client) -> None:
    listed = client.get("/apis/sluice.dev/v1alpha1").json()
    resources = {resource["name"]: resource for resource in listed["resources"]}

    assert resources["workflows"]["shortNames"] == ["slwf"]
    assert resources["workflows"]["categories"] == ["sluice"]
    assert resources["workflows/status"]["verbs"] == ["get", "patch", "update"]


def test_every_kind_is_served_somewhere(client: Client) -> None:
    for kind in ALL_KINDS:
        place = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.api_version}"
        names = [resource["name"] for resource in client.get(place).json()["resources"]]
        assert kind.plural in names


@pytest.mark.parametrize(("path", "name"), [("/api", None), ("/apis", "sluice.dev")])
def test_everything_comes_at_once_to_those_who_ask(client: Client, path: str, name: str | None) -> None:
    response = client.get(path, headers={"accept": AGGREGATED})
    first = response.json()["items"][0]

    assert response.headers["content-type"] == "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    assert response.json()["kind"] == "APIGroupDiscoveryList"
    assert first["metadata"].get("name") == name
    assert first["versions"][0]["freshness"] == "Current"


def test_aggregated_resources_carry_their_subresources(client: Client) -> None:
    items = client.get("/apis", headers={"accept": AGGREGATED}).json()["items"]
    workflows = items[0]["versions"][0]["resources"][0]

    assert workflows["responseKind"] == {"group": "sluice.dev", "version": "v1alpha1", "kind": "Workflow"}
    assert workflows["scope"] == "Namespaced"
    assert workflows["subresources"][0]["subresource"] == "status"


def test_unchanged_discovery_is_not_sent_again(client: Client) -> None:
    first = client.get("/apis", headers={"accept": AGGREGATED})
    second = client.get("/apis", headers={"accept": AGGREGATED, "if-none-match": first.headers["etag"]})

    assert (second.status_code, second.content) == (304, b"")


@pytest.mark.parametrize("path", ["/apis/nobody.dev", "/apis/sluice.dev/v9", "/api/v2", "/apis/a/b/c/d/e/f"])
def test_what_is_not_served_is_a_status_not_found(client: Client, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 404
    assert response.json()["message"] == "the server could not find the requested resource"
    assert (response.json()["kind"], response.json()["reason"]) == ("Status", "NotFound")


def test_discovery_can_only_be_read(client: Client) -> None:
    response = client.post("/apis", json={})

    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
