"""Who may ask for what: tokens, roles, and browsers that someone else's page drives."""

from __future__ import annotations

import pytest

from sluice.api.kinds import KindInfo
from sluice.http.kubernetes.authn import Access
from sluice.http.server import RouteGroup, compose
from sluice.ports.store import Actor
from tests.http.client import Client
from tests.http.places import GROUP, NAMESPACES, WORKFLOWS
from tests.http.schemas import workflow

VIEWER = Actor("vera@example.com", ("viewers",))


class Tokens:
    """Knows one token."""

    def authenticate(self, token: str) -> Actor | None:
        return VIEWER if token == "good" else None


class Viewers:
    """Everybody may read in namespace default, and nothing else."""

    def allows(self, actor: Actor, verb: str, kind: KindInfo, namespace: str) -> bool:
        return verb in {"get", "list", "watch"} and namespace == "default"


GOOD = {"authorization": "Bearer good"}


@pytest.fixture
def access() -> Access:
    return Access(Tokens(), Viewers())


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer bad"}, {"authorization": "Basic good"}])
def test_without_a_good_token_nobody_is_answered(client: Client, headers: dict[str, str]) -> None:
    for path in (WORKFLOWS, "/version", "/apis"):
        response = client.get(path, headers=headers)
        assert (response.status_code, response.json()["reason"]) == (401, "Unauthorized")


def test_a_role_opens_what_it_opens(client: Client) -> None:
    assert client.get(WORKFLOWS, headers=GOOD).status_code == 200
    assert client.get(f"{WORKFLOWS}/alpha", headers=GOOD).status_code == 404
    assert client.get(f"{NAMESPACES}/default", headers=GOOD).status_code == 200
    assert client.get(f"{NAMESPACES}/other", headers=GOOD).status_code == 403


def test_a_denial_is_worded_as_kubernetes_words_it(client: Client) -> None:
    response = client.post(WORKFLOWS, json=workflow("alpha"), headers=GOOD)

    assert response.status_code == 403
    assert response.json()["message"] == (
        'workflows.sluice.dev is forbidden: User "vera@example.com" cannot create resource "workflows" '
        'in API group "sluice.dev" in the namespace "default"'
    )
    assert response.json()["details"] == {"group": "sluice.dev", "kind": "workflows"}


def test_all_namespaces_are_the_cluster_scope(client: Client) -> None:
    message = client.get(f"{GROUP}/workflows", headers=GOOD).json()["message"]

    assert message.endswith("at the cluster scope")


@pytest.mark.parametrize(("verb", "path"), [("watch", f"{WORKFLOWS}?watch=1"), ("deletecollection", WORKFLOWS)])
def test_each_request_has_its_verb(client: Client, access: Access, verb: str, path: str) -> None:
    asked: list[str] = []

    class Noting:
        def allows(self, actor: Actor, verb: str, kind: KindInfo, namespace: str) -> bool:
            asked.append(verb)
            return False

    object.__setattr__(access, "authorizer", Noting())
    client.request("GET" if verb == "watch" else "DELETE", path, headers=GOOD)

    assert asked == [verb]


def test_nobody_acts_as_somebody_else(client: Client) -> None:
    response = client.get(WORKFLOWS, headers={**GOOD, "impersonate-user": "root"})

    assert (response.status_code, "impersonation" in response.json()["message"]) == (403, True)


class TestWithoutTokens:
    @pytest.fixture
    def access(self) -> Access:
        return Access(anonymous=VIEWER)

    @pytest.mark.parametrize("host", ["127.0.0.1:7717", "localhost", "[::1]:7717"])
    def test_programs_on_this_machine_are_answered(self, client: Client, host: str) -> None:
        assert client.get(WORKFLOWS, headers={"host": host}).status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [{"host": "evil.example.com"}, {"host": "evil.example.com:7717"}, {"origin": "https://evil.example.com"}],
    )
    def test_pages_of_others_are_not(self, client: Client, headers: dict[str, str]) -> None:
        assert client.get(WORKFLOWS, headers=headers).status_code == 403

    def test_other_machines_are_not(self, group: RouteGroup) -> None:
        remote = Client(compose([group]), address="10.0.0.7")
        response = remote.get(WORKFLOWS)
        remote.close()

        assert (response.status_code, response.json()["message"]) == (403, "requests from 10.0.0.7 need a token")

    def test_pages_of_this_server_are(self, client: Client) -> None:
        assert client.get(WORKFLOWS, headers={"origin": "http://127.0.0.1"}).status_code == 200
