"""http steps within a run: they wait beside one another, and a cancelled one is not waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sluice.ports.launcher import Launcher
from tests.contracts.launcher.segments import definition, python, segment
from tests.contracts.launcher.sinks import Sink

TOGETHER = 8


class Site(ThreadingHTTPServer):
    """``/meet`` answers when eight requests are there at the same time; ``/hang`` when the test is over."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.meeting = threading.Barrier(TOGETHER)
        self.over = threading.Event()
        self.keys: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is part of these tests."""


class Page(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.keys.append(self.headers["Idempotency-Key"])
        if self.path == "/meet":
            self.server.meeting.wait(10)
        if self.path == "/hang":
            self.server.over.wait(10)
        status = 503 if self.path == "/broken" else 200
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"42")

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield made
        made.over.set()
        made.shutdown()
        thread.join()


def get(name: str, url: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "needs": list(needs), "action": {"http": {"url": url}}, **more}


def test_requests_wait_beside_one_another(launcher: Launcher, sink: Sink, site: Site) -> None:
    graph = definition(*[get(f"s{n}", f"{site.url}/meet") for n in range(TOGETHER)])
    launcher.launch(segment(graph, run="r"))
    sink.wait_closed("r")
    assert {end.body["output"]["status"] for end in sink.ends("r").values()} == {200}


def test_the_url_is_a_template_and_the_answer_is_data(launcher: Launcher, sink: Sink, site: Site) -> None:
    code = "output = steps.ask.output['body'] + 1"
    graph = definition(get("ask", f"{site.url}/${{ payload.path }}"), python("add", code, "ask"))
    launcher.launch(segment(graph, run="r", payload={"path": "x"}))
    sink.wait_closed("r")
    assert sink.ends("r")["add"].body["output"] == 43


def test_attempts_of_a_step_share_one_idempotency_key(launcher: Launcher, sink: Sink, site: Site) -> None:
    retry = {"limit": 2, "backoff": {"duration": "5ms"}}
    launcher.launch(segment(definition(get("a", f"{site.url}/broken", retry=retry)), run="r"))
    sink.wait_closed("r")
    assert sink.ends("r")["a"].body["status"] == 503
    assert len(site.keys) == 3
    assert len(set(site.keys)) == 1


def test_a_cancelled_request_is_not_waited_for(launcher: Launcher, sink: Sink, site: Site) -> None:
    launcher.launch(segment(definition(get("a", f"{site.url}/hang")), run="r"))
    sink.wait_started("r", "a")
    launcher.cancel("r", 1, reason="Cancelled")
    sink.wait_closed("r")
    assert sink.ends("r")["a"].body["reason"] == "Cancelled"


def test_a_request_that_takes_too_long_is_a_timeout(launcher: Launcher, sink: Sink, site: Site) -> None:
    launcher.launch(segment(definition(get("a", f"{site.url}/hang", timeout="1s")), run="r"))
    sink.wait_closed("r")
    assert sink.ends("r")["a"].body["reason"] == "TimedOut"
