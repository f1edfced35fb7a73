"""Request bodies that are too long, in the wrong language, or meant to hurt."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sluice.http.kubernetes.bodies import MAX_BODY, decode_yaml
from sluice.http.kubernetes.errors import Refused
from tests.http.client import Client
from tests.http.places import MERGE, WORKFLOWS, YAML
from tests.http.schemas import workflow

JSON = {"content-type": "application/json"}


def test_a_long_body_is_refused_before_it_is_read(client: Client) -> None:
    response = client.post(WORKFLOWS, content=b" " * (MAX_BODY + 1), headers=JSON)

    assert (response.status_code, response.json()["reason"]) == (413, "RequestEntityTooLarge")


def test_a_long_body_of_unknown_length_is_refused_as_well(client: Client) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b" " * (MAX_BODY // 3)

    assert client.post(WORKFLOWS, content=parts(), headers=JSON).status_code == 413


@pytest.mark.parametrize(
    ("headers", "body", "place"),
    [
        (JSON, b'{"a": 1,\n "b": }', "line 2 column 7"),
        (YAML, b"a: 1\nb: [1, 2", "line 2, column 4"),
        (YAML, b"\xff\xfe\x00", ""),
        (JSON, b"", ""),
    ],
)
def test_what_can_not_be_read_is_a_bad_request_with_its_place(
    client: Client, headers: dict[str, str], body: bytes, place: str
) -> None:
    response = client.post(WORKFLOWS, content=body, headers=headers)

    assert (response.status_code, response.json()["reason"]) == (400, "BadRequest")
    assert place in response.json()["message"]


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"3"])
def test_what_is_no_object_is_a_bad_request(client: Client, body: bytes) -> None:
    assert client.post(WORKFLOWS, content=body, headers=JSON).json()["message"] == "the body must be an object"


def test_an_unknown_language_is_an_unsupported_media_type(client: Client) -> None:
    response = client.post(WORKFLOWS, content=b"<a/>", headers={"content-type": "text/xml"})

    assert response.status_code == 415
    assert "application/json, application/yaml" in response.json()["message"]


def test_aliases_that_multiply_are_refused() -> None:
    levels = [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 20)}]" for level in range(1, 8)]
    bomb = "\n".join(["a0: &a0 [x]", *levels]).encode()

    with pytest.raises(Refused, match="uses more than 100 aliases"):
        decode_yaml(bomb)


def test_yaml_that_nests_without_end_is_refused_before_it_overflows_the_stack() -> None:
    with pytest.raises(Refused, match="nests more than 200 levels deep, at line 2"):
        decode_yaml(b"a:\n " + b"[" * 1_000_000)


def test_json_that_nests_without_end_is_a_bad_request(client: Client) -> None:
    client.post(WORKFLOWS, json=workflow("alpha"))
    for depth in (500, 1000, 1020, 100_000):
        body = b'{"a":' * depth + b"1" + b"}" * depth
        response = client.patch(f"{WORKFLOWS}/alpha", content=b'{"spec":' + body + b"}", headers=MERGE)
        assert response.status_code in {200, 400}


def test_yaml_keeps_to_the_types_of_json() -> None:
    read = decode_yaml(b"day: 2026-01-02\nno: on\n1: one\ntext: '1'\nflow: {a: [1, 2.5]}\n").content

    assert read == {"day": "2026-01-02", "false": True, "1": "one", "text": "1", "flow": {"a": [1, 2.5]}}


def test_flow_style_that_is_no_json_is_yaml() -> None:
    assert decode_yaml(b"{a: 1}").content == {"a": 1}
