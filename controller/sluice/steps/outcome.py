"""How an attempt ended, as the body of its StepEnded: see ``domain.run.events`` for the keys.

Outputs travel as encoded JSON: they are encoded once, where they are made, and checked there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import orjson

CODE_FAILED = "CodeFailed"
CODE_NOT_ALLOWED = "CodeNotAllowed"
EXITED = "Exited"
STEP_OOM = "StepOOM"
TIMED_OUT = "TimedOut"
OUTPUT_INVALID = "OutputInvalid"
OUTPUT_TOO_LARGE = "OutputTooLarge"
HTTP_STATUS = "HttpStatus"
HTTP_UNREACHABLE = "HttpUnreachable"
INVALID_INPUT = "InvalidInput"

MAX_OUTPUT = 1024 * 1024
MAX_MESSAGE = 4096
MAX_LOG = 64 * 1024
_MAX_DEPTH = 200
_STRICT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME

Body = dict[str, Any]


class NotJson(Exception):
    """A value that JSON can't say; the message names the place and the type."""


class Failure(Exception):
    """An attempt failed; raised anywhere inside a step, turned into a body in one place."""

    def __init__(self, reason: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.more = more


def succeeded(output: bytes, **more: Any) -> Body:
    """The body of a success; ``output`` is encoded JSON. Empty extras are left out."""
    body: Body = {"phase": "Succeeded", "reason": "Completed", "output": orjson.Fragment(output)}
    return body | {key: value for key, value in more.items() if value}


def failed(reason: str, message: str, **more: Any) -> Body:
    """The body of a failure; the message is cut at 4 KiB, empty extras are left out."""
    body: Body = {"phase": "Failed", "reason": reason, "message": _printable(message)[:MAX_MESSAGE]}
    return body | {key: value for key, value in more.items() if value}


def encode_output(value: object) -> bytes:
    """The JSON of a step's output; Failure with OutputInvalid or OutputTooLarge."""
    try:
        encoded = encode(value, "output")
    except NotJson as error:
        raise Failure(OUTPUT_INVALID, str(error)) from None
    check_size(len(encoded))
    return encoded


def check_size(size: int) -> None:
    """Failure if an output of so many bytes is too large for the run's record."""
    if size > MAX_OUTPUT:
        raise Failure(
            OUTPUT_TOO_LARGE,
            f"the output has {size:,} bytes, {MAX_OUTPUT:,} are the limit; "
            "keep large data with a storage step and pass on its key",
        )


def encode(value: object, place: str) -> bytes:
    """Strict JSON: no NaN, no integer over 64 bits, keys are text. Raises NotJson naming the place below ``place``."""
    try:
        encoded = orjson.dumps(value, option=_STRICT)
    except (TypeError, RecursionError):
        encoded = orjson.dumps(_as_plain(value, place, 0))
    # The encoder writes NaN as null, so only a null is a reason to look closer.
    if b"null" in encoded:
        _as_plain(value, place, 0)
    return encoded


def _as_plain(value: object, place: str, depth: int) -> object:
    """The same value out of dicts and lists only (subclasses of them are fine); raises NotJson at what is none."""
    if depth > _MAX_DEPTH:
        raise NotJson(f"{place} nests deeper than {_MAX_DEPTH}; make it flatter")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _checked_text(value, place)
    if isinstance(value, int):
        return _checked_integer(value, place)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotJson(f"{place} is {value}, which JSON lacks; check what it was divided by")
        return float(value)
    if isinstance(value, dict):
        return dict(_plain_items(value.items(), place, depth))
    if isinstance(value, list | tuple):
        return [_as_plain(item, f"{place}[{index}]", depth + 1) for index, item in enumerate(value)]
    raise NotJson(f"{place} is a {type(value).__name__}, which JSON lacks; make it text, a number, a list or a dict")


def _plain_items(items: Iterable[tuple[object, object]], place: str, depth: int) -> Iterable[tuple[str, object]]:
    for key, item in items:
        if not isinstance(key, str):
            raise NotJson(
                f"{place} has the key {_short(key)} of type {type(key).__name__}; keys are text, write str(key)"
            )
        yield _checked_text(key, f"a key of {place}"), _as_plain(item, f"{place}[{_short(key)}]", depth + 1)


def _checked_text(value: str, place: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise NotJson(f"{place} is no valid text: it has half a character at {error.start}") from None
    return str(value)


def _checked_integer(value: int, place: str) -> int:
    if not -(2**63) <= value < 2**64:
        raise NotJson(f"{place} is an integer of {value.bit_length()} bits, 64 are the limit; write str(...)")
    return int(value)


def _short(key: object) -> str:
    text = repr(key)
    return text if len(text) <= 60 else text[:57] + "..."


def _printable(message: str) -> str:
    """Text that can be encoded, whatever was in an exception."""
    return message.encode("utf-8", "replace").decode()
