"""Each refusal of an API server is the port's error for it, with fields and causes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sluice.adapters.kubernetes.answers import from_status, refusal
from sluice.ports.errors import (
    AlreadyExists,
    BadRequest,
    Cause,
    Conflict,
    FieldConflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    PortError,
    TooLarge,
    Unavailable,
)


def status(code: int, reason: str, message: str = "no", **details: Any) -> dict[str, Any]:
    return {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (404, "NotFound", NotFound),
        (409, "AlreadyExists", AlreadyExists),
        (409, "Conflict", Conflict),
        (422, "Invalid", Invalid),
        (400, "BadRequest", BadRequest),
        (403, "Forbidden", Forbidden),
        (401, "Unauthorized", Forbidden),
        (410, "Expired", Gone),
        (410, "Gone", Gone),
        (413, "RequestEntityTooLarge", TooLarge),
        (415, "UnsupportedMediaType", BadRequest),
        (405, "MethodNotAllowed", BadRequest),
        (429, "TooManyRequests", Unavailable),
        (500, "ServerTimeout", Unavailable),
        (503, "ServiceUnavailable", Unavailable),
        (504, "Timeout", Unavailable),
        (422, "", Invalid),
        (500, "InternalError", PortError),
    ],
)
def test_every_reason_has_its_error(code: int, reason: str, expected: type[PortError]) -> None:
    assert type(from_status(status(code, reason))) is expected


def test_a_server_that_lost_its_storage_is_an_outage() -> None:
    assert isinstance(from_status(status(500, "InternalError", "etcdserver: request timed out")), Unavailable)


def test_a_conflict_of_fields_names_each_manager_and_field() -> None:
    causes = [
        {"reason": "FieldManagerConflict", "message": 'conflict with "git"', "field": ".spec.percent"},
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "a \\"b\\"" using sluice.dev/v1alpha1',
            "field": ".spec.tags",
        },
    ]
    error = from_status(status(409, "Conflict", "Apply failed with 2 conflicts", causes=causes))
    assert isinstance(error, Conflict)
    assert error.fields == (FieldConflict("git", ".spec.percent"), FieldConflict('a "b"', ".spec.tags"))


def test_what_is_invalid_names_each_cause() -> None:
    causes = [{"reason": "FieldValueRequired", "message": "Required value", "field": "spec.owner"}]
    error = from_status(status(422, "Invalid", "it is invalid", causes=causes))
    assert isinstance(error, Invalid)
    assert error.causes == (Cause("spec.owner", "Required value", "FieldValueRequired"),)


@pytest.mark.parametrize(
    ("code", "body", "expected"),
    [
        (502, b"<html>bad gateway</html>", Unavailable),
        (403, b"blocked by policy", Forbidden),
        (404, b"", NotFound),
        (500, b'{"error": "x"}', PortError),
        (418, b"[]", PortError),
        (302, b"", PortError),
    ],
)
def test_what_a_proxy_says_is_told_with_its_code(code: int, body: bytes, expected: type[PortError]) -> None:
    error = refusal(code, body)
    assert type(error) is expected
    assert str(error).startswith(f"HTTP {code}: {body.decode()}")


def test_a_status_in_an_answer_is_understood() -> None:
    error = refusal(404, json.dumps(status(404, "NotFound", 'rollouts "x" not found')).encode())
    assert (type(error), str(error)) == (NotFound, 'rollouts "x" not found')
