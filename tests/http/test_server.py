"""The server as a program: groups side by side, health, metrics, TLS."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from sluice.http.health import health_group
from sluice.http.kubernetes.authn import Access
from sluice.http.server import RouteGroup, Tls, compose, serve
from sluice.ports.store import Actor
from tests.http.client import Client
from tests.http.live import running

OPEN = Access(anonymous=Actor("ana"))


@pytest.fixture
def problems() -> dict[str, str]:
    return {"store": ""}


@pytest.fixture
def registry() -> CollectorRegistry:
    made = CollectorRegistry()
    Counter("sluice_things", "Things.", registry=made).inc(3)
    return made


@pytest.fixture
def group(problems: dict[str, str], registry: CollectorRegistry, access: Access) -> RouteGroup:
    ready = {"store": lambda: problems["store"]}
    return health_group(live={}, ready=ready, registry=lambda: registry, access=access)


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_a_healthy_server_says_ok(client: Client, path: str) -> None:
    assert client.get(path).text == "ok"


def test_a_check_that_fails_is_named(client: Client, problems: dict[str, str]) -> None:
    problems["store"] = "the disk is full"
    response = client.get("/readyz")

    assert response.status_code == 500
    assert response.text == "[-]store failed: the disk is full\nreadyz check failed\n"
    assert client.get("/livez").text == "ok"


def test_checks_are_listed_on_request(client: Client) -> None:
    assert client.get("/readyz?verbose").text == "[+]store ok\nreadyz check passed\n"


def test_metrics_are_exposed(client: Client) -> None:
    response = client.get("/metrics")

    assert "sluice_things_total 3.0" in response.text
    assert response.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("access", [Access()])
def test_metrics_are_for_those_who_are_known(client: Client, access: Access) -> None:
    assert client.get("/metrics").status_code == 401
    assert client.get("/healthz").status_code == 200


async def _hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


def test_other_groups_stand_beside_the_protocol(group: RouteGroup) -> None:
    client = Client(compose([group, RouteGroup([Route("/hello", _hello)])]))

    assert client.get("/hello").text == "hello"
    assert client.get("/nothing").status_code == 404
    client.close()


def test_groups_are_started_and_closed() -> None:
    happened: list[str] = []
    group = RouteGroup(
        [Route("/hello", _hello)],
        starting=lambda: happened.append("start"),
        closing=lambda: happened.append("close"),
        stopped=lambda: happened.append("stop"),
    )
    with running([group]) as server:
        assert happened == ["start"]
        assert httpx.get(f"{server.url}/hello").text == "hello"
    assert (happened[:2], happened[-1]) == (["start", "close"], "stop")


def test_a_request_in_flight_is_answered_before_the_server_ends() -> None:
    entered, closing, released = threading.Event(), threading.Event(), threading.Event()

    def wait() -> str:
        entered.set()
        assert released.wait(10)
        return "done"

    async def slow(request: Request) -> PlainTextResponse:
        return PlainTextResponse(await run_in_threadpool(wait))

    group = RouteGroup([Route("/slow", slow)], closing=closing.set)
    with ThreadPoolExecutor(1) as pool, running([group]) as server:
        answer = pool.submit(httpx.get, f"{server.url}/slow", timeout=10)
        assert entered.wait(10)
        server.stop()
        assert closing.wait(10)
        released.set()
        assert answer.result().text == "done"


def test_an_inherited_socket_is_served() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    with running([RouteGroup([Route("/hello", _hello)])], fd=listener.detach()) as server:
        assert server.port == port
        assert httpx.get(f"http://127.0.0.1:{port}/hello").text == "hello"


def test_an_address_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=f"can't listen on 127.0.0.1:{port}: Address already in use; choose"):
            serve(compose([]), port=port, ready=lambda server: server.stop())


def test_tls_is_served_with_the_given_files(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    assert openssl is not None
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([openssl, *make.split(), *names], check=True, capture_output=True)

    with running([RouteGroup([Route("/hello", _hello)])], tls=Tls(str(cert), str(key))) as server:
        trusted = ssl.create_default_context(cafile=str(cert))
        assert server.url.startswith("https://")
        assert httpx.get(f"{server.url}/hello", verify=trusted).text == "hello"
