"""What an API server's refusals mean: its Status objects become the errors of the port."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson

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
    Terminating,
    TooLarge,
    Unavailable,
)

_BY_REASON: dict[str, Callable[[str], PortError]] = {
    "NotFound": NotFound,
    "AlreadyExists": AlreadyExists,
    "BadRequest": BadRequest,
    "MethodNotAllowed": BadRequest,
    "NotAcceptable": BadRequest,
    "UnsupportedMediaType": BadRequest,
    "Forbidden": Forbidden,
    "Gone": Gone,
    "Expired": Gone,
    "RequestEntityTooLarge": TooLarge,
    "TooManyRequests": Unavailable,
    "ServerTimeout": Unavailable,
    "Timeout": Unavailable,
    "ServiceUnavailable": Unavailable,
}
_BY_CODE: dict[int, Callable[[str], PortError]] = {
    400: BadRequest,
    403: Forbidden,
    404: NotFound,
    405: BadRequest,
    406: BadRequest,
    409: Conflict,
    410: Gone,
    413: TooLarge,
    415: BadRequest,
    422: Invalid,
    429: Unavailable,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}
_STORAGE_IS_AWAY = ("etcdserver:", "rpc error: code = Unavailable", "rpc error: code = DeadlineExceeded")
"""What a server says with an InternalError while it has lost its own storage: an outage, not a bug."""
_TERMINATING = "NamespaceTerminating"
_MANAGER = re.compile(r'conflict with ("(?:[^"\\]|\\.)*")')
_BODY_SHOWN = 200


def refusal(code: int, body: bytes) -> PortError:
    """The error that an answer of 400 or more stands for. A proxy's answer has no Status, only a code."""
    try:
        status = orjson.loads(body)
    except orjson.JSONDecodeError:
        status = None
    if not isinstance(status, dict) or status.get("kind") != "Status":
        status = {"code": code, "message": f"HTTP {code}: {body[:_BODY_SHOWN].decode(errors='replace').strip()}"}
    return from_status(status)


def from_status(status: dict[str, Any]) -> PortError:
    """The error that a Status object stands for."""
    message, reason, code = str(status.get("message", "")), status.get("reason", ""), status.get("code", 500)
    causes = (status.get("details") or {}).get("causes") or []
    if code == 401:
        return Forbidden(f"the API server does not accept the credential ({message or 'Unauthorized'}): log in again")
    if reason == "Conflict":
        return Conflict(message, _field_conflicts(causes))
    if reason == "Invalid":
        return Invalid(message, tuple(_cause(cause) for cause in causes))
    if any(cause.get("reason") == _TERMINATING for cause in causes):
        return Terminating(message)
    made = _BY_REASON.get(reason) or _BY_CODE.get(code)
    if made is not None:
        return made(message)
    if any(words in message for words in _STORAGE_IS_AWAY):
        return Unavailable(message)
    return PortError(message)


def _cause(cause: dict[str, Any]) -> Cause:
    return Cause(cause.get("field", ""), cause.get("message", ""), cause.get("reason", "FieldValueInvalid"))


def _field_conflicts(causes: list[dict[str, Any]]) -> tuple[FieldConflict, ...]:
    """Each field that an apply wanted, and who has it: the manager stands quoted in the message alone."""
    found = []
    for cause in causes:
        named = _MANAGER.match(cause.get("message", ""))
        if cause.get("reason") == "FieldManagerConflict" and named:
            found.append(FieldConflict(orjson.loads(named[1]), cause.get("field", "")))
    return tuple(found)
