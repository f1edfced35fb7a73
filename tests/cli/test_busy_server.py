"""A server that asks to come again later is asked again, as kubectl does, and not without end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sluice.cli.client import ATTEMPTS
from sluice.http.kubernetes.kubeconfig import Connection, write_kubeconfig
from sluice.http.server import RouteGroup
from tests.cli.place import call, workflow
from tests.http.live import running

BUSY = {"kind": "Status", "status": "Failure", "message": "storage is (re)initializing", "code": 429}


class Server:
    """Answers 429 ``busy`` times, with ``headers``, and then with the object."""

    def __init__(self) -> None:
        self.busy = 0
        self.headers = {"retry-after": "0"}
        self.asked = 0

    def answer(self, _: Request) -> Response:
        self.asked += 1
        if self.asked <= self.busy:
            return JSONResponse(BUSY, 429, headers=self.headers)
        return JSONResponse(workflow())


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    made = Server()
    path = "/apis/sluice.dev/v1alpha1/namespaces/default/workflows/support"
    with running([RouteGroup([Route(path, made.answer)])]) as live:
        write_kubeconfig(tmp_path / "kubeconfig", Connection(live.url))
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
        yield made


def get() -> tuple[int, str]:
    result = call("get", "workflow/support", "-o", "name")
    return result.exit_code, result.stdout + result.stderr


def test_a_busy_server_is_asked_again(server: Server) -> None:
    server.busy = ATTEMPTS - 1
    assert get() == (0, "workflow.sluice.dev/support\n")
    assert server.asked == ATTEMPTS


def test_one_that_stays_busy_is_told_of_in_its_own_words(server: Server) -> None:
    server.busy = ATTEMPTS
    assert get() == (1, "error: storage is (re)initializing\n")
    assert server.asked == ATTEMPTS


def test_one_that_names_no_time_is_not_asked_again(server: Server) -> None:
    server.busy, server.headers = 1, {}
    assert get() == (1, "error: storage is (re)initializing\n")
    assert server.asked == 1
