"""A request that is refused for who sent it leaves an entry, whatever it asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from sluice.bootstrap.denials import enter_denial
from sluice.http.kubernetes.answers import refusal
from sluice.http.kubernetes.authn import Access
from sluice.http.kubernetes.errors import Refused
from sluice.http.origin import ORIGIN, Origins
from tests.bootstrap.conftest import ANA
from tests.http.client import Client


@contextmanager
def served(audited, access: Access) -> Iterator[Client]:  # type: ignore[no-untyped-def]
    def endpoint(request: Request) -> PlainTextResponse:
        try:
            access.actor_of(request)
        except Refused as refused:
            return refusal(refused)  # type: ignore[return-value]
        return PlainTextResponse(ORIGIN.get())

    app = Starlette(routes=[Route("/apis/x", endpoint, methods=["GET", "DELETE"])])
    app.add_middleware(Origins, denied=partial(enter_denial, audited.journal, access))
    client = Client(app)
    yield client
    client.close()


AGENT = {"user-agent": "kubectl"}


def test_what_is_done_for_a_request_knows_where_it_came_from(audited) -> None:  # type: ignore[no-untyped-def]
    with served(audited, Access(anonymous=ANA)) as client:
        assert client.get("/apis/x", headers=AGENT).text == "127.0.0.1 kubectl"

    assert audited.entries() == []
    assert ORIGIN.get() == ""


def test_who_has_no_token_is_entered_as_anonymous(audited) -> None:  # type: ignore[no-untyped-def]
    with served(audited, Access()) as client:
        assert client.delete("/apis/x", headers=AGENT).status_code == 401

    entry = audited.entries()[0]
    assert (entry.actor, entry.action, entry.object) == ("system:anonymous", "authz.denied", "DELETE /apis/x")
    assert entry.body == {"status": 401, "from": "127.0.0.1 kubectl"}


def test_a_page_of_another_origin_is_entered(audited) -> None:  # type: ignore[no-untyped-def]
    with served(audited, Access(anonymous=ANA)) as client:
        assert client.get("/apis/x", headers={"origin": "https://evil.example"}).status_code == 403

    assert [entry.body["status"] for entry in audited.entries()] == [403]
