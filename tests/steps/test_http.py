"""http steps against a real server."""

from __future__ import annotations

import socket
from typing import Any

import orjson
import pytest

from sluice.steps import http
from tests.steps.conftest import Server


def send(url: str, *, seconds: float = 10.0, **fields: Any) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(orjson.dumps(http.request({"url": url, **fields}, key="k1", seconds=seconds)))
    return body


def test_an_answer_in_json_is_the_output(server: Server) -> None:
    body = send(f"{server.url}/echo", method="POST", body={"a": 1}, query={"q": "x y", "n": 3})
    assert body["phase"] == "Succeeded"
    assert body["output"]["status"] == 200
    assert body["output"]["body"] == {"method": "POST", "path": "/echo?q=x+y&n=3", "body": '{"a":1}'}
    assert set(body["output"]["headers"]) == {"content-type", "content-length", "date"}


def test_the_idempotency_key_and_own_headers_are_sent(server: Server) -> None:
    send(f"{server.url}/echo", headers={"X-Mine": "1", "X-Number": 2, "X-None": None})
    headers = {name.lower(): value for name, value in server.seen[0][2].items()}
    assert headers["idempotency-key"] == "k1"
    assert (headers["x-mine"], headers["x-number"]) == ("1", "2")
    assert "x-none" not in headers


def test_a_text_body_is_sent_and_received_as_it_is(server: Server) -> None:
    send(f"{server.url}/echo", method="POST", body="plain")
    assert server.seen[0][3] == b"plain"
    assert send(f"{server.url}/text")["output"]["body"] == "grün"


def test_cookies_do_not_pass_from_one_step_to_another(server: Server) -> None:
    send(f"{server.url}/text")
    send(f"{server.url}/echo")
    assert "cookie" not in {name.lower() for name in server.seen[1][2]}


def test_redirects_are_followed_up_to_five_times(server: Server) -> None:
    assert send(f"{server.url}/hop/4")["output"]["body"]["path"] == "/echo"
    body = send(f"{server.url}/hop/5")
    assert body["reason"] == "HttpUnreachable"
    assert "redirected more than 5 times" in body["message"]


def test_a_redirect_to_another_scheme_is_refused(server: Server) -> None:
    assert "redirected from http to https" in send(f"{server.url}/elsewhere")["message"]


def test_another_status_is_a_failure_that_carries_it(server: Server) -> None:
    body = send(f"{server.url}/status/503?token=secret")
    assert (body["reason"], body["status"]) == ("HttpStatus", 503)
    assert body["message"] == f"GET {server.url}/status/503 answered 503: out of order"


def test_success_codes_decide_what_is_a_success(server: Server) -> None:
    assert send(f"{server.url}/status/404", successCodes=[404])["output"]["status"] == 404
    assert send(f"{server.url}/echo", successCodes=[201])["reason"] == "HttpStatus"


def test_an_answer_over_a_megabyte_is_too_large(server: Server) -> None:
    assert send(f"{server.url}/large")["reason"] == "OutputTooLarge"


def test_no_answer_in_time_is_a_timeout(server: Server) -> None:
    body = send(f"{server.url}/hang", seconds=0.2)
    assert (body["phase"], body["reason"]) == ("Failed", "TimedOut")


def test_nobody_there_is_unreachable_and_the_message_has_no_secrets() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    body = send(f"http://user:pass@127.0.0.1:{port}/path?key=secret")
    assert body["reason"] == "HttpUnreachable"
    assert body["message"].startswith(f"GET http://127.0.0.1:{port}/path: ")
    assert "secret" not in body["message"]
    assert "pass@" not in body["message"]


@pytest.mark.parametrize(
    "fields",
    [
        {"url": None},
        {"url": "ftp://example.com"},
        {"url": "nothing"},
        {"url": "http://[::1"},
        {"url": "http://127.0.0.1:1", "headers": "x"},
        {"url": "http://127.0.0.1:1", "headers": {"a": {}}},
        {"url": "http://127.0.0.1:1", "headers": {"a": "b\nc"}},
        {"url": "http://127.0.0.1:1", "headers": {"a": "\u2603"}},
    ],
)
def test_bad_input_is_named(fields: dict[str, Any]) -> None:
    body = http.request(fields, key="k", seconds=5)
    assert body["reason"] == "InvalidInput", body
