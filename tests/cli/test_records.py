"""Why a cluster's record of runs can't be asked, in words that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sluice.cli.client import Client
from sluice.cli.failures import Refused
from sluice.cli.kubeconfig import Target
from sluice.cli.records import NAMESPACE_VARIABLE, TOKEN_HINT, TOKEN_VARIABLE, NoRecord, Record
from sluice.http.server import RouteGroup
from tests.http.live import running

PROXY = "/api/v1/namespaces/{namespace}/services/https:sluice-controller:8443/proxy/{path:path}"


def status(code: int, message: str, kind: str = "") -> Response:
    """A Status as API servers and the controller send it."""
    details = {"details": {"kind": kind}} if kind else {}
    return JSONResponse({"kind": "Status", "message": message, "code": code, **details}, code)


@contextmanager
def cluster(answer: Response, asked: list[Request] | None = None) -> Iterator[Client]:
    """An API server that answers so whatever is asked of the controller."""

    def lead_on(request: Request) -> Response:
        if asked is not None:
            asked.append(request)
        return answer

    version = Route("/version", lambda _: JSONResponse({"gitVersion": "v1.36.3"}))
    with running([RouteGroup([version, Route(PROXY, lead_on)])]) as server:
        client = Client(Target(server.url, "team", user={"token": "the user's own"}))
        try:
            yield client
        finally:
            client.close()


@pytest.mark.parametrize(
    ("answer", "environ", "why"),
    [
        (status(401, "Unauthorized"), {}, TOKEN_HINT),
        (status(401, "Unauthorized"), {TOKEN_VARIABLE: "x"}, f"it does not accept {TOKEN_VARIABLE}"),
        (status(403, "may not", "services"), {}, "may not"),
        (status(403, "may not list", "workflowruns"), {}, "may not list"),
        (
            status(404, "services not found", "services"),
            {NAMESPACE_VARIABLE: "elsewhere"},
            "there is no service sluice-controller in the namespace elsewhere; if it is in another one, "
            f"set {NAMESPACE_VARIABLE}",
        ),
        (PlainTextResponse("Not Found", 404), {}, "the controller there offers none"),
        (status(503, "no endpoints available"), {}, "no endpoints available"),
    ],
)
def test_why_it_cannot_be_asked_is_said(answer: Response, environ: dict[str, str], why: str) -> None:
    with cluster(answer) as client, pytest.raises(NoRecord) as told:
        Record(client, environ).report("support-1")
    assert str(told.value) == f"the controller's record can't be asked: {why}"


def test_what_it_does_not_know_it_says_itself() -> None:
    with cluster(status(404, "no such run", "workflowruns")) as client, pytest.raises(Refused, match="no such run"):
        Record(client, {}).report("support-1")


@pytest.mark.parametrize(("environ", "shown"), [({}, None), ({TOKEN_VARIABLE: "sesame"}, "Bearer sesame")])
def test_it_is_shown_the_token_that_was_meant_for_it_and_no_other(environ: dict[str, str], shown: str | None) -> None:
    asked: list[Request] = []
    with cluster(PlainTextResponse("one\ntwo\n"), asked) as client:
        assert Record(client, environ).log("support-1", {"tail": "2"}) == "one\ntwo\n"
    (request,) = asked
    assert request.headers.get("sluice-authorization") == shown
    assert request.headers["authorization"] == "Bearer the user's own", (
        "to the API server, which leads nobody on with it"
    )
    run = "apis/sluice.dev/v1alpha1/namespaces/team/workflowruns/support-1"
    assert (request.path_params["namespace"], request.path_params["path"]) == ("sluice-system", f"{run}/log")
    assert request.url.query == "tail=2"


@pytest.mark.parametrize("text", ["<html>", "[]", "null"])
def test_an_answer_of_something_else_is_none(text: str) -> None:
    with cluster(PlainTextResponse(text)) as client, pytest.raises(NoRecord, match="is no controller of Sluice"):
        Record(client, {}).runs("support", "", 5)
