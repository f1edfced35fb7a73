"""``kubectl auth can-i`` and ``kubectl auth whoami``, as requests."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.api.kinds import KindInfo
from sluice.http.kubernetes.authn import Access
from sluice.ports.store import Actor
from tests.http.client import Client

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class ReadOnly:
    def allows(self, actor: Actor, verb: str, kind: KindInfo, namespace: str) -> bool:
        return verb in {"get", "list", "watch"}


@pytest.fixture
def access() -> Access:
    return Access(anonymous=Actor("ana@example.com", ("leads",)), authorizer=ReadOnly())


def asked(client: Client, **attributes: str) -> dict[str, Any]:
    return client.post(REVIEWS, json={"spec": {"resourceAttributes": attributes}}).json()["status"]


def test_who_asks_is_told_who_they_are(client: Client) -> None:
    response = client.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json={})

    assert response.status_code == 201
    assert response.json()["status"] == {"userInfo": {"username": "ana@example.com", "groups": ["leads"]}}


@pytest.mark.parametrize(
    ("attributes", "allowed"),
    [
        ({"verb": "get", "group": "sluice.dev", "resource": "workflows", "namespace": "default"}, True),
        ({"verb": "delete", "group": "sluice.dev", "resource": "workflows"}, False),
        ({"verb": "list", "resource": "secrets"}, True),
        ({"verb": "*", "resource": "secrets"}, False),
        ({"verb": "get", "group": "*", "resource": "*"}, True),
        ({"verb": "*", "group": "*", "resource": "*"}, False),
        ({"verb": "get", "group": "sluice.dev", "version": "v9", "resource": "workflows"}, False),
    ],
)
def test_permissions_are_told_without_trying(client: Client, attributes: dict[str, str], allowed: bool) -> None:
    assert asked(client, **attributes)["allowed"] is allowed


def test_what_is_not_served_is_not_allowed_and_says_why(client: Client) -> None:
    assert asked(client, verb="get", resource="pods") == {"allowed": False, "reason": '"pods" is not served here'}


def test_all_rules_of_a_namespace_are_listed(client: Client) -> None:
    place = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    status = client.post(place, json={"spec": {"namespace": "default"}}).json()["status"]

    assert {"verbs": ["get", "list", "watch"], "apiGroups": ["sluice.dev"], "resources": ["workflows"]} in (
        status["resourceRules"]
    )
    assert status["incomplete"] is False


def test_an_empty_question_is_a_bad_request(client: Client) -> None:
    assert client.post(REVIEWS, json={"spec": {}}).status_code == 400
    assert client.post(REVIEWS, json=[]).status_code == 400
    assert client.get(REVIEWS).status_code == 405
